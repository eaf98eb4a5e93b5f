"""The machines that an algorithm trains on, and those that serve it.

The service starts any type of its list; an image that cannot use the machine fails, and is billed.
"""

import re
from dataclasses import dataclass

from manifest_tools.algorithms import Algorithm
from manifest_tools.base.errors import Refused
from manifest_tools.base.text import shown

_FORM = re.compile(r"ml\.([a-z0-9]+(?:-[a-z0-9]+)*)\.([a-z0-9]+)", re.ASCII)

_M5 = "large xlarge 2xlarge 4xlarge 12xlarge 24xlarge"
_C5 = "xlarge 2xlarge 4xlarge 9xlarge 18xlarge"
_C4 = "xlarge 2xlarge 4xlarge 8xlarge"
_I6 = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge"
_I7 = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"

# Families with graphics processors, by the name that an algorithm's table has, and their sizes: the part of
# the lists in SageMaker's API (TrainingInstanceType and its like) that the algorithms name.
GPU = {
    "p2": "xlarge 8xlarge 16xlarge",
    "p3": "2xlarge 8xlarge 16xlarge",
    "p3dn": "24xlarge",
    "g4dn": "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge",
    "g5": "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
}
# EC2 counts p3dn among P3: the same V100, with a disk of its own.
_SAME = {"p3dn": "p3"}

# Families without: x86 only, for the images are.
_BOTH = {"m4": "xlarge 2xlarge 4xlarge 10xlarge 16xlarge", "m5": _M5}
_BOTH |= {"c6i": _I6, "m6i": _I6, "r6i": _I6, "c7i": _I7, "m7i": _I7, "r7i": _I7}
TRANSFORM_CPU = {"c4": _C4, "c5": _C5, **_BOTH}
ENDPOINT_CPU = {
    **{"c4": f"large {_C4}", "c5": f"large {_C5}", "c5d": f"large {_C5}", "m5d": _M5, "r5": _M5, "r5d": _M5},
    **{"c6in": _I6, "t2": "medium large xlarge 2xlarge"},
    **_BOTH,
}

# "If you request an instance type with local storage" of the API's ResourceConfig and EndpointConfig.
_OWN_DISK = ("p3dn", "g4dn", "g5", "c5d", "m5d", "r5d")


@dataclass(frozen=True, slots=True)
class InstanceType:
    """``ml.FAMILY.SIZE``, taken apart; its text is the whole.

    >>> str(InstanceType("g4dn", "xlarge")), InstanceType("g4dn", "xlarge").own_disk
    ('ml.g4dn.xlarge', True)
    """

    family: str
    size: str

    def __str__(self) -> str:
        return f"ml.{self.family}.{self.size}"

    @property
    def own_disk(self) -> bool:
        """Whether it has a disk of its own, so that neither a volume nor its key can be asked for."""
        return self.family in _OWN_DISK

    @property
    def gpu(self) -> bool:
        """Whether it has graphics processors."""
        return self.family in GPU


def instance_type(text: str) -> InstanceType:
    """Return a type taken apart; raises Refused for what is no type."""
    match = _FORM.fullmatch(text)
    if match is None:
        hint = f"; type ml.{text}" if _FORM.fullmatch(f"ml.{text}") else ""
        raise Refused(
            f"instance type: expected ml.FAMILY.SIZE such as ml.g4dn.xlarge, found {shown(text)}{hint}"
        )
    return InstanceType(*match.groups())


def for_training(text: str, algorithm: Algorithm, count: int = 1) -> InstanceType:
    """Return the type, if ``count`` of it can train the algorithm; raises Refused with those that can."""
    if count > 1 and not algorithm.several_machines:
        raise Refused(f"{algorithm.name} trains on one machine, not on {count:,}; type --instance-count 1")
    return _one_of(text, _gpu(algorithm), f"{algorithm.name} trains on")


def for_endpoint(text: str, algorithm: Algorithm) -> InstanceType:
    """Return the type, if an endpoint on it can serve the algorithm; raises Refused with those that can."""
    gpu = {family: sizes for family, sizes in _gpu(algorithm).items() if family != "p3dn"}
    return _one_of(text, {**ENDPOINT_CPU, **gpu}, f"{algorithm.name} is served on")


def for_transform(text: str, algorithm: Algorithm) -> InstanceType:
    """Return the type, if a transform job on it can serve the algorithm; raises Refused with those that
    can.
    """
    gpu = {family: sizes for family, sizes in _gpu(algorithm).items() if family != "p3dn"}
    return _one_of(text, {**TRANSFORM_CPU, **gpu}, f"{algorithm.name} transforms on")


def _gpu(algorithm: Algorithm) -> dict[str, str]:
    return {name: sizes for name, sizes in GPU.items() if _SAME.get(name, name) in algorithm.families}


def _one_of(text: str, families: dict[str, str], what: str) -> InstanceType:
    found = instance_type(text)
    if found.family not in families:
        raise Refused(f"{found}: {what} {', '.join(sorted(families))}, not on {found.family}{_why(found)}")
    if found.size not in families[found.family].split():
        sizes = ", ".join(families[found.family].split())
        raise Refused(f"{found}: {found.family} comes as {sizes}; found {found.size}")
    return found


def _why(found: InstanceType) -> str:
    """Return why the images do not run there, for the families that people try."""
    if found.family in ENDPOINT_CPU or found.family.startswith(("t3", "c5n", "r5")):
        return ", which has no GPU"
    if re.fullmatch(r"[a-z]\d+g[a-z]*", found.family):
        return ", whose processor is an ARM"
    if found.family.startswith(("trn", "inf", "dl")):
        return ", whose processor is no GPU of NVIDIA's"
    return ""

"""What trains on this machine, and what predicts with a model: two tables, read without any framework.

A new framework is a folder with the functions of ``trainers.frameworks.Framework``, and a row here. The
command line takes its trainers, networks and optimizers from here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import shown


@dataclass(frozen=True, slots=True)
class Network:
    """A network of a trainer."""

    name: str
    """What ``--network`` takes; the same network has the same name with every trainer."""

    cost: float
    """Microseconds that a pixel of a picture costs in an epoch, as measured on two processor cores."""

    side: int = 224
    """Side of the square picture that it is made for, in pixels; smaller pictures are not blown up to it."""

    pretrained: bool = True
    """Whether there are ImageNet weights of it, for ``--pretrained``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictor:
    """What predicts with the models of one maker."""

    name: str
    """What classes.json of a model calls its maker."""

    title: str
    """What people call it."""

    module: str
    """Where its functions are; importing this module does not import the framework."""

    framework: str
    """The package that it needs, by the name under which it is imported."""

    extra: str
    """Which extra of ours brings the framework."""

    endings: tuple[str, ...]
    """How the names of its models' weights end; a run can start from a file of such a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainer(Predictor):
    """A framework that trains on this machine; it predicts with its own models as well."""

    networks: tuple[Network, ...]
    """All that it can train, the smallest first."""

    quick: str
    """The network that a processor trains from scratch in minutes."""

    deep: str
    """The network for initial weights, and for many pictures on an accelerator."""

    optimizers: Mapping[str, float]
    """What ``--optimizer`` takes, the usual one first; each with a learning rate at which small data sets
    settle."""

    options: frozenset[str]
    """Those of ``OPTIONS`` that it has."""

    def network(self, name: str) -> Network:
        """Return a network by name; raises Refused for one that this trainer does not have."""
        networks = {network.name: network for network in self.networks}
        return networks[choose("--network", name, networks)]

    def learning_rate(self, optimizer: str) -> float:
        """Return the usual learning rate of an optimizer; raises Refused for an unknown one."""
        return self.optimizers[choose("--optimizer", optimizer, self.optimizers)]


# The fields of TrainConfig that a trainer may lack; every trainer has the others.
OPTIONS = frozenset({"augment", "mirror", "pretrained", "init_from"})

_GLUON = Trainer(
    name="gluon",
    title="Gluon",
    module="trainers.gluon",
    framework="mxnet",
    extra="gluon",
    endings=(".params",),
    networks=(
        Network("small", 0.3, side=64, pretrained=False),
        Network("mlp", 0.3, side=64, pretrained=False),
        Network("resnet18_v2", 4.5),
        Network("resnet34_v2", 8),
        Network("resnet50_v2", 13),
        Network("resnet101_v2", 20),
        Network("resnet152_v2", 28),
        Network("mobilenetv2", 4.5),
    ),
    quick="small",
    deep="resnet18_v2",
    optimizers={"adam": 1e-3, "nag": 0.01, "rmsprop": 1e-3, "sgd": 0.01},
    options=OPTIONS,
)

# SageMaker's own algorithms train there, see ``trainers.sagemaker``; here one of them has a predictor.
BUILTIN = "builtin"
_BUILTIN = Predictor(
    name=BUILTIN,
    title="SageMaker's built-in image classification",
    module="trainers.gluon",
    framework="mxnet",
    extra="gluon",
    endings=(".params",),
)

# The first is the default.
TRAINERS: dict[str, Trainer] = {row.name: row for row in (_GLUON,)}
PREDICTORS: dict[str, Predictor] = {**TRAINERS, BUILTIN: _BUILTIN}
DEFAULT = next(iter(TRAINERS))


def choose(option: str, value: str, choices: Iterable[str]) -> str:
    """Return ``value``; raises Refused where it is not among the choices of an option."""
    known = tuple(choices)
    if value not in known:
        raise Refused(f"{option}: expected one of {', '.join(known)}; found {shown(value)}")
    return value


def trainer_named(name: str) -> Trainer:
    """Return the row of a trainer; raises Refused for one that does not train on this machine."""
    if name == BUILTIN:
        raise Refused(f"{BUILTIN} trains in SageMaker, not here; type: mtool train --trainer {BUILTIN}")
    return TRAINERS[choose("--trainer", name, TRAINERS)]

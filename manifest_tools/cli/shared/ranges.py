"""What a tuning run varies, as people type it: NAME=LOW:HIGH[:log] and NAME=VALUE."""

from typing import TYPE_CHECKING

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import shown

if TYPE_CHECKING:
    from trainers.sagemaker.requests.tuning_job import Choice, Range, Scaling

_SCALES: "dict[str, Scaling]" = {
    "": "Auto",
    "linear": "Linear",
    "log": "Logarithmic",
    "reverse-log": "ReverseLogarithmic",
}


def read_ranges(ranges: list[str], choices: list[str]) -> "tuple[Range | Choice, ...]":
    """Return ranges and choices; the values of one name are one choice.

    >>> read_ranges(["learning_rate=0.001:0.1:log"], ["optimizer=sgd", "optimizer=adam"])[1]
    Choice(name='optimizer', values=('sgd', 'adam'))
    """
    from trainers.sagemaker.requests.tuning_job import Choice

    values: dict[str, tuple[str, ...]] = {}
    for text in choices:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise Refused(f"--choice: expected NAME=VALUE, such as optimizer=sgd; found {shown(text)}")
        values[name] = (*values.get(name, ()), value)
    return (*map(_range, ranges), *(Choice(name, every) for name, every in values.items()))


def _range(text: str) -> "Range":
    from trainers.sagemaker.requests.tuning_job import Range

    name, equals, rest = text.partition("=")
    ends = rest.split(":")
    if not name or not equals or not 2 <= len(ends) <= 3 or not all(ends[:2]):
        form = "NAME=LOW:HIGH or NAME=LOW:HIGH:log"
        raise Refused(f"--range: expected {form}, such as learning_rate=0.001:0.1:log; found {shown(text)}")
    scale = ends[2] if len(ends) == 3 else ""
    if scale not in _SCALES or (len(ends) == 3 and not scale):
        raise Refused(f"--range {name}: expected the scale log, linear or reverse-log; found {shown(scale)}")
    return Range(name, ends[0], ends[1], _SCALES[scale])

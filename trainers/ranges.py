"""What tuning varies: ranges and choices, whoever runs the trials."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import shown

Scaling = Literal["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"]

# What people type for a scale.
_SCALES: dict[str, Scaling] = {
    "": "Auto",
    "linear": "Linear",
    "log": "Logarithmic",
    "reverse-log": "ReverseLogarithmic",
}


@dataclass(frozen=True, slots=True)
class Range:
    """A parameter that trials vary between two ends; whether it is a whole number, its trainer knows."""

    name: str
    low: str
    """The lowest value, included, as typed."""

    high: str
    """The highest value, included, as typed."""

    scaling: Scaling = "Auto"
    """Where between the ends more trials are made, in SageMaker's words."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A parameter of which trials try some values."""

    name: str
    values: tuple[str, ...]
    """As typed."""


Ranges = tuple[Range | Choice, ...]


def read_ranges(ranges: Sequence[str], choices: Sequence[str]) -> Ranges:
    """Return what ``--range`` and ``--choice`` say; the values of one name become one choice.

    Raises Refused for a text that is not NAME=LOW:HIGH[:SCALE], or not NAME=VALUE.

    >>> read_ranges(["learning_rate=0.001:0.1:log"], ["optimizer=sgd", "optimizer=adam"])[1]
    Choice(name='optimizer', values=('sgd', 'adam'))
    """
    values: dict[str, tuple[str, ...]] = {}
    for text in choices:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise Refused(f"--choice: expected NAME=VALUE, such as optimizer=sgd; found {shown(text)}")
        values[name] = (*values.get(name, ()), value)
    return (*map(_read_range, ranges), *(Choice(name, every) for name, every in values.items()))


def _read_range(text: str) -> Range:
    name, equals, rest = text.partition("=")
    ends = rest.split(":")
    if not name or not equals or not 2 <= len(ends) <= 3 or not all(ends[:2]):
        form = "NAME=LOW:HIGH or NAME=LOW:HIGH:log"
        raise Refused(f"--range: expected {form}, such as learning_rate=0.001:0.1:log; found {shown(text)}")
    scale = ends[2] if len(ends) == 3 else ""
    if scale not in _SCALES or (len(ends) == 3 and not scale):
        raise Refused(f"--range {name}: expected the scale log, linear or reverse-log; found {shown(scale)}")
    return Range(name, ends[0], ends[1], _SCALES[scale])


def corners(ranges: Ranges) -> Iterator[dict[str, str]]:
    """Yield values for a few trials, so many that every end and every choice is in one of them."""
    tried = [one.values if isinstance(one, Choice) else (one.low, one.high) for one in ranges]
    names = [one.name for one in ranges]
    for values in zip_longest(*tried):
        filled = (one if one is not None else each[0] for one, each in zip(values, tried, strict=True))
        yield dict(zip(names, filled, strict=True))


def check_names(ranges: Ranges, fixed: Collection[str] = ()) -> None:
    """Raise Refused for a parameter that is varied twice, or that is among the ``fixed`` ones as well."""
    names = [one.name for one in ranges]
    for name in names:
        if names.count(name) > 1:
            raise Refused(f"{shown(name)} is varied twice; type one range, or all its choices")
        if name in fixed:
            raise Refused(f"{shown(name)} is both set and varied; leave one of them out")


def check_ends(one: Range, low: float, high: float) -> None:
    """Raise Refused for a range with nothing between its ends, or with a scale that cannot begin there."""
    if not low < high:
        raise Refused(f"{one.name}: expected a low end below the high one, found {one.low} and {one.high}")
    if one.scaling == "Logarithmic" and low <= 0:
        raise Refused(f"{one.name}: a logarithmic scale begins above 0, not at {one.low}")

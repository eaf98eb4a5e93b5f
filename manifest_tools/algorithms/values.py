"""Whether one value of a hyperparameter is one that its algorithm takes."""

import math
import re

from manifest_tools.algorithms.schema import Hyperparameter
from manifest_tools.base.text import shown

# As the containers' own schema has them: no sign, no leading zero, no blanks.
_INT = re.compile(r"0|-?[1-9]\d{0,17}", re.ASCII)
_FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

_TRUE = ("true", "1", "yes")
_FALSE = ("false", "0", "no")


def problem(one: Hyperparameter, value: str) -> str | None:
    """Say what was expected instead of ``value``, or return None where it will do."""
    if accepts(one, value):
        return None
    near = f"; type {one.name}={meant(one, value)}" if meant(one, value) else ""
    return f"{one.name}: expected {expected(one)}, found {shown(value)}{near}"


def accepts(one: Hyperparameter, value: str) -> bool:
    """Say whether the algorithm takes ``value``."""
    if one.kind in ("choice", "bool"):
        return value in one.choices
    if one.kind == "text":
        if value == "":  # as good as not given, and what the containers' own defaults have
            return one.default is None
        return not one.pattern or re.fullmatch(one.pattern, value, re.ASCII) is not None
    number = number_of(one, value)
    return number is not None and _inside(one, number)


def number_of(one: Hyperparameter, value: str) -> float | None:
    """Return the number that ``value`` spells in the form that ``one`` takes, or None."""
    form = _INT if one.kind == "int" else _FLOAT
    if form.fullmatch(value) is None or len(value) > 40:
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def _inside(one: Hyperparameter, number: float) -> bool:
    if one.low is not None and (number < one.low or (one.above_low and number == one.low)):
        return False
    return one.high is None or number < one.high or (number == one.high and not one.below_high)


def expected(one: Hyperparameter) -> str:
    """Return in words which values it takes.

    >>> expected(Hyperparameter("epochs", "int", "", "", low=1))
    'a whole number from 1'
    >>> expected(Hyperparameter("rate", "float", "", "", low=0, high=1, above_low=True))
    'a number above 0, up to 1'
    """
    if one.kind in ("choice", "bool"):
        return ", ".join(one.choices[:-1]) + f" or {one.choices[-1]}"
    if one.kind == "text":
        return one.form or "a text"
    what = "a whole number" if one.kind == "int" else "a number"
    if one.low is not None:
        what += f" {'above' if one.above_low else 'from'} {one.low:g}"
    if one.high is not None:
        what += f"{',' if one.above_low else ''} {'below' if one.below_high else 'up to'} {one.high:g}"
    return what


def meant(one: Hyperparameter, value: str) -> str | None:
    """Return the choice that ``value`` spells in another way, or nearly; None where it is none.

    >>> meant(Hyperparameter("early_stopping", "bool", "", "", choices=("True", "False")), "yes")
    'True'
    """
    import difflib

    if one.kind == "bool":
        for words, choice in ((_TRUE, ("True", "1")), (_FALSE, ("False", "0"))):
            if value.strip().lower() in words:
                return next(c for c in choice if c in one.choices)
    if one.kind not in ("choice", "bool"):
        return None
    folded = {choice.replace("-", "").replace("_", ""): choice for choice in one.choices}
    bare = value.strip().lower().replace("-", "").replace("_", "")
    near = difflib.get_close_matches(bare, folded, 1, 0.75)
    return folded[near[0]] if near else None

"""Whether an algorithm accepts a value of a hyperparameter."""

import math
import re

from manifest_tools.algorithms.schema import Hyperparameter
from manifest_tools.base.text import shown

# As in the schema of the containers: no sign, no leading zero, no spaces.
_INT = re.compile(r"0|-?[1-9]\d{0,17}", re.ASCII)
_FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

_TRUE = ("true", "1", "yes")
_FALSE = ("false", "0", "no")


def problem(one: Hyperparameter, value: str) -> str | None:
    """Return what was expected instead of ``value``; None where it is accepted."""
    if accepts(one, value):
        return None
    near = f"; type {one.name}={nearest_choice(one, value)}" if nearest_choice(one, value) else ""
    return f"{one.name}: expected {expected(one)}, found {shown(value)}{near}"


def accepts(one: Hyperparameter, value: str) -> bool:
    """Return whether the algorithm accepts ``value``."""
    if one.kind in ("choice", "bool"):
        return value in one.choices
    if one.kind == "text":
        if value == "":  # means not set, as in the defaults of the containers
            return one.default is None
        return not one.pattern or re.fullmatch(one.pattern, value, re.ASCII) is not None
    number = number_of(one, value)
    return number is not None and _inside(one, number)


def number_of(one: Hyperparameter, value: str) -> float | None:
    """Return the number that ``value`` is in the form of ``one``, or None."""
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
    """Return in words which values are accepted.

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


def nearest_choice(one: Hyperparameter, value: str) -> str | None:
    """Return the choice that ``value`` nearly is, or None.

    >>> nearest_choice(Hyperparameter("early_stopping", "bool", "", "", choices=("True", "False")), "yes")
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

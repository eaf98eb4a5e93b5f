"""JSON values by what they mean: when two are equal, and one text for all spellings of a value."""

import json
from contextlib import suppress
from typing import Any

import msgspec


def same_value(one: Any, other: Any) -> bool:
    """Say whether two JSON values mean the same: 1 and 1.0 do, 1 and true do not.

    >>> same_value({"a": [1.0]}, {"a": [1]}), same_value(1, True), same_value([], {})
    (True, False, False)
    """
    if type(one) is type(other) and not isinstance(one, list | dict):
        return bool(one == other)
    try:
        return one == other and _same_booleans(one, other)
    except RecursionError:
        return False


def _same_booleans(one: Any, other: Any) -> bool:
    """Say whether equal values have ``true`` and ``false`` in the same places: Python's ``True`` equals 1."""
    if isinstance(one, dict):
        return all(_same_booleans(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return all(map(_same_booleans, one, other))
    return type(one) is type(other) or isinstance(one, bool) == isinstance(other, bool)


def canonical(value: Any) -> str:
    """Return a value as compact JSON with sorted keys; equal numbers below 2^53 have the same text.

    Where a value has no such text, because it is nested too deeply for example, it is ``...``.

    >>> canonical({"b": 1.0, "a": [True, None]})
    '{"a":[true,null],"b":1}'
    """
    with suppress(RecursionError):
        value = _whole_numbers(value)
    with suppress(RecursionError, OverflowError, ValueError):
        return msgspec.json.encode(value, order="sorted").decode()
    with suppress(RecursionError, ValueError):  # msgspec knows no half of a surrogate pair
        return json.dumps(value, sort_keys=True, separators=(",", ":"))
    return "..."


def _whole_numbers(value: Any) -> Any:
    """Return a value with 1 for 1.0."""
    kind = type(value)
    if kind is dict:
        return {key: _whole_numbers(one) if type(one) in _CHANGED else one for key, one in value.items()}
    if kind is list:
        return [_whole_numbers(one) if type(one) in _CHANGED else one for one in value]
    return int(value) if kind is float and value.is_integer() and abs(value) < 2**53 else value


# Types of values that _whole_numbers may change.
_CHANGED = frozenset((dict, list, float))

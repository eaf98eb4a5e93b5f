"""Values from a manifest as text for a message: on one line, short, without control characters."""

from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import Any

_LONGEST = 60  # characters of a value or a name that a message repeats


def path(*keys: str | int) -> str:
    """Return the JSON path to a value: object keys and array indices, the outermost first.

    >>> path("two-parts", "objects", 0), path("two words")
    ('$.two-parts.objects[0]', "$['two words']")
    """
    return "$" + "".join(map(_step, keys))


def _step(key: str | int) -> str:
    if isinstance(key, str) and key.replace("-", "_").isidentifier():
        return f".{key}"
    return f"[{shown(key)}]"


def shown(value: Any) -> str:
    """Return a value for a message: a string in quotes, an array or object by its type.

    >>> shown("a" * 100)[:5], len(shown("a" * 100)), shown(None), shown(True)
    ("'aaaa", 60, 'null', 'true')
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list | dict):
        return "an array" if isinstance(value, list) else "an object"
    if isinstance(value, int) and abs(value) >= 10**_LONGEST:
        return "a huge number"
    text = repr(value[:_LONGEST] if isinstance(value, str) else value)
    long = len(text) > _LONGEST or (isinstance(value, str) and len(value) > _LONGEST)
    return text[: _LONGEST - 3] + "..." if long else text


def clipped(name: str) -> str:
    """Return a name for a message without quotes around it: at most 60 characters.

    >>> clipped("RH"), len(clipped("x" * 1000))
    ('RH', 60)
    """
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 3]}..."


_LISTED = 5  # names that a message lists


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "record"), counted(1200, "class"), counted(0, "box")
    ('1 record', '1,200 classes', '0 boxes')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "es" if noun[-1] in "sx" else "s")


def by_state(counts: Mapping[str, int]) -> str:
    """Return how many lines are in each state.

    >>> by_state({"unlabelled": 2, "failed": 1000})
    '1,000 failed, 2 unlabelled'
    """
    return ", ".join(f"{count:,} {state}" for state, count in sorted(counts.items()))


def listed(names: Collection[Any]) -> str:
    """Return the first names, and how many more there are.

    >>> listed(["RH", "LH"]), listed(range(7))
    ("'RH', 'LH'", '0, 1, 2, 3, 4 and 2 more')
    """
    few = ", ".join(map(shown, islice(names, _LISTED)))
    return few + (f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else "")


def either(names: Iterable[str]) -> str:
    """Return all names as a choice of one.

    >>> either(["adam", "nag", "sgd"])
    'adam, nag or sgd'
    """
    *most, last = dict.fromkeys(names)
    return f"{', '.join(most)} or {last}" if most else last

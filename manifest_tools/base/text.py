"""Values from a manifest as text for a message: on one line, not too long, without escapes."""

from typing import Any

_SHOWN = 60  # characters of a value that a message repeats


def path(*keys: str | int) -> str:
    """Return the JSON path to a value.

    >>> path("two-parts", "objects", 0), path("two words")
    ('$.two-parts.objects[0]', "$['two words']")
    """
    return "$" + "".join(map(_step, keys))


def _step(key: str | int) -> str:
    if isinstance(key, str) and key.replace("-", "_").isidentifier():
        return f".{key}"
    return f"[{shown(key)}]"


def shown(value: Any) -> str:
    """Return a value from a manifest for a message: on one line, not too long, without escapes.

    >>> shown("a" * 100)[:5], len(shown("a" * 100)), shown(None), shown(True)
    ("'aaaa", 60, 'null', 'true')
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list | dict):
        return "an array" if isinstance(value, list) else "an object"
    if isinstance(value, int) and abs(value) >= 10**_SHOWN:
        return "a huge number"
    text = repr(value[:_SHOWN] if isinstance(value, str) else value)
    long = len(text) > _SHOWN or (isinstance(value, str) and len(value) > _SHOWN)
    return text[: _SHOWN - 3] + "..." if long else text


_LONGEST = 60  # characters of a name that a message repeats


def clipped(name: str) -> str:
    """Return a name for a message in which it stands without quotes: nobody reads a megabyte of it.

    >>> clipped("RH"), len(clipped("x" * 1000))
    ('RH', 60)
    """
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 3]}..."

"""What a rule is given, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

_SHOWN = 60  # characters of a value that a message repeats


class Found(NamedTuple):
    """What a rule found: the place in the line, what is wrong.

    From a rule of a file also which line, and from a rule of several files which file.
    """

    path: str
    message: str
    line: int = 0
    file: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """One label attribute of one line, with the metadata that it has there; ``room`` as in tasks.TYPES."""

    name: str
    metadata_key: str
    type: str
    state: str
    value: Any
    metadata: Mapping[str, Any]
    room: str = "custom"

    @property
    def single(self) -> bool:
        """Say whether the type asks for one class index."""
        return self.room in ("single_label", "verification")

    @property
    def multi(self) -> bool:
        """Say whether the type asks for a list of class indices."""
        return self.room == "multi_label"

    @property
    def class_map(self) -> Any:
        """The ``class-map``, which 3D point clouds spell ``class_map``."""
        return self.metadata.get("class-map", self.metadata.get("class_map"))


@dataclass(frozen=True, slots=True)
class Line:
    """One line, decoded; ``expected`` names what other lines of the file show to be label attributes.

    ``length`` counts its characters; ``repeated`` names keys that mean something and that it has twice.
    """

    value: Mapping[str, Any]
    labels: tuple[Label, ...]
    expected: tuple[str, ...] = ()
    length: int = 0
    repeated: tuple[str, ...] = ()


def path(*keys: str | int) -> str:
    """Return the JSON path to a value.

    >>> path("hand-metadata", "objects", 0), path("two words")
    ('$.hand-metadata.objects[0]', "$['two words']")
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

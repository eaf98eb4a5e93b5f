"""The label attributes of one line: their names, types and states.

A label attribute is a key beside a ``-metadata`` key that has an object; ``source-ref-metadata`` describes
the source and is none. A chained job adds a label attribute to every line.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import shown
from manifest_tools.groundtruth.classes import is_index
from manifest_tools.groundtruth.label_kinds import LabelKind, label_kind, short_type
from manifest_tools.groundtruth.record import METADATA, SOURCES, Peek

_LONGEST_INDEX = 9  # digits and more, which no class index has


@dataclass(frozen=True, slots=True)
class Attribute:
    """A label attribute of one line."""

    name: str
    metadata_key: str
    """The key of its metadata: the name and ``-metadata``, at times without the ``-ref`` of the name."""
    type: str
    """The task type; empty where neither the metadata nor the form of the label says it."""
    state: str
    """``labelled``, ``failed`` or ``unlabelled``."""


@dataclass(frozen=True, slots=True)
class LabelAttribute:
    """The label attribute that a verb works on."""

    name: str
    metadata_key: str
    type: str
    """The task type of most lines; empty where no line says it."""
    requested: bool
    """Whether the caller gave the name; if not, no line may have another label attribute."""

    @property
    def kind(self) -> LabelKind:
        """The label kind of its type."""
        return label_kind(self.type)

    @property
    def short_type(self) -> str:
        """The task type without its prefix, for a message."""
        return short_type(self.type)

    def peek(self, *fields: str, sources: tuple[str, ...] = ()) -> Peek:
        """Return what to decode: this attribute, some fields of its metadata and some sources."""
        return Peek(self.name, self.metadata_key, self.kind.schema, fields, sources, not self.requested)


def attributes_of(value: Any) -> Iterator[Attribute]:
    """Yield the label attributes of one decoded line; none for a value that is no object.

    >>> [a.name for a in attributes_of({"x": 1, "x-metadata": {"type": "t"}, "source-ref-metadata": {}})]
    ['x']
    """
    if not isinstance(value, dict):
        return
    for key, metadata in value.items():
        if not key.endswith(METADATA) or not isinstance(metadata, dict):
            continue
        if key.removesuffix(METADATA) in ("", *SOURCES):
            continue
        name = attribute_name(key, value)
        labelled = value.get(name) is not None
        failed = metadata.get("failure-reason") is not None
        state = "labelled" if labelled else "failed" if failed else "unlabelled"
        type_name = metadata.get("type")
        if not isinstance(type_name, str):
            type_name = _shape(value.get(name), value)
        yield Attribute(name, key, type_name, state)


def is_bare_label(key: str, value: Any, line: Collection[str]) -> bool:
    """Say whether a key of a line has a class index, or its digits, and no metadata.

    >>> is_bare_label("class", "7", ["source-ref", "class"]), is_bare_label("class", 1.5, ["class"])
    (True, False)
    """
    short = isinstance(value, int) or (isinstance(value, str) and len(value) < _LONGEST_INDEX)
    return short and is_index(value) and key not in SOURCES and key + METADATA not in line


def _shape(label: Any, value: dict[str, Any]) -> str:
    """Return the task type of a label whose metadata has no ``type``, by the form of the label."""
    if isinstance(label, str) and label.startswith("s3://"):
        return ""
    if isinstance(label, dict):
        return _shape_of_object(label)
    subject = "image" if "source-ref" in value else "text"
    if isinstance(label, list):
        return f"groundtruth/{subject}-classification-multilabel"
    if isinstance(label, int | str) and not isinstance(label, bool):
        return f"groundtruth/{subject}-classification"
    return ""


def _shape_of_object(label: dict[str, Any]) -> str:
    if isinstance(label.get("annotations"), list) and "image_size" in label:
        return "groundtruth/object-detection"
    return "groundtruth/text-span" if isinstance(label.get("annotations"), dict) else ""


def check_attribute_name(name: str) -> None:
    """Raise Refused for a name that no label attribute can have."""
    if not name or name.endswith(METADATA) or name in SOURCES or not name.isprintable():
        raise Refused(
            f"no label attribute can be called {shown(name)}: expected a name that is not empty, is not"
            f" source or source-ref, does not end in {METADATA}, and has no control characters"
        )


def attributes_in(data: bytes) -> list[Attribute]:
    """Return the label attributes of the first line of a block; none where that line cannot be read."""
    import msgspec

    first = data[: data.find(b"\n") + 1 or len(data)]
    try:
        return list(attributes_of(msgspec.json.decode(first)))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []


def attribute_name(key: str, keys: Collection[str]) -> str:
    """Return the attribute that a ``-metadata`` key describes on a line with these keys.

    AWS prints the metadata of a ``-ref`` with and without ``-ref``; so beside a ``Person-ref`` that has no
    other, ``Person-metadata`` is not that of a ``Person``.

    >>> [attribute_name("x-metadata", keys) for keys in (["x-ref"], ["x", "x-ref"])]
    ['x-ref', 'x']
    """
    name = key.removesuffix(METADATA)
    ref = f"{name}-ref"
    return ref if name not in keys and ref in keys and ref + METADATA not in keys else name

"""A line of a manifest, decoded as far as a verb needs it: a source, a label and fields of its metadata.

A ``Peek`` names what to decode; ``decoder`` makes a msgspec struct of it.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, cast

from manifest_tools.base.errors import BadData

if TYPE_CHECKING:
    import msgspec

    from manifest_tools.groundtruth.label_schemas import Colour, Confidence

State = Literal["labelled", "failed", "unlabelled"]

# Keys that are no label attribute, although real files have them beside a `-metadata` key.
SOURCES = ("source-ref", "source")
METADATA = "-metadata"


class Metadata:
    """The requested metadata fields of a line, None where the line has none; no others are attributes."""

    type: str | None
    class_name: str | None
    class_map: dict[str, str] | None
    class_map_: dict[str, str] | None
    internal_color_map: "dict[str, Colour] | None"
    color_map: "dict[str, Colour] | None"
    confidence: float | None
    confidence_map: dict[str, float] | None
    objects: "list[Confidence] | None"
    entities: "list[Confidence] | None"
    human_annotated: str | None
    creation_date: str | None
    job_name: str | None
    failure_reason: str | None
    adjustment_status: str | None


class Row:
    """The requested parts of a line, None where the line has none."""

    source_ref: str | None
    source: str | None
    label: Any
    metadata: Metadata | None


@dataclass(frozen=True, slots=True)
class Peek:
    """What to decode of a line; small, hashable and picklable."""

    attribute: str
    metadata_key: str
    schema: str = "any"
    """What the label is decoded as: a key of ``label_schemas.LABELS``."""
    fields: tuple[str, ...] = ()
    """The metadata fields to decode, keys of ``label_schemas.FIELDS``; ``failure-reason`` always is."""
    sources: tuple[str, ...] = ()
    """Which of SOURCES to decode."""
    exclusive: bool = False
    """Whether no line may have another label attribute."""


@lru_cache(maxsize=64)
def decoder(peek: Peek) -> "msgspec.json.Decoder[Row]":
    """Return a decoder of what ``peek`` names; of a duplicate key the last one counts.

    Raises BadData for an attribute whose name a decoder cannot have.

    >>> peek = Peek("kind", "kind-metadata", "index", ("confidence",))
    >>> row = decoder(peek).decode(b'{"kind": 1, "kind-metadata": {"confidence": 0.5, "x": []}}')
    >>> row.label, row.metadata.confidence
    (1, 0.5)
    """
    import msgspec

    from manifest_tools.groundtruth.label_schemas import FIELDS, LABELS

    wanted = dict.fromkeys((*peek.fields, "failure-reason"))
    metadata = msgspec.defstruct(
        "Metadata",
        [(_python(name), FIELDS[name] | None, None) for name in wanted],
        rename={_python(name): name for name in wanted},
        gc=False,
    )
    label: tuple[str, Any, Any] = ("label", LABELS[peek.schema], None)
    sources: list[tuple[str, Any, Any]] = [(_python(name), str | None, None) for name in peek.sources]
    keys = {_python(name): name for name in peek.sources}
    keys |= {"label": peek.attribute, "metadata": peek.metadata_key}
    try:
        row = msgspec.defstruct(
            "Row", [*sources, label, ("metadata", metadata | None, None)], rename=keys, gc=False
        )
    except ValueError as error:
        raise BadData(
            f"no label attribute can be called {peek.attribute!r}: expected a name that is no key"
            " of the source, without quotes, backslashes and control characters"
        ) from error
    return cast("msgspec.json.Decoder[Row]", msgspec.json.Decoder(row))


def _python(name: str) -> str:
    """Return the Python name of a key: ``class_map`` for ``class-map``, ``class_map_`` for ``class_map``."""
    return f"{name}_" if "_" in name else name.replace("-", "_")


def state(row: Row) -> State:
    """Return the state of a line.

    A failed line has metadata with a ``failure-reason`` and no label, or a label that is null.
    """
    if row.label is not None:
        return "labelled"
    if row.metadata is not None and row.metadata.failure_reason is not None:
        return "failed"
    return "unlabelled"

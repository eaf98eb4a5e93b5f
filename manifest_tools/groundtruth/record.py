"""What Ground Truth means by a line: a source, a label attribute, its metadata, and what became of it.

A verb decodes only the fields that it needs: it describes them in a ``Peek``, from which a msgspec struct
for the attribute at hand is made.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, cast

from manifest_tools.base.errors import BadData

if TYPE_CHECKING:
    import msgspec

    from manifest_tools.groundtruth.label_schemas import Colour, Confidence

State = Literal["labelled", "failed", "unlabelled"]

# Keys that are never a label attribute, although real files have them beside a `-metadata` twin.
SOURCES = ("source-ref", "source")
METADATA = "-metadata"


class Metadata:
    """The metadata fields of a line that were asked for; the others are not there at all."""

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
    """The fields of a line that were asked for."""

    source_ref: str | None
    source: str | None
    label: Any
    metadata: Metadata | None


@dataclass(frozen=True, slots=True)
class Peek:
    """Which fields of which label attribute to decode; small, hashable, picklable.

    ``label`` is a form of ``label_schemas.LABELS``: an ``index``, ``indices``, ``boxes``, ..., or ``any``;
    ``fields`` are keys of ``label_schemas.FIELDS``.
    ``exclusive``: the attribute was found, not told, so another one on any line is to be noticed.
    """

    attribute: str
    metadata_key: str
    label: str = "any"
    fields: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    exclusive: bool = False


@lru_cache(maxsize=64)
def decoder(peek: Peek) -> "msgspec.json.Decoder[Row]":
    """Return a decoder of just the fields in ``peek``; of a duplicate key the last one counts.

    Raises BadData for an attribute whose name no decoder could be made for.

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
    label: tuple[str, Any, Any] = ("label", LABELS[peek.label], None)
    sources: list[tuple[str, Any, Any]] = [(_python(name), str | None, None) for name in peek.sources]
    keys = {_python(name): name for name in peek.sources}
    keys |= {"label": peek.attribute, "metadata": peek.metadata_key}
    try:
        row = msgspec.defstruct(
            "Row", [*sources, label, ("metadata", metadata | None, None)], rename=keys, gc=False
        )
    except ValueError as error:
        raise BadData(
            f"no label attribute can be called {peek.attribute!r}: expected a name of its own,"
            " without quotes, backslashes and control characters"
        ) from error
    return cast("msgspec.json.Decoder[Row]", msgspec.json.Decoder(row))


def _python(name: str) -> str:
    """Return the attribute for a key; ``class_map`` beside ``class-map`` gets an underscore more."""
    return f"{name}_" if "_" in name else name.replace("-", "_")


def state(row: Row) -> State:
    """Say whether the line is labelled, failed, or neither.

    A failed object has metadata with a ``failure-reason`` and no label, whatever else it has; a label
    that is null is none.
    """
    if row.label is not None:
        return "labelled"
    if row.metadata is not None and row.metadata.failure_reason is not None:
        return "failed"
    return "unlabelled"

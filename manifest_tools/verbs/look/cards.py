"""A line as a card of the gallery: its labels in words, and what they draw on its picture."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from manifest_tools.groundtruth.attributes import Attribute
from manifest_tools.groundtruth.counts import rows_by_attribute
from manifest_tools.groundtruth.label_kinds import label_kind, segmentation
from manifest_tools.groundtruth.label_schemas import Box, Boxes
from manifest_tools.groundtruth.line_columns import class_names
from manifest_tools.groundtruth.record import Row, state
from manifest_tools.images.thumbnail import PALETTE, Overlay, Shape, box
from manifest_tools.pages.gallery import Card, CardLabel
from manifest_tools.verbs.look.choose import DOUBTFUL
from manifest_tools.verbs.look.index import Index, Vocabulary

Problems = Sequence[tuple[str, str]]
"""Codes and messages."""

_COLOUR = re.compile("#[0-9a-fA-F]{6}")
_BOXES = 200  # that are drawn on a picture


@dataclass(frozen=True, slots=True)
class Drawing:
    """What labels draw on a picture, as far as the line says it."""

    overlay: Overlay = Overlay()
    mask: str = ""
    """The URI of a mask, which is a picture itself."""


@dataclass(frozen=True, slots=True)
class LineCard:
    """A card, and the picture that it wants."""

    card: Card
    ref: str
    """The source-ref; empty where the line has a text."""

    drawing: Drawing


def line_card(index: Index, part: int, at: int, words: Vocabulary, problems: Problems = ()) -> LineCard:
    """Return the card of a line, without its picture, by the position of the line in ``index``."""
    each = rows_by_attribute(index.known, index.read(at))
    first = each[0][1].rows[0]
    line = index.lines[at]
    labels = tuple(_label(one, rows.rows[0], words) for one, rows in each if one.name)
    doubtful = bool(0 < line["confidence"] < DOUBTFUL)
    card = Card(part, int(line["number"]), first.source_ref or "", first.source or "", labels=labels)
    card = replace(card, problems=tuple(problems), doubtful=doubtful)
    return LineCard(
        card, first.source_ref or "", _drawing([(one, rows.rows[0]) for one, rows in each], words)
    )


def _label(attribute: Attribute, row: Row, words: Vocabulary) -> CardLabel:
    kind, metadata = label_kind(attribute.type), row.metadata
    found = CardLabel(attribute.name, state=state(row))
    if metadata is not None:
        by = {"yes": "people", "no": "a model"}.get(metadata.human_annotated or "", "")
        job = words.job_of(metadata.job_name or "")
        found = replace(found, job=job, by=by, date=(metadata.creation_date or "")[:10])
    if row.label is None or not kind.has_classes:
        return found
    names = class_names(kind, row)
    classes = tuple(_classes(names, kind.confidences(row), words))
    return replace(found, classes=classes, colours=_colours(row, names) if kind.has_colour_map else ())


def _colours(row: Row, names: Sequence[str]) -> tuple[str, ...]:
    """Return the colours that a mask has for its classes; nothing where one of them is no colour."""
    by_name = {one.class_name: one.hex_color or "" for one in segmentation.colours(row).values()}
    found = tuple(by_name.get(name, "") for name in dict.fromkeys(names))
    return found if all(map(_COLOUR.fullmatch, found)) else ()


def _classes(
    names: Sequence[str], confidences: Sequence[float | None], words: Vocabulary
) -> Iterator[tuple[int, float | None, int]]:
    """Yield each class once, with the lowest of its confidences and how many there are of it."""
    for name in dict.fromkeys(names):
        mine = [one for other, one in zip(names, confidences, strict=False) if other == name]
        known = [min(max(float(one), 0), 1) for one in mine if one is not None]
        yield words.class_of(name), min(known, default=None), len(mine)


def _drawing(labels: Sequence[tuple[Attribute, Row]], words: Vocabulary) -> Drawing:
    """Return what the first label that has boxes or a mask draws."""
    for attribute, row in labels:
        kind = label_kind(attribute.type)
        if row.label is None:
            continue
        if kind.name == "boxes" and row.label.annotations:
            names = class_names(kind, row)
            shapes = [
                shape
                for found, name in zip(row.label.annotations[:_BOXES], names, strict=False)
                if (shape := _shape(found, PALETTE[words.class_of(name) % len(PALETTE)]))
            ]
            return Drawing(Overlay(tuple(shapes), _size(row.label)))
        if kind.label_object == "mask" and isinstance(row.label, str):
            return Drawing(mask=row.label)
    return Drawing()


def _shape(found: Box, colour: str) -> Shape | None:
    sides = found.left, found.top, found.width, found.height
    if any(one is None for one in sides):
        return None
    left, top, width, height = (float(one or 0) for one in sides)
    return box(left, top, width, height, colour)


def _size(label: Boxes) -> tuple[float, float] | None:
    size = label.image_size[0] if label.image_size else None
    return None if size is None or not size.width or not size.height else (size.width, size.height)

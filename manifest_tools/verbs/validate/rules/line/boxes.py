"""Bounding boxes: each has a class, a size, a place on the picture, and a confidence."""

from collections.abc import Iterator
from typing import Any

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import counted, listed, shown
from manifest_tools.groundtruth.classes import class_index, is_index
from manifest_tools.groundtruth.label_kinds.boxes import is_number
from manifest_tools.verbs.validate.rule_input import LineLabel
from manifest_tools.verbs.validate.rules.examples import labelled, lines
from manifest_tools.verbs.validate.rules.references import OUTPUT, REKOGNITION_LINES
from manifest_tools.verbs.validate.rules.rule import rule
from manifest_tools.verbs.validate.rules.wording import in_label, in_metadata, missing_in_metadata, value_at

_KINDS = ("boxes",)
_SIZE = {"width": 640, "height": 480, "depth": 3}
_BOX = {"class_id": 0, "left": 10, "top": 20, "width": 100, "height": 50}
_SIDES = ("left", "top", "width", "height")
# Pixels that a box may reach beyond its picture: what people draw is scaled and rounded, more than once.
_SLACK = 0.5


@rule(
    "MT240",
    "error",
    "label",
    breaks=lambda: _line({"class_id": None}, {"class_id": "bolt"}),
    keeps=lambda: _line({}, {"class_id": "0"}),
    fix="Write class_id, with an underscore: the index of the class in the job's list of categories.",
    source=OUTPUT,
    kinds=_KINDS,
    never_for=("rekognition",),  # which has a code of its own for it
)
def boxes_have_a_class(label: LineLabel) -> Iterator[Finding]:
    """A box has a class_id, a whole number from 0."""
    yield from without_class(label, "class_id", "class-id")


@rule(
    "MT241",
    "error",
    "label",
    breaks=lambda: _line({"class_id": 1}),
    keeps=lambda: _line({}),
    fix="Add the class to the class-map.",
    source=REKOGNITION_LINES,
    kinds=_KINDS,
    never_for=("rekognition",),  # which has a code of its own for it
)
def the_map_names_the_boxes(label: LineLabel) -> Iterator[Finding]:
    """A class-map names the class of every box."""
    yield from unnamed_classes(label, "class_id")


@rule(
    "MT242",
    "error",
    "label",
    breaks=lambda: _line({"width": 0}),
    keeps=lambda: _line({}),
    fix="Remove the box and its entry in objects; width and height are sizes, not right and bottom.",
    source=REKOGNITION_LINES,
    kinds=_KINDS,
    never_for=("rekognition",),  # which has a code of its own for it
)
def boxes_have_a_size(label: LineLabel) -> Iterator[Finding]:
    """A box has a width and a height above 0."""
    for at, box in label.annotations():
        for side in ("width", "height"):
            length = box.get(side)
            if is_number(length) and length <= 0:
                yield about(label, at, f"expected a {side} above 0, found {shown(length)}", side)


@rule(
    "MT243",
    "warning",
    "label",
    breaks=lambda: _line({"width": 1, "height": 1}),
    keeps=lambda: _line({"width": 2, "height": 2}),
    fix="Remove the box; if all are so small, they are fractions: multiply by the size of the picture.",
    source=REKOGNITION_LINES,
    kinds=_KINDS,
    never_for=("rekognition",),  # which has a code of its own for it
)
def boxes_are_larger_than_a_pixel(label: LineLabel) -> Iterator[Finding]:
    """A box is larger than 1 x 1 pixel."""
    for at, box in label.annotations():
        width, height = box.get("width"), box.get("height")
        if is_number(width) and is_number(height) and 0 < width <= 1 and 0 < height <= 1:
            yield about(label, at, f"expected a box larger than 1 x 1 pixel, found {width:g} x {height:g}")


@rule(
    "MT244",
    "error",
    "label",
    breaks=lambda: _line({"left": None}, {"top": "20"}),
    keeps=lambda: _line({"left": 10.5}),
    fix="Write left, top, width and height as numbers of pixels.",
    source=OUTPUT,
    kinds=_KINDS,
    never_for=("rekognition",),  # which has a code of its own for it
)
def boxes_have_four_numbers(label: LineLabel) -> Iterator[Finding]:
    """A box has left, top, width and height, in pixels."""
    for at, box in label.annotations():
        for side in _SIDES:
            if not is_number(box.get(side)):
                message = f"expected {side} as a number of pixels, found {value_at(box, side)}"
                yield about(label, at, message, side)


@rule(
    "MT245",
    "error",
    "label",
    breaks=lambda: _line({"left": 600}),
    keeps=lambda: _line({"left": 540}, {"left": -0.4}),
    fix="Cut the box at the edge; if this happens often, image_size is wrong or pictures were rotated.",
    source=REKOGNITION_LINES,
    kinds=_KINDS,
    never_for=("rekognition",),  # which has a code of its own for it
)
def boxes_lie_on_the_picture(label: LineLabel) -> Iterator[Finding]:
    """A box is on its picture; half a pixel beyond the edge is allowed."""
    size = _picture(label)
    for at, box in label.annotations():
        left, top, right, bottom = _corners(box)
        over = size is not None and (right > size[0] + _SLACK or bottom > size[1] + _SLACK)
        if left < -_SLACK or top < -_SLACK or over:
            corners = f"({left:g}, {top:g}) to ({right:g}, {bottom:g})"
            picture = "the picture" if size is None else f"the picture of {size[0]:g} x {size[1]:g} pixels"
            yield about(label, at, f"the box from {corners} reaches beyond {picture}")


def _corners(box: dict[str, Any]) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom; all 0 for an invalid box, which other rules report."""
    left, top, width, height = (box.get(side) for side in _SIDES)
    if not (is_number(left) and is_number(top) and is_number(width) and is_number(height)):
        return (0, 0, 0, 0)
    return (left, top, left + width, top + height) if width > 0 and height > 0 else (0, 0, 0, 0)


def _picture(label: LineLabel) -> tuple[float, float] | None:
    """Return width and height of the picture, or None where the label does not have them."""
    sizes = label.value.get("image_size") if isinstance(label.value, dict) else None
    size = sizes[0] if isinstance(sizes, list) and sizes and isinstance(sizes[0], dict) else {}
    width, height = size.get("width"), size.get("height")
    if is_number(width) and is_number(height) and width > 0 and height > 0:
        return (width, height)
    return None


@rule(
    "MT246",
    "error",
    "label",
    breaks=lambda: _line({}, size=()),
    keeps=lambda: _line({}),
    fix='Write the size of the picture: [{"width": 640, "height": 480, "depth": 3}].',
    source=OUTPUT,
    kinds=_KINDS,
    never_for=("rekognition",),  # which has a code of its own for it
)
def the_picture_has_a_size(label: LineLabel) -> Iterator[Finding]:
    """The image_size of boxes is an array of one object, with width and height above 0."""
    if label.state != "labelled" or not isinstance(label.value, dict):
        return
    sizes = label.value.get("image_size")
    if not isinstance(sizes, list) or len(sizes) != 1 or not isinstance(sizes[0], dict):
        found = f"{len(sizes):,} elements" if isinstance(sizes, list) and len(sizes) != 1 else shown(sizes)
        message = f"expected an array of one object with width and height, found {found}"
        yield in_label(label, "image_size", message, "image_size")
        return
    for side in ("width", "height", "depth"):
        number = sizes[0].get(side)
        if not (is_number(number) and number > 0) and not (side == "depth" and number is None):
            message = f"expected a {side} above 0, found {value_at(sizes[0], side)}"
            yield in_label(label, "image_size", message, "image_size", 0, side)


@rule(
    "MT247",
    "error",
    "label",
    breaks=lambda: _line({}, {}, objects=[{"confidence": 0.9}]),
    keeps=lambda: _line({}, {}),
    fix="Write one entry for each box, in the order of annotations.",
    source=OUTPUT,
    kinds=_KINDS,
    never_for=("rekognition",),  # which has a code of its own for it
)
def an_object_for_each_box(label: LineLabel) -> Iterator[Finding]:
    """The metadata has one entry in objects for each box: they are matched by position."""
    yield from unmatched(label, "objects", _count(label), "box")


@rule(
    "MT248",
    "warning",
    "label",
    breaks=lambda: _line({}, objects=[{}]),
    keeps=lambda: _line({}),
    fix='Write {"confidence": 1} if the box is certain; Rekognition accepts no box without.',
    source=REKOGNITION_LINES,
    kinds=_KINDS,
    never_for=("rekognition",),  # which has a code of its own for it
)
def boxes_have_a_confidence(label: LineLabel) -> Iterator[Finding]:
    """A box has a confidence in the objects of the metadata."""
    entries = label.metadata.get("objects")
    count = _count(label) or 0
    if entries is None and count:
        yield missing_in_metadata(label, "objects", "no box has a confidence")
    for at, entry in enumerate(entries[:count] if isinstance(entries, list) else ()):
        if isinstance(entry, dict) and entry.get("confidence") is None:
            yield in_metadata(label, f"objects[{at}]", "no confidence", "objects", at)


@rule(
    "MT249",
    "error",
    "label",
    breaks=lambda: lines(labelled("boxes", {"annotations": _BOX}, "object-detection")),
    keeps=lambda: _line(),
    fix="Write annotations as an array; it is empty for a picture without boxes.",
    source=OUTPUT,
    kinds=_KINDS,
    never_for=("rekognition",),  # which has a code of its own for it
)
def boxes_are_in_annotations(label: LineLabel) -> Iterator[Finding]:
    """A label of boxes has an array of annotations, each an object."""
    yield from without_annotations(label)


def _line(*changes: dict[str, Any], size: Any = (_SIZE,), **metadata: Any) -> str:
    """Return a line with a box for each of ``changes``, which change a usual box; None removes a field."""
    changed = [{key: value for key, value in (_BOX | one).items() if value is not None} for one in changes]
    label = {"image_size": list(size), "annotations": changed}
    usual = {"objects": [{"confidence": 0.9} for _ in changes], "class_map": {"0": "bolt"}}
    return lines(labelled("boxes", label, "object-detection", **usual | metadata))


def without_annotations(label: LineLabel) -> Iterator[Finding]:
    """Yield where a label of boxes or cuboids has no array of objects as annotations."""
    if label.state != "labelled" or not isinstance(label.value, dict):
        return
    found = label.value.get("annotations")
    if not isinstance(found, list):
        yield in_label(label, "annotations", f"expected an array, found {shown(found)}", "annotations")
        return
    for at, part in enumerate(found):
        if not isinstance(part, dict):
            yield about(label, at, f"expected an object, found {shown(part)}")


def about(label: LineLabel, at: int, message: str, *key: str) -> Finding:
    """Return a finding about one box or cuboid; the message says which."""
    return in_label(label, f"annotations[{at}]", message, "annotations", at, *key)


def without_class(label: LineLabel, key: str, other: str) -> Iterator[Finding]:
    """Yield the boxes or cuboids without a class index under ``key``; ``other`` is a known misspelling."""
    for at, part in label.annotations():
        if key not in part:
            hint = f", only {other}" if other in part else ""
            yield about(label, at, f"no {key}{hint}")
        elif not is_index(part[key]):
            yield about(label, at, f"expected {key} as a class index from 0, found {shown(part[key])}", key)


def unnamed_classes(label: LineLabel, key: str) -> Iterator[Finding]:
    """Yield the classes of boxes or cuboids that the class-map does not name."""
    named = {} if label.class_map is None else label.class_map
    if not isinstance(named, dict):
        return
    used = [part[key] for _, part in label.annotations() if is_index(part.get(key))]
    unnamed = [index for index in dict.fromkeys(map(class_index, used)) if str(index) not in named]
    if unnamed:
        spelt = next((key for key in ("class-map", "class_map") if key in label.metadata), "class-map")
        yield in_metadata(label, spelt, f"no name for class {listed(unnamed)}", spelt)


def unmatched(label: LineLabel, key: str, count: int | None, item: str) -> Iterator[Finding]:
    """Yield where the metadata does not have one confidence for each box, cuboid or entity."""
    entries = label.metadata.get(key)
    if entries is None or count is None:
        return
    if not isinstance(entries, list):
        yield in_metadata(label, key, f"expected an array of confidences, found {shown(entries)}", key)
        return
    if len(entries) != count:
        wanted = f"expected {counted(count, 'confidence')}, one for each {item}"
        yield in_metadata(label, key, f"{wanted}, found {len(entries):,}", key)
    for at, entry in enumerate(entries):
        if not isinstance(entry, dict):
            message = f"expected an object with a confidence, found {shown(entry)}"
            yield in_metadata(label, f"{key}[{at}]", message, key, at)
        elif isinstance(entry.get("confidence"), list):  # as a tracking job has it, for each of its frames
            message = "expected one confidence, found an array"
            yield in_metadata(label, f"{key}[{at}]", message, key, at, "confidence")


def _count(label: LineLabel) -> int | None:
    found = label.value.get("annotations") if isinstance(label.value, dict) else None
    return len(found) if label.state == "labelled" and isinstance(found, list) else None


RULES = (
    boxes_have_a_class,
    the_map_names_the_boxes,
    boxes_have_a_size,
    boxes_are_larger_than_a_pixel,
    boxes_have_four_numbers,
    boxes_lie_on_the_picture,
    the_picture_has_a_size,
    an_object_for_each_box,
    boxes_have_a_confidence,
    boxes_are_in_annotations,
)

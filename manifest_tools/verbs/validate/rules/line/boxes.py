"""Bounding boxes: that each has a class, a size and a place on the picture, and a confidence."""

from collections.abc import Iterator
from typing import Any

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import path, shown
from manifest_tools.groundtruth.classes import class_index, is_index
from manifest_tools.groundtruth.label_kinds.boxes import is_number
from manifest_tools.verbs.validate.rule_input import LineLabel
from manifest_tools.verbs.validate.rules.examples import labelled, lines
from manifest_tools.verbs.validate.rules.references import OUTPUT, REKOGNITION_LINES
from manifest_tools.verbs.validate.rules.rule import rule

_KINDS = ("boxes",)
_SIZE = {"width": 640, "height": 480, "depth": 3}
_BOX = {"class_id": 0, "left": 10, "top": 20, "width": 100, "height": 50}


def _line(*changes: dict[str, Any], size: Any = (_SIZE,), **metadata: Any) -> str:
    """Return a line with a box for each of ``changes``, which are of a usual box; None takes out."""
    changed = [{key: value for key, value in (_BOX | one).items() if value is not None} for one in changes]
    label = {"image_size": list(size), "annotations": changed}
    usual = {"objects": [{"confidence": 0.9} for _ in changes], "class_map": {"0": "bolt"}}
    return lines(labelled("boxes", label, "object-detection", **usual | metadata))


_GOOD = _line({})


_SIDES = ("left", "top", "width", "height")


# A picture's edge may run through a pixel: what people drew is scaled, and rounded, more than once.
_SLACK = 0.5


_LISTED = 5


def has_annotations(label: LineLabel) -> Iterator[Finding]:
    """A label of boxes or cuboids has a list of annotations, each an object."""
    if label.state != "labelled" or not isinstance(label.value, dict):
        return
    found = label.value.get("annotations")
    if not isinstance(found, list):
        yield Finding(
            path(label.name, "annotations"), f"expected annotations as an array, found {shown(found)}"
        )
        return
    for at, part in enumerate(found):
        if not isinstance(part, dict):
            yield about(label, at, f"expected an object, found {shown(part)}")


def boxes_have_a_class(label: LineLabel) -> Iterator[Finding]:
    """A box has a class_id, a whole number from 0."""
    yield from without_class(label, "class_id", "class-id")


def the_map_names_the_boxes(label: LineLabel) -> Iterator[Finding]:
    """A class-map names the class of every box."""
    yield from unnamed_classes(label, "class_id")


def boxes_have_a_size(label: LineLabel) -> Iterator[Finding]:
    """A box has a width and a height above 0."""
    for at, box in label.annotations():
        for side in ("width", "height"):
            length = box.get(side)
            if is_number(length) and length <= 0:
                yield about(label, at, f"expected a {side} above 0, found {shown(length)}", side)


def boxes_are_larger_than_a_pixel(label: LineLabel) -> Iterator[Finding]:
    """A box is larger than 1 x 1 pixel."""
    for at, box in label.annotations():
        width, height = box.get("width"), box.get("height")
        if is_number(width) and is_number(height) and 0 < width <= 1 and 0 < height <= 1:
            yield about(label, at, f"a box of {width:g} x {height:g} pixel")


def boxes_have_four_numbers(label: LineLabel) -> Iterator[Finding]:
    """A box has left, top, width and height, in pixels."""
    for at, box in label.annotations():
        for side in _SIDES:
            if not is_number(box.get(side)):
                yield about(
                    label, at, f"expected a number of pixels as {side}, found {said(box, side)}", side
                )


def boxes_lie_on_the_picture(label: LineLabel) -> Iterator[Finding]:
    """A box lies on its picture, give or take half a pixel."""
    size = _picture(label)
    for at, box in label.annotations():
        left, top, right, bottom = _corners(box)
        over = size is not None and (right > size[0] + _SLACK or bottom > size[1] + _SLACK)
        if left < -_SLACK or top < -_SLACK or over:
            spread = f"a box from {left:g}, {top:g} to {right:g}, {bottom:g}"
            picture = "" if size is None else f" on a picture of {size[0]:g} x {size[1]:g} pixels"
            yield about(label, at, spread + picture)


def _corners(box: dict[str, Any]) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom; all 0 for what is no box, of which other rules speak."""
    left, top, width, height = (box.get(side) for side in _SIDES)
    if not (is_number(left) and is_number(top) and is_number(width) and is_number(height)):
        return (0, 0, 0, 0)
    return (left, top, left + width, top + height) if width > 0 and height > 0 else (0, 0, 0, 0)


def the_picture_has_a_size(label: LineLabel) -> Iterator[Finding]:
    """The image_size of boxes is a list of one object, with width and height above 0."""
    if label.state != "labelled" or not isinstance(label.value, dict):
        return
    sizes = label.value.get("image_size")
    if not isinstance(sizes, list) or len(sizes) != 1 or not isinstance(sizes[0], dict):
        found = f"{len(sizes):,} elements" if isinstance(sizes, list) and len(sizes) != 1 else shown(sizes)
        message = f"expected image_size as an array of one object with width and height, found {found}"
        yield Finding(path(label.name, "image_size"), message)
        return
    for side in ("width", "height", "depth"):
        number = sizes[0].get(side)
        if not (is_number(number) and number > 0) and not (side == "depth" and number is None):
            message = f"image_size: expected a {side} above 0, found {said(sizes[0], side)}"
            yield Finding(path(label.name, "image_size", 0, side), message)


def an_object_for_each_box(label: LineLabel) -> Iterator[Finding]:
    """The objects of the metadata are as many as the boxes, for they are matched by position."""
    yield from unmatched(label, "objects", _count(label), "box")


def boxes_have_a_confidence(label: LineLabel) -> Iterator[Finding]:
    """A box has a confidence in the objects of the metadata."""
    shares = label.metadata.get("objects")
    count = _count(label) or 0
    if shares is None and count:
        yield Finding(path(label.metadata_key), "no objects, so no box has a confidence")
    for at, share in enumerate(shares[:count] if isinstance(shares, list) else ()):
        if isinstance(share, dict) and share.get("confidence") is None:
            yield Finding(path(label.metadata_key, "objects", at), f"objects[{at}]: no confidence")


def about(label: LineLabel, at: int, message: str, *key: str) -> Finding:
    """Return a finding about one box or cuboid; the message says which."""
    return Finding(path(label.name, "annotations", at, *key), f"annotations[{at}]: {message}")


def without_class(label: LineLabel, key: str, other: str) -> Iterator[Finding]:
    """Yield the boxes or cuboids that have no class index under ``key``; some misspell it as ``other``."""
    for at, part in label.annotations():
        if key not in part:
            hint = f", but {other}" if other in part else ""
            yield about(label, at, f"no {key}{hint}")
        elif not is_index(part[key]):
            yield about(label, at, f"expected a class index from 0 as {key}, found {shown(part[key])}", key)


def unnamed_classes(label: LineLabel, key: str) -> Iterator[Finding]:
    """Yield the classes of boxes or cuboids that the class-map does not name."""
    named = {} if label.class_map is None else label.class_map
    if not isinstance(named, dict):
        return
    used = [part[key] for _, part in label.annotations() if is_index(part.get(key))]
    lacking = [index for index in dict.fromkeys(str(class_index(one)) for one in used) if index not in named]
    if lacking:
        more = ", ..." if len(lacking) > _LISTED else ""
        listed = ", ".join(lacking[:_LISTED]) + more
        spelt = next((key for key in ("class-map", "class_map") if key in label.metadata), "class-map")
        where = path(label.metadata_key, spelt)
        yield Finding(where, f"{spelt} does not name class {listed} of the label")


def unmatched(label: LineLabel, key: str, count: int | None, item: str) -> Iterator[Finding]:
    """Yield where the list of confidences is not as long as that of the boxes or entities."""
    shares = label.metadata.get(key)
    if shares is None or count is None:
        return
    where = path(label.metadata_key, key)
    if not isinstance(shares, list):
        yield Finding(where, f"expected {key} as an array of confidences, found {shown(shares)}")
        return
    if len(shares) != count:
        wanted = f"expected {key} to have one confidence for each {item}, {count:,} in all"
        yield Finding(where, f"{wanted}, found {len(shares):,}")
    for at, share in enumerate(shares):
        if not isinstance(share, dict):
            where = path(label.metadata_key, key, at)
            yield Finding(where, f"{key}[{at}]: expected an object with a confidence, found {shown(share)}")
        elif isinstance(share.get("confidence"), list):  # as a tracking job has it, for each of its frames
            where = path(label.metadata_key, key, at, "confidence")
            yield Finding(where, f"{key}[{at}]: expected one confidence, found an array")


def _count(label: LineLabel) -> int | None:
    found = label.value.get("annotations") if isinstance(label.value, dict) else None
    return len(found) if label.state == "labelled" and isinstance(found, list) else None


def _picture(label: LineLabel) -> tuple[float, float] | None:
    """Return width and height of the picture, where the label says them."""
    sizes = label.value.get("image_size") if isinstance(label.value, dict) else None
    size = sizes[0] if isinstance(sizes, list) and sizes and isinstance(sizes[0], dict) else {}
    width, height = size.get("width"), size.get("height")
    if is_number(width) and is_number(height) and width > 0 and height > 0:
        return (width, height)
    return None


def said(part: dict[str, Any], key: str) -> str:
    """Return what a message says of a field that is wrong, or not there."""
    return shown(part[key]) if key in part else "none"


RULES = (
    rule(
        "MT240",
        "error",
        "label",
        boxes_have_a_class,
        breaks=_line({"class_id": None}, {"class_id": "bolt"}),
        keeps=_line({}, {"class_id": "0"}),
        fix="Write class_id, with an underscore: the index of the class in the job's list of categories.",
        source=OUTPUT,
        kinds=_KINDS,
    ),
    rule(
        "MT241",
        "error",
        "label",
        the_map_names_the_boxes,
        breaks=_line({"class_id": 1}),
        keeps=_GOOD,
        fix="Add the class to the class-map.",
        source=REKOGNITION_LINES,
        kinds=_KINDS,
    ),
    rule(
        "MT242",
        "error",
        "label",
        boxes_have_a_size,
        breaks=_line({"width": 0}),
        keeps=_GOOD,
        fix="Take the box out, and its entry of objects; width and height are sizes, not right and bottom.",
        source=REKOGNITION_LINES,
        kinds=_KINDS,
    ),
    rule(
        "MT243",
        "warning",
        "label",
        boxes_are_larger_than_a_pixel,
        breaks=_line({"width": 1, "height": 1}),
        keeps=_line({"width": 2, "height": 2}),
        fix="Take the box out; if all are so small, they are shares of the picture: multiply by its size.",
        source=REKOGNITION_LINES,
        kinds=_KINDS,
    ),
    rule(
        "MT244",
        "error",
        "label",
        boxes_have_four_numbers,
        breaks=_line({"left": None}, {"top": "20"}),
        keeps=_line({"left": 10.5}),
        fix="Write left, top, width and height as numbers of pixels.",
        source=OUTPUT,
        kinds=_KINDS,
    ),
    rule(
        "MT245",
        "error",
        "label",
        boxes_lie_on_the_picture,
        breaks=_line({"left": 600}),
        keeps=_line({"left": 540}, {"left": -0.4}),
        fix="Cut the box at the edge; if many lie off, image_size is of another picture or turned.",
        source=REKOGNITION_LINES,
        kinds=_KINDS,
    ),
    rule(
        "MT246",
        "error",
        "label",
        the_picture_has_a_size,
        breaks=_line({}, size=()),
        keeps=_GOOD,
        fix='Write the size of the picture: [{"width": 640, "height": 480, "depth": 3}].',
        source=OUTPUT,
        kinds=_KINDS,
    ),
    rule(
        "MT247",
        "error",
        "label",
        an_object_for_each_box,
        breaks=_line({}, {}, objects=[{"confidence": 0.9}]),
        keeps=_line({}, {}),
        fix="Give every box one entry, in the order of annotations.",
        source=OUTPUT,
        kinds=_KINDS,
    ),
    rule(
        "MT248",
        "warning",
        "label",
        boxes_have_a_confidence,
        breaks=_line({}, objects=[{}]),
        keeps=_GOOD,
        fix='Write {"confidence": 1} for a box that nobody doubts; Rekognition takes none without.',
        source=REKOGNITION_LINES,
        kinds=_KINDS,
    ),
    rule(
        "MT249",
        "error",
        "label",
        has_annotations,
        breaks=lines(labelled("boxes", {"annotations": _BOX}, "object-detection")),
        keeps=_line(),
        fix="Write annotations as an array, an empty one for a picture without a box.",
        source=OUTPUT,
        kinds=_KINDS,
    ),
)

"""Bounding boxes: an object with ``annotations`` and ``image_size``, names in ``class-map``.

``objects`` of the metadata has a confidence a box, by position. An image without a box has empty lists; it
is a label like any other.
"""

from collections.abc import Iterator, Sequence
from typing import Any, TypeGuard

from manifest_tools.groundtruth.label_schemas import Share
from manifest_tools.groundtruth.record import Row
from manifest_tools.groundtruth.tasks import multi_label
from manifest_tools.groundtruth.tasks.single_label import class_index, is_index
from manifest_tools.verbs.validate.line import Found, Label, path, shown

LABEL = "boxes"
FIELDS = ("class-map",)
DOUBTS = ("objects",)
UNIT = "box"

_SIDES = ("left", "top", "width", "height")
# A picture's edge may run through a pixel: what people drew is scaled, and rounded, more than once.
_SLACK = 0.5
_HUGE = 1e15  # larger numbers are not reckoned with, for the next one is no longer the number plus one
_LISTED = 5


def indices(row: Row) -> tuple[int, ...]:
    """Return the class index of every box."""
    return tuple([class_index(box.class_id) for box in row.label.annotations])


names = multi_label.names


def confidences(row: Row) -> tuple[float | None, ...]:
    """Return the confidence of every box, None where the metadata has none for it."""
    return matched(row.metadata.objects if row.metadata else None, len(row.label.annotations))


def matched(shares: Sequence[Share] | None, count: int) -> tuple[float | None, ...]:
    """Return the confidences of ``count`` boxes or entities, which are matched by position."""
    found = [share.confidence for share in (shares or ())[:count]]
    return (*found, *[None] * (count - len(found)))


def has_annotations(label: Label) -> Iterator[Found]:
    """A label of boxes or cuboids has a list of annotations, each an object."""
    if label.state != "labelled" or not isinstance(label.value, dict):
        return
    found = label.value.get("annotations")
    if not isinstance(found, list):
        yield Found(
            path(label.name, "annotations"), f"expected annotations as an array, found {shown(found)}"
        )
        return
    for at, part in enumerate(found):
        if not isinstance(part, dict):
            yield about(label, at, f"expected an object, found {shown(part)}")


def boxes_have_a_class(label: Label) -> Iterator[Found]:
    """A box has a class_id, a whole number from 0."""
    yield from without_class(label, "class_id", "class-id")


def the_map_names_the_boxes(label: Label) -> Iterator[Found]:
    """A class-map names the class of every box."""
    yield from unnamed_classes(label, "class_id")


def boxes_have_a_size(label: Label) -> Iterator[Found]:
    """A box has a width and a height above 0."""
    for at, box in annotations(label):
        for side in ("width", "height"):
            length = box.get(side)
            if is_number(length) and length <= 0:
                yield about(label, at, f"expected a {side} above 0, found {shown(length)}", side)


def boxes_are_larger_than_a_pixel(label: Label) -> Iterator[Found]:
    """A box is larger than 1 x 1 pixel."""
    for at, box in annotations(label):
        width, height = box.get("width"), box.get("height")
        if is_number(width) and is_number(height) and 0 < width <= 1 and 0 < height <= 1:
            yield about(label, at, f"a box of {width:g} x {height:g} pixel")


def boxes_have_four_numbers(label: Label) -> Iterator[Found]:
    """A box has left, top, width and height, in pixels."""
    for at, box in annotations(label):
        for side in _SIDES:
            if not is_number(box.get(side)):
                yield about(
                    label, at, f"expected a number of pixels as {side}, found {said(box, side)}", side
                )


def boxes_lie_on_the_picture(label: Label) -> Iterator[Found]:
    """A box lies on its picture, give or take half a pixel."""
    size = _picture(label)
    for at, box in annotations(label):
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


def the_picture_has_a_size(label: Label) -> Iterator[Found]:
    """The image_size of boxes is a list of one object, with width and height above 0."""
    if label.state != "labelled" or not isinstance(label.value, dict):
        return
    sizes = label.value.get("image_size")
    if not isinstance(sizes, list) or len(sizes) != 1 or not isinstance(sizes[0], dict):
        found = f"{len(sizes):,} elements" if isinstance(sizes, list) and len(sizes) != 1 else shown(sizes)
        message = f"expected image_size as an array of one object with width and height, found {found}"
        yield Found(path(label.name, "image_size"), message)
        return
    for side in ("width", "height", "depth"):
        number = sizes[0].get(side)
        if not (is_number(number) and number > 0) and not (side == "depth" and number is None):
            message = f"image_size: expected a {side} above 0, found {said(sizes[0], side)}"
            yield Found(path(label.name, "image_size", 0, side), message)


def an_object_for_each_box(label: Label) -> Iterator[Found]:
    """The objects of the metadata are as many as the boxes, for they are matched by position."""
    yield from unmatched(label, "objects", _count(label), UNIT)


def boxes_have_a_confidence(label: Label) -> Iterator[Found]:
    """A box has a confidence in the objects of the metadata."""
    shares = label.metadata.get("objects")
    count = _count(label) or 0
    if shares is None and count:
        yield Found(path(label.metadata_key), "no objects, so no box has a confidence")
    for at, share in enumerate(shares[:count] if isinstance(shares, list) else ()):
        if isinstance(share, dict) and share.get("confidence") is None:
            yield Found(path(label.metadata_key, "objects", at), f"objects[{at}]: no confidence")


def about(label: Label, at: int, message: str, *key: str) -> Found:
    """Return a finding about one box or cuboid; the message says which."""
    return Found(path(label.name, "annotations", at, *key), f"annotations[{at}]: {message}")


def annotations(label: Label) -> list[tuple[int, dict[str, Any]]]:
    """Return the boxes or cuboids of a label with their places, without what is none."""
    if label.state != "labelled" or not isinstance(label.value, dict):
        return []
    found = label.value.get("annotations")
    return [] if not isinstance(found, list) else [p for p in enumerate(found) if isinstance(p[1], dict)]


def is_number(value: Any) -> TypeGuard[float]:
    """Say whether a value is a number that can be reckoned with: no boolean, and none of 400 digits.

    >>> is_number(1.5), is_number(True), is_number(10**400)
    (True, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and -_HUGE < value < _HUGE


def without_class(label: Label, key: str, other: str) -> Iterator[Found]:
    """Yield the boxes or cuboids that have no class index under ``key``; some misspell it as ``other``."""
    for at, part in annotations(label):
        if key not in part:
            hint = f", but {other}" if other in part else ""
            yield about(label, at, f"no {key}{hint}")
        elif not is_index(part[key]):
            yield about(label, at, f"expected a class index from 0 as {key}, found {shown(part[key])}", key)


def unnamed_classes(label: Label, key: str) -> Iterator[Found]:
    """Yield the classes of boxes or cuboids that the class-map does not name."""
    named = {} if label.class_map is None else label.class_map
    if not isinstance(named, dict):
        return
    used = [part[key] for _, part in annotations(label) if is_index(part.get(key))]
    lacking = [index for index in dict.fromkeys(str(class_index(one)) for one in used) if index not in named]
    if lacking:
        more = ", ..." if len(lacking) > _LISTED else ""
        listed = ", ".join(lacking[:_LISTED]) + more
        spelt = next((key for key in ("class-map", "class_map") if key in label.metadata), "class-map")
        where = path(label.metadata_key, spelt)
        yield Found(where, f"{spelt} does not name class {listed} of the label")


def unmatched(label: Label, key: str, count: int | None, unit: str) -> Iterator[Found]:
    """Yield where the list of confidences is not as long as that of the boxes or entities."""
    shares = label.metadata.get(key)
    if shares is None or count is None:
        return
    where = path(label.metadata_key, key)
    if not isinstance(shares, list):
        yield Found(where, f"expected {key} as an array of confidences, found {shown(shares)}")
        return
    if len(shares) != count:
        wanted = f"expected {key} to have one confidence for each {unit}, {count:,} in all"
        yield Found(where, f"{wanted}, found {len(shares):,}")
    for at, share in enumerate(shares):
        if not isinstance(share, dict):
            where = path(label.metadata_key, key, at)
            yield Found(where, f"{key}[{at}]: expected an object with a confidence, found {shown(share)}")
        elif isinstance(share.get("confidence"), list):  # as a tracking job has it, for each of its frames
            where = path(label.metadata_key, key, at, "confidence")
            yield Found(where, f"{key}[{at}]: expected one confidence, found an array")


def _count(label: Label) -> int | None:
    found = label.value.get("annotations") if isinstance(label.value, dict) else None
    return len(found) if label.state == "labelled" and isinstance(found, list) else None


def _picture(label: Label) -> tuple[float, float] | None:
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

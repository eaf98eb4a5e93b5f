"""What Rekognition Custom Labels refuses in a line, under its own error codes."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import path, shown
from manifest_tools.groundtruth.classes import index_of
from manifest_tools.verbs.validate.rule_input import LineLabel, RuleLine
from manifest_tools.verbs.validate.rules.examples import labelled, line, several, single
from manifest_tools.verbs.validate.rules.examples import lines as text_of
from manifest_tools.verbs.validate.rules.job_examples import FAILED
from manifest_tools.verbs.validate.rules.references import REKOGNITION_LINES, REKOGNITION_RULES
from manifest_tools.verbs.validate.rules.rule import Rule, rule

_PURPOSE = ("rekognition",)
_TYPES = ("groundtruth/image-classification", "groundtruth/object-detection")
_COMMON = ("type", "human-annotated", "creation-date")
_OF_IMAGE = ("class-name", "confidence", *_COMMON)
_OF_BOXES = ("objects", "class-map", *_COMMON)
_NUMBERS = ("left", "top", "width", "height")

MOST_BOXES = 50
LONGEST_NAME = 256
# Pictures with a longer side than this are shrunk to it, and their boxes with them.
_SHRUNK = 1280
_SMALLEST, _LARGEST, _LONGEST_BY = 64, 4096, 20


def a_line_names_a_picture(found: RuleLine) -> Iterator[Finding]:
    """A line has a picture: source-ref, and no text in its place."""
    if "source-ref" not in found.value:
        yield Finding(
            "$", "ERROR_MISSING_SOURCE_REF: expected source-ref, the s3:// URI of a picture, found none"
        )


def a_line_has_a_label(found: RuleLine) -> Iterator[Finding]:
    """A line has a label; one without is not trained from."""
    if not found.labels:
        yield Finding("$", "WARNING_UNANNOTATED_RECORD: no label, so the line is not trained from")


def a_label_is_there(label: LineLabel) -> Iterator[Finding]:
    """A label attribute has both its label and its metadata."""
    if label.state != "labelled":
        why = "its labeling failed" if label.state == "failed" else "only its metadata is there"
        yield Finding(path(label.name), f"ERROR_NO_LABEL_ATTRIBUTES: no label {shown(label.name)}: {why}")


def a_type_is_accepted(label: LineLabel) -> Iterator[Finding]:
    """A label is of image classification, with one class, or of object detection."""
    if label.state == "labelled" and label.type.lower() not in _TYPES:
        advice = "; write one attribute for each of its labels" if label.multi else ""
        message = "expected groundtruth/image-classification or groundtruth/object-detection"
        yield Finding(
            path(label.metadata_key, "type"),
            f"ERROR_NO_VALID_LABEL_ATTRIBUTES: {message}, found {shown(label.type)}{advice}",
        )


def metadata_is_whole(label: LineLabel) -> Iterator[Finding]:
    """The metadata has every field that is asked for, of an image or of boxes."""
    wanted = _OF_BOXES if _is_boxes(label) else _OF_IMAGE
    if label.state != "labelled" or label.type.lower() not in _TYPES:
        return
    missing = [name for name in wanted if label.metadata.get(name) is None]
    if missing:
        yield Finding(
            path(label.metadata_key),
            f"ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT: no {' and no '.join(missing)}",
        )


def boxes_are_whole(label: LineLabel) -> Iterator[Finding]:
    """Boxes have one image_size, and each a class_id, left, top, width and height."""
    if not _is_boxes(label):
        return
    size = _size(label)
    wrong = "" if size is not None else "expected one image_size with width, height and depth"
    for at, box in enumerate(_annotations(label)):
        if not isinstance(box, Mapping) or not all(_is_number(box.get(name)) for name in _NUMBERS):
            wrong = wrong or f"expected left, top, width and height as numbers in box {at + 1}"
        elif index_of(box.get("class_id")) is None:
            wrong = wrong or f"expected a class_id from 0 in box {at + 1}"
    if not isinstance(label.value, Mapping) or not isinstance(label.value.get("annotations"), list):
        wrong = wrong or "expected an array of annotations"
    if wrong:
        yield Finding(path(label.name), f"ERROR_INVALID_LABEL_ATTRIBUTE_FORMAT: {wrong}")


def every_box_has_a_confidence(label: LineLabel) -> Iterator[Finding]:
    """The metadata has a confidence for every box."""
    if not _is_boxes(label):
        return
    objects = label.metadata.get("objects")
    shares = objects if isinstance(objects, list) else []
    there = sum(isinstance(one, Mapping) and one.get("confidence") is not None for one in shares)
    if there < len(_annotations(label)):
        message = f"expected {len(_annotations(label)):,} confidences, one for each box, found {there:,}"
        yield Finding(
            path(label.metadata_key, "objects"), f"ERROR_MISSING_BOUNDING_BOX_CONFIDENCE: {message}"
        )


def class_map_has_every_box(label: LineLabel) -> Iterator[Finding]:
    """The class-map names the class of every box."""
    if not _is_boxes(label):
        return
    named = label.metadata.get("class-map")
    ids = (index_of(box.get("class_id")) for box in _annotations(label) if isinstance(box, Mapping))
    table = named if isinstance(named, Mapping) else {}
    missing = sorted({index for index in ids if index is not None and str(index) not in table})
    if missing:
        message = f"class-map does not name class {', '.join(map(str, missing[:5]))}"
        yield Finding(path(label.metadata_key, "class-map"), f"ERROR_MISSING_CLASS_MAP_ID: {message}")


def boxes_are_on_the_picture(label: LineLabel) -> Iterator[Finding]:
    """A box is on the picture, with no side below 0 or beyond the edge."""
    size = _size(label)
    for at, (left, top, width, height) in _boxes(label):
        off = min(left, top, width, height) < 0
        if off or (size is not None and (left + width > size[0] or top + height > size[1])):
            where = path(label.name, "annotations", at)
            yield Finding(where, f"ERROR_INVALID_BOUNDING_BOX: box {at + 1} is off the picture")


def boxes_are_large_enough(label: LineLabel) -> Iterator[Finding]:
    """A box is larger than 1 x 1 pixels, once the picture is shrunk to 1,280."""
    size = _size(label)
    shrunk = 1.0 if size is None else min(1.0, _SHRUNK / max(*size, 1))
    for at, (_, _, width, height) in _boxes(label):
        if width * shrunk <= 1 or height * shrunk <= 1:
            message = f"box {at + 1} is {width:g} x {height:g} pixels, at most 1 when the picture is shrunk"
            yield Finding(path(label.name, "annotations", at), f"ERROR_BOUNDING_BOX_TOO_SMALL: {message}")


def boxes_are_not_too_many(label: LineLabel) -> Iterator[Finding]:
    """A picture has at most 50 boxes."""
    count = len(_annotations(label)) if _is_boxes(label) else 0
    if count > MOST_BOXES:
        message = f"expected at most {MOST_BOXES} boxes, found {count:,}"
        yield Finding(path(label.name, "annotations"), f"ERROR_TOO_MANY_BOUNDING_BOXES: {message}")


def labels_are_not_too_many(found: RuleLine) -> Iterator[Finding]:
    """A picture has at most 50 labels."""
    if len(found.labels) > MOST_BOXES:
        yield Finding("$", f"expected at most {MOST_BOXES} labels of a picture, found {len(found.labels):,}")


def boxes_are_there(label: LineLabel) -> Iterator[Finding]:
    """A picture that was annotated has a box; one without is not trained from."""
    if _is_boxes(label) and not _annotations(label):
        yield Finding(
            path(label.name, "annotations"), "WARNING_NO_ANNOTATIONS: no box, so it is not trained from"
        )


def names_are_not_too_long(label: LineLabel) -> Iterator[Finding]:
    """The name of a label has at most 256 characters."""
    for name in _names(label):
        if len(name) > LONGEST_NAME:
            message = f"expected a label of at most {LONGEST_NAME} characters, found {len(name):,}"
            yield Finding(path(label.metadata_key), message)


def pictures_have_a_usual_size(label: LineLabel) -> Iterator[Finding]:
    """A picture's sides are 64 to 4,096 pixels, and none is 20 times the other."""
    size = _size(label)
    if size is None:
        return
    wide, high = size
    fits = min(size) >= _SMALLEST and max(size) <= _LARGEST and max(size) < _LONGEST_BY * min(size)
    if not fits:
        message = "expected sides of 64 to 4,096 pixels, and none 20 times the other"
        yield Finding(
            path(label.name, "image_size"), f"ERROR_INVALID_IMAGE: {message}, found {wide:g} x {high:g}"
        )


def _is_boxes(label: LineLabel) -> bool:
    return label.state == "labelled" and label.type.lower() == "groundtruth/object-detection"


def _annotations(label: LineLabel) -> Sequence[Any]:
    found = label.value.get("annotations") if isinstance(label.value, Mapping) else None
    return found if isinstance(found, list) else []


def _boxes(label: LineLabel) -> Iterator[tuple[int, list[float]]]:
    """Yield the place of every box that is one, with left, top, width and height."""
    for at, box in enumerate(_annotations(label) if _is_boxes(label) else ()):
        if isinstance(box, Mapping) and all(_is_number(box.get(name)) for name in _NUMBERS):
            yield at, [box[name] for name in _NUMBERS]


def _size(label: LineLabel) -> tuple[float, float] | None:
    sizes = label.value.get("image_size") if isinstance(label.value, Mapping) and _is_boxes(label) else None
    if not isinstance(sizes, list) or len(sizes) != 1 or not isinstance(sizes[0], Mapping):
        return None
    sides = [side for name in ("width", "height", "depth") if _is_number(side := sizes[0].get(name))]
    return (float(sides[0]), float(sides[1])) if len(sides) == 3 else None


def _is_number(value: Any) -> TypeGuard[float]:
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def _names(label: LineLabel) -> list[str]:
    named = label.class_map
    names = list(named.values()) if isinstance(named, Mapping) else [label.metadata.get("class-name")]
    return [name for name in names if isinstance(name, str)]


_PICTURES = tuple(f"s3://lab3-rawdata/IMG_{number:04}.JPG" for number in range(1, 7))
_GOOD = text_of(single(0, _PICTURES[0]), single(1, _PICTURES[1], "LH"))
_LONG = "x" * (LONGEST_NAME + 1)


def _boxed(*sides: float, size: tuple[int, int] = (640, 480), count: int = 1) -> str:
    left, top, width, height = sides or (1, 1, 30, 40)
    box = {"class_id": 0, "left": left, "top": top, "width": width, "height": height}
    label = {"image_size": [{"width": size[0], "height": size[1], "depth": 3}], "annotations": [box] * count}
    shares: dict[str, Any] = {"objects": [{"confidence": 1}] * count, "class-map": {"0": "dog"}}
    return text_of(labelled("boxes", label, "object-detection", **shares))


_ROW = line()
for _number in range(MOST_BOXES + 1):
    _ROW |= labelled(f"hand{_number}", 0, "image-classification", class_name="RH", confidence=1)

_ROWS: tuple[tuple[Any, ...], ...] = (
    (
        "MT701",
        "error",
        "line",
        a_line_names_a_picture,
        text_of({"source": "Fast delivery"}),
        _GOOD,
        "Give each line a source-ref; Rekognition takes no text.",
        REKOGNITION_LINES,
    ),
    (
        "MT702",
        "warning",
        "line",
        a_line_has_a_label,
        text_of(line()),
        _GOOD,
        "Label it, or leave it out: mtool filter --labelled.",
        REKOGNITION_LINES,
    ),
    (
        "MT703",
        "error",
        "label",
        a_label_is_there,
        text_of(FAILED),
        _GOOD,
        "mtool filter --labelled leaves it out.",
        REKOGNITION_LINES,
    ),
    (
        "MT704",
        "error",
        "label",
        a_type_is_accepted,
        text_of(several([0], {"0": "RH"})),
        _GOOD,
        "Write an attribute and its metadata for each label of a picture; AWS publishes a converter.",
        REKOGNITION_LINES,
    ),
    (
        "MT705",
        "error",
        "label",
        metadata_is_whole,
        text_of(single(confidence=None)),
        _GOOD,
        "Add what is missing; confidence has to be there and is not looked at.",
        REKOGNITION_LINES,
    ),
    (
        "MT706",
        "error",
        "label",
        boxes_are_whole,
        _boxed().replace('"depth":3', '"deep":3'),
        _boxed(),
        "Write image_size and every box whole, as object detection has them.",
        REKOGNITION_LINES,
    ),
    (
        "MT707",
        "error",
        "label",
        every_box_has_a_confidence,
        _boxed().replace('"confidence":1', ""),
        _boxed(),
        'Add {"confidence": 1} to objects for every box, in their order.',
        REKOGNITION_LINES,
    ),
    (
        "MT708",
        "error",
        "label",
        class_map_has_every_box,
        _boxed().replace('{"0":', '{"1":'),
        _boxed(),
        "Add the class to class-map.",
        REKOGNITION_LINES,
    ),
    (
        "MT709",
        "error",
        "label",
        boxes_are_on_the_picture,
        _boxed(630, 1, 30, 40),
        _boxed(610, 1, 30, 40),
        "Cut the box at the edge of the picture.",
        REKOGNITION_LINES,
    ),
    (
        "MT710",
        "error",
        "label",
        boxes_are_large_enough,
        _boxed(1, 1, 2, 40, size=(2560, 480)),
        _boxed(1, 1, 3, 40, size=(2560, 480)),
        "Make it larger, or take it out.",
        REKOGNITION_LINES,
    ),
    (
        "MT711",
        "error",
        "label",
        boxes_are_not_too_many,
        _boxed(count=MOST_BOXES + 1),
        _boxed(count=MOST_BOXES),
        "Take the smallest ones out.",
        REKOGNITION_LINES,
    ),
    (
        "MT712",
        "error",
        "line",
        labels_are_not_too_many,
        text_of(_ROW),
        _GOOD,
        "Take out the labels that matter least.",
        REKOGNITION_RULES,
    ),
    (
        "MT713",
        "warning",
        "label",
        boxes_are_there,
        _boxed(count=0),
        _boxed(),
        "Add the boxes, or leave the line out.",
        REKOGNITION_LINES,
    ),
    (
        "MT714",
        "warning",
        "label",
        names_are_not_too_long,
        text_of(single(name=_LONG)),
        _GOOD,
        "mtool rewrite --rename-class OLD=NEW gives it a shorter name.",
        REKOGNITION_RULES,
    ),
    (
        "MT715",
        "error",
        "label",
        pictures_have_a_usual_size,
        _boxed(size=(5000, 480)),
        _boxed(),
        "Shrink or enlarge the picture, and its boxes; mtool validate --objects reads its true size.",
        REKOGNITION_LINES,
    ),
)

RULES: tuple[Rule, ...] = tuple(
    rule(code, severity, scope, check, breaks=breaks, keeps=keeps, fix=fix, source=source, purposes=_PURPOSE)
    for code, severity, scope, check, breaks, keeps, fix, source in _ROWS
)

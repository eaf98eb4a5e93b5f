"""What Rekognition Custom Labels refuses in a line, under its own error codes."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import counted, listed, path, shown
from manifest_tools.groundtruth.classes import index_of
from manifest_tools.groundtruth.label_kinds.boxes import is_number
from manifest_tools.verbs.validate.rule_input import LineLabel, RuleLine
from manifest_tools.verbs.validate.rules.examples import labelled, line, lines, several, single
from manifest_tools.verbs.validate.rules.job_examples import FAILED, TRAIN
from manifest_tools.verbs.validate.rules.line.class_names import LONGEST_NAME, name_problem
from manifest_tools.verbs.validate.rules.references import REKOGNITION_LINES, REKOGNITION_RULES
from manifest_tools.verbs.validate.rules.rule import rule

_TYPES = ("groundtruth/image-classification", "groundtruth/object-detection")
_COMMON = ("type", "human-annotated", "creation-date")
_OF_IMAGE = ("class-name", "confidence", *_COMMON)
_OF_BOXES = ("objects", "class-map", *_COMMON)
_NUMBERS = ("left", "top", "width", "height")
MOST_BOXES = 50
# Pixels of the longer side to which larger pictures are shrunk, and their boxes with them.
_SHRUNK = 1280
_SMALLEST, _LARGEST, _LONGEST_BY = 64, 4096, 20

# What the rows of this file have in common.
_rule = partial(rule, purposes=("rekognition",))


@_rule(
    "MT701",
    "error",
    "line",
    breaks=lambda: lines({"source": "Fast delivery"}),
    keeps=lambda: TRAIN,
    fix="Write a source-ref on each line; Rekognition reads no text.",
    source=REKOGNITION_LINES,
)
def a_line_names_a_picture(found: RuleLine) -> Iterator[Finding]:
    """A line has a picture: a source-ref, not a text."""
    if found.value.get("source-ref") is None:
        message = "expected source-ref, the s3:// URI of a picture, found none"
        yield Finding("$", f"ERROR_MISSING_SOURCE_REF: {message}")


@_rule(
    "MT702",
    "warning",
    "line",
    breaks=lambda: lines(line()),
    keeps=lambda: TRAIN,
    fix="Label the picture, or leave the line out: mtool filter --labelled.",
    source=REKOGNITION_LINES,
)
def a_line_has_a_label(found: RuleLine) -> Iterator[Finding]:
    """A line has a label: a line without one is not used in training."""
    if not found.labels:
        yield Finding("$", "WARNING_UNANNOTATED_RECORD: no label, so the line is not used in training")


@_rule(
    "MT703",
    "error",
    "label",
    breaks=lambda: lines(FAILED),
    keeps=lambda: TRAIN,
    fix="mtool filter --labelled leaves such lines out.",
    source=REKOGNITION_LINES,
)
def a_label_is_there(label: LineLabel) -> Iterator[Finding]:
    """A label attribute has both its label and its metadata."""
    if label.state != "labelled":
        why = "labeling failed" if label.state == "failed" else "only its metadata is there"
        yield Finding(path(label.name), f"ERROR_NO_LABEL_ATTRIBUTES: no label {shown(label.name)}, {why}")


@_rule(
    "MT704",
    "error",
    "label",
    breaks=lambda: lines(several([0], {"0": "RH"})),
    keeps=lambda: TRAIN,
    fix="Write a label attribute with metadata for each class of a picture; AWS publishes a converter.",
    source=REKOGNITION_LINES,
)
def a_type_is_accepted(label: LineLabel) -> Iterator[Finding]:
    """The type of a label is image-classification or object-detection."""
    if label.state == "labelled" and label.type.lower() not in _TYPES:
        advice = "; write a label attribute for each of its classes" if label.multi else ""
        wanted = "expected groundtruth/image-classification or groundtruth/object-detection as type"
        message = f"{wanted} of {shown(label.name)}, found {shown(label.type)}{advice}"
        where = path(label.metadata_key, "type")
        yield Finding(where, f"ERROR_NO_VALID_LABEL_ATTRIBUTES: {message}")


@_rule(
    "MT705",
    "error",
    "label",
    breaks=lambda: lines(single(confidence=None)),
    keeps=lambda: TRAIN,
    fix="Add the missing fields; the value of confidence does not matter.",
    source=REKOGNITION_LINES,
)
def metadata_is_whole(label: LineLabel) -> Iterator[Finding]:
    """The metadata has all required fields: some for a whole picture, others for boxes."""
    wanted = _OF_BOXES if _is_boxes(label) else _OF_IMAGE
    if label.state != "labelled" or label.type.lower() not in _TYPES:
        return
    missing = [name for name in wanted if label.metadata.get(name) is None]
    if missing:
        message = f"{shown(label.metadata_key)} has no {' and no '.join(missing)}"
        where = path(label.metadata_key)
        yield Finding(where, f"ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT: {message}")


@_rule(
    "MT706",
    "error",
    "label",
    breaks=lambda: _boxed().replace('"depth":3', '"deep":3'),
    keeps=lambda: _boxed(),
    fix="Write image_size and every box with all their numbers.",
    source=REKOGNITION_LINES,
)
def boxes_are_whole(label: LineLabel) -> Iterator[Finding]:
    """Boxes have one image_size, and each has class_id, left, top, width and height."""
    if not _is_boxes(label):
        return
    size = _size(label)
    wrong = "" if size is not None else "expected one image_size with width, height and depth"
    for at, box in enumerate(_annotations(label)):
        if not isinstance(box, Mapping) or not all(is_number(box.get(name)) for name in _NUMBERS):
            wrong = wrong or f"expected left, top, width and height as numbers in annotations[{at}]"
        elif index_of(box.get("class_id")) is None:
            wrong = wrong or f"expected class_id as a class index from 0 in annotations[{at}]"
    if not isinstance(label.value, Mapping) or not isinstance(label.value.get("annotations"), list):
        wrong = wrong or "expected annotations as an array"
    if wrong:
        yield Finding(path(label.name), f"ERROR_INVALID_LABEL_ATTRIBUTE_FORMAT: {wrong}")


@_rule(
    "MT707",
    "error",
    "label",
    breaks=lambda: _boxed().replace('"confidence":1', ""),
    keeps=lambda: _boxed(),
    fix='Add {"confidence": 1} to objects for each box, in the order of the boxes.',
    source=REKOGNITION_LINES,
)
def every_box_has_a_confidence(label: LineLabel) -> Iterator[Finding]:
    """The metadata has a confidence for every box."""
    if not _is_boxes(label):
        return
    objects = label.metadata.get("objects")
    entries = objects if isinstance(objects, list) else []
    found = sum(isinstance(one, Mapping) and one.get("confidence") is not None for one in entries)
    wanted = len(_annotations(label))
    if found < wanted:
        message = f"expected {counted(wanted, 'confidence')} in objects, one for each box, found {found:,}"
        where = path(label.metadata_key, "objects")
        yield Finding(where, f"ERROR_MISSING_BOUNDING_BOX_CONFIDENCE: {message}")


@_rule(
    "MT708",
    "error",
    "label",
    breaks=lambda: _boxed().replace('{"0":', '{"1":'),
    keeps=lambda: _boxed(),
    fix="Add the class to the class-map.",
    source=REKOGNITION_LINES,
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
        message = f"class-map has no name for class {listed(missing)}"
        yield Finding(path(label.metadata_key, "class-map"), f"ERROR_MISSING_CLASS_MAP_ID: {message}")


@_rule(
    "MT709",
    "error",
    "label",
    breaks=lambda: _boxed(630, 1, 30, 40),
    keeps=lambda: _boxed(610, 1, 30, 40),
    fix="Cut the box at the edge of the picture.",
    source=REKOGNITION_LINES,
)
def boxes_are_on_the_picture(label: LineLabel) -> Iterator[Finding]:
    """A box is on the picture: it does not reach beyond an edge."""
    size = _size(label)
    for at, (left, top, width, height) in _boxes(label):
        off = min(left, top, width, height) < 0
        if off or (size is not None and (left + width > size[0] or top + height > size[1])):
            where = path(label.name, "annotations", at)
            message = f"the box annotations[{at}] reaches beyond the picture"
            yield Finding(where, f"ERROR_INVALID_BOUNDING_BOX: {message}")


@_rule(
    "MT710",
    "error",
    "label",
    breaks=lambda: _boxed(1, 1, 2, 40, size=(2560, 480)),
    keeps=lambda: _boxed(1, 1, 3, 40, size=(2560, 480)),
    fix="Enlarge the box, or remove it.",
    source=REKOGNITION_LINES,
)
def boxes_are_large_enough(label: LineLabel) -> Iterator[Finding]:
    """A box has sides of more than 1 pixel when the longer side of the picture is shrunk to 1,280."""
    size = _size(label)
    shrunk = 1.0 if size is None else min(1.0, _SHRUNK / max(*size, 1))
    for at, (_, _, width, height) in _boxes(label):
        if width * shrunk <= 1 or height * shrunk <= 1:
            shrink = f" when the picture is shrunk to {_SHRUNK:,}" if shrunk < 1 else ""
            message = (
                f"annotations[{at}], {width:g} x {height:g} pixels, has a side of at most 1 pixel{shrink}"
            )
            yield Finding(path(label.name, "annotations", at), f"ERROR_BOUNDING_BOX_TOO_SMALL: {message}")


@_rule(
    "MT711",
    "error",
    "label",
    breaks=lambda: _boxed(count=MOST_BOXES + 1),
    keeps=lambda: _boxed(count=MOST_BOXES),
    fix="Remove the smallest boxes.",
    source=REKOGNITION_LINES,
)
def boxes_are_not_too_many(label: LineLabel) -> Iterator[Finding]:
    """A picture has at most 50 boxes."""
    count = len(_annotations(label)) if _is_boxes(label) else 0
    if count > MOST_BOXES:
        message = f"expected at most {MOST_BOXES} boxes, found {count:,}"
        yield Finding(path(label.name, "annotations"), f"ERROR_TOO_MANY_BOUNDING_BOXES: {message}")


@_rule(
    "MT712",
    "error",
    "line",
    breaks=lambda: _line_of_labels(MOST_BOXES + 1),
    keeps=lambda: TRAIN,
    fix="Remove the labels that matter least.",
    source=REKOGNITION_RULES,
)
def labels_are_not_too_many(found: RuleLine) -> Iterator[Finding]:
    """A picture has at most 50 labels."""
    if len(found.labels) > MOST_BOXES:
        yield Finding("$", f"expected at most {MOST_BOXES} labels on a line, found {len(found.labels):,}")


@_rule(
    "MT713",
    "warning",
    "label",
    breaks=lambda: _boxed(count=0),
    keeps=lambda: _boxed(),
    fix="Add the boxes, or leave the line out.",
    source=REKOGNITION_LINES,
)
def boxes_are_there(label: LineLabel) -> Iterator[Finding]:
    """A picture with annotations has a box: without one it is not used in training."""
    if _is_boxes(label) and not _annotations(label):
        message = "WARNING_NO_ANNOTATIONS: no box, so the line is not used in training"
        yield Finding(path(label.name, "annotations"), message)


@_rule(
    "MT714",
    "warning",
    "label",
    breaks=lambda: lines(single(name="x" * (LONGEST_NAME + 1))),
    keeps=lambda: TRAIN,
    fix="mtool rewrite --rename-class OLD=NEW renames the class.",
    source=REKOGNITION_RULES,
)
def names_are_not_too_long(label: LineLabel) -> Iterator[Finding]:
    """The name of a class has at most 256 characters, no control character, and is not blank."""
    for name in _names(label):
        if problem := name_problem(name):
            yield Finding(path(label.metadata_key), f"{problem}: {shown(name)}")


def _names(label: LineLabel) -> list[str]:
    named = label.class_map
    names = list(named.values()) if isinstance(named, Mapping) else [label.metadata.get("class-name")]
    return [name for name in names if isinstance(name, str)]


@_rule(
    "MT715",
    "error",
    "label",
    breaks=lambda: _boxed(size=(5000, 480)),
    keeps=lambda: _boxed(),
    fix="Resize the picture and its boxes; mtool validate --objects reads the true size.",
    source=REKOGNITION_LINES,
)
def pictures_have_a_usual_size(label: LineLabel) -> Iterator[Finding]:
    """The sides of a picture are 64 to 4,096 pixels, and none is 20 times the other."""
    size = _size(label)
    if size is None:
        return
    wide, high = size
    fits = min(size) >= _SMALLEST and max(size) <= _LARGEST and max(size) < _LONGEST_BY * min(size)
    if not fits:
        wanted = "expected sides of 64 to 4,096 pixels, and none 20 times the other"
        message = f"ERROR_INVALID_IMAGE: image_size: {wanted}, found {wide:g} x {high:g}"
        yield Finding(path(label.name, "image_size"), message)


def _is_boxes(label: LineLabel) -> bool:
    return label.state == "labelled" and label.type.lower() == "groundtruth/object-detection"


def _annotations(label: LineLabel) -> Sequence[Any]:
    found = label.value.get("annotations") if isinstance(label.value, Mapping) else None
    return found if isinstance(found, list) else []


def _boxes(label: LineLabel) -> Iterator[tuple[int, list[float]]]:
    """Yield the position of every complete box, with left, top, width and height."""
    for at, box in enumerate(_annotations(label) if _is_boxes(label) else ()):
        if isinstance(box, Mapping) and all(is_number(box.get(name)) for name in _NUMBERS):
            yield at, [box[name] for name in _NUMBERS]


def _size(label: LineLabel) -> tuple[float, float] | None:
    sizes = label.value.get("image_size") if isinstance(label.value, Mapping) and _is_boxes(label) else None
    if not isinstance(sizes, list) or len(sizes) != 1 or not isinstance(sizes[0], Mapping):
        return None
    sides = [side for name in ("width", "height", "depth") if is_number(side := sizes[0].get(name))]
    return (float(sides[0]), float(sides[1])) if len(sides) == 3 else None


def _boxed(*sides: float, size: tuple[int, int] = (640, 480), count: int = 1) -> str:
    left, top, width, height = sides or (1, 1, 30, 40)
    box = {"class_id": 0, "left": left, "top": top, "width": width, "height": height}
    label = {"image_size": [{"width": size[0], "height": size[1], "depth": 3}], "annotations": [box] * count}
    metadata: dict[str, Any] = {"objects": [{"confidence": 1}] * count, "class-map": {"0": "dog"}}
    return lines(labelled("boxes", label, "object-detection", **metadata))


def _line_of_labels(count: int) -> str:
    row = line()
    for number in range(count):
        row |= labelled(f"hand{number}", 0, "image-classification", class_name="RH", confidence=1)
    return lines(row)


RULES = (
    a_line_names_a_picture,
    a_line_has_a_label,
    a_label_is_there,
    a_type_is_accepted,
    metadata_is_whole,
    boxes_are_whole,
    every_box_has_a_confidence,
    class_map_has_every_box,
    boxes_are_on_the_picture,
    boxes_are_large_enough,
    boxes_are_not_too_many,
    labels_are_not_too_many,
    boxes_are_there,
    names_are_not_too_long,
    pictures_have_a_usual_size,
)

"""Bounding boxes: that each has a class, a size and a place on the picture, and a confidence."""

from typing import Any

from manifest_tools.groundtruth.tasks import boxes
from manifest_tools.verbs.validate.rules.examples import labelled, lines
from manifest_tools.verbs.validate.rules.references import OUTPUT, REKOGNITION_LINES
from manifest_tools.verbs.validate.rules.rule import rule

_ROOM = ("boxes",)
_SIZE = {"width": 640, "height": 480, "depth": 3}
_BOX = {"class_id": 0, "left": 10, "top": 20, "width": 100, "height": 50}


def _line(*changes: dict[str, Any], size: Any = (_SIZE,), **metadata: Any) -> str:
    """Return a line with a box for each of ``changes``, which are of a usual box; None takes out."""
    changed = [{key: value for key, value in (_BOX | one).items() if value is not None} for one in changes]
    label = {"image_size": list(size), "annotations": changed}
    usual = {"objects": [{"confidence": 0.9} for _ in changes], "class_map": {"0": "bolt"}}
    return lines(labelled("boxes", label, "object-detection", **usual | metadata))


_GOOD = _line({})

RULES = (
    rule(
        "MT240",
        "error",
        "label",
        boxes.boxes_have_a_class,
        breaks=_line({"class_id": None}, {"class_id": "bolt"}),
        keeps=_line({}, {"class_id": "0"}),
        fix="Write class_id, with an underscore: the index of the class in the job's list of categories.",
        source=OUTPUT,
        rooms=_ROOM,
    ),
    rule(
        "MT241",
        "error",
        "label",
        boxes.the_map_names_the_boxes,
        breaks=_line({"class_id": 1}),
        keeps=_GOOD,
        fix="Add the class to the class-map.",
        source=REKOGNITION_LINES,
        rooms=_ROOM,
    ),
    rule(
        "MT242",
        "error",
        "label",
        boxes.boxes_have_a_size,
        breaks=_line({"width": 0}),
        keeps=_GOOD,
        fix="Take the box out, and its entry of objects; width and height are sizes, not right and bottom.",
        source=REKOGNITION_LINES,
        rooms=_ROOM,
    ),
    rule(
        "MT243",
        "warning",
        "label",
        boxes.boxes_are_larger_than_a_pixel,
        breaks=_line({"width": 1, "height": 1}),
        keeps=_line({"width": 2, "height": 2}),
        fix="Take the box out; if all are so small, they are shares of the picture: multiply by its size.",
        source=REKOGNITION_LINES,
        rooms=_ROOM,
    ),
    rule(
        "MT244",
        "error",
        "label",
        boxes.boxes_have_four_numbers,
        breaks=_line({"left": None}, {"top": "20"}),
        keeps=_line({"left": 10.5}),
        fix="Write left, top, width and height as numbers of pixels.",
        source=OUTPUT,
        rooms=_ROOM,
    ),
    rule(
        "MT245",
        "error",
        "label",
        boxes.boxes_lie_on_the_picture,
        breaks=_line({"left": 600}),
        keeps=_line({"left": 540}, {"left": -0.4}),
        fix="Cut the box at the edge; if many lie off, image_size is of another picture or turned.",
        source=REKOGNITION_LINES,
        rooms=_ROOM,
    ),
    rule(
        "MT246",
        "error",
        "label",
        boxes.the_picture_has_a_size,
        breaks=_line({}, size=()),
        keeps=_GOOD,
        fix='Write the size of the picture: [{"width": 640, "height": 480, "depth": 3}].',
        source=OUTPUT,
        rooms=_ROOM,
    ),
    rule(
        "MT247",
        "error",
        "label",
        boxes.an_object_for_each_box,
        breaks=_line({}, {}, objects=[{"confidence": 0.9}]),
        keeps=_line({}, {}),
        fix="Give every box one entry, in the order of annotations.",
        source=OUTPUT,
        rooms=_ROOM,
    ),
    rule(
        "MT248",
        "warning",
        "label",
        boxes.boxes_have_a_confidence,
        breaks=_line({}, objects=[{}]),
        keeps=_GOOD,
        fix='Write {"confidence": 1} for a box that nobody doubts; Rekognition takes none without.',
        source=REKOGNITION_LINES,
        rooms=_ROOM,
    ),
    rule(
        "MT249",
        "error",
        "label",
        boxes.has_annotations,
        breaks=lines(labelled("boxes", {"annotations": _BOX}, "object-detection")),
        keeps=_line(),
        fix="Write annotations as an array, an empty one for a picture without a box.",
        source=OUTPUT,
        rooms=_ROOM,
    ),
)

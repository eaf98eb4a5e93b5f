"""Cuboids in a point cloud: that each has a class, a place and a size."""

from typing import Any

from manifest_tools.groundtruth.tasks import boxes, cuboids
from manifest_tools.verbs.validate.rules.examples import labelled, lines
from manifest_tools.verbs.validate.rules.references import OUTPUT
from manifest_tools.verbs.validate.rules.rule import rule

_ROOM = ("cuboids",)
_CAR = {
    "class-id": 0,
    "center-x": 0.1,
    "center-y": 2.0,
    "center-z": 0.3,
    "length": 4,
    "width": 2,
    "height": 2,
}


def _line(*changes: dict[str, Any], **metadata: Any) -> str:
    """Return a line with a cuboid for each of ``changes``, which are of a usual car; None takes out."""
    changed = [{key: value for key, value in (_CAR | one).items() if value is not None} for one in changes]
    usual = {"objects": [], "class_map": {"0": "Car"}}
    kind, ref = "point_cloud_object_detection", "s3://lab3-rawdata/1.txt"
    return lines(labelled("cars", {"annotations": changed}, kind, ref, **usual | metadata))


RULES = (
    rule(
        "MT270",
        "error",
        "label",
        boxes.has_annotations,
        breaks=lines(labelled("cars", {"annotations": _CAR}, "point_cloud_object_detection")),
        keeps=_line(),
        fix="Write annotations as an array, an empty one for a frame without a cuboid.",
        source=OUTPUT,
        rooms=_ROOM,
    ),
    rule(
        "MT271",
        "error",
        "label",
        cuboids.cuboids_have_a_class,
        breaks=_line({"class-id": None}),
        keeps=_line({}),
        fix="Write class-id, with a hyphen: the index of the class in the job's list of categories.",
        source=OUTPUT,
        rooms=_ROOM,
    ),
    rule(
        "MT272",
        "error",
        "label",
        cuboids.the_map_names_the_cuboids,
        breaks=_line({"class-id": 1}),
        keeps=_line({}),
        fix="Add the class to the class-map.",
        source=OUTPUT,
        rooms=_ROOM,
    ),
    rule(
        "MT273",
        "error",
        "label",
        cuboids.cuboids_have_a_place_and_a_size,
        breaks=_line({"length": 0}, {"center-x": None}),
        keeps=_line({}),
        fix="Write center-x, center-y and center-z, and length, width and height above 0.",
        source=OUTPUT,
        rooms=_ROOM,
    ),
    rule(
        "MT274",
        "error",
        "label",
        cuboids.an_object_for_each_cuboid,
        breaks=_line({}, {}, objects=[{"confidence": 0.9}]),
        keeps=_line({}, objects=[]),
        fix="Give every cuboid one entry, in the order of annotations, or none at all.",
        source=OUTPUT,
        rooms=_ROOM,
    ),
)

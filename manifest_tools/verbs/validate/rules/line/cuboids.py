"""Cuboids in a point cloud: that each has a class, a place and a size."""

from collections.abc import Iterator
from typing import Any

from manifest_tools.base.problem import Finding
from manifest_tools.groundtruth.label_kinds.boxes import is_number
from manifest_tools.verbs.validate.rule_input import LineLabel
from manifest_tools.verbs.validate.rules.examples import labelled, lines
from manifest_tools.verbs.validate.rules.line.boxes import (
    about,
    has_annotations,
    said,
    unmatched,
    unnamed_classes,
    without_class,
)
from manifest_tools.verbs.validate.rules.references import OUTPUT
from manifest_tools.verbs.validate.rules.rule import rule

_KINDS = ("cuboids",)
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


_CENTRE = ("center-x", "center-y", "center-z")


_SIZES = ("length", "width", "height")


_TURNS = ("roll", "pitch", "yaw")


def cuboids_have_a_class(label: LineLabel) -> Iterator[Finding]:
    """A cuboid has a class-id, a whole number from 0."""
    yield from without_class(label, "class-id", "class_id")


def the_map_names_the_cuboids(label: LineLabel) -> Iterator[Finding]:
    """A class-map, or class_map, names the class of every cuboid."""
    yield from unnamed_classes(label, "class-id")


def cuboids_have_a_place_and_a_size(label: LineLabel) -> Iterator[Finding]:
    """A cuboid has a centre, and a length, width and height above 0."""
    for at, cuboid in label.annotations():
        for key in (*_CENTRE, *_SIZES, *_TURNS):
            number = cuboid.get(key)
            right = is_number(number) and (key not in _SIZES or number > 0)
            if not right and not (key in _TURNS and number is None):
                wanted = "a number above 0" if key in _SIZES else "a number"
                yield about(label, at, f"expected {wanted} as {key}, found {said(cuboid, key)}", key)


def an_object_for_each_cuboid(label: LineLabel) -> Iterator[Finding]:
    """The objects of the metadata are as many as the cuboids, where there are any."""
    if label.metadata.get("objects") != []:  # documentation has an empty list beside cuboids
        found = label.value.get("annotations") if isinstance(label.value, dict) else None
        yield from unmatched(label, "objects", len(found) if isinstance(found, list) else None, "cuboid")


RULES = (
    rule(
        "MT270",
        "error",
        "label",
        has_annotations,
        breaks=lines(labelled("cars", {"annotations": _CAR}, "point_cloud_object_detection")),
        keeps=_line(),
        fix="Write annotations as an array, an empty one for a frame without a cuboid.",
        source=OUTPUT,
        kinds=_KINDS,
    ),
    rule(
        "MT271",
        "error",
        "label",
        cuboids_have_a_class,
        breaks=_line({"class-id": None}),
        keeps=_line({}),
        fix="Write class-id, with a hyphen: the index of the class in the job's list of categories.",
        source=OUTPUT,
        kinds=_KINDS,
    ),
    rule(
        "MT272",
        "error",
        "label",
        the_map_names_the_cuboids,
        breaks=_line({"class-id": 1}),
        keeps=_line({}),
        fix="Add the class to the class-map.",
        source=OUTPUT,
        kinds=_KINDS,
    ),
    rule(
        "MT273",
        "error",
        "label",
        cuboids_have_a_place_and_a_size,
        breaks=_line({"length": 0}, {"center-x": None}),
        keeps=_line({}),
        fix="Write center-x, center-y and center-z, and length, width and height above 0.",
        source=OUTPUT,
        kinds=_KINDS,
    ),
    rule(
        "MT274",
        "error",
        "label",
        an_object_for_each_cuboid,
        breaks=_line({}, {}, objects=[{"confidence": 0.9}]),
        keeps=_line({}, objects=[]),
        fix="Give every cuboid one entry, in the order of annotations, or none at all.",
        source=OUTPUT,
        kinds=_KINDS,
    ),
)

"""Cuboids in a point cloud: each has a class, a place and a size."""

from collections.abc import Iterator
from typing import Any

from manifest_tools.base.problem import Finding
from manifest_tools.groundtruth.label_kinds.boxes import is_number
from manifest_tools.verbs.validate.rule_input import LineLabel
from manifest_tools.verbs.validate.rules.examples import labelled, lines
from manifest_tools.verbs.validate.rules.line.boxes import (
    about,
    unmatched,
    unnamed_classes,
    without_annotations,
    without_class,
)
from manifest_tools.verbs.validate.rules.references import OUTPUT
from manifest_tools.verbs.validate.rules.rule import rule
from manifest_tools.verbs.validate.rules.wording import value_at

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
_CENTRE = ("center-x", "center-y", "center-z")
_SIZES = ("length", "width", "height")
_ANGLES = ("roll", "pitch", "yaw")


@rule(
    "MT270",
    "error",
    "label",
    breaks=lambda: lines(labelled("cars", {"annotations": _CAR}, "point_cloud_object_detection")),
    keeps=lambda: _line(),
    fix="Write annotations as an array; it is empty for a frame without cuboids.",
    source=OUTPUT,
    kinds=_KINDS,
)
def cuboids_are_in_annotations(label: LineLabel) -> Iterator[Finding]:
    """A label of cuboids has an array of annotations, each an object."""
    yield from without_annotations(label)


@rule(
    "MT271",
    "error",
    "label",
    breaks=lambda: _line({"class-id": None}),
    keeps=lambda: _line({}),
    fix="Write class-id, with a hyphen: the index of the class in the job's list of categories.",
    source=OUTPUT,
    kinds=_KINDS,
)
def cuboids_have_a_class(label: LineLabel) -> Iterator[Finding]:
    """A cuboid has a class-id, a whole number from 0."""
    yield from without_class(label, "class-id", "class_id")


@rule(
    "MT272",
    "error",
    "label",
    breaks=lambda: _line({"class-id": 1}),
    keeps=lambda: _line({}),
    fix="Add the class to the class-map.",
    source=OUTPUT,
    kinds=_KINDS,
)
def the_map_names_the_cuboids(label: LineLabel) -> Iterator[Finding]:
    """A class-map, or class_map, names the class of every cuboid."""
    yield from unnamed_classes(label, "class-id")


@rule(
    "MT273",
    "error",
    "label",
    breaks=lambda: _line({"length": 0}, {"center-x": None}),
    keeps=lambda: _line({}),
    fix="Write center-x, center-y and center-z, and length, width and height above 0.",
    source=OUTPUT,
    kinds=_KINDS,
)
def cuboids_have_a_place_and_a_size(label: LineLabel) -> Iterator[Finding]:
    """A cuboid has a centre, and a length, width and height above 0."""
    for at, cuboid in label.annotations():
        for key in (*_CENTRE, *_SIZES, *_ANGLES):
            number = cuboid.get(key)
            right = is_number(number) and (key not in _SIZES or number > 0)
            if not right and not (key in _ANGLES and number is None):
                wanted = "a number above 0" if key in _SIZES else "a number"
                yield about(label, at, f"expected {key} as {wanted}, found {value_at(cuboid, key)}", key)


@rule(
    "MT274",
    "error",
    "label",
    breaks=lambda: _line({}, {}, objects=[{"confidence": 0.9}]),
    keeps=lambda: _line({}, objects=[]),
    fix="Write one entry for each cuboid, in the order of annotations, or leave objects empty.",
    source=OUTPUT,
    kinds=_KINDS,
)
def an_object_for_each_cuboid(label: LineLabel) -> Iterator[Finding]:
    """The metadata has one entry in objects for each cuboid, or none at all."""
    if label.metadata.get("objects") != []:  # the documentation has an empty list there
        found = label.value.get("annotations") if isinstance(label.value, dict) else None
        yield from unmatched(label, "objects", len(found) if isinstance(found, list) else None, "cuboid")


def _line(*changes: dict[str, Any], **metadata: Any) -> str:
    """Return a line with a cuboid for each of ``changes``, which change a usual car; None removes a field."""
    changed = [{key: value for key, value in (_CAR | one).items() if value is not None} for one in changes]
    usual = {"objects": [], "class_map": {"0": "Car"}}
    kind, ref = "point_cloud_object_detection", "s3://lab3-rawdata/1.txt"
    return lines(labelled("cars", {"annotations": changed}, kind, ref, **usual | metadata))


RULES = (
    cuboids_are_in_annotations,
    cuboids_have_a_class,
    the_map_names_the_cuboids,
    cuboids_have_a_place_and_a_size,
    an_object_for_each_cuboid,
)

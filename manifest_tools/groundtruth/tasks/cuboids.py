"""3D point cloud object detection: cuboids on the line itself, ``class-id`` each, ``class_map`` for names."""

from collections.abc import Iterator

from manifest_tools.groundtruth.record import Row
from manifest_tools.groundtruth.tasks.boxes import (
    about,
    annotations,
    is_number,
    matched,
    said,
    unmatched,
    unnamed_classes,
    without_class,
)
from manifest_tools.groundtruth.tasks.multi_label import table
from manifest_tools.groundtruth.tasks.single_label import class_index
from manifest_tools.verbs.validate.line import Found, Label

LABEL = "cuboids"
FIELDS = ("class-map", "class_map")
DOUBTS = ("objects",)
UNIT = "cuboid"

_CENTRE = ("center-x", "center-y", "center-z")
_SIZES = ("length", "width", "height")
_TURNS = ("roll", "pitch", "yaw")


def indices(row: Row) -> tuple[int, ...]:
    """Return the class index of every cuboid."""
    return tuple([class_index(cuboid.class_id) for cuboid in row.label.annotations])


def names(row: Row) -> tuple[tuple[int, str], ...]:
    """Return the classes of the map, which documentation spells with an underscore here."""
    return () if row.metadata is None else table(row.metadata.class_map or row.metadata.class_map_)


def confidences(row: Row) -> tuple[float | None, ...]:
    """Return the confidence of every cuboid, None where the metadata has none for it."""
    return matched(row.metadata.objects if row.metadata else None, len(row.label.annotations))


def cuboids_have_a_class(label: Label) -> Iterator[Found]:
    """A cuboid has a class-id, a whole number from 0."""
    yield from without_class(label, "class-id", "class_id")


def the_map_names_the_cuboids(label: Label) -> Iterator[Found]:
    """A class-map, or class_map, names the class of every cuboid."""
    yield from unnamed_classes(label, "class-id")


def cuboids_have_a_place_and_a_size(label: Label) -> Iterator[Found]:
    """A cuboid has a centre, and a length, width and height above 0."""
    for at, cuboid in annotations(label):
        for key in (*_CENTRE, *_SIZES, *_TURNS):
            number = cuboid.get(key)
            right = is_number(number) and (key not in _SIZES or number > 0)
            if not right and not (key in _TURNS and number is None):
                wanted = "a number above 0" if key in _SIZES else "a number"
                yield about(label, at, f"expected {wanted} as {key}, found {said(cuboid, key)}", key)


def an_object_for_each_cuboid(label: Label) -> Iterator[Found]:
    """The objects of the metadata are as many as the cuboids, where there are any."""
    if label.metadata.get("objects") != []:  # documentation has an empty list beside cuboids
        found = label.value.get("annotations") if isinstance(label.value, dict) else None
        yield from unmatched(label, "objects", len(found) if isinstance(found, list) else None, UNIT)

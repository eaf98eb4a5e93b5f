"""Semantic segmentation: the label is the URI of a mask, a PNG whose colours ``internal-color-map`` names.

The map lists the classes of the picture, and BACKGROUND as class 0; a picture of nothing but background has
no class. The confidence is the picture's, so it is the same for every class.
"""

import re
from collections.abc import Iterator
from typing import Any

from manifest_tools.groundtruth.label_schemas import Colour
from manifest_tools.groundtruth.record import Row
from manifest_tools.groundtruth.tasks.boxes import is_number
from manifest_tools.groundtruth.tasks.single_label import class_index, is_index
from manifest_tools.verbs.validate.line import Found, Label, path
from manifest_tools.verbs.validate.line import shown as quoted

LABEL = "any"
FIELDS = ("internal-color-map",)
DOUBTS = ("internal-color-map",)
UNIT = "class"

_BACKGROUND = "background"
_COLOUR = re.compile("#[0-9a-fA-F]{6}")
# What the colour map is called, by the room of the label.
_MAPS = {"segmentation": "internal-color-map", "point_cloud_segmentation": "color-map"}


def indices(row: Row) -> tuple[int, ...]:
    """Return the classes of the mask, without the background."""
    return tuple(shown(_colours(row)))


def names(row: Row) -> tuple[tuple[int, str], ...]:
    """Return the classes of the map with their names, the background too."""
    return named(_colours(row))


def confidences(row: Row) -> tuple[float | None, ...]:
    """Return the confidence that the map gives each class."""
    return tuple(shown(_colours(row)).values())


def _colours(row: Row) -> dict[str, Colour]:
    return (row.metadata and row.metadata.internal_color_map) or {}


def shown(colours: dict[str, Colour]) -> dict[int, float | None]:
    """Return the classes of a colour map but for the background, with their confidences."""
    return {
        class_index(key): colour.confidence
        for key, colour in colours.items()
        if (colour.class_name or "").lower() != _BACKGROUND
    }


def named(colours: dict[str, Colour]) -> tuple[tuple[int, str], ...]:
    """Return the classes of a colour map with their names."""
    called = ((class_index(key), colour.class_name) for key, colour in colours.items())
    return tuple((index, name) for index, name in called if name is not None)


def has_a_colour_map(label: Label) -> Iterator[Found]:
    """The metadata of a mask or a segmented point cloud has a colour map, which names its classes."""
    key = _MAPS.get(label.room, "")
    if label.state == "labelled" and label.metadata.get(key) is None:
        yield Found(path(label.metadata_key), f"no {key}, so nothing says which classes there are")


def colour_maps_name_classes(label: Label) -> Iterator[Found]:
    """A colour map has an object with a class-name for each class index."""
    key = _MAPS.get(label.room, "")
    table = label.metadata.get(key)
    if table is not None and not isinstance(table, dict):
        yield Found(path(label.metadata_key, key), f"expected {key} as an object, found {quoted(table)}")
    for index, entry in table.items() if isinstance(table, dict) else ():
        where = (label.metadata_key, key, index)
        name = entry.get("class-name") if isinstance(entry, dict) else None
        if not is_index(index):
            yield _about(where, "expected a class index from 0 as the key")
        if not isinstance(entry, dict):
            yield _about(where, f"expected an object with class-name and hex-color, found {quoted(entry)}")
        elif not isinstance(name, str) or not name.strip():
            yield _about(where, f"expected a class-name, found {quoted(name)}")


def classes_have_a_colour(label: Label) -> Iterator[Found]:
    """A class of a colour map has a hex-color; a job that checks the label takes none without."""
    for where, entry in _entries(label):
        if entry.get("hex-color") is None:
            yield _about(where, "no hex-color")


def colours_can_be_read(label: Label) -> Iterator[Found]:
    """A hex-color is a number sign and six hexadecimal digits."""
    for where, entry in _entries(label):
        colour = entry.get("hex-color")
        if colour is not None and not (isinstance(colour, str) and _COLOUR.fullmatch(colour)):
            yield _about(where, f"expected a hex-color such as #2ca02c, found {quoted(colour)}", "hex-color")


def classes_differ_in_colour(label: Label) -> Iterator[Found]:
    """Each class of a colour map has a colour of its own."""
    first: dict[str, str] = {}
    for where, entry in _entries(label):
        colour = entry.get("hex-color")
        if isinstance(colour, str) and first.setdefault(colour.lower(), where[-1]) != where[-1]:
            there = quoted(first[colour.lower()])
            yield _about(where, f"{quoted(colour)} is the colour of class {there} too", "hex-color")


def masks_are_png(label: Label) -> Iterator[Found]:
    """The mask of a picture is a PNG file."""
    yield from other_object(label, ".png")


def colour_confidences_are_shares(label: Label) -> Iterator[Found]:
    """A confidence in a colour map is a number from 0 to 1."""
    for where, entry in _entries(label):
        share = entry.get("confidence")
        if share is not None and not (is_number(share) and 0 <= share <= 1):
            yield _about(where, f"expected a confidence from 0 to 1, found {quoted(share)}", "confidence")


def other_object(label: Label, ending: str) -> Iterator[Found]:
    """Yield the URI of an object of another kind; what is no URI is for another rule."""
    uri = label.value
    if label.state != "labelled" or not isinstance(uri, str) or not uri.startswith("s3://"):
        return
    if not uri.lower().endswith(ending.lower()):
        name = quoted(uri.rpartition("/")[2])
        yield Found(path(label.name), f"expected a key that ends in {ending}, found {name}")


def _entries(label: Label) -> Iterator[tuple[tuple[str, str, str], dict[str, Any]]]:
    """Yield the classes of a colour map, with the keys that lead to each."""
    key = _MAPS.get(label.room, "")
    table = label.metadata.get(key)
    for index, entry in table.items() if isinstance(table, dict) else ():
        if isinstance(entry, dict):
            yield (label.metadata_key, key, index), entry


def _about(where: tuple[str, str, str], message: str, *key: str) -> Found:
    """Return a finding about one class of a colour map; the message says which."""
    return Found(path(*where, *key), f"class {quoted(where[-1])}: {message}")

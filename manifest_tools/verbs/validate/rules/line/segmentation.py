"""Masks and segmented point clouds: the object that is the label, and its map of colours."""

import re
from collections.abc import Iterator
from typing import Any

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import shown
from manifest_tools.groundtruth.classes import is_index
from manifest_tools.groundtruth.label_kinds.boxes import is_number
from manifest_tools.verbs.validate.rule_input import LineLabel
from manifest_tools.verbs.validate.rules.examples import labelled, lines
from manifest_tools.verbs.validate.rules.references import OUTPUT, VERIFY
from manifest_tools.verbs.validate.rules.rule import rule
from manifest_tools.verbs.validate.rules.wording import in_label, in_metadata, missing_in_metadata

_MASKS, _CLOUDS = ("segmentation",), ("point_cloud_segmentation",)
_BOTH = _MASKS + _CLOUDS
_GROUND = {"class-name": "BACKGROUND", "hex-color": "#ffffff", "confidence": 0}
_ROAD = {"class-name": "road", "hex-color": "#2ca02c", "confidence": 0}
_COLOUR = re.compile("#[0-9a-fA-F]{6}")


@rule(
    "MT250",
    "warning",
    "label",
    breaks=lambda: _line("0.png", None),
    keeps=lambda: _mask(),
    fix="Add internal-color-map: the class-name and hex-color of every class index.",
    source=OUTPUT,
    kinds=_MASKS,
)
def masks_have_a_colour_map(label: LineLabel) -> Iterator[Finding]:
    """The metadata of a mask has a colour map, which names its classes."""
    yield from _without_colour_map(label)


@rule(
    "MT251",
    "error",
    "label",
    breaks=lambda: _mask(class_name=None),
    keeps=lambda: _mask(),
    fix='Write {"1": {"class-name": "road", "hex-color": "#2ca02c"}}.',
    source=OUTPUT,
    kinds=_BOTH,
)
def colour_maps_name_classes(label: LineLabel) -> Iterator[Finding]:
    """A colour map has an object with a class-name for each class index."""
    key = label.kind.class_fields[0]
    table = label.metadata.get(key)
    if table is not None and not isinstance(table, dict):
        yield in_metadata(label, key, f"expected an object, found {shown(table)}", key)
    for index, entry in table.items() if isinstance(table, dict) else ():
        name = entry.get("class-name") if isinstance(entry, dict) else None
        if not is_index(index):
            yield _about(label, index, "expected a class index from 0 as the key")
        if not isinstance(entry, dict):
            message = f"expected an object with class-name and hex-color, found {shown(entry)}"
            yield _about(label, index, message)
        elif not isinstance(name, str) or not name.strip():
            yield _about(label, index, f"expected a class-name, found {shown(name)}")


@rule(
    "MT252",
    "warning",
    "label",
    breaks=lambda: _mask(hex_color=None),
    keeps=lambda: _mask(),
    fix="Add the colour that the class has in the mask; old labeling jobs did not write it.",
    source=VERIFY,
    kinds=_BOTH,
)
def classes_have_a_colour(label: LineLabel) -> Iterator[Finding]:
    """Every class of a colour map has a hex-color: a job that adjusts the label needs it."""
    for index, entry in _entries(label):
        if entry.get("hex-color") is None:
            yield _about(label, index, "no hex-color")


@rule(
    "MT253",
    "error",
    "label",
    breaks=lambda: _mask(hex_color="green"),
    keeps=lambda: _mask(hex_color="#2CA02C"),
    fix="Write the colour that the class has in the mask as #rrggbb.",
    source=OUTPUT,
    kinds=_BOTH,
)
def colours_can_be_read(label: LineLabel) -> Iterator[Finding]:
    """A hex-color is # and six hexadecimal digits."""
    for index, entry in _entries(label):
        colour = entry.get("hex-color")
        if colour is not None and not (isinstance(colour, str) and _COLOUR.fullmatch(colour)):
            message = f"expected a hex-color such as #2ca02c, found {shown(colour)}"
            yield _about(label, index, message, "hex-color")


@rule(
    "MT254",
    "error",
    "label",
    breaks=lambda: _mask(hex_color="#FFFFFF"),
    keeps=lambda: _mask(),
    fix="Find out which class has that colour in the mask: a reader cannot distinguish the two.",
    source=OUTPUT,
    kinds=_BOTH,
)
def classes_differ_in_colour(label: LineLabel) -> Iterator[Finding]:
    """Each class of a colour map has a colour of its own."""
    first: dict[str, str] = {}
    for index, entry in _entries(label):
        colour = entry.get("hex-color")
        if isinstance(colour, str) and first.setdefault(colour.lower(), index) != index:
            other = shown(first[colour.lower()])
            yield _about(label, index, f"{shown(colour)} is also the colour of class {other}", "hex-color")


@rule(
    "MT255",
    "warning",
    "label",
    breaks=lambda: _mask("0.jpg"),
    keeps=lambda: _mask(),
    fix="Point to the PNG; a mask saved as JPEG has lost its colours.",
    source=OUTPUT,
    kinds=_MASKS,
)
def masks_are_png(label: LineLabel) -> Iterator[Finding]:
    """The mask of a picture is a PNG file."""
    yield from other_object(label, ".png")


@rule(
    "MT256",
    "warning",
    "label",
    breaks=lambda: _cloud("1.png", {"1": _ROAD}),
    keeps=lambda: _cloud("1.zlib", {"1": _ROAD}),
    fix="Point to the .zlib file that the labeling job wrote.",
    source=OUTPUT,
    kinds=_CLOUDS,
)
def clouds_are_zlib(label: LineLabel) -> Iterator[Finding]:
    """The label of a segmented point cloud is a .zlib file."""
    yield from other_object(label, ".zlib")


@rule(
    "MT257",
    "warning",
    "label",
    breaks=lambda: _cloud("1.zlib", None),
    keeps=lambda: _cloud("1.zlib", {"1": _ROAD}),
    fix="Add color-map: the class-name and hex-color of every class index.",
    source=OUTPUT,
    kinds=_CLOUDS,
)
def clouds_have_a_colour_map(label: LineLabel) -> Iterator[Finding]:
    """The metadata of a segmented point cloud has a colour map, which names its classes."""
    yield from _without_colour_map(label)


@rule(
    "MT258",
    "error",
    "label",
    breaks=lambda: _mask(confidence=95),
    keeps=lambda: _mask(confidence=0.95),
    fix="Write a fraction: 95 percent is 0.95.",
    source=OUTPUT,
    kinds=_BOTH,
)
def colour_confidences_are_up_to_1(label: LineLabel) -> Iterator[Finding]:
    """A confidence in a colour map is a number from 0 to 1."""
    for index, entry in _entries(label):
        value = entry.get("confidence")
        if value is not None and not (is_number(value) and 0 <= value <= 1):
            message = f"expected a confidence from 0 to 1, found {shown(value)}"
            yield _about(label, index, message, "confidence")


def _without_colour_map(label: LineLabel) -> Iterator[Finding]:
    key = label.kind.class_fields[0]
    if label.state == "labelled" and label.metadata.get(key) is None:
        yield missing_in_metadata(label, key, "its classes are unknown")


def _mask(key: str = "0.png", **colours: Any) -> str:
    """Return a line with a mask, whose second class is a road with ``colours``; None removes a field."""
    road = _ROAD | {name.replace("_", "-"): value for name, value in colours.items()}
    classes = {"0": _GROUND, "1": {name: value for name, value in road.items() if value is not None}}
    return _line(key, classes)


def _line(key: str, colours: Any) -> str:
    ref = f"s3://lab3-out/mask/{key}"
    return lines(labelled("mask-ref", ref, "semantic-segmentation", internal_color_map=colours))


def _cloud(key: str, colours: Any) -> str:
    kind, ref = "point_cloud_single_frame_semantic_segmentation", f"s3://lab3-out/{key}"
    return lines(labelled("road-ref", ref, kind, "s3://lab3-rawdata/1.bin", color_map=colours))


def other_object(label: LineLabel, ending: str) -> Iterator[Finding]:
    """Yield a URI with another ending; what is no URI is for another rule."""
    uri = label.value
    if label.state != "labelled" or not isinstance(uri, str) or not uri.startswith("s3://"):
        return
    if not uri.lower().endswith(ending.lower()):
        found = shown(uri.rpartition("/")[2])
        yield in_label(label, "URI", f"expected a file that ends in {ending}, found {found}")


def _entries(label: LineLabel) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the index and the object of each class of a colour map."""
    key = label.kind.class_fields[0]
    table = label.metadata.get(key)
    for index, entry in table.items() if isinstance(table, dict) else ():
        if isinstance(entry, dict):
            yield index, entry


def _about(label: LineLabel, index: str, message: str, *key: str) -> Finding:
    """Return a finding about one class of a colour map; the message says which."""
    name = label.kind.class_fields[0]
    return in_metadata(label, f"class {shown(index)} in {name}", message, name, index, *key)


RULES = (
    masks_have_a_colour_map,
    colour_maps_name_classes,
    classes_have_a_colour,
    colours_can_be_read,
    classes_differ_in_colour,
    masks_are_png,
    clouds_are_zlib,
    clouds_have_a_colour_map,
    colour_confidences_are_up_to_1,
)

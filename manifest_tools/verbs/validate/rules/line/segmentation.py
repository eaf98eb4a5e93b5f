"""Masks and segmented point clouds: the object that is the label, and the map of its colours."""

import re
from collections.abc import Iterator
from typing import Any

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import path
from manifest_tools.base.text import shown as quoted
from manifest_tools.groundtruth.classes import is_index
from manifest_tools.groundtruth.label_kinds.boxes import is_number
from manifest_tools.verbs.validate.rule_input import LineLabel
from manifest_tools.verbs.validate.rules.examples import labelled, lines
from manifest_tools.verbs.validate.rules.references import OUTPUT, VERIFY
from manifest_tools.verbs.validate.rules.rule import rule

_MASKS, _CLOUDS = ("segmentation",), ("point_cloud_segmentation",)
_BOTH = _MASKS + _CLOUDS
_GROUND = {"class-name": "BACKGROUND", "hex-color": "#ffffff", "confidence": 0}
_ROAD = {"class-name": "road", "hex-color": "#2ca02c", "confidence": 0}


def _mask(key: str = "0.png", **colours: Any) -> str:
    """Return a line with a mask, whose second class is a road with ``colours``; None takes out."""
    road = _ROAD | {name.replace("_", "-"): value for name, value in colours.items()}
    shown = {"0": _GROUND, "1": {name: value for name, value in road.items() if value is not None}}
    return _line(key, shown)


def _line(key: str, colours: Any) -> str:
    ref = f"s3://lab3-out/mask/{key}"
    return lines(labelled("mask-ref", ref, "semantic-segmentation", internal_color_map=colours))


def _cloud(key: str, colours: Any) -> str:
    kind, ref = "point_cloud_single_frame_semantic_segmentation", f"s3://lab3-out/{key}"
    return lines(labelled("road-ref", ref, kind, "s3://lab3-rawdata/1.bin", color_map=colours))


_COLOUR = re.compile("#[0-9a-fA-F]{6}")


def has_a_colour_map(label: LineLabel) -> Iterator[Finding]:
    """The metadata of a mask or a segmented point cloud has a colour map, which names its classes."""
    key = label.kind.class_fields[0]
    if label.state == "labelled" and label.metadata.get(key) is None:
        yield Finding(path(label.metadata_key), f"no {key}, so nothing says which classes there are")


def colour_maps_name_classes(label: LineLabel) -> Iterator[Finding]:
    """A colour map has an object with a class-name for each class index."""
    key = label.kind.class_fields[0]
    table = label.metadata.get(key)
    if table is not None and not isinstance(table, dict):
        yield Finding(path(label.metadata_key, key), f"expected {key} as an object, found {quoted(table)}")
    for index, entry in table.items() if isinstance(table, dict) else ():
        where = (label.metadata_key, key, index)
        name = entry.get("class-name") if isinstance(entry, dict) else None
        if not is_index(index):
            yield _about(where, "expected a class index from 0 as the key")
        if not isinstance(entry, dict):
            yield _about(where, f"expected an object with class-name and hex-color, found {quoted(entry)}")
        elif not isinstance(name, str) or not name.strip():
            yield _about(where, f"expected a class-name, found {quoted(name)}")


def classes_have_a_colour(label: LineLabel) -> Iterator[Finding]:
    """A class of a colour map has a hex-color; a job that checks the label takes none without."""
    for where, entry in _entries(label):
        if entry.get("hex-color") is None:
            yield _about(where, "no hex-color")


def colours_can_be_read(label: LineLabel) -> Iterator[Finding]:
    """A hex-color is a number sign and six hexadecimal digits."""
    for where, entry in _entries(label):
        colour = entry.get("hex-color")
        if colour is not None and not (isinstance(colour, str) and _COLOUR.fullmatch(colour)):
            yield _about(where, f"expected a hex-color such as #2ca02c, found {quoted(colour)}", "hex-color")


def classes_differ_in_colour(label: LineLabel) -> Iterator[Finding]:
    """Each class of a colour map has a colour of its own."""
    first: dict[str, str] = {}
    for where, entry in _entries(label):
        colour = entry.get("hex-color")
        if isinstance(colour, str) and first.setdefault(colour.lower(), where[-1]) != where[-1]:
            there = quoted(first[colour.lower()])
            yield _about(where, f"{quoted(colour)} is the colour of class {there} too", "hex-color")


def masks_are_png(label: LineLabel) -> Iterator[Finding]:
    """The mask of a picture is a PNG file."""
    yield from other_object(label, ".png")


def colour_confidences_are_shares(label: LineLabel) -> Iterator[Finding]:
    """A confidence in a colour map is a number from 0 to 1."""
    for where, entry in _entries(label):
        share = entry.get("confidence")
        if share is not None and not (is_number(share) and 0 <= share <= 1):
            yield _about(where, f"expected a confidence from 0 to 1, found {quoted(share)}", "confidence")


def other_object(label: LineLabel, ending: str) -> Iterator[Finding]:
    """Yield the URI of an object of another kind; what is no URI is for another rule."""
    uri = label.value
    if label.state != "labelled" or not isinstance(uri, str) or not uri.startswith("s3://"):
        return
    if not uri.lower().endswith(ending.lower()):
        name = quoted(uri.rpartition("/")[2])
        yield Finding(path(label.name), f"expected a key that ends in {ending}, found {name}")


def _entries(label: LineLabel) -> Iterator[tuple[tuple[str, str, str], dict[str, Any]]]:
    """Yield the classes of a colour map, with the keys that lead to each."""
    key = label.kind.class_fields[0]
    table = label.metadata.get(key)
    for index, entry in table.items() if isinstance(table, dict) else ():
        if isinstance(entry, dict):
            yield (label.metadata_key, key, index), entry


def _about(where: tuple[str, str, str], message: str, *key: str) -> Finding:
    """Return a finding about one class of a colour map; the message says which."""
    return Finding(path(*where, *key), f"class {quoted(where[-1])}: {message}")


def clouds_are_zlib(label: LineLabel) -> Iterator[Finding]:
    """The classes of a point cloud's points are in a .zlib file."""
    yield from other_object(label, ".zlib")


RULES = (
    rule(
        "MT250",
        "warning",
        "label",
        has_a_colour_map,
        breaks=_line("0.png", None),
        keeps=_mask(),
        fix="Add internal-color-map: the class-name and hex-color of every class index.",
        source=OUTPUT,
        kinds=_MASKS,
    ),
    rule(
        "MT251",
        "error",
        "label",
        colour_maps_name_classes,
        breaks=_mask(class_name=None),
        keeps=_mask(),
        fix='Write {"1": {"class-name": "road", "hex-color": "#2ca02c"}}.',
        source=OUTPUT,
        kinds=_BOTH,
    ),
    rule(
        "MT252",
        "warning",
        "label",
        classes_have_a_colour,
        breaks=_mask(hex_color=None),
        keeps=_mask(),
        fix="Add the colour that the class has in the mask; early jobs did not write it.",
        source=VERIFY,
        kinds=_BOTH,
    ),
    rule(
        "MT253",
        "error",
        "label",
        colours_can_be_read,
        breaks=_mask(hex_color="green"),
        keeps=_mask(hex_color="#2CA02C"),
        fix="Write the colour that the class has in the mask as #rrggbb.",
        source=OUTPUT,
        kinds=_BOTH,
    ),
    rule(
        "MT254",
        "error",
        "label",
        classes_differ_in_colour,
        breaks=_mask(hex_color="#FFFFFF"),
        keeps=_mask(),
        fix="Find out which class the mask shows in that colour; nothing can tell the two apart.",
        source=OUTPUT,
        kinds=_BOTH,
    ),
    rule(
        "MT255",
        "warning",
        "label",
        masks_are_png,
        breaks=_mask("0.jpg"),
        keeps=_mask(),
        fix="Point to the PNG; a mask saved as JPEG has lost its colours.",
        source=OUTPUT,
        kinds=_MASKS,
    ),
    rule(
        "MT256",
        "warning",
        "label",
        clouds_are_zlib,
        breaks=_cloud("1.png", {"1": _ROAD}),
        keeps=_cloud("1.zlib", {"1": _ROAD}),
        fix="Point to the .zlib file that the labeling job wrote.",
        source=OUTPUT,
        kinds=_CLOUDS,
    ),
    rule(
        "MT257",
        "warning",
        "label",
        has_a_colour_map,
        breaks=_cloud("1.zlib", None),
        keeps=_cloud("1.zlib", {"1": _ROAD}),
        fix="Add color-map: the class-name and hex-color of every class index.",
        source=OUTPUT,
        kinds=_CLOUDS,
    ),
    rule(
        "MT258",
        "error",
        "label",
        colour_confidences_are_shares,
        breaks=_mask(confidence=95),
        keeps=_mask(confidence=0.95),
        fix="Write a share of 1: 95 percent is 0.95.",
        source=OUTPUT,
        kinds=_BOTH,
    ),
)

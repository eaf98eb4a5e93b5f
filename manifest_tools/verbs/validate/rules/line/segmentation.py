"""Masks and segmented point clouds: the object that is the label, and the map of its colours."""

from typing import Any

from manifest_tools.groundtruth.tasks import point_cloud_segmentation, segmentation
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


RULES = (
    rule(
        "MT250",
        "warning",
        "label",
        segmentation.has_a_colour_map,
        breaks=_line("0.png", None),
        keeps=_mask(),
        fix="Add internal-color-map: the class-name and hex-color of every class index.",
        source=OUTPUT,
        rooms=_MASKS,
    ),
    rule(
        "MT251",
        "error",
        "label",
        segmentation.colour_maps_name_classes,
        breaks=_mask(class_name=None),
        keeps=_mask(),
        fix='Write {"1": {"class-name": "road", "hex-color": "#2ca02c"}}.',
        source=OUTPUT,
        rooms=_BOTH,
    ),
    rule(
        "MT252",
        "warning",
        "label",
        segmentation.classes_have_a_colour,
        breaks=_mask(hex_color=None),
        keeps=_mask(),
        fix="Add the colour that the class has in the mask; early jobs did not write it.",
        source=VERIFY,
        rooms=_BOTH,
    ),
    rule(
        "MT253",
        "error",
        "label",
        segmentation.colours_can_be_read,
        breaks=_mask(hex_color="green"),
        keeps=_mask(hex_color="#2CA02C"),
        fix="Write the colour that the class has in the mask as #rrggbb.",
        source=OUTPUT,
        rooms=_BOTH,
    ),
    rule(
        "MT254",
        "error",
        "label",
        segmentation.classes_differ_in_colour,
        breaks=_mask(hex_color="#FFFFFF"),
        keeps=_mask(),
        fix="Find out which class the mask shows in that colour; nothing can tell the two apart.",
        source=OUTPUT,
        rooms=_BOTH,
    ),
    rule(
        "MT255",
        "warning",
        "label",
        segmentation.masks_are_png,
        breaks=_mask("0.jpg"),
        keeps=_mask(),
        fix="Point to the PNG; a mask saved as JPEG has lost its colours.",
        source=OUTPUT,
        rooms=_MASKS,
    ),
    rule(
        "MT256",
        "warning",
        "label",
        point_cloud_segmentation.clouds_are_zlib,
        breaks=_cloud("1.png", {"1": _ROAD}),
        keeps=_cloud("1.zlib", {"1": _ROAD}),
        fix="Point to the .zlib file that the labeling job wrote.",
        source=OUTPUT,
        rooms=_CLOUDS,
    ),
    rule(
        "MT257",
        "warning",
        "label",
        point_cloud_segmentation.has_a_colour_map,
        breaks=_cloud("1.zlib", None),
        keeps=_cloud("1.zlib", {"1": _ROAD}),
        fix="Add color-map: the class-name and hex-color of every class index.",
        source=OUTPUT,
        rooms=_CLOUDS,
    ),
    rule(
        "MT258",
        "error",
        "label",
        segmentation.colour_confidences_are_shares,
        breaks=_mask(confidence=95),
        keeps=_mask(confidence=0.95),
        fix="Write a share of 1: 95 percent is 0.95.",
        source=OUTPUT,
        rooms=_BOTH,
    ),
)

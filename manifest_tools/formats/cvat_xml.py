"""CVAT for images 1.1, element by element: labels, pictures, boxes, polygons and tags as XML and as values.

What CVAT has no element for stands in attributes of ``image`` that other readers pass over; confidences are
attributes of a shape or tag, declared with its label, so that CVAT keeps them.
"""

import colorsys
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from manifest_tools.formats.xml_values import as_attribute, as_content
from manifest_tools.groundtruth.annotations import Box, DataSet, Picture, Provenance
from manifest_tools.groundtruth.classes import default_name, is_index

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Number = int | float

CLASS_ID = "ground_truth_class_id"
"""The element of a label that has its class index."""

_CONFIDENCE = "confidence"
_PROVENANCE = ("job-name", "human-annotated", "creation-date")

# Who has labelled: in CVAT a person, or a model that it ran.
_SOURCES = {"yes": 'source="manual" ', "no": 'source="auto" '}

# ---- writing ----


def head(data: DataSet, name: str, folder: str) -> str:
    """Return what stands before the pictures: the labels in index order, each in a colour of its own."""
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        "<annotations>",
        "  <version>1.1</version>",
        "  <meta>",
    ]
    lines += ["    <task>", f"      <name>{as_content(name)}</name>", "      <mode>annotation</mode>"]
    lines += [
        "      <labels>",
        *(_label(index, named) for index, named in data.table.names),
        "      </labels>",
    ]
    lines += ["    </task>", "    <ground_truth>"]
    stated = {"label_attribute": data.attribute, "label_kind": data.label_kind, "folder": folder}
    lines += [f"      <{key}>{as_content(value)}</{key}>" for key, value in stated.items()]
    return "\n".join([*lines, "    </ground_truth>", "  </meta>", ""])


TAIL = "</annotations>\n"


def _label(index: int, name: str) -> str:
    attribute = (
        f"<attribute><name>{_CONFIDENCE}</name><mutable>False</mutable><input_type>text</input_type>"
        "<default_value></default_value><values></values></attribute>"
    )
    return (
        f"        <label><name>{as_content(name)}</name><color>{colour(index)}</color><type>any</type>"
        f"<{CLASS_ID}>{index}</{CLASS_ID}><attributes>{attribute}</attributes></label>"
    )


def colour(index: int) -> str:
    """Return the colour of a class: neighbours differ, and the same index has always the same.

    >>> colour(0), colour(1)
    ('#e63939', '#396ce6')
    """
    rgb = colorsys.hsv_to_rgb(index * 0.618033988749895 % 1, 0.75, 0.9)
    return "#" + "".join(f"{round(255 * part):02x}" for part in rgb)


def image_text(picture: Picture, name: str, names: Mapping[int, str]) -> str:
    """Return the element of a picture, but for its id, which stands in front of this."""
    width, height = picture.size or (None, None)
    found = picture.provenance
    attributes = {
        "width": width,
        "height": height,
        "depth": picture.depth,
        "line": picture.number,
        **dict(zip(_PROVENANCE, (found.job_name, found.human_annotated, found.creation_date), strict=True)),
    }
    known = "".join(
        f" {key}={as_attribute(str(value))}" for key, value in attributes.items() if value is not None
    )
    source = _SOURCES.get(found.human_annotated or "", "")
    inside = [*_shapes(picture, names, source), *_tags(picture, names, source)]
    opened = f" name={as_attribute(name)}{known}>\n"
    return opened + "".join(f"    {one}\n" for one in inside) + "  </image>\n"


def _shapes(picture: Picture, names: Mapping[int, str], source: str) -> Iterator[str]:
    for box in picture.boxes:
        label = as_attribute(names.get(box.class_index, default_name(box.class_index)))
        if len(box.outline) == 1:
            (ring,) = box.outline
            points = ";".join(f"{x!r},{y!r}" for x, y in zip(ring[::2], ring[1::2], strict=True))
            tag, place = "polygon", f'points="{points}"'
        else:
            right, bottom = box.left + box.width, box.top + box.height
            tag, place = "box", f'xtl="{box.left!r}" ytl="{box.top!r}" xbr="{right!r}" ybr="{bottom!r}"'
        more = f'{source}occluded="0" {place} z_order="0"'
        yield f"<{tag} label={label} {more}>{_confidence(box.confidence)}</{tag}>"


def _tags(picture: Picture, names: Mapping[int, str], source: str) -> Iterator[str]:
    confidences = picture.confidences or (None,) * len(picture.classes)
    for index, confidence in zip(picture.classes, confidences, strict=True):
        label = as_attribute(names.get(index, default_name(index)))
        yield f"<tag label={label} {source}>{_confidence(confidence)}</tag>"


def _confidence(confidence: Number | None) -> str:
    return "" if confidence is None else f'<attribute name="{_CONFIDENCE}">{confidence!r}</attribute>'


# ---- reading ----


@dataclass(slots=True)
class Meta:
    """What stands before the pictures."""

    labels: list[tuple[int | None, str]] = field(default_factory=list)
    """Each class with the index that the file states, in its order."""

    label_attribute: str = ""
    label_kind: str = ""
    folder: str = ""
    """The folder of all pictures, which their names leave out."""


def meta_of(element: "Element") -> Meta:
    """Return what the ``meta`` of a file says; labels that are parts of skeletons are none of their own."""
    meta = Meta()
    for label in element.iter("label"):
        stated = label.findtext(CLASS_ID)
        if label.find("parent") is None:
            index = int(stated) if stated is not None and is_index(stated) else None
            meta.labels.append((index, label.findtext("name") or ""))
    own = element.find("ground_truth")
    if own is not None:
        meta.label_attribute, meta.label_kind, meta.folder = (
            own.findtext(key) or "" for key in ("label_attribute", "label_kind", "folder")
        )
    return meta


@dataclass(slots=True)
class Image:
    """A picture of a file, with names of classes in place of their indices."""

    name: str
    size: tuple[Number, Number] | None
    depth: int | None
    line: int | None
    provenance: Provenance
    shapes: list[tuple[str, Box]] = field(default_factory=list)
    tags: list[tuple[str, float | None]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


_LOST = {
    "mask": "masks",
    "polyline": "polylines",
    "points": "points",
    "cuboid": "cuboids",
    "skeleton": "skeletons",
    "ellipse": "ellipses",
}


def image_of(element: "Element") -> Image:
    """Return the picture of an ``image``; raises ValueError for what has no place, or is no number."""
    width, height = (_size(element, key) for key in ("width", "height"))
    size = None if width is None or height is None else (width, height)
    image = Image(
        element.get("name") or "",
        size,
        _index(element, "depth"),
        _index(element, "line"),
        _provenance(element),
    )
    if not image.name:
        raise ValueError("expected a name, found none")
    for child in element:
        label = child.get("label")
        if child.tag in ("box", "polygon"):
            image.shapes.append((_named(child, label), _shape(child, image.lost)))
        elif child.tag == "tag":
            image.tags.append((_named(child, label), _confidence_of(child, image.lost)))
        else:
            image.lost.append(_LOST.get(str(child.tag), f"elements {str(child.tag)[:40]}"))
    return image


def _named(element: "Element", label: str | None) -> str:
    if not label:
        raise ValueError(f"expected a label of each {element.tag}, found one without")
    return label


def _provenance(element: "Element") -> Provenance:
    job, human, date = (element.get(key) for key in _PROVENANCE)
    if human is None:
        sources = {child.get("source") for child in element}
        human = "no" if sources == {"auto"} else "yes" if sources == {"manual"} else None
    return Provenance(job, human, date)


def _shape(element: "Element", lost: list[str]) -> Box:
    confidence = _confidence_of(element, lost)
    if element.get("occluded", "0") != "0":
        lost.append("occlusions")
    if element.get("z_order", "0") != "0":
        lost.append("z orders")
    if element.tag == "polygon":
        points = [tuple(map(_number, point.split(","))) for point in element.get("points", "").split(";")]
        if any(len(point) != 2 for point in points):
            raise ValueError("expected points of a polygon as x,y;x,y, found others")
        flat = tuple(number for point in points for number in point)
        return _around([(x, y) for x, y in points], confidence, (flat,))
    left, top, right, bottom = (_number(element.get(key, "")) for key in ("xtl", "ytl", "xbr", "ybr"))
    degrees = _number(element.get("rotation", "0"))
    if not degrees:
        return Box(0, left, top, _difference(left, right), _difference(top, bottom), confidence)
    lost.append("rotations of boxes")
    return _around(_turned(left, top, right, bottom, degrees), confidence)


def _around(
    points: list[tuple[Number, Number]], confidence: float | None, outline: tuple[tuple[float, ...], ...] = ()
) -> Box:
    left, top = min(x for x, _ in points), min(y for _, y in points)
    right, bottom = max(x for x, _ in points), max(y for _, y in points)
    return Box(0, left, top, _difference(left, right), _difference(top, bottom), confidence, outline)


def _turned(
    left: Number, top: Number, right: Number, bottom: Number, degrees: Number
) -> list[tuple[Number, Number]]:
    """Return the corners of a rectangle that is turned clockwise around its middle."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y = (left + right) / 2, (top + bottom) / 2
    halves = (
        (a * (right - left) / 2, b * (bottom - top) / 2) for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    )
    return [(x + a * cosine - b * sine, y + a * sine + b * cosine) for a, b in halves]


_DIGITS = 9  # after the point: what a difference of floats adds beyond is noise


def _difference(low: Number, high: Number) -> Number:
    width = high - low
    if isinstance(width, float) and abs(width) < 10**6:
        width = round(width, _DIGITS)
    return int(width) if width == int(width) else width


def _confidence_of(element: "Element", lost: list[str]) -> float | None:
    confidence = None
    for attribute in element.iter("attribute"):
        text = (attribute.text or "").strip()
        if attribute.get("name") != _CONFIDENCE:
            lost.append("attributes of shapes or tags")
        elif text:
            confidence = _number(text)
    return confidence


_MOST_PIXELS = 10**15


def _number(text: str) -> Number:
    """Return a number; raises ValueError for another text, and for one that is no place on a picture.

    >>> _number("10"), _number("10.00"), _number("10.5")
    (10, 10, 10.5)
    """
    number = float(text)
    if not abs(number) < _MOST_PIXELS:
        raise ValueError(f"expected a number, found {text[:40]}")
    return int(number) if number == int(number) else number


def _size(element: "Element", key: str) -> Number | None:
    text = element.get(key)
    number = None if text is None else _number(text)
    if number is not None and number < 0:
        raise ValueError(f"expected the {key} of a picture, found {number}")
    return number


def _index(element: "Element", key: str) -> int | None:
    text = element.get(key)
    return int(text) if text is not None and is_index(text) else None

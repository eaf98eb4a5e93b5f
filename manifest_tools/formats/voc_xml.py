"""The annotation of one picture in Pascal VOC's XML: text from a picture, and a picture's labels from text.

VOC numbers pixels from 1, and a box has its last pixel inside: what begins at 0 and is 10 wide is 1 to 10.
Numbers are whole, so edges between pixels are rounded. What VOC has no element for stands as JSON in
``ground_truth``, which other readers pass over.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from manifest_tools.base.text import shown
from manifest_tools.formats.xml_values import as_content
from manifest_tools.groundtruth.annotations import Box, Provenance

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_MOST = 10**15  # pixels; a larger number is no place on a picture

# ---- writing ----


@dataclass(frozen=True, slots=True)
class Frame:
    """The picture that boxes are on, as it was copied."""

    path: str
    """Its folder and name."""

    width: int
    height: int
    depth: int | None
    scale: tuple[float, float] = (1, 1)
    """What pixels of the label are multiplied by, across and down."""


def annotation_text(
    frame: Frame, boxes: tuple[Box, ...], names: Mapping[int, str], own: dict[str, Any]
) -> str:
    """Return the XML of a picture; ``own`` goes to where other readers do not look."""
    folder, _, name = frame.path.rpartition("/")
    lines = [
        "<annotation>",
        f"\t<folder>{as_content(folder)}</folder>",
        f"\t<filename>{as_content(name)}</filename>",
        "\t<source><database>Amazon SageMaker Ground Truth</database></source>",
        f"\t<ground_truth>{as_content(json.dumps(own))}</ground_truth>",
        "\t<size>",
        f"\t\t<width>{frame.width}</width>",
        f"\t\t<height>{frame.height}</height>",
        f"\t\t<depth>{3 if frame.depth is None else frame.depth}</depth>",
        "\t</size>",
        "\t<segmented>0</segmented>",
    ]
    for box in boxes:
        lines += _object_lines(box, names[box.class_index], corners(box, frame.scale))
    return "\n".join((*lines, "</annotation>", ""))


def _object_lines(box: Box, name: str, found: tuple[int, int, int, int]) -> list[str]:
    edges = zip(("xmin", "ymin", "xmax", "ymax"), found, strict=True)
    confidence = {} if box.confidence is None else {"confidence": box.confidence}
    return [
        "\t<object>",
        f"\t\t<name>{as_content(name)}</name>",
        "\t\t<pose>Unspecified</pose>",
        "\t\t<truncated>0</truncated>",
        "\t\t<difficult>0</difficult>",
        "\t\t<bndbox>",
        *(f"\t\t\t<{edge}>{value}</{edge}>" for edge, value in edges),
        "\t\t</bndbox>",
        *[f"\t\t<ground_truth>{json.dumps(confidence)}</ground_truth>"] * bool(confidence),
        "\t</object>",
    ]


def corners(box: Box, scale: tuple[float, float] = (1, 1)) -> tuple[int, int, int, int]:
    """Return xmin, ymin, xmax and ymax, counted from 1, of the pixels that a box covers.

    >>> corners(Box(0, 0, 5, 10, 1)), corners(Box(0, 0.4, 5, 10.2, 0))
    ((1, 6, 10, 6), (1, 6, 11, 5))
    """
    edges = (box.left, box.top, box.left + box.width, box.top + box.height)
    left, top, right, bottom = (round(edge * scale[at % 2]) for at, edge in enumerate(edges))
    return left + 1, top + 1, right, bottom


def is_between_pixels(box: Box, scale: tuple[float, float] = (1, 1)) -> bool:
    """Say whether an edge of a box is rounded."""
    edges = (box.left, box.top, box.left + box.width, box.top + box.height)
    return any(edge * scale[at % 2] % 1 for at, edge in enumerate(edges))


# ---- reading ----


@dataclass(frozen=True, slots=True)
class Object:
    """A box, its class still a name."""

    name: str
    box: Box


@dataclass(slots=True)
class Annotation:
    """What an annotation says of a picture."""

    file_name: str
    size: tuple[float, float] | None
    depth: int | None
    objects: list[Object] = field(default_factory=list)
    provenance: Provenance = Provenance()
    attribute: str | None = None
    lost: dict[str, int] = field(default_factory=dict)
    """What a box cannot hold, in words, with how often."""


# Elements of an object that a box cannot hold, and what they are called.
_LOST = {"polygon": "polygons", "part": "parts of objects", "mask": "masks of objects"}


def annotation_of(text: bytes) -> Annotation:
    """Return what the XML of a picture says; raises ValueError for what is no such XML, or hostile."""
    root = _root(text)
    own = _own(root)
    texts = {key: value for key, value in own.items() if isinstance(value, str)}
    found = Annotation(
        _text(root, "filename"),
        _size(root),
        _depth(root),
        provenance=Provenance(
            texts.get("job-name"), texts.get("human-annotated"), texts.get("creation-date")
        ),
        attribute=texts.get("label_attribute"),
    )
    for number, element in enumerate(root.iterfind("object"), 1):
        for tag, what in _LOST.items():
            _count(found.lost, what, sum(1 for _ in element.iterfind(tag)))
        if element.find("bndbox") is None:
            _count(found.lost, "objects without a box", 1)
            continue
        try:
            found.objects.append(_object(element))
        except ValueError as error:
            raise ValueError(f"object {number}: {error}") from error
    return found


def _root(text: bytes) -> "Element":
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Element = fromstring(text, forbid_dtd=True)
    except ParseError as error:
        raise ValueError(f"expected XML, found {error}") from error
    except DefusedXmlException as error:
        raise ValueError("expected XML without a DTD, found one; take it out") from error
    except (LookupError, UnicodeError) as error:
        raise ValueError("expected XML in UTF-8, found another encoding") from error
    if root.tag != "annotation":
        raise ValueError(f"expected an <annotation>, found <{shown(root.tag)[1:-1]}>")
    return root


def _count(counts: dict[str, int], what: str, number: int) -> None:
    if number:
        counts[what] = counts.get(what, 0) + number


def _text(element: "Element", path: str) -> str:
    """Return the text of an element; nothing where it is not there."""
    return element.findtext(path) or ""


def _own(element: "Element") -> dict[str, Any]:
    """Return what we wrote ourselves; nothing where somebody else wrote or changed it."""
    try:
        value = json.loads(_text(element, "ground_truth"))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _size(root: "Element") -> tuple[float, float] | None:
    """Return width and height; some tools write 0 where they do not know them."""
    try:
        width, height = (_number(_text(root, f"size/{side}"), side) for side in ("width", "height"))
    except ValueError:
        return None
    return (width, height) if width > 0 and height > 0 else None


def _depth(root: "Element") -> int | None:
    text = _text(root, "size/depth").strip()
    return int(text) if text.isascii() and text.isdecimal() and 0 < len(text) < 3 else None


def _object(element: "Element") -> Object:
    edges = ("xmin", "ymin", "xmax", "ymax")
    xmin, ymin, xmax, ymax = (_number(_text(element, f"bndbox/{edge}"), edge) for edge in edges)
    width, height = xmax - xmin + 1, ymax - ymin + 1
    if width < 0 or height < 0:
        found = f"{xmin}, {ymin}, {xmax}, {ymax}"
        raise ValueError(f"expected a box from upper left to lower right, found {found}")
    confidence = _own(element).get("confidence")
    sure = confidence if isinstance(confidence, int | float) and not isinstance(confidence, bool) else None
    return Object(_text(element, "name"), Box(-1, xmin - 1, ymin - 1, width, height, sure))


def _number(text: str, what: str) -> float:
    make: Callable[[str], float] = int if text.strip().lstrip("-").isdecimal() else float
    try:
        value = make(text) if len(text) < 100 else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or abs(value) >= _MOST:
        raise ValueError(f"expected a number of pixels as {what}, found {shown(text)}")
    return int(value) if value == int(value) else value

"""What the numbers mean that a row of a ``.lst``, or a record of a ``.rec``, has as its label.

One number is the index of a class; as many zeros and ones as there are classes are several classes; and boxes
begin with a header. All of a data set is of one kind, and only a look at all of it tells which.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from manifest_tools.base.errors import BadData
from manifest_tools.base.text import counted
from manifest_tools.groundtruth.annotations import Box, Picture, PictureLabelKind
from manifest_tools.groundtruth.classes import ClassTable, class_table, default_name
from manifest_tools.io.detection_labels import BOX, HEADER, MOST_EXACT, boxes_of, no_boxes

Size = tuple[float, float]

_NEAR = 1e-6  # of the side of a picture: six decimals, and 32-bit floats, tell no less apart
_SIZED = 4  # numbers of a header that has width and height behind the two lengths
_LARGEST_SIDE = 1 << 20


@dataclass(slots=True)
class LabelSurvey:
    """What the labels of a data set have in common."""

    noun: str
    """What has a label: row or record."""

    samples: int = 0
    why_not: dict[PictureLabelKind, str] = field(default_factory=dict)
    """The first label that is not of a kind, and why."""

    seen: dict[PictureLabelKind, set[int]] = field(
        default_factory=lambda: {"single_label": set(), "multi_label": set(), "boxes": set()}
    )
    """Class indices, if the labels are of this kind."""

    width: int = 0
    """How many numbers the first label has."""

    lost: dict[str, int] = field(default_factory=dict)
    """What no manifest can hold of boxes, in words, with how often."""

    def add(self, where: str, labels: Sequence[float], vector: bool = False) -> None:
        """Take a label; ``where`` says whose it is, ``vector`` that it is a list, also of one number."""
        self.samples += 1
        self.width = self.width or len(labels)
        found: dict[PictureLabelKind, str] = {
            "single_label": "a list of labels" if vector else _no_class(labels),
            "multi_label": _no_flags(labels, self.width),
            "boxes": "" if is_empty(labels) else no_boxes(labels),
        }
        for kind, why in found.items():
            if why:
                self.why_not.setdefault(kind, f"{where}: {why}")
        if not found["single_label"]:
            self.seen["single_label"].add(int(labels[0]))
        if not found["multi_label"]:
            self.seen["multi_label"].update(at for at, flag in enumerate(labels) if flag)
        if not found["boxes"]:
            self._add_boxes(labels)

    def _add_boxes(self, labels: Sequence[float]) -> None:
        boxes = () if is_empty(labels) else boxes_of(labels)
        self.seen["boxes"].update(int(box[0]) for box in boxes)
        if labels[1] > BOX and len(boxes):
            self._lose("numbers of a box behind its corners", len(boxes))
        if labels[0] > _SIZED or (labels[0] > HEADER and size_in_header(labels) is None):
            self._lose("numbers in the header of a label", 1)

    def _lose(self, what: str, count: int) -> None:
        self.lost[what] = self.lost.get(what, 0) + count

    def kind(self, place: str) -> PictureLabelKind:
        """Return what all labels are; raises BadData, with the first one that is something else."""
        if not self.samples:
            raise BadData(f"{place}: expected {self.noun}s with a picture, found none")
        kinds: tuple[PictureLabelKind, ...] = ("boxes", "single_label", "multi_label")
        for kind in kinds:
            if kind not in self.why_not:
                return kind
        likely: PictureLabelKind = "single_label" if self.width == 1 else "multi_label"
        if self.width >= HEADER + BOX and self.seen["boxes"]:
            likely = "boxes"
        raise BadData(self.why_not[likely])

    def table(self, kind: PictureLabelKind, given: ClassTable | None) -> ClassTable:
        """Return the classes, which have no names here; a vector has a place for each, also for gaps."""
        indices = self.seen[kind]
        if kind == "multi_label" and (given is None or given.num_classes != self.width):
            indices = set(range(self.width))
        return class_table((index, default_name(index)) for index in sorted(indices))


def numbers_of(picture: Picture, kind: PictureLabelKind, num_classes: int) -> tuple[float, ...]:
    """Return the label of a picture as numbers: its class, or zero or one for every class.

    >>> numbers_of(Picture(1, "", classes=(2, 0)), "multi_label", 4)
    (1.0, 0.0, 1.0, 0.0)
    """
    if kind == "single_label":
        return (float(picture.classes[0]),)
    shown = set(picture.classes)
    return tuple(float(index in shown) for index in range(num_classes))


def _no_class(labels: Sequence[float]) -> str:
    if len(labels) != 1:
        return f"expected one label, the index of a class, found {counted(len(labels), 'number')}"
    if not 0 <= labels[0] < MOST_EXACT or labels[0] % 1:
        return f"expected the index of a class from 0, found {labels[0]:g}"
    return ""


def _no_flags(labels: Sequence[float], width: int) -> str:
    if len(labels) != width:
        return f"expected {counted(width, 'label')} as before, found {len(labels):,}"
    if not set(labels) <= {0.0, 1.0}:
        return "expected a 0 or a 1 for each class, or a header and boxes, found other numbers"
    return ""


def is_empty(labels: Sequence[float]) -> bool:
    """Say whether a label has the header of boxes, and no box."""
    return len(labels) >= HEADER and labels[0] == len(labels) and BOX <= labels[1] < MOST_EXACT


def size_in_header(labels: Sequence[float]) -> Size | None:
    """Return width and height of the picture, where the header of boxes has them.

    >>> size_in_header([4, 5, 320, 240, 0, 0.1, 0.1, 0.5, 0.5]), size_in_header([2, 5])
    ((320, 240), None)
    """
    if labels[0] < _SIZED:
        return None
    width, height = labels[2:_SIZED]
    whole = all(1 <= side < _LARGEST_SIDE and side % 1 == 0 for side in (width, height))
    return (int(width), int(height)) if whole else None


def classes_in(
    labels: Sequence[float], kind: PictureLabelKind, indices: Mapping[int, int]
) -> tuple[int, ...]:
    """Return the classes of a picture; none where the label is boxes."""
    if kind == "boxes":
        return ()
    shown = [int(labels[0])] if kind == "single_label" else [at for at, flag in enumerate(labels) if flag]
    return tuple(indices[index] for index in shown)


def boxes_in(labels: Sequence[float], size: Size, indices: Mapping[int, int]) -> tuple[Box, ...]:
    """Return the boxes of a label, in pixels of a picture of this size.

    >>> boxes_in([2, 5, 1, 0.1, 0.25, 0.333333, 1], (300, 200), {1: 1})
    (Box(class_index=1, left=30, top=50, width=70, height=150, confidence=None, outline=()),)
    """
    found = []
    for index, *corners in () if is_empty(labels) else (box[:BOX] for box in boxes_of(labels).tolist()):
        left, top, right, bottom = (_pixels(value, size[at % 2]) for at, value in enumerate(corners))
        found.append(Box(indices[int(index)], left, top, right - left, bottom - top))
    return tuple(found)


def _pixels(fraction: float, side: float) -> float:
    """Return a number of pixels, a whole one where a record could not tell it from that."""
    pixels = fraction * side
    nearest = round(pixels)
    return nearest if abs(pixels - nearest) <= side * _NEAR else pixels

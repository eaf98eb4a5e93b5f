"""Lines of a manifest from a data set and its side-car: as they were, but for labels that are new."""

import hashlib
import pickle
import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from manifest_tools.base.text import counted
from manifest_tools.edits.members import remove_members
from manifest_tools.edits.set_classes import Correction, set_classes
from manifest_tools.formats.table import Format
from manifest_tools.groundtruth.annotations import Box, DataSet, Picture
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.manifest_pictures import pictures_of
from manifest_tools.groundtruth.write_line import manifest_lines
from manifest_tools.io.json_spans import find, splice
from manifest_tools.io.sources import Source, open_bytes
from manifest_tools.verbs.convert.box_edges import clipped_to
from manifest_tools.verbs.convert.side_car import SideCar


@dataclass(slots=True)
class Restored:
    """What became of the lines of a side-car."""

    same: int = 0
    changed: int = 0
    removed: int = 0
    added: int = 0

    def remarks(self, path: str) -> list[str]:
        """Return what is to be said, in one sentence."""
        more = [
            f"{count:,} {what}"
            for count, what in (
                (self.changed, "with another label"),
                (self.removed, "left out, since their pictures have gone"),
                (self.added, "added for new pictures"),
            )
            if count
        ]
        same = f"{counted(self.same, 'line')} as {'it was' if self.same == 1 else 'they were'}"
        return [f"{path}: {', '.join([same, *more])}"]


def restored_lines(
    side_car: SideCar,
    data: DataSet,
    part: str,
    of: str,
    row: Format,
    counts: Restored,
    extract: Callable[[Picture], Picture],
) -> Iterator[bytes]:
    """Yield the lines of a part's manifest, in its order; lines of pictures that were not in it come last.

    ``part`` is the data set's name for it, ``of`` the side-car's. ``extract`` gives a new picture a file of
    its own where it has none. Memory is 25 bytes a line.
    """
    source = open_bytes(side_car.manifest(of))
    keys = _Keys(side_car.keys(of))
    with tempfile.TemporaryFile(prefix="mtool-") as spool:
        found = _Found(spool, keys)
        for picture in data.parts[part]:
            found.add(picture)
        found.find_moved(side_car.keys(of))
        yield from _old_lines(side_car, source, found, data, row, counts)
        counts.added += found.news
        yield from manifest_lines(data, map(extract, found.new()))


def _old_lines(
    side_car: SideCar, source: Source, found: "_Found", data: DataSet, row: Format, counts: Restored
) -> Iterator[bytes]:
    attribute = side_car.attribute
    originals = iter(pictures_of(source, attribute, classes=side_car.table, jobs=1))
    original = next(originals, None)
    for number, line in _lines(source):
        labelled = original if original is not None and original.number == number else None
        if labelled is not None:
            original = next(originals, None)
        if labelled is None or not found.keys.has(number):
            counts.same += 1
            yield line
            continue
        picture = found.picture(number)
        if picture is None:
            counts.removed += 1
            continue
        written = clipped_to(labelled) if side_car.head.clip else labelled
        if is_same_label(written, picture, data, row.precision):
            counts.same += 1
            yield line
        else:
            counts.changed += 1
            yield relabelled(line, labelled, picture, data, attribute)


def _lines(source: Source) -> Iterator[tuple[int, bytes]]:
    number = 0
    for block in source.blocks():
        for line in _cut(block.read()):
            number += 1
            yield number, line


def _cut(data: bytes) -> Iterator[bytes]:
    """Yield the lines with their newlines; other line ends that Python knows are none."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", start) + 1 or len(data)
        yield data[start:end]
        start = end


def is_same_label(one: Picture, other: Picture, data: DataSet, precision: float) -> bool:
    """Say whether two pictures have one label, with edges of boxes that differ by ``precision`` pixels."""
    if one.labelled != other.labelled:
        return False
    if data.label_kind == "boxes":
        return len(one.boxes) == len(other.boxes) and all(
            _is_same_box(*pair, precision) for pair in zip(one.boxes, other.boxes, strict=True)
        )
    # Of a mask only its lines' own file is known here; it was not drawn anew.
    return data.label_kind == "segmentation" or set(one.classes) == set(other.classes)


def _is_same_box(one: Box, other: Box, precision: float) -> bool:
    edges = (
        (one.left, other.left),
        (one.top, other.top),
        (one.left + one.width, other.left + other.width),
        (one.top + one.height, other.top + other.height),
    )
    # Numbers as large as some are have no digits left for the precision.
    return one.class_index == other.class_index and all(
        abs(first - second) <= max(precision, abs(first) * 1e-9) for first, second in edges
    )


def relabelled(line: bytes, old: Picture, new: Picture, data: DataSet, attribute: LabelAttribute) -> bytes:
    """Return a line with the label of ``new``, and everything else as it was."""
    if not new.labelled or (data.label_kind == "single_label" and not new.classes):
        return remove_members(line, frozenset((attribute.name, attribute.metadata_key)))
    if data.label_kind == "boxes":
        return _with_boxes(line, old, new, data, attribute)
    names = {index: name for index, name in data.table.names if index in new.classes}
    correction = Correction(old.classes, new.classes, names)
    return set_classes(line, attribute.name, attribute.metadata_key, attribute.kind, correction)


def _with_boxes(line: bytes, old: Picture, new: Picture, data: DataSet, attribute: LabelAttribute) -> bytes:
    (text,) = manifest_lines(data, [replace(new, boxes=_with_confidences(old, new))])
    written = msgspec.json.decode(text)
    label, metadata = written[data.attribute], written[f"{data.attribute}-metadata"]
    edits = [
        (member.value, msgspec.json.encode(value))
        for path, value in (
            ((attribute.name, "annotations"), label["annotations"]),
            ((attribute.metadata_key, "objects"), metadata["objects"]),
            ((attribute.metadata_key, "class-map"), metadata["class-map"]),
        )
        for member in find(line, *path)
    ]
    return splice(line, edits)


def _with_confidences(old: Picture, new: Picture) -> tuple[Box, ...]:
    """Return the new boxes; one that was there keeps its confidence, others get 0 where any has one."""
    known = {(box.class_index, box.left, box.top, box.width, box.height): box.confidence for box in old.boxes}
    others = 0.0 if any(confidence is not None for confidence in known.values()) else None

    def confidence(box: Box) -> float | None:
        if box.confidence is not None:
            return box.confidence
        return known.get((box.class_index, box.left, box.top, box.width, box.height), others)

    return tuple(replace(box, confidence=confidence(box)) for box in new.boxes)


class _Keys:
    """Which line has the picture of a key; 16 bytes a line, and none for keys that are the line's number."""

    def __init__(self, keys: Iterable[tuple[int, str]]) -> None:
        hashes, numbers, plain = array("Q"), array("q"), array("q")
        for number, key in keys:
            if key == str(number):
                plain.append(number)
            else:
                hashes.append(_hash(key))
                numbers.append(number)
        found = np.frombuffer(hashes, np.uint64)
        order = np.argsort(found, kind="stable")
        self._hashes: NDArray[np.uint64] = found[order]
        self._numbers: NDArray[np.int64] = np.frombuffer(numbers, np.int64)[order]
        self._plain: NDArray[np.int64] = np.sort(np.frombuffer(plain, np.int64))
        self._placed: NDArray[np.int64] = np.sort(np.concatenate((self._plain, self._numbers)))

    def number(self, key: str) -> int | None:
        """Return the line whose picture has a key; None for a picture that no line had."""
        if key.isascii() and key.isdecimal() and len(key) < 16 and _is_in(int(key), self._plain):
            return int(key)
        at = int(np.searchsorted(self._hashes, np.uint64(_hash(key))))
        known = at < len(self._hashes) and int(self._hashes[at]) == _hash(key)
        return int(self._numbers[at]) if known else None

    @property
    def last(self) -> int:
        """The highest number of a line whose picture was in the output."""
        return int(self._placed[-1]) if len(self._placed) else 0

    def has(self, number: int) -> bool:
        """Say whether the picture of a line was in the output."""
        return _is_in(number, self._placed)


def _name(key: str) -> str:
    return key.rpartition("/")[2]


def _is_in(number: int, values: NDArray[np.int64]) -> bool:
    at = int(np.searchsorted(values, number))
    return at < len(values) and int(values[at]) == number


def _hash(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "little")


class _Found:
    """The pictures of a part, in a file in the order in which they were found; 8 bytes a line in memory."""

    def __init__(self, spool: IO[bytes], keys: _Keys) -> None:
        self.keys, self._spool = keys, spool
        self._places = array("q", bytes(8 * (keys.last + 1)))
        self._new = array("q")

    @property
    def news(self) -> int:
        """How many pictures no line had."""
        return len(self._new)

    def add(self, picture: Picture) -> None:
        """Keep a picture."""
        number = self.keys.number(picture.key or str(picture.number))
        place = self._spool.tell() + 1
        if number is not None and self._place(number):
            number = None  # a second one of the key
        if number is None:
            self._new.append(place)
        else:
            self._places[number] = place
        pickle.dump(picture, self._spool)

    def find_moved(self, keys: Iterable[tuple[int, str]]) -> None:
        """Find new pictures that have the name of one that has gone: files moved to another folder."""
        if not self._new:
            return
        gone = ((number, key) for number, key in keys if not self._place(number))
        by_name: dict[str, list[int]] = {}
        for number, key in gone:
            by_name.setdefault(_name(key), []).append(number)
        stay = array("q")
        for place in self._new:
            numbers = by_name.pop(_name(self._at(place).key), ())
            if len(numbers) == 1:
                self._places[numbers[0]] = place
            else:
                stay.append(place)
        self._new = stay

    def picture(self, number: int) -> Picture | None:
        """Return the picture of a line; None for one that has gone."""
        place = self._place(number)
        return self._at(place) if place else None

    def new(self) -> Iterator[Picture]:
        """Yield the pictures that no line had."""
        return map(self._at, self._new)

    def _place(self, number: int) -> int:
        return self._places[number]

    def _at(self, place: int) -> Picture:
        self._spool.seek(place - 1)
        picture: Picture = pickle.load(self._spool)  # written by this process, into a file without a name
        return picture

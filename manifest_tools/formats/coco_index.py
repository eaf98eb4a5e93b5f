"""Where the labels of each picture stand in a COCO file, of any size and in any order.

One pass checks every element and keeps its place: 12 bytes an annotation and 20 an image. The elements are
read again when they are wanted.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Generic, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.errors import BadData
from manifest_tools.base.text import clipped, shown
from manifest_tools.formats.coco_file import EMPTY, Annotation, Category, Id, Image, Label, outline_of
from manifest_tools.groundtruth.rows import reason
from manifest_tools.io.json_members import Elements, Value, object_members
from manifest_tools.io.sources import Source

T = TypeVar("T")

MOST = 1 << 25
"""Images, or annotations, of a file: their places take a gigabyte while they are sorted."""

_MOST_CATEGORIES = 1 << 16
_ARRAYS = ("images", "annotations")


@dataclass(frozen=True, slots=True)
class Spans:
    """Places of elements in a file."""

    starts: NDArray[np.int64]
    lengths: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, which: Any) -> "Spans":
        return Spans(self.starts[which], self.lengths[which])


@dataclass(slots=True)
class Index:
    """What one pass over a file has found."""

    where: str
    """What messages call the file."""

    path: str
    """The file itself, on this disk."""

    categories: list[Category]
    stated: Label | None
    images: Spans
    labels: Spans
    """Annotations without crowds, sorted by image."""

    first: NDArray[np.int64]
    """For each image, and once more, how many annotations the images before it have."""

    boxed: NDArray[np.bool_]
    """Which annotations have a box, or a polygon that makes one."""

    runs: NDArray[np.bool_]
    """Which annotations have a run-length mask."""

    shaped: NDArray[np.bool_]
    """Which annotations have a run-length mask or polygons."""

    lost: dict[str, int]

    def leave_out(self, left_out: NDArray[np.bool_]) -> None:
        """Leave annotations out."""
        kept = ~left_out
        before = np.concatenate(([0], np.cumsum(kept)))
        self.labels, self.first = self.labels[kept], before[self.first]
        self.boxed, self.runs, self.shaped = self.boxed[kept], self.runs[kept], self.shaped[kept]


def index_of(where: str, source: Source) -> Index:
    """Read a whole file; ``source`` is on this disk. Raises BadData for one that is no COCO, or odd."""
    found = _Scan(where, source.uri)
    for member in object_members(f"{where}: expected a COCO file", source.chunks(), _ARRAYS):
        found.take(member)
    return found.finish()


class _Column:
    """Numbers of one kind that come in pieces."""

    def __init__(self, dtype: Any) -> None:
        self.pieces: list[NDArray[Any]] = [np.empty(0, dtype)]

    def add(self, piece: NDArray[Any]) -> None:
        self.pieces.append(piece.astype(self.pieces[0].dtype, copy=False))

    def whole(self) -> NDArray[Any]:
        """Return them all; after that they are gone from here."""
        found: NDArray[Any] = np.concatenate(self.pieces)
        self.pieces = self.pieces[:1]
        return found


class _Elements(Generic[T]):
    """The elements of an array, as far as they are kept."""

    def __init__(self, where: str, what: str, kind: Any) -> None:
        self.where, self.what, self.count = where, what, 0
        self.decoder: msgspec.json.Decoder[list[T]] = msgspec.json.Decoder(list[kind])
        self.starts, self.lengths, self.keys = _Column(np.int64), _Column(np.int32), _Column(np.uint64)

    def decode(self, elements: Elements) -> list[T]:
        """Return elements, of which place and id are kept."""
        found = self._decoded(elements)
        self.count += len(found)
        if self.count > MOST:
            raise BadData(f"{self.where}: expected at most {MOST:,} {self.what}s; cut the file into parts")
        self.starts.add(elements.starts)
        self.lengths.add(elements.ends - elements.starts)
        return found

    def _decoded(self, elements: Elements) -> list[T]:
        try:
            return self.decoder.decode(elements.text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            before = int(elements.starts[0]) - 1
            for number, (start, end) in enumerate(
                zip(elements.starts, elements.ends, strict=True), self.count + 1
            ):
                element = elements.text[int(start) - before : int(end) - before]
                try:
                    self.decoder.decode(b"[" + element + b"]")
                except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as inner:
                    raise not_coco(self.where, f"{self.what} {number:,}", element, inner) from inner
            raise not_coco(self.where, f"the {self.what}s", elements.text, error) from error

    def spans(self) -> Spans:
        """Return where they stand."""
        return Spans(self.starts.whole(), self.lengths.whole())


def not_coco(where: str, what: str, text: bytes, error: Exception) -> BadData:
    """Return the error for a text in a file that is no part of a COCO file."""
    said = (
        reason(text[:100], error).replace("$[0]", "$").removesuffix(" - at $").replace("Object ", "object ")
    )
    return BadData(f"{where}: expected a COCO file; {what}: {said}")


class _Images(_Elements[Image]):
    def __init__(self, where: str) -> None:
        super().__init__(where, "image", Image)

    def add(self, elements: Elements) -> None:
        self.keys.add(id_keys([image.id for image in self.decode(elements)]))


class _Annotations(_Elements[Annotation]):
    def __init__(self, where: str) -> None:
        super().__init__(where, "annotation", Annotation)
        self.own = _Column(np.uint64)
        self.flags = _Column(np.uint8)
        self.categories: dict[int, int] = {}
        """Category id -> number of the first annotation that has it."""

    def add(self, elements: Elements) -> None:
        """Take annotations."""
        before = self.count
        found = self.decode(elements)
        self.keys.add(id_keys([one.image_id for one in found]))
        self.own.add(id_keys([one.id for one in found]))
        self.flags.add(np.array([self._flags(number, one) for number, one in enumerate(found, before + 1)]))
        categories = [one.category_id for one in found]
        if set(categories) - self.categories.keys():
            for number, category in enumerate(categories, before + 1):
                self.categories.setdefault(category, number)
        if len(self.categories) > _MOST_CATEGORIES:
            raise BadData(f"{self.where}: expected at most {_MOST_CATEGORIES:,} categories, found more")

    def _flags(self, number: int, one: Annotation) -> int:
        """Return what an annotation has."""
        flags = _BOXED if one.bbox is not None else 0
        if bytes(one.keypoints) not in EMPTY:
            flags |= _KEYPOINTS
        if one.iscrowd:
            return flags | _CROWD
        text = bytes(one.segmentation)
        if text in EMPTY:
            return flags
        if text[:1] == b"{":
            return flags | _RUNS
        try:
            return flags | (_BOXED | _POLYGONS if outline_of(one) else _NO_POLYGONS)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise not_coco(self.where, f"annotation {number:,}: segmentation", text, error) from error


_CROWD, _BOXED, _POLYGONS, _RUNS, _KEYPOINTS, _NO_POLYGONS = 1, 2, 4, 8, 16, 32
_LOST = ((_CROWD, "crowd regions"), (_KEYPOINTS, "sets of keypoints"), (_NO_POLYGONS, "outlines of no area"))


@dataclass(slots=True)
class _Scan:
    """What is known of a file so far."""

    where: str
    path: str
    categories: list[Category] | None = None
    stated: Label | None = None
    images: _Images | None = None
    annotations: _Annotations | None = None

    def take(self, member: Value | Elements) -> None:
        """Take a member of the file."""
        if isinstance(member, Elements):
            if member.key == "images":
                self.images = self.images or _Images(self.where)
                self.images.add(member)
            else:
                self.annotations = self.annotations or _Annotations(self.where)
                self.annotations.add(member)
        elif member.key == "categories":
            self.categories = self._decoded(member, list[Category])
        elif member.key == "ground_truth":
            self.stated = self._decoded(member, Label | None)
        else:
            self._decoded(member, msgspec.Raw)

    def _decoded(self, member: Value, kind: Any) -> Any:
        try:
            return msgspec.json.decode(member.text, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise not_coco(self.where, clipped(member.key), member.text, error) from error

    def finish(self) -> Index:
        """Check what can be checked when the whole file is known, and sort the annotations by image."""
        images, annotations, categories = self.images, self.annotations, self.categories
        for key, found in (("images", images), ("annotations", annotations), ("categories", categories)):
            if found is None:
                raise BadData(f"{self.where}: expected a COCO file, found none of its {key}")
        assert images is not None and annotations is not None and categories is not None
        if not images.count and self.stated is None:  # ours may be a part without a picture
            raise BadData(f"{self.where}: expected images, found none")
        flags = annotations.flags.whole()
        image_spans, label_spans = images.spans(), annotations.spans()
        keys, order = _sorted(images.keys.whole())
        self._check_once("image", keys, order, image_spans, Image)
        self._check_once("annotation", *_sorted(annotations.own.whole()), label_spans, Annotation)
        places = order[self._found(annotations.keys.whole(), keys, label_spans)]
        self._check_categories(annotations, categories)
        lost = {what: count for bit, what in _LOST if (count := int(np.count_nonzero(flags & bit)))}
        by_image = np.flatnonzero(flags & _CROWD == 0)
        if (places[by_image][1:] < places[by_image][:-1]).any():
            by_image = by_image[np.argsort(places[by_image], kind="stable")]
        counts = np.bincount(places[by_image], minlength=images.count)
        flags = flags[by_image]
        return Index(
            self.where,
            self.path,
            categories,
            self.stated,
            image_spans,
            label_spans[by_image],
            np.concatenate(([0], np.cumsum(counts))),
            flags & _BOXED != 0,
            flags & _RUNS != 0,
            flags & (_POLYGONS | _RUNS) != 0,
            lost,
        )

    def _check_once(
        self, what: str, keys: NDArray[np.uint64], order: NDArray[np.int64], spans: Spans, kind: Any
    ) -> None:
        again = np.flatnonzero((keys[1:] == keys[:-1]) & (keys[1:] != _NO_ID))
        if again.size:
            (element,) = read_elements(self.path, spans[order[again + 1].min(keepdims=True)], kind)
            raise BadData(
                f"{self.where}: the {what} id {shown(element.id)} is there twice; each needs its own"
            )

    def _found(self, wanted: NDArray[np.uint64], keys: NDArray[np.uint64], spans: Spans) -> NDArray[np.int64]:
        """Return where the image of each annotation stands among the sorted ``keys``."""
        found = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        absent = np.flatnonzero(keys[found] != wanted)
        if absent.size:
            (element,) = read_elements(self.path, spans[absent[:1]], Annotation)
            what = f"annotation {int(absent[0]) + 1:,}: there is no image {shown(element.image_id)}"
            raise BadData(f"{self.where}: {what}")
        return found

    def _check_categories(self, annotations: _Annotations, categories: Sequence[Category]) -> None:
        unknown = annotations.categories.keys() - {category.id for category in categories}
        if unknown:
            first = min(unknown, key=annotations.categories.__getitem__)
            number = annotations.categories[first]
            raise BadData(f"{self.where}: annotation {number:,}: there is no category {first}")


def _sorted(keys: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    if (keys[1:] > keys[:-1]).all():  # as most files have them
        return keys, np.arange(len(keys))
    order = np.argsort(keys, kind="stable")
    return keys[order], order


_NO_ID = np.uint64(2**64 - 1)
_HALF = 2**62


def id_keys(ids: Sequence[Id | None]) -> NDArray[np.uint64]:
    """Return a number for each id: another one for another id, and ``2**64 - 1`` for none.

    Strings, and numbers that are too large, are hashed into the upper half.

    >>> [hex(key) for key in id_keys([1, -1]).tolist()]
    ['0x4000000000000001', '0x3fffffffffffffff']
    """
    if set(map(type, ids)) <= {int}:
        try:
            found = np.array(ids, np.int64)
            if not found.size or (found.min() >= -_HALF and found.max() < _HALF):
                return (found + _HALF).astype(np.uint64)
        except OverflowError:
            pass
    return np.array([_key(one) for one in ids], np.uint64)


def _key(one: Id | None) -> int:
    if one is None:
        return int(_NO_ID)
    if isinstance(one, int) and -_HALF <= one < _HALF:
        return one + _HALF
    digest = blake2b(repr(one).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1 | 1 << 63


# ---- reading again ----

_LEAST = 24  # bytes of the smallest annotation, and of the smallest image; less are a comma and blanks


def read_elements(path: str, spans: Spans, kind: type[T]) -> list[T]:
    """Return elements that were read before, in the order of ``spans``; those that stand together at once."""
    if not len(spans):
        return []
    starts, ends = spans.starts, spans.starts + spans.lengths
    gaps = starts[1:] - ends[:-1]
    breaks = np.flatnonzero((gaps < 1) | (gaps >= _LEAST)) + 1
    firsts, lasts = [0, *breaks.tolist()], [*breaks.tolist(), len(spans)]
    pieces = []
    with open(path, "rb", buffering=0) as file:
        for first, last in zip(firsts, lasts, strict=True):
            start, end = int(starts[first]), int(ends[last - 1])
            pieces.append(os.pread(file.fileno(), end - start, start))
    found: list[T] = msgspec.json.decode(b"[" + b",".join(pieces) + b"]", type=list[kind])  # type: ignore[valid-type]
    if len(found) != len(spans):
        raise ValueError(f"expected {len(spans):,} elements, found {len(found):,}")
    return found

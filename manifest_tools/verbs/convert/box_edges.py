"""Boxes that are over the edge of their picture, or of no size: counted always, cut off when told."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from msgspec.structs import replace

from manifest_tools.base.parallel import Jobs
from manifest_tools.base.text import counted
from manifest_tools.groundtruth.annotations import Batch, Box, Picture, Pictures

R = TypeVar("R")


@dataclass(slots=True)
class EdgeCounts:
    """How many boxes are odd."""

    over: int = 0
    """Over an edge of their picture, where its size is known."""

    empty: int = 0
    """Without width or height."""

    def add(self, picture: Picture) -> None:
        """Count the odd boxes of a picture."""
        for box in picture.boxes:
            self.empty += box.width <= 0 or box.height <= 0
            self.over += picture.size is not None and _is_over(box, picture.size)

    def remarks(self, clip: bool) -> list[str]:
        """Return what is to be said, a sentence each."""
        found = []
        if self.over:
            how = "cut off there" if clip else _as_written(self.over, "many readers refuse {}: type --clip")
            found.append(f"{counted(self.over, 'box')} over the edge of the picture, {how}")
        if self.empty:
            how = "left out" if clip else _as_written(self.empty, "type --clip to leave {} out")
            found.append(f"{counted(self.empty, 'box')} without width or height, {how}")
        return found


def _as_written(count: int, what: str) -> str:
    are, them = ("it is", "it") if count == 1 else ("they are", "them")
    return f"written as {are}; {what.format(them)}"


@dataclass(slots=True)
class WatchedBoxes(Pictures):
    """Pictures whose odd boxes are counted as they are read, and cut off at the edges where that was told."""

    pictures: Pictures
    clip: bool
    counts: EdgeCounts = field(default_factory=EdgeCounts)
    """Of the last time that all pictures were read."""

    def __iter__(self) -> Iterator[Picture]:
        self.counts = EdgeCounts()
        for picture in self.pictures:
            self.counts.add(picture)
            yield clipped_to(picture) if self.clip else picture

    def map(self, task: Callable[[Batch], R], jobs: Jobs = None) -> Iterator[R]:
        """Yield ``task`` of every batch, in order, as the pictures themselves do."""
        self.counts = EdgeCounts()
        for counts, result in self.pictures.map(_Watching(task, self.clip), jobs):
            self.counts.over += counts.over
            self.counts.empty += counts.empty
            yield result

    def folder(self) -> str:
        """Return the deepest folder that all pictures share."""
        return self.pictures.folder()


@dataclass(frozen=True, slots=True)
class _Watching(Generic[R]):
    task: Callable[[Batch], R]
    clip: bool

    def __call__(self, batch: Batch) -> tuple[EdgeCounts, R]:
        counts = EdgeCounts()
        for picture in batch.pictures:
            counts.add(picture)
        pictures = [*map(clipped_to, batch.pictures)] if self.clip else batch.pictures
        return counts, self.task(Batch(pictures, batch.labels_before))


def clipped_to(picture: Picture) -> Picture:
    """Return a picture with its boxes cut off at its edges; what is left of none is left out.

    >>> odd = (Box(0, -2, 8, 5, 5), Box(0, 3, 3, 0, 1))
    >>> clipped_to(Picture(1, "1.jpg", size=(10, 10), boxes=odd)).boxes
    (Box(class_index=0, left=0, top=8, width=3, height=2, confidence=None, outline=()),)
    """
    if picture.size is None or not any(_is_odd(box, picture.size) for box in picture.boxes):
        return picture
    boxes = (_clipped(box, *picture.size) for box in picture.boxes)
    return replace(picture, boxes=tuple(box for box in boxes if box.width > 0 and box.height > 0))


def _is_odd(box: Box, size: tuple[float, float]) -> bool:
    return box.width <= 0 or box.height <= 0 or _is_over(box, size)


def _is_over(box: Box, size: tuple[float, float]) -> bool:
    width, height = size
    return box.left < 0 or box.top < 0 or box.left + box.width > width or box.top + box.height > height


def _clipped(box: Box, width: float, height: float) -> Box:
    if not _is_over(box, (width, height)):
        return box
    left, top = max(box.left, 0), max(box.top, 0)
    right, bottom = min(box.left + box.width, width), min(box.top + box.height, height)
    outline = tuple(
        tuple(min(max(value, 0), (width, height)[at % 2]) for at, value in enumerate(polygon))
        for polygon in box.outline
    )
    return replace(box, left=left, top=top, width=right - left, height=bottom - top, outline=outline)

"""Examples as columns: 32 bytes for each, and those of its source-ref."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled line."""

    number: int
    """The number of the line, from 1."""
    ref: str
    """The ``source-ref``; empty where the line has none."""
    classes: tuple[int, ...]
    """Class indices."""


@dataclass(frozen=True, slots=True)
class Columns(Sequence[Example]):
    """A sequence of examples, each of which is made when it is read."""

    numbers: NDArray[np.int64]
    """``(examples,)``: line numbers, from 1."""
    refs: bytes
    """The refs of all examples in UTF-8, one after the other."""
    ref_ends: NDArray[np.int64]
    """``(examples,)``: where the ref of each example ends in ``refs``."""
    classes: NDArray[np.int32]
    """``(classes of all examples,)``: class indices, example after example."""
    class_ends: NDArray[np.int64]
    """``(examples,)``: where the classes of each example end in ``classes``."""

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, at: int) -> Example: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Example]: ...
    def __getitem__(self, at: int | slice) -> Example | Sequence[Example]:
        if isinstance(at, slice):
            return [self[position] for position in range(*at.indices(len(self)))]
        at = range(len(self))[at]
        start, end = (int(self.ref_ends[at - 1]) if at else 0), int(self.ref_ends[at])
        first, last = (int(self.class_ends[at - 1]) if at else 0), int(self.class_ends[at])
        ref = self.refs[start:end].decode("utf-8", "surrogatepass")
        return Example(int(self.numbers[at]), ref, tuple(self.classes[first:last].tolist()))

    def __iter__(self) -> Iterator[Example]:
        return (self[at] for at in range(len(self)))


def columns(examples: Iterable[Example]) -> Columns:
    """Return examples as columns.

    >>> list(columns([Example(1, "s3://b/k", (0,))]))
    [Example(number=1, ref='s3://b/k', classes=(0,))]
    """
    numbers: list[int] = []
    refs: list[bytes] = []
    classes: list[int] = []
    counts: list[int] = []
    for example in examples:
        numbers.append(example.number)
        refs.append(example.ref.encode("utf-8", "surrogatepass"))
        classes += example.classes
        counts.append(len(example.classes))
    ends = np.cumsum([len(ref) for ref in refs], dtype=np.int64)
    return Columns(
        np.array(numbers, np.int64),
        b"".join(refs),
        ends,
        np.array(classes, np.int32),
        np.cumsum(counts, dtype=np.int64),
    )


def joined(parts: Sequence[tuple[int, Columns]]) -> Columns:
    """Return several columns as one; each comes with a number that is added to its line numbers."""
    if not parts:
        return columns(())
    refs = [len(part.refs) for _, part in parts]
    classes = [len(part.classes) for _, part in parts]
    return Columns(
        np.concatenate([part.numbers + first for first, part in parts]),
        b"".join(part.refs for _, part in parts),
        _later([part.ref_ends for _, part in parts], refs),
        np.concatenate([part.classes for _, part in parts]),
        _later([part.class_ends for _, part in parts], classes),
    )


def _later(ends: list[NDArray[np.int64]], lengths: list[int]) -> NDArray[np.int64]:
    starts = np.cumsum([0, *lengths[:-1]])
    return np.concatenate([end + start for end, start in zip(ends, starts.tolist(), strict=True)])

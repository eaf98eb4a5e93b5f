"""The labelled lines of a manifest, kept small: the bytes of their source-refs, and 32 more for each."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled line: its number from 1, the picture that it names, its class indices."""

    number: int
    ref: str
    classes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Columns(Sequence[Example]):
    """Examples by column; each is made when it is asked for.

    ``refs`` are the UTF-8 bytes of all refs one behind the other, ``ref_ends`` where each ends; ``classes``
    and ``class_ends`` likewise.
    """

    numbers: NDArray[np.int64]
    refs: bytes
    ref_ends: NDArray[np.int64]
    classes: NDArray[np.int32]
    class_ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, at: int) -> Example: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Example]: ...
    def __getitem__(self, at: int | slice) -> Example | Sequence[Example]:
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(len(self)))]
        at = range(len(self))[at]
        start, end = (int(self.ref_ends[at - 1]) if at else 0), int(self.ref_ends[at])
        first, last = (int(self.class_ends[at - 1]) if at else 0), int(self.class_ends[at])
        ref = self.refs[start:end].decode("utf-8", "surrogatepass")
        return Example(int(self.numbers[at]), ref, tuple(self.classes[first:last].tolist()))

    def __iter__(self) -> Iterator[Example]:
        return (self[at] for at in range(len(self)))


def columns(examples: Iterable[Example]) -> Columns:
    """Return examples by column.

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
    """Return several runs of examples as one; each comes with what is to be added to its numbers."""
    if not parts:
        return columns(())
    refs = [len(part.refs) for _, part in parts]
    classes = [len(part.classes) for _, part in parts]
    return Columns(
        np.concatenate([part.numbers + first for first, part in parts]),
        b"".join(part.refs for _, part in parts),
        _moved([part.ref_ends for _, part in parts], refs),
        np.concatenate([part.classes for _, part in parts]),
        _moved([part.class_ends for _, part in parts], classes),
    )


def _moved(ends: list[NDArray[np.int64]], lengths: list[int]) -> NDArray[np.int64]:
    starts = np.cumsum([0, *lengths[:-1]])
    return np.concatenate([end + start for end, start in zip(ends, starts.tolist(), strict=True)])

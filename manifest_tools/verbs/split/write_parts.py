"""Writes the lines of one manifest into several files at once: each worker at its own offsets."""

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.local_files import copy_stream, process_prefix
from manifest_tools.base.parallel import Jobs, run
from manifest_tools.io.byte_ranges import runs
from manifest_tools.io.sinks import Publication
from manifest_tools.io.sources import Block, Source

NO_PART = 255
"""The part of a line that is written nowhere."""


@dataclass(frozen=True, slots=True)
class _Task:
    """The work for one block: which of its lines go into which file, and at which offset."""

    block: Block

    lengths: NDArray[np.uint32]
    """``(lines,)``: bytes, with the line end."""

    parts: NDArray[np.uint8]
    """``(lines,)``: an index into ``files``, or NO_PART."""

    offsets: NDArray[np.int64]
    """Where the bytes go: ``(files,)``, or ``(lines,)`` if ``scattered``."""

    files: tuple[str, ...]

    scattered: bool
    """Whether the order of the lines changes, so that each is written at its own offset."""


def write_parts(
    source: Source,
    lengths: NDArray[np.uint32],
    parts: NDArray[np.uint8],
    targets: Sequence[str],
    publication: Publication,
    ranks: NDArray[np.uint64] | None = None,
    jobs: Jobs = None,
) -> str:
    """Write every line to the target that ``parts`` names by index; return the SHA-256 of the input.

    ``lengths``, ``parts`` and ``ranks`` are ``(lines,)``. Lines keep the order of the input, or are sorted by
    ``ranks``.
    """
    digest = hashlib.sha256()
    with contextlib.ExitStack() as stack:
        files = tuple(stack.enter_context(_plain_file(publication, target)) for target in targets)
        tasks = _tasks(source, lengths, parts, files, digest, ranks)
        for _ in run(_write, tasks, jobs):
            pass
    return digest.hexdigest()


@contextlib.contextmanager
def _plain_file(publication: Publication, target: str) -> Iterator[str]:
    """Yield the path of a local file to write at offsets; it becomes ``target`` or is copied into it."""
    stream = publication.open(target)
    direct = publication.temporary(target)
    if direct is not None:
        yield direct
        return
    import tempfile

    with tempfile.NamedTemporaryFile(prefix=process_prefix()) as plain:
        yield plain.name
        with open(plain.name, "rb") as written:
            copy_stream(written, stream)


def _tasks(
    source: Source,
    lengths: NDArray[np.uint32],
    parts: NDArray[np.uint8],
    files: tuple[str, ...],
    digest: "hashlib._Hash",
    ranks: NDArray[np.uint64] | None,
) -> Iterator[_Task]:
    """Yield the work for each block; reads the blocks, which gives the digest without another pass."""
    offsets = np.zeros(len(files), np.int64)
    scattered = None if ranks is None else _scatter(_as_written(source, lengths), parts, len(files), ranks)
    first = 0
    ends = np.cumsum(lengths, dtype=np.int64)
    for block in source.blocks():
        digest.update(block.read())
        last = int(np.searchsorted(ends, block.end, side="right"))
        here = parts[first:last]
        where = offsets.copy() if scattered is None else scattered[first:last]
        yield _Task(block, lengths[first:last], here, where, files, scattered is not None)
        sizes = np.bincount(here, weights=lengths[first:last], minlength=len(files))
        offsets += sizes[: len(files)].astype(np.int64)
        first = last


def _as_written(source: Source, lengths: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the lengths with a line end for the last line, which may lack one and is not last any more."""
    size = source.size or 0
    if Block(source.uri, size - 1, size, etag=source.etag).read() == b"\n":
        return lengths
    longer = lengths.copy()
    longer[-1] += 1
    return longer


def _scatter(
    lengths: NDArray[np.uint32], parts: NDArray[np.uint8], files: int, ranks: NDArray[np.uint64]
) -> NDArray[np.int64]:
    """Return the offset of every line in its file, ``(lines,)``; the lines of a file are sorted by rank."""
    offsets = np.zeros(len(parts), np.int64)
    for part in range(files):
        here = np.flatnonzero(parts == part)
        order = here[np.argsort(ranks[here], kind="stable")]
        ends = np.cumsum(lengths[order], dtype=np.int64)
        offsets[order] = ends - lengths[order]
    return offsets


def _write(task: _Task) -> None:
    data = memoryview(task.block.read())
    ends = np.cumsum(task.lengths, dtype=np.int64)
    starts = ends - task.lengths
    for part, name in enumerate(task.files):
        here = np.flatnonzero(task.parts == part)
        if not len(here):
            continue
        with open(name, "r+b", buffering=0) as file:
            if task.scattered:
                _write_scattered(file.fileno(), data, starts[here], ends[here], task.offsets[here])
            else:
                _write_run(file.fileno(), data, starts[here], ends[here], int(task.offsets[part]))


def _write_run(
    file: int, data: memoryview, starts: NDArray[np.int64], ends: NDArray[np.int64], offset: int
) -> None:
    """Write lines one after the other."""
    begins, stops = runs(starts, ends)
    pairs = zip(begins.tolist(), stops.tolist(), strict=True)
    _write_all(file, b"".join([data[begin:stop] for begin, stop in pairs]), offset)


def _write_scattered(
    file: int,
    data: memoryview,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    offsets: NDArray[np.int64],
) -> None:
    for start, end, offset in zip(starts.tolist(), ends.tolist(), offsets.tolist(), strict=True):
        line = bytes(data[start:end])
        _write_all(file, line if line.endswith(b"\n") else line + b"\n", offset)


def _write_all(file: int, data: bytes, offset: int) -> None:
    written = os.pwrite(file, data, offset)
    while written < len(data):
        written += os.pwrite(file, data[written:], offset + written)

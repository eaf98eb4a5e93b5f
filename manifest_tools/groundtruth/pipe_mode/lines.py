"""The lines that ``pipe`` sends: checked before the first byte is sent, then read in order or shuffled."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.errors import BadData
from manifest_tools.base.hashing import mix
from manifest_tools.base.parallel import Jobs
from manifest_tools.groundtruth.pipe_mode.payloads import REF, texts
from manifest_tools.groundtruth.rows import BadLine, line_offsets
from manifest_tools.groundtruth.scan import scan
from manifest_tools.images.paths import bucket_of
from manifest_tools.io.sources import Block, Source

NumberedLine = tuple[int, bytes]
"""A line with its number, from 1."""


@dataclass(slots=True)
class Checked:
    """What the check of a manifest, or of a block, finds."""

    lines: int
    """Lines, blank ones included."""
    samples: int = 0
    """Lines that are not blank; each becomes a sample."""
    starts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """``(lines,)``: the byte offset of every line, blank ones included; empty where nothing is shuffled."""
    ends: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The first and the last object of each bucket, in the order of keys; ``image_paths`` needs no more."""

    @property
    def refs(self) -> list[str]:
        """The objects of ``ends``."""
        return [ref for pair in self.ends.values() for ref in pair]

    def add(self, ref: str) -> None:
        """Add an object to ``ends``."""
        bucket = bucket_of(ref)
        low, high = self.ends.get(bucket, (ref, ref))
        self.ends[bucket] = min(low, ref), max(high, ref)


def check(source: Source, names: tuple[str, ...], shuffle: bool, jobs: Jobs) -> Checked:
    """Check every line; raises InvalidLine for a line without one of the attributes, BadData for no lines."""
    whole = Checked(0)
    starts: list[NDArray[np.int64]] = []
    for _, part in scan(source, partial(_check_block, names, shuffle), jobs):
        whole.samples += part.samples
        starts.append(part.starts)
        for ref in part.refs:
            whole.add(ref)
    if not whole.samples:
        raise BadData(f"{source.name}: expected lines to send, found none")
    whole.starts = np.concatenate(starts)
    return whole


def _check_block(names: tuple[str, ...], shuffle: bool, block: Block) -> Checked:
    data = block.read()
    starts, ends = line_offsets(data)
    part = Checked(len(starts))
    refs = [at for at, name in enumerate(names) if name.endswith(REF)]
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        line = data[start:end]
        if not line.strip():
            continue
        try:
            found = texts(line, names)
        except ValueError as error:
            raise BadLine(number, str(error)) from error
        part.samples += 1
        for at in refs:
            part.add(found[at])
    if shuffle:
        part.starts = starts + block.start
    return part


def in_order(source: Source) -> Iterator[NumberedLine]:
    """Yield the lines that are not blank, in the order of the manifest."""
    first = 1
    for block in source.blocks():
        data = block.read()
        starts, ends = line_offsets(data)
        for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True), first):
            if (line := data[start:end]).strip():
                yield number, line
        first += len(starts)


def shuffled(source: Source, starts: NDArray[np.int64], seed: int) -> Iterator[NumberedLine]:
    """Yield the lines that are not blank, shuffled by ``seed``; takes 16 bytes of memory for each line."""
    order = np.argsort(mix(starts.astype(np.uint64), seed))
    with _seekable(source) as file:
        for at in order:
            file.seek(int(starts[at]))
            if (line := file.readline()).strip():
                yield int(at) + 1, line


def _seekable(source: Source) -> BinaryIO:
    """Return the manifest as a file that can seek; an object on S3 is copied to this disk."""
    if not source.uri.startswith("s3://"):
        return open(source.uri, "rb")
    import tempfile

    file = tempfile.TemporaryFile(prefix="mtool-")  # noqa: SIM115 - closed by the caller
    for block in source.blocks():
        file.write(block.read())
    return cast(BinaryIO, file)

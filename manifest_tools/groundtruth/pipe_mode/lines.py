"""The lines that ``pipe`` sends: looked at before the first byte goes out, and then in their order."""

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

Numbered = tuple[int, bytes]
"""A line with its number, from 1."""


@dataclass(slots=True)
class Checked:
    """What a first look at the lines shows.

    ``ends`` has the lowest and the highest object of each bucket, which is all that ``image_paths`` looks at;
    ``starts`` the offset of every line, blank ones too, where lines are to be shuffled.
    """

    lines: int
    samples: int = 0
    starts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    ends: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def refs(self) -> list[str]:
        """The lowest and the highest object of each bucket."""
        return [ref for pair in self.ends.values() for ref in pair]

    def look_at(self, ref: str) -> None:
        """Remember an object, where it is the lowest or the highest of its bucket."""
        bucket = bucket_of(ref)
        low, high = self.ends.get(bucket, (ref, ref))
        self.ends[bucket] = min(low, ref), max(high, ref)


def check(source: Source, names: tuple[str, ...], shuffle: bool, jobs: Jobs) -> Checked:
    """Look at every line before the first byte goes out; raises InvalidLine where one lacks an attribute."""
    whole = Checked(0)
    starts: list[NDArray[np.int64]] = []
    for _, part in scan(source, partial(_check_block, names, shuffle), jobs):
        whole.samples += part.samples
        starts.append(part.starts)
        for ref in part.refs:
            whole.look_at(ref)
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
            part.look_at(found[at])
    if shuffle:
        part.starts = starts + block.start
    return part


def in_order(source: Source) -> Iterator[Numbered]:
    """Yield the lines that are not blank, as they stand."""
    first = 1
    for block in source.blocks():
        data = block.read()
        starts, ends = line_offsets(data)
        for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True), first):
            if (line := data[start:end]).strip():
                yield number, line
        first += len(starts)


def shuffled(source: Source, starts: NDArray[np.int64], seed: int) -> Iterator[Numbered]:
    """Yield the lines in the order of their mixed offsets: 16 bytes of memory a line, whatever its length."""
    order = np.argsort(mix(starts.astype(np.uint64), seed))
    with _seekable(source) as file:
        for at in order:
            file.seek(int(starts[at]))
            if (line := file.readline()).strip():
                yield int(at) + 1, line


def _seekable(source: Source) -> BinaryIO:
    """Return the manifest as a file to jump about in; an object is copied to this disk first."""
    if not source.uri.startswith("s3://"):
        return open(source.uri, "rb")
    import tempfile

    file = tempfile.TemporaryFile(prefix="mtool-")  # noqa: SIM115 - closed by who shuffles
    for block in source.blocks():
        file.write(block.read())
    return cast(BinaryIO, file)

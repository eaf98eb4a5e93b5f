"""Replaces one text by another, block by block: each worker writes at its own offset of the new file.

This is for the commonest rewrite, ``--lab``. If the new text is as long as the old one, a block keeps its
offset. Otherwise a first pass counts, which gives the offset of every block, and a second pass writes. Both
together take less time than sending the new bytes from process to process.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

from manifest_tools.base.parallel import Jobs, run
from manifest_tools.edits.rename import Placeholder
from manifest_tools.io.sources import Block, Source


@dataclass(frozen=True, slots=True)
class Substituted:
    """What changes in a block."""

    block: Block

    size: int
    """Bytes of the new block; -1 if a string has an escape, so that the bytes alone do not tell."""

    lines: int = 0
    """All lines, blank ones too."""

    changed: int = 0
    """Lines that change."""

    changes: tuple[tuple[int, bytes, bytes], ...] = ()
    """The first changed lines: number from 0, bytes before, bytes after."""


def substitute(
    source: Source, edit: Placeholder, path: str | None, shown: int, jobs: Jobs = None
) -> list[Substituted] | None:
    """Replace ``edit.old`` by ``edit.new``, and write the result into the file ``path`` if it is given.

    Returns None, and leaves the file empty, if a line has an escape and must be read as JSON.
    """
    at_once = path if len(edit.needle) == len(edit.new.encode()) else None
    blocks: list[Substituted] = []
    for found in run(partial(_count, edit, shown, at_once), source.blocks(), jobs):
        if found.size < 0:
            if at_once is not None:
                os.truncate(at_once, 0)
            return None
        blocks.append(found)
    if path is not None and at_once is None:
        for _ in run(partial(_write, edit, path), _with_offsets(blocks), jobs):
            pass
    return blocks


def _count(edit: Placeholder, shown: int, path: str | None, block: Block) -> Substituted:
    """Count what changes in a block; with a ``path``, for which no length may change, write it as well."""
    data = block.read()
    if edit.needs_lines(data):
        return Substituted(block, -1)
    new = edit.new.encode()
    if path is not None:
        _write_at(path, block.start, data.replace(edit.needle, new))
    lines = data.split(b"\n")
    holds = [edit.needle in line for line in lines]
    first = list(islice((number for number, changes in enumerate(holds) if changes), shown))
    changes = tuple((n, lines[n], lines[n].replace(edit.needle, new)) for n in first)
    longer = len(new) - len(edit.needle)
    size = len(data) + (longer * data.count(edit.needle) if longer and first else 0)
    return Substituted(block, size, len(lines) - (not lines[-1]), sum(holds), changes)


def _with_offsets(blocks: Iterable[Substituted]) -> Iterator[tuple[Block, int]]:
    offset = 0
    for found in blocks:
        yield found.block, offset
        offset += found.size


def _write(edit: Placeholder, path: str, task: tuple[Block, int]) -> None:
    block, offset = task
    _write_at(path, offset, block.read().replace(edit.needle, edit.new.encode()))


def _write_at(path: str, offset: int, data: bytes) -> None:
    view = memoryview(data)
    with open(path, "r+b", buffering=0) as file:
        file.seek(offset)
        while view:
            view = view[file.write(view) :]

"""Puts one text in the place of another, block by block, each worker at its own offset of the new file.

For the commonest rewrite, ``--lab``. Where the new text is as long as the old one, a block stays where it
was; otherwise a first pass counts, which gives every block its offset, and a second one writes. Even both
cost less than carrying the new bytes from process to process.
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
    """What a block holds: its lines, how many change, the first of them, and how long it will be.

    ``size`` is -1 where the bytes alone do not tell, because a string has an escape in it.
    """

    block: Block
    size: int
    lines: int = 0
    changed: int = 0
    changes: tuple[tuple[int, bytes, bytes], ...] = ()


def substitute(
    source: Source, edit: Placeholder, path: str | None, shown: int, jobs: Jobs = None
) -> list[Substituted] | None:
    """Replace ``edit.old`` by ``edit.new``, and write the result into the file ``path`` if there is one.

    Returns None, with the file empty again, where that needs a look into each line.
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
        for _ in run(partial(_write, edit, path), _placed(blocks), jobs):
            pass
    return blocks


def _count(edit: Placeholder, shown: int, path: str | None, block: Block) -> Substituted:
    """Look what a block holds; with a ``path``, where every line keeps its length, write it as well."""
    data = block.read()
    if edit.may_meet(data):
        return Substituted(block, -1)
    new = edit.new.encode()
    if path is not None:
        _write_at(path, block.start, data.replace(edit.needle, new))
    lines = data.split(b"\n")
    holds = [edit.needle in line for line in lines]
    first = list(islice((number for number, held in enumerate(holds) if held), shown))
    changes = tuple((n, lines[n], lines[n].replace(edit.needle, new)) for n in first)
    longer = len(new) - len(edit.needle)
    size = len(data) + (longer * data.count(edit.needle) if longer and first else 0)
    return Substituted(block, size, len(lines) - (not lines[-1]), sum(holds), changes)


def _placed(blocks: Iterable[Substituted]) -> Iterator[tuple[Block, int]]:
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

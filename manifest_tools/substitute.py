"""Puts one text in the place of another, block by block, each worker at its own offset of the new file.

For the commonest rewrite, ``--lab``: a first pass counts, which gives every block its offset, and a second
one writes. Both together cost less than carrying the new bytes from process to process.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from manifest_tools.edits import Placeholder
from manifest_tools.sources import Block, Source
from manifest_tools.work import Jobs, run


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

    Returns None, with nothing written, where that needs a look into each line.
    """
    blocks: list[Substituted] = []
    for found in run(partial(_count, edit, shown), source.blocks(), jobs):
        if found.size < 0:
            return None
        blocks.append(found)
    if path is not None:
        for _ in run(partial(_write, edit, path), _placed(blocks), jobs):
            pass
    return blocks


def _count(edit: Placeholder, shown: int, block: Block) -> Substituted:
    data = block.read()
    new = edit.new.encode()
    if edit.may_meet(data):
        return Substituted(block, -1)
    lines = data.split(b"\n")
    holds = [edit.needle in line for line in lines]
    first = [number for number, held in enumerate(holds) if held][:shown]
    changes = tuple((n, lines[n], lines[n].replace(edit.needle, new)) for n in first)
    longer = data.count(edit.needle) * (len(new) - len(edit.needle)) if first else 0
    total = len(lines) - (not lines[-1])
    return Substituted(block, len(data) + longer, total, sum(holds), changes)


def _placed(blocks: Iterable[Substituted]) -> Iterator[tuple[Block, int]]:
    offset = 0
    for found in blocks:
        yield found.block, offset
        offset += found.size


def _write(edit: Placeholder, path: str, task: tuple[Block, int]) -> None:
    block, offset = task
    data = memoryview(block.read().replace(edit.needle, edit.new.encode()))
    with open(path, "r+b", buffering=0) as file:
        file.seek(offset)
        while data:
            data = data[file.write(data) :]

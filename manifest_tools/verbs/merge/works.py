"""Divides the writing among workers: for every block the lines that stay, and what goes over which."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manifest_tools.io.sources import Block, Source
from manifest_tools.verbs.merge.attribute_map import Manifest
from manifest_tools.verbs.merge.candidates import Label
from manifest_tools.verbs.merge.gifts import Gifts
from manifest_tools.verbs.merge.places import Places
from manifest_tools.verbs.merge.settle import Settled
from manifest_tools.verbs.merge.write import Donor, Giver, Work


@dataclass(slots=True)
class Division:
    """All that the works are made from."""

    sources: Sequence[Source]
    inputs: Sequence[Manifest]
    where: Places
    labels: Sequence[Label]
    settled: Settled
    gifts: Gifts
    keep_left: bool

    def works(self) -> Iterator[Work]:
        """Yield the work of every block of every manifest, in order."""
        ends = [np.cumsum(one.remembered.lengths, dtype=np.int64) for one in self.inputs]
        for at, source in enumerate(self.sources):
            first = 0
            for block in source.blocks():
                last = int(np.searchsorted(ends[at], block.end, side="right"))
                yield self._work(at, block, slice(first, last), ends)
                first = last

    def _work(self, at: int, block: Block, lines: slice, ends: Sequence[NDArray[np.int64]]) -> Work:
        base = int(self.where.firsts[at])
        here = slice(base + lines.start, base + lines.stop)
        remembered = self.inputs[at].remembered
        kept = self.settled.kept[here]
        return Work(
            plan=at,
            first=lines.start + 1,
            block=block,
            lengths=remembered.lengths[lines],
            kept=kept,
            left=~kept & ~remembered.blank[lines] if self.keep_left else None,
            chosen={label.name: label.chosen[at][lines] for label in self.labels if at in label.chosen},
            donors=self._donors(here, ends),
            givers=self._givers(here, ends),
        )

    def _donors(self, here: slice, ends: Sequence[NDArray[np.int64]]) -> dict[int, list[Donor]]:
        """Return by line of the block whose labels go over it."""
        grafts = self.settled.grafts
        first, last = np.searchsorted(grafts.onto, (here.start, here.stop)).tolist()
        found: dict[int, list[Donor]] = {}
        for onto, of, role in zip(
            grafts.onto[first:last].tolist(),
            grafts.of[first:last].tolist(),
            grafts.role[first:last].tolist(),
            strict=True,
        ):
            donor = self._donor(of, self.labels[role].name, ends)
            found.setdefault(onto - here.start, []).append(donor)
        return found

    def _donor(self, line: int, role: str, ends: Sequence[NDArray[np.int64]]) -> Donor:
        giver = self._giver(line, ends)
        at, number = giver.plan, giver.number - 1
        chosen = {label.name: int(label.chosen[at][number]) for label in self.labels if at in label.chosen}
        return Donor(role, at, giver.number, giver.block, chosen)

    def _givers(self, here: slice, ends: Sequence[NDArray[np.int64]]) -> dict[int, list[Giver]]:
        """Return by line of the block whose other keys go on it."""
        first, last = np.searchsorted(self.gifts.onto, (here.start, here.stop)).tolist()
        onto, of = self.gifts.onto[first:last].tolist(), self.gifts.of[first:last].tolist()
        found: dict[int, list[Giver]] = {}
        for home, line in zip(onto, of, strict=True):
            found.setdefault(home - here.start, []).append(self._giver(line, ends))
        return found

    def _giver(self, line: int, ends: Sequence[NDArray[np.int64]]) -> Giver:
        at = self.where.manifest(line)
        number = line - int(self.where.firsts[at])
        end = int(ends[at][number])
        start, source = end - int(self.inputs[at].remembered.lengths[number]), self.sources[at]
        return Giver(at, number + 1, Block(source.uri, start, end, etag=source.etag))

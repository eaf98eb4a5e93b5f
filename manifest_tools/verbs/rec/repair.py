"""Cuts out of a ``.rec`` what is no whole record, or no picture that can be decoded."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from manifest_tools.base.arguments import AnyPath, as_text
from manifest_tools.base.errors import BadData
from manifest_tools.base.parallel import Jobs, Progress, no_progress, run
from manifest_tools.base.problem import Problem
from manifest_tools.io.record_list import RECORDS, stem
from manifest_tools.io.record_spans import Damage, Span, walk
from manifest_tools.io.seekable import Opened
from manifest_tools.io.sinks import Published, output_file, publishing
from manifest_tools.verbs.rec.outputs import Trio, check_replaceable, check_target
from manifest_tools.verbs.rec.picture_trouble import DESCRIPTION, inspect
from manifest_tools.verbs.rec.records import Places, list_beside, open_records, runs

_MOST = 1000  # cuts, and records left out, that are remembered; all are counted


@dataclass(frozen=True, slots=True)
class Cut:
    """Bytes that were left out."""

    offset: int
    end: int
    records_before: int
    reason: str


@dataclass(slots=True)
class Repaired:
    """What became of a damaged ``.rec``."""

    file: str
    records: int = 0
    """How many are kept."""

    cut_bytes: int = 0
    cuts: list[Cut] = field(default_factory=list)
    """What is no record, the first 1,000."""

    left_out: int = 0
    """Records whose picture cannot be decoded."""

    problems: list[Problem] = field(default_factory=list)
    """Why they are left out, the first 1,000."""

    outputs: tuple[Published, ...] = ()
    """Empty where nothing had to be cut, and for a dry run."""

    def cut(self, damage: Damage, before: int) -> None:
        """Remember damage behind so many records."""
        self.cut_bytes += damage.end - damage.offset
        if len(self.cuts) < _MOST:
            self.cuts.append(Cut(damage.offset, damage.end, before, damage.reason))


def rec_repair(
    file: AnyPath,
    output: AnyPath | None = None,
    *,
    decode: bool = False,
    dry_run: bool = False,
    force: bool = False,
    kms_key: str | None = None,
    jobs: Jobs = None,
    transfer: Progress = no_progress,
) -> Repaired:
    """Write the whole records of a damaged ``.rec`` into a new one, with its index and the rows of its list.

    ``decode`` leaves out records whose picture cannot be decoded as well. None for ``output`` is
    ``NAME-repaired.rec``; the file itself is replaced where its name is given, with ``force``. Where nothing
    has to be cut nothing is written. Raises BadData where no record is whole.
    """
    name = as_text(file)
    usual = f"{stem(name)}-repaired{RECORDS}"
    target = usual if output is None else output_file(as_text(output), usual)
    check_target(target, kms_key)
    with publishing(force=force, kms_key=kms_key) as publication, open_records(name) as opened:
        found, places = Repaired(name), Places()
        bad = _bad_records(opened, found, places, decode, jobs, transfer)
        everything = places.layout()
        wanted = np.ones(len(everything.ids), np.bool_)
        wanted[[number - 1 for number in bad]] = False
        kept = everything.take(wanted)
        found.records, found.left_out = len(kept.ids), len(bad)
        if not found.records:
            raise BadData(f"{name}: no record is whole, so nothing can be repaired")
        if dry_run or not (found.cut_bytes or bad):
            return found
        check_replaceable(target, kept.size, force)
        rows = list_beside(name)
        trio = Trio(publication, target, listed=rows is not None)
        for _ in transfer(trio.add(opened, kept, kept.keys(), rows), kept.size, "writing"):
            pass
    found.outputs = tuple(publication.published)
    return found


def _bad_records(
    opened: Opened, found: Repaired, places: Places, decode: bool, jobs: Jobs, transfer: Progress
) -> list[int]:
    """Find records and damage, and return the numbers of records with a picture that cannot be decoded."""
    bad: list[int] = []

    def seen() -> Iterator[Span | Damage]:
        for one in walk(opened.stream, opened.size):
            if isinstance(one, Span):
                places.add(one)
            yield one

    def sizes() -> Iterator[int]:
        batches = runs(opened, seen(), found.cut)
        if not decode:
            yield from (one.block.end - one.block.start for one in batches)
            return
        for inspected in run(partial(inspect, True, False), batches, jobs):
            for number, code, message in inspected.problems:
                if code != DESCRIPTION:
                    bad.append(number)
                    if len(found.problems) < _MOST:
                        found.problems.append(Problem(code, "error", found.file, number, "", message))
            yield inspected.size

    for _ in transfer(sizes(), opened.size, "reading"):
        pass
    return bad

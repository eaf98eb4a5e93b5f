"""Finds what is wrong with a ``.rec``: framing, headers, the ``.idx`` and ``.lst`` beside it, and pictures.

The codes are those of ``mtool validate``, which finds the same in files of a job; here every record is named.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from manifest_tools.base.arguments import AnyPath, as_text
from manifest_tools.base.parallel import Jobs, Progress, no_progress, run
from manifest_tools.base.problem import Problem, Severity
from manifest_tools.base.text import counted
from manifest_tools.io.record_list import INDEX, RecordList, beside, index_trouble
from manifest_tools.io.record_spans import Damage, Span, walk
from manifest_tools.io.seekable import Opened
from manifest_tools.verbs.rec.picture_trouble import DESCRIPTION, Inspected, inspect
from manifest_tools.verbs.rec.records import Places, list_beside, open_records, repeated, runs

NO_RECORDS, FRAMING, WRONG_INDEX, OTHER_LIST = "MT801", "MT802", "MT803", "MT814"
SEVERITIES: dict[str, Severity] = {DESCRIPTION: "warning", OTHER_LIST: "warning"}
"""Of codes that are no errors."""

_MOST_OF_A_CODE = 10_000  # problems that are remembered; all are counted


@dataclass(slots=True)
class Verified:
    """What a ``.rec`` was found to be."""

    file: str
    size: int
    """Bytes."""

    records: int = 0
    decoded: bool = False
    """Whether the pictures were decoded."""

    repeated: int | None = None
    """A number that several records have: a reader by key finds the last of them alone."""

    compared: tuple[str, ...] = ()
    """The index and the list that it was compared with."""

    problems: list[Problem] = field(default_factory=list)
    """By record, those of the file as a whole first; of each code the first 10,000."""

    counts: dict[str, int] = field(default_factory=dict)
    """How many problems each code has."""

    @property
    def errors(self) -> int:
        """How many problems are errors."""
        return sum(count for code, count in self.counts.items() if SEVERITIES.get(code, "error") == "error")

    @property
    def warnings(self) -> int:
        """How many problems are warnings."""
        return sum(self.counts.values()) - self.errors

    def add(self, code: str, number: int, message: str) -> None:
        """Remember a problem of a record, or with the number 0 of the file."""
        self.counts[code] = self.counts.get(code, 0) + 1
        if self.counts[code] <= _MOST_OF_A_CODE:
            severity = SEVERITIES.get(code, "error")
            self.problems.append(Problem(code, severity, self.file, number, "", message))


def rec_verify(
    file: AnyPath, *, decode: bool = False, jobs: Jobs = None, transfer: Progress = no_progress
) -> Verified:
    """Return every problem of a ``.rec``, and of the ``.idx`` and ``.lst`` of its name on this disk.

    ``decode`` reads each picture to its end, on all cores, and finds those that a reader would fail on.
    ``transfer`` shows the bytes that were read. Raises Refused for what is no file.
    """
    name = as_text(file)
    with open_records(name) as opened:
        state = _Verifying(Verified(name, opened.size, decoded=decode), list_beside(name))
        for _ in transfer(_inspect_all(opened, state, jobs), opened.size, "reading"):
            pass
    state.finish()
    return state.found


@dataclass(slots=True)
class _Verifying:
    found: Verified
    rows: RecordList | None
    places: Places = field(default_factory=Places)

    def seen(self, found: Iterator[Span | Damage]) -> Iterator[Span | Damage]:
        """Pass on what was found, and remember where records are."""
        for one in found:
            if isinstance(one, Span):
                self.places.add(one)
            yield one

    def damaged(self, damage: Damage, before: int) -> None:
        """Remember damage behind so many records."""
        message = f"damaged after {counted(before, 'record')}, at byte {damage.offset:,}: {damage.reason}"
        left = damage.end - damage.offset
        self.found.add(FRAMING, before + 1, f"{message}; {counted(left, 'byte')} that are no record")

    def add(self, inspected: Inspected) -> None:
        """Remember what a worker found, in the order of the records."""
        problems = list(inspected.problems)
        if self.rows is not None:
            compared = ((number, self.rows.compare(key, labels)) for number, key, labels in inspected.labels)
            problems += [(number, OTHER_LIST, why) for number, why in compared if why]
        for number, code, message in sorted(problems):
            self.found.add(code, number, message)

    def finish(self) -> None:
        """Compare what can be compared when all is read."""
        found = self.found
        places = self.places.layout()
        found.records = len(places.ids)
        if not found.records and FRAMING not in found.counts:
            found.add(NO_RECORDS, 0, f"expected records with a picture, found none in {found.size:,} bytes")
        if self.rows is not None and (alone := self.rows.alone())[1]:
            found.add(OTHER_LIST, 0, f"{alone[0]} ({counted(alone[1], 'row')})")
        index = beside(found.file, INDEX)
        if index is not None and (why := index_trouble(index, places.starts.astype(np.uint64), places.ids)):
            found.add(WRONG_INDEX, 0, f"{why}; mtool rec reindex makes a new one")
        found.problems.sort(key=lambda one: (one.line, one.code))
        found.repeated = repeated(places.ids)
        listed = None if self.rows is None else self.rows.path
        found.compared = tuple(path for path in (index, listed) if path is not None)


def _inspect_all(opened: Opened, state: _Verifying, jobs: Jobs) -> Iterator[int]:
    found = state.seen(walk(opened.stream, opened.size))
    task = partial(inspect, state.found.decoded, state.rows is not None)
    for inspected in run(task, runs(opened, found, state.damaged), jobs):
        state.add(inspected)
        yield inspected.size

"""Which lines a page asks for: filters over the columns of all manifests."""

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.hashing import hash_texts
from manifest_tools.groundtruth.marks import WHATS
from manifest_tools.verbs.look.choose import DOUBTFUL, Place
from manifest_tools.verbs.look.groups import by_picture
from manifest_tools.verbs.look.index import STATES
from manifest_tools.verbs.look.look import Looked

MOST = 200
"""Cards of one answer at most."""

_REMEMBERED = 4  # answers, of at most 8 bytes a line each: turning the page asks for the same lines again
_ANY_MARK = "any"
CONFLICT, REPEATED = "conflict", "repeated"
_SHOWS = ("", "doubtful", "problem", CONFLICT, REPEATED, *STATES)
_MARKS = ("", _ANY_MARK, *WHATS)

Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a page asks for; None and "" ask for all."""

    part: int | None = None
    class_: int | None = None
    job: int | None = None
    code: int | None = None
    low: float | None = None
    high: float | None = None
    show: str = ""
    mark: str = ""


def wanted(query: Mapping[str, str]) -> Wanted:
    """Return what the query of an address asks for; raises ValueError where it says something else."""
    part, class_, job, code = (_number(query, name) for name in ("part", "class", "job", "code"))
    low, high = (float(query[name]) if name in query else None for name in ("low", "high"))
    found = Wanted(part, class_, job, code, low, high, query.get("show", ""), query.get("mark", ""))
    if found.show not in _SHOWS or found.mark not in _MARKS:
        raise ValueError("there is no such filter")
    return found


def _number(query: Mapping[str, str], name: str) -> int | None:
    return int(query[name]) if name in query else None


@dataclass
class Matching:
    """The lines of all manifests, one manifest after the other, and the last few answers."""

    looked: Looked
    answers: OrderedDict[Wanted, Positions] = field(default_factory=OrderedDict)

    def page(
        self, wanted: Wanted, marked: Collection[str], offset: int, count: int
    ) -> tuple[int, list[Place]]:
        """Return how many lines match, and the places of ``count`` of them from ``offset`` on.

        ``marked`` are the sources of the marks that are asked for, and may be others the next time.
        """
        found = self.answers.get(wanted)
        if found is None or wanted.mark:
            found = self.answers[wanted] = self._matching(wanted, marked)
            while len(self.answers) > _REMEMBERED:
                self.answers.popitem(last=False)
        return len(found), [self._place(one) for one in found[offset : offset + count].tolist()]

    @cached_property
    def _firsts(self) -> Positions:
        """(manifests + 1,): where the lines of each manifest begin."""
        return np.cumsum([0, *(len(one.lines) for one in self.looked.indices)], dtype=np.int64)

    def _place(self, line: int) -> Place:
        part = int(np.searchsorted(self._firsts, line, side="right")) - 1
        return part, line - int(self._firsts[part])

    def _matching(self, wanted: Wanted, marked: Collection[str]) -> Positions:
        keep = np.concatenate([self._keep(part, wanted, marked) for part in range(len(self.looked.indices))])
        if wanted.show in (CONFLICT, REPEATED):
            lines = self._repeated[wanted.show]
            return np.compress(keep[lines], lines)
        found = np.flatnonzero(keep)
        if wanted.show == "doubtful":
            confidences = np.concatenate([one.lines["confidence"] for one in self.looked.indices])[found]
            found = found[np.argsort(confidences, kind="stable")]
        return found

    def _keep(self, part: int, wanted: Wanted, marked: Collection[str]) -> NDArray[np.bool_]:
        """Return which lines of a manifest match, but for those of ``_repeated``."""
        lines = self.looked.indices[part].lines
        keep = np.full(len(lines), wanted.part in (None, part))
        if wanted.class_ is not None:
            keep &= np.isin(lines["set"], self.looked.words.sets_with(wanted.class_))
        if wanted.job is not None:
            keep &= lines["job"] == wanted.job
        if wanted.low is not None:
            keep &= lines["confidence"] >= wanted.low
        if wanted.high is not None:
            keep &= lines["confidence"] <= wanted.high
        if wanted.show == "doubtful":
            keep &= (lines["confidence"] > 0) & (lines["confidence"] < DOUBTFUL)
        if wanted.show in STATES:
            keep &= lines["state"] == STATES.index(wanted.show)
        if wanted.show == "problem" or wanted.code is not None:
            keep &= np.isin(lines["number"], self._with_problem(part, wanted.code))
        if wanted.mark:
            keep &= np.isin(lines["key"], hash_texts(list(marked)))
        return keep

    def _with_problem(self, part: int, number: int | None) -> Positions:
        """Return the numbers of the lines with a problem of a code, or with any."""
        codes = self.looked.gallery().codes
        if number is not None and not 0 <= number < len(codes):
            return np.zeros(0, np.int64)
        return self.looked.problems[part].numbers_of(None if number is None else codes[number])

    @cached_property
    def _repeated(self) -> dict[str, Positions]:
        """The lines of pictures that are on several, one picture after the other."""
        found = by_picture(self.looked.indices)
        return {CONFLICT: found.lines(found.differ), REPEATED: found.lines(found.same)}

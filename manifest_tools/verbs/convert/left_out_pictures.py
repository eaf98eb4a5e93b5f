"""The pictures that a conversion leaves out: the first as problems, all as numbers, and lines for a file."""

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import IO

import msgspec

from manifest_tools.base.errors import BadData
from manifest_tools.base.problem import Problem
from manifest_tools.base.text import counted
from manifest_tools.verbs.convert.opening import LeftOut
from manifest_tools.verbs.convert.plan import ConversionPlan

MOST_PROBLEMS = 10_000
"""Problems that are remembered; more are only counted."""


class TooManyUnusable(BadData):
    """A conversion that was stopped, because more pictures could not be used than was agreed to."""

    def __init__(self, most: int, problems: Sequence[Problem]) -> None:
        super().__init__(
            f"--max-errors {most}: {counted(most + 1, 'picture')} could not be used, and nothing was written;"
            f" the last: {problems[-1] if problems else 'not remembered'}"
        )
        self.problems = tuple(problems)


@dataclass(slots=True)
class LeftOutPictures:
    """What is known of the pictures that are left out."""

    most: int | None = None
    """How many there may be."""

    spools: dict[str, "Spool"] | None = None
    """All of them, by part; None where nobody asks for more than the first."""

    problems: list[Problem] = field(default_factory=list)
    """The first of them."""

    by_code: Counter[str] = field(default_factory=Counter)

    def add(self, plan: ConversionPlan, found: LeftOut) -> None:
        """Remember a picture; raises TooManyUnusable for one too many."""
        self.by_code[found.code] += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(plan.problem(found.number, found.why, found.ref))
        if self.spools is not None:
            if plan.part not in self.spools:
                self.spools[plan.part] = Spool()
            self.spools[plan.part].add(found)
        if self.most is not None and self.by_code.total() > self.most:
            raise TooManyUnusable(self.most, self.problems)

    def close(self) -> None:
        """Remove the temporary files."""
        for spool in (self.spools or {}).values():
            spool.file.close()


@dataclass(slots=True)
class Spool:
    """Pictures that are left out, in a temporary file: 16 bytes of memory each."""

    file: IO[bytes] = field(default_factory=TemporaryFile)
    numbers: "array[int]" = field(default_factory=lambda: array("q"))
    offsets: "array[int]" = field(default_factory=lambda: array("q"))

    def add(self, found: LeftOut) -> None:
        """Write one down."""
        self.numbers.append(found.number)
        self.offsets.append(self.file.tell())
        self.file.write(msgspec.json.encode(found) + b"\n")

    def sorted(self) -> Iterator[LeftOut]:
        """Yield them by their numbers."""
        self.file.flush()
        decoder = msgspec.json.Decoder(LeftOut)
        for at in sorted(range(len(self.numbers)), key=self.numbers.__getitem__):
            self.file.seek(self.offsets[at])
            yield decoder.decode(self.file.readline())

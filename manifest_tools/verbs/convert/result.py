"""What became of a conversion."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from manifest_tools.base.errors import BadData
from manifest_tools.base.problem import Problem
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.io.sinks import Published


@dataclass(frozen=True, slots=True)
class Converted:
    """What became of a conversion."""

    outputs: tuple[Published, ...]
    pictures: int
    """How many pictures are in the outputs."""

    problems: tuple[Problem, ...] = ()
    """Why other pictures are not: the first of them."""

    left_out: dict[str, int] = field(default_factory=dict)
    """Lines without a label, by state."""

    table: ClassTable = ClassTable()
    lost: dict[str, int] = field(default_factory=dict)
    """What the output cannot hold and was left out, in words, with how often."""

    remarks: tuple[str, ...] = ()
    """What is to be known of the outputs, a sentence each."""

    on_this_disk: int = 0
    """Pictures that a manifest, made of a data set that was read, names by a path and not by a URI in S3."""

    unusable: dict[str, int] = field(default_factory=dict)
    """How many pictures are left out as unusable, by code."""


class NothingUsable(BadData):
    """A conversion that would have been empty."""

    def __init__(self, manifest: str, problems: Sequence[Problem]) -> None:
        first = f"; the first: {problems[0]}" if problems else "; no line has a label"
        super().__init__(f"{manifest}: no picture could be used, and nothing was written{first}")
        self.problems = tuple(problems)

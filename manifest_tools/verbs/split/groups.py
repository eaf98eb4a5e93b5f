"""Which lines stay together beyond those of one picture: what ``--group`` says, or the frames of a video."""

import re
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.errors import Refused
from manifest_tools.base.hashing import hash_texts
from manifest_tools.base.parallel import Jobs
from manifest_tools.base.text import shown
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.record import Peek
from manifest_tools.groundtruth.rows import read_rows
from manifest_tools.groundtruth.scan import scan
from manifest_tools.io.sources import Block, Source

FRAMES = r"(?i)(.*)frames?[-_. ]*\d+"
"""What comes before the word frame and a number names the video: what --group takes for it."""

_A_FRAME = re.compile(rb'frames?[-_. ]*\d+\.\w+"', re.IGNORECASE)
_FEW = 3  # lines a video, on the average, from which a file is one of frames


@dataclass(frozen=True, slots=True)
class Videos:
    """The videos that frames are of, by the names of the pictures."""

    count: int
    divided: int
    """How many of them have frames in more than one part."""


@dataclass(frozen=True, slots=True)
class _BlockGroups:
    lines: int
    numbers: NDArray[np.int64]
    """``(lines with a source or without,)``: line numbers in the block, from 0; blank lines are left out."""
    keys: NDArray[np.uint64]
    """``(lines with a source or without,)``: equal for lines of one group, 0 without a source."""


def group_pattern(text: str) -> re.Pattern[str]:
    """Return the expression of ``--group``; raises Refused for what is none."""
    try:
        return re.compile(text)
    except re.error as error:
        raise Refused(f"--group {shown(text)}: expected a regular expression: {error}") from error


def group_of(pattern: re.Pattern[str], source: str) -> str:
    """Return the first group of a match, or else the whole match; the source itself without a match.

    >>> group_of(re.compile(FRAMES), "s3://raw/video-1/frame_0007.jpeg")
    's3://raw/video-1/'
    """
    match = pattern.search(source)
    if match is None:
        return source
    return (match[1] if pattern.groups else None) or match[0] or source


def group_keys(
    source: Source,
    attribute: LabelAttribute,
    pattern: re.Pattern[str],
    keys: NDArray[np.uint64],
    numbers: NDArray[np.int64],
    jobs: Jobs,
) -> NDArray[np.uint64]:
    """Return a key of 64 bits for the group of each of the lines ``numbers``, from 1: ``(lines,)``.

    ``keys`` has a key for the source of each; a line without a source keeps its own.
    """
    found = np.zeros(int(numbers[-1]), np.uint64)
    recipe = Peek(attribute.name, attribute.metadata_key, "any", (), ("source-ref", "source"), False)
    for first, part in scan(source, partial(_group_block, recipe, pattern), jobs):
        at = part.numbers + first - 1
        within = at < len(found)
        found[at[within]] = part.keys[within]
    groups = found[numbers - 1]
    return np.where(groups == 0, keys, groups)


def _group_block(recipe: Peek, pattern: re.Pattern[str], block: Block) -> _BlockGroups:
    rows = read_rows(block.read(), recipe)
    sources = (row.source_ref or row.source for row in rows.rows)
    groups = [None if text is None else group_of(pattern, text) for text in sources]
    return _BlockGroups(rows.lines, rows.numbers, hash_texts(groups))


def looks_like_frames(source: Source) -> bool:
    """Say whether the first pictures of a manifest are called frames, with a number."""
    return _A_FRAME.search(source.head()) is not None


def divided_videos(groups: NDArray[np.uint64], part: NDArray[np.uint8]) -> Videos | None:
    """Return how many videos there are, and on several sides; None where no side has, or for single frames.

    ``groups`` and ``part`` have an element for each labelled line: ``(labelled lines,)``.
    """
    videos, member = np.unique(groups, return_inverse=True)
    if len(videos) * _FEW > len(groups):
        return None
    pairs = np.unique(np.stack([member, part.astype(np.int64)]), axis=1)
    divided = int((np.bincount(pairs[0]) > 1).sum())
    return Videos(len(videos), divided) if divided else None

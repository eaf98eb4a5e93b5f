"""Masks as COCO's run lengths: pixels outside, inside, outside..., column by column; and these as text.

pycocotools reads and writes the same, but believes every size and text: what a file says is checked here.
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from manifest_tools.images.unusable import MAX_PIXELS

# Numbers in five bits a character, of which the sixth says that another follows; 13 characters are 64 bits.
_TEXT = re.compile(r"(?:[P-o]{0,12}[0-O])*+")
_FIRST = 48


def runs_of(mask: NDArray[np.bool_]) -> list[int]:
    """Return the run lengths of a mask of rows and columns.

    >>> runs_of(np.array([[0, 1], [1, 1]], bool))
    [1, 3]
    """
    pixels = np.asarray(mask, bool).ravel(order="F")
    turns = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    runs = np.diff(np.concatenate(([0], turns, [pixels.size]))).tolist()
    return [0, *runs] if pixels.size and pixels[0] else runs


def mask_of(runs: Sequence[int], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the mask of run lengths; ``size`` is height and width. Raises ValueError where they do not fit.

    >>> mask_of([1, 3], (2, 2)).tolist()
    [[False, True], [True, True]]
    """
    height, width = size
    if min(size) < 0 or height * width > MAX_PIXELS:
        raise ValueError(f"expected a mask of at most {MAX_PIXELS:,} pixels, found {height:,} x {width:,}")
    if (runs and min(runs) < 0) or sum(runs) != height * width:
        raise ValueError(f"expected runs of {height * width:,} pixels together, found {sum(runs):,}")
    inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(inside, np.array(runs, np.int64)).reshape((width, height)).T


def text_of(runs: Sequence[int]) -> str:
    """Return run lengths as pycocotools compresses them: from the fourth on, the difference to two before.

    >>> text_of([1, 3]), text_of([100, 3, 7])
    ('13', 'T337')
    """
    signs = []
    for at, run in enumerate(runs):
        left, more = (run - runs[at - 2] if at > 2 else run), True
        while more:
            bits, left = left & 31, left >> 5
            more = left != (-1 if bits & 16 else 0)
            signs.append(_FIRST + bits + 32 * more)
    return bytes(signs).decode("ascii")


def runs_from(text: str) -> list[int]:
    """Return the run lengths of a compressed text; raises ValueError for another.

    >>> runs_from("T337")
    [100, 3, 7]
    """
    if not _TEXT.fullmatch(text):
        raise ValueError("expected compressed run lengths, found another text")
    runs: list[int] = []
    value = shift = 0
    for sign in text.encode("ascii"):
        bits = sign - _FIRST
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = shift = 0
    return runs

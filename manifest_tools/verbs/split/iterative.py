"""Iterative stratification for several classes a line.

Sechidis, Tsoumakas, Vlahavas: On the Stratification of Multi-Label Data (ECML PKDD 2011): the class with
the fewest lines left is dealt out first, each line to the part that wants that class most.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from manifest_tools.groundtruth.line_columns import ClassArrays


def stratify(
    classes: ClassArrays, sizes: NDArray[np.int64], rank: NDArray[np.uint64], shares: Sequence[Fraction]
) -> NDArray[np.uint8]:
    """Return the part of every unit; a unit of several lines counts as many times in every want."""
    order = np.argsort(rank, kind="stable").tolist()
    sets = _sets(classes)
    parts = bytearray(b"\xff") * len(sets)  # quicker to look into one by one than an array
    weight = sizes.tolist()
    holders: dict[int, list[int]] = {}
    for unit in order:
        for index in sets[unit]:
            holders.setdefault(index, []).append(unit)
    total = {index: sum(weight[unit] for unit in units) for index, units in holders.items()}
    wanted = {index: [float(share * count) for share in shares] for index, count in total.items()}
    room = [float(share * sum(weight)) for share in shares]
    left = {index: len(units) for index, units in holders.items()}
    while left:
        rarest = min(left, key=lambda index: (left[index], index))
        for unit in [unit for unit in holders[rarest] if parts[unit] == 255]:
            part = _neediest(wanted[rarest], room)
            _give(unit, part, sets[unit], weight[unit], parts, wanted, room, left)
        left.pop(rarest)
    for unit in order:
        if parts[unit] == 255:
            _give(unit, _neediest(room, room), sets[unit], weight[unit], parts, wanted, room, left)
    return np.frombuffer(parts, np.uint8)


def _neediest(wanted: list[float], room: list[float]) -> int:
    return max(range(len(room)), key=lambda part: (wanted[part], room[part], -part))


def _give(
    unit: int,
    part: int,
    classes: tuple[int, ...],
    weight: int,
    parts: bytearray,
    wanted: dict[int, list[float]],
    room: list[float],
    left: dict[int, int],
) -> None:
    parts[unit] = part
    room[part] -= weight
    for index in classes:
        wanted[index][part] -= weight
        if index in left:
            left[index] -= 1


def _sets(classes: ClassArrays) -> list[tuple[int, ...]]:
    flat = classes.flat.tolist()
    ends = np.cumsum(classes.counts).tolist()
    starts = [0, *ends[:-1]]
    return [tuple(dict.fromkeys(flat[start:end])) for start, end in zip(starts, ends, strict=True)]


def merged(classes: ClassArrays, member: NDArray[np.int64], units: int) -> ClassArrays:
    """Return the classes of every unit: those of any of its lines."""
    union: list[dict[int, None]] = [{} for _ in range(units)]
    for unit, found in zip(member.tolist(), _sets(classes), strict=True):
        union[unit].update(dict.fromkeys(found))
    flat = np.array([index for found in union for index in found], np.int32)
    return ClassArrays(flat, np.array([len(found) for found in union], np.int32))

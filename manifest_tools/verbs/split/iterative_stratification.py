"""Iterative stratification, for lines with several classes.

Sechidis, Tsoumakas, Vlahavas: On the Stratification of Multi-Label Data (ECML PKDD 2011). The class with
the fewest lines left is assigned first, each line to the part that needs this class most.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from manifest_tools.groundtruth.line_columns import ClassArrays


def stratify(
    classes: ClassArrays, sizes: NDArray[np.int64], rank: NDArray[np.uint64], ratios: Sequence[Fraction]
) -> NDArray[np.uint8]:
    """Return the part of every group, ``(groups,)``; ``sizes`` and ``rank`` are ``(groups,)`` too.

    A group of several lines counts as many times as it has lines.
    """
    order = np.argsort(rank, kind="stable").tolist()
    sets = _sets(classes)
    parts = bytearray(b"\xff") * len(sets)  # quicker to read one by one than an array
    size = sizes.tolist()
    groups_with: dict[int, list[int]] = {}
    for group in order:
        for index in sets[group]:
            groups_with.setdefault(index, []).append(group)
    total = {index: sum(size[group] for group in groups) for index, groups in groups_with.items()}
    wanted = {index: [float(ratio * count) for ratio in ratios] for index, count in total.items()}
    free = [float(ratio * sum(size)) for ratio in ratios]
    left = {index: len(groups) for index, groups in groups_with.items()}
    while left:
        rarest = min(left, key=lambda index: (left[index], index))
        for group in [group for group in groups_with[rarest] if parts[group] == 255]:
            part = _part_in_need(wanted[rarest], free)
            _put(group, part, sets[group], size[group], parts, wanted, free, left)
        left.pop(rarest)
    for group in order:
        if parts[group] == 255:
            _put(group, _part_in_need(free, free), sets[group], size[group], parts, wanted, free, left)
    return np.frombuffer(parts, np.uint8)


def _part_in_need(wanted: list[float], free: list[float]) -> int:
    return max(range(len(free)), key=lambda part: (wanted[part], free[part], -part))


def _put(
    group: int,
    part: int,
    classes: tuple[int, ...],
    size: int,
    parts: bytearray,
    wanted: dict[int, list[float]],
    free: list[float],
    left: dict[int, int],
) -> None:
    parts[group] = part
    free[part] -= size
    for index in classes:
        wanted[index][part] -= size
        if index in left:
            left[index] -= 1


def _sets(classes: ClassArrays) -> list[tuple[int, ...]]:
    flat = classes.flat.tolist()
    ends = np.cumsum(classes.counts).tolist()
    starts = [0, *ends[:-1]]
    return [tuple(dict.fromkeys(flat[start:end])) for start, end in zip(starts, ends, strict=True)]


def merge_classes(classes: ClassArrays, member: NDArray[np.int64], groups: int) -> ClassArrays:
    """Return the classes of every group: all classes of its lines; ``member`` is the group of each line."""
    union: list[dict[int, None]] = [{} for _ in range(groups)]
    for group, found in zip(member.tolist(), _sets(classes), strict=True):
        union[group].update(dict.fromkeys(found))
    flat = np.array([index for found in union for index in found], np.int32)
    return ClassArrays(flat, np.array([len(found) for found in union], np.int32))

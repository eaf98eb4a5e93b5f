"""Which lines have keys to give: they are left out, and say something that the line that stays does not."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manifest_tools.verbs.merge.resolve import Places
from manifest_tools.verbs.merge.settle import OVERLAID, SAME, UNLABELLED, Settled

# Lines that are left out for these reasons give their keys; one that lost a conflict or failed does not.
_GIVING = (UNLABELLED, SAME, OVERLAID)


@dataclass(slots=True)
class Gifts:
    """Lines whose other keys may go on another one, in the order of the lines that take them."""

    onto: Places
    of: Places


def gifts(picture: Places, count: int, settled: Settled, keys: NDArray[np.uint64]) -> Gifts:
    """Return which lines that are left out say something beside their labels that the kept one does not.

    ``keys`` has for every line a key of what it says, 0 for nothing; empty where no manifest says anything.
    """
    if not len(keys):
        return Gifts(np.zeros(0, np.int64), np.zeros(0, np.int64))
    homes = np.zeros(count, np.int64)
    homes[picture[settled.kept]] = np.flatnonzero(settled.kept)
    of = np.flatnonzero(~settled.kept & (keys != 0) & np.isin(settled.reasons, _GIVING))
    onto = homes[picture[of]]
    of, onto = of[keys[of] != keys[onto]], onto[keys[of] != keys[onto]]
    order = np.argsort(onto, kind="stable")
    return Gifts(onto[order], of[order])

"""A set of texts in a few bytes each, for millions of names that only have to be told apart."""

from array import array
from hashlib import blake2b

_SLOTS = 64  # a power of two, to begin with
_GROWTH = 4
_FULL = 2 / 3  # how full the table may get: more, and looking for a free place takes long


class DigestSet:
    """The texts that were added, known by 64 bits of their BLAKE2: 12 to 48 bytes each.

    Of a billion texts two may be taken for the same, with a chance of 1 in 37.
    """

    def __init__(self) -> None:
        self._slots = _free(_SLOTS)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, text: str) -> bool:
        return self._slots[self._place_of(_digest(text))] != 0

    def add(self, text: str) -> bool:
        """Add a text; return whether it was new.

        >>> names = DigestSet()
        >>> names.add("a"), names.add("b"), names.add("a")
        (True, True, False)
        """
        digest = _digest(text)
        at = self._place_of(digest)
        if self._slots[at] == digest:
            return False
        if self._count >= _FULL * len(self._slots):
            self._grow()
            at = self._place_of(digest)
        self._slots[at] = digest
        self._count += 1
        return True

    def _place_of(self, digest: int) -> int:
        """Return where a digest stands, or would."""
        slots = self._slots
        last = len(slots) - 1
        at = digest & last
        while slots[at] and slots[at] != digest:
            at = (at + 1) & last
        return at

    def _grow(self) -> None:
        old, self._slots = self._slots, _free(_GROWTH * len(self._slots))
        for digest in old:
            if digest:
                self._slots[self._place_of(digest)] = digest


def _free(count: int) -> "array[int]":
    return array("Q", bytes(8 * count))


def _digest(text: str) -> int:
    """Return 64 bits of a digest; never 0, which is a free slot."""
    found = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(found, "little") or 1

"""64-bit keys of texts: equal for equal texts, on every machine, many at a time."""

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

# Longer texts are rare among S3 URIs; padding all to the longest would cost memory.
_LONGEST = 512


def mix(keys: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    """Return a number for each key that looks random, and never the same for two keys.

    The finalizer of splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators).
    """
    z = keys + np.uint64((0x9E3779B97F4A7C15 * (2 * seed + 1)) % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def hash_texts(texts: Sequence[str | None]) -> NDArray[np.uint64]:
    """Return a key for each text, 0 for None.

    Every 8 bytes are mixed in one after the other; each step is a bijection, so two texts that differ in one
    place only never share a key, and others do by a chance of one in 2^64.
    """
    encoded = _encoded(texts)
    sizes = np.fromiter(map(len, encoded), np.uint64, len(encoded))
    longest = int(sizes.max(initial=0))
    if longest > _LONGEST:
        encoded = [text if len(text) <= _LONGEST else _digest(text) for text in encoded]
        sizes = np.fromiter(map(len, encoded), np.uint64, len(encoded))
        longest = _LONGEST
    words = max(-(-longest // 8), 1)
    padded = np.array(encoded, f"S{8 * words}").view("<u8").reshape(len(encoded), words)
    # A text takes as many rounds as it has words, or its key would depend on the others' lengths.
    keys = sizes + np.uint64(1)
    shortest = int(sizes.min(initial=0))
    for word in range(words):
        mixed = mix(keys ^ padded[:, word], word)
        keys = mixed if shortest > 8 * word else np.where(sizes > 8 * word, mixed, keys)
    if None in texts:
        keys[[place for place, text in enumerate(texts) if text is None]] = 0
    return keys


def _encoded(texts: Sequence[str | None]) -> list[bytes]:
    """Return the texts as bytes; all at once where no line end in one of them stands in the way."""
    if None not in texts:
        joined = "\n".join(cast(Sequence[str], texts)).encode("utf-8", "surrogatepass")
        encoded = joined.split(b"\n")
        if len(encoded) == len(texts):
            return encoded
    return [(text or "").encode("utf-8", "surrogatepass") for text in texts]


def _digest(text: bytes) -> bytes:
    import hashlib

    return hashlib.blake2b(text).digest()

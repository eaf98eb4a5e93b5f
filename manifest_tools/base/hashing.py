"""64-bit hashes of texts, many at a time: the same on every machine and in every run."""

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

# Bytes. Longer texts are rare among S3 URIs, and all texts are padded to the longest one.
_LONGEST = 512


def mix(hashes: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    """Return a pseudorandom number for each hash, ``(hashes,)``; two hashes never get the same one.

    This is the finalizer of splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators).
    """
    z = hashes + np.uint64((0x9E3779B97F4A7C15 * (2 * seed + 1)) % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def hash_texts(texts: Sequence[str | None]) -> NDArray[np.uint64]:
    """Return a hash for each text, ``(texts,)``; None has the hash 0.

    A text is mixed in 8 bytes at a time. Each step is a bijection, so two texts of the same length that
    differ in one word never share a hash. Any other two share one with a chance of 1 in 2^64.
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
    # A text takes as many rounds as it has words, or its hash would depend on the lengths of the others.
    hashes = sizes + np.uint64(1)
    shortest = int(sizes.min(initial=0))
    for word in range(words):
        mixed = mix(hashes ^ padded[:, word], word)
        hashes = mixed if shortest > 8 * word else np.where(sizes > 8 * word, mixed, hashes)
    if None in texts:
        hashes[[index for index, text in enumerate(texts) if text is None]] = 0
    return hashes


def _encoded(texts: Sequence[str | None]) -> list[bytes]:
    """Return the texts as UTF-8: encoded all at once, unless one of them contains a line end."""
    if None not in texts:
        joined = "\n".join(cast(Sequence[str], texts)).encode("utf-8", "surrogatepass")
        encoded = joined.split(b"\n")
        if len(encoded) == len(texts):
            return encoded
    return [(text or "").encode("utf-8", "surrogatepass") for text in texts]


def _digest(text: bytes) -> bytes:
    import hashlib

    return hashlib.blake2b(text).digest()

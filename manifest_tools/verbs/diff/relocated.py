"""Pictures that went to another bucket or folder as a whole: the same names, under another prefix."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.hashing import hash_texts, mix
from manifest_tools.base.parallel import Jobs, run
from manifest_tools.io.byte_ranges import read_ranges
from manifest_tools.verbs.diff.contents import Contents, decoded
from manifest_tools.verbs.diff.match_keys import Keys, Places, match_unique

Cut: TypeAlias = Callable[[str], tuple[str, str]]

_BATCH = 8192  # lines


def in_bucket(uri: str) -> tuple[str, str]:
    """Return the bucket of an S3 URI, and the key in it.

    >>> in_bucket("s3://raw/a/1.jpg")
    ('s3://raw', 'a/1.jpg')
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return f"s3://{bucket}", key


def in_folder(uri: str) -> tuple[str, str]:
    """Return the folder of a URI, and the file name in it."""
    folder, _, name = uri.rpartition("/")
    return folder, name


def went_elsewhere(
    old: Contents, gone: Places, new: Contents, added: Places, jobs: Jobs = None
) -> tuple[Places, Places]:
    """Return which of the lines that seem gone are lines that seem added, by their place in the files.

    A name has to be the only one of its kind among them, and most of what is left of its bucket or folder has
    to have gone the same way: one ``1.jpg`` here and another there are two pictures.
    """
    pairs: list[tuple[Places, Places]] = []
    for cut in (in_bucket, in_folder):
        if not len(gone) or not len(added):
            break
        places, mates = _same_way(_names(old, gone, cut, jobs), _names(new, added, cut, jobs))
        pairs.append((gone[places], added[mates]))
        gone, added = np.delete(gone, places), np.delete(added, mates)
    if not pairs:
        return gone[:0], added[:0]
    return np.concatenate([one for one, _ in pairs]), np.concatenate([other for _, other in pairs])


def _same_way(old: NDArray[np.uint64], new: NDArray[np.uint64]) -> tuple[Places, Places]:
    """Return the pairs of equal names whose folders most of the others share; rows are folders and names."""
    places, mates = match_unique(old[1], new[1])
    if not len(places):
        return places, mates
    froms, tos = old[0][places], new[0][mates]
    _, where, counts = np.unique(mix(froms, 1) ^ tos, return_inverse=True, return_counts=True)
    left = np.minimum(_size(old[0], froms), _size(new[0], tos))
    most = 2 * counts[where.reshape(-1)] > left
    return places[most], mates[most]


def _size(keys: Keys, asked: Keys) -> NDArray[np.int64]:
    """Return how often each key that is asked for is there."""
    unique, counts = np.unique(keys, return_counts=True)
    found: NDArray[np.int64] = counts[np.searchsorted(unique, asked)]
    return found


def _names(whole: Contents, places: Places, cut: Cut, jobs: Jobs) -> NDArray[np.uint64]:
    """Return two rows of keys for some lines: their folders, and their names, 0 where there is none."""
    task = partial(_names_of, whole.source.uri, cut)
    return np.concatenate(list(run(task, _batches(whole, places), jobs)), axis=1)


def _batches(whole: Contents, places: Places) -> Iterator[tuple[Places, Places]]:
    for start in range(0, len(places), _BATCH):
        yield whole.range(places[start : start + _BATCH])


def _names_of(uri: str, cut: Cut, lines: tuple[Places, Places]) -> NDArray[np.uint64]:
    parted = [_parted(line, cut) for line in read_ranges(uri, *lines)]
    folders = hash_texts([folder for folder, _ in parted])
    return np.stack([folders, hash_texts([name or None for _, name in parted])])


def _parted(line: bytes, cut: Cut) -> tuple[str, str]:
    source = (decoded(line) or {}).get("source-ref")
    return cut(source) if isinstance(source, str) else ("", "")

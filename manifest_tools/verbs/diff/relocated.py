"""Finds lines whose pictures are in another bucket or folder now: the same names, under another prefix."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.hashing import hash_texts, mix
from manifest_tools.base.parallel import Jobs, run
from manifest_tools.io.byte_ranges import read_ranges
from manifest_tools.verbs.diff.columns import ManifestColumns, decoded
from manifest_tools.verbs.diff.match_keys import Indices, Keys, match_unique

SplitUri: TypeAlias = Callable[[str], tuple[str, str]]

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


def relocated_lines(
    old: ManifestColumns, gone: Indices, new: ManifestColumns, added: Indices, jobs: Jobs = None
) -> tuple[Indices, Indices]:
    """Return which of the lines ``gone`` are which of the lines ``added``, as indices in the two files.

    The file name must be unique among them on both sides, and most other names of the bucket or folder must
    be in the same new place: one ``1.jpg`` here and another there are two pictures.
    """
    pairs: list[tuple[Indices, Indices]] = []
    for split in (in_bucket, in_folder):
        if not len(gone) or not len(added):
            break
        indices, new_indices = _moved_together(
            _names(old, gone, split, jobs), _names(new, added, split, jobs)
        )
        pairs.append((gone[indices], added[new_indices]))
        gone, added = np.delete(gone, indices), np.delete(added, new_indices)
    if not pairs:
        return gone[:0], added[:0]
    return np.concatenate([one for one, _ in pairs]), np.concatenate([other for _, other in pairs])


def _moved_together(old: NDArray[np.uint64], new: NDArray[np.uint64]) -> tuple[Indices, Indices]:
    """Return the indices of equal names whose folders most others share; old and new are (2, lines)."""
    indices, new_indices = match_unique(old[1], new[1])
    if not len(indices):
        return indices, new_indices
    old_folders, new_folders = old[0][indices], new[0][new_indices]
    _, where, counts = np.unique(mix(old_folders, 1) ^ new_folders, return_inverse=True, return_counts=True)
    names = np.minimum(_count(old[0], old_folders), _count(new[0], new_folders))
    most = 2 * counts[where.reshape(-1)] > names
    return indices[most], new_indices[most]


def _count(keys: Keys, asked: Keys) -> NDArray[np.int64]:
    """Return how often each key of ``asked`` is in ``keys``."""
    unique, counts = np.unique(keys, return_counts=True)
    found: NDArray[np.int64] = counts[np.searchsorted(unique, asked)]
    return found


def _names(columns: ManifestColumns, indices: Indices, split: SplitUri, jobs: Jobs) -> NDArray[np.uint64]:
    """Return, as (2, lines), hashes of the folders and of the names in them; 0 where there is no name."""
    task = partial(_names_of, columns.source.uri, split)
    return np.concatenate(list(run(task, _batches(columns, indices), jobs)), axis=1)


def _batches(columns: ManifestColumns, indices: Indices) -> Iterator[tuple[Indices, Indices]]:
    for start in range(0, len(indices), _BATCH):
        yield columns.range(indices[start : start + _BATCH])


def _names_of(uri: str, split: SplitUri, lines: tuple[Indices, Indices]) -> NDArray[np.uint64]:
    pairs = [_split(line, split) for line in read_ranges(uri, *lines)]
    folders = hash_texts([folder for folder, _ in pairs])
    return np.stack([folders, hash_texts([name or None for _, name in pairs])])


def _split(line: bytes, split: SplitUri) -> tuple[str, str]:
    source = (decoded(line) or {}).get("source-ref")
    return split(source) if isinstance(source, str) else ("", "")

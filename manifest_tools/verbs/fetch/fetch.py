"""Copies the pictures that manifests name from S3 to this disk; what is here already is not fetched again."""

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.arguments import AnyPath, as_text
from manifest_tools.base.errors import MtoolError, Refused
from manifest_tools.base.parallel import Progress, no_progress, run
from manifest_tools.formats.open_manifest import open_manifest
from manifest_tools.io import s3
from manifest_tools.io.sources import decompressed
from manifest_tools.verbs.fetch.listing import read_listing
from manifest_tools.verbs.fetch.look import Fault, Places, Seen, State, Wanted, fault_of, look
from manifest_tools.verbs.fetch.references import Reference, References, read_references

AT_ONCE = 16
"""How many pictures are fetched at the same time, unless the caller says."""

_LISTED = 1000  # faults that are kept; all are counted
_SHOWN = 3  # files in a refusal

# What is wrong with one name; anything else, such as a full disk, is wrong with all.
_OF_ONE_NAME = (
    errno.ENAMETOOLONG,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
    errno.ENOTEMPTY,
    errno.EINVAL,
    errno.EILSEQ,
)


@dataclass(slots=True)
class Fetched:
    """What became of the pictures of manifests."""

    manifests: tuple[str, ...]
    folder: str
    """Where they are, by the name that was typed."""

    objects: int = 0
    """How many objects in S3 the lines name; one that several lines name counts once."""

    on_disk: int = 0
    """Lines that name a path, and nothing in S3."""

    wanted: int = 0
    """How many had to be fetched."""

    wanted_bytes: int = 0
    fetched: int = 0
    fetched_bytes: int = 0
    here: int = 0
    """How many were here already."""

    states: dict[State, int] = field(default_factory=dict)
    """How many could not be fetched, by the reason."""

    faults: list[Fault] = field(default_factory=list)
    """The first of these, with their lines."""

    same_letters: int = 0
    """How many differ from another one by upper and lower case alone."""

    images: tuple[str, ...] = ()
    """What ``images`` of other functions, and ``--images``, have to be for these pictures."""

    def add(self, fault: Fault) -> None:
        """Count an object that cannot be fetched."""
        self.states[fault.state] = self.states.get(fault.state, 0) + 1
        if len(self.faults) < _LISTED:
            self.faults.append(fault)


def fetch(
    *manifests: AnyPath,
    output: AnyPath = "images",
    masks: bool = False,
    concurrency: int = AT_ONCE,
    force: bool = False,
    dry_run: bool = False,
    progress: Progress = no_progress,
    transfer: Progress = no_progress,
) -> Fetched:
    """Copy the pictures that manifests name from S3 into the folder ``output``.

    The object ``s3://bucket/key`` becomes ``output/key``, and ``output/bucket/key`` where there are several
    buckets; ``images`` of the result finds them. ``masks`` copies what labels name in S3 as well. What is
    here already, with the size and the MD5 that S3 tells, is not fetched again, so a run that was
    interrupted goes on. Each file appears whole. A picture that cannot be had is a fault of the result, not
    an error. Raises Refused where a file with other content would be replaced, unless ``force`` says so.
    ``transfer`` is a progress whose items are bytes.
    """
    names, folder = tuple(map(as_text, manifests)), as_text(output)
    if folder.startswith("s3://"):
        raise Refused(f"-o {folder}: expected a folder on this disk, found a URI; type -o FOLDER")
    references = read_references([decompressed(open_manifest(name)) for name in names], masks)
    result = Fetched(names, folder, references.objects, references.on_disk)
    result.images = _images(folder, references)
    result.same_letters = int((references.shares_letters & ~references.shares_file).sum())
    if not references.objects:
        return result
    places = Places(os.path.realpath(folder), len(references.buckets) > 1)
    with ThreadPoolExecutor(concurrency) as threads:
        ahead = 8 * concurrency
        seen = run(partial(look, places), _wanted(references, folder), threads, ahead)
        sizes = _count(result, progress(seen, references.objects, "looking"), force)
        if dry_run or not result.wanted:
            return result
        missing = compress(references, (sizes >= 0).tolist())
        done = run(partial(_fetch_one, places), missing, threads, ahead)
        for _ in transfer(_count_fetched(result, done), result.wanted_bytes, "pictures"):
            pass
    for source in references.sources:
        source.check_unchanged()
    return result


def _images(folder: str, references: References) -> tuple[str, ...]:
    if len(references.buckets) < 2:
        return (folder,)
    return tuple(f"s3://{bucket}={os.path.join(folder, bucket)}" for bucket in references.buckets)


def _wanted(references: References, folder: str) -> Iterator[Wanted]:
    listing = read_listing(references)
    shares = references.shares_letters if _ignores_case(folder) else references.shares_file
    for at, reference in enumerate(references):
        bucket = reference.uri.removeprefix("s3://").partition("/")[0]
        size, md5 = int(listing.sizes[at]), listing.md5_of(at)
        yield Wanted(reference, size, md5, bucket in listing.whole, bool(shares[at]))


def _ignores_case(folder: str) -> bool:
    """Say whether the disk where a folder is, or will be made, ignores upper and lower case."""
    here = os.path.realpath(folder)
    while not os.path.isdir(here):
        here = os.path.dirname(here)
    other = here.swapcase()
    return other != here and os.path.exists(other) and os.path.samefile(here, other)


def _count(result: Fetched, seen: Iterator[Seen], force: bool) -> NDArray[np.int64]:
    """Count what was found; return the bytes to fetch of each object, ``(objects,)``, -1 for none."""
    sizes = np.full(result.objects, -1, np.int64)
    different: list[str] = []
    for at, one_seen in enumerate(seen):
        if one_seen.fault is not None:
            result.add(one_seen.fault)
        elif one_seen.state == "here":
            result.here += 1
        else:
            sizes[at] = one_seen.size
            if one_seen.state == "different":
                different.append(one_seen.path)
    if different and not force:
        raise _differ(different)
    result.wanted, result.wanted_bytes = int((sizes >= 0).sum()), int(sizes[sizes >= 0].sum())
    return sizes


def _differ(paths: list[str]) -> Refused:
    more = f" and {len(paths) - _SHOWN:,} more" if len(paths) > _SHOWN else ""
    exist, them = ("exists", "it") if len(paths) == 1 else ("exist", "them")
    return Refused(
        f"{', '.join(paths[:_SHOWN])}{more}: {exist} already, with other content than in S3;"
        f" type --force to replace {them}, or -o for another folder"
    )


def _count_fetched(result: Fetched, done: "Iterator[int | Fault]") -> Iterator[int]:
    """Yield the bytes of each object, after counting it."""
    for size in done:
        if isinstance(size, Fault):
            result.add(size)
            yield 0
            continue
        result.fetched += 1
        result.fetched_bytes += size
        yield size


def _fetch_one(places: Places, reference: Reference) -> int | Fault:
    """Copy one object to its place, which has it whole or not at all; return its bytes."""
    path = places.path(reference.uri)
    folder, name = os.path.split(path)
    # Short, because the name may be as long as a name can be; the same the next time, so that none is left.
    part = os.path.join(folder, f".{hashlib.sha256(name.encode()).hexdigest()[:24]}.part")
    try:
        os.makedirs(folder, exist_ok=True)
        size = s3.download(reference.uri, part)
        os.replace(part, path)
    except OSError as error:
        _remove(part)
        if error.errno not in _OF_ONE_NAME:
            raise
        return Fault(reference, "unusable", f"{path}: {(error.strerror or str(error)).lower()}")
    except MtoolError as error:
        _remove(part)
        return fault_of(reference, error)
    return size


def _remove(part: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(part)

"""Pictures without labels: the input manifest of a labelling job, from a folder or a prefix in S3."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.remarks import remark
from manifest_tools.base.text import clipped, counted
from manifest_tools.formats.picture_files import NOISE, check_name, start_of_refs, why_no_picture
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.groundtruth.annotations import DataSet, Picture, StreamedPictures
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.images.paths import is_below
from manifest_tools.io import s3uri

ENDINGS = (".jpg", ".jpeg", ".png")
"""Of pictures that a labelling job shows, in small letters or capitals."""


def read(place: str, options: ReadOptions) -> DataSet:
    """Return the pictures below a folder, or below a prefix in S3, in the order of their paths.

    Memory stays flat, but for the names in one folder. What a labelling job cannot show is left out, and said
    with its number at the end. Every pass lists them anew. Raises Refused for options that only labels have a
    use for, and in the pass BadData where there is no picture.
    """
    if options.label_attribute is not None:
        raise Refused(f"--label-attribute {options.label_attribute}: images have no labels; leave it out")
    place = place.rstrip("/") or place
    in_s3 = place.startswith("s3://")
    if in_s3 and options.source_prefix:
        raise Refused(f"--source-prefix {options.source_prefix}: {place} is in S3 already; leave it out")
    if in_s3:
        _bucket_and_prefix(place)
    elif not os.path.isdir(place):
        raise Refused(f"{place}: expected a folder of pictures, or s3://BUCKET/PREFIX, found none")
    start = f"{place}/" if in_s3 else start_of_refs(place, options.source_prefix)
    parts = {"": StreamedPictures(partial(_pictures, place, start))}
    return DataSet(ClassTable(), "single_label", parts)


@dataclass(slots=True)
class _LeftOut:
    """What is no picture for a labelling job, by what it is instead."""

    counts: dict[str, int] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)
    """An example of each: the first by name, in whatever order a disk lists them."""

    def add(self, what: str, path: str) -> None:
        """Count one."""
        self.counts[what] = self.counts.get(what, 0) + 1
        self.first[what] = min(path, self.first.get(what, path))

    def __str__(self) -> str:
        return ", ".join(
            f"{counted(count, what)} ({clipped(self.first[what])}{', ...' if count > 1 else ''})"
            for what, count in sorted(self.counts.items())
        )


def _pictures(place: str, start: str) -> Iterator[Picture]:
    left_out = _LeftOut()
    paths = _in_s3(place, left_out) if place.startswith("s3://") else _on_disk(place, left_out)
    number = 0
    for number, path in enumerate(paths, 1):
        yield Picture(number, start + path)
    if not number:
        found = f"; found {left_out}" if left_out.counts else ""
        raise BadData(f"{place}: expected pictures ({', '.join(ENDINGS)}), found none{found}")
    if left_out.counts:
        remark(f"{place}: left out: {left_out}")


# ---- on this disk ----


def _on_disk(place: str, left_out: _LeftOut) -> Iterator[str]:
    """Yield the paths of the pictures below a folder, sorted as S3 sorts keys."""
    root = os.path.realpath(place)
    waiting = [iter(_entries(place, "", root, left_out))]
    while waiting:
        path = next(waiting[-1], None)
        if path is None:
            waiting.pop()
        elif path.endswith("/"):
            waiting.append(iter(_entries(place, path, root, left_out)))
        else:
            yield path


def _entries(place: str, below: str, root: str, left_out: _LeftOut) -> list[str]:
    """Return the pictures and folders in one folder, sorted; those of folders end in a slash."""
    found = []
    with os.scandir(os.path.join(place, below)) as entries:
        for entry in entries:
            path = f"{below}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in NOISE and not entry.name.startswith("."):
                    found.append(f"{path}/")
            elif why := _why_left_out(entry, path, root):
                left_out.add(why, path)
            else:
                check_name(place, path)
                found.append(path)
    return sorted(found)


def _why_left_out(entry: "os.DirEntry[str]", path: str, root: str) -> str:
    why = "hidden file" if entry.name.startswith(".") else why_no_picture(entry, path, root, ENDINGS)
    return why or ("" if entry.stat().st_size else "empty file")


# ---- in S3 ----


def _in_s3(place: str, left_out: _LeftOut) -> Iterator[str]:
    """Yield the keys of the pictures below a prefix, from there, page by page as the listing comes."""
    from manifest_tools.io import s3

    bucket, prefix = _bucket_and_prefix(place)
    for page in s3.listed(bucket, prefix):
        for found in page:
            path = found.key.removeprefix(prefix)
            if path.endswith("/") or not path:
                continue  # a folder that the console made
            if why := _why_no_object(found.key, found.size):
                left_out.add(why, path)
            else:
                yield path


def _bucket_and_prefix(place: str) -> tuple[str, str]:
    """Return the bucket of a folder in S3 and what the keys below begin with; raises Refused for no such URI.

    >>> _bucket_and_prefix("s3://b/raw"), _bucket_and_prefix("s3://b")
    (('b', 'raw/'), ('b', ''))
    """
    try:
        uri = s3uri.parse(f"{place}/*")
    except ValueError as error:
        raise Refused(f"{place}: expected s3://BUCKET or s3://BUCKET/PREFIX") from error
    return uri.bucket, uri.key.removesuffix("*")


def _why_no_object(key: str, size: int) -> str:
    name = key.rpartition("/")[2]
    if name.startswith("."):
        return "hidden file"
    if not name.lower().endswith(ENDINGS):
        return "other file"
    if not is_below(key):
        return "unusable name"
    return "" if size else "empty file"

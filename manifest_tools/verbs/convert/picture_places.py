"""Where the pictures of a part lie, and which of them are here: looked at before any is opened."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from manifest_tools.groundtruth.annotations import Picture, Pictures, StreamedPictures
from manifest_tools.images.paths import ImagePaths, bucket_of, image_paths
from manifest_tools.verbs.convert.labelled import Labelled

PicturePlaces = tuple[ImagePaths, str, dict[str, int], dict[str, int], int]
"""The paths, a digest of it all, pictures by bucket, those not here by bucket, and how many could come."""


def picture_places(found: Labelled, images: Sequence[str], named: bool) -> PicturePlaces:
    """Return where the pictures lie and what is known of them; nothing where none is opened."""
    if named and found.kind == "segmentation":
        found = replace(found, lines=StreamedPictures(partial(_masks_of, found.lines)))
    elif named:
        image_paths(images, ())  # refuses a folder that is not there
        return ImagePaths((), ""), "", {}, {}, 0
    where = found.image_paths(images)
    return where, *_inspect(found.lines, where)


def _masks_of(lines: Pictures) -> Iterator[Picture]:
    """Yield the masks, in place of the pictures that nobody will open."""
    for picture in lines:
        if (mask := picture.mask) is not None:
            yield Picture(picture.number, mask.ref, content=mask.content, key=picture.key)


def _inspect(lines: Iterable[Picture], where: ImagePaths) -> tuple[str, dict[str, int], dict[str, int], int]:
    """Count the pictures by bucket, all and absent ones, and take the digest of it all."""
    digest = hashlib.sha256()
    pictures: dict[str, int] = {}
    absent: dict[str, int] = {}
    to_fetch = 0
    for line in lines:
        if line.content is not None:
            digest.update(f"{line.number}\t{line.classes}\t{line.key}\t{line.ref}\n".encode())
            continue
        size = where.size(line.ref)
        bucket = bucket_of(line.ref)
        pictures[bucket] = pictures.get(bucket, 0) + 1
        if size is None:
            absent[bucket] = absent.get(bucket, 0) + 1
            to_fetch += not where.covers(line.ref)
        digest.update(f"{line.number}\t{line.classes}\t{size}\t{line.ref}\n".encode())
    return digest.hexdigest(), pictures, absent, to_fetch

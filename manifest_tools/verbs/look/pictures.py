"""Pictures of cards: found on this disk or in S3, made small and upright, with the labels drawn on them."""

from dataclasses import dataclass, replace

from manifest_tools.images.headers import read_header
from manifest_tools.images.partial_reads import reader_of
from manifest_tools.images.paths import ImagePaths
from manifest_tools.images.thumbnail import jpeg, thumbnail
from manifest_tools.images.unusable import Unusable
from manifest_tools.verbs.look.cards import LineCard
from manifest_tools.verbs.look.s3_pictures import S3Pictures, is_elsewhere, picture_bytes

SIDE = 240
"""Pixels of the longer edge of a small picture."""

_QUALITY = 70


@dataclass(frozen=True, slots=True)
class Small:
    """A small picture."""

    jpeg: bytes

    size: tuple[int, int]
    """Width and height of the picture itself, upright; 0 where its header does not say it."""

    is_fetched: bool = False
    """Whether it came from S3."""


def small_picture(
    paths: ImagePaths, side: int, wanted: LineCard, fetch: S3Pictures | None = None
) -> Small | Unusable:
    """Return the picture of a line with its labels on it, or why there is none."""
    try:
        data = picture_bytes(paths, wanted.ref, fetch)
        overlay = wanted.drawing.overlay
        if wanted.drawing.mask:
            overlay = replace(overlay, mask=_mask(paths, wanted.drawing.mask, fetch))
        pixels = thumbnail(data, side, overlay)
        size = read_header(reader_of(data)).upright_size
        return Small(jpeg(pixels, _QUALITY), size, is_elsewhere(paths, wanted.ref))
    except Unusable as why:
        return why.with_traceback(None)


def _mask(paths: ImagePaths, ref: str, fetch: S3Pictures | None) -> bytes:
    """Return a mask; nothing where it is not here, for the picture can be shown all the same."""
    try:
        return picture_bytes(paths, ref, fetch)
    except Unusable:
        return b""

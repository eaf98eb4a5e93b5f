"""Pictures of cards: found on this disk, made small and upright, with the labels drawn on them."""

from dataclasses import dataclass, replace

from manifest_tools.images.headers import read_header
from manifest_tools.images.partial_reads import open_file
from manifest_tools.images.paths import ImagePaths, read_file
from manifest_tools.images.thumbnail import jpeg, thumbnail
from manifest_tools.images.unusable import MISSING, Unusable
from manifest_tools.verbs.look.cards import LineCard

SIDE = 240
"""Pixels of the longer edge of a small picture."""

_QUALITY = 70


@dataclass(frozen=True, slots=True)
class Small:
    """A small picture."""

    jpeg: bytes

    size: tuple[int, int]
    """Width and height of the picture itself, upright; 0 where its header does not say it."""


def small_picture(paths: ImagePaths, side: int, wanted: LineCard) -> Small | Unusable:
    """Return the picture of a line with its labels on it, or why there is none."""
    try:
        path = _path(paths, wanted.ref)
        overlay = wanted.drawing.overlay
        if wanted.drawing.mask and paths.covers(wanted.drawing.mask):
            overlay = replace(overlay, mask=_mask(paths, wanted.drawing.mask))
        pixels = thumbnail(read_file(path), side, overlay)
        with open_file(path) as picture:
            size = read_header(picture).upright_size
        return Small(jpeg(pixels, _QUALITY), size)
    except Unusable as why:
        return why.with_traceback(None)


def _path(paths: ImagePaths, ref: str) -> str:
    if not paths.covers(ref):
        raise Unusable(MISSING, "not on this disk")
    return paths.find(ref)


def _mask(paths: ImagePaths, ref: str) -> bytes:
    """Return a mask; nothing where it is not here, for the picture can be shown all the same."""
    try:
        return read_file(paths.find(ref))
    except Unusable:
        return b""

"""The size of a picture on this disk, from its header; its pixels stay coded."""

from manifest_tools.images.headers import read_header
from manifest_tools.images.integrity import opened, orientation_of
from manifest_tools.images.partial_reads import open_file
from manifest_tools.images.paths import read_file
from manifest_tools.images.unusable import NO_PICTURE, Unusable

_CHANNELS = {"1": 1, "L": 1, "I": 1, "F": 1, "LA": 2, "P": 3, "RGB": 3, "YCbCr": 3, "RGBA": 4, "CMYK": 4}


def known_size(path: str) -> tuple[tuple[int, int], int | None]:
    """Return width and height of a picture, turned by its EXIF flag, and how many channels it has.

    Raises Unusable for a file that is no picture.
    """
    with open_file(path) as file:
        found = read_header(file)
    if found.width:
        return found.upright_size, _CHANNELS.get(found.mode.partition(";")[0])
    with opened(read_file(path)) as image:  # its header may be anywhere
        size = image.size[::-1] if orientation_of(image) > 4 else image.size
        if not all(size):
            raise Unusable(NO_PICTURE, "expected pixels, found none")
        return (size[0], size[1]), _CHANNELS.get(image.mode.partition(";")[0])

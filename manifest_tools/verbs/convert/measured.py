"""Sizes of pictures that a data set does not say: a manifest of boxes needs them, and headers have them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from msgspec.structs import replace

from manifest_tools.base.text import counted
from manifest_tools.groundtruth.annotations import DataSet, Picture
from manifest_tools.images.known_size import known_size
from manifest_tools.images.paths import ImagePaths, image_paths
from manifest_tools.images.unusable import Unusable

_SAMPLE = 256  # refs that show which folder `--images` names


@dataclass(slots=True)
class Measured:
    """Gives pictures with boxes their size, from the header of the file where it is on this disk."""

    paths: ImagePaths
    unknown: int = 0
    """Pictures whose size nothing says."""

    needed: bool = field(default=True)

    def of(self, picture: Picture) -> Picture:
        """Return a picture with its size, where that can be known."""
        if not self.needed or picture.size is not None or not picture.labelled:
            return picture
        try:
            size, depth = known_size(self.paths.find(picture.ref))
        except Unusable:
            self.unknown += 1
            return picture
        return replace(picture, size=size, depth=depth if picture.depth is None else picture.depth)

    def remarks(self) -> list[str]:
        """Return what is to be said, in one sentence."""
        if not self.unknown:
            return []
        pictures = counted(self.unknown, "picture")
        return [
            f"{pictures} with boxes of which nothing says the size, so no image_size (MT246): type --images"
            " with the folder where they lie"
        ]


def measured(data: DataSet, folder: str, images: Sequence[str]) -> Measured:
    """Return what gives the pictures of a data set in ``folder`` their sizes; ``images`` as ``--images``."""
    refs = (
        [picture.ref for pictures in data.parts.values() for picture in islice(pictures, _SAMPLE)]
        if images
        else []
    )
    return Measured(image_paths(images, refs, os.path.abspath(folder)), needed=data.label_kind == "boxes")

"""How the picture of a line is opened: found on this disk or fetched, and made ready to be written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from manifest_tools.groundtruth.annotations import Picture
from manifest_tools.images.paths import ImagePaths, read_file
from manifest_tools.images.shrink import Prepared, Recipe, prepare
from manifest_tools.images.unusable import MISSING, Unusable
from manifest_tools.io.s3_errors import Denied, NotThere

Fetch: TypeAlias = Callable[[str], bytes]
"""Returns the object of an S3 URI, or enough of it to see that it is larger than ``MAX_BYTES``."""

Stage: TypeAlias = Literal["find", "fetch", "decode", "pack", "mask", "write"]
"""What was being done with a picture when it turned out to be unusable; ``write`` is a format's own doing."""


class LeftOut(msgspec.Struct, frozen=True, array_like=True):
    """A picture that is not in the output, and why."""

    number: int
    ref: str
    code: str
    message: str
    stage: Stage

    @property
    def why(self) -> Unusable:
        """The reason as it was raised."""
        return Unusable(self.code, self.message)


@dataclass(frozen=True, slots=True)
class Opening:
    """What a worker needs to open the pictures of a part; picklable where ``fetch`` is."""

    image_paths: ImagePaths
    recipe: Recipe
    fetch: Fetch | None = None

    def ready(self, picture: Picture) -> Prepared | LeftOut:
        """Return a picture, ready to be written, or why it cannot be."""
        stage: Stage = "find" if picture.content or self.image_paths.covers(picture.ref) else "fetch"
        try:
            data = picture.content() if picture.content else self.read(picture.ref)
            stage = "decode"
            return prepare(data, self.recipe)
        except Unusable as why:
            return left_out(picture, why, stage)

    def read(self, ref: str) -> bytes:
        """Return the bytes of a picture as they are; raises Unusable for one that is not there."""
        return picture_bytes(self.image_paths, self.fetch, ref)


def left_out(picture: Picture, why: Unusable, stage: Stage) -> LeftOut:
    """Return that a picture is left out."""
    return LeftOut(picture.number, picture.ref, why.code, why.message, stage)


def to_open(picture: Picture) -> Picture:
    """Return what is needed to open a picture, without its labels: that goes to a worker faster."""
    return replace(_NAKED, number=picture.number, ref=picture.ref, content=picture.content)


_NAKED = Picture(0, "")


def picture_bytes(image_paths: ImagePaths, fetch: Fetch | None, ref: str) -> bytes:
    """Return the bytes of a picture, of this disk or fetched; raises Unusable for one that is not there."""
    if image_paths.covers(ref):
        return read_file(image_paths.find(ref))
    if fetch is None:
        raise Unusable(MISSING, f"{ref} is not on this disk; type --images FOLDER")
    try:
        return fetch(ref)
    except (NotThere, Denied) as error:
        if isinstance(error, NotThere) and error.what == "bucket":
            raise
        raise Unusable(MISSING, str(error)) from error

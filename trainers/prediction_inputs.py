"""The pictures that a model predicts for: names, bytes, and labels where these are known."""

import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from manifest_tools.base.errors import Refused
from manifest_tools.groundtruth.annotations import Picture
from manifest_tools.images.paths import ImagePaths, read_file
from manifest_tools.verbs.convert.missing_pictures import fetch_from_s3
from manifest_tools.verbs.convert.opening import Fetch, picture_bytes
from manifest_tools.verbs.convert.plan import ConversionPlan

# A folder stands for the files in it whose names end so.
ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")


@dataclass(frozen=True, slots=True)
class PredictionInputs:
    """The pictures that a model predicts for."""

    names: tuple[str, ...]
    """Paths, or URIs in S3."""

    read: Callable[[str], bytes]
    """Name of a picture -> its bytes; raises Unusable."""


def inputs_of_files(typed: Sequence[str]) -> PredictionInputs:
    """Return the pictures that were typed: files, ``s3://`` URIs, and the picture files in a folder.

    Raises Refused for a folder without a picture, and for a manifest.
    """
    return PredictionInputs(tuple(name for path in typed for name in _expanded(path)), read_picture)


def inputs_of_manifest(planned: ConversionPlan, fetch: Fetch | None) -> PredictionInputs:
    """Return the pictures of a manifest's labelled lines, each once."""
    refs = dict.fromkeys(picture.ref for picture in planned.lines)
    return PredictionInputs(tuple(refs), partial(picture_bytes, planned.image_paths, fetch))


def read_picture(name: str) -> bytes:
    """Return the bytes of a file or an object in S3; raises Unusable."""
    if name.startswith("s3://"):
        return picture_bytes(ImagePaths((), "."), fetch_from_s3, name)
    return read_file(name)


def _expanded(path: str) -> Iterator[str]:
    if path.endswith((".manifest", ".manifest.gz")):
        raise Refused(f"{path}: expected a picture, found a manifest; type --manifest {path}")
    if not os.path.isdir(path):
        yield path
        return
    found = sorted(name for name in os.listdir(path) if name.lower().endswith(ENDINGS))
    if not found:
        raise Refused(f"{path}: expected pictures, found none in this folder {_instead(path)}")
    yield from (os.path.join(path, name) for name in found)


def _instead(folder: str) -> str:
    if any(os.path.isdir(os.path.join(folder, name)) for name in os.listdir(folder)):
        return f"but other folders; for a folder a class, type --manifest {shlex.quote(folder)}"
    return f"({', '.join(ENDINGS)})"


@dataclass(frozen=True, slots=True)
class Truth:
    """The labels of a manifest's pictures, found by the ends of their paths.

    >>> left = Picture(1, "s3://b/left/1.jpg", classes=(0,))
    >>> truth = truth_of([left, Picture(2, "s3://b/right/1.jpg", classes=(1,))])
    >>> truth.of("photos/right/1.jpg"), truth.of("2.jpg")
    ((1,), None)
    """

    by_name: dict[str, list[tuple[list[str], tuple[int, ...]]]] = field(default_factory=dict)

    def of(self, picture: str) -> tuple[int, ...] | None:
        """Return the classes of the line whose source-ref ends most like ``picture``.

        None where no line has its file name, or where several fit equally well and disagree.
        """
        path = picture.replace(os.sep, "/").split("/")[::-1]
        scored = [(_common_parts(path, ref), classes) for ref, classes in self.by_name.get(path[0], [])]
        best = max((score for score, _ in scored), default=0)
        found = {classes for score, classes in scored if score == best}
        return found.pop() if len(found) == 1 else None


def truth_of(pictures: Iterable[Picture]) -> Truth:
    """Return the labels of the labelled lines of a manifest."""
    truth = Truth()
    for picture in pictures:
        path = picture.ref.split("/")[::-1]
        truth.by_name.setdefault(path[0], []).append((path, tuple(sorted(set(picture.classes)))))
    return truth


def _common_parts(one: list[str], other: list[str]) -> int:
    """Return how many parts of two reversed paths are equal before they differ."""
    return next(
        (count for count, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )

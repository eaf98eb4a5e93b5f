"""What a conversion will do, decided before the first picture is touched."""

import hashlib
import os
from collections.abc import Sequence

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.parallel import Jobs
from manifest_tools.formats import ConversionPlan as ConversionPlan
from manifest_tools.formats import PictureDefaults
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.groundtruth.examples import Examples, read_examples
from manifest_tools.images.paths import ImagePaths, bucket_of, image_paths
from manifest_tools.images.shrink import MAX_SIDE, Recipe

# Labels are 32-bit floats in RecordIO, exact up to here; and a hostile index must not become a vector.
_HIGHEST_CLASS = 1 << 24


def prepare_plan(
    manifest: str,
    to: str,
    output: str,
    usual: PictureDefaults,
    *,
    images: Sequence[str] = (),
    label_attribute: str | None = None,
    resize: int | None = None,
    quality: int = 95,
    pass_through: bool = False,
    square: bool = False,
    link: bool = False,
    classes: ClassTable | None = None,
    jobs: Jobs = None,
) -> ConversionPlan:
    """Return the plan; see ``convert`` for the options."""
    recipe = _recipe(usual, resize, quality, pass_through, square, link)
    examples = read_examples(manifest, label_attribute, classes=classes, jobs=jobs)
    if examples.table.num_classes > _HIGHEST_CLASS:
        raise BadData(
            f"{manifest}: expected class indices below {_HIGHEST_CLASS:,}, found"
            f" {examples.table.num_classes - 1:,}"
        )
    local = manifest != "-" and not manifest.startswith("s3://")
    where = image_paths(
        images, [example.ref for example in examples.examples], os.path.dirname(manifest) if local else ""
    )
    digest, pictures, absent, to_fetch = _look(examples, where)
    return ConversionPlan(
        manifest, to, output, examples, where, recipe, link, digest, pictures, absent, to_fetch
    )


def _recipe(
    usual: PictureDefaults, resize: int | None, quality: int, pass_through: bool, square: bool, link: bool
) -> Recipe:
    for option, told in (("--resize", resize is not None), ("--square", square)):
        for other, as_it_is in (("--pass-through", pass_through), ("--link", link)):
            if told and as_it_is:
                raise Refused(f"{option} and {other}: the one changes pictures, the other leaves them")
    if resize is not None and not 0 <= resize <= MAX_SIDE:
        raise Refused(f"--resize {resize}: expected 0 to {MAX_SIDE:,} pixels")
    if not 1 <= quality <= 100:
        raise Refused(f"--quality {quality}: expected 1 to 100")
    shorter = usual.resize if resize is None else resize
    if pass_through or shorter is None:
        if square:
            raise Refused("--square: pictures are copied as they are; type --resize N as well")
        return Recipe(pass_through=True, accepted=usual.accepted)
    return Recipe(shorter, quality, square)


def _look(examples: Examples, where: ImagePaths) -> tuple[str, dict[str, int], dict[str, int], int]:
    """Count the pictures by bucket, all and absent ones, and take the digest of it all."""
    digest = hashlib.sha256()
    pictures: dict[str, int] = {}
    absent: dict[str, int] = {}
    to_fetch = 0
    for example in examples.examples:
        size = where.size(example.ref)
        bucket = bucket_of(example.ref)
        pictures[bucket] = pictures.get(bucket, 0) + 1
        if size is None:
            absent[bucket] = absent.get(bucket, 0) + 1
            to_fetch += not where.covers(example.ref)
        digest.update(f"{example.number}\t{example.classes}\t{size}\t{example.ref}\n".encode())
    return digest.hexdigest(), pictures, absent, to_fetch

"""What a conversion will do, decided before the first picture is touched."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.parallel import Jobs
from manifest_tools.base.problem import Problem
from manifest_tools.formats import FORMATS, Format, PictureDefaults, base_name, check_labels, format_row, module_of
from manifest_tools.formats.safe_names import UniqueNames, safe_name
from manifest_tools.groundtruth.annotations import DataSet, LabelKind, Picture, Pictures
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.classes import ClassTable, agree
from manifest_tools.groundtruth.examples import Examples, read_examples
from manifest_tools.groundtruth.manifest_pictures import ManifestPictures, read_manifest
from manifest_tools.images.paths import ImagePaths, bucket_of, image_paths
from manifest_tools.images.shrink import MAX_SIDE, Recipe, decoder_version
from manifest_tools.images.unusable import Unusable
from manifest_tools.io.folder_sink import check_on_this_disk

# Labels are 32-bit floats in RecordIO, exact up to here; and a hostile index must not become a vector.
_HIGHEST_CLASS = 1 << 24

_HOW_MANY: dict[LabelKind, str] = {
    "class": "one class a picture",
    "classes": "several classes a picture",
    "boxes": "boxes",
    "mask": "masks",
}


@dataclass(frozen=True, slots=True)
class ConversionPlan:
    """What becomes of one manifest: its lines and classes, where pictures lie and what is done with them."""

    manifest: str
    to: str
    output: str
    """The name of the output without an ending."""

    ending: str
    """What the main file ends in; empty for a folder."""

    part: str
    """The name of the part in a conversion of several manifests; empty in one of a single manifest."""

    attribute: LabelAttribute
    label_kind: LabelKind
    table: ClassTable
    lines: Pictures
    """The labelled lines; every pass reads them anew."""

    count: int
    """Labelled lines."""

    left_out: dict[str, int]
    """Other lines, by state."""

    recipe: Recipe
    link: bool
    image_paths: ImagePaths
    digest: str = ""
    """SHA-256 of the lines' numbers, classes and source-refs, and of the sizes of the pictures."""

    pictures: dict[str, int] = field(default_factory=dict)
    """How many lines name a picture of each bucket (``.``: of this disk)."""

    absent: dict[str, int] = field(default_factory=dict)
    """How many of these are not on this disk."""

    to_fetch: int = 0
    """How many of the absent ones could be fetched: those that no ``--images`` covers."""

    @property
    def report(self) -> str:
        """The file beside the output that says what was made, from what, and how."""
        return f"{self.output}.json"

    @property
    def folder(self) -> str:
        """Where the outputs stand."""
        return os.path.dirname(self.output) or "."

    def problem(self, number: int, why: Unusable) -> Problem:
        """Return what is wrong with the picture of a line."""
        return Problem(why.code, "error", self.manifest, number, "$.source-ref", why.message)

    def description(self) -> dict[str, Any]:
        """Return what decides the bytes of the output, as the report keeps it."""
        recipe = self.recipe
        return {
            "manifest": os.path.basename(self.manifest),
            "sha256": self.digest,
            "format": self.to,
            "label_attribute": self.attribute.name,
            "multi_label": self.label_kind == "classes",
            "options": {
                "resize": None if recipe.pass_through else recipe.shorter,
                "quality": None if recipe.pass_through else recipe.quality,
                "square": recipe.square,
                "link": self.link,
            },
            "encoder": None if recipe.pass_through else decoder_version(),
            "classes": self.table.to_json(),
        }


def plan(manifest: str, to: str, output: str | None = None, **options: Any) -> ConversionPlan:
    """Return what ``convert`` would do with one manifest, before any picture is touched.

    Takes the options of ``convert``; raises what it would raise for them.
    """
    return plan_each([manifest], to, [_output_of(manifest, output)], **options)[0]


def plan_parts(manifests: Sequence[str], to: str, output: str | None, **options: Any) -> list[ConversionPlan]:
    """Return what ``convert`` would do with several manifests, which become parts of one ``output``.

    A part is called after its manifest: ``train`` of train.manifest.
    """
    if output is None:
        raise Refused(f"{len(manifests)} manifests: expected a place for all of them; type -o NAME")
    names = UniqueNames()
    stems = [safe_name(os.path.basename(_without_ending(manifest)), "part") for manifest in manifests]
    parts = [names.unique(stem, "", number) for number, stem in enumerate(stems, 1)]
    return plan_each(manifests, to, [_output_of("", output)] * len(manifests), parts, **options)


def plan_each(
    manifests: Sequence[str],
    to: str,
    outputs: Sequence[str],
    parts: Sequence[str] | None = None,
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
) -> list[ConversionPlan]:
    """Return a plan for each manifest, each with an output of its own, all with one class table.

    Every manifest is read once. Raises ClassConflict where the class tables of two disagree.
    """
    row = format_row("--to", to)
    recipe = _recipe(row.defaults, to, resize, quality, pass_through, square, link)
    read = [_read(manifest, row, to, label_attribute, classes, jobs) for manifest in manifests]
    kinds = [kind_of(found) for found in read]
    for manifest, kind in zip(manifests, kinds, strict=True):
        if kind != kinds[0]:
            raise Refused(f"{manifests[0]} has {_HOW_MANY[kinds[0]]}, and {manifest} has {_HOW_MANY[kind]}")

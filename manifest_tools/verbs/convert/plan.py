"""What a conversion will do, decided before the first picture is touched."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.parallel import Jobs
from manifest_tools.base.problem import Problem
from manifest_tools.formats.open_manifest import open_manifest
from manifest_tools.formats.safe_names import UniqueNames, safe_name
from manifest_tools.formats.table import (
    LABELS_OF,
    Format,
    base_name,
    format_row,
    module_of,
)
from manifest_tools.groundtruth.annotations import (
    DataSet,
    Picture,
    PictureLabelKind,
    Pictures,
    StreamedPictures,
)
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.classes import ClassTable, agree
from manifest_tools.groundtruth.conflict_policy import ConflictPolicy
from manifest_tools.groundtruth.contradictions import Contradictions
from manifest_tools.images.paths import ImagePaths
from manifest_tools.images.shrink import Recipe, decoder_version
from manifest_tools.images.unusable import Unusable
from manifest_tools.io.sinks import check_apart, output_file
from manifest_tools.io.sources import Source
from manifest_tools.verbs.convert.box_edges import WatchedBoxes
from manifest_tools.verbs.convert.how import How, how_to
from manifest_tools.verbs.convert.labelled import Labelled, is_empty, labelled_lines, labelled_parts, no_lines
from manifest_tools.verbs.convert.picture_places import picture_places


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
    label_kind: PictureLabelKind
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

    contradictions: Contradictions | None = None
    """Labelled lines of one picture with different classes, where these were looked for."""

    source: Source | None = None
    """The manifest, opened."""

    shard: int | None = None
    """How many pictures a file has at most; None for one file for all."""

    clip: bool = False
    """Whether boxes are cut off at the edges of their pictures."""

    data: DataSet | None = None
    """What was read of another data set; None for a manifest."""

    beside: bool = False
    """Whether a format that packs pictures only names them."""

    retried: bool = False
    """Whether these are only some lines of the manifest: those that a quarantine names."""

    @property
    def opens(self) -> bool:
        """Whether pictures are opened."""
        return not self.beside and format_row("--to", self.to).pictures != "named"

    @property
    def multi_label(self) -> bool:
        """Whether a picture may have several classes."""
        return self.label_kind == "multi_label"

    @property
    def main_output(self) -> str:
        """The main file of the part, or the folder of all; of shards the name without their numbers."""
        if format_row("--to", self.to).output == "folder" or not self.part:
            return self.output + self.ending
        return f"{self.output}/{self.part}{self.ending}"

    @property
    def report(self) -> str:
        """The file beside the output that says what was made, from what, and how."""
        return f"{self.output}.json"

    @property
    def folder(self) -> str:
        """Where the outputs stand."""
        return os.path.dirname(self.output) or "."

    def problem(self, number: int, why: Unusable, ref: str = "") -> Problem:
        """Return what is wrong with the picture of a line."""
        file, line = self.source.where(number, ref) if self.source and ref else (self.manifest, number)
        return Problem(why.code, "error", file, line, "$.source-ref", why.message)

    def description(self) -> dict[str, Any]:
        """Return what decides the bytes of the output, as the report keeps it."""
        recipe = self.recipe
        return {
            "manifest": os.path.basename(self.manifest),
            "sha256": self.digest,
            "format": self.to,
            "label_attribute": self.attribute.name,
            "multi_label": self.multi_label,
            "options": {
                "resize": None if recipe.pass_through else recipe.shorter,
                "quality": None if recipe.pass_through else recipe.quality,
                "square": recipe.square,
                "link": self.link,
                **({"upright": True} if recipe.upright else {}),
                **({"unchecked": True} if recipe.unchecked else {}),
                **({"clip": True} if self.clip else {}),
                **({"shard": self.shard} if self.shard else {}),
                **({"beside": True} if self.beside else {}),
            },
            "encoder": None if recipe.pass_through else decoder_version(),
            "classes": self.table.to_json(),
        }


def plan(manifest: str, to: str, output: str | None = None, **options: Any) -> ConversionPlan:
    """Return what ``convert`` would do with one manifest, before any picture is touched.

    Takes the options of ``convert``; raises what it would raise for them.
    """
    if output is not None and format_row("--to", to).output == "files":
        output = output_file(output, _without_ending(manifest))
    return plan_each([manifest], to, [_output_of(manifest, output)], **options)[0]


def plan_pictures(
    manifest: str, refs: Iterable[tuple[int, str]], images: Sequence[str] = ()
) -> ConversionPlan:
    """Return where the pictures of some lines lie, labelled or not; nothing will be written.

    ``refs`` are numbers of lines, each with its ``source-ref``.
    """
    pictures = [Picture(number, ref) for number, ref in refs]
    lines = StreamedPictures(lambda: iter(pictures))
    unlabelled = LabelAttribute("", "", "", requested=False)
    source = open_manifest(manifest)
    found = Labelled(
        manifest,
        unlabelled,
        "single_label",
        ClassTable(),
        lines,
        len(pictures),
        {},
        source.folder,
        source=source,
    )
    how = How("recordio", Recipe(pass_through=True), tuple(images))
    return _plan(found, how, ClassTable(), "", "")


def plan_parts(manifests: Sequence[str], to: str, output: str | None, **options: Any) -> list[ConversionPlan]:
    """Return what ``convert`` would do with several manifests, which become parts of one ``output``.

    A part is called after its manifest: ``train`` of train.manifest.
    """
    if output is None:
        raise Refused(f"{len(manifests)} manifests: expected a place for all of them; type -o NAME")
    parts = _part_names([_stem(manifest) for manifest in manifests])
    return plan_each(manifests, to, [_output_of("", output)] * len(manifests), parts, **options)


def _part_names(stems: Iterable[str]) -> list[str]:
    names = UniqueNames()
    return [names.unique(safe_name(stem, "part"), "", number) for number, stem in enumerate(stems, 1)]


def plan_data_set(
    place: str,
    from_: str,
    to: str,
    output: str | None,
    *,
    label_attribute: str | None = None,
    classes: ClassTable | None = None,
    jobs: Jobs = None,
    **options: Any,
) -> list[ConversionPlan]:
    """Return what ``convert`` would do with a data set of another format: a plan for each of its parts."""
    how = how_to(to, **options)
    found = labelled_parts(place, from_, to, label_attribute, classes)
    if how.retry:
        how.retry.check([one.place for one in found.values()])
    if output is None:
        raise Refused(f"--from {from_} --to {to}: expected a place for the output; type -o NAME")
    parts = [""] if list(found) == [""] else _part_names(found)
    if output.endswith("/") and format_row("--to", to).output == "files" and parts == [""]:
        output = output_file(output, _stem(place))
    table = next(iter(found.values())).table
    return [
        _plan(each, how, table, _output_of("", output), part)
        for each, part in zip(found.values(), parts, strict=True)
    ]


def plan_each(
    manifests: Sequence[str],
    to: str,
    outputs: Sequence[str],
    parts: Sequence[str] | None = None,
    *,
    label_attribute: str | None = None,
    classes: ClassTable | None = None,
    conflicts: ConflictPolicy | None = None,
    jobs: Jobs = None,
    **options: Any,
) -> list[ConversionPlan]:
    """Return a plan for each manifest, each with an output of its own, all with one class table.

    Every manifest is read once; one of several ``parts`` may be empty. ``conflicts`` looks for lines of one
    picture with different classes, and says what becomes of them. Raises ClassConflict where the class tables
    of two disagree.
    """
    how = how_to(to, **options)
    if how.retry:
        how.retry.check(manifests)
    empty = {manifest for manifest in manifests if parts and is_empty(manifest)}
    with_lines = [manifest for manifest in manifests if manifest not in empty] or list(manifests)
    found_in: dict[str, Labelled] = {}
    known = classes
    for manifest in with_lines:
        found_in[manifest] = labelled_lines(manifest, to, label_attribute, classes, known, conflicts, jobs)
        known = known or found_in[manifest].table
    like = found_in[with_lines[0]]
    read = [found_in.get(manifest) or no_lines(manifest, like) for manifest in manifests]
    for manifest, found in zip(manifests, read, strict=True):
        if found.kind != read[0].kind:
            first, other = LABELS_OF[read[0].kind], LABELS_OF[found.kind]
            raise Refused(f"{manifests[0]} has {first}, and {manifest} has {other}")
    table = agree({manifest: found.table for manifest, found in zip(manifests, read, strict=True)})
    names = parts or [""] * len(read)
    return [
        _plan(found, how, table, output, part)
        for found, output, part in zip(read, outputs, names, strict=True)
    ]


def _plan(found: Labelled, how: How, table: ClassTable, output: str, part: str) -> ConversionPlan:
    row = format_row("--to", how.to)
    if how.retry:
        found = how.retry.of(found)
    base, ending = base_name(row, output) if output else ("", "")
    planned = ConversionPlan(
        found.place,
        how.to,
        base,
        ending,
        part,
        found.attribute,
        found.kind,
        table,
        WatchedBoxes(found.lines, how.clip) if found.kind == "boxes" else found.lines,
        found.count,
        found.left_out,
        how.recipe,
        how.link,
        *picture_places(found, how.images, how.beside or row.pictures == "named"),
        found.contradictions,
        found.source,
        how.shard,
        how.clip,
        found.data,
        how.beside,
        how.retry is not None,
    )
    if output:
        _check(planned, row)
    return planned


def _check(planned: ConversionPlan, row: Format) -> None:
    """Raise what can be known before any work: by the format, the place or the options."""
    if row.output == "folder":
        check_apart(planned.manifest, [planned.output])
    if planned.link and planned.to_fetch:
        raise Refused(f"--link: {planned.to_fetch:,} pictures are not on this disk; type --images FOLDER")
    if planned.label_kind in ("boxes", "segmentation") and (planned.recipe.shorter or planned.recipe.square):
        labels = LABELS_OF[planned.label_kind]
        raise Refused(f"--resize: {labels} are in pixels of the pictures as they are; leave it out")
    if check := getattr(module_of(row), "check", None):
        try:
            check(data_set([planned]))
        except BadData as error:
            raise type(error)(f"{planned.manifest}: {error}") from error


def data_set(plans: Sequence[ConversionPlan]) -> DataSet:
    """Return the data set whose parts are the manifests of these plans."""
    first = plans[0]
    parts = {planned.part: planned.lines for planned in plans}
    return DataSet(first.table, first.label_kind, parts, first.attribute.name)


def _output_of(manifest: str, output: str | None) -> str:
    if output is None and (manifest == "-" or manifest.startswith("s3://") or not _stem(manifest)):
        raise Refused(f"{manifest}: expected a place for the output; type -o NAME")
    if output == "-":
        raise Refused("-o -: expected a name; several files, or a folder, cannot go to standard output")
    if output is not None and output.rstrip("/") == "s3:":
        raise Refused(f"-o {output}: expected s3://BUCKET/NAME")
    return _without_ending(manifest) if output is None else output


def _without_ending(manifest: str) -> str:
    if os.path.isdir(manifest):
        return manifest.rstrip("/")
    return os.path.splitext(manifest.removesuffix(".gz"))[0]


def _stem(manifest: str) -> str:
    """Return the name that an output takes from a manifest; nothing of a folder without a name of its own.

    >>> [_stem(name) for name in ("raw/a.manifest.gz", "./..", "/")]
    ['a', '', '']
    """
    return os.path.basename(_without_ending(manifest)).strip(".")

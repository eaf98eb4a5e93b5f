"""Converts a manifest and its pictures to another format; one file a format, one table of them.

A new format is a file here with the names of ``Format``, and a row in FORMATS.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol, cast

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.parallel import Jobs, Progress, no_progress
from manifest_tools.base.problem import Problem
from manifest_tools.base.version import __version__
from manifest_tools.formats import ConversionPlan, PictureDefaults
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.groundtruth.example_columns import Example
from manifest_tools.io.sinks import Publication, Published, check_key, publishing
from manifest_tools.verbs.convert.pictures import Fetch, usable
from manifest_tools.verbs.convert.plan import prepare_plan

__all__ = [
    "FORMATS",
    "Converted",
    "NothingUsable",
    "ConversionPlan",
    "carry_out",
    "convert",
    "is_current",
    "plan",
]

# By the word of `--to`.
FORMATS = {
    "recordio": "manifest_tools.formats.recordio",
    "folder": "manifest_tools.formats.image_folder",
}


class Format(Protocol):
    """What the module of a format offers."""

    USUAL: PictureDefaults

    def base_name(self, output: str) -> str:
        """Return ``-o`` without the ending that this format gives its file."""

    def check(self, plan: ConversionPlan) -> None:
        """Raise an error where the format cannot hold what the plan says."""

    def write(
        self,
        plan: ConversionPlan,
        pictures: Iterator[tuple[Example, bytes]],
        problems: list[Problem],
        publication: Publication,
    ) -> dict[str, Any]:
        """Write the pictures, and return what is to be said of it in the .json."""


@dataclass(frozen=True, slots=True)
class Converted:
    """What became of a conversion: its outputs, how many pictures are in them, and why others are not."""

    outputs: tuple[Published, ...]
    pictures: int
    problems: tuple[Problem, ...]
    left_out: dict[str, int] = field(default_factory=dict)
    """Lines without a label, by state."""

    table: ClassTable = ClassTable()


class NothingUsable(BadData):
    """A conversion that would have been empty."""

    def __init__(self, plan: ConversionPlan, problems: Sequence[Problem]) -> None:
        first = f"; the first: {problems[0]}" if problems else "; no line has a label"
        super().__init__(f"{plan.manifest}: no picture could be used, and nothing was written{first}")
        self.problems = tuple(problems)


def convert(
    manifest: str,
    to: str,
    output: str | None = None,
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
    force: bool = False,
    kms_key: str | None = None,
    fetch: Fetch | None = None,
    progress: Progress = no_progress,
) -> Converted:
    """Convert ``manifest`` and its pictures to the format ``to``: a key of FORMATS.

    ``output`` is a name without ending, or a folder; None is beside the manifest. ``images`` says where
    pictures lie, see ``image_paths``; what it does not cover comes from ``fetch``, called in threads with an
    S3 URI. ``resize`` is the shorter edge in pixels (0: as it is; None: what the format does usually).
    A picture that cannot be used is a problem of the result, not an error. The bytes are the same for
    any number of ``jobs``. ``kms_key`` encrypts what goes to S3.
    """
    planned = plan(
        manifest,
        to,
        output,
        images=images,
        label_attribute=label_attribute,
        resize=resize,
        quality=quality,
        pass_through=pass_through,
        square=square,
        link=link,
        classes=classes,
        jobs=jobs,
    )
    return carry_out(planned, jobs=jobs, force=force, kms_key=kms_key, fetch=fetch, progress=progress)


def plan(manifest: str, to: str, output: str | None = None, **options: Any) -> ConversionPlan:
    """Return what ``convert`` would do, after reading the manifest and before touching a picture.

    Takes the options of ``convert``; raises what it would raise for them.
    """
    module = _format(to)
    planned = prepare_plan(manifest, to, _base_name(module, manifest, output), module.USUAL, **options)
    module.check(planned)
    return planned


def carry_out(
    plan: ConversionPlan,
    *,
    jobs: Jobs = None,
    force: bool = False,
    kms_key: str | None = None,
    fetch: Fetch | None = None,
    progress: Progress = no_progress,
) -> Converted:
    """Do what ``plan`` says; raises NothingUsable where nothing would come of it."""
    check_key(kms_key, [plan.output])
    problems: list[Problem] = []
    with publishing(force=force, kms_key=kms_key) as publication:
        pictures = usable(plan, problems, fetch, jobs, progress)
        said = _format(plan.to).write(plan, pictures, problems, publication)
        if not said["pictures"]:
            raise NothingUsable(plan, problems)
        with_problems = {"dropped": _by_code(problems), "left_out": plan.examples.left_out}
        report = {"made_by": f"mtool {__version__}", **plan.description(), **said, **with_problems}
        stream = publication.open(plan.report)
        stream.write(json.dumps(report, indent=2).encode() + b"\n")
    return Converted(
        tuple(publication.published),
        said["pictures"],
        tuple(problems),
        plan.examples.left_out,
        plan.examples.table,
    )


def is_current(plan: ConversionPlan) -> bool:
    """Say whether the outputs of ``plan`` are there, whole and made of the same things in the same way.

    Goes by the .json beside them, and by the sizes of pictures and outputs; no picture is read. Never
    of a folder, whose many files the .json does not list.
    """
    try:
        with open(plan.report, encoding="utf-8") as file:
            report = json.load(file)
        sizes = {name: os.path.getsize(os.path.join(plan.folder, name)) for name in report["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return False
    description = plan.description()
    made = {key: report.get(key) for key in description}
    same_files = bool(sizes) and sizes == report["files"]
    return made == description and same_files and not report.get("dropped")


def _format(to: str) -> Format:
    if to not in FORMATS:
        raise Refused(f"--to {to}: expected one of {', '.join(FORMATS)}")
    return cast(Format, import_module(FORMATS[to]))


def _base_name(module: Format, manifest: str, output: str | None) -> str:
    if output is None and (manifest == "-" or manifest.startswith("s3://")):
        raise Refused(f"{manifest}: expected a place for the output; type -o NAME")
    if output == "-":
        raise Refused("-o -: expected a name; several files, or a folder, cannot go to standard output")
    if output is None:
        return os.path.splitext(manifest.removesuffix(".gz"))[0]
    return module.base_name(output)


def _by_code(problems: Iterable[Problem]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for problem in problems:
        counts[problem.code] = counts.get(problem.code, 0) + 1
    return dict(sorted(counts.items()))

"""``mtool look``."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import counted
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.screen import clean, note, print_json, progress

if TYPE_CHECKING:
    from manifest_tools.base.problem import Problem
    from manifest_tools.io.sinks import Published
    from manifest_tools.io.sources import Source
    from manifest_tools.verbs.look.look import Look

_PAGE = "look.html"
PICTURES = 300


def look(
    manifests: options.Manifests = None,
    output: Annotated[
        str,
        typer.Option(
            "-o", "--output", metavar="FILE", help="A page (.html), or a still picture (.png); here or in S3."
        ),
    ] = _PAGE,
    label_attribute: Annotated[
        str | None,
        typer.Option("--label-attribute", metavar="NAME", help="Show this label alone. [every label]"),
    ] = None,
    images: options.Images = None,
    pictures: Annotated[
        int, typer.Option("--pictures", metavar="N", min=0, help="Show at most N lines as pictures.")
    ] = PICTURES,
    serve: Annotated[
        bool,
        typer.Option(
            "--serve",
            help="Show it in the browser, from this machine: any number of lines, which can be marked.",
        ),
    ] = False,
    port: Annotated[
        int | None,
        typer.Option("--port", metavar="N", min=1, max=65535, help="The port of --serve. [a free one]"),
    ] = None,
    marks: Annotated[
        str | None,
        typer.Option(
            "--marks",
            metavar="FILE",
            help="Where --serve keeps marks. [NAME.marks.jsonl beside the manifest]",
        ),
    ] = None,
    force: options.Force = False,
    kms_key: options.KmsKey = None,
    as_json: options.Json = False,
    jobs: options.Jobs = None,
) -> None:
    """Show what is in manifests as a page or a picture.

    The page has charts, and the pictures with their labels; it is one file that needs no network. Pictures
    with problems and doubtful ones come first, the rest are chosen evenly from all classes; they can be
    filtered. Several manifests stand side by side. Pictures that are not on this disk come from S3, where
    there are credentials, and are not kept.

    With --serve, lines can be marked as wrong or unsure, or given another class; the marks go to a small
    file that filter --marked, rewrite --from-marks and merge --marks take.

    \b
    For example:
      mtool look output.manifest --images ./raw-data
      mtool look train.manifest validation.manifest --images ./raw-data -o report.html
      mtool look output.manifest --images ./raw-data -o sheet.png
      mtool look output.manifest --images ./raw-data --serve
    """
    from manifest_tools.cli.shared.look_serve import serve as serve_page
    from manifest_tools.formats.open_manifest import open_manifest
    from manifest_tools.io.sources import decompressed
    from manifest_tools.verbs.look.look import look as look_at
    from manifest_tools.verbs.look.s3_pictures import S3Pictures

    output = options.drawn_file(output, _PAGE, "-o")
    if (port is not None or marks is not None) and not serve:
        raise Refused("--port and --marks have no effect without --serve; type it too")
    sources = [decompressed(open_manifest(one)) for one in manifests or options.manifests_here("look")]
    if serve:
        _check_writes_nothing(output != _PAGE, pictures != PICTURES, force, kms_key is not None, as_json)
        serve_page(
            sources,
            label_attribute=label_attribute,
            images=images or (),
            problems=_problems(sources, label_attribute, jobs),
            port=port or 0,
            marks=marks,
            jobs=jobs,
        )
        return
    found = look_at(
        *sources,
        label_attribute=label_attribute,
        images=images or (),
        pictures=pictures,
        problems=_problems(sources, label_attribute, jobs),
        fetch=S3Pictures(),
        jobs=jobs,
        progress=progress,
    )
    published = _write(found, output, force, kms_key)
    if as_json:
        print_json(found.to_json())
    _notes(found, published)


def _check_writes_nothing(*typed: bool) -> None:
    """Raise Refused for words about a file, which a server does not write."""
    words = ("-o", "--pictures", "--force", "--kms-key", "--json")
    for word in (word for word, given in zip(words, typed, strict=True) if given):
        raise Refused(f"{word} has no effect with --serve, which writes no page; leave one of them out")


def _problems(
    sources: "Sequence[Source]", label_attribute: str | None, jobs: int | None
) -> "Iterable[Problem]":
    from manifest_tools.verbs.validate.validate import validate

    return validate(*sources, label_attribute=label_attribute, jobs=jobs)


def _write(found: "Look", output: str, force: bool, kms_key: str | None) -> "Sequence[Published]":
    from manifest_tools.cli.shared.pictures import write_pages
    from manifest_tools.io.sinks import publishing
    from manifest_tools.verbs.look.report import look_page, look_sheets
    from manifest_tools.verbs.validate.rules import RULES

    if output.lower().endswith(".png"):
        return write_pages("-o", output, look_sheets(found), force=force, kms_key=kms_key)
    with publishing(force=force, kms_key=kms_key) as publication:
        publication.open(output).write(look_page(found, {one.code: one.reason for one in RULES}).encode())
    return publication.published


def _notes(found: "Look", published: "Sequence[Published]") -> None:
    if found.fetched:
        note(f"{counted(found.fetched, 'picture')} fetched from S3, and not kept: mtool fetch keeps them")
    if found.missing:
        note(clean(found.missing))
    for one in published:
        note(clean(f"{one.path}: {one.state}"))

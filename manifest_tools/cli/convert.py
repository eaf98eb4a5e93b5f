"""``mtool convert``."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.pictures import pictures_of, show_problems
from manifest_tools.cli.shared.screen import clean, note, progress

if TYPE_CHECKING:
    from manifest_tools.verbs.convert.convert import Converted


def convert(
    manifest: options.Manifest,
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="recordio, or folder (one a class).")],
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="NAME", help="NAME.rec, or the folder NAME; with NAME.json."),
    ] = None,
    images: options.Images = None,
    label_attribute: options.LabelAttribute = None,
    resize: Annotated[
        int | None,
        typer.Option(
            "--resize", metavar="N", help="Pixels of the shorter edge; 0 keeps the size. [recordio: 256]"
        ),
    ] = None,
    quality: Annotated[int, typer.Option("--quality", metavar="N", help="Of the JPEGs, 1 to 100.")] = 95,
    pass_through: Annotated[
        bool, typer.Option("--pass-through", help="Leave the pictures' bytes as they are.")
    ] = False,
    square: Annotated[bool, typer.Option("--square", help="Cut the middle out before the resize.")] = False,
    link: Annotated[
        bool, typer.Option("--link", help="Folder: hard links instead of copies, on one file system.")
    ] = False,
    classes: options.Classes = None,
    jobs: options.Jobs = None,
    force: options.Force = False,
    kms_key: options.KmsKey = None,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Convert a manifest and its pictures, to train from.

    recordio writes NAME.rec, NAME.idx and NAME.lst as MXNet's im2rec does; folder writes a folder a class.
    A picture that is missing or broken is reported with its line, and the run goes on; exit code 1 then.

    \b
    For example:
      mtool convert train.manifest --to recordio -o train --images ./raw-data
      mtool convert train.manifest --to folder -o by-class --link --images ./raw-data
    """
    from manifest_tools.groundtruth.classes import read_class_table
    from manifest_tools.verbs.convert.convert import NothingUsable, carry_out
    from manifest_tools.verbs.convert.plan import plan

    planned = plan(
        manifest,
        to,
        output,
        images=images or (),
        label_attribute=label_attribute,
        resize=resize,
        quality=quality,
        pass_through=pass_through,
        square=square,
        link=link,
        classes=read_class_table(classes) if classes else None,
        jobs=jobs,
    )
    fetch = pictures_of(planned, quiet)
    if dry_run:
        note(f"{planned.count:,} pictures would become {planned.output} ({to})")
        return
    try:
        done = carry_out(planned, jobs=jobs, force=force, kms_key=kms_key, fetch=fetch, progress=progress)
    except NothingUsable as error:
        show_problems(error.problems)
        raise
    show_problems(done.problems)
    if as_json:
        typer.echo(json.dumps(as_value(done)))
    if not quiet:
        note(summary(done))
    if done.problems:
        raise typer.Exit(1)


def summary(done: "Converted") -> str:
    """Say in one or two lines what was made, and what is not in it."""
    named = ", ".join(f"{clean(output.path)} ({output.state})" for output in done.outputs)
    text = f"{done.pictures:,} pictures of {done.table.num_classes:,} classes: {named}"
    if done.problems:
        text += f"\n{len(done.problems):,} pictures could not be used, and are not in it"
    if done.left_out:
        counts = ", ".join(f"{count:,} {state}" for state, count in sorted(done.left_out.items()))
        text += f"\nlines without a label: {counts}"
    return text


def as_value(done: "Converted") -> dict[str, Any]:
    """Return the report for machines."""
    from dataclasses import asdict

    return {
        "outputs": [asdict(output) for output in done.outputs],
        "pictures": done.pictures,
        "problems": [asdict(problem) for problem in done.problems],
        "left_out": done.left_out,
        **done.table.to_json(),
    }

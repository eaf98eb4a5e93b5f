"""``mtool pipe``."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import clipped, counted
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.screen import clean, keep_stdout_for_data, note, print_json, progress

if TYPE_CHECKING:
    from manifest_tools.verbs.pipe.pipe import Piped


def pipe(
    manifest: options.Manifest,
    attribute: Annotated[
        list[str] | None,
        typer.Option(
            "--attribute",
            metavar="NAME",
            help="An attribute to send; repeat it, in order. [source-ref, and the only label attribute]",
        ),
    ] = None,
    output: Annotated[
        str,
        typer.Option("-o", "--output", metavar="FILE", help="A file or a FIFO; - is standard output."),
    ] = "-",
    images: options.Images = None,
    shuffle: Annotated[
        bool, typer.Option("--shuffle", help="Shuffle the lines, as ShuffleConfig does.")
    ] = False,
    seed: options.Seed = 0,
    jobs: options.Jobs = None,
    force: options.Force = False,
    kms_key: options.KmsKey = None,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Write the record stream that Pipe mode would send.

    RecordIO with one record an attribute. A name that ends in -ref sends the bytes of its object, any other
    the text of its value. Into a FIFO it writes at once, so that a local run can read as in Pipe mode.

    \b
    For example:
      mtool pipe train.manifest --attribute source-ref --attribute kind -o train.pipe --images ./raw-data
      mkfifo train_0; mtool pipe train.manifest --shuffle -o train_0 &
    """
    from manifest_tools.verbs.pipe.pipe import pipe as pipe_manifest

    if output == "-":
        keep_stdout_for_data()
    if output == "-" and not dry_run and sys.stdout.isatty():
        raise Refused("expected a file for the records, found a terminal; type -o FILE, or | PROGRAM")
    result = pipe_manifest(
        manifest,
        output,
        attribute=attribute or (),
        images=images or (),
        shuffle=shuffle,
        seed=seed,
        force=force,
        kms_key=kms_key,
        dry_run=dry_run,
        jobs=jobs,
        progress=progress,
    )
    if as_json:
        print_json(_as_value(result))
    elif not result.reader_left:
        note(_report(result, f", shuffled with seed {seed}" if shuffle else "", dry_run))


def _as_value(result: "Piped") -> dict[str, object]:
    return {
        "attributes": list(result.attributes),
        "lines": result.lines,
        "records": result.records,
        "bytes": result.size,
        "reader_left": result.reader_left,
        "turned": result.turned,
    }


def _report(result: "Piped", order: str, dry_run: bool) -> str:
    names = clean(" and ".join(map(clipped, result.attributes)))
    if dry_run:
        records = result.expected * len(result.attributes)
        would = f"{counted(result.expected, 'line')} would be {counted(records, 'record')}"
        return f"{would} of {names}{order}; dry run, nothing written"
    sent = f"{counted(result.lines, 'line')}, {counted(result.records, 'record')}"
    text = f"{sent} of {names}{order}: {result.size:,} bytes"
    if result.turned:
        from manifest_tools.verbs.convert.picture_counts import turned_remark

        text += f"\n{turned_remark(result.turned)}"
    return "\n".join([text, *(f"{one.path}: {one.state}" for one in result.published)])

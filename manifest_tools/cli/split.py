"""``mtool split``."""

from typing import Annotated

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.plots import Plot, plot_file, write_plot
from manifest_tools.cli.shared.screen import note, print_json
from manifest_tools.cli.shared.split_table import split_charts, split_table
from manifest_tools.groundtruth.conflict_policy import ConflictPolicy


def split(
    manifest: options.Manifest = "output.manifest",
    output: Annotated[
        str | None,
        typer.Option(
            "-o", "--output", metavar="FOLDER", help="The folder for the parts. [the folder of the manifest]"
        ),
    ] = None,
    ratio: Annotated[
        str | None,
        typer.Option("--ratio", metavar="R", help="The ratio of train; validation gets the rest. [0.8]"),
    ] = None,
    part: Annotated[
        list[str] | None,
        typer.Option("--part", metavar="NAME=R", help="A part and its ratio; repeat for each part."),
    ] = None,
    seed: options.Seed = 0,
    shuffle: Annotated[bool, typer.Option("--shuffle", help="Shuffle the lines inside each part.")] = False,
    rejects: options.Rejects = None,
    classes: options.Classes = None,
    label_attribute: Annotated[
        list[str] | None,
        typer.Option(
            "--label-attribute",
            metavar="NAME",
            help="The label attribute; needed only if there are several. "
            "Repeat it, or type sport*, to stratify over several by their class names.",
        ),
    ] = None,
    conflicts: Annotated[
        ConflictPolicy,
        typer.Option(
            "--conflicts",
            help="What to do with lines of one picture that have different classes: keep says so, drop leaves"
            " all of them out, error stops.",
        ),
    ] = "keep",
    group: Annotated[
        str | None,
        typer.Option(
            "--group",
            metavar="REGEX",
            help="Keep lines together whose source has the same first group of REGEX, or the same match.",
        ),
    ] = None,
    plot: Plot = None,
    force: options.Force = False,
    kms_key: options.KmsKey = None,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
    jobs: options.Jobs = None,
) -> None:
    """Divide a manifest into train and validation.

    80/20 by default, stratified by class. Lines without any box or entity count as a class of their own.
    Lines of one picture stay together; failed and unlabelled lines are left out and counted. Writes
    train.manifest, validation.manifest and split.json (seed, counts, class table).

    \b
    For example:
      mtool split output.manifest
      mtool split ./pictures
      mtool split output.manifest --group '(video-[0-9]+)/'
      mtool split output.manifest --part train=0.7 --part validation=0.2 --part test=0.1
    """
    from manifest_tools.verbs.split.split import split as split_manifest

    plot = plot_file(plot, "split.html")
    if plot is not None and dry_run:
        raise Refused("--dry-run writes nothing, and --plot writes a file; type one of them")
    result = split_manifest(
        manifest,
        output,
        ratio=ratio,
        part=_parts(part or []),
        seed=seed,
        label_attribute=label_attribute,
        classes=classes,
        conflicts=conflicts,
        group=group,
        rejects=rejects,
        shuffle=shuffle,
        force=force,
        kms_key=kms_key,
        dry_run=dry_run,
        jobs=jobs,
    )
    if not as_json:
        note(split_table(result, dry_run))
    if plot is not None:
        published = write_plot(plot, f"The split of {result.input}", split_charts(result), force=force)
        note(f"{published.path}: {published.state}")
    if as_json:
        print_json(result.to_json())


def _parts(parts: list[str]) -> dict[str, str]:
    """Return the parts as they were typed, by name."""
    for text in parts:
        if "=" not in text:
            raise Refused(f"--part {text}: expected NAME=R, such as train=0.8")
    named = dict(text.partition("=")[::2] for text in parts)
    if len(named) < len(parts):
        raise Refused("two parts have the same name; type a different name for each --part NAME=R")
    return named

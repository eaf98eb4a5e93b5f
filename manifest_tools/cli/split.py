"""``mtool split``."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.cli import options
from manifest_tools.cli.screen import clean, note, table
from manifest_tools.errors import Refused

if TYPE_CHECKING:
    from manifest_tools.split import Split

MANY = 40


def split(
    manifest: options.Manifest = "output.manifest",
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FOLDER", help="Where the parts go; beside the input if not."),
    ] = None,
    ratio: Annotated[
        str | None, typer.Option("--ratio", metavar="R", help="The share of train; 0.8 if not said.")
    ] = None,
    part: Annotated[
        list[str] | None,
        typer.Option("--part", metavar="NAME=R", help="A part and its share; repeat for each part."),
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
            help="The label to work on; needed only where there are several. "
            "Repeat it, or type sport*, to stratify over several, their classes taken by name.",
        ),
    ] = None,
    force: options.Force = False,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    jobs: options.Jobs = None,
) -> None:
    """Divide a manifest into train and validation.

    80/20 unless told, stratified by class; of boxes and entities by the classes that a line has, a line
    without any being a class of its own. Lines of one picture stay together; failed and unlabelled
    lines are left out and counted. Writes
    train.manifest, validation.manifest and split.json (seed, counts, class table).

    \b
    For example:
      mtool split output.manifest
      mtool split output.manifest --part train=0.7 --part validation=0.2 --part test=0.1
    """
    from manifest_tools.classes import read_class_table
    from manifest_tools.split import split as split_manifest

    result = split_manifest(
        manifest,
        output,
        parts=_parts(ratio, part or []),
        seed=seed,
        label_attribute_name=label_attribute,
        classes=read_class_table(classes) if classes else None,
        rejects=rejects,
        shuffle=shuffle,
        force=force,
        dry_run=dry_run,
        jobs=jobs,
    )
    if as_json:
        typer.echo(json.dumps(result.to_json()))
    elif not quiet:
        note(_report(result, dry_run))


def _parts(ratio: str | None, parts: list[str]) -> dict[str, str] | None:
    """Return the parts as they were typed; None for what split does by itself."""
    if ratio is not None and parts:
        raise Refused("--ratio and --part say the same thing; type one of them")
    if ratio is not None:
        return {"train": ratio, "validation": _rest(ratio)}
    named = dict(text.partition("=")[::2] for text in parts)
    if len(named) < len(parts):
        raise Refused("a part was named twice; give each --part NAME=R a name of its own")
    return named or None


def _rest(ratio: str) -> str:
    from fractions import Fraction

    try:
        return str(1 - Fraction(ratio))
    except (ValueError, ZeroDivisionError) as error:
        raise Refused(f"expected --ratio between 0 and 1, found {ratio!r}") from error


def _report(result: "Split", dry_run: bool) -> str:
    """Return the table of class by part, and in words what is not in it."""
    names = list(result.parts)
    rows: list[tuple[object, ...]] = [
        (index, result.table.name(index), *counts, sum(counts)) for index, counts in result.counts.items()
    ]
    if any(result.empty):
        rows.append((None, f"(no {result.attribute.task.unit})", *result.empty, sum(result.empty)))
    shown = rows if len(rows) <= MANY else rows[: MANY - 1]
    totals = [result.lines[name] for name in names]
    total = (None, "lines", *totals, sum(totals))
    text = [table([*shown, total], ("index", "class", *names, "all"))]
    if len(shown) < len(rows):
        text.append(f"({len(rows) - len(shown)} more classes: see split.json)")
    text += _remarks(result)
    if dry_run:
        text.append(f"dry run, nothing written; would write {', '.join(result.files.values())}")
    text += [f"{published.path}: {published.state}" for published in result.published]
    return "\n".join(text)


def _remarks(result: "Split") -> list[str]:
    remarks = []
    if len(result.attributes) > 1:
        remarks.append(f"stratified over {clean(', '.join(one.name for one in result.attributes))}")
    elif not result.attribute.task.has_classes:
        name, kind = clean(result.attribute.name), clean(result.attribute.task.short)
        remarks.append(f"not stratified: {name} is {kind}, no class stands on its lines")
    if result.small_classes:
        few = ", ".join(clean(result.table.name(index)) for index in result.small_classes[:8])
        more = f" and {len(result.small_classes) - 8} more" if len(result.small_classes) > 8 else ""
        at = list(result.parts).index(result.home)
        counts = [result.counts[index] for index in result.small_classes]
        whole = all(row[at] == sum(row) for row in counts)
        where = f", so all in {result.home}" if whole else ""
        remarks.append(f"fewer lines than parts{where}: {few}{more}")
    if result.left_out:
        remarks.append(
            "left out: " + ", ".join(f"{count:,} {kind}" for kind, count in result.left_out.items())
        )
    remarks.append(f"seed {result.seed}")
    return remarks

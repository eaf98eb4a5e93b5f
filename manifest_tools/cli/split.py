"""``mtool split``."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import clipped
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.screen import clean, note, table

if TYPE_CHECKING:
    from manifest_tools.verbs.split.split import Split

MANY = 40
_FEW = 8  # names in a remark


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
    kms_key: options.KmsKey = None,
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
    from manifest_tools.groundtruth.classes import read_class_table
    from manifest_tools.verbs.split.split import split as split_manifest

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
        kms_key=kms_key,
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
        rows.append((None, _nothing(result), *result.empty, sum(result.empty)))
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
        remarks.append(f"stratified over {_listed([one.name for one in result.attributes])}")
    elif not result.attribute.kind.has_classes:
        name, kind = _short(result.attribute.name), _short(result.attribute.short_type)
        remarks.append(f"not stratified: {name} is {kind}, no class stands on its lines")
    remarks += _small(result)
    remarks += [_empty(result, name) for name in result.empty_parts]
    if result.left_out:
        remarks.append(
            "left out: " + ", ".join(f"{count:,} {kind}" for kind, count in result.left_out.items())
        )
    remarks.append(f"seed {result.seed}")
    return remarks


def _small(result: "Split") -> list[str]:
    """Say which classes were too small to part; labels without any class count as one."""
    small = {_short(result.table.name(index)): result.counts[index] for index in result.small_classes}
    if 0 < sum(result.empty) < len(result.parts):
        small[_nothing(result)] = result.empty
    if not small:
        return []
    at = list(result.parts).index(result.home)
    whole = all(row[at] == sum(row) for row in small.values())
    where = f", so all in {result.home}" if whole else ""
    return [f"fewer lines than parts{where}: {_listed(list(small))}"]


def _empty(result: "Split", name: str) -> str:
    """Say that no line went to a part: whoever trains with it should know before the training does."""
    lines = sum(result.lines.values())
    are = "1 line is" if lines == 1 else f"{lines:,} lines are"
    return (
        f"{name} is empty: {are} too few for {float(result.parts[name]):g}, "
        "as lines of one picture and small classes stay together; label more"
    )


def _nothing(result: "Split") -> str:
    return f"(no {result.attribute.kind.item})"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _FEW:,} more" if len(names) > _FEW else ""
    return ", ".join(map(_short, names[:_FEW])) + more


def _short(name: str) -> str:
    return clean(clipped(name))

"""``mtool split``."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import by_state, clipped
from manifest_tools.base.visible import visible
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.screen import clean, note, print_json, table
from manifest_tools.groundtruth.conflict_policy import ConflictPolicy

if TYPE_CHECKING:
    from fractions import Fraction

    from manifest_tools.verbs.split.report import Split

_MOST = 40  # classes in the table
_FEW = 8  # names in a note
_MANY = 200  # names in a note that names all


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
      mtool split output.manifest --group '(video-[0-9]+)/'
      mtool split output.manifest --part train=0.7 --part validation=0.2 --part test=0.1
    """
    from manifest_tools.groundtruth.classes import read_class_table
    from manifest_tools.verbs.split.split import split as split_manifest

    result = split_manifest(
        manifest,
        output,
        parts=_parts(ratio, part or []),
        seed=seed,
        label_attribute=label_attribute,
        classes=read_class_table(classes) if classes else None,
        conflicts=conflicts,
        group=group,
        rejects=rejects,
        shuffle=shuffle,
        force=force,
        kms_key=kms_key,
        dry_run=dry_run,
        jobs=jobs,
    )
    if as_json:
        print_json(result.to_json())
    else:
        note(_report(result, dry_run))


def _parts(ratio: str | None, parts: list[str]) -> dict[str, str] | None:
    """Return the parts as they were typed; None for the default parts."""
    if ratio is not None and parts:
        raise Refused("--ratio and --part cannot be combined; type one of them")
    if ratio is not None:
        return {"train": ratio, "validation": _rest(ratio)}
    for text in parts:
        if "=" not in text:
            raise Refused(f"--part {text}: expected NAME=R, such as train=0.8")
    named = dict(text.partition("=")[::2] for text in parts)
    if len(named) < len(parts):
        raise Refused("two parts have the same name; type a different name for each --part NAME=R")
    return named or None


def _rest(ratio: str) -> str:
    from fractions import Fraction

    try:
        rest = 1 - Fraction(ratio)
    except (ValueError, ZeroDivisionError):
        rest = Fraction(0)
    if not 0 < rest < 1:
        raise Refused(f"--ratio {ratio}: expected a number between 0 and 1, such as 0.8")
    return str(rest)


def _report(result: "Split", dry_run: bool) -> str:
    """Return the table of lines by class and part, and notes on what it does not show."""
    names = list(result.parts)
    rows: list[tuple[object, ...]] = [
        (index, visible(result.table.name(index)), *counts, sum(counts))
        for index, counts in result.counts.items()
    ]
    if any(result.empty):
        rows.append((None, _no_item(result), *result.empty, sum(result.empty)))
    shown = rows if len(rows) <= _MOST else rows[: _MOST - 1]
    totals = [result.lines[name] for name in names]
    total = (None, "lines", *totals, sum(totals))
    text = [table([*shown, total], ("index", "class", *names, "all"))]
    if len(shown) < len(rows):
        text.append(f"({len(rows) - len(shown)} more classes: see split.json)")
    text += _notes(result)
    if dry_run:
        text.append(f"dry run, nothing written; would write {', '.join(result.files.values())}")
    text += [f"{published.path}: {published.state}" for published in result.published]
    return "\n".join(text)


def _notes(result: "Split") -> list[str]:
    from manifest_tools.verbs.split.groups import FRAMES

    notes = []
    if result.conflict:
        notes.append(f"divided by class names, which have other indices here: {clean(result.conflict)}")
    if len(result.attributes) > 1:
        notes.append(f"stratified over {_listed([one.name for one in result.attributes])}")
    elif not result.attribute.kind.has_classes:
        name, kind = _short(result.attribute.name), _short(result.attribute.short_type)
        notes.append(f"not stratified: {name} is {kind} and has no class on its lines")
    notes += _small(result)
    notes += _without_line(result)
    notes += [_empty(result, name) for name in result.empty_parts]
    notes += _off(result)
    if result.contradictions is not None:
        dropped = result.conflicts == "drop"
        way_out = "" if dropped else "; kept on one side; --conflicts drop leaves them out"
        notes.append(clean(result.contradictions.summary()) + way_out)
    if videos := result.videos:
        notes.append(
            f"the pictures look like frames of {videos.count:,} videos, and {videos.divided:,} of them are in"
            f" several parts; to keep each in one, type --group '{FRAMES}'"
        )
    if result.left_out:
        notes.append(f"left out: {by_state(result.left_out)}")
    notes.append(f"seed {result.seed}")
    return notes


def _small(result: "Split") -> list[str]:
    """Return a note on classes that are too small to divide; labels without a class count as one."""
    small = {
        _short(visible(result.table.name(index))): result.counts[index] for index in result.small_classes
    }
    if 0 < sum(result.empty) < len(result.parts):
        small[_no_item(result)] = result.empty
    if not small:
        return []
    where = f", all in {result.train_part}" if _in_train(result, small.values()) else ""
    return [f"classes with fewer lines than parts{where}: {_listed(list(small), _MANY)}"]


def _in_train(result: "Split", rows: Iterable[Sequence[int]]) -> bool:
    """Say whether all lines of some rows of the table are in the part for training."""
    at = list(result.parts).index(result.train_part)
    return all(row[at] == sum(row) for row in rows)


def _without_line(result: "Split") -> list[str]:
    """Return a note for each part on the classes that have no line there, but for those in training alone."""
    small = [index for index in result.small_classes if _in_train(result, [result.counts[index]])]
    notes = []
    for name, classes in result.without_line.items():
        named = [result.table.name(index) for index in classes if index not in set(small)]
        if named:
            notes.append(f"classes without a line in {name}: {_listed(named, _MANY)}")
    return notes


def _off(result: "Split") -> list[str]:
    """Return notes on totals and classes that are not what the ratios say."""
    notes = []
    total = sum(result.lines.values())
    if parts := result.off_parts:
        off = [
            f"{name} {result.lines[name]:,} in place of {_number(result.parts[name] * total)}"
            for name in parts
        ]
        why = "because lines of one picture and small classes stay together"
        notes.append(f"lines that are off the ratios, {why}: {', '.join(off)}")
    if classes := result.off_classes:
        off = [f"{_short(result.table.name(at))} by {_number(lines)}" for at, lines in classes.items()]
        notes.append(f"classes that are off the ratios by a line or more: {_listed(off)}")
    return notes


def _number(lines: "Fraction") -> str:
    return f"{float(lines):,.1f}".removesuffix(".0")


def _empty(result: "Split", name: str) -> str:
    """Return a note on a part without lines, which no training can use."""
    lines = sum(result.lines.values())
    are = "1 line is" if lines == 1 else f"{lines:,} lines are"
    return (
        f"{name} has no line: {are} too few for a ratio of {float(result.parts[name]):g}, because lines of"
        " one picture and small classes stay together; label more pictures"
    )


def _no_item(result: "Split") -> str:
    return f"(no {result.attribute.kind.item})"


def _listed(names: Sequence[str], most: int = _FEW) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(_short, names[:most])) + more


def _short(name: str) -> str:
    return clean(clipped(name))

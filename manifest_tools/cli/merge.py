"""``mtool merge``."""

from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.base.text import clipped, counted
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.screen import clean, keep_stdout_for_data, note, print_json, table
from manifest_tools.verbs.merge.choices import Policy

if TYPE_CHECKING:
    from manifest_tools.verbs.merge.report import Merged, MergedManifest

MANY = 40  # manifests in the table
_NAMED = 8  # keys that are named


def merge(
    manifests: Annotated[
        list[str],
        typer.Argument(metavar="MANIFEST", help="Paths, s3:// URIs, or - for standard input."),
    ],
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="Where to write; - is standard output.")
    ] = "-",
    label_attribute: Annotated[
        str | None,
        typer.Option(
            "--label-attribute",
            metavar="NAME",
            help="One name for the label where the manifests call it differently; takes in its adjustments.",
        ),
    ] = None,
    on_conflict: Annotated[
        Policy,
        typer.Option("--on-conflict", help="Which label to keep where two for the same picture differ."),
    ] = "error",
    marks: Annotated[
        str | None,
        typer.Option(
            "--marks",
            metavar="FILE",
            help="Let the marks in this file decide before --on-conflict (docs/marks.md).",
        ),
    ] = None,
    rejects: options.Rejects = None,
    force: options.Force = False,
    kms_key: options.KmsKey = None,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
    jobs: options.Jobs = None,
) -> None:
    """Merge manifests: one line a picture.

    Classes are matched by name; an index changes only where the first manifests have it for another class.
    Labels of different jobs for the same picture go on one line; --label-attribute makes them one label, the
    adjusted one where there is an adjustment. Keys that are no labels, and that only a line left out has, go
    on the line that is kept. A table on standard error says what became of the lines.

    \b
    For example:
      mtool merge monday.manifest tuesday.manifest -o all.manifest
      mtool merge lab1.manifest lab2.manifest --label-attribute kind --on-conflict vote -o all.manifest
      mtool merge lab1.manifest lab2.manifest --marks all.marks.jsonl --on-conflict vote -o all.manifest
      mtool merge original.manifest adjusted.manifest --label-attribute boxes -o all.manifest
    """
    from manifest_tools.verbs.merge.merge import merge as merge_manifests

    if output == "-":
        keep_stdout_for_data()
    result = merge_manifests(
        *manifests,
        output=output,
        label_attribute=label_attribute,
        on_conflict=on_conflict,
        marks=marks,
        rejects=rejects,
        force=force,
        kms_key=kms_key,
        dry_run=dry_run,
        jobs=jobs,
    )
    if as_json:
        print_json(result.to_json())
    else:
        note(_report(result, dry_run))


def _report(result: "Merged", dry_run: bool) -> str:
    """Return a table with a row for each manifest, and what else people should know."""
    text = [*_table(result)]
    if result.decided_by_marks:
        text.append(f"{counted(result.decided_by_marks, 'conflict')} decided by marks")
    text += [_conflicts(result), *_conflict_table(result)] if result.conflicts else []
    text += [_differing(result)] if result.differ else []
    text += [f"note: {clean(note)}" for note in result.notes]
    text += ["dry run, nothing written"] if dry_run else []
    return "\n".join([*text, *(f"{clean(one.path)}: {one.state}" for one in result.published)])


# The columns of the table, in this order; what happened to no line has no column.
_COLUMNS = (
    "lines",
    "kept",
    "same label",
    "unlabelled",
    "failed",
    "conflict",
    "superseded",
    "label moved",
    "won",
    "adjusted",
    "renamed",
    "reindexed",
    "label added",
    "keys added",
)


def _table(result: "Merged") -> list[str]:
    rows = [_row(one) for one in result.manifests]
    total = {name: sum(row.get(name, 0) for row in rows) for row in rows for name in row}
    columns = [name for name in _COLUMNS if total.get(name) or name in ("lines", "kept")]
    cells = [
        (clean(one.manifest), *(row.get(name, 0) for name in columns))
        for one, row in zip(result.manifests, rows, strict=True)
    ]
    more = len(cells) - MANY
    last = ("all", *(total[name] for name in columns))
    found = table([*cells[:MANY], last], ("manifest", *columns))
    return [found, *([f"({more:,} more manifests: see --json)"] if more > 0 else [])]


def _row(one: "MergedManifest") -> dict[str, int]:
    counts = {
        name: getattr(one, name) for name in ("lines", "kept", "won", "adjusted", "renamed", "reindexed")
    }
    left_out = {_LEFT_OUT.get(reason, reason): count for reason, count in one.left_out.items()}
    return {**counts, **left_out, "label added": one.overlaid, "keys added": one.carried}


# Reasons that the table calls by another name than the report.
_LEFT_OUT = {"overlaid": "label moved"}


def _conflicts(result: "Merged") -> str:
    conflicts = "1 conflict was" if result.conflicts == 1 else f"{result.conflicts:,} conflicts were"
    ties = f"; {result.ties:,} of them a tie, decided for the first label" if result.ties else ""
    undated = f"; in {result.undated:,} a line without a date counted as the oldest" if result.undated else ""
    return f"{conflicts} decided by --on-conflict {result.policy}{ties}{undated}"


def _conflict_table(result: "Merged") -> list[str]:
    """Return the table of the labels that won, and of those that they won over."""
    rows = [(one.label_attribute, one.kept, one.lost, one.lines) for one in result.conflict_table.rows]
    more = result.conflict_table.more
    found = table(rows, ("label attribute", "kept", "lost", "lines"))
    return [found, *([f"(and {more:,} more)"] if more else [])]


def _differing(result: "Merged") -> str:
    """Say for which keys a line that was left out has another value than the line that was kept."""
    keys = list(map(clipped, result.differing))
    named = ", ".join([*keys[:_NAMED], *(["..."] if len(keys) > _NAMED else [])])
    lines = "1 line left out has" if result.differ == 1 else f"{result.differ:,} lines left out have"
    word = "key" if len(keys) == 1 else "keys"
    return f"{lines} other values for the {word} {named}; the values of the line kept stay"

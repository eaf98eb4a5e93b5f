"""``mtool merge``."""

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.base.text import clipped
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.screen import clean, note, table

if TYPE_CHECKING:
    from manifest_tools.verbs.merge.report import Merged, MergedManifest

MANY = 40
_NAMED = 8  # keys in a remark


class OnConflict(StrEnum):
    """Whose label counts where lines of one picture differ."""

    error = "error"
    first = "first"
    last = "last"
    newest = "newest"
    highest_confidence = "highest-confidence"
    vote = "vote"


def merge(
    manifests: Annotated[
        list[str],
        typer.Argument(metavar="MANIFEST...", help="Paths, s3:// URIs, or -, in the order of their weight."),
    ],
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="Where to write; - is standard output.")
    ] = "-",
    label_attribute: Annotated[
        str | None,
        typer.Option(
            "--label-attribute",
            metavar="NAME",
            help="The one name for the label, where names differ; its adjustments are folded into it.",
        ),
    ] = None,
    on_conflict: Annotated[
        OnConflict,
        typer.Option("--on-conflict", help="Whose label counts where two for the same picture differ."),
    ] = OnConflict.error,
    rejects: options.Rejects = None,
    force: options.Force = False,
    kms_key: options.KmsKey = None,
    dry_run: options.DryRun = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON on standard error.")
    ] = False,
    quiet: options.Quiet = False,
    jobs: options.Jobs = None,
) -> None:
    """Lay manifests together: one line a picture.

    Classes are matched by name; an index changes only where the first manifests have it for another class.
    Labels of different jobs for the same picture go on one line; --label-attribute makes them one label,
    and takes what an adjustment job changed. Other keys that only a line left out has go on the one that
    stays. A table on standard error says what became of the lines.

    \b
    For example:
      mtool merge monday.manifest tuesday.manifest -o all.manifest
      mtool merge lab1.manifest lab2.manifest --label-attribute kind --on-conflict vote -o all.manifest
      mtool merge original.manifest adjusted.manifest --label-attribute boxes -o all.manifest
    """
    from manifest_tools.verbs.merge.merge import merge as merge_manifests

    result = merge_manifests(
        *manifests,
        output=output,
        label_attribute_name=label_attribute,
        on_conflict=on_conflict.value,
        rejects=rejects,
        force=force,
        kms_key=kms_key,
        dry_run=dry_run,
        jobs=jobs,
    )
    if as_json:
        note(json.dumps(result.to_json()))
    elif not quiet:
        note(_report(result, dry_run))


def _report(result: "Merged", dry_run: bool) -> str:
    """Return a row for each manifest, with a column for everything that happened to any line."""
    rows = [_row(one) for one in result.manifests]
    total = {name: sum(row.get(name, 0) for row in rows) for row in rows for name in row}
    columns = [name for name in _COLUMNS if total.get(name) or name in ("lines", "kept")]
    shown = [
        (clean(one.manifest), *(row.get(name, 0) for name in columns))
        for one, row in zip(result.manifests, rows, strict=True)
    ]
    more = len(shown) - MANY
    last = ("all", *(total[name] for name in columns))
    text = [table([*shown[:MANY], last], ("manifest", *columns))]
    text += [f"({more:,} more manifests: see --json)"] if more > 0 else []
    text += [_conflicts(result), *_decided(result)] if result.conflicts else []
    text += [_differing(result)] if result.differ else []
    text += [f"remark: {clean(remark)}" for remark in result.remarks]
    text += ["dry run, nothing written"] if dry_run else []
    return "\n".join([*text, *(f"{clean(one.path)}: {one.state}" for one in result.published)])


# As the table has them; what happened to no line has no column.
_COLUMNS = (
    "lines",
    "kept",
    "same label",
    "unlabelled",
    "failed",
    "conflict",
    "superseded",
    "overlaid",
    "won",
    "adjusted",
    "renamed",
    "reindexed",
    "laid over",
    "keys added",
)


def _row(one: "MergedManifest") -> dict[str, int]:
    counts = {
        name: getattr(one, name) for name in ("lines", "kept", "won", "adjusted", "renamed", "reindexed")
    }
    return {**counts, **one.left_out, "laid over": one.overlaid, "keys added": one.carried}


def _conflicts(result: "Merged") -> str:
    labels = "label" if result.conflicts == 1 else "labels"
    ties = f"; {result.ties:,} of them a tie, and the first taken" if result.ties else ""
    undated = f"; {result.undated:,} without a date counted as oldest" if result.undated else ""
    return f"{result.conflicts:,} {labels} differed, decided by --on-conflict {result.policy}{ties}{undated}"


def _decided(result: "Merged") -> list[str]:
    """Return the table of the labels that won, and of those that they won over."""
    rows = [(one.label_attribute, one.kept, one.lost, one.lines) for one in result.outcome.rows]
    more = result.outcome.more
    shown = table(rows, ("label attribute", "kept", "lost", "lines"))
    return [shown, *([f"(and {more:,} more)"] if more else [])]


def _differing(result: "Merged") -> str:
    """Say under which keys a line that was left out said something else than the line that stayed."""
    keys = list(map(clipped, result.differing))
    named = ", ".join([*keys[:_NAMED], *(["..."] if len(keys) > _NAMED else [])])
    lines = "1 line differs" if result.differ == 1 else f"{result.differ:,} lines differ"
    return f"{lines} in other keys: {named}; what the line that stays says counts"

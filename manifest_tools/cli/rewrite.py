"""``mtool rewrite``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import counted
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.screen import clean, keep_stdout_for_data, note, print_json

if TYPE_CHECKING:
    from manifest_tools.verbs.rewrite.report import Rewritten


def rewrite(
    manifests: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MANIFEST",
            help="Paths or s3:// URIs. [with --lab: each *.manifest here in which --lab changes something]",
        ),
    ] = None,
    lab: Annotated[str | None, typer.Option("--lab", metavar="ID", help="The new lab ID.")] = None,
    placeholder: Annotated[
        str, typer.Option("--placeholder", metavar="TEXT", help="The text that --lab replaces.")
    ] = "lab#",
    from_lab: Annotated[
        str | None, typer.Option("--from-lab", metavar="ID", help="Let --lab replace this lab ID instead.")
    ] = None,
    everywhere: Annotated[
        bool, typer.Option("--everywhere", help="With --from-lab: replace it in keys of objects too.")
    ] = False,
    move: Annotated[
        list[str] | None,
        typer.Option(
            "--move", metavar="OLD=NEW", help="Change the start of URIs: s3://old/prefix=s3://new/prefix."
        ),
    ] = None,
    prefix: Annotated[
        str | None,
        typer.Option(
            "--prefix", metavar="URI", help="Put s3://bucket/folder in front of each relative source-ref."
        ),
    ] = None,
    rename_attribute: Annotated[
        list[str] | None,
        typer.Option(
            "--rename-attribute", metavar="OLD=NEW", help="Rename a label attribute and its -metadata."
        ),
    ] = None,
    rename_class: Annotated[
        list[str] | None,
        typer.Option("--rename-class", metavar="OLD=NEW", help="Rename a class wherever its name is."),
    ] = None,
    from_marks: Annotated[
        str | None,
        typer.Option(
            "--from-marks",
            metavar="FILE",
            help="Give each line whose mark in this file has a class that class (docs/marks.md).",
        ),
    ] = None,
    add_class: Annotated[
        bool,
        typer.Option(
            "--add-class", help="With --from-marks: let a class that no line has get the next index."
        ),
    ] = False,
    label_attribute: options.LabelAttribute = None,
    output: options.Output = None,
    force: options.Force = False,
    kms_key: options.KmsKey = None,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
    jobs: options.Jobs = None,
) -> None:
    """Change lab ID, bucket, names, or marked classes.

    No other byte changes. Files are rewritten in place, all of them or none; -o writes another file.

    \b
    For example:
      mtool rewrite --lab lab3
      mtool rewrite --from-lab lab1 --lab lab3 train.manifest
      mtool rewrite --move s3://old/prefix=s3://new/prefix --rename-class RH=right-hand a.manifest --dry-run
      mtool rewrite train.manifest --from-marks train.marks.jsonl
    """
    from manifest_tools.verbs.rewrite.edits import edits_of
    from manifest_tools.verbs.rewrite.rewrite import holding
    from manifest_tools.verbs.rewrite.rewrite import rewrite as rewrite_manifests

    edits = edits_of(
        lab=lab,
        placeholder=placeholder,
        from_lab=from_lab,
        everywhere=everywhere,
        move=_pairs("--move", move),
        prefix=prefix,
        rename_attribute=_pairs("--rename-attribute", rename_attribute),
        rename_class=_pairs("--rename-class", rename_class),
        label_attribute=label_attribute if from_marks is None else None,
    )
    if not edits and from_marks is None and not add_class:
        raise Refused(
            "expected a change to make, found none; type for example --lab lab3, or --rename-class RH=R"
        )
    if not manifests and lab is None:
        raise Refused("expected the names of manifests, found none; type them (only --lab finds them itself)")
    names = manifests or holding(Path(), edits[0])
    if "-" in (output, *names):
        keep_stdout_for_data()
    if not names:
        _nothing_holds(from_lab or placeholder, lab)
    results = rewrite_manifests(
        *names,
        edits=edits,
        from_marks=from_marks,
        label_attribute=label_attribute if from_marks is not None else None,
        add_class=add_class,
        output=output,
        force=force,
        dry_run=dry_run,
        kms_key=kms_key,
        jobs=jobs,
    )
    if as_json:
        print_json({"manifests": [_to_json(one, from_marks, dry_run) for one in results]})
        return
    if dry_run:
        _show(results)
    if names:
        _report(results, dry_run, from_marks, output)


def _nothing_holds(old: str, lab: str | None) -> None:
    """Say that no manifest here contains what --lab replaces; raises Refused where there is no manifest."""
    if not list(Path().glob("*.manifest.gz")):
        options.manifests_here("rewrite")
    note(
        f"nothing to do: no *.manifest in this folder contains {old}; "
        f"to replace another lab's ID, type: mtool rewrite --from-lab OLD --lab {lab}"
    )


def _pairs(option: str, texts: list[str] | None) -> list[tuple[str, str]]:
    pairs = []
    for text in texts or []:
        old, equals, new = text.partition("=")
        if not equals or not old or not new:
            raise Refused(f"expected {option} OLD=NEW, found {text!r}")
        pairs.append((old, new))
    return pairs


def _report(results: "list[Rewritten]", dry_run: bool, from_marks: str | None, output: str | None) -> None:
    for result in results:
        lines = "line" if result.lines == 1 else "lines"
        verb = "would change" if dry_run else "changed"
        note(f"{clean(result.manifest)}: {result.changed:,} of {result.lines:,} {lines} {verb}")
        for reason, count in result.unchanged.items():
            note(f"  {counted(count, 'marked line')} not changed: {reason}")
    if from_marks is not None and results[0].unmatched:
        note(f"{clean(from_marks)}: {counted(results[0].unmatched, 'mark')} of no line here")
    if zeros := sum(result.without_score for result in results):
        labels = "1 corrected label has" if zeros == 1 else f"{zeros:,} corrected labels have"
        note(
            f"{labels} confidence 0 now, which says nothing; filter --zero-confidence keep keeps such labels"
        )
    if output is not None:
        for published in results[0].published:
            note(f"{clean(published.path)}: {published.state}")
    elif not any(result.changed for result in results):
        note("nothing to do")


def _to_json(result: "Rewritten", from_marks: str | None, dry_run: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"manifest": result.manifest, "lines": result.lines, "changed": result.changed}
    if from_marks is not None:
        found |= {"marked_unchanged": result.unchanged, "marks_of_no_line": result.unmatched}
    if dry_run:
        found["changes"] = [
            {"line": one.line, "before": _text(one.before), "after": _text(one.after)}
            for one in result.changes
        ]
    return found


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").strip()


def _show(results: "list[Rewritten]") -> None:
    """Print the first changes of each file as a diff."""
    red, green, plain = ("\x1b[31m", "\x1b[32m", "\x1b[0m") if sys.stdout.isatty() else ("", "", "")
    for result in results:
        for change in result.changes:
            typer.echo(f"{clean(result.manifest)}:{change.line}:")
            typer.echo(f"{red}-{clean(_text(change.before))}{plain}")
            typer.echo(f"{green}+{clean(_text(change.after))}{plain}")

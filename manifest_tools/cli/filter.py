"""``mtool filter``."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from manifest_tools.base.text import counted
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.screen import clean, keep_stdout_for_data, note, print_json, table
from manifest_tools.groundtruth.marks import OTHER_LABEL, WHATS
from manifest_tools.verbs.filter.conditions import Empty, MultiLabel, ZeroConfidence

if TYPE_CHECKING:
    from manifest_tools.verbs.filter.filter import Filtered


_DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]


def filter(
    manifest: options.Manifest,
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="Where to write; - is standard output.")
    ] = "-",
    min_confidence: Annotated[
        float | None,
        typer.Option("--min-confidence", metavar="C", min=0, max=1, help="The lowest confidence, 0 to 1."),
    ] = None,
    max_confidence: Annotated[
        float | None,
        typer.Option(
            "--max-confidence", metavar="C", min=0, max=1, help="The highest one: what is doubtful is kept."
        ),
    ] = None,
    zero_confidence: Annotated[
        ZeroConfidence | None,
        typer.Option(
            "--zero-confidence",
            help="What to do with a confidence that says nothing: 0, none, or the same low one on every"
            " label, as when one worker labelled each picture.",
        ),
    ] = None,
    empty: Annotated[
        Empty | None,
        typer.Option(
            "--empty",
            help="What a condition on the confidence does to a labelled line without any box, entity or"
            " class. [keep, unless nothing else would be kept]",
        ),
    ] = None,
    multilabel: Annotated[
        MultiLabel | None,
        typer.Option(
            "--multilabel",
            "--boxes",
            help="For lines with several classes, boxes or entities: any must have the confidence asked for "
            "[default], or all must; or trim removes those that do not, or are not of the classes asked for.",
        ),
    ] = None,
    class_: Annotated[
        list[str] | None,
        typer.Option("--class", metavar="NAME", help="Keep lines with this class; may be repeated."),
    ] = None,
    exclude_class: Annotated[
        list[str] | None,
        typer.Option("--exclude-class", metavar="NAME", help="Drop lines with this class; may be repeated."),
    ] = None,
    human_annotated: Annotated[
        Literal["yes", "no"] | None,
        typer.Option("--human-annotated", help="Keep labels of people (yes), or of a model (no)."),
    ] = None,
    job: Annotated[
        list[str] | None,
        typer.Option("--job", metavar="NAME", help="Keep labels of this labeling job; may be repeated."),
    ] = None,
    before: Annotated[
        datetime | None,
        typer.Option(
            "--before", metavar="DATE", formats=_DATES, help="Keep labels made before this date (UTC)."
        ),
    ] = None,
    after: Annotated[
        datetime | None,
        typer.Option(
            "--after", metavar="DATE", formats=_DATES, help="Keep labels made on this date or later (UTC)."
        ),
    ] = None,
    labelled: Annotated[bool, typer.Option("--labelled", help="Keep only lines with a label.")] = False,
    marked: Annotated[
        str | None,
        typer.Option("--marked", metavar="FILE", help="Keep lines with a mark in this file (docs/marks.md)."),
    ] = None,
    unmarked: Annotated[
        str | None,
        typer.Option("--unmarked", metavar="FILE", help="Keep lines without a mark in this file."),
    ] = None,
    mark: Annotated[
        list[str] | None,
        typer.Option(
            "--mark",
            metavar="|".join(WHATS),
            help="With one of them: only these marks count; may be repeated. [all]",
        ),
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(
            "--sample", metavar="N", min=1, help="Of the lines that are left, keep N, chosen by --seed."
        ),
    ] = None,
    balance: Annotated[
        bool,
        typer.Option(
            "--balance", help="Of the lines that are left, keep as many of each class as the smallest has."
        ),
    ] = False,
    per_class: Annotated[
        int | None,
        typer.Option("--per-class", metavar="N", min=1, help="The same with at most N lines of each class."),
    ] = None,
    seed: options.Seed = 0,
    rejects: options.Rejects = None,
    label_attribute: options.LabelAttribute = None,
    force: options.Force = False,
    kms_key: options.KmsKey = None,
    dry_run: options.DryRun = False,
    fail_empty: Annotated[
        bool, typer.Option("--fail-empty", help="Write nothing and exit with 1 if no line is kept.")
    ] = False,
    as_json: options.Json = False,
    jobs: options.Jobs = None,
) -> None:
    """Keep the lines that meet all conditions.

    They are written byte for byte. A table on standard error says how many lines were dropped for which
    reason; --rejects writes the dropped lines to a file.

    With --min-confidence or --max-confidence, a label without a confidence is dropped, and a labelled line
    without any box, entity or class is kept; both are counted. --zero-confidence and --empty say otherwise.
    Which lines --balance and --per-class keep depends on picture and seed, not on the order of the lines.

    \b
    For example:
      mtool filter output.manifest --min-confidence 0.8 -o sure.manifest
      mtool filter output.manifest --max-confidence 0.6 -o relabel.manifest
      mtool filter output.manifest --balance -o balanced.manifest
      mtool filter output.manifest --class RH --human-annotated yes | wc -l
      mtool filter output.manifest --class dog --boxes trim -o dogs.manifest
      mtool filter output.manifest --unmarked output.marks.jsonl --mark wrong -o good.manifest
    """
    from manifest_tools.verbs.filter.filter import filter as filter_manifest

    if output == "-":
        keep_stdout_for_data()
    result = filter_manifest(
        manifest,
        output,
        min_confidence=min_confidence,
        max_confidence=max_confidence,
        zero_confidence=zero_confidence,
        empty=empty,
        multilabel=multilabel,
        class_=class_ or (),
        exclude_class=exclude_class or (),
        human_annotated=None if human_annotated is None else human_annotated == "yes",
        job=job or (),
        before=before,
        after=after,
        labelled=labelled,
        marked=marked,
        unmarked=unmarked,
        mark=mark or (),
        sample=sample,
        balance=balance,
        per_class=per_class,
        seed=seed,
        rejects=rejects,
        label_attribute=label_attribute,
        force=force,
        kms_key=kms_key,
        dry_run=dry_run,
        fail_empty=fail_empty,
        jobs=jobs,
    )
    if as_json:
        print_json(_to_json(result))
    else:
        note(_report(result, sample, seed, dry_run))


def _to_json(result: "Filtered") -> dict[str, Any]:
    without = result.without_confidence
    return {
        "kept": result.kept,
        "trimmed": result.trimmed,
        "dropped": result.reasons,
        **({"kept_without_confidence": without} if without else {}),
        **({"per_class": result.per_class} if result.per_class is not None else {}),
        **({"marks_of_no_line": result.unmatched} if result.unmatched else {}),
        **({"relabelled": result.relabelled} if result.relabelled else {}),
        **({"constant_confidence": result.constant} if result.constant is not None else {}),
    }


def _report(result: "Filtered", sample: int | None, seed: int, dry_run: bool) -> str:
    rows = [("kept", result.kept)]
    if result.trimmed:
        rows.append(("of them trimmed", result.trimmed))
    rows += [(f"of them with {reason}", count) for reason, count in result.without_confidence.items()]
    rows += sorted(result.reasons.items(), key=lambda item: -item[1])
    text = [table(rows, (clean(result.manifest), "lines"))]
    text += _remarks(result)
    text += [f"sample of {sample:,}, seed {seed}"] if sample is not None else []
    if result.per_class is not None:
        text.append(f"{counted(result.per_class, 'line')} of each class at most, seed {seed}")
    text += ["dry run, nothing written"] if dry_run else []
    return "\n".join([*text, *(f"{one.path}: {one.state}" for one in result.published)])


def _remarks(result: "Filtered") -> list[str]:
    """Return what a reader of the counts alone would not expect."""
    text = [] if result.kept else [f"note: {result.why_empty}"]
    if result.constant is not None:
        text.append(
            f"note: every confidence is {result.constant:g}, so it says nothing about the labels: a job with"
            " one worker for each picture writes the same one for all"
        )
    if result.only_empty:
        kept = "the only line kept" if result.kept == 1 else f"each of the {result.kept:,} lines kept"
        text.append(f"note: {kept} has {result.only_empty}; --empty drop drops such lines")
    if result.unmatched:
        text.append(f"note: {counted(result.unmatched, 'mark')} of no line here")
    if result.relabelled and OTHER_LABEL not in result.reasons:
        lines = counted(result.relabelled, "line")
        text.append(f"note: {lines} with another label than when marked, so as good as unmarked")
    return text

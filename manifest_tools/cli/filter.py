"""``mtool filter``."""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.screen import clean, note, table
from manifest_tools.verbs.filter.conditions import Conditions, Empty, MultiLabel, ZeroConfidence

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
            help="What --min-confidence does to a labelled line without any box, entity or class. [keep, "
            "unless nothing else would be kept]",
        ),
    ] = None,
    multilabel: Annotated[
        MultiLabel | None,
        typer.Option(
            "--multilabel",
            "--boxes",
            help="For lines with several classes, boxes or entities: any must meet --min-confidence "
            "[default], or all must; or trim removes those that do not meet it, or are of no --class.",
        ),
    ] = None,
    class_: Annotated[
        list[str] | None,
        typer.Option("--class", metavar="NAME", help="Keep lines with this class; may be repeated."),
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
    sample: Annotated[
        int | None,
        typer.Option(
            "--sample", metavar="N", min=1, help="Of the lines that are left, keep N, chosen by --seed."
        ),
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
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the counts as JSON on standard error.")
    ] = False,
    quiet: options.Quiet = False,
    jobs: options.Jobs = None,
) -> None:
    """Keep the lines that meet all conditions.

    They are written byte for byte. A table on standard error says how many lines were dropped for which
    reason; --rejects writes the dropped lines to a file.

    With --min-confidence, a label without a confidence is dropped, and a labelled line without any box,
    entity or class is kept; both are counted. --zero-confidence and --empty say otherwise.

    \b
    For example:
      mtool filter output.manifest --min-confidence 0.8 -o sure.manifest
      mtool filter output.manifest --class RH --human-annotated yes | wc -l
      mtool filter output.manifest --class dog --boxes trim -o dogs.manifest
    """
    from manifest_tools.verbs.filter.filter import filter as filter_manifest

    _check(min_confidence, zero_confidence, empty, multilabel, class_)
    conditions = Conditions(
        min_confidence=min_confidence,
        zero_confidence=zero_confidence,
        empty=empty,
        multilabel=multilabel or "any",
        classes=tuple(class_ or ()),
        human_annotated=None if human_annotated is None else human_annotated == "yes",
        jobs=tuple(job or ()),
        before=before,
        after=after,
        labelled=labelled,
    )
    result = filter_manifest(
        manifest,
        output,
        conditions=conditions,
        sample=sample,
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
        note(json.dumps(_to_json(result)))
    elif not quiet:
        note(_report(result, sample, seed, dry_run))


def _to_json(result: "Filtered") -> dict[str, Any]:
    without = result.without_confidence
    return {
        "kept": result.kept,
        "trimmed": result.trimmed,
        "dropped": result.reasons,
        **({"kept_without_confidence": without} if without else {}),
        **({"constant_confidence": result.constant} if result.constant is not None else {}),
    }


def _check(
    min_confidence: float | None,
    zero_confidence: ZeroConfidence | None,
    empty: Empty | None,
    multilabel: MultiLabel | None,
    class_: list[str] | None,
) -> None:
    """Raise Refused for an option that has no effect without another one."""
    if zero_confidence is not None and min_confidence is None:
        raise Refused("--zero-confidence has no effect without --min-confidence; type both")
    if empty is not None and min_confidence is None:
        raise Refused("--empty has no effect without --min-confidence; type both")
    if multilabel == "trim" and min_confidence is None and not class_:
        raise Refused(
            "--multilabel trim has no effect without --min-confidence or --class; type one of them too"
        )
    if multilabel in ("any", "all") and min_confidence is None:
        raise Refused(f"--multilabel {multilabel} has no effect without --min-confidence; type both")


def _report(result: "Filtered", sample: int | None, seed: int, dry_run: bool) -> str:
    rows = [("kept", result.kept)]
    if result.trimmed:
        rows.append(("of them trimmed", result.trimmed))
    rows += [(f"of them with {reason}", count) for reason, count in result.without_confidence.items()]
    rows += sorted(result.reasons.items(), key=lambda item: -item[1])
    text = [table(rows, (clean(result.manifest), "lines"))]
    text += _remarks(result)
    text += [f"sample of {sample:,}, seed {seed}"] if sample is not None else []
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
    return text

"""``mtool filter``."""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.screen import clean, note, table
from manifest_tools.verbs.filter.conditions import Conditions, MultiLabel, ZeroConfidence

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
            help="What to do with confidence 0, which says nothing when one worker labelled each picture.",
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
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the counts as JSON on standard error.")
    ] = False,
    quiet: options.Quiet = False,
    jobs: options.Jobs = None,
) -> None:
    """Keep the lines that meet all conditions.

    They are written byte for byte. A table on standard error says how many lines were dropped for which
    reason; --rejects writes the dropped lines to a file.

    \b
    For example:
      mtool filter output.manifest --min-confidence 0.8 -o sure.manifest
      mtool filter output.manifest --class RH --human-annotated yes | wc -l
      mtool filter output.manifest --class dog --boxes trim -o dogs.manifest
    """
    from manifest_tools.verbs.filter.filter import filter as filter_manifest

    _check(min_confidence, zero_confidence, multilabel, class_)
    conditions = Conditions(
        min_confidence=min_confidence,
        zero_confidence=zero_confidence,
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
        jobs=jobs,
    )
    if as_json:
        note(json.dumps({"kept": result.kept, "trimmed": result.trimmed, "dropped": result.reasons}))
    elif not quiet:
        note(_report(result, sample, seed, dry_run))


def _check(
    min_confidence: float | None,
    zero_confidence: ZeroConfidence | None,
    multilabel: MultiLabel | None,
    class_: list[str] | None,
) -> None:
    """Raise Refused for an option that has no effect without another one."""
    if zero_confidence is not None and min_confidence is None:
        raise Refused("--zero-confidence has no effect without --min-confidence; type both")
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
    rows += sorted(result.reasons.items(), key=lambda item: -item[1])
    text = [table(rows, (clean(result.manifest), "lines"))]
    text += [f"sample of {sample:,}, seed {seed}"] if sample is not None else []
    text += ["dry run, nothing written"] if dry_run else []
    return "\n".join([*text, *(f"{one.path}: {one.state}" for one in result.published)])

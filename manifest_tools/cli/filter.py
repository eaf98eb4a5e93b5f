"""``mtool filter``."""

import json
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.screen import clean, note, table

if TYPE_CHECKING:
    from manifest_tools.verbs.filter.filter import Filtered


class YesNo(StrEnum):
    """What ``human-annotated`` can say."""

    yes = "yes"
    no = "no"


class MultiLabel(StrEnum):
    """Which classes, boxes or entities of a line must be sure enough; ``trim`` takes the others out."""

    any = "any"
    all = "all"
    trim = "trim"


class Zero(StrEnum):
    """What becomes of lines whose confidence says nothing."""

    drop = "drop"
    keep = "keep"


_DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]


def filter(
    manifest: options.Manifest,
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="Where to write; - is standard output.")
    ] = "-",
    min_confidence: Annotated[
        float | None,
        typer.Option("--min-confidence", metavar="C", min=0, max=1, help="Keep lines at least as sure."),
    ] = None,
    zero_confidence: Annotated[
        Zero | None,
        typer.Option("--zero-confidence", help="What to do where a single worker left 0, no information."),
    ] = None,
    multilabel: Annotated[
        MultiLabel | None,
        typer.Option(
            "--multilabel",
            "--boxes",
            help="Of several classes, boxes or entities on a line: one is sure enough [default], or all are; "
            "or trim those off that are not, or are of no --class.",
        ),
    ] = None,
    class_: Annotated[
        list[str] | None, typer.Option("--class", metavar="NAME", help="Keep this class; may be repeated.")
    ] = None,
    human_annotated: Annotated[
        YesNo | None, typer.Option("--human-annotated", help="Labelled by people, or by a model.")
    ] = None,
    job: Annotated[
        list[str] | None, typer.Option("--job", metavar="NAME", help="Of this job; may be repeated.")
    ] = None,
    before: Annotated[
        datetime | None,
        typer.Option("--before", metavar="DATE", formats=_DATES, help="Labelled before this date (UTC)."),
    ] = None,
    after: Annotated[
        datetime | None,
        typer.Option("--after", metavar="DATE", formats=_DATES, help="Labelled on or after this date (UTC)."),
    ] = None,
    labelled: Annotated[bool, typer.Option("--labelled", help="Keep only lines with a label.")] = False,
    sample: Annotated[
        int | None, typer.Option("--sample", metavar="N", min=1, help="Then keep N of them, by the seed.")
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

    Byte for byte as they came. A table on standard error says how many went for which reason; --rejects
    keeps them.

    \b
    For example:
      mtool filter output.manifest --min-confidence 0.8 -o sure.manifest
      mtool filter output.manifest --class RH --human-annotated yes | wc -l
      mtool filter output.manifest --class dog --boxes trim -o dogs.manifest
    """
    from manifest_tools.verbs.filter.conditions import Conditions
    from manifest_tools.verbs.filter.filter import filter as filter_manifest

    _check(min_confidence, zero_confidence, multilabel, class_)
    conditions = Conditions(
        min_confidence=min_confidence,
        zero_confidence=zero_confidence.value if zero_confidence else None,
        multilabel=(multilabel or MultiLabel.any).value,
        classes=tuple(class_ or ()),
        human_annotated=None if human_annotated is None else human_annotated is YesNo.yes,
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
        label_attribute_name=label_attribute,
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
    zero_confidence: Zero | None,
    multilabel: MultiLabel | None,
    class_: list[str] | None,
) -> None:
    """Refuse an option that would change nothing without another."""
    if zero_confidence is not None and min_confidence is None:
        raise Refused("--zero-confidence goes with --min-confidence; type both")
    if multilabel is MultiLabel.trim and min_confidence is None and not class_:
        raise Refused("--multilabel trim goes with --min-confidence or --class; type one of them too")
    if multilabel not in (None, MultiLabel.trim) and min_confidence is None:
        raise Refused("--multilabel goes with --min-confidence; type both")


def _report(result: "Filtered", sample: int | None, seed: int, dry_run: bool) -> str:
    rows = [("kept", result.kept)]
    if result.trimmed:
        rows.append(("of them trimmed", result.trimmed))
    rows += sorted(result.reasons.items(), key=lambda item: -item[1])
    text = [table(rows, (clean(result.manifest), "lines"))]
    text += [f"sample of {sample:,}, seed {seed}"] if sample is not None else []
    text += ["dry run, nothing written"] if dry_run else []
    return "\n".join([*text, *(f"{one.path}: {one.state}" for one in result.published)])

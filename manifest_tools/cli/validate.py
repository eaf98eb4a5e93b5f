"""``mtool validate``."""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import counted
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.make_command import Options
from manifest_tools.cli.shared.options import manifests_here
from manifest_tools.cli.shared.screen import clean, note, printing, progress, table
from manifest_tools.verbs.validate.choices import FormatName, Purpose

if TYPE_CHECKING:
    from manifest_tools.base.problem import Problem
    from manifest_tools.verbs.validate.preflight.preflight import Preflight
    from manifest_tools.verbs.validate.validate import CheckedFile, Report


@dataclass(frozen=True, kw_only=True)
class Checks(Options):
    """What is checked."""

    SECTION = "What to check"

    manifests: options.Manifests = None
    label_attribute: Annotated[
        str | None,
        typer.Option("--label-attribute", metavar="NAME", help="Check this label alone. [every label]"),
    ] = None
    select: Annotated[
        list[str] | None,
        typer.Option(
            "--select", metavar="CODE", help="Report this code alone, or MT2 for all MT2xx; may be repeated."
        ),
    ] = None
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="CODE", help="Do not report this code; may be repeated."),
    ] = None
    objects: Annotated[
        bool,
        typer.Option(
            "--objects",
            help="Check the pictures and other objects that lines name, on this disk (--images) or in S3.",
        ),
    ] = False
    images: options.Images = None
    decode: Annotated[
        bool,
        typer.Option(
            "--decode",
            help="With --objects: read every picture whole and decode it, which finds damage in its middle.",
        ),
    ] = False
    list_codes: Annotated[
        bool, typer.Option("--list", help="List the codes and what each checks; reads no manifest.")
    ] = False


@dataclass(frozen=True, kw_only=True)
class JobOptions(Options):
    """The job that the manifests are checked for."""

    SECTION = "For a job"

    purpose: Annotated[
        Purpose | None,
        typer.Option(
            "--for",
            help="Check as well whether this algorithm or service takes the manifests, for training and"
            " for validation.",
        ),
    ] = None
    hyperparameters: Annotated[
        str | None,
        typer.Option(
            "--hyperparameters",
            metavar="FILE",
            help="With --for: a JSON file of hyperparameters, or of a whole request.",
        ),
    ] = None
    values: Annotated[
        list[str] | None,
        typer.Option("-p", metavar="NAME=VALUE", help="With --for: a hyperparameter; may be repeated."),
    ] = None


@dataclass(frozen=True, kw_only=True)
class FixOptions(Options):
    """What is fixed before the check."""

    SECTION = "Fixes"

    fix: Annotated[
        bool,
        typer.Option(
            "--fix",
            help="First fix, in place, the problems that have one right answer, and say what was done.",
        ),
    ] = False
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --fix: only say what it would do.")] = False
    kms_key: options.KmsKey = None


@dataclass(frozen=True, kw_only=True)
class ReportOptions(Options):
    """How the report is printed."""

    SECTION = "Report"

    format_: Annotated[FormatName, typer.Option("--format", help="How problems are printed.")] = "text"
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON Lines: an object for each problem, as --format json.")
    ] = False
    max_problems: Annotated[
        int | None,
        typer.Option(
            "--max-problems", metavar="N", min=1, help="Print the first N problems; all are counted."
        ),
    ] = None
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 for a warning too.")] = False


@dataclass(frozen=True, kw_only=True)
class ValidateOptions(ReportOptions, FixOptions, JobOptions, Checks):
    """The options of validate."""

    SECTION = ""

    jobs: options.Jobs = None


def validate(given: ValidateOptions) -> None:
    """Print every problem of every line.

    A problem has file, line, severity, a stable code, and what is wrong; `mtool explain CODE` says more. They
    come by file and line, those of a file as a whole first. Files that are named together are compared as
    well. Exits with 1 when there is an error, or with --strict a warning.

    \b
    For example:
      mtool validate output.manifest
      mtool validate train.manifest validation.manifest --strict
      mtool validate output.manifest --fix --ignore MT306
      mtool validate --for builtin train.manifest validation.manifest -p num_classes=2
    """
    from manifest_tools.verbs.validate.explain import chosen

    codes = chosen(tuple(given.select or ()), tuple(given.ignore or ()))
    _check_combinations(given)
    if given.list_codes:
        _print_codes(codes, given.as_json)
        return
    preflight = _preflight(given)
    names = given.manifests or manifests_here("validate")
    _check_each_is_one_file(names)
    if given.fix:
        _fix(names, codes, given)
    report = _report(names, codes, preflight, given)
    counts = _print(report, names, given)
    _note_what_was_checked(report, together=bool(given.manifests))
    _note_what_to_type(counts, names, given)
    if any(one.errors or (given.strict and one.warnings) for one in report.checked):
        raise typer.Exit(1)


def _check_combinations(given: ValidateOptions) -> None:
    """Raise Refused for options that do not go together."""
    if given.as_json and given.format_ != "text":
        raise Refused(f"--json and --format {given.format_} are two formats; type one of them")
    if given.list_codes and given.manifests:
        raise Refused("--list reads no manifest; type it without one")
    if given.purpose is None and (given.hyperparameters or given.values):
        raise Refused(
            "--hyperparameters and -p need --for; type --for builtin too, or another of its choices"
        )
    if "images" in given.typed and not given.objects and given.purpose is None:
        raise Refused("--images needs --objects or --for; type one of them too")
    if given.decode and not given.objects:
        raise Refused("--decode needs --objects; type both")
    if given.dry_run and not given.fix:
        raise Refused("--dry-run needs --fix; type both")
    if given.kms_key is not None and not given.fix:
        raise Refused("--kms-key needs --fix; type both")


def _check_each_is_one_file(names: list[str]) -> None:
    """Raise Refused for one file under two names: it would be compared with itself."""
    real: dict[str, str] = {}
    for name in names:
        path = name if name == "-" or name.startswith("s3://") else os.path.realpath(name)
        if path in real:
            raise Refused(f"{real[path]} and {name} are one file; name it once")
        real[path] = name


def _preflight(given: ValidateOptions) -> "Preflight | None":
    from manifest_tools.verbs.validate.preflight.preflight import (
        Preflight,
        read_hyperparameters,
        read_request,
    )

    if given.purpose is None:
        return None
    file = given.hyperparameters
    request = read_request(file) if file else None
    values = read_hyperparameters(None if request is not None else file, given.values or ())
    return Preflight(given.purpose, values, request)


def _report(
    names: list[str], codes: frozenset[str], preflight: "Preflight | None", given: ValidateOptions
) -> "Report":
    from manifest_tools.verbs.validate.validate import validate as validate_manifests

    return validate_manifests(
        *names,
        label_attribute=given.label_attribute,
        preflight=preflight,
        together=bool(given.manifests),
        codes=codes,
        objects=_object_problems(names, preflight, given) if given.objects else (),
        images=given.images or None,
        jobs=given.jobs,
    )


def _object_problems(
    names: list[str], preflight: "Preflight | None", given: ValidateOptions
) -> "Iterable[Problem]":
    from manifest_tools.verbs.validate.objects import check_objects
    from manifest_tools.verbs.validate.preflight.preflight import smallest

    if "-" in names:
        raise Refused(
            "--objects reads a manifest twice, and standard input can be read once; save it as a file"
        )
    return check_objects(
        *names,
        images=given.images or (),
        label_attribute=given.label_attribute,
        smallest=smallest(preflight) if preflight is not None else None,
        decode=given.decode,
        jobs=given.jobs,
        progress=progress,
    )


def _fix(names: list[str], codes: frozenset[str], given: ValidateOptions) -> None:
    from manifest_tools.verbs.validate.fix import DONE
    from manifest_tools.verbs.validate.fix import fix as fix_manifests

    would = "would be " if given.dry_run else ""
    for fixed in fix_manifests(
        *names, select=codes, dry_run=given.dry_run, kms_key=given.kms_key, jobs=given.jobs
    ):
        for code, count in sorted(fixed.counts.items()):
            note(f"{fixed.manifest}: {code} {would}fixed: {DONE[code]} ({count:,})")


def _print(report: "Report", names: list[str], given: ValidateOptions) -> "Counter[tuple[str, str, str]]":
    """Print the problems in order; return how often each was found, by severity, code and file."""
    from manifest_tools.verbs.validate.in_order import in_order
    from manifest_tools.verbs.validate.report_formats import FORMATS

    counts: Counter[tuple[str, str, str]] = Counter()
    most = sys.maxsize if given.max_problems is None else given.max_problems

    def first() -> "Iterator[Problem]":
        for number, problem in enumerate(in_order(report, names)):
            counts[problem.severity, problem.code, problem.file] += 1
            if number < most:
                yield problem

    chosen: FormatName = "json" if given.as_json else given.format_
    with printing(for_a_program=chosen != "text") as print_line:
        for line in FORMATS[chosen](first()):
            print_line(clean(line))
    if (more := counts.total() - most) > 0:
        note(f"{counted(more, 'more problem')}; to print all, leave --max-problems out")
    return counts


def _note_what_to_type(
    counts: "Counter[tuple[str, str, str]]", names: list[str], given: ValidateOptions
) -> None:
    """Say what to type about the commonest error, or the commonest warning where there is no error."""
    from manifest_tools.verbs.validate.next_step import next_step

    by_code: Counter[tuple[str, str]] = Counter()
    for (severity, code, _), count in counts.items():
        by_code[severity, code] += count
    if by_code:
        severity, code = max(by_code, key=lambda each: (each[0] == "error", by_code[each]))
        file = next(file for _, found, file in counts if found == code)
        step = f"mtool explain {code}" if given.fix else next_step(code, file if file in names else "-")
        often = f" ({by_code[severity, code]:,})" if by_code[severity, code] > 1 else ""
        note(f"commonest {severity}: {code}{often}; type: {step}")


def _note_what_was_checked(report: "Report", together: bool) -> None:
    """Say what was found in each file, and what the job should be started with."""
    from manifest_tools.verbs.validate.preflight.preflight import settings

    for checked in report.checked:
        note(_summary(checked))
    wanted = settings(report.preflight_input) if report.preflight_input is not None else None
    if wanted is not None:
        note(clean(str(wanted)))
    if len(report.checked) > 1 and not together:
        note("the files were not compared with one another; for that, type: mtool validate FILE FILE")


def _print_codes(codes: frozenset[str], as_json: bool) -> None:
    from manifest_tools.verbs.validate.rules import RULES

    rows = [(rule.code, rule.severity, rule.reason) for rule in RULES if rule.code in codes]
    if as_json:
        listed = ({"code": code, "severity": severity, "reason": reason} for code, severity, reason in rows)
        print("\n".join(map(json.dumps, listed)))
    else:
        print(table(rows))


def _summary(checked: "CheckedFile") -> str:
    counts = ((checked.errors, "error"), (checked.warnings, "warning"))
    found = " and ".join(counted(count, word) for count, word in counts if count)
    return clean(f"{checked.manifest}: {counted(checked.lines, 'line')}, {found or 'no problem'}")

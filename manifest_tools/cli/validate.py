"""``mtool validate``."""

import json
import os
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.options import manifests_here
from manifest_tools.cli.shared.screen import clean, note, progress, table

if TYPE_CHECKING:
    from manifest_tools.base.problem import Problem
    from manifest_tools.verbs.validate.preflight.preflight import Preflight
    from manifest_tools.verbs.validate.validate import Checked, Report


class Form(StrEnum):
    """How problems are printed."""

    text = "text"
    json = "json"
    sarif = "sarif"
    github = "github"


class Purpose(StrEnum):
    """What manifests are meant for; as preflight.PURPOSES."""

    builtin = "builtin"
    semantic_segmentation = "semantic-segmentation"
    object_detection = "object-detection"
    rekognition = "rekognition"


def validate(
    manifests: options.Manifests = None,
    label_attribute: Annotated[
        str | None,
        typer.Option("--label-attribute", metavar="NAME", help="Check this label, not all of them."),
    ] = None,
    select: Annotated[
        list[str] | None,
        typer.Option(
            "--select", metavar="CODE", help="Only this code, or MT2 for all MT2xx; may be repeated."
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="CODE", help="Not this code; may be repeated.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Let a warning fail as an error does.")] = False,
    max_problems: Annotated[
        int | None, typer.Option("--max-problems", metavar="N", min=1, help="Print the first N; all count.")
    ] = None,
    fix: Annotated[
        bool,
        typer.Option(
            "--fix",
            help="First fix, in place, the problems that have one right answer, and say what was done.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --fix: only say what it would do.")
    ] = False,
    format_: Annotated[Form, typer.Option("--format", help="How to print problems.")] = Form.text,
    as_json: Annotated[
        bool, typer.Option("--json", help="The same as --format json: a JSON object a problem, a line each.")
    ] = False,
    objects: Annotated[
        bool,
        typer.Option("--objects", help="Look at pictures and other objects too, here (--images) or in S3."),
    ] = False,
    kms_key: options.KmsKey = None,
    images: options.Images = None,
    purpose: Annotated[
        Purpose | None,
        typer.Option("--for", help="Ask as well: would this algorithm or service take train and validation?"),
    ] = None,
    hyperparameters: Annotated[
        str | None,
        typer.Option(
            "--hyperparameters", metavar="FILE", help="With --for: as JSON; a whole request will do."
        ),
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Option("-p", metavar="NAME=VALUE", help="With --for: a hyperparameter; may be repeated."),
    ] = None,
    list_codes: Annotated[
        bool, typer.Option("--list", help="List the codes with what each asks for, and check nothing.")
    ] = False,
    quiet: options.Quiet = False,
    jobs: options.Jobs = None,
) -> None:
    """Print every problem of every line.

    File, line, a stable code, and what is wrong; `mtool explain CODE` says more. Files that are named
    together are compared as well. Exits with 1 when there is an error, or with --strict a warning.

    \b
    For example:
      mtool validate output.manifest
      mtool validate train.manifest validation.manifest --strict
      mtool validate output.manifest --fix --ignore MT306
      mtool validate --for builtin train.manifest validation.manifest -p num_classes=2
    """
    from manifest_tools.verbs.validate.explain import chosen
    from manifest_tools.verbs.validate.validate import validate as validate_manifests

    codes = chosen(tuple(select or ()), tuple(ignore or ()))
    if as_json and format_ is not Form.text:
        raise Refused(f"--json and --format {format_} are two forms; type one of them")
    if list_codes:
        if manifests:
            raise Refused("--list checks nothing, so it takes no manifest")
        _print_codes(codes, as_json)
        return
    preflight = _preflight(purpose, hyperparameters, values or [])
    if images and not objects and preflight is None and not os.environ.get("MTOOL_IMAGES"):
        raise Refused("--images goes with --objects, or with --for; type both")
    if dry_run and not fix:
        raise Refused("--dry-run goes with --fix; type both")
    if kms_key is not None and not fix:
        raise Refused("--kms-key goes with --fix; type both")
    names = manifests or manifests_here("validate")
    _check_apart(names)
    if fix:
        _fix(names, codes, dry_run, kms_key, jobs)
    report = validate_manifests(
        *names,
        label_attribute_name=label_attribute,
        preflight=preflight,
        together=bool(manifests),
        codes=codes,
        objects=_look(names, images or [], label_attribute, preflight, jobs) if objects else (),
        images=images or None,
        jobs=jobs,
    )
    _print(report, Form.json if as_json else format_, max_problems)
    if not quiet:
        for checked in report.checked:
            note(_summary(checked))
        _note_settings(report)
        if len(names) > 1 and not manifests:
            note("each was checked by itself; to compare some, type: mtool validate FILE FILE")
    if any(checked.errors or (strict and checked.warnings) for checked in report.checked):
        raise typer.Exit(1)


def _check_apart(names: list[str]) -> None:
    """Raise Refused for one file under two names: it would be compared with itself."""
    real: dict[str, str] = {}
    for name in names:
        path = name if name == "-" or name.startswith("s3://") else os.path.realpath(name)
        if path in real:
            raise Refused(f"{real[path]} and {name} are one file; name it once")
        real[path] = name


def _preflight(purpose: Purpose | None, file: str | None, values: list[str]) -> "Preflight | None":
    from manifest_tools.verbs.validate.preflight.preflight import (
        Preflight,
        read_hyperparameters,
        read_request,
    )

    if purpose is None:
        if file or values:
            raise Refused("--hyperparameters and -p go with --for; type --for builtin, or another")
        return None
    request = read_request(file) if file else None
    told = read_hyperparameters(None if request is not None else file, values)
    return Preflight(purpose.value, told, request)


def _note_settings(report: "Report") -> None:
    """Say what the job should be started with."""
    from manifest_tools.verbs.validate.preflight.preflight import settings

    wanted = settings(report.preflight_input) if report.preflight_input is not None else None
    if wanted is not None:
        note(clean(str(wanted)))


def _look(
    names: list[str],
    images: list[str],
    label_attribute: str | None,
    preflight: "Preflight | None",
    jobs: int | None,
) -> "Iterable[Problem]":
    from manifest_tools.verbs.validate.objects import check_objects
    from manifest_tools.verbs.validate.preflight.preflight import smallest

    if "-" in names:
        raise Refused("--objects reads a manifest twice, and standard input comes once; write it to a file")
    return check_objects(
        *names,
        images=images,
        label_attribute_name=label_attribute,
        smallest=smallest(preflight) if preflight is not None else None,
        jobs=jobs,
        progress=progress,
    )


def _fix(
    names: list[str], codes: frozenset[str], dry_run: bool, kms_key: str | None, jobs: int | None
) -> None:
    from manifest_tools.verbs.validate.fix import DONE
    from manifest_tools.verbs.validate.fix import fix as fix_manifests

    for fixed in fix_manifests(*names, select=codes, dry_run=dry_run, kms_key=kms_key, jobs=jobs):
        for code, count in sorted(fixed.counts.items()):
            note(f"{fixed.manifest}: {code} {'would be ' if dry_run else ''}fixed: {DONE[code]} ({count:,})")


def _print(report: "Report", form: Form, most: int | None) -> None:
    from manifest_tools.verbs.validate.report_formats import FORMATS

    printed = 0

    def first() -> "Iterator[Problem]":
        nonlocal printed
        for problem in report:
            if most is None or printed < most:
                printed += 1
                yield problem

    for line in FORMATS[form.value](first()):
        print(clean(line))
    more = sum(one.errors + one.warnings for one in report.checked) - printed
    if more:
        note(f"{_counted(more, 'problem')} more; without --max-problems all are shown")


def _print_codes(codes: frozenset[str], as_json: bool) -> None:
    from manifest_tools.verbs.validate.rules import RULES

    rows = [(rule.code, rule.severity, rule.reason) for rule in RULES if rule.code in codes]
    if as_json:
        for code, severity, reason in rows:
            print(json.dumps({"code": code, "severity": severity, "reason": reason}))
    else:
        print(table(rows))


def _summary(checked: "Checked") -> str:
    counts = ((checked.errors, "error"), (checked.warnings, "warning"))
    found = " and ".join(_counted(count, word) for count, word in counts if count)
    return clean(f"{checked.manifest}: {_counted(checked.lines, 'line')}, {found or 'no problem'}")


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"

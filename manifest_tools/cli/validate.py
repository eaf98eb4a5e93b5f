"""``mtool validate``."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.cli import options
from manifest_tools.cli.screen import clean, note, table

if TYPE_CHECKING:
    from manifest_tools.validate import Checked


def validate(
    manifests: options.Manifests = None,
    label_attribute: Annotated[
        str | None,
        typer.Option("--label-attribute", metavar="NAME", help="Check this label, not all of them."),
    ] = None,
    list_codes: Annotated[
        bool, typer.Option("--list", help="List the codes with what each asks for, and check nothing.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object a problem, a line each.")
    ] = False,
    quiet: options.Quiet = False,
    jobs: options.Jobs = None,
) -> None:
    """Print every problem of every line.

    File, line, a stable code, and what is wrong. Exits with 1 when there is any, an error or a warning.

    \b
    For example:
      mtool validate output.manifest
      mtool validate train.manifest validation.manifest --json > problems.jsonl
    """
    if list_codes:
        _print_codes(as_json)
        return
    from manifest_tools.validate import validate as validate_manifests

    report = validate_manifests(
        *(manifests or here("validate")), label_attribute_name=label_attribute, jobs=jobs
    )
    for problem in report:
        print(json.dumps(asdict(problem)) if as_json else clean(str(problem)))
    if not quiet:
        for checked in report.checked:
            note(_summary(checked))
    if any(checked.errors or checked.warnings for checked in report.checked):
        raise typer.Exit(1)


def here(word: str) -> list[str]:
    """Return every manifest of this folder; raises Refused where there is none."""
    from manifest_tools.errors import Refused
    from manifest_tools.sources import matching

    found = matching(Path())
    if not found:
        raise Refused(f"no *.manifest in this folder; type: mtool {word} FILE")
    return found


def _print_codes(as_json: bool) -> None:
    from manifest_tools.images import CODES
    from manifest_tools.rules import RULES

    rows = [(rule.code, rule.severity, rule.reason) for rule in RULES]
    # What only convert and train find, because they open the pictures.
    rows += [(code, "error", f"{reason}.") for code, reason in CODES.items()]
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

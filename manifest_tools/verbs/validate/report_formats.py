"""The formats of a report: for people, for programs, for the pages of a code host.

Each is a function from problems to lines of text, which it yields as the problems come. FORMATS names them.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from manifest_tools.base.problem import Problem
from manifest_tools.base.version import __version__
from manifest_tools.verbs.validate.choices import FormatName
from manifest_tools.verbs.validate.rules import RULES
from manifest_tools.verbs.validate.rules.rule import Rule

ReportFormat = Callable[[Iterable[Problem]], Iterator[str]]

_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
_PERCENT = {"%": "%25", "\r": "%0D", "\n": "%0A"}
# In the properties before the message, a comma and a colon are special too.
_PROPERTY = _PERCENT | {":": "%3A", ",": "%2C"}


def text(problems: Iterable[Problem]) -> Iterator[str]:
    """Yield a line for each problem: file, line, severity, code, message."""
    return map(str, problems)


def json_lines(problems: Iterable[Problem]) -> Iterator[str]:
    """Yield a JSON object for each problem."""
    return (json.dumps(asdict(problem)) for problem in problems)


def github(problems: Iterable[Problem]) -> Iterator[str]:
    """Yield workflow commands, which GitHub shows as annotations at the lines of a change.

    >>> from manifest_tools.base.problem import Problem
    >>> next(github([Problem("MT110", "error", "a.manifest", 3, "$", "no source-ref")]))
    '::error file=a.manifest,line=3,title=MT110::no source-ref ($)'
    """
    for problem in problems:
        where = {"file": problem.file, "line": str(problem.line or 1), "title": problem.code}
        properties = ",".join(f"{key}={_escaped(value, _PROPERTY)}" for key, value in where.items())
        place = f" ({problem.path})" if problem.path else ""
        yield f"::{problem.severity} {properties}::{_escaped(problem.message + place, _PERCENT)}"


def _escaped(value: str, table: dict[str, str]) -> str:
    return "".join(table.get(character, character) for character in value)


def sarif(problems: Iterable[Problem]) -> Iterator[str]:
    """Yield one SARIF 2.1.0 document for code scanning, with a line for each problem.

    The format: https://docs.oasis-open.org/sarif/sarif/v2.1.0.
    """
    driver = {
        "name": "mtool",
        "version": __version__,
        "rules": [_described(rule) for rule in RULES],
    }
    yield f'{{"$schema": "{_SARIF}", "version": "2.1.0", "runs": [{{'
    yield f'"tool": {{"driver": {json.dumps(driver)}}},'
    yield '"columnKind": "unicodeCodePoints",'
    yield '"results": ['
    between = ""
    for problem in problems:
        yield between + json.dumps(_result(problem))
        between = ","
    yield "]}]}"


def _described(rule: Rule) -> dict[str, Any]:
    described: dict[str, Any] = {
        "id": rule.code,
        "shortDescription": {"text": rule.reason},
        "help": {"text": f"{rule.fix} Source: {rule.source}"},
        "defaultConfiguration": {"level": rule.severity},
    }
    return described | ({"helpUri": rule.source} if rule.source.startswith("https://") else {})


def _result(problem: Problem) -> dict[str, Any]:
    place: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": _uri(problem.file)}}}
    if problem.line:
        place["physicalLocation"]["region"] = {"startLine": problem.line}
    if problem.path:
        place["logicalLocations"] = [{"fullyQualifiedName": problem.path}]
    message = {"text": problem.message}
    return {"ruleId": problem.code, "level": problem.severity, "message": message, "locations": [place]}


def _uri(file: str) -> str:
    return file if file.startswith("s3://") else quote(file.replace("\\", "/"), errors="surrogateescape")


# What `--format` takes.
FORMATS: dict[FormatName, ReportFormat] = {"text": text, "json": json_lines, "sarif": sarif, "github": github}

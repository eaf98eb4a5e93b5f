"""``mtool explain``."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.screen import clean

if TYPE_CHECKING:
    from manifest_tools.verbs.validate.rules.rule import Example, Rule

_LINES = 4  # of an example
_COLUMNS = 300  # of a line


def explain(
    codes: Annotated[list[str], typer.Argument(metavar="CODE", help="A code of `mtool validate`.")],
    as_json: options.Json = False,
) -> None:
    """Say what a code of validate means.

    Why it is asked for, an example that breaks the rule and one that keeps it, what to do, and the source.

    \b
    For example:
      mtool explain MT110
      mtool explain MT301 MT303
    """
    from manifest_tools.verbs.validate.explain import explain as rule_of

    rules = [rule_of(code) for code in codes]
    if as_json:
        for rule in rules:
            print(json.dumps(_as_json(rule)))
    else:
        print("\n\n".join(_told(rule) for rule in rules))


def _as_json(rule: "Rule") -> dict[str, object]:
    told: dict[str, object] = {"code": rule.code, "severity": rule.severity, "reason": rule.reason}
    told |= {"breaks": _example(rule.breaks()), "keeps": _example(rule.keeps())}
    return told | {"fix": rule.fix, "source": rule.source, "for": list(rule.purposes)}


def _example(example: "Example") -> dict[str, object]:
    settings = {"label_attribute": example.label_attribute, "request": example.request}
    settings["hyperparameters"] = dict(example.hyperparameters) or None
    told = {name: value for name, value in settings.items() if value is not None}
    return {"files": dict(zip(example.names, example.files, strict=False)), **told}


def _told(rule: "Rule") -> str:
    only = f" (only with --for {', '.join(rule.purposes)})" if rule.purposes else ""
    told = [f"{rule.code} {rule.severity}{only}", f"  {rule.reason}"]
    for heading, example in (("this breaks it:", rule.breaks()), ("this does not:", rule.keeps())):
        told += ["", heading, *_shown(example)] if example.files else []
    return "\n".join([*told, "", f"what to do: {rule.fix}", f"source: {rule.source}"])


def _shown(example: "Example") -> list[str]:
    """Return the lines of an example, cut where they are long; several files are parted by their number."""
    shown: list[str] = []
    for number, text in enumerate(example.files, 1):
        shown += [f"  file {number}"] if len(example.files) > 1 else []
        lines = text.removesuffix("\n").split("\n")
        shown += (f"  {_cut(line)}" for line in lines[:_LINES])
        shown += [f"  ... {len(lines) - _LINES:,} more lines"] if len(lines) > _LINES else []
    told = dict(example.hyperparameters)
    shown += [f"  with {' '.join(f'-p {name}={value}' for name, value in told.items())}"] if told else []
    request = example.request
    shown += [f"  with --hyperparameters {_cut(json.dumps(request))}"] if request is not None else []
    shown += [f"  with --label-attribute {example.label_attribute}"] if example.label_attribute else []
    return shown


def _cut(line: str) -> str:
    text = clean(line)
    return text if len(text) <= _COLUMNS else f"{text[:_COLUMNS]}... ({len(line):,} characters)"

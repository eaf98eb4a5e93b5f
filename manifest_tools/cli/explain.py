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
    """Explain a code of validate.

    It shows what the rule asks for, an example with the problem and one without, what to do, and the source.

    \b
    For example:
      mtool explain MT110
      mtool explain MT301 MT303
    """
    from manifest_tools.verbs.validate.explain import explain as rule_of

    rules = [rule_of(code) for code in codes]
    if as_json:
        print("\n".join(json.dumps(_as_json(rule)) for rule in rules))
    else:
        print("\n\n".join(_text(rule) for rule in rules))


def _as_json(rule: "Rule") -> dict[str, object]:
    fields: dict[str, object] = {"code": rule.code, "severity": rule.severity, "reason": rule.reason}
    fields |= {"breaks": _example(rule.breaks()), "keeps": _example(rule.keeps())}
    return fields | {"fix": rule.fix, "source": rule.source, "for": list(rule.purposes)}


def _example(example: "Example") -> dict[str, object]:
    settings = {"label_attribute": example.label_attribute, "request": example.request}
    settings["hyperparameters"] = dict(example.hyperparameters) or None
    given = {name: value for name, value in settings.items() if value is not None}
    return {"files": dict(zip(example.names, example.files, strict=False)), **given}


def _text(rule: "Rule") -> str:
    only = f" (only with --for {', '.join(rule.purposes)})" if rule.purposes else ""
    lines = [f"{rule.code} {rule.severity}{only}", f"  {rule.reason}"]
    for heading, example in (("with this problem:", rule.breaks()), ("without it:", rule.keeps())):
        lines += ["", heading, *_shown(example)] if example.files else []
    return "\n".join([*lines, "", f"what to do: {rule.fix}", f"source: {rule.source}"])


def _shown(example: "Example") -> list[str]:
    """Return the first lines of an example, cut where they are long, and its options."""
    shown: list[str] = []
    for name, text in zip(example.names, example.files, strict=False):
        shown += [f"  {name}:"] if len(example.files) > 1 else []
        lines = text.removesuffix("\n").split("\n")
        shown += (f"  {_cut(line)}" for line in lines[:_LINES])
        shown += [f"  ... {len(lines) - _LINES:,} more lines"] if len(lines) > _LINES else []
    values = [f"-p {name}={value}" for name, value in example.hyperparameters.items()]
    shown += [f"  with {' '.join(values)}"] if values else []
    request = example.request
    shown += [f"  with --hyperparameters {_cut(json.dumps(request))}"] if request is not None else []
    shown += [f"  with --label-attribute {example.label_attribute}"] if example.label_attribute else []
    return shown


def _cut(line: str) -> str:
    text = clean(line)
    return text if len(text) <= _COLUMNS else f"{text[:_COLUMNS]}... ({len(line):,} characters)"

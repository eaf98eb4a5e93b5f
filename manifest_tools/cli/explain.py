"""``mtool explain``."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.base.text import counted
from manifest_tools.cli.shared.screen import clean, screen_width

if TYPE_CHECKING:
    from manifest_tools.verbs.validate.rules.rule import Example, Rule

_LINES = 4  # of an example


def explain(
    codes: Annotated[list[str], typer.Argument(metavar="CODE", help="A code of `mtool validate`.")],
    full: Annotated[bool, typer.Option("--full", help="Show the examples whole.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON Lines: an object for each code.")
    ] = False,
) -> None:
    """Explain a code of validate.

    It shows what the rule asks for, an example with the problem and one without, what to do, and the source.
    Long lines of examples are shortened to the width of the terminal; "…" stands for what is left out.

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
        columns = None if full else screen_width()
        print("\n\n".join(_text(rule, columns) for rule in rules))


def _as_json(rule: "Rule") -> dict[str, object]:
    fields: dict[str, object] = {"code": rule.code, "severity": rule.severity, "reason": rule.reason}
    fields |= {"breaks": _example(rule.breaks()), "keeps": _example(rule.keeps())}
    return fields | {"fix": rule.fix, "source": rule.source, "for": list(rule.purposes)}


def _example(example: "Example") -> dict[str, object]:
    settings = {"label_attribute": example.label_attribute, "request": example.request}
    settings["hyperparameters"] = dict(example.hyperparameters) or None
    given = {name: value for name, value in settings.items() if value is not None}
    return {"files": dict(zip(example.names, example.files, strict=False)), **given}


def _text(rule: "Rule", columns: int | None) -> str:
    """Return the explanation; lines of examples have at most ``columns`` characters, or all of them."""
    only = f" (only with --for {', '.join(rule.purposes)})" if rule.purposes else ""
    lines = [f"{rule.code} {rule.severity}{only}", f"  {rule.reason}"]
    breaks, keeps = rule.breaks(), rule.keeps()
    for heading, example, other in (
        ("with this problem:", breaks, keeps),
        ("without it:", keeps, breaks),
    ):
        lines += ["", heading, *_shown(example, other, columns)] if example.files else []
    return "\n".join([*lines, "", f"what to do: {rule.fix}", f"source: {rule.source}"])


def _shown(example: "Example", other: "Example", columns: int | None) -> list[str]:
    """Return the first lines of an example and its options, shortened to what the other one has not."""
    shown: list[str] = []
    for number, (name, text) in enumerate(zip(example.names, example.files, strict=False)):
        lines, others = text.splitlines(), "".join(other.files[number : number + 1]).splitlines()
        if len(example.files) > 1:
            most = 1 if lines == others else _LINES // 2
            shown += [f"{name} ({counted(len(lines), 'line')}):", *_few(lines, others, columns, most)]
        else:
            shown += _few(lines, others, columns, _LINES)
            shown += [f"... {len(lines) - _LINES:,} more lines"] if columns and len(lines) > _LINES else []
    if example.hyperparameters:
        shown += _few([_typed(example)], [_typed(other)], columns)
    if example.request is not None:
        request = _few([json.dumps(example.request)], [json.dumps(other.request)], columns)
        shown += ["with --hyperparameters", *request]
    shown += [f"with --label-attribute {example.label_attribute}"] if example.label_attribute else []
    return [f"  {line}" for line in shown]


def _typed(example: "Example") -> str:
    return " ".join(["with", *(f"-p {name}={value}" for name, value in example.hyperparameters.items())])


def _few(lines: list[str], others: list[str], columns: int | None, most: int = 1) -> list[str]:
    """Return some lines for a screen; without ``columns`` all of them whole."""
    from manifest_tools.verbs.validate.short_example import shortened

    if columns is None:
        return list(map(clean, lines))
    return shortened([*map(clean, lines)], [*map(clean, others)], columns - 2, most)

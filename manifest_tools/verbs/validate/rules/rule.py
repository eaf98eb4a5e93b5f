"""What a rule is: one thing that is checked, under one stable code, and what `mtool explain` tells of it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from manifest_tools.base.problem import Finding, Severity

# What a rule is given: the NotAManifest that opening raised; the bytes of a line; a RuleLine; each LineLabel
# of a line; the Facts of a file; those of all files; the PreflightInput of a job; a RecordFile. Objects
# (pictures, masks) are checked by `objects`, and the stream with its pictures by `preflight`, not here.
Scope = Literal["open", "bytes", "line", "label", "file", "files", "job", "record file", "object"]


@dataclass(frozen=True, slots=True)
class Example:
    """Manifests that break a rule, or keep it: the text of each file, and what is told beside them.

    ``names`` are what the files are called.
    """

    files: tuple[str, ...]
    label_attribute: str | None = None
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    request: Mapping[str, Any] | None = None
    names: tuple[str, ...] = ("train.manifest", "validation.manifest", "test.manifest")


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is checked, under one stable code.

    ``kinds``: only labels of these kinds are looked at; ``purposes``: only with ``--for`` one of these;
    ``never_for``: not with ``--for`` one of these, to which it means nothing.
    ``fix`` says what to do; ``source`` where the rule is from.
    """

    code: str
    severity: Severity
    scope: Scope
    check: Callable[..., Iterator[Finding]]
    reason: str
    breaks: Example
    keeps: Example
    fix: str
    source: str
    kinds: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    never_for: tuple[str, ...] = ()


def rule(
    code: str,
    severity: Severity,
    scope: Scope,
    check: Callable[..., Iterator[Finding]],
    *,
    breaks: str | Example,
    keeps: str | Example,
    fix: str,
    source: str,
    kinds: tuple[str, ...] = (),
    purposes: tuple[str, ...] = (),
    never_for: tuple[str, ...] = (),
) -> Rule:
    """Return a row of the table; the first line of the function's docstring is the reason."""
    reason = (check.__doc__ or "").partition("\n")[0].replace("``", "")
    return Rule(
        code,
        severity,
        scope,
        check,
        reason,
        _example(breaks),
        _example(keeps),
        fix,
        source,
        kinds,
        purposes,
        never_for,
    )


def _example(given: str | Example) -> Example:
    return given if isinstance(given, Example) else Example((given,))

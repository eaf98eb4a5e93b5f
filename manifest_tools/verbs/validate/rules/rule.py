"""What a rule is: one thing that is checked, under one stable code, with what `mtool explain` says of it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal

from manifest_tools.base.problem import Finding, Severity

# What a rule's function is given: the NotAManifest that opening raised; the bytes of a line; its RuleLine;
# each of its LineLabels; what is known of a whole file; the same of all files; what a preflight gathered of a
# job; what was read of a .rec or .lst. Objects (pictures, masks) are checked by verbs/validate/objects, and
# the record stream with its pictures by the preflight: rules of the scope "object" only explain their codes.
Scope = Literal["open", "bytes", "line", "label", "file", "files", "job", "record file", "object"]

Check = Callable[..., Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Example:
    """Manifests that break a rule, or keep it, and the options that `mtool validate` is given with them."""

    files: tuple[str, ...]
    """The text of each file; bytes that are no UTF-8 are surrogate escapes."""
    label_attribute: str | None = None
    """The value of --label-attribute."""
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    """The values of -p."""
    request: Mapping[str, Any] | None = None
    """The request in the file of --hyperparameters."""
    names: tuple[str, ...] = ("train.manifest", "validation.manifest", "test.manifest")
    """The names of the files."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is checked, under one stable code."""

    code: str
    """MT and three digits; the first digit is the subject."""
    severity: Severity
    """The exit code is 1 for an error, and with --strict for a warning."""
    scope: Scope
    """What ``check`` is given."""
    check: Check
    """The function: it yields what it finds in what its scope gives it, and never raises."""
    reason: str
    """What the rule asks for, in a sentence."""
    breaks: Callable[..., Example]
    """Makes an example with this problem; with a limit as its argument if ``check`` takes one too."""
    keeps: Callable[..., Example]
    """Makes an example without this problem."""
    fix: str
    """What to do about it."""
    source: str
    """Where the rule is from: a page, or a document of ours."""
    kinds: tuple[str, ...] = ()
    """The label kinds that are checked; empty for all."""
    purposes: tuple[str, ...] = ()
    """The purposes (``--for``) that the rule is for; empty for every run."""
    never_for: tuple[str, ...] = ()
    """The purposes for which the rule means nothing."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by name, as functions are pickled: another process has the row too."""
        return _by_name, (self.check.__module__, self.check.__name__)


def rule(
    code: str,
    severity: Severity,
    scope: Scope,
    *,
    breaks: Callable[..., str | Example],
    keeps: Callable[..., str | Example],
    fix: str,
    source: str,
    kinds: tuple[str, ...] = (),
    purposes: tuple[str, ...] = (),
    never_for: tuple[str, ...] = (),
) -> Callable[[Check], Rule]:
    """Return a decorator that makes a row of a function; the first line of its docstring is the reason.

    An example is a function, so that it is built when somebody asks for it: one has 100,000 lines.
    """

    def row(check: Check) -> Rule:
        reason = (check.__doc__ or "").partition("\n")[0].replace("``", "")
        examples = (_made_by(breaks), _made_by(keeps))
        return Rule(code, severity, scope, check, reason, *examples, fix, source, kinds, purposes, never_for)

    return row


def _made_by(make: Callable[..., str | Example]) -> Callable[..., Example]:
    """Return a function that makes the same example, where ``make`` may return the text of one file."""

    def example(*limit: int) -> Example:
        made = make(*limit)
        return made if isinstance(made, Example) else Example((made,))

    return example


def _by_name(module: str, name: str) -> Rule:
    found: Rule = getattr(import_module(module), name)
    return found

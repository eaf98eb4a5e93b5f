"""Every rule of ``mtool validate``, one small function each, in one table.

A rule is given what its scope says and yields what it finds; it never raises. Codes are stable: a new rule
takes a new one, and a code that is no longer used is never used again. To add a rule, write its function
in the file of its subject and give it a row in RULES.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from manifest_tools.problem import Severity
from manifest_tools.rules import label, metadata, reading, source, whole
from manifest_tools.rules.found import Found

# What a rule is given: the NotAManifest that opening raised; the bytes of a line; a found.Line; each
# found.Label of a line; the facts.Facts of a whole file.
Scope = Literal["open", "bytes", "line", "label", "file"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is checked, under one stable code."""

    code: str
    severity: Severity
    scope: Scope
    reason: str
    check: Callable[..., Iterator[Found]]


def _rule(code: str, severity: Severity, scope: Scope, check: Callable[..., Iterator[Found]]) -> Rule:
    """Return the row of a rule; the docstring of its function is the reason that `--list` shows."""
    return Rule(code, severity, scope, (check.__doc__ or "").partition("\n")[0].replace("``", ""), check)


# MT1xx: the file, its lines, what they point to. MT2xx: label and metadata. MT3xx: the file as a whole.
RULES = (
    _rule("MT100", "error", "open", reading.is_a_manifest),
    _rule("MT101", "error", "bytes", reading.is_utf8),
    _rule("MT102", "error", "bytes", reading.is_json),
    _rule("MT103", "error", "bytes", reading.is_an_object),
    _rule("MT110", "error", "line", source.has_a_source),
    _rule("MT111", "error", "line", source.source_ref_is_an_s3_uri),
    _rule("MT112", "error", "line", source.source_is_text),
    _rule("MT113", "warning", "file", whole.buckets_are_possible),
    _rule("MT114", "error", "file", whole.no_placeholder),
    _rule("MT201", "error", "line", metadata.a_label_has_metadata),
    _rule("MT202", "error", "line", metadata.metadata_is_an_object),
    _rule("MT203", "error", "label", metadata.metadata_has_a_label),
    _rule("MT204", "error", "label", metadata.fields_have_their_form),
    _rule("MT205", "warning", "label", metadata.names_its_type),
    _rule("MT206", "warning", "label", metadata.type_is_known),
    _rule("MT210", "error", "label", label.form_fits_the_type),
    _rule("MT211", "error", "label", label.indices_are_indices),
    _rule("MT220", "warning", "label", label.has_a_class_name),
    _rule("MT221", "warning", "label", label.class_map_names_the_label),
    _rule("MT222", "warning", "label", label.confidence_map_has_the_label),
    _rule("MT230", "error", "label", label.confidence_is_a_share),
    _rule("MT301", "error", "file", whole.classes_agree),
    _rule("MT302", "warning", "file", whole.a_source_comes_once),
    _rule("MT303", "error", "file", whole.a_source_has_one_label),
    _rule("MT304", "error", "file", whole.told_attribute_is_there),
)


def of_scope(scope: Scope) -> tuple[Rule, ...]:
    """Return the rules of one scope, in the order of the table."""
    return tuple(rule for rule in RULES if rule.scope == scope)

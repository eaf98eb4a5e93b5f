"""Compares two lines of one picture: their labels by meaning, and every other key by value."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from manifest_tools.base.text import path
from manifest_tools.io.json_values import same_value
from manifest_tools.verbs.diff.changes import Changes, KeyChangeKind, LabelChanges, Sample
from manifest_tools.verbs.diff.columns import decoded
from manifest_tools.verbs.diff.compare_labels import (
    ConfidenceChange,
    Difference,
    compare_items,
    compare_lists,
    compare_single,
    compare_states,
    confidence_changes,
    items_with_positions,
)
from manifest_tools.verbs.diff.label_meaning import KnownAttribute, items_of, label_meaning


@dataclass(frozen=True, slots=True)
class Scope:
    """What is compared."""

    pairs: tuple[tuple[KnownAttribute, KnownAttribute], ...]
    """The label attributes, of the old file and of the new."""

    label_keys: frozenset[str]
    """The keys of all labels and metadata of both files."""

    everything: bool
    """Whether all other keys are compared as well."""

    most: int
    """How many samples of a kind of change are kept."""

    def reported_keys(self) -> frozenset[str]:
        """Return the keys that are reported in another way: labels, their metadata, and the source-ref."""
        return self.label_keys.union(("source-ref",))


class ParsedLine(NamedTuple):
    """A line of one of the files, as bytes and decoded."""

    line: bytes
    value: dict[str, Any]


def compare_lines(scope: Scope, lines: Iterable[tuple[int, int, bytes, bytes]]) -> Changes:
    """Return what changed between pairs of lines, given as the two numbers and the two lines."""
    changes = Changes(labels=[LabelChanges() for _ in scope.pairs])
    keys = scope.reported_keys()
    fields = [_reported_fields(one) | _reported_fields(other) for one, other in scope.pairs]
    for old_number, new_number, old_line, new_line in lines:
        old, new = decoded(old_line), decoded(new_line)
        if old is None or new is None:  # such a line equals only itself
            changes.changed += 1
            continue
        numbers = (old_number, new_number)
        pair = _LinePair(scope, changes, ParsedLine(old_line, old), ParsedLine(new_line, new), numbers)
        pair.compare(keys, fields)
    return changes


def _reported_fields(known: KnownAttribute) -> frozenset[str]:
    """Return the metadata fields that change with a label or a confidence; they are not reported again."""
    return frozenset((*known.kind.class_fields, *known.kind.confidence_fields, "failure-reason"))


class _LabelAndMetadata(NamedTuple):
    label: Any
    metadata: Mapping[str, Any]
    """What is no object has the empty key."""


class _LinePair:
    """Two lines that are compared, and where the differences go."""

    def __init__(
        self, scope: Scope, changes: Changes, old: ParsedLine, new: ParsedLine, numbers: tuple[int, int]
    ) -> None:
        self.scope, self.changes, self.old, self.new, self.numbers = scope, changes, old, new, numbers
        self.keys: list[tuple[str, KeyChangeKind]] = []
        self.changed = False

    def compare(self, reported_keys: frozenset[str], reported_fields: Sequence[frozenset[str]]) -> None:
        """Compare all in the scope; ``reported_fields`` has an element for each pair of attributes."""
        if self.scope.everything and same_value(self.old.value, self.new.value):
            self._add_sample(self.changes.samples, "reformatted", "")
            self.changes.reformatted += 1
            return
        for at, (old, new) in enumerate(self.scope.pairs):
            self._compare_attribute(self.changes.labels[at], old, new, reported_fields[at])
        if self.scope.everything:
            self.changed = True
            rest = _differing(self.old.value, self.new.value, reported_keys)
            self.keys += ((path(key), how) for key, how in rest.items())
        self._count()

    def _count(self) -> None:
        self.changes.keys.update(self.keys)
        if self.keys and len(self.changes.samples.get("keys", ())) < self.scope.most:
            self._add_sample(
                self.changes.samples, "keys", ", ".join(f"{key} {how}" for key, how in self.keys)
            )
        if self.changed or self.keys:
            self.changes.changed += 1
        else:
            self._add_sample(self.changes.samples, "reformatted", "")
            self.changes.reformatted += 1

    def _compare_attribute(
        self, changes: LabelChanges, old: KnownAttribute, new: KnownAttribute, reported: frozenset[str]
    ) -> None:
        before, after = self._parts(self.old.value, old), self._parts(self.new.value, new)
        other_label = not same_value(before.label, after.label)
        differing = _differing(before.metadata, after.metadata)
        found: list[Difference] = []
        if other_label or not reported.isdisjoint(differing):
            found = self._compare_meanings(changes, old, new)
        for kind, what in found:
            changes.lines[kind] += 1
            self._add_sample(changes.samples, kind, what)
        self.changed = self.changed or bool(found)
        if other_label and not found:
            self.keys.append((path(old.name), _key_change_kind(before.label is None, after.label is None)))
        self.keys += (
            (path(old.metadata_key, key), how)
            for key, how in differing.items()
            if not (found and key in reported)
        )

    @staticmethod
    def _parts(value: Mapping[str, Any], known: KnownAttribute) -> _LabelAndMetadata:
        metadata = value.get(known.metadata_key)
        return _LabelAndMetadata(
            value.get(known.name), metadata if isinstance(metadata, dict) else {"": metadata}
        )

    def _compare_meanings(
        self, changes: LabelChanges, old: KnownAttribute, new: KnownAttribute
    ) -> list[Difference]:
        """Count what changed in a label, and return the kinds of change."""
        before, after = label_meaning(old, *self.old), label_meaning(new, *self.new)
        if old.kind.items_have_positions and new.kind.items_have_positions:
            old_items = items_of(old.kind, self.old.value.get(old.name))
            new_items = items_of(new.kind, self.new.value.get(new.name))
            found, confidences = compare_items(
                changes,
                items_with_positions(old.kind, before, old_items),
                items_with_positions(new.kind, after, new_items),
            )
            found = found or list(compare_states(changes, before, after))
        else:
            classes = old.kind.has_classes and new.kind.has_classes
            single = old.kind.schema == new.kind.schema == "index"
            compare = compare_single if single else compare_lists if classes else compare_states
            found, confidences = list(compare(changes, before, after)), confidence_changes(before, after)
        return found + _count_confidences(changes, confidences)

    def _add_sample(self, samples: dict[str, list[Sample]], kind: str, what: str) -> None:
        kept = samples.setdefault(kind, [])
        if len(kept) < self.scope.most:
            kept.append(Sample(*self.numbers, source_of(self.new.value), what))


def _count_confidences(changes: LabelChanges, confidences: list[ConfidenceChange]) -> list[Difference]:
    for one in confidences:
        changes.confidences.setdefault(one.name, Counter())[one.steps] += 1
    words = ", ".join(f"{one.name} {one.before:g} -> {one.after:g}" for one in confidences)
    return [Difference("confidences", words)] if confidences else []


def source_of(value: Mapping[str, Any]) -> str:
    """Return the source-ref or the source of a line; empty where it has neither."""
    found = value.get("source-ref") or value.get("source")
    return found if isinstance(found, str) else ""


def _differing(
    old: Mapping[str, Any], new: Mapping[str, Any], leave_out: frozenset[str] = frozenset()
) -> dict[str, KeyChangeKind]:
    """Return the keys that only one of the two has, or that have different values."""
    return {
        key: _key_change_kind(key not in old, key not in new)
        for key in {**old, **new}
        if key not in leave_out
        and not ((key in old) == (key in new) and same_value(old.get(key), new.get(key)))
    }


def _key_change_kind(added: bool, gone: bool) -> KeyChangeKind:
    return "added" if added else "gone" if gone else "changed"

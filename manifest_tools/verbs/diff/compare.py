"""Compares two lines of one picture: their labels by meaning, and every other key by value."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from manifest_tools.base.text import path
from manifest_tools.io.json_values import same_value
from manifest_tools.verbs.diff.changes import Changes, How, Labels, Sample
from manifest_tools.verbs.diff.contents import decoded
from manifest_tools.verbs.diff.flips import Drift, came_or_went, drifted, flipped, listed, placed, spots
from manifest_tools.verbs.diff.label_meaning import Known, items_of, meant


@dataclass(frozen=True, slots=True)
class Asked:
    """What is compared: label attributes in pairs, and whether all else on the line is as well.

    ``others`` names keys of attributes that only one of the files has. Of a kind of change the first ``most``
    lines are kept.
    """

    pairs: tuple[tuple[Known, Known], ...]
    others: frozenset[str]
    everything: bool
    most: int

    def apart(self) -> frozenset[str]:
        """Keys that are told of elsewhere: labels with their metadata, and the picture's own."""
        keys = [key for pair in self.pairs for one in pair for key in (one.name, one.metadata_key)]
        return self.others.union(keys, ("source-ref",))


class Side(NamedTuple):
    """A line of one of the files, as bytes and decoded."""

    line: bytes
    value: dict[str, Any]


def compare(asked: Asked, lines: Iterable[tuple[int, int, bytes, bytes]]) -> Changes:
    """Return what changed between lines that are pairs, each with its two numbers."""
    changes = Changes(labels=[Labels() for _ in asked.pairs])
    apart = asked.apart()
    told = [_told(one) | _told(other) for one, other in asked.pairs]
    for old_number, new_number, old_line, new_line in lines:
        old, new = decoded(old_line), decoded(new_line)
        if old is None or new is None:  # such a line equals only itself
            changes.changed += 1
            continue
        pair = _Pair(asked, changes, Side(old_line, old), Side(new_line, new), (old_number, new_number))
        pair.compare(apart, told)
    return changes


class _Parts(NamedTuple):
    """A label, and its metadata, which may be no object: then it stands under the empty key."""

    label: Any
    metadata: Mapping[str, Any]


def _told(known: Known) -> frozenset[str]:
    """Return the metadata fields that a change of label or confidence tells of."""
    return frozenset((*known.kind.class_fields, *known.kind.confidence_fields, "failure-reason"))


class _Pair:
    """Two lines that are compared, and where what is found goes."""

    def __init__(
        self, asked: Asked, changes: Changes, old: Side, new: Side, numbers: tuple[int, int]
    ) -> None:
        self.asked, self.changes, self.old, self.new, self.numbers = asked, changes, old, new, numbers
        self.keys: list[tuple[str, How]] = []
        self.changed = False

    def compare(self, apart: frozenset[str], told: Sequence[frozenset[str]]) -> None:
        """Compare all that is asked for, but for keys ``apart``; ``told`` has fields for every attribute."""
        if self.asked.everything and same_value(self.old.value, self.new.value):
            self._keep(self.changes.samples, "spelt", "")
            self.changes.spelt += 1
            return
        for at, (old, new) in enumerate(self.asked.pairs):
            self._compare_attribute(self.changes.labels[at], old, new, told[at])
        if self.asked.everything:
            self.changed = True
            rest = _differing(self.old.value, self.new.value, apart)
            self.keys += ((path(key), how) for key, how in rest.items())
        self._close()

    def _close(self) -> None:
        self.changes.keys.update(self.keys)
        if self.keys and len(self.changes.samples.get("keys", ())) < self.asked.most:
            self._keep(self.changes.samples, "keys", ", ".join(f"{key} {how}" for key, how in self.keys))
        if self.changed or self.keys:
            self.changes.changed += 1
        else:
            self._keep(self.changes.samples, "spelt", "")
            self.changes.spelt += 1

    def _compare_attribute(self, labels: Labels, old: Known, new: Known, told: frozenset[str]) -> None:
        before, after = self._parts(self.old.value, old), self._parts(self.new.value, new)
        other_label = not same_value(before.label, after.label)
        differing = _differing(before.metadata, after.metadata)
        found = self._meanings(labels, old, new) if other_label or not told.isdisjoint(differing) else []
        for kind, what in found:
            labels.lines[kind] += 1
            self._keep(labels.samples, kind, what)
        self.changed = self.changed or bool(found)
        if other_label and not found:
            self.keys.append((path(old.name), _how(before.label is None, after.label is None)))
        self.keys += (
            (path(old.metadata_key, key), how)
            for key, how in differing.items()
            if not (found and key in told)
        )

    @staticmethod
    def _parts(value: Mapping[str, Any], known: Known) -> _Parts:
        metadata = value.get(known.metadata_key)
        return _Parts(value.get(known.name), metadata if isinstance(metadata, dict) else {"": metadata})

    def _meanings(self, labels: Labels, old: Known, new: Known) -> list[tuple[str, str]]:
        """Count what changed in a label; returns what kinds of change there are, with words for each."""
        one, other = meant(old, *self.old), meant(new, *self.new)
        if old.kind.items_have_places and new.kind.items_have_places:
            before = spots(old.kind, one, items_of(old.kind, self.old.value.get(old.name)))
            after = spots(new.kind, other, items_of(new.kind, self.new.value.get(new.name)))
            found, drift = placed(labels, before, after)
            found = found or list(came_or_went(labels, one, other))
        else:
            classes = old.kind.has_classes and new.kind.has_classes
            single = old.kind.schema == new.kind.schema == "index"
            judge = flipped if single else listed if classes else came_or_went
            found, drift = list(judge(labels, one, other)), drifted(one, other)
        return found + _count_drift(labels, drift)

    def _keep(self, samples: dict[str, list[Sample]], kind: str, what: str) -> None:
        kept = samples.setdefault(kind, [])
        if len(kept) < self.asked.most:
            kept.append(Sample(*self.numbers, source_of(self.new.value), what))


def _count_drift(labels: Labels, drift: list[Drift]) -> list[tuple[str, str]]:
    for one in drift:
        labels.drift.setdefault(one.name, Counter())[one.steps] += 1
    words = ", ".join(f"{one.name} {one.before:g} -> {one.after:g}" for one in drift)
    return [("drift", words)] if drift else []


def source_of(value: Mapping[str, Any]) -> str:
    """Return what a line says its picture or text is."""
    found = value.get("source-ref") or value.get("source")
    return found if isinstance(found, str) else ""


def _differing(
    old: Mapping[str, Any], new: Mapping[str, Any], apart: frozenset[str] = frozenset()
) -> dict[str, How]:
    """Return the keys that only one has, or whose values differ."""
    return {
        key: _how(key not in old, key not in new)
        for key in {**old, **new}
        if key not in apart and not ((key in old) == (key in new) and same_value(old.get(key), new.get(key)))
    }


def _how(new: bool, gone: bool) -> How:
    return "added" if new else "gone" if gone else "changed"

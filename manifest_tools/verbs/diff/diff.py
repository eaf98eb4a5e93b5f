"""Says how two manifests differ: by picture and by meaning, not by byte."""

from collections.abc import Iterator
from functools import partial
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.arguments import AnyPath, as_text
from manifest_tools.base.errors import Refused
from manifest_tools.base.parallel import Jobs, run
from manifest_tools.formats.open_manifest import open_manifest
from manifest_tools.io.byte_ranges import read_ranges
from manifest_tools.io.sources import STDIN, Source, copied, decompressed
from manifest_tools.verbs.diff.changes import Changes, LabelChanges, Sample
from manifest_tools.verbs.diff.columns import ManifestColumns, decoded, read_columns
from manifest_tools.verbs.diff.compare_lines import Scope, compare_lines, source_of
from manifest_tools.verbs.diff.match import AttributePair, Matches, match_attributes, match_lines
from manifest_tools.verbs.diff.match_keys import Indices
from manifest_tools.verbs.diff.report import Diff, attribute_diffs, key_changes

MAX_LINES = 10
_BATCH = 4096  # lines that a worker compares at a time


def diff(
    old: AnyPath,
    new: AnyPath,
    *,
    label_attribute: str | None = None,
    max_lines: int = MAX_LINES,
    jobs: Jobs = None,
) -> Diff:
    """Return how two manifests differ, in all their label attributes or in the one that is named.

    A line is found again by its bytes, or else by its picture (``source-ref``) or its text (``source``). The
    result has the first ``max_lines`` lines of every kind of change. A line that is no JSON object equals
    only the same bytes.

    Raises Refused for an attribute that neither file has.

    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name, label in ("a", "RH"), ("b", "LH"):
    ...     line = '{"source-ref": "s3://b/1.jpg", "side": 0, "side-metadata": {"class-name": "%s"}}'
    ...     _ = (folder / name).write_text(line % label)
    >>> diff(f"{folder}/a", f"{folder}/b").attributes[0].flips
    (LabelFlip(old='RH', new='LH', count=1),)
    """
    old, new = as_text(old), as_text(new)
    if old == new == STDIN:
        raise Refused("standard input can be read only once; type a file's name for one of the two")
    sources = _local(open_manifest(old)), _local(open_manifest(new))
    if _same_bytes(*sources):
        lines = _count_lines(sources[0])
        names = [source.name for source in sources]
        found = Diff(names[0], names[1], identical=True, old_lines=lines, new_lines=lines, same=lines)
    else:
        one, other = read_columns(sources[0], jobs), read_columns(sources[1], jobs)
        found = _diff(one, other, label_attribute, max_lines, jobs)
    for source in sources:
        source.check_unchanged()
    return found


def _local(source: Source) -> Source:
    """Return a source as a file on this machine: its lines are read again, in any order."""
    source = decompressed(source)
    if not source.uri.startswith("s3://"):
        return source
    return copied(source.name, (block.read() for block in source.blocks()))


def _same_bytes(one: Source, other: Source) -> bool:
    if one.size != other.size:
        return False
    blocks = zip_longest(one.blocks(), other.blocks())
    return all(a is not None and b is not None and a.read() == b.read() for a, b in blocks)


def _count_lines(source: Source) -> int:
    return sum(bool(line.strip()) for block in source.blocks() for line in block.read().split(b"\n"))


def _diff(old: ManifestColumns, new: ManifestColumns, requested: str | None, most: int, jobs: Jobs) -> Diff:
    matches = match_lines(old, new, jobs)
    both = int((matches.new_indices >= 0).sum())
    pairs = match_attributes(old.attributes, new.attributes, requested, renaming=both > 0)
    if requested is not None and not pairs:
        raise _unknown(old, new, requested)
    changes = _compare(old, new, matches, _scope(old, new, pairs, requested, most), jobs)
    return Diff(
        old.source.name,
        new.source.name,
        old_lines=both + len(matches.gone),
        new_lines=both + len(matches.added),
        same=both - len(matches.rewritten),
        reformatted=changes.reformatted,
        changed=changes.changed,
        moved=len(matches.moved),
        added=len(matches.added),
        gone=len(matches.gone),
        relocated=len(matches.relocated),
        old_unread=old.unread,
        new_unread=new.unread,
        attributes=attribute_diffs(old, new, pairs, changes.labels),
        keys=key_changes(changes.keys),
        samples=_all_samples(old, new, matches, changes, most),
    )


def _unknown(old: ManifestColumns, new: ManifestColumns, requested: str) -> Refused:
    names = ", ".join(dict.fromkeys([*old.attributes, *new.attributes])) or "none"
    files = f"neither {old.source.name} nor {new.source.name}"
    return Refused(f"{files} has the label attribute {requested!r}; the attributes found: {names}")


def _scope(
    old: ManifestColumns,
    new: ManifestColumns,
    pairs: tuple[AttributePair, ...],
    requested: str | None,
    most: int,
) -> Scope:
    both = [(one, other) for one, other in pairs if one is not None and other is not None]
    known = [(old.attributes[one].known(one), new.attributes[other].known(other)) for one, other in both]
    every = [*old.attributes.items(), *new.attributes.items()]
    keys = frozenset(key for name, one in every for key in (name, one.metadata_key))
    return Scope(tuple(known), label_keys=keys, everything=requested is None, most=most)


def _compare(
    old: ManifestColumns, new: ManifestColumns, matches: Matches, scope: Scope, jobs: Jobs
) -> Changes:
    changes = Changes(labels=[LabelChanges() for _ in scope.pairs])
    task = partial(_compare_batch, scope, old.source.uri, new.source.uri)
    for part in run(task, _batches(old, new, matches), jobs):
        changes.add(part, scope.most)
    return changes


Batch = tuple[Indices, tuple[Indices, Indices]]
"""Lines of one file: (lines,), their indices; and where they begin and end."""


def _batches(old: ManifestColumns, new: ManifestColumns, matches: Matches) -> Iterator[tuple[Batch, Batch]]:
    for start in range(0, len(matches.rewritten), _BATCH):
        indices = matches.rewritten[start : start + _BATCH]
        new_indices = matches.new_indices[indices].astype(np.int64)
        yield (indices, old.range(indices)), (new_indices, new.range(new_indices))


def _compare_batch(scope: Scope, old: str, new: str, batch: tuple[Batch, Batch]) -> Changes:
    (indices, ranges), (new_indices, new_ranges) = batch
    numbers = (indices + 1).tolist(), (new_indices + 1).tolist()
    lines = read_ranges(old, *ranges), read_ranges(new, *new_ranges)
    return compare_lines(scope, zip(*numbers, *lines, strict=True))


def _all_samples(
    old: ManifestColumns, new: ManifestColumns, matches: Matches, changes: Changes, most: int
) -> dict[str, tuple[Sample, ...]]:
    """Return the first lines of every kind of change that there is."""
    samples = {
        "gone": _samples_of_one(old, matches.gone[:most], new=False),
        "added": _samples_of_one(new, matches.added[:most], new=True),
        "moved": _samples_of_both(old, matches.moved[:most], new, matches.new_indices),
        "relocated": _samples_of_both(old, matches.relocated[:most], new, matches.new_indices),
        **{kind: tuple(found) for kind, found in changes.samples.items()},
    }
    return {kind: found for kind, found in samples.items() if found}


def _sources(columns: ManifestColumns, indices: Indices) -> list[str]:
    return [source_of(decoded(line) or {}) for line in columns.read(indices)]


def _samples_of_one(columns: ManifestColumns, indices: Indices, new: bool) -> tuple[Sample, ...]:
    """Return some lines that only one of the files has."""
    numbered = zip((indices + 1).tolist(), _sources(columns, indices), strict=True)
    return tuple(Sample(0, line, name, "") if new else Sample(line, 0, name, "") for line, name in numbered)


def _samples_of_both(
    old: ManifestColumns, indices: Indices, new: ManifestColumns, new_indices: NDArray[np.int32]
) -> tuple[Sample, ...]:
    """Return some lines that both files have; a picture has its name in the new file."""
    others = new_indices[indices].astype(np.int64)
    numbers = zip((indices + 1).tolist(), (others + 1).tolist(), strict=True)
    names = zip(_sources(old, indices), _sources(new, others), strict=True)
    return tuple(
        Sample(*pair, now, "" if was == now else f"{was} -> {now}")
        for pair, (was, now) in zip(numbers, names, strict=True)
    )

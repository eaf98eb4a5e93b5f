"""Says how two manifests differ: by picture and by meaning, not by byte."""

import os
import tempfile
from collections.abc import Iterator
from functools import partial
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.errors import Refused
from manifest_tools.base.parallel import Jobs, run
from manifest_tools.io.byte_ranges import read_ranges
from manifest_tools.io.sources import STDIN, Source, TemporaryCopy, decompressed, open_source
from manifest_tools.verbs.diff.attribute_differences import Pair, attribute_diffs, paired_attributes
from manifest_tools.verbs.diff.changes import Changes, Labels, Sample
from manifest_tools.verbs.diff.compare import Asked, compare, source_of
from manifest_tools.verbs.diff.contents import Contents, contents, decoded
from manifest_tools.verbs.diff.match import Matched, matched
from manifest_tools.verbs.diff.match_keys import Places
from manifest_tools.verbs.diff.report import Diff, keys_of_changes

SAMPLES = 10
_BATCH = 4096  # lines that a worker compares at a time


def diff(
    old: str,
    new: str,
    *,
    label_attribute_name: str | None = None,
    max_lines: int = SAMPLES,
    jobs: Jobs = None,
) -> Diff:
    """Return how two manifests differ, in all their label attributes or the one named.

    A line is found again by its bytes, or else by its picture (``source-ref``) or its text (``source``); the
    first ``max_lines`` lines of every kind of change are in the result. A line that is no JSON object equals
    only the same bytes. Raises Refused for an attribute that neither file has.
    """
    if old == new == STDIN:
        raise Refused("standard input can be read only once; type a file's name for one of the two")
    sources = _local(open_source(old)), _local(open_source(new))
    if _same_bytes(*sources):
        lines = _lines(sources[0])
        names = [source.name for source in sources]
        found = Diff(names[0], names[1], identical=True, old_lines=lines, new_lines=lines, same=lines)
    else:
        one, other = contents(sources[0], jobs), contents(sources[1], jobs)
        found = _diff(one, other, label_attribute_name, max_lines, jobs)
    for source in sources:
        source.check_unchanged()
    return found


def _local(source: Source) -> Source:
    """Return a source as a file on this machine: its lines are read again, in any order."""
    source = decompressed(source)
    if not source.uri.startswith("s3://"):
        return source
    handle, path = tempfile.mkstemp(prefix="mtool-")
    copy = TemporaryCopy(path)
    with open(handle, "wb") as file:
        file.writelines(block.read() for block in source.blocks())
    return Source(source.name, path, os.path.getsize(path), copy)


def _same_bytes(one: Source, other: Source) -> bool:
    if one.size != other.size:
        return False
    blocks = zip_longest(one.blocks(), other.blocks())
    return all(a is not None and b is not None and a.read() == b.read() for a, b in blocks)


def _lines(source: Source) -> int:
    return sum(bool(line.strip()) for block in source.blocks() for line in block.read().split(b"\n"))


def _diff(old: Contents, new: Contents, told: str | None, most: int, jobs: Jobs) -> Diff:
    lines = matched(old, new, jobs)
    both = int((lines.mates >= 0).sum())
    attributes = paired_attributes(old.attributes, new.attributes, told, renaming=both > 0)
    if told is not None and not attributes:
        raise _unknown(old, new, told)
    changes = _changes(old, new, lines, _asked(old, new, attributes, told, most), jobs)
    return Diff(
        old.source.name,
        new.source.name,
        old_lines=both + len(lines.gone),
        new_lines=both + len(lines.added),
        same=both - len(lines.other),
        spelt=changes.spelt,
        changed=changes.changed,
        moved=len(lines.moved),
        added=len(lines.added),
        gone=len(lines.gone),
        elsewhere=len(lines.elsewhere),
        old_unread=old.unread,
        new_unread=new.unread,
        attributes=attribute_diffs(old, new, attributes, changes.labels),
        keys=keys_of_changes(changes.keys),
        samples=_all_samples(old, new, lines, changes, most),
    )


def _unknown(old: Contents, new: Contents, told: str) -> Refused:
    names = ", ".join(dict.fromkeys([*old.attributes, *new.attributes])) or "none"
    files = f"neither {old.source.name} nor {new.source.name}"
    return Refused(f"{files} has the label attribute {told!r}; the attributes found: {names}")


def _asked(old: Contents, new: Contents, attributes: tuple[Pair, ...], told: str | None, most: int) -> Asked:
    both = [(one, other) for one, other in attributes if one is not None and other is not None]
    pairs = [(old.attributes[one].known(one), new.attributes[other].known(other)) for one, other in both]
    named = [*old.attributes.items(), *new.attributes.items()]
    others = frozenset(key for name, shown in named for key in (name, shown.metadata_key))
    return Asked(tuple(pairs), others, told is None, most)


def _changes(old: Contents, new: Contents, lines: Matched, asked: Asked, jobs: Jobs) -> Changes:
    whole = Changes(labels=[Labels() for _ in asked.pairs])
    task = partial(_compare_batch, asked, old.source.uri, new.source.uri)
    for part in run(task, _batches(old, new, lines), jobs):
        whole.add(part, asked.most)
    return whole


Batch = tuple[Places, tuple[Places, Places]]


def _batches(old: Contents, new: Contents, lines: Matched) -> Iterator[tuple[Batch, Batch]]:
    for start in range(0, len(lines.other), _BATCH):
        some = lines.other[start : start + _BATCH]
        mates = lines.mates[some].astype(np.int64)
        yield (some, old.range(some)), (mates, new.range(mates))


def _compare_batch(asked: Asked, old: str, new: str, batch: tuple[Batch, Batch]) -> Changes:
    (places, where), (mates, there) = batch
    numbers = (places + 1).tolist(), (mates + 1).tolist()
    return compare(asked, zip(*numbers, read_ranges(old, *where), read_ranges(new, *there), strict=True))


def _all_samples(
    old: Contents, new: Contents, lines: Matched, changes: Changes, most: int
) -> dict[str, tuple[Sample, ...]]:
    """Return the first lines of every kind of change that there is."""
    samples = {
        "gone": _samples_of_one(old, lines.gone[:most], new=False),
        "added": _samples_of_one(new, lines.added[:most], new=True),
        "moved": _samples(old, lines.moved[:most], new, lines.mates),
        "elsewhere": _samples(old, lines.elsewhere[:most], new, lines.mates),
        **{kind: tuple(found) for kind, found in changes.samples.items()},
    }
    return {kind: found for kind, found in samples.items() if found}


def _sources(whole: Contents, places: Places) -> list[str]:
    return [source_of(decoded(line) or {}) for line in whole.read(places)]


def _samples_of_one(whole: Contents, places: Places, new: bool) -> tuple[Sample, ...]:
    """Return some lines that only one of the files has."""
    numbered = zip((places + 1).tolist(), _sources(whole, places), strict=True)
    return tuple(Sample(0, line, name, "") if new else Sample(line, 0, name, "") for line, name in numbered)


def _samples(old: Contents, places: Places, new: Contents, mates: NDArray[np.int32]) -> tuple[Sample, ...]:
    """Return some lines that both files have; a picture is called what it is in the new one."""
    others = mates[places].astype(np.int64)
    numbers = zip((places + 1).tolist(), (others + 1).tolist(), strict=True)
    names = zip(_sources(old, places), _sources(new, others), strict=True)
    return tuple(
        Sample(*pair, now, "" if was == now else f"{was} -> {now}")
        for pair, (was, now) in zip(numbers, names, strict=True)
    )

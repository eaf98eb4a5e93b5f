"""Makes several ``.rec`` files one, by concatenation; index and list follow."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from manifest_tools.base.arguments import AnyPath, as_text
from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.parallel import Progress, no_progress
from manifest_tools.base.text import listed
from manifest_tools.io.record_list import INDEX, LIST, RECORDS, Numbers, RecordList, stem
from manifest_tools.io.seekable import Opened
from manifest_tools.io.sinks import Published, check_apart, output_file, publishing
from manifest_tools.verbs.rec.outputs import Trio, check_replaceable, check_target
from manifest_tools.verbs.rec.records import Layout, layout, list_beside, open_records


@dataclass(frozen=True, slots=True)
class Joined:
    """Files that were merged."""

    files: tuple[str, ...]
    records: int
    size: int
    """Bytes of the new ``.rec``."""

    renumbered: bool
    without_list: tuple[str, ...]
    """Files without a ``.lst`` of their name, where others have one: then the whole has none."""

    unlisted: int
    """Records without a row in the list of their file."""

    outputs: tuple[Published, ...] = ()


@dataclass(frozen=True, slots=True)
class _Part:
    file: Opened
    found: Layout
    rows: RecordList | None


def rec_merge(
    *files: AnyPath,
    output: AnyPath = "merged.rec",
    renumber: bool = False,
    force: bool = False,
    kms_key: str | None = None,
    transfer: Progress = no_progress,
) -> Joined:
    """Write the records of several files one behind the other, byte for byte, with index and list.

    A reader by key finds one record of a key, so files in which two records have one number are refused;
    ``renumber`` counts all records anew from 0, in their headers, the index and the list. There is a list
    where every file has one of its name. Raises Refused for equal numbers, BadData for a damaged file.
    """
    names = tuple(map(as_text, files))
    target = stem(output_file(as_text(output), "merged.rec"))
    _check(names, target, kms_key)
    with (
        publishing(force=force, kms_key=kms_key) as publication,
        contextlib.ExitStack() as stack,
    ):
        parts = [_part(stack.enter_context(open_records(name)), transfer) for name in names]
        if not renumber:
            _check_numbers(parts)
            check_replaceable(target, sum(part.found.size for part in parts), force)
        without = [part.file.name for part in parts if part.rows is None]
        trio = Trio(publication, target, listed=not without)
        total = sum(part.found.size for part in parts)
        for _ in transfer(_written(trio, parts, renumber), total, "writing"):
            pass
    records = sum(len(part.found.ids) for part in parts)
    partly = tuple(without) if len(without) < len(parts) else ()
    outputs = tuple(publication.published)
    return Joined(names, records, trio.size, renumber, partly, trio.unlisted, outputs)


def _check(names: Sequence[str], target: str, kms_key: str | None) -> None:
    if len(names) < 2:
        raise Refused(f"expected two .rec files or more to merge, found {len(names)}")
    check_target(target, kms_key)
    for name in names:
        check_apart(name, [target + ending for ending in (RECORDS, INDEX, LIST)])


def _part(file: Opened, transfer: Progress) -> _Part:
    return _Part(file, layout(file, transfer), list_beside(file.name))


def _check_numbers(parts: Sequence[_Part]) -> None:
    """Raise Refused where two records have one number, naming the first and their files."""
    ids, counts = np.unique(np.concatenate([part.found.ids for part in parts]), return_counts=True)
    again = ids[counts > 1]
    if any(part.found.unnumbered for part in parts) or not len(again):
        return
    first = again[0]
    having = [part.file.name for part in parts if (part.found.ids == first).any()]
    raise Refused(
        f"{listed(having)}: {int(counts[counts > 1].sum()):,} records share their number with another, such"
        f" as {first}, and a reader by key would find one of them alone; type --renumber to count all anew"
    )


def _written(trio: Trio, parts: Sequence[_Part], renumber: bool) -> Iterator[int]:
    counted = any(part.found.unnumbered for part in parts)
    before = 0
    for part in parts:
        found = part.found
        if renumber:
            yield from trio.add_renumbered(part.file, found, before, part.rows)
        else:
            keys: Numbers = np.arange(before, before + len(found.ids), dtype=np.uint64)
            yield from trio.add(part.file, found, keys if counted else found.ids, part.rows)
        before += len(found.ids)
    if not before:
        raise BadData("expected records, found none")

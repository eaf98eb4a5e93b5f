"""Deals the records of a ``.rec`` out to several files, in order; index and list follow."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from manifest_tools.base.arguments import AnyPath, as_text
from manifest_tools.base.errors import Refused
from manifest_tools.base.parallel import Progress, no_progress
from manifest_tools.base.text import counted
from manifest_tools.io.record_list import INDEX, LIST, RECORDS, RecordList, stem
from manifest_tools.io.seekable import Opened
from manifest_tools.io.sinks import Publication, Published, check_apart, check_key, publishing
from manifest_tools.verbs.rec.outputs import Trio
from manifest_tools.verbs.rec.records import Layout, layout, list_beside, open_records

_MOST_SHARDS = 99_999  # the number has five digits


@dataclass(frozen=True, slots=True)
class Sharded:
    """A file that was dealt out."""

    file: str
    records: int
    shards: tuple[tuple[str, int], ...]
    """Each new ``.rec``, and how many records it has."""

    outputs: tuple[Published, ...] = ()


def rec_shard(
    file: AnyPath,
    shards: int,
    output: AnyPath | None = None,
    *,
    force: bool = False,
    kms_key: str | None = None,
    transfer: Progress = no_progress,
) -> Sharded:
    """Write the records of a file into ``shards`` files of equally many, one record more or less.

    They are called ``NAME-00000-of-00004.rec`` and so on, in the folder ``output`` (None: that of the file),
    each with its index, and its rows of the list where there is one. Records keep their order, bytes and
    numbers: merging the shards gives the file again. Raises Refused for more shards than records, BadData for
    a damaged file.
    """
    name = as_text(file)
    if not 1 <= shards <= _MOST_SHARDS:
        raise Refused(f"expected 1 to {_MOST_SHARDS:,} shards, found {shards:,}")
    targets = shard_names(name, shards, None if output is None else as_text(output))
    check_key(kms_key, targets)
    check_apart(name, [target + ending for target in targets for ending in (RECORDS, INDEX, LIST)])
    with publishing(force=force, kms_key=kms_key) as publication, open_records(name) as opened:
        found = layout(opened, transfer)
        records = len(found.ids)
        if records < shards:
            raise Refused(
                f"{name}: expected as many records as shards, found {counted(records, 'record')};"
                f" type --shards {records} or less"
            )
        bounds = [records * at // shards for at in range(shards + 1)]
        parts = [found.take(slice(*pair)) for pair in zip(bounds, bounds[1:], strict=False)]
        writing = _written(publication, opened, targets, parts, list_beside(name))
        for _ in transfer(writing, found.size, "writing"):
            pass
    made = tuple((target + RECORDS, len(part.ids)) for target, part in zip(targets, parts, strict=True))
    return Sharded(name, records, made, tuple(publication.published))


def shard_names(file: str, shards: int, folder: str | None = None) -> list[str]:
    """Return the names of the shards of a file, without their endings.

    >>> shard_names("lab3/train.rec", 2)
    ['lab3/train-00000-of-00002', 'lab3/train-00001-of-00002']
    """
    name = stem(file)
    if folder is not None:
        name = os.path.join(folder, name.rpartition("/")[2])
    return [f"{name}-{at:05}-of-{shards:05}" for at in range(shards)]


def _written(
    publication: Publication, opened: Opened, targets: list[str], parts: list[Layout], rows: RecordList | None
) -> Iterator[int]:
    for target, part in zip(targets, parts, strict=True):
        trio = Trio(publication, target, listed=rows is not None)
        yield from trio.add(opened, part, part.keys(), rows)
        trio.close()

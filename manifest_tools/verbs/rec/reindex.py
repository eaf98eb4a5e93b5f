"""Makes the ``.idx`` of a ``.rec`` anew, as im2rec or MXNet's rec2idx write it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from manifest_tools.base.arguments import AnyPath, as_text
from manifest_tools.base.errors import Refused
from manifest_tools.base.parallel import Progress, no_progress
from manifest_tools.base.text import counted
from manifest_tools.io.record_list import INDEX, Numbers, stem
from manifest_tools.io.recordio import idx_line
from manifest_tools.io.sinks import Published, check_apart, check_key, output_file, publishing
from manifest_tools.verbs.rec.records import Layout, layout, open_records, repeated

Keys = Literal["id", "count"]


@dataclass(frozen=True, slots=True)
class Reindexed:
    """An index that was made."""

    file: str
    records: int
    keys: Keys
    """What the keys are: the numbers that records give themselves, or a count from 0."""

    outputs: tuple[Published, ...] = ()


def rec_reindex(
    file: AnyPath,
    output: AnyPath | None = None,
    *,
    keys: Keys | None = None,
    force: bool = False,
    kms_key: str | None = None,
    transfer: Progress = no_progress,
) -> Reindexed:
    """Write the index of a ``.rec``: a key and an offset for each record; None for ``output`` is beside it.

    ``keys`` are the numbers that records give themselves, as im2rec's, or a count from 0, as rec2idx's; None
    takes numbers where every record has its own. Raises Refused where it has not and they were asked for,
    BadData where the file is damaged.
    """
    name = as_text(file)
    target = stem(name) + INDEX if output is None else output_file(as_text(output), stem(name) + INDEX)
    check_key(kms_key, [target])
    check_apart(name, [target])
    with publishing(force=force, kms_key=kms_key) as publication, open_records(name) as opened:
        found = layout(opened, transfer)
        taken = _keys(name, found, keys)
        stream = publication.open(target)
        for key, offset in zip(taken.tolist(), found.starts.tolist(), strict=True):
            stream.write(idx_line(key, offset).encode())
    told: Keys = "id" if taken is found.ids else "count"
    return Reindexed(name, len(taken), told, tuple(publication.published))


def _keys(name: str, found: Layout, keys: Keys | None) -> Numbers:
    if keys is None:
        return found.keys()
    if keys == "count":
        return np.arange(len(found.ids), dtype=np.uint64)
    if found.unnumbered:
        raise Refused(
            f"{name}: {counted(found.unnumbered, 'record')} too short for a number; type --keys count"
        )
    if (again := repeated(found.ids)) is not None:
        raise Refused(f"{name}: several records have the number {again}; type --keys count")
    return found.ids

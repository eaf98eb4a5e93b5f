"""A ``.rec`` being written, with its ``.idx`` and its ``.lst``."""

import os
from collections.abc import Iterator
from typing import BinaryIO

from manifest_tools.base.errors import Exists, Refused
from manifest_tools.io.byte_ranges import runs
from manifest_tools.io.record_list import INDEX, LIST, RECORDS, Numbers, RecordList, stem
from manifest_tools.io.record_spans import Span, payload_of
from manifest_tools.io.recordio import frame, idx_line, record_id, renumbered
from manifest_tools.io.seekable import Opened
from manifest_tools.io.sinks import STDOUT, Publication, check_key
from manifest_tools.verbs.rec.records import Layout, copy_bytes


class Trio:
    """Three files of one name: records, their index, and the rows of their lists where there are lists."""

    def __init__(self, publication: Publication, name: str, *, listed: bool) -> None:
        self._rec = publication.open(stem(name) + RECORDS)
        self._idx = publication.open(stem(name) + INDEX)
        self._lst: BinaryIO | None = publication.open(stem(name) + LIST) if listed else None
        self.size = 0
        """Bytes of records so far."""

        self.unlisted = 0
        """Records without a row in the list of their file."""

    def add(self, file: Opened, taken: Layout, keys: Numbers, rows: RecordList | None) -> Iterator[int]:
        """Copy records of a file, byte for byte, and yield how many bytes by and by."""
        sizes = (taken.ends - taken.starts).tolist()
        for key, identity, size in zip(keys.tolist(), taken.ids.tolist(), sizes, strict=True):
            self._describe(key, identity, size, rows)
        if len(taken.ids):
            for start, end in zip(*map(list, runs(taken.starts, taken.ends)), strict=True):
                for data in copy_bytes(file, int(start), int(end)):
                    self._rec.write(data)
                    yield len(data)

    def add_renumbered(
        self, file: Opened, taken: Layout, first: int, rows: RecordList | None
    ) -> Iterator[int]:
        """Write records of a file with the numbers from ``first``, and yield how many bytes each was."""
        places = zip(taken.starts.tolist(), taken.ends.tolist(), taken.ids.tolist(), strict=True)
        for key, (start, end, identity) in enumerate(places, first):
            payload = payload_of(file.stream, Span(start, end, b""))
            framed = frame(payload if record_id(payload) is None else renumbered(payload, key))
            self._describe(key, identity, len(framed), rows)
            self._rec.write(framed)
            yield end - start

    def _describe(self, key: int, identity: int, size: int, rows: RecordList | None) -> None:
        self._idx.write(idx_line(key, self.size).encode())
        self.size += size
        if self._lst is None or rows is None:
            return
        line = rows.line(identity)
        if line is None:
            self.unlisted += 1
            return
        self._lst.write(b"%d\t%s\n" % (key, line.partition(b"\t")[2].rstrip(b"\r\n")))

    def close(self) -> None:
        """Close the files, which are complete: of many shards only some can be open at a time."""
        for stream in filter(None, (self._rec, self._idx, self._lst)):
            stream.close()


def check_target(name: str, kms_key: str | None) -> None:
    """Raise Refused for a name that three files cannot have, and for a KMS key that would do nothing."""
    if name == STDOUT:
        raise Refused("-: expected a name for three files, found standard output; type -o NAME.rec")
    check_key(kms_key, [name])


def check_replaceable(name: str, size: int, force: bool) -> None:
    """Raise Exists, before the work, for a ``.rec`` of another size than the one that is to be written."""
    path = stem(name) + RECORDS
    if not force and not path.startswith("s3://") and os.path.isfile(path) and os.path.getsize(path) != size:
        raise Exists([path])

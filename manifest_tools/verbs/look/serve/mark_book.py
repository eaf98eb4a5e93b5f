"""The marks file that a server appends to: whole lines, put on the disk one by one, so that no mark is lost.

Others may append to the same file; what was changed there is read again.
"""

import json
import os
import shlex
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from manifest_tools.base.errors import MtoolError
from manifest_tools.groundtruth.attributes import Attribute
from manifest_tools.groundtruth.counts import rows_by_attribute
from manifest_tools.groundtruth.label_kinds import label_kind
from manifest_tools.groundtruth.marks import (
    CLEARED,
    Mark,
    Marks,
    classes_on,
    decode_mark,
    encode_mark,
    read_marks,
)
from manifest_tools.groundtruth.record import Row
from manifest_tools.io.sources import Source
from manifest_tools.verbs.look.choose import Place
from manifest_tools.verbs.look.look import Looked


@dataclass(slots=True)
class MarkBook:
    """The marks on the lines of some manifests."""

    path: str
    looked: Looked
    made: int = 0
    """Marks that were made, and taken back, since the server began."""

    lock: threading.Lock = field(default_factory=threading.Lock)

    def marks(self) -> Marks:
        """Return the marks that count now; raises BadData where the file is no longer one of marks."""
        return read_marks(self.path) if os.path.exists(self.path) else Marks(self.path, {})

    def labels(self, place: Place) -> list[tuple[Attribute, Row]]:
        """Return the labels of a line."""
        part, at = place
        index = self.looked.indices[part]
        return [
            (one, rows.rows[0]) for one, rows in rows_by_attribute(index.known, index.read(at)) if one.name
        ]

    def add(self, wanted: Mapping[str, Any]) -> tuple[Place, Mark | None]:
        """Append a mark that a page asks for; return its line, and the mark that it replaces.

        Raises ValueError for what is no mark of a line of these manifests.
        """
        place = self._place(wanted)
        attribute, row = self._label(place, wanted.get("attribute"))
        mark = self._mark(place, attribute, row, wanted)
        with self.lock:
            before = self.marks().by_line.get((mark.source, mark.attribute))
            append(self.path, mark)
            self.made += 1
        return place, before

    def _place(self, wanted: Mapping[str, Any]) -> Place:
        part, line = wanted.get("part"), wanted.get("line")
        if type(part) is int and type(line) is int and 0 <= part < len(self.looked.indices):
            at = self.looked.indices[part].position(line) if 0 < line < 2**62 else None
            if at is not None:
                return part, at
        raise ValueError("no such line")

    def _label(self, place: Place, name: object) -> tuple[Attribute, Row]:
        for attribute, row in self.labels(place):
            if attribute.name == name:
                return attribute, row
        raise ValueError("the line has no such label")

    def _mark(self, place: Place, attribute: Attribute, row: Row, wanted: Mapping[str, Any]) -> Mark:
        """Return the mark; one that wants the classes that are there already takes the mark back."""
        kind = label_kind(attribute.type)
        index = self.looked.indices[place[0]]
        source = row.source_ref or row.source
        if not source:
            raise ValueError("the line has no source-ref, so that a mark could not be found again")
        value = {key: wanted[key] for key in ("mark", "class", "note") if key in wanted}
        value |= {"source-ref": source, "label-attribute": attribute.name}
        # What came is read as a line of the file would be, so that nothing else can get into it.
        mark = replace(
            decode_mark(json.dumps(value).encode()),
            was=classes_on(kind, row),
            date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            manifest=index.source.name,
            line=int(index.lines["number"][place[1]]),
            is_text=row.source_ref is None,
        )
        if mark.classes is not None and not kind.is_classification:
            raise ValueError("only a label of classification can be given a class")
        if mark.classes is not None and not kind.multi_label and len(mark.classes) != 1:
            raise ValueError("the label has one class")
        is_there = mark.classes is not None and mark.classes == mark.was
        return replace(mark, mark=CLEARED, classes=None) if is_there else mark

    def summary(self) -> dict[str, Any]:
        """Return how many marks there are of what, and what to type next."""
        marks = self.marks()
        counts = Counter(mark.mark for mark in marks.by_line.values())
        return {
            "file": self.path,
            "counts": dict(counts),
            "commands": self.commands(marks.by_line.values(), counts),
        }

    def commands(self, marks: Iterable[Mark], counts: Mapping[str, int]) -> list[str]:
        """Return what to type to make something of the marks."""
        known = self.looked.words.classes
        new = any(name not in known for mark in marks for name in mark.classes or ())
        file, sources = shlex.quote(self.path), [one.source for one in self.looked.indices]
        one = shlex.quote(sources[0].name)
        found = []
        if counts.get("class"):
            from_marks = f"--from-marks {file}{' --add-class' if new else ''}"
            in_place = [shlex.quote(source.name) for source in sources if _can_be_rewritten(source)]
            others = [shlex.quote(source.name) for source in sources if not _can_be_rewritten(source)]
            found += [f"mtool rewrite {' '.join(in_place)} {from_marks}"] if in_place else []
            found += [f"mtool rewrite {name} {from_marks} -o corrected.manifest" for name in others]
        if counts.get("wrong"):
            found.append(f"mtool filter {one} --unmarked {file} --mark wrong -o good.manifest")
        if counts.get("unsure"):
            found.append(f"mtool filter {one} --marked {file} --mark unsure -o unsure.manifest")
        return found


def _can_be_rewritten(source: Source) -> bool:
    """Say whether there is a manifest behind the name, and not a folder or a table that stands for one."""
    return source.copy is None or source.name.endswith(".gz")


def mark_to_json(mark: Mark) -> dict[str, Any]:
    """Return a mark for a page."""
    return {"mark": mark.mark, "class": list(mark.classes or ()), "note": mark.note}


def append(path: str, mark: Mark) -> None:
    """Append one whole line to a file of marks, and put it on the disk; raises MtoolError."""
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            size = os.fstat(handle).st_size
            ended = not size or os.pread(handle, 1, size - 1) == b"\n"
            line = (b"" if ended else b"\n") + encode_mark(mark)
            if os.write(handle, line) != len(line):
                raise OSError("not all of it could be written")
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise MtoolError(f"{path}: the mark could not be kept: {error.strerror or error}") from error

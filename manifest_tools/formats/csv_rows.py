"""Reads the rows of a table of pictures, as spreadsheets, Kaggle, pandas and mtool write them."""

import csv
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby

from manifest_tools.base.digest_set import DigestSet
from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.text import counted, shown
from manifest_tools.formats.csv_cells import from_cell
from manifest_tools.groundtruth.annotations import PictureLabelKind, Provenance
from manifest_tools.groundtruth.classes import index_of
from manifest_tools.images.paths import is_below
from manifest_tools.io.sources import Source, folder_of

# Names of columns, the likeliest first; capitals, blanks, hyphens and underscores do not count.
_PICTURE = [
    "sourceref",
    "imagepath",
    "filepath",
    "path",
    "image",
    "picture",
    "photo",
    "filename",
    "file",
    "imagename",
    "imagefile",
    "img",
]
_CLASS = ["classname", "class", "category", "categoryname", "label", "labels", "labelname", "target"]
_SEVERAL = "classes"  # of rows that follow one another: a picture has all of them
_INDEX = "classindex"  # which mtool writes
# The four columns of a box: its upper left corner, then the other corner or its size; where both are there,
# the size may be that of the picture.
_CORNERS = [("xmin", "ymin", "xmax", "ymax"), ("x1", "y1", "x2", "y2"), ("left", "top", "right", "bottom")]
_SIZED = [("left", "top", "width", "height"), ("xmin", "ymin", "width", "height")]
_ORIGIN = ("jobname", "humanannotated", "creationdate")

_DELIMITERS = ",;\t|"
_MOST = 12  # columns that a message lists
_MOST_PIXELS = 10**15

Number = int | float


@dataclass(slots=True)
class Columns:
    """The columns that were told; ``mtool --picture-column --class-column`` set them."""

    picture: str | None = None
    classes: str | None = None
    used: bool = False
    """Whether a table was read since they were told."""

    def tell(self, picture: str | None, classes: str | None) -> None:
        """Set both; None leaves it to the header."""
        self.picture, self.classes, self.used = picture, classes, False


COLUMNS = Columns()
"""The columns of this process."""


@dataclass(slots=True)
class Row:
    """A row of a table."""

    number: int
    """The line of the file that it ends on."""

    ref: str
    name: str = ""
    """The class; empty where the row has none."""

    index: int | None = None
    line: int | None = None
    box: tuple[Number, Number, Number, Number] | None = None
    """Left, top, width, height."""

    size: tuple[Number, Number] | None = None
    depth: int | None = None
    confidence: Number | None = None
    provenance: Provenance = Provenance()


class Table:
    """A CSV table whose columns are known; every pass reads it anew."""

    def __init__(self, source: Source, prefix: str) -> None:
        self.source, self.prefix = source, prefix
        COLUMNS.used = True
        self.header = [name.strip() for name in next(self._records(), (0, []))[1]]
        folded = [_folded(name) for name in self.header]
        self._at = {name: folded.index(name) for name in folded}
        self.picture = self._column("--picture-column", COLUMNS.picture, _PICTURE)
        self.classes = self._column("--class-column", COLUMNS.classes, [*_CLASS, _SEVERAL])
        if self.picture is None:
            options = "--picture-column NAME --class-column NAME"
            raise Refused(
                f"{self.source.name}: expected a header with a column of pictures, such as image or path;"
                f" {self._told(options) if self.header else 'found nothing in this file'}"
            )
        self.states_indices = _INDEX in self._at
        every = [(names, True) for names in _CORNERS] + [(names, False) for names in _SIZED]
        self._box: tuple[str, ...]
        self._box, self._to_corner = next(
            ((names, corner) for names, corner in every if set(names) <= set(self._at)), ((), False)
        )
        if self.classes is None:
            self._box = ()  # boxes of no class are no labels
        several = self.classes is not None and folded[self.classes] == _SEVERAL
        self.kind: PictureLabelKind = "boxes" if self._box else "multi_label" if several else "single_label"

    def rows(self) -> Iterator[Row]:
        """Yield every row; raises BadData for one that cannot be read."""
        records = self._records()
        next(records, None)
        for number, record in records:
            if len(record) != len(self.header):
                fields = counted(len(self.header), "field")
                raise self._bad(number, f"expected {fields}, as the header has, found {len(record)}")
            try:
                yield self._row(number, record)
            except ValueError as error:
                raise self._bad(number, str(error)) from error

    def pictures(self) -> Iterator[list[Row]]:
        """Yield the rows of every picture: one, or those that follow one another.

        Raises BadData where rows of one picture do not, in a table that does not number its pictures.
        """
        if self.kind == "single_label":
            yield from ([row] for row in self.rows())
            return
        seen = DigestSet()
        for (line, ref), rows in groupby(self.rows(), lambda row: (row.line, row.ref)):
            found = list(rows)
            if line is None and not seen.add(ref):
                why = f"rows of {shown(ref)} do not follow one another; sort the table by its pictures"
                raise self._bad(found[0].number, why)
            yield found

    def remarks(self) -> tuple[str, ...]:
        """Return what the user is told."""
        if self.classes is None:
            return (
                f"{self.source.name}: no column of classes is known, so no line has a label;"
                f" {self._told('--class-column NAME')}",
            )
        return ()

    def _row(self, number: int, record: Sequence[str]) -> Row:
        assert self.picture is not None
        row = Row(number, self._ref(from_cell(record[self.picture])))
        if self.classes is not None:
            row.name = from_cell(record[self.classes])
        if self.states_indices:
            self._add_what_mtool_wrote(row, record)
        if self._box:
            self._add_box(row, record)
        return row

    def _add_what_mtool_wrote(self, row: Row, record: Sequence[str]) -> None:
        row.index, row.line = self._index(record, _INDEX), self._index(record, "line")
        if row.name and row.index is None:
            raise ValueError("expected a class-index beside the class, found none")
        row.confidence = self._share(record, "confidence")
        texts = [from_cell(self._cell(record, name)) or None for name in _ORIGIN]
        row.provenance = Provenance(*texts)

    def _add_box(self, row: Row, record: Sequence[str]) -> None:
        cells = [self._number(record, name) for name in self._box]
        left, top, third, fourth = cells
        if left is not None and top is not None and third is not None and fourth is not None:
            if not row.name:
                raise ValueError("expected a class beside the box, found none")
            row.box = (
                (left, top, third - left, fourth - top) if self._to_corner else (left, top, third, fourth)
            )
        elif row.name or cells != [None] * 4:
            raise ValueError(f"expected {', '.join(self._box)} of a box, found only some of them")
        of_picture = ("imagewidth", "imageheight")
        if self._to_corner and not set(of_picture) & set(self._at):
            of_picture = ("width", "height")
        width, height = (self._number(record, name) for name in of_picture)
        row.size = None if width is None or height is None else (width, height)
        row.depth = self._index(record, "depth") if self.states_indices else None
        if row.confidence is None:
            row.confidence = self._share(record, "confidence" if "confidence" in self._at else "score")

    def _cell(self, record: Sequence[str], name: str) -> str:
        at = self._at.get(name)
        return "" if at is None else record[at]

    def _number(self, record: Sequence[str], name: str) -> Number | None:
        text = self._cell(record, name).strip()
        if not text:
            return None
        number = int(text) if text.lstrip("-").isdecimal() and len(text) < 17 else float(text)
        if not abs(number) < _MOST_PIXELS:
            raise ValueError(f"expected a number as {name}, found {text[:40]}")
        return number

    def _share(self, record: Sequence[str], name: str) -> Number | None:
        number = self._number(record, name)
        if number is not None and not 0 <= number <= 1:
            raise ValueError(f"expected a {name} from 0 to 1, found {number}")
        return number

    def _index(self, record: Sequence[str], name: str) -> int | None:
        text = self._cell(record, name).strip()
        index = index_of(text)
        if text and index is None:
            raise ValueError(f"expected a whole number as {name}, found {shown(text)}")
        return index

    def _column(self, option: str, told: str | None, known: Sequence[str]) -> int | None:
        if told is None:
            return next((self._at[name] for name in known if name in self._at), None)
        if told not in self.header:
            raise Refused(f"{self.source.name}: {option} {told}: no such column; found {self._listed()}")
        return self.header.index(told)

    def _told(self, options: str) -> str:
        return f"found {self._listed()}; type: mtool {options} WORD {self.source.name}"

    def _listed(self) -> str:
        more = ", ..." if len(self.header) > _MOST else ""
        return f"{', '.join(map(shown, self.header[:_MOST]))}{more}"

    def _ref(self, ref: str) -> str:
        """Return a picture as a source-ref: a URI, or a path from the folder of the table."""
        if ref.startswith("s3://"):
            return ref
        path = os.path.normpath(ref.replace("\\", "/")) if ref else ""
        if os.path.isabs(path):
            path = os.path.relpath(path, os.path.abspath(folder_of(self.source.name)))
        if not is_below(path):
            raise ValueError(f"expected an s3:// URI or a path below the table's folder, found {shown(ref)}")
        return f"{self.prefix.rstrip('/')}/{path}" if self.prefix else path

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the number of the last line of every record, and its fields; blank lines are left out."""
        lines = self._lines()
        first = next(lines, "")
        reader = csv.reader(_chained(first, lines), delimiter=self._delimiter(first), strict=True)
        try:
            for record in reader:
                if record:
                    yield reader.line_num, record
        except csv.Error as error:
            raise self._bad(reader.line_num, str(error)) from error

    def _delimiter(self, header: str) -> str:
        """Return what divides the header: texts in rows have all kinds of signs, names of columns hardly."""
        if self.source.name.removesuffix(".gz").endswith(".tsv"):
            return "\t"
        return max(_DELIMITERS, key=header.count)

    def _lines(self) -> Iterator[str]:
        number = 0
        for block in self.source.blocks():
            for line in BytesIO(block.read()):
                number += 1
                try:
                    yield line.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    raise self._bad(number, "not UTF-8; save it as CSV UTF-8") from error

    def _bad(self, number: int, why: str) -> BadData:
        return BadData(f"{self.source.name}:{number}: {why}")


def _chained(first: str, others: Iterator[str]) -> Iterator[str]:
    yield first
    yield from others


def _folded(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())

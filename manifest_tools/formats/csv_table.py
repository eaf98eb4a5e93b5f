"""A table of pictures and their classes, as CSV: what spreadsheets, Kaggle and pandas write."""

import csv
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.text import counted, shown
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.groundtruth.annotations import DataSet, Picture, StreamedPictures
from manifest_tools.groundtruth.attributes import check_attribute_name
from manifest_tools.groundtruth.classes import class_table, numbered
from manifest_tools.images.paths import is_below
from manifest_tools.io.sources import Source, folder_of, open_bytes

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

_DELIMITERS = ",;\t|"
_MOST = 12  # columns that a message lists


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


def read(place: str, options: ReadOptions) -> DataSet:
    """Return the pictures of a CSV table with a header, in the order of its rows.

    Classes are numbered by their sorted names (numbers by size), or as ``options.classes`` has them. A row
    without a class is a picture without a label. Raises Refused where no column is known to hold pictures,
    BadData for a row that cannot be read.
    """
    table = _Table(open_bytes(place), options.source_prefix)
    names = sorted({name for _, _, name in table.rows() if name}, key=_order)
    indices = numbered(names, options.classes)
    attribute = options.label_attribute or "label"
    check_attribute_name(attribute)
    classes = class_table((index, name) for name, index in indices.items())
    parts = {"": StreamedPictures(partial(_pictures, table, indices))}
    return DataSet(classes, "single_label", parts, attribute, remarks=table.remarks())


def _order(name: str) -> tuple[float, str]:
    """Return what sorts names: numbers come first, by their size."""
    is_number = name.isascii() and name.isdecimal() and len(name) < 16
    return (int(name) if is_number else float("inf")), name


def _pictures(table: "_Table", indices: dict[str, int]) -> Iterator[Picture]:
    table.source.check_unchanged()  # since its classes were read
    for number, ref, name in table.rows():
        yield Picture(number, ref, classes=(indices[name],) if name else ())


class _Table:
    """A CSV table whose columns are known; every pass reads it anew."""

    def __init__(self, source: Source, prefix: str) -> None:
        self.source, self.prefix = source, prefix
        COLUMNS.used = True
        self.header = [name.strip() for name in next(self._records(), (0, []))[1]]
        self.picture = self._column("--picture-column", COLUMNS.picture, _PICTURE)
        self.classes = self._column("--class-column", COLUMNS.classes, _CLASS)
        if self.picture is None:
            options = "--picture-column NAME --class-column NAME"
            raise Refused(
                f"{self.source.name}: expected a header with a column of pictures, such as image or path;"
                f" {self._told(options) if self.header else 'found nothing in this file'}"
            )

    def rows(self) -> Iterator[tuple[int, str, str]]:
        """Yield number, picture and class of every row; the class is empty where the row has none."""
        records = self._records()
        next(records, None)
        for number, record in records:
            if len(record) != len(self.header):
                fields = counted(len(self.header), "field")
                raise self._bad(number, f"expected {fields}, as the header has, found {len(record)}")
            assert self.picture is not None
            name = "" if self.classes is None else record[self.classes].strip()
            yield number, self._ref(number, record[self.picture].strip()), name

    def remarks(self) -> tuple[str, ...]:
        """Return what the user is told."""
        if self.classes is None:
            return (
                f"{self.source.name}: no column of classes is known, so no line has a label;"
                f" {self._told('--class-column NAME')}",
            )
        return ()

    def _column(self, option: str, told: str | None, known: Sequence[str]) -> int | None:
        if told is None:
            folded = [_folded(name) for name in self.header]
            return next((folded.index(name) for name in known if name in folded), None)
        if told not in self.header:
            raise Refused(f"{self.source.name}: {option} {told}: no such column; found {self._listed()}")
        return self.header.index(told)

    def _told(self, options: str) -> str:
        return f"found {self._listed()}; type: mtool {options} WORD {self.source.name}"

    def _listed(self) -> str:
        more = ", ..." if len(self.header) > _MOST else ""
        return f"{', '.join(map(shown, self.header[:_MOST]))}{more}"

    def _ref(self, number: int, ref: str) -> str:
        """Return a picture as a source-ref: a URI, or a path from the folder of the table."""
        if ref.startswith("s3://"):
            return ref
        path = os.path.normpath(ref.replace("\\", "/")) if ref else ""
        if os.path.isabs(path):
            path = os.path.relpath(path, os.path.abspath(folder_of(self.source.name)))
        if not is_below(path):
            raise self._bad(
                number, f"expected an s3:// URI or a path below the table's folder, found {shown(ref)}"
            )
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

"""A row of a ``.lst``: the number of a picture, its labels and its path, as im2rec.py reads them."""

from typing import NamedTuple

from manifest_tools.base.text import counted, shown

LONGEST_ROW = 1 << 20
"""Bytes: a row of a list is a path and some numbers; a longer one is no list at all."""


class ListRow(NamedTuple):
    """A row that im2rec can read."""

    key: int
    """The number of the picture."""

    labels: list[float]
    path: str


def parse_row(row: bytes) -> ListRow:
    """Return a row; raises ValueError for what im2rec would skip or misread."""
    try:
        text = row.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise ValueError("expected UTF-8 text") from error
    fields = [field.strip() for field in text.split("\t")]
    if len(fields) < 3:
        blanks = "; there are blanks in place of tabs" if len(text.split()) > 2 else ""
        raise ValueError(
            "expected a number, labels and a path, separated by tabs;"
            f" found {counted(len(fields), 'field')}{blanks}"
        )
    if not fields[0].isascii() or not fields[0].isdecimal() or len(fields[0]) > 18:
        raise ValueError(f"expected a whole number as the first field, found {shown(fields[0])}")
    if not fields[-1]:
        raise ValueError("expected a path as the last field, found nothing")
    if fields[-1].startswith(("/", "s3://")) or "\\" in fields[-1]:
        raise ValueError(f"expected a path relative to the channel's prefix, found {shown(fields[-1])}")
    return ListRow(int(fields[0]), [_number(field) for field in fields[1:-1]], fields[-1])


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise ValueError(f"expected a number as a label, found {shown(text)}") from error
    if not abs(number) < float("inf"):
        raise ValueError(f"expected a number as a label, found {shown(text)}")
    return number

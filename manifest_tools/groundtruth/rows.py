"""The lines of a block, decoded as a ``Peek`` says: all at once where each line is one object."""

import json
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from manifest_tools.groundtruth.record import METADATA, Peek, Row, decoder

T = TypeVar("T")

_NEWLINE, _RETURN, _OPEN, _CLOSE = b"\n\r{}"


class BadLine(Exception):
    """A line of a block, counted from 0, cannot be read; ``scan`` adds the file and the line in it."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(number, reason)
        self.number = number
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a block: its lines that are not blank."""

    data: bytes
    """The bytes of the block."""
    rows: list[Row]
    starts: NDArray[np.int64]
    """``(rows,)``: the byte offset in ``data`` at which the line of each row begins."""
    ends: NDArray[np.int64]
    """``(rows,)``: the byte offset after its newline."""
    numbers: NDArray[np.int64]
    """``(rows,)``: line numbers in the block, from 0; blank lines count."""
    lines: int
    """Lines of the block, blank ones included."""
    others: frozenset[str] = frozenset()
    """Label attributes beside that of an ``exclusive`` peek."""

    def line(self, index: int) -> bytes:
        """Return the bytes of the line of a row, its newline included."""
        return self.data[self.starts[index] : self.ends[index]]


def read_rows(data: bytes, peek: Peek) -> Rows:
    """Return the rows of a block; raises BadLine for the first line that is not as ``peek`` says."""
    starts, ends = line_offsets(data)
    rows = decode_all(data, starts, ends, decoder(peek))
    numbers = np.arange(len(starts))
    lines = len(starts)
    if rows is None:
        rows, numbers = _decode_each(data, starts, ends, peek)
        starts, ends = starts[numbers], ends[numbers]
    others = other_attributes(data, rows, peek) if peek.exclusive else frozenset()
    return Rows(data, rows, starts, ends, numbers, lines, others)


def decodable(
    data: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64], peek: Peek
) -> tuple[list[Row], NDArray[np.int64]]:
    """Return the rows of the lines that can be decoded as ``peek`` says, and the numbers of these, from 0."""
    rows = decode_all(data, starts, ends, decoder(peek))
    if rows is not None:
        return rows, np.arange(len(starts))
    decode = decoder(peek).decode
    rows, numbers = [], []
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        try:
            rows.append(decode(data[start:end]))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        numbers.append(number)
    return rows, np.array(numbers, np.int64)


def line_offsets(data: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the byte offsets at which lines begin, and those after their newlines, each ``(lines,)``."""
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == _NEWLINE) + 1
    if data and not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    starts = np.zeros_like(ends)
    starts[1:] = ends[:-1]
    return starts, ends


def decode_all(
    data: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64], decoder: "msgspec.json.Decoder[T]"
) -> list[T] | None:
    """Return every line of a block decoded; None where it is not sure that each line is one object.

    Where each line begins with ``{`` and ends with ``}``, no object can extend over the end of a line: inside
    an object, JSON has only a comma or a closing bracket after ``}``. So if there are as many objects as
    lines, each line is one object.
    """
    if not len(starts) or not _looks_like_objects(np.frombuffer(data, np.uint8), starts, ends):
        return None
    try:
        rows = decoder.decode_lines(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return rows if len(rows) == len(starts) else None


def _looks_like_objects(
    characters: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> bool:
    last = ends - 1
    for ending in (_NEWLINE, _RETURN):
        last = np.maximum(last - (characters[last] == ending), starts)
    return bool((characters[starts] == _OPEN).all() and (characters[last] == _CLOSE).all())


def _decode_each(
    data: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64], peek: Peek
) -> tuple[list[Row], NDArray[np.int64]]:
    decode = decoder(peek).decode
    rows, numbers = [], []
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        line = data[start:end]
        if not line.strip():
            continue
        try:
            rows.append(decode(line))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise BadLine(number, reason(line, error)) from error
        numbers.append(number)
    return rows, np.array(numbers, np.int64)


def reason(line: bytes, error: Exception) -> str:
    """Return in a few words why a line cannot be decoded."""
    if isinstance(error, RecursionError):
        return "not readable: nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8: byte 0x{error.object[error.start]:02x}"
    if isinstance(error, msgspec.ValidationError):
        return str(error).replace("`", "").replace(", got ", ", found ").replace("Expected", "expected")
    if not isinstance(error, msgspec.DecodeError):
        return str(error)
    if line.startswith(b"\xef\xbb\xbf"):
        return "not JSON: it begins with a byte-order mark"
    if line.lstrip().startswith(b"{'"):
        return "not JSON: single quotes, as Python prints a dict"
    return f"not JSON: {str(error).removeprefix('JSON is malformed: ')}"


def other_attributes(data: bytes, rows: list[Row], peek: Peek) -> frozenset[str]:
    """Return the label attributes of a block beside the one in ``peek``; metadata alone is none.

    Each attribute has one metadata key on a line. So where the block has as many such keys as rows with
    metadata, there is no other attribute, and nothing more is decoded.
    """
    expected = sum([row.metadata is not None for row in rows])
    spelt = data.count(METADATA.encode() + b'"')
    # The backslash is searched for first: one byte is found ten times faster than six.
    if spelt == expected and (b"\\" not in data or b"\\u00" not in data):
        return frozenset()
    from manifest_tools.groundtruth.attributes import attributes_of

    found: set[str] = set()
    for number, line in enumerate(data.split(b"\n")):
        if METADATA.encode() in line or b"\\u00" in line:
            try:
                value = msgspec.json.decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                # The error is in a value that the peek does not decode.
                raise BadLine(number, reason(line, error)) from error
            others = (one for one in attributes_of(value) if one.metadata_key != peek.metadata_key)
            found.update(one.name for one in others if one.state != "unlabelled")
    return frozenset(found - {peek.attribute})


_decode = msgspec.json.Decoder().decode


def decode(line: bytes) -> Any:
    """Return a line decoded; raises ValueError, with the reason, for a line that is not JSON.

    Numbers of any size are read.
    """
    try:
        return _decode(line)
    except msgspec.ValidationError:
        return _decode_large(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(reason(line, error)) from error


def _decode_large(line: bytes) -> Any:
    try:
        return json.loads(line.decode(), parse_int=_large, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error


def _large(digits: str) -> int | float:
    return int(digits) if len(digits) < 4000 else float(digits)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")

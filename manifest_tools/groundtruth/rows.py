"""The lines of a block with the few fields that a verb asked for, decoded all at once where that is safe."""

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
    """A line of a block, counted from 0, that is not what was asked for; ``scan`` gives it its place."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(number, reason)
        self.number = number
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Rows:
    """The lines of a block that are not blank.

    ``starts`` and ``ends`` are byte offsets, an end standing after the newline; ``numbers`` counts lines
    from 0; ``lines`` counts the blank ones too. ``others`` names label attributes that were not expected.
    """

    data: bytes
    rows: list[Row]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    numbers: NDArray[np.int64]
    lines: int
    others: frozenset[str] = frozenset()

    def line(self, index: int) -> bytes:
        """Return the bytes of one line, its newline included."""
        return self.data[self.starts[index] : self.ends[index]]


def read_rows(data: bytes, peek: Peek) -> Rows:
    """Decode every line of a block; raises BadLine at the first that is no such object."""
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
    """Return a row for every line that is what ``peek`` asks for, and the numbers of these lines, from 0."""
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
    """Return where each line begins, and where it ends after its newline."""
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == _NEWLINE) + 1
    if data and not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    starts = np.zeros_like(ends)
    starts[1:] = ends[:-1]
    return starts, ends


def decode_all(
    data: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64], decoder: "msgspec.json.Decoder[T]"
) -> list[T] | None:
    """Decode a block whose every line is one object, or return None where that is not sure.

    Where each line begins with ``{`` and ends with ``}``, no object can go on over a line's end: after
    ``}`` inside an object JSON has only a comma or a closing bracket. So as many objects as lines
    means one a line.
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
    """Say in a few words why a line could not be decoded."""
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
    """Name the label attributes of a block beside the one in ``peek``.

    Each attribute's metadata key is spelt once a line, so on most blocks a count of that spelling
    proves that there is no other, and nothing more is decoded.
    """
    expected = sum([row.metadata is not None for row in rows])
    spelt = data.count(METADATA.encode() + b'"')
    # A backslash is sought first: one byte is found ten times faster than six.
    if spelt == expected and (b"\\" not in data or b"\\u00" not in data):
        return frozenset()
    from manifest_tools.groundtruth.attributes import attributes_of

    found: set[str] = set()
    for number, line in enumerate(data.split(b"\n")):
        if METADATA.encode() in line or b"\\u00" in line:
            try:
                value = msgspec.json.decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                # In values that the peek did not look at, or it would have been found before.
                raise BadLine(number, reason(line, error)) from error
            others = (one for one in attributes_of(value) if one.metadata_key != peek.metadata_key)
            found.update(one.name for one in others)
    return frozenset(found - {peek.attribute})


_decode = msgspec.json.Decoder().decode


def decode(line: bytes) -> Any:
    """Return what a line says; raises ValueError with the reason for what is not JSON.

    A number that is too large for a machine is JSON all the same.
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

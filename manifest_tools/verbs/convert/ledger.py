"""What of a conversion is finished, in a file that outlives it: JSON Lines, a line for each piece.

The first line describes the conversion. A piece is written down when it is made, and again when its bytes
have gone into an output that is being written: there they are found when the process was killed. A line that
was cut off does not count, nor a piece whose bytes are no longer there.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import msgspec

from manifest_tools.base.text import clipped
from manifest_tools.formats.protocol import Place
from manifest_tools.verbs.convert.pieces import Made

VERSION = 1


class Head(msgspec.Struct, frozen=True, tag="conversion"):
    """What the pieces are of."""

    version: int
    plan: dict[str, Any]


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """A piece that is made."""

    part: int
    piece: int
    made: Made


class Moved(msgspec.Struct, frozen=True, tag="moved"):
    """A piece whose bytes are in another file than its own."""

    part: int
    piece: int
    path: str
    offset: int


Line: TypeAlias = Head | Finished | Moved
Key: TypeAlias = tuple[int, int]
"""The numbers of a part and of a piece in it."""

_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Line)


@dataclass(slots=True)
class Ledger:
    """The ledger of one conversion, open."""

    file: BinaryIO
    finished: dict[Key, int]
    """Where in the file the line of each piece is."""

    moved: dict[Key, Place]

    def made(self, key: Key) -> Made | None:
        """Return what became of a piece, or None where it is not finished."""
        if key not in self.finished:
            return None
        self.file.seek(self.finished[key])
        found = _decoder.decode(self.file.readline())
        assert isinstance(found, Finished)
        return found.made

    def finish(self, key: Key, made: Made) -> None:
        """Write down that a piece is made."""
        self.finished[key] = self._write(Finished(*key, made))

    def move(self, key: Key, place: Place) -> None:
        """Write down where the bytes of a piece are now."""
        self.moved[key] = place
        self._write(Moved(*key, place.path, place.offset))

    def forget(self, key: Key) -> None:
        """Take a piece for one that is not finished."""
        self.finished.pop(key, None)
        self.moved.pop(key, None)

    def _write(self, line: Line) -> int:
        at = self.file.seek(0, os.SEEK_END)
        self.file.write(_encode(line) + b"\n")
        self.file.flush()
        return at

    def close(self) -> None:
        """Close the file."""
        self.file.close()


def new_ledger(path: str, plan: Mapping[str, Any]) -> Ledger:
    """Return an empty ledger of a conversion, in place of any that is there."""
    ledger = Ledger(Path(path).open("w+b"), {}, {})  # noqa: SIM115 - closed by its close
    ledger._write(Head(VERSION, dict(plan)))
    return ledger


def open_ledger(path: str) -> tuple[Head | None, Ledger]:
    """Return what a ledger is of, and the ledger; None for one without a first line."""
    ledger = Ledger(Path(path).open("r+b"), {}, {})  # noqa: SIM115 - closed by its close
    head: Head | None = None
    end = 0
    for at, line in _lines(ledger.file):
        if isinstance(line, Head):
            head = line
        elif isinstance(line, Finished):
            ledger.finished[line.part, line.piece] = at
            ledger.moved.pop((line.part, line.piece), None)
        else:
            ledger.moved[line.part, line.piece] = Place(line.path, line.offset)
        end = ledger.file.tell()
    ledger.file.truncate(end)
    return head, ledger


def _lines(file: BinaryIO) -> Iterator[tuple[int, Line]]:
    """Yield the lines with their offsets, up to the first that is not whole."""
    while True:
        at = file.tell()
        line = file.readline()
        try:
            if not line.endswith(b"\n"):
                return
            found = _decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return
        yield at, found


def differences(then: Mapping[str, Any], now: Mapping[str, Any], above: str = "") -> list[str]:
    """Return what two conversions differ in, in words.

    >>> differences({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}})
    ['a.c was 2, is 3']
    """
    found: list[str] = []
    for key in dict.fromkeys((*then, *now)):
        old, new = then.get(key), now.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += differences(old, new, f"{above}{key}.")
        elif key == "sha256" and old != new:
            found.append("lines or pictures are others")
        elif old != new:
            found.append(f"{above}{key} was {clipped(str(old))}, is {clipped(str(new))}")
    return found

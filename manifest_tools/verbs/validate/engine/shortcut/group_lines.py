"""Sorts the lines of a block by what they look like, each decoded by the template of its look."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from manifest_tools.groundtruth.rows import decode, decode_all
from manifest_tools.verbs.validate.engine.shortcut.line_template import Template, decoder, template_of

Numbers = NDArray[np.int64]

# Looks that a block is sorted by; lines of any other are read the long way.
_MOST_LOOKS = 8
_FAILURES = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Alike:
    """Lines of one look, decoded, with their numbers in the block."""

    template: Template
    rows: list[Any]
    numbers: Numbers


def alike(data: bytes, starts: Numbers, ends: Numbers) -> list[Alike]:
    """Return the lines of a block by their look; a line that is of none is left out."""
    template = _template(data[starts[0] : ends[0]]) if len(starts) else None
    reader = None if template is None else decoder(template)
    rows = None if reader is None else decode_all(data, starts, ends, reader)
    if template is None or rows is None:
        return list(_sorted(data, starts, ends))
    return [Alike(template, rows, np.arange(len(starts)))]


def _template(line: bytes) -> Template | None:
    try:
        return template_of(decode(line))
    except ValueError:
        return None


@dataclass(slots=True)
class _Pile:
    decode: Callable[[bytes], Any]
    rows: list[Any] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    def takes(self, number: int, line: bytes) -> bool:
        try:
            self.rows.append(self.decode(line))
        except _FAILURES:
            return False
        self.numbers.append(number)
        return True


def _sorted(data: bytes, starts: Numbers, ends: Numbers) -> Iterator[Alike]:
    piles: dict[Template, _Pile] = {}
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        line = data[start:end]
        if any(pile.takes(number, line) for pile in piles.values()) or len(piles) == _MOST_LOOKS:
            continue
        template = _template(line)
        reader = None if template is None or template in piles else decoder(template)
        if template is not None and reader is not None:
            piles[template] = _Pile(reader.decode)
            piles[template].takes(number, line)
    for template, pile in ((look, pile) for look, pile in piles.items() if pile.rows):
        yield Alike(template, pile.rows, np.array(pile.numbers, np.int64))

"""Groups the lines of a block by their template, which decodes them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from manifest_tools.groundtruth.rows import decode, decode_all
from manifest_tools.verbs.validate.engine.shortcut.line_template import LineTemplate, decoder, line_template

Numbers = NDArray[np.int64]

# Templates in one block; lines of any other are checked the long way.
_MOST_TEMPLATES = 8
_FAILURES = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True, slots=True)
class LineGroup:
    """Lines of one template."""

    template: LineTemplate
    rows: list[Any]
    """The lines, decoded by the template."""

    numbers: Numbers
    """Their numbers in the block, from 0: ``(lines,)``."""

    def values(self, *keys: str) -> list[Any]:
        """Return the value of each line that these keys lead to."""
        return list(map(attrgetter(self.template.getter(*keys)), self.rows))


def group_lines(data: bytes, starts: Numbers, ends: Numbers) -> list[LineGroup]:
    """Return the lines of a block by their template; a line that fits none is left out."""
    template = _template(data[starts[0] : ends[0]]) if len(starts) else None
    reader = None if template is None else decoder(template)
    rows = None if reader is None else decode_all(data, starts, ends, reader)
    if template is None or rows is None:
        return list(_grouped(data, starts, ends))
    return [LineGroup(template, rows, np.arange(len(starts)))]


def _template(line: bytes) -> LineTemplate | None:
    try:
        return line_template(decode(line))
    except ValueError:
        return None


@dataclass(slots=True)
class _OpenGroup:
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


def _grouped(data: bytes, starts: Numbers, ends: Numbers) -> Iterator[LineGroup]:
    groups: dict[LineTemplate, _OpenGroup] = {}
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        line = data[start:end]
        if any(group.takes(number, line) for group in groups.values()) or len(groups) == _MOST_TEMPLATES:
            continue
        template = _template(line)
        reader = None if template is None or template in groups else decoder(template)
        if template is not None and reader is not None:
            groups[template] = _OpenGroup(reader.decode)
            groups[template].takes(number, line)
    for template, group in groups.items():
        if group.rows:
            yield LineGroup(template, group.rows, np.array(group.numbers, np.int64))

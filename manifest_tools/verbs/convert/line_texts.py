"""The texts of single lines of a manifest, by their numbers."""

from collections.abc import Callable, Iterator

from manifest_tools.groundtruth.rows import line_offsets
from manifest_tools.io.sources import Source


def line_texts(source: Source) -> Callable[[int], str | None]:
    """Return what gives the text of a line by its number; ever larger numbers, for it reads on."""
    lines = enumerate(_lines(source), 1)
    at, text = 0, b""

    def text_of(number: int) -> str | None:
        nonlocal at, text
        while at < number:
            at, text = next(lines, (number + 1, b""))
        return text.decode("utf-8", "replace").rstrip("\r\n") if at == number else None

    return text_of


def _lines(source: Source) -> Iterator[bytes]:
    for block in source.blocks():
        data = block.read()
        for start, end in zip(*(offsets.tolist() for offsets in line_offsets(data)), strict=True):
            yield data[start:end]

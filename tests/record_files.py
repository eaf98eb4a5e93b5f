"""Small ``.rec`` files, with the ``.idx`` and ``.lst`` beside them."""

from collections.abc import Sequence
from pathlib import Path

from manifest_tools.io.recordio import ImageRecord, frame, idx_line, lst_line, pack, read_records, unpack
from tests.pictures import jpeg

PICTURES = [jpeg(20 * shade, (30 + shade, 20)) for shade in range(10)]


def image_records(
    count: int, first: int = 0, labels: Sequence[Sequence[float]] | None = None
) -> list[ImageRecord]:
    """Return records with the numbers from ``first``, of other pictures and classes."""
    given = labels or [(number % 3,) for number in range(count)]
    return [
        ImageRecord(first + at, tuple(map(float, given[at])), PICTURES[at % 10], len(given[at]) > 1)
        for at in range(count)
    ]


def write_rec(
    path: Path, records: Sequence[ImageRecord], *, index: bool = True, names: Sequence[str] | None = ()
) -> str:
    """Write a ``.rec``, its index and its list, of which there is none where ``names`` is None."""
    framed = [frame(pack(one)) for one in records]
    path.write_bytes(b"".join(framed))
    if index:
        offsets = [sum(map(len, framed[:at])) for at in range(len(framed))]
        rows = (idx_line(one.id, at) for one, at in zip(records, offsets, strict=True))
        path.with_suffix(".idx").write_text("".join(rows))
    if names is not None:
        named = names or [f"kind{int(one.labels[0])}/IMG_{one.id}.JPG" for one in records]
        listed = (lst_line(one.id, one.labels, name) for one, name in zip(records, named, strict=True))
        path.with_suffix(".lst").write_text("".join(listed))
    return str(path)


def records(path: str) -> list[ImageRecord]:
    """Return the records of a ``.rec``."""
    with open(path, "rb") as stream:
        return [unpack(payload) for payload in read_records(stream, path)]

"""What a worker does: looks at the objects of some lines, and returns little."""

from collections.abc import Sequence
from dataclasses import dataclass

from manifest_tools.base.hashing import hash_texts
from manifest_tools.images.paths import bucket_of
from manifest_tools.verbs.validate.objects.codes import NOT_LOOKED_AT
from manifest_tools.verbs.validate.objects.duplicates import Entry
from manifest_tools.verbs.validate.objects.findings import Finding, Size, judge
from manifest_tools.verbs.validate.objects.inspect import Eyes, Look
from manifest_tools.verbs.validate.objects.references import Pointer, Pointing


@dataclass(frozen=True, slots=True)
class Part:
    """What was found on some lines; ``unseen`` has the first line and the number of objects of a bucket."""

    lines: int
    objects: int
    found: tuple[tuple[int, Finding], ...]
    entries: tuple[Entry, ...]
    unseen: dict[str, tuple[int, int]]


def look_at_lines(eyes: Eyes, smallest: Size | None, file: int, lines: Sequence[Pointing]) -> Part:
    """Return what the objects of some lines show; ``file`` is the manifest's number."""
    found: list[tuple[int, Finding]] = []
    seen: list[tuple[int, Pointer, Look]] = []
    for line in lines:
        findings, looks = judge(line, eyes.look, smallest)
        found += ((line.line, one) for one in findings if one.message)
        seen += ((line.line, *one) for one in zip(line.pointers, looks, strict=True))
    return Part(len(lines), len(seen), tuple(found), _entries(file, seen), _unseen(seen))


def _entries(file: int, seen: Sequence[tuple[int, Pointer, Look]]) -> tuple[Entry, ...]:
    pictures = [(line, pointer.ref, look) for line, pointer, look in seen if pointer.kind == "picture"]
    known = [picture for picture in pictures if picture[2].content and picture[2].trouble is None]
    names = hash_texts([ref for _, ref, _ in known]).tolist()
    return tuple(
        Entry(file, line, name, look.size, look.content, look.more)
        for (line, _, look), name in zip(known, names, strict=True)
    )


def _unseen(seen: Sequence[tuple[int, Pointer, Look]]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for line, pointer, look in seen:
        if look.trouble == (NOT_LOOKED_AT, ""):
            add_unseen(found, bucket_of(pointer.ref), (line, 1))
    return found


def add_unseen(table: dict[str, tuple[int, int]], bucket: str, more: tuple[int, int]) -> None:
    """Count objects of a bucket that were not looked at."""
    first, count = table.get(bucket, (more[0], 0))
    table[bucket] = (min(first, more[0]), count + more[1])

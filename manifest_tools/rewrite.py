"""Changes names inside a manifest - lab ID, bucket, attribute, class - and not one other byte."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from manifest_tools.edits import Placeholder, RenameClass, Rewriting, class_names
from manifest_tools.errors import Refused
from manifest_tools.rows import BadLine, reason
from manifest_tools.s3uri import bucket_problem
from manifest_tools.scan import scan
from manifest_tools.sinks import Published, publishing
from manifest_tools.sources import STDIN, Block, matching, open_source

SHOWN = 3
_BUCKET = re.compile(rb's3://([^/"]+)')


@dataclass(frozen=True, slots=True)
class Change:
    """One line before and after, for a look at what a rewrite does."""

    line: int
    before: bytes
    after: bytes


@dataclass(slots=True)
class Rewritten:
    """What became of one manifest."""

    manifest: str
    lines: int = 0
    changed: int = 0
    changes: list[Change] = field(default_factory=list)
    published: tuple[Published, ...] = ()


def rewrite(
    *manifests: str,
    edits: Sequence[Rewriting],
    output: str | None = None,
    force: bool = False,
    dry_run: bool = False,
    jobs: int | None = None,
) -> list[Rewritten]:
    """Apply ``edits`` to every line of the manifests, in place, or to one of them into ``output``.

    In place, every new file is written, put on the disk and checked before the first one takes its
    place; a file in which nothing changes is not touched. Standard input goes to standard output.
    """
    if output is None and list(manifests) == [STDIN]:
        output = STDIN
    if output is not None and len(manifests) != 1:
        raise Refused(f"-o takes one manifest, found {len(manifests)}; leave it out to rewrite in place")
    sources = [open_source(name) for name in manifests]
    if output is None and any(source.is_stream for source in sources):
        raise Refused("standard input cannot be rewritten in place; type -o FILE")
    results = []
    with publishing(force=force or output is None, sync=output is None) as publication:
        for source in sources:
            results.append(Rewritten(source.name))
            stream = None if dry_run else publication.open(output or source.uri)
            for first, part in scan(source, partial(_rewrite_block, tuple(edits)), jobs):
                _add(results[-1], first, part, edits)
                if stream is not None:
                    stream.write(part.data)
            if output is None and not dry_run and not results[-1].changed:
                publication.drop(source.uri)
    for result in results:
        result.published = tuple(p for p in publication.published if p.path in (result.manifest, output))
    return results


def holding(folder: Path, placeholder: str) -> list[str]:
    """Return the manifests of a folder in which the placeholder stands somewhere."""
    names = [*matching(folder), *matching(folder, "*.manifest.gz")]
    return [name for name in names if _holds(str(folder / name), placeholder.encode())]


def _holds(name: str, needle: bytes) -> bool:
    source = open_source(name)
    return any(needle in (data := block.read()) or b"\\u" in data for block in source.blocks())


@dataclass(slots=True)
class _Part:
    lines: int
    data: bytes
    changed: int = 0
    changes: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    taken: str | None = None


def _add(result: Rewritten, first: int, part: _Part, edits: Sequence[Rewriting]) -> None:
    result.lines += part.lines
    result.changed += part.changed
    for number, before, after in part.changes:
        _check_buckets(before, after)
        if len(result.changes) < SHOWN:
            result.changes.append(Change(first + number, before, after))
    if part.taken is not None:
        raise Refused(f"{result.manifest}: there is a class {part.taken!r} already; two would become one")


def _check_buckets(before: bytes, after: bytes) -> None:
    """Refuse a bucket that the rewrite made, and that S3 does not allow."""
    for made in sorted(set(_BUCKET.findall(after)) - set(_BUCKET.findall(before))):
        if problem := bucket_problem(made.decode()):
            raise Refused(f"the bucket would be called {made.decode()!r}: {problem}")


def _rewrite_block(edits: tuple[Rewriting, ...], block: Block) -> _Part:
    old = block.read()
    new = old
    taken = None
    for edit in edits:
        if isinstance(edit, RenameClass):
            taken = taken or _taken(edit, new)
        new = _edit_block(edit, new)
    lines = old.count(b"\n") + (not old.endswith(b"\n"))
    if new is old or new == old:
        return _Part(lines, old)
    pairs = zip(old.split(b"\n"), new.split(b"\n"), strict=True)
    changes = [(n, before, after) for n, (before, after) in enumerate(pairs) if before != after]
    return _Part(lines, new, len(changes), changes[:SHOWN], taken)


def _edit_block(edit: Rewriting, data: bytes) -> bytes:
    if edit.needle not in data and b"\\u" not in data:
        return data
    if isinstance(edit, Placeholder) and edit.plain and b"\\" not in data:
        return data.replace(edit.needle, edit.new.encode())
    lines = data.split(b"\n")
    for number, line in enumerate(lines):
        if edit.needle in line or b"\\u" in line:
            lines[number] = _edit_line(edit, number, line)
    return b"\n".join(lines)


def _edit_line(edit: Rewriting, number: int, line: bytes) -> bytes:
    try:
        msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        return edit(line)
    except (ValueError, RecursionError) as error:
        raise BadLine(number, reason(line, error)) from error


def _taken(edit: RenameClass, data: bytes) -> str | None:
    """Return the new name if a line that is not renamed bears it already."""
    if edit.needle not in data or edit.new.encode() not in data:
        return None
    lines = data.split(b"\n")
    bears = any(edit.new in class_names(line) for line in lines if edit.new.encode() in line)
    return edit.new if bears else None

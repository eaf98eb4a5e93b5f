"""Changes names inside a manifest (lab ID, bucket, attribute, class) and no other byte."""

import contextlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from manifest_tools.base.arguments import AnyPath, as_text
from manifest_tools.base.errors import InvalidLine, MtoolError, NotAManifest, Refused
from manifest_tools.base.parallel import Jobs
from manifest_tools.base.text import clipped, shown
from manifest_tools.edits.rename import LineEdit, Move, NameTaken, Placeholder, RenameAttribute, RenameClass
from manifest_tools.formats.open_manifest import manifest_name, open_manifest, remark_elsewhere
from manifest_tools.groundtruth.attributes import check_attribute_name
from manifest_tools.groundtruth.rows import BadLine, reason
from manifest_tools.groundtruth.scan import scan
from manifest_tools.io.s3uri import bucket_problem
from manifest_tools.io.sinks import check_key, output_file, publishing
from manifest_tools.io.sources import STDIN, Block, Source, find_manifests, open_source
from manifest_tools.io.staging import StagedStream, staged
from manifest_tools.verbs.rewrite.edits import edits_of
from manifest_tools.verbs.rewrite.from_marks import corrections, write_corrected
from manifest_tools.verbs.rewrite.report import SHOWN, Rewritten
from manifest_tools.verbs.rewrite.substitute import substitute

R = TypeVar("R")

_LISTED = 12  # names in a message
_BUCKET = re.compile(rb's3://([^/"]+)')
_FOLDER = re.compile(rb'"(s3://[^"\\]*/)')  # of a URI that is written without escapes


def rewrite(
    *manifests: AnyPath,
    lab: str | None = None,
    placeholder: str = "lab#",
    from_lab: str | None = None,
    everywhere: bool = False,
    move: Mapping[str, str] | None = None,
    prefix: str | None = None,
    rename_attribute: Mapping[str, str] | None = None,
    rename_class: Mapping[str, str] | None = None,
    edits: Sequence[LineEdit] = (),
    from_marks: AnyPath | None = None,
    label_attribute: str | None = None,
    add_class: bool = False,
    output: AnyPath | None = None,
    force: bool = False,
    dry_run: bool = False,
    kms_key: str | None = None,
    jobs: Jobs = None,
) -> list[Rewritten]:
    """Change lab ID, bucket, attribute or class names in manifests, in place, or of one into ``output``.

    ``lab`` takes the place of ``placeholder``, or of ``from_lab``; ``move``, ``rename_attribute`` and
    ``rename_class`` have new texts by old ones, the classes of ``label_attribute`` alone where it is given.
    ``edits`` are made after these. ``from_marks`` names a file of marks, and takes the place of all of them:
    a line whose mark has a class gets this class for ``label_attribute``. ``add_class`` lets it be one that
    no line has yet.

    In place, all new files are written, put on the disk and checked before the first one replaces an old
    file. A file in which nothing changes is not touched. Standard input goes to standard output. ``kms_key``
    encrypts outputs in S3. Raises Refused when no line has the old name, and for a new name that is not
    allowed or that a line has already.
    """
    names, output = tuple(map(as_text, manifests)), None if output is None else as_text(output)
    edits = [
        *edits_of(
            lab=lab,
            placeholder=placeholder,
            from_lab=from_lab,
            everywhere=everywhere,
            move=(move or {}).items(),
            prefix=prefix,
            rename_attribute=(rename_attribute or {}).items(),
            rename_class=(rename_class or {}).items(),
            label_attribute=label_attribute if from_marks is None else None,
        ),
        *edits,
    ]
    for edit in edits:
        if isinstance(edit, RenameAttribute):
            check_attribute_name(edit.new)
    if edits and from_marks is not None:
        raise Refused("--from-marks changes labels alone; type the other changes in a second command")
    if add_class and from_marks is None:
        raise Refused("--add-class has no effect without --from-marks; type both")
    if output is None and names == (STDIN,):
        output = STDIN
    if output is not None and len(names) != 1:
        raise Refused(f"-o takes one manifest, found {len(names)}; leave -o out to rewrite them in place")
    if output is not None:
        output = output_file(output, manifest_name(names[0]))
    check_key(kms_key, names if output is None else [output])
    sources = [open_manifest(name) for name in names]
    for source in sources:
        if output is None and source.copy is not None:
            raise Refused(f"{source.name} cannot be rewritten in place; type -o FILE")
    corrected = None
    if from_marks is not None:
        corrected = corrections(sources, as_text(from_marks), label_attribute, add_class, jobs)
    results = []
    replacing = output is None
    with (
        publishing(force=force or replacing, sync=replacing, kms_key=kms_key) as publication,
        contextlib.ExitStack() as stack,
    ):
        for at, source in enumerate(sources):
            target = output or source.uri
            stream = None if dry_run else stack.enter_context(staged(publication.open(target), target))
            path = None if dry_run else publication.temporary(target)
            results.append(
                _rewrite_or_refuse(source, tuple(edits), stream, path, jobs)
                if corrected is None
                else write_corrected(source, corrected[at], stream)
            )
            if output is None and stream is not None and path is not None:
                _check(stream, path, results[-1])
            if output is None and not dry_run and not results[-1].changed:
                publication.drop(source.uri)
        if not any(result.changed for result in results):
            _check_names(sources, edits, jobs)
        for source in sources:
            source.check_unchanged()
    if output is not None and not dry_run:
        remark_elsewhere(sources[0], [output])
    for result in results:
        result.published = tuple(p for p in publication.published if p.path in (result.manifest, output))
    return results


def _rewrite_or_refuse(
    source: Source, edits: tuple[LineEdit, ...], stream: StagedStream | None, path: str | None, jobs: Jobs
) -> Rewritten:
    """Rewrite one manifest; raise Refused, not InvalidLine, for a line that has the new name already."""
    try:
        return _rewrite(source, edits, stream, path, jobs)
    except InvalidLine as bad:
        if not isinstance(bad.__cause__, _TakenLine):
            raise
        raise Refused(f"{bad.source}:{bad.number}: {bad.reason}; type another name") from bad


def _rewrite(
    source: Source, edits: tuple[LineEdit, ...], stream: StagedStream | None, path: str | None, jobs: Jobs
) -> Rewritten:
    """Write the new bytes of one manifest to ``stream``, or at offsets to ``path``, the file behind it."""
    result = Rewritten(source.name)
    edit = edits[0]
    simple = len(edits) == 1 and isinstance(edit, Placeholder) and edit.plain
    if simple and source.size is not None and (path is not None or stream is None):
        assert isinstance(edit, Placeholder)
        blocks = substitute(source, edit, path, SHOWN, jobs)
        if blocks is not None:
            for found in blocks:
                _add(result, _Part(found.lines, b"", found.changed, list(found.changes)))
            return result
    renamed = []
    names = [edit for edit in edits if isinstance(edit, RenameAttribute | RenameClass)]
    classes = any(isinstance(edit, RenameClass) for edit in names)  # checked after the last line
    for _, part in scan(source, partial(_rewrite_block, edits), jobs):
        _add(result, part)
        renamed.append(part.renamed)
        if stream is not None:
            if not names or (result.changed and not classes):
                stream.release()
            stream.write(part.data)
    _check_classes(source.name, edits, renamed)
    return result


def _check(stream: StagedStream, path: str, result: Rewritten) -> None:
    """Read a new file before it replaces the old one, and raise MtoolError if a line is missing."""
    stream.flush()
    written = Source(result.manifest, path, os.path.getsize(path))
    lines = sum(_lines(block.read()) for block in written.blocks())
    if lines != result.lines:
        raise MtoolError(
            f"{result.manifest}: expected {result.lines:,} lines in the new file, found {lines:,}; "
            "nothing was changed; the disk may be full"
        )


def _lines(data: bytes) -> int:
    return data.count(b"\n") + (not data.endswith(b"\n"))


def holding(folder: Path, edit: LineEdit) -> list[str]:
    """Return the manifests of a folder in which the edit would change something, in order."""
    names = [*find_manifests(folder), *find_manifests(folder, "*.manifest.gz")]
    return [str(folder / name) for name in names if _holds(str(folder / name), edit)]


def _holds(name: str, edit: LineEdit) -> bool:
    try:
        blocks = open_source(name).blocks()
        return any(_edit_block(edit, data) != data for data in (block.read() for block in blocks))
    except NotAManifest:
        return False
    except BadLine:
        return True  # the rewrite says which line it is


@dataclass(slots=True)
class _Part:
    lines: int
    data: bytes
    changed: int = 0
    changes: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    renamed: list[tuple[bool, bool]] = field(default_factory=list)


def _add(result: Rewritten, part: _Part) -> None:
    first = result.lines + 1
    result.lines += part.lines
    result.changed += part.changed
    for number, before, after in part.changes:
        _check_buckets(before, after)
        result.keep(first + number, before, after)


def _check_buckets(before: bytes, after: bytes) -> None:
    """Raise Refused for a new bucket whose name S3 does not allow."""
    for made in sorted(set(_BUCKET.findall(after)) - set(_BUCKET.findall(before))):
        name = made.decode("utf-8", "replace")
        if problem := bucket_problem(name):
            raise Refused(f"the new bucket would be {name!r}: {problem}; type another name")


def _check_classes(name: str, edits: Sequence[LineEdit], parts: list[list[tuple[bool, bool]]]) -> None:
    """Raise Refused for a new class name that any line of the manifest has already."""
    renames = [edit for edit in edits if isinstance(edit, RenameClass)]
    for edit, found in zip(renames, zip(*parts, strict=True), strict=bool(parts)):
        if any(changed for changed, _ in found) and any(taken for _, taken in found):
            raise Refused(f"{name}: the class {shown(edit.new)} exists already; two would become one")


def _check_names(sources: Sequence[Source], edits: Sequence[LineEdit], jobs: Jobs) -> None:
    """Raise Refused for an old name or prefix that no line has: it was mistyped, or changed before."""
    name = sources[0].name if len(sources) == 1 else f"{len(sources)} manifests"
    for edit in edits if sources else ():
        if isinstance(edit, Move):
            _check_move(sources, name, edit, jobs)
        if not isinstance(edit, RenameAttribute | RenameClass):
            continue
        found: dict[str, None] = {}
        for source in sources:
            for _, part in scan(source, partial(_names_block, edit), jobs):
                if edit.old in part.names:
                    found[edit.old] = None
                found |= dict.fromkeys(list(part.names)[:_LISTED]) if len(found) <= _LISTED else {}
        if edit.old not in found:
            what = "class" if isinstance(edit, RenameClass) else "attribute"
            where = f" in {edit.attribute}" if isinstance(edit, RenameClass) and edit.attribute else ""
            plural = "classes" if what == "class" else "attributes"
            listed = ", ".join(map(clipped, list(found)[:_LISTED])) or "none"
            raise Refused(f"{name}: no line has the {what} {shown(edit.old)}{where}; its {plural}: {listed}")


@dataclass(slots=True)
class _Names:
    lines: int
    names: dict[str, None] = field(default_factory=dict)


def _check_move(sources: Sequence[Source], name: str, move: Move, jobs: Jobs) -> None:
    """Raise Refused for a prefix that no URI has, unless they have been moved already."""
    buckets: dict[str, None] = {}
    for source in sources:
        for _, part in scan(source, _folders_block, jobs):
            if any(folder.startswith(move.new.rstrip("/")) for folder in part.names):
                return
            buckets |= dict.fromkeys("/".join(folder.split("/")[:3]) for folder in part.names)
    listed = ", ".join(map(clipped, list(buckets)[:_LISTED])) or "none"
    raise Refused(f"{name}: no line has a URI that begins with {move.old}; its buckets: {listed}")


def _folders_block(block: Block) -> _Names:
    data = block.read()
    folders = dict.fromkeys(_FOLDER.findall(data))
    return _Names(_lines(data), dict.fromkeys(one.decode("utf-8", "replace") for one in folders))


def _names_block(edit: RenameAttribute | RenameClass, block: Block) -> _Names:
    data = block.read()
    part = _Names(_lines(data))
    for number, line in enumerate(data.split(b"\n")):
        if line.strip():
            part.names |= _on_line(lambda row: dict.fromkeys(edit.names_on(row)), number, line)
    return part


def _rewrite_block(edits: tuple[LineEdit, ...], block: Block) -> _Part:
    old = block.read()
    new = old
    renamed = []
    for edit in edits:
        before, new = new, _edit_block(edit, new)
        if isinstance(edit, RenameClass):
            renamed.append((new != before, _is_taken(edit, before)))
    lines = _lines(old)
    if new is old or new == old:
        return _Part(lines, old, renamed=renamed)
    pairs = zip(old.split(b"\n"), new.split(b"\n"), strict=True)
    changes = [(n, before, after) for n, (before, after) in enumerate(pairs) if before != after]
    return _Part(lines, new, len(changes), changes[:SHOWN], renamed)


def _edit_block(edit: LineEdit, data: bytes) -> bytes:
    if edit.needle not in data and b"\\" not in data:
        return data
    if isinstance(edit, Placeholder) and edit.plain and not edit.needs_lines(data):
        return data.replace(edit.needle, edit.new.encode())
    lines = data.split(b"\n")
    for number, line in enumerate(lines):
        if edit.needle in line or b"\\" in line:
            lines[number] = _on_line(edit, number, line)
    return b"\n".join(lines)


class _TakenLine(BadLine):
    """A line that has the new name already."""


def _on_line(work: Callable[[bytes], R], number: int, line: bytes) -> R:
    try:
        msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        return work(line)
    except NameTaken as taken:
        raise _TakenLine(number, str(taken)) from taken
    except (ValueError, RecursionError) as error:
        raise BadLine(number, reason(line, error)) from error


def _is_taken(edit: RenameClass, data: bytes) -> bool:
    """Say whether a line bears the new name already."""
    new_name = edit.new.encode()
    if new_name not in data and b"\\" not in data:
        return False
    lines = enumerate(data.split(b"\n"))
    return any(_on_line(edit.is_taken, n, line) for n, line in lines if new_name in line or b"\\" in line)

"""Repairs what has one right answer, in place: what ``mtool validate --fix`` does before it checks."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial

from manifest_tools.base.errors import NotAManifest, Refused
from manifest_tools.base.parallel import Jobs
from manifest_tools.groundtruth.rows import decode, line_offsets
from manifest_tools.groundtruth.scan import scan
from manifest_tools.io.byte_ranges import ByteRanges
from manifest_tools.io.sinks import check_key, publishing
from manifest_tools.io.sources import Block, Source, open_source
from manifest_tools.verbs.validate.mend import mend

BLANK_LINES, FINAL_NEWLINE = "MT104", "MT105"

# What was done, by the code of the problem.
DONE = {
    BLANK_LINES: "blank lines taken out",
    FINAL_NEWLINE: "newline added at the end",
    "MT115": "second s3:// taken out",
    "MT213": "metadata named after its label",
    "MT215": "class index written as a number",
}


@dataclass(slots=True)
class Fixed:
    """What was mended in one manifest: how many lines, by the code of the problem."""

    manifest: str
    mended: Counter[str] = field(default_factory=Counter)


def fix(
    *manifests: str,
    select: Collection[str] | None = None,
    dry_run: bool = False,
    kms_key: str | None = None,
    jobs: Jobs = None,
) -> list[Fixed]:
    """Mend manifests in place, all of them or none: what ``mend`` can, blank lines, the final newline.

    ``select`` names the codes to be mended, all by default. What cannot be read stays as it is, for
    ``validate`` to tell of; a manifest with nothing to mend is not touched. ``kms_key`` encrypts what goes
    to S3. Raises Refused for an input that has no place.
    """
    check_key(kms_key, manifests)
    codes = frozenset(DONE if select is None else select)
    sources = [source for name in manifests if (source := _source(name)) is not None]
    results = []
    with publishing(force=True, sync=True, kms_key=kms_key) as publication:
        for source in sources:
            result = Fixed(source.name)
            results.append(result)
            stream = None if dry_run else publication.open(source.uri)
            for _, part in scan(source, partial(_fix_block, codes), jobs):
                result.mended.update(part.mended)
                if stream is not None:
                    stream.write(part.kept.read())
            if not dry_run and not result.mended:
                publication.drop(source.uri)
        for source in sources:
            source.check_unchanged()
    return results


def _source(name: str) -> Source | None:
    try:
        source = open_source(name)
    except NotAManifest:
        return None
    if source.copy is not None or name.endswith(".gz"):
        raise Refused(f"{source.name}: cannot be mended in place; --fix takes plain files")
    return source


@dataclass(slots=True)
class _Part:
    lines: int
    mended: Counter[str]
    kept: ByteRanges


def _fix_block(codes: frozenset[str], block: Block) -> _Part:
    data = block.read()
    starts, ends = line_offsets(data)
    mended: Counter[str] = Counter()
    lines = [_fix_line(data[start:end], codes, mended) for start, end in zip(starts, ends, strict=True)]
    if FINAL_NEWLINE in codes and lines and lines[-1] and not lines[-1].endswith(b"\n"):
        lines[-1] += b"\r\n" if data.endswith(b"\r\n", 0, int(starts[-1])) else b"\n"
        mended[FINAL_NEWLINE] += 1
    whole = ByteRanges(edited=b"".join(lines)) if mended else _untouched(block, data)
    return _Part(len(starts), mended, whole)


def _untouched(block: Block, data: bytes) -> ByteRanges:
    import numpy as np

    if block.data is not None:
        return ByteRanges(edited=data)
    return ByteRanges(block, np.array([0]), np.array([len(data)]))


def _fix_line(line: bytes, codes: frozenset[str], mended: Counter[str]) -> bytes:
    if not line.strip():
        if BLANK_LINES not in codes:
            return line
        mended[BLANK_LINES] += 1
        return b""
    try:
        value = decode(line)
    except ValueError:
        return line
    if not isinstance(value, dict):
        return line
    new, done = mend(line, value, codes)
    mended.update(done)
    # What was mended may bring to light what else there is: a label whose metadata had another name.
    return _fix_line(new, codes, mended) if done else new

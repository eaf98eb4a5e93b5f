"""Writes the record stream that Pipe mode would send for a manifest: RecordIO, one record an attribute.

A record is a picture's bytes, or a label's text. There is no image header, so the stream is not a ``.rec``
for File mode.
"""

import contextlib
import os
import shlex
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from manifest_tools.base.arguments import AnyPath, AnyPaths, as_text, as_texts
from manifest_tools.base.errors import BadData, Exists, InvalidLine, Refused
from manifest_tools.base.parallel import Jobs, Progress, no_progress, run
from manifest_tools.base.text import clipped, shown
from manifest_tools.formats.open_manifest import open_manifest
from manifest_tools.groundtruth.pipe_mode.lines import Checked, NumberedLine, check, in_order, shuffled
from manifest_tools.groundtruth.pipe_mode.payloads import (
    REF,
    NoObject,
    Read,
    Unreadable,
    check_names,
    near_miss,
    payloads,
    read_object,
)
from manifest_tools.groundtruth.pipe_mode.samples import NotASample, Sample, read_pipe
from manifest_tools.groundtruth.survey import survey
from manifest_tools.images.paths import bucket_of, paths_of
from manifest_tools.io.recordio import frame
from manifest_tools.io.sinks import (
    Published,
    check_apart,
    check_key,
    output_file,
    publishing,
)
from manifest_tools.io.sources import Source, decompressed

__all__ = ["NotASample", "Piped", "Sample", "pipe", "read_pipe", "records"]

_LISTED = 8  # names in a message
_FETCHERS = 16  # threads that fetch objects, unless `-j` says; they wait more than they work


@dataclass(slots=True)
class Piped:
    """What was sent."""

    manifest: str
    """The manifest, by the name that was typed."""

    attributes: tuple[str, ...]
    """The attributes that were sent, in this order."""

    expected: int = 0
    """Lines (samples) of the manifest."""

    lines: int = 0
    """Lines that were sent."""

    size: int = 0
    """Bytes that were sent, with the headers of the records."""

    reader_left: bool = False
    """Whether the reader of the FIFO or pipe closed it before the end."""

    turned: int = 0
    """Pictures that are stored turned, with an EXIF flag."""

    published: tuple[Published, ...] = ()
    """The output; none for standard output or after a dry run."""

    @property
    def records(self) -> int:
        """Records that were sent: one for each attribute and line."""
        return self.lines * len(self.attributes)


def pipe(
    manifest: AnyPath,
    output: AnyPath = "-",
    *,
    attribute: AnyPaths = (),
    images: AnyPaths = (),
    shuffle: bool = False,
    seed: int = 0,
    fetch: Read | None = None,
    force: bool = False,
    kms_key: str | None = None,
    dry_run: bool = False,
    jobs: Jobs = None,
    progress: Progress = no_progress,
) -> Piped:
    """Write the record stream of each ``attribute``, in order; by default source-ref and the only label.

    ``images`` says where objects are on this disk, see ``image_paths``. Other objects come from S3, or from
    ``fetch``, which is called in threads with an S3 URI. ``shuffle`` changes the order of the lines by
    ``seed``, as ShuffleConfig does; the service does not publish its own order. A FIFO is written as it is,
    and its reader may close it. ``kms_key`` encrypts an output in S3. Raises InvalidLine for a line without
    an attribute and Refused for an attribute that no line has, before anything is written.
    """
    manifest, images = as_text(manifest), as_texts(images)
    output = output_file(as_text(output), f"{manifest.removesuffix('.gz').removesuffix('.manifest')}.pipe")
    check_apart(manifest, [output])
    check_key(kms_key, [output])
    source = decompressed(open_manifest(manifest))
    names = as_texts(attribute) or _usual_names(source, jobs)
    check_names(names)
    checked = _checked(source, names, shuffle, jobs)
    result = Piped(source.name, names, checked.samples)
    turned: list[str] = []
    where = paths_of(source, images, checked.refs)
    read = partial(read_object, where, fetch or _from_s3, turned)
    from_s3 = [ref for ref in checked.refs if ref.startswith("s3://") and not where.covers(ref)]
    if fetch is None and from_s3:
        _check_credentials(source.name, from_s3)
    if dry_run:
        return result
    lines = shuffled(source, checked.starts, seed) if shuffle else in_order(source)
    sent = _sent(lines, names, read, (source.name, *images), _threads(jobs, names, bool(from_s3)))
    try:
        with publishing(force=force, kms_key=kms_key) as publication, _old(output, force) as old:
            _write(publication.open(output), old, progress(sent, checked.samples, "lines"), result)
            source.check_unchanged()
        result.published = tuple(publication.published)
    except BrokenPipeError:  # a training algorithm reads as far as it likes, and so does `head`
        result.reader_left = True
    result.turned = len(turned)
    return result


def records(
    lines: Iterable[NumberedLine], names: tuple[str, ...], read: Read, manifest: str = "manifest"
) -> Iterator[bytes]:
    """Yield the payload of every record of these lines; raises InvalidLine where one cannot be made.

    >>> list(records([(1, b'{"a-ref": "s3://b/k", "n": 1}')], ("a-ref", "n"), str.encode))
    [b's3://b/k', b'1']
    """
    for sent in _sent(lines, names, read, (manifest,), 1):
        yield from sent


def _sent(
    lines: Iterable[NumberedLine], names: tuple[str, ...], read: Read, where: tuple[str, ...], threads: int
) -> Iterator[list[bytes]]:
    """Yield the payloads of each line, in order; several threads fetch objects.

    ``where`` is the name of the manifest and the values of ``--images``, for a message.
    """
    task = partial(_line, names, read, where)
    if threads == 1:
        yield from map(task, lines)
        return
    with ThreadPoolExecutor(threads) as executor:
        yield from run(task, lines, executor, ahead=2 * threads)


def _line(names: tuple[str, ...], read: Read, where: tuple[str, ...], numbered: NumberedLine) -> list[bytes]:
    number, line = numbered
    manifest, *images = where
    try:
        return payloads(line, names, read)
    except Unreadable as error:
        raise NoObject(manifest, number, str(error), images) from error
    except ValueError as error:
        raise InvalidLine(manifest, number, str(error)) from error


@contextlib.contextmanager
def _old(output: str, force: bool) -> Iterator[BinaryIO | None]:
    """Yield the stream that would be replaced, where it may not be; None where there is none on this disk."""
    if force or not os.path.isfile(output) or output.endswith(".gz"):
        yield None
    else:
        with open(output, "rb") as stream:
            yield stream


def _write(stream: BinaryIO, old: BinaryIO | None, sent: Iterable[list[bytes]], result: Piped) -> None:
    """Write the records; raises Exists at the first that differs from ``old``, before more is fetched."""
    for line in sent:
        try:
            framed = b"".join(map(frame, line))
        except ValueError as error:
            raise BadData(f"{result.manifest}: line {result.lines + 1} of the stream: {error}") from error
        if old is not None and old.read(len(framed)) != framed:
            raise Exists([str(old.name)])
        stream.write(framed)
        result.lines += 1
        result.size += len(framed)
    stream.flush()


def _checked(source: Source, names: tuple[str, ...], shuffle: bool, jobs: Jobs) -> Checked:
    """Check every line; raise Refused, not InvalidLine, for an attribute that no line has."""
    try:
        return check(source, names, shuffle, jobs)
    except InvalidLine:
        with contextlib.suppress(InvalidLine):
            _check_attributes_exist(source, names, jobs)
        raise


def _check_attributes_exist(source: Source, names: tuple[str, ...], jobs: Jobs) -> None:
    keys = survey(source, jobs).keys
    for name in names:
        if name in keys:
            continue
        near = near_miss(name, keys)
        found = f"found {shown(near)}; type --attribute {shlex.quote(clipped(near))}" if near else ""
        listed = ", ".join(map(shown, list(keys)[:_LISTED])) or "nothing"
        raise Refused(
            f"{source.name}: expected the attribute {shown(name)}, but no line has it; "
            + (found or f"found {listed}")
        )


def _usual_names(source: Source, jobs: Jobs) -> tuple[str, ...]:
    """Return the source and the only label attribute; raises Refused if there is none or several."""
    found = survey(source, jobs)
    first = "source" if "source" in found.keys and "source-ref" not in found.keys else "source-ref"
    labels = list(found.attributes)
    if len(labels) == 1:
        return first, labels[0]
    listed = ", ".join(map(shown, labels[:_LISTED]))
    listed = listed or f"none; its keys are {', '.join(map(clipped, list(found.keys)[:_LISTED]))}"
    label = shlex.quote(clipped(labels[0])) if labels else "NAME"
    raise Refused(
        f"{source.name}: expected one label attribute, found {listed};"
        f" type --attribute {first} --attribute {label}"
    )


def _threads(jobs: Jobs, names: tuple[str, ...], from_s3: bool) -> int:
    """Return how many threads read objects, and decode pictures to see that they are whole."""
    if not any(name.endswith(REF) for name in names):
        return 1
    usual = _FETCHERS if from_s3 else os.cpu_count() or 1
    return jobs if isinstance(jobs, int) else usual


def _from_s3(uri: str) -> bytes:
    from manifest_tools.io import s3

    return s3.read(uri)


def _check_credentials(name: str, refs: Sequence[str]) -> None:
    """Raise Refused, before anything is written, if objects are not on this disk and S3 cannot be asked."""
    from manifest_tools.io import s3

    if s3.have_credentials():
        return
    bucket = bucket_of(refs[0])
    lab = "; lab# is a placeholder, type mtool rewrite --lab ID first" if "lab#" in bucket else ""
    raise Refused(
        f"{name}: the objects of {bucket} are not on this disk, and there are no AWS credentials:"
        f" type --images ./raw-data{lab}"
    )

"""Inspects one object: finds it on this disk or in S3, and says what its bytes show."""

import hashlib
import zlib
from dataclasses import dataclass, field

from manifest_tools.base.errors import MtoolError, Refused
from manifest_tools.base.text import shown
from manifest_tools.images.headers import ImageHeader, read_header
from manifest_tools.images.integrity import check_picture
from manifest_tools.images.partial_reads import HEAD, PartialReader, open_file, open_object
from manifest_tools.images.paths import ImagePaths
from manifest_tools.images.signatures import describe, is_no_video
from manifest_tools.images.unusable import MISSING, Unusable
from manifest_tools.io.s3_errors import Denied, NotThere, is_of_one_object
from manifest_tools.verbs.validate.objects.codes import DENIED, NO_SEQUENCE, NOT_INSPECTED, WRONG_CONTENT
from manifest_tools.verbs.validate.objects.references import ObjectKind
from manifest_tools.verbs.validate.objects.sequence_files import (
    SeqLabel,
    SequenceFile,
    read_seq_label,
    read_sequence,
)

MAX_JSON = 16 << 20
"""A sequence file or a SeqLabel.json is read whole up to here; a part of JSON says nothing."""

_REMEMBERED = 4096
_LONGEST = 4096  # characters of a name: a path has no more, a key at most 1,024 bytes


@dataclass(frozen=True, slots=True)
class Inspection:
    """What an object shows."""

    problem: tuple[str, str] | None = None
    """A code, and why no more can be said; the message is empty where the object could not be read."""

    size: int = 0
    """The bytes of the object."""

    content: int = 0
    """A 64-bit key of its bytes, or of the first and last ones; 0 where nothing is known of them."""

    partial: bool = False
    """Whether ``content`` is of the first and last bytes alone."""

    header: ImageHeader | None = None
    """Of a picture or a mask."""

    document: SequenceFile | SeqLabel | None = None
    """What a sequence file or a SeqLabel.json says."""


@dataclass(slots=True)
class ObjectReader:
    """Reads objects; picklable. Threads share what it remembers, processes do not."""

    image_paths: ImagePaths
    """Where objects lie on this disk."""

    ask_s3: bool
    """Whether S3 may be asked for others."""

    decode: bool = False
    """Whether pictures are read whole and decoded."""

    remembered: dict[tuple[str, ObjectKind], Inspection] = field(default_factory=dict)
    """The last objects, by URI and by what they are used as."""

    missing_buckets: dict[str, str] = field(default_factory=dict)
    """Buckets that do not exist, with the message of S3."""

    def inspect(self, ref: str, kind: ObjectKind) -> Inspection:
        """Return what an object shows; one that was inspected a little while ago is remembered."""
        known = self.remembered.get((ref, kind))
        if known is not None:
            return known
        found = self._inspect(ref, kind)
        if found.document is None and len(ref) <= _LONGEST:
            if len(self.remembered) >= _REMEMBERED:
                self.remembered.clear()
            self.remembered[ref, kind] = found
        return found

    def _inspect(self, ref: str, kind: ObjectKind) -> Inspection:
        if len(ref) > _LONGEST:
            words = f"expected the name of an object, found {len(ref):,} characters, more than any name has"
            return Inspection((MISSING, f"{words}: {shown(ref)}"))
        try:
            if self.image_paths.covers(ref):
                with open_file(self.image_paths.find(ref)) as file:
                    return inspect_object(file, kind, self.decode)
            if not self.ask_s3:
                return Inspection((NOT_INSPECTED, ""))
            return self._inspect_in_s3(ref, kind)
        except Unusable as why:
            return Inspection((why.code, why.message))

    def _inspect_in_s3(self, ref: str, kind: ObjectKind) -> Inspection:
        bucket = ref.removeprefix("s3://").partition("/")[0]
        if bucket in self.missing_buckets:
            return Inspection((MISSING, f"{ref}: {self.missing_buckets[bucket]}"))
        try:
            return inspect_object(open_object(ref), kind, self.decode)
        except NotThere as error:
            if error.what == "bucket":
                self.missing_buckets[bucket] = str(error).removeprefix(f"{ref}: ")
            return Inspection((MISSING, str(error)))
        except MtoolError as error:
            if isinstance(error, Denied | Refused) or is_of_one_object(error):
                return Inspection((DENIED, str(error)))
            raise


def inspect_object(found: PartialReader, kind: ObjectKind, decode: bool = False) -> Inspection:
    """Return what an object shows that is used as ``kind`` says; ``decode`` reads pictures to their end."""
    content, partial = _content(found)
    problem: tuple[str, str] | None = None
    header: ImageHeader | None = None
    document: SequenceFile | SeqLabel | None = None
    try:
        if kind in ("picture", "mask"):
            header = read_header(found)
            if decode:
                check_picture(found.whole())
        elif kind in ("sequence", "seq-label", "json"):
            document = _document(found, kind)
        else:
            _check_content(found, kind)
    except Unusable as why:
        problem = (why.code, why.message)
    return Inspection(problem, found.size, content, partial, header, document)


def _content(found: PartialReader) -> tuple[int, bool]:
    """Return a key of the bytes, and whether it is of the first and last ones alone, as of a large file."""
    partial = found.is_local and found.size > HEAD
    if not found.is_local and not found.etag:
        return 0, False
    key = hashlib.blake2b(found.etag.encode() or found.head, digest_size=8)
    if partial:
        key.update(found.tail())
    return int.from_bytes(key.digest()), partial


def _document(found: PartialReader, kind: ObjectKind) -> SequenceFile | SeqLabel | None:
    """Return what a sequence file or a SeqLabel.json says; None for other JSON.

    Raises Unusable for one that is none of these.
    """
    _check_content(found, kind)
    if kind == "json":
        return None
    if found.size > MAX_JSON:
        raise Unusable(NOT_INSPECTED, f"not checked, since it has more than {MAX_JSON:,} bytes of JSON")
    data = found.whole()
    try:
        return read_sequence(data) if kind == "sequence" else read_seq_label(data)
    except ValueError as error:
        name = "sequence file" if kind == "sequence" else "SeqLabel.json"
        raise Unusable(NO_SEQUENCE, f"not a {name}: {error}") from None


def _check_content(found: PartialReader, kind: ObjectKind) -> None:
    """Raise Unusable where an object that is no picture is empty, or plainly something else."""
    what = describe(found.head, found.size)
    if not found.size:
        raise Unusable(WRONG_CONTENT, f"expected {_EXPECTED[kind]}, found {what}")
    wrong = (
        (kind == "clip" and is_no_video(found.head, found.size))
        or (kind in ("sequence", "seq-label", "json") and what != "JSON")
        or (kind == "zlib" and not _is_zlib(found.head))
    )
    if wrong:
        raise Unusable(WRONG_CONTENT, f"expected {_EXPECTED[kind]}, found {what}")


_EXPECTED = {
    "clip": "a video",
    "sequence": "JSON",
    "seq-label": "JSON",
    "json": "JSON",
    "zlib": "zlib-compressed labels of points",
    "data": "data",
}


def _is_zlib(head: bytes) -> bool:
    try:
        zlib.decompressobj().decompress(head[:4096], 16)
    except zlib.error:
        return False
    return True

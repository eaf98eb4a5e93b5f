"""One look at one object: found on this disk or in S3, and what its bytes show."""

import hashlib
import zlib
from dataclasses import dataclass, field

from manifest_tools.base.errors import MtoolError, Refused
from manifest_tools.base.text import shown
from manifest_tools.images.headers import ImageHeader, read_header
from manifest_tools.images.partial_reads import HEAD, PartialReader, open_file, open_object
from manifest_tools.images.paths import ImagePaths
from manifest_tools.images.signatures import describe, is_no_video
from manifest_tools.images.unusable import MISSING, Unusable
from manifest_tools.io.s3_errors import Denied, NotThere, is_of_one_object
from manifest_tools.verbs.validate.objects.codes import DENIED, NO_SEQUENCE, NOT_LOOKED_AT, OTHER_THING
from manifest_tools.verbs.validate.objects.references import Kind
from manifest_tools.verbs.validate.objects.sequence_files import (
    SeqLabel,
    Sequence,
    read_seq_label,
    read_sequence,
)

MAX_JSON = 16 << 20
"""A sequence file or a SeqLabel.json is read whole up to here; a part of JSON says nothing."""

_REMEMBERED = 4096
_LONGEST = 4096  # characters of a name: a path has no more, a key at most 1,024 bytes


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at an object shows.

    ``trouble`` is a code and why no more can be said; ``content`` a 64-bit key of the bytes, or of their
    first and last where there are ``more``, 0 where nothing is known of them.
    """

    trouble: tuple[str, str] | None = None
    size: int = 0
    content: int = 0
    more: bool = False
    seen: ImageHeader | None = None
    document: Sequence | SeqLabel | None = None


@dataclass(slots=True)
class Eyes:
    """Looks at objects: where they lie on this disk, and whether S3 may be asked for others.

    Small and picklable; threads share what it remembers, processes do not.
    """

    places: ImagePaths
    ask_s3: bool
    remembered: dict[tuple[str, Kind], Look] = field(default_factory=dict)
    lost_buckets: dict[str, str] = field(default_factory=dict)

    def look(self, ref: str, kind: Kind) -> Look:
        """Return what the object shows; an object that was looked at a little while ago is remembered."""
        known = self.remembered.get((ref, kind))
        if known is not None:
            return known
        found = self._look(ref, kind)
        if found.document is None and len(ref) <= _LONGEST:
            if len(self.remembered) >= _REMEMBERED:
                self.remembered.clear()
            self.remembered[ref, kind] = found
        return found

    def _look(self, ref: str, kind: Kind) -> Look:
        if len(ref) > _LONGEST:
            words = f"no file and no object has a name of {len(ref):,} characters: {shown(ref)}"
            return Look((MISSING, words))
        try:
            if self.places.covers(ref):
                with open_file(self.places.find(ref)) as file:
                    return examine(file, kind)
            if not self.ask_s3:
                return Look((NOT_LOOKED_AT, ""))
            return self._look_in_s3(ref, kind)
        except Unusable as why:
            return Look((why.code, why.message))

    def _look_in_s3(self, ref: str, kind: Kind) -> Look:
        bucket = ref.removeprefix("s3://").partition("/")[0]
        if bucket in self.lost_buckets:
            return Look((MISSING, f"{ref}: {self.lost_buckets[bucket]}"))
        try:
            return examine(open_object(ref), kind)
        except NotThere as error:
            if error.what == "bucket":
                self.lost_buckets[bucket] = str(error).removeprefix(f"{ref}: ")
            return Look((MISSING, str(error)))
        except MtoolError as error:
            if isinstance(error, Denied | Refused) or is_of_one_object(error):
                return Look((DENIED, str(error)))
            raise


def examine(found: PartialReader, kind: Kind) -> Look:
    """Return what an opened object shows, which is used as ``kind`` says."""
    content, more = _content(found)
    trouble: tuple[str, str] | None = None
    seen: ImageHeader | None = None
    document: Sequence | SeqLabel | None = None
    try:
        if kind in ("picture", "mask"):
            seen = read_header(found)
        elif kind in ("sequence", "seq-label", "json"):
            document = _document(found, kind)
        else:
            _check_thing(found, kind)
    except Unusable as why:
        trouble = (why.code, why.message)
    return Look(trouble, found.size, content, more, seen, document)


def _content(found: PartialReader) -> tuple[int, bool]:
    """Return a key of the bytes; of a large file only that of its first and last, and that there are more."""
    more = found.is_local and found.size > HEAD
    if not found.is_local and not found.etag:
        return 0, False
    key = hashlib.blake2b(found.etag.encode() or found.head, digest_size=8)
    if more:
        key.update(found.tail())
    return int.from_bytes(key.digest()), more


def _document(found: PartialReader, kind: Kind) -> Sequence | SeqLabel | None:
    """Return a sequence file or SeqLabel.json; raises Unusable for what is none, None for other JSON."""
    _check_thing(found, kind)
    if kind == "json":
        return None
    if found.size > MAX_JSON:
        raise Unusable(NOT_LOOKED_AT, f"not looked into: more than {MAX_JSON:,} bytes of JSON")
    data = found.whole()
    try:
        return read_sequence(data) if kind == "sequence" else read_seq_label(data)
    except ValueError as error:
        name = "sequence file" if kind == "sequence" else "SeqLabel.json"
        raise Unusable(NO_SEQUENCE, f"expected a {name}, found another thing: {error}") from None


def _check_thing(found: PartialReader, kind: Kind) -> None:
    """Raise Unusable where an object that is no picture is empty, or plainly something else."""
    what = describe(found.head, found.size)
    if not found.size:
        raise Unusable(OTHER_THING, f"expected {_EXPECTED[kind]}, found {what}")
    wrong = (
        (kind == "clip" and is_no_video(found.head, found.size))
        or (kind in ("sequence", "seq-label", "json") and what != "JSON")
        or (kind == "zlib" and not _is_zlib(found.head))
    )
    if wrong:
        raise Unusable(OTHER_THING, f"expected {_EXPECTED[kind]}, found {what}")


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

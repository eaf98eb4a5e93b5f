"""An object that is uploaded in parts while it is written, and that nobody sees before it is whole."""

import contextlib
import io
import tempfile
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, Any, cast

from manifest_tools.base.errors import MtoolError
from manifest_tools.base.local_files import process_prefix
from manifest_tools.io.s3.client import client, parsed, translated_errors
from manifest_tools.io.s3.objects import head, read_range
from manifest_tools.io.s3.uploads import put, settings_for

SMALLEST = 5 << 20
"""Bytes that a part has at least, but for the last one."""

LARGEST = 5 << 30
MOST = 10_000
"""Parts of an object."""

_FIRST = 8 << 20
_ALIKE = 1000  # parts, before they become twice as large
_IN_MEMORY = 32 << 20  # bytes of a part; those of a larger one wait on the disk
_COPIED = 1 << 30  # bytes that S3 copies as one part
_AT_ONCE = 2  # parts on their way, beside the one that is being filled


def part_size(number: int) -> int:
    """Return how many bytes a part has, counted from 1: 8 MiB, and twice as many after every thousand.

    >>> part_size(1) >> 20, part_size(1000) >> 20, part_size(1001) >> 20, part_size(MOST) >> 20
    (8, 8, 16, 4096)
    """
    return _FIRST << ((number - 1) // _ALIKE)


class Parts:
    """The multipart upload of an object: begun by its first part, and then completed or aborted."""

    def __init__(self, uri: str, kms_key: str | None = None) -> None:
        self.uri = uri
        self._name = parsed(uri)
        self._kms_key = kms_key
        self._upload = ""
        self._sent: dict[int, dict[str, Any]] = {}

    @property
    def is_begun(self) -> bool:
        """Whether there is an upload, which has to be completed or aborted."""
        return bool(self._upload)

    def begin(self) -> None:
        """Begin the upload, unless it is."""
        if self._upload:
            return
        settings = settings_for(None, self._kms_key)
        with translated_errors(self.uri):
            # What a part is sent with has to be announced.
            if client().meta.config.request_checksum_calculation == "when_supported":  # type: ignore[attr-defined]
                settings["ChecksumAlgorithm"] = "CRC32"
            begun = client().create_multipart_upload(Bucket=self._name.bucket, Key=self._name.key, **settings)
        self._upload = begun["UploadId"]

    def send(self, number: int, body: "IO[bytes]") -> None:
        """Upload a part; several may be on their way at a time, in threads."""
        with translated_errors(self.uri), body:
            answer = client().upload_part(**self._address(), PartNumber=number, Body=body)
        self._sent[number] = _told(answer, number)

    def copy(self, number: int, source: str, start: int, end: int, etag: str) -> None:
        """Make a part of bytes of another object, which do not come here; raises MtoolError if it changed."""
        name = parsed(source)
        with translated_errors(self.uri):
            answer = client().upload_part_copy(
                **self._address(),
                PartNumber=number,
                CopySource={"Bucket": name.bucket, "Key": name.key},
                CopySourceRange=f"bytes={start}-{end - 1}",
                CopySourceIfMatch=etag,
            )
        self._sent[number] = _told(answer["CopyPartResult"], number)

    def complete(self) -> None:
        """Let the object appear."""
        parts: Any = [self._sent[number] for number in sorted(self._sent)]
        with translated_errors(self.uri):
            client().complete_multipart_upload(**self._address(), MultipartUpload={"Parts": parts})
        self._upload = ""

    def abort(self) -> None:
        """Remove what was uploaded; where that fails too, ``leftovers`` finds it later."""
        if self._upload:
            with contextlib.suppress(MtoolError), translated_errors(self.uri):
                client().abort_multipart_upload(**self._address())
            self._upload = ""

    def _address(self) -> Any:
        return {"Bucket": self._name.bucket, "Key": self._name.key, "UploadId": self._upload}


def _told(answer: Any, number: int) -> dict[str, Any]:
    """Return what S3 wants to hear of a part when the upload is completed."""
    part = {"ETag": answer["ETag"], "PartNumber": number}
    return part | {"ChecksumCRC32": answer["ChecksumCRC32"]} if "ChecksumCRC32" in answer else part


class ObjectStream(io.BufferedIOBase):
    """A stream that writes an object: what fills a part is uploaded, in threads, while more is written.

    No more than three parts are here at a time. ``replace_target`` lets the object appear; one that fills no
    part is a single request then. After ``discard`` there is no trace of it. An error of S3 is raised by the
    next ``write``, or by ``finish``.
    """

    def __init__(self, uri: str, kms_key: str | None = None) -> None:
        self._parts = Parts(uri, kms_key)
        self._kms_key = kms_key
        self._number = 1
        self._length = 0
        self._filling = new_part()
        self._on_the_way: deque[Future[None]] = deque()
        self._threads: ThreadPoolExecutor | None = None

    @property
    def size(self) -> int:
        """Bytes that were written so far."""
        return self._length

    def writable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._length

    def write(self, data: Any) -> int:
        """Write all bytes of ``data``."""
        waiting = memoryview(data).cast("B")
        length = len(waiting)
        while waiting:
            free = part_size(self._number) - self._filling.tell()
            self._filling.write(waiting[:free])
            waiting = waiting[free:]
            if self._filling.tell() == part_size(self._number):
                self._send()
        self._length += length
        return length

    def copy_from(self, uri: str) -> int:
        """Write the bytes of another object, and return how many they are; S3 copies what fills a part.

        What is too small for a part of its own comes here, and goes back with its neighbours. Raises
        MtoolError where the object changes meanwhile.
        """
        source = head(uri)
        at = 0
        if waiting := self._filling.tell():
            at = min(source.size, max(0, self._least() - waiting))
        if source.size - at < self._least():
            at = source.size
        if at:
            self.write(read_range(uri, 0, at))
        while source.size - at >= self._least():
            if self._filling.tell():
                self._send()
            end = source.size if source.size - at < 2 * _COPIED else at + _COPIED
            self._parts.begin()
            self._parts.copy(self._number, uri, at, end, source.etag)
            self._number += 1
            self._length += end - at
            at = end
        return source.size

    def _least(self) -> int:
        """Return how many bytes the next part has at least: with fewer there would be too many parts."""
        return SMALLEST if self._number <= _ALIKE else part_size(self._number)

    def finish(self, sync: bool = True) -> None:
        """Upload what is left, and wait until all parts are there; nobody sees the object yet."""
        if self._parts.is_begun and self._filling.tell():
            self._send()
        while self._on_the_way:
            self._on_the_way.popleft().result()
        self._end_threads()

    def replace_target(self) -> None:
        """Let the object appear, with all that was written until ``finish``."""
        if self._parts.is_begun:
            self._parts.complete()
        else:
            self._filling.seek(0)
            put(self._parts.uri, self._filling.read(), kms_key=self._kms_key)
        self._filling.close()

    def discard(self) -> None:
        """Remove all parts, unless the object is there by now."""
        for future in self._on_the_way:
            future.cancel()
        self._end_threads()  # a part that arrives after the end would stay
        self._parts.abort()
        self._filling.close()

    def _send(self) -> None:
        self._parts.begin()
        self._threads = self._threads or ThreadPoolExecutor(_AT_ONCE)
        if len(self._on_the_way) == _AT_ONCE:
            self._on_the_way.popleft().result()
        self._filling.seek(0)
        self._on_the_way.append(self._threads.submit(self._parts.send, self._number, self._filling))
        self._number += 1
        self._filling = new_part()

    def _end_threads(self) -> None:
        if self._threads is not None:
            self._threads.shutdown()
            self._threads = None


def new_part() -> "IO[bytes]":
    """Return where the bytes of a part wait: in memory, or on the disk where they are many."""
    return cast("IO[bytes]", tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, prefix=process_prefix()))

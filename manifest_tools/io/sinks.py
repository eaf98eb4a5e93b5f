"""Outputs: files or S3 objects that appear whole, together, and only when all went well."""

import contextlib
import gzip
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, cast

from manifest_tools.base.errors import Exists, MtoolError, Refused
from manifest_tools.base.local_files import (
    NewFile,
    is_special,
    new_file,
    same_bytes,
    same_streams,
    sync_folder,
)

if TYPE_CHECKING:
    from manifest_tools.io.s3 import Object

STDOUT = "-"

# An ID, an ARN, or alias/NAME.
_KMS_KEY = re.compile(r"[a-zA-Z0-9:/_-]{1,2048}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Published:
    """An output by the name that was asked for, and what became of it."""

    path: str
    state: Literal["written", "unchanged"]


@dataclass(slots=True)
class _Output:
    name: str
    file: NewFile
    wrapper: BinaryIO | None = None
    there: "Object | None" = None
    """The object that stands in its place, once that was looked for."""

    @property
    def in_s3(self) -> bool:
        return self.name.startswith("s3://")

    def close(self, sync: bool) -> None:
        if self.wrapper is not None:
            self.wrapper.close()
        self.file.finish(sync)


@dataclass(slots=True)
class Publication:
    """The outputs of one command, open for writing until ``publishing`` ends."""

    force: bool
    sync: bool
    kms_key: str | None = None
    published: list[Published] = field(default_factory=list)
    _outputs: list[_Output] = field(default_factory=list)
    _direct: list[BinaryIO] = field(default_factory=list)
    _places: set[str] = field(default_factory=set)

    def open(self, path: str) -> BinaryIO:
        """Return a stream to write ``path`` with; ``.gz`` is compressed, ``-`` is standard output."""
        if path == STDOUT:
            self._take(path)
            return sys.stdout.buffer
        if is_special(path):
            stream = open(path, "wb")  # noqa: SIM115 - closed by publish or discard
            self._direct.append(stream)
            return stream
        self._take(path)
        output = _Output(path, _spool(path) if path.startswith("s3://") else new_file(path))
        self._outputs.append(output)
        if not path.endswith(".gz"):
            return output.file.stream
        # No name and no time inside: the same lines give the same bytes.
        output.wrapper = cast(
            BinaryIO,
            gzip.GzipFile(filename="", mode="wb", fileobj=output.file.stream, compresslevel=6, mtime=0),
        )
        return output.wrapper

    def temporary(self, path: str) -> str | None:
        """Return the plain local file behind an open ``path``, for workers that write by offset.

        None where there is no such file: standard output, pipes, compressed outputs.
        """
        for output in self._outputs:
            if output.name == path and output.wrapper is None:
                return str(output.file.temporary)
        return None

    def _take(self, path: str) -> None:
        if _place(path) in self._places:
            raise Refused(f"{path}: named twice as an output; give each its own name")
        self._places.add(_place(path))

    def drop(self, path: str) -> None:
        """Forget an output that is not wanted after all."""
        for output in [output for output in self._outputs if output.name == path]:
            output.file.discard()
            self._outputs.remove(output)
            self._places.discard(_place(path))

    def discard(self) -> None:
        """Leave everything as it was before."""
        for stream in self._direct:
            stream.close()
        for output in self._outputs:
            output.file.discard()

    def publish(self) -> None:
        """Let all outputs take their places, or none: an existing one is replaced only by ``force``."""
        check_key(self.kms_key, [output.name for output in self._outputs])
        for stream in self._direct:
            stream.close()
        for output in self._outputs:
            output.close(self.sync)
            output.there = _object_there(output)
        same = {output.name for output in self._outputs if _is_unchanged(output)}
        changed = [output for output in self._outputs if output.name not in same]
        taken = [output.name for output in changed if _is_there(output)]
        if taken and not self.force:
            raise Exists(taken)
        for output in self._outputs:
            stays = output.name in same and not self._is_to_encrypt(output)
            if stays:
                output.file.discard()
            else:
                self._place_or_say(output)
            state: Literal["written", "unchanged"] = "unchanged" if stays else "written"
            self.published.append(Published(output.name, state))

    def _is_to_encrypt(self, output: _Output) -> bool:
        """Say whether an object has the right bytes, and not the key that was asked for."""
        key, there = self.kms_key, output.there
        return key is not None and there is not None and not there.has_key(key)

    def _place_or_say(self, output: _Output) -> None:
        try:
            self._place(output)
        except (OSError, MtoolError) as error:
            done = ", ".join(p.path for p in self.published if p.state == "written") or "no file"
            why = error.strerror if isinstance(error, OSError) else error
            raise MtoolError(
                f"{output.name}: cannot take its place: {why}; changed before that: {done}"
            ) from error

    def _place(self, output: _Output) -> None:
        if output.in_s3:
            from manifest_tools.io import s3

            s3.upload(str(output.file.temporary), output.name, over=output.there, kms_key=self.kms_key)
            output.file.discard()
            return
        output.file.replace_target()
        if self.sync:
            sync_folder(output.file.target.parent)


@contextlib.contextmanager
def publishing(
    *, force: bool = False, sync: bool = False, kms_key: str | None = None
) -> Iterator[Publication]:
    """Collect outputs that appear when the block ends well, and leave no trace when it does not.

    Raises Exists when an output is there already with other bytes and ``force`` is not given;
    one with the very same bytes is left alone and reported as unchanged. ``sync`` puts every new
    file on the disk before the first one takes its place. ``kms_key`` encrypts what goes to S3; without it
    an object that is replaced keeps its own encryption, and a new one has the bucket's.
    """
    publication = Publication(force, sync, kms_key)
    try:
        yield publication
        publication.publish()
    except BaseException:
        publication.discard()
        raise


def check_apart(manifest: str, outputs: Sequence[str]) -> None:
    """Raise Refused for an output that is the input, or another output, be it spelt in another way."""
    taken = {_place(manifest): "its own input"}
    for output in outputs:
        if output == STDOUT or is_special(output):
            continue
        place = _place(output)
        if place in taken:
            raise Refused(f"{output}: would take the place of {taken[place]}; type another name")
        taken[place] = "another output"


def check_key(kms_key: str | None, outputs: Sequence[str]) -> None:
    """Raise Refused for what cannot be a KMS key, and for one with which nothing would be encrypted."""
    if kms_key is None:
        return
    if not _KMS_KEY.fullmatch(kms_key):
        raise Refused(f"--kms-key: expected a KMS key's ID, ARN or alias/NAME, found {kms_key[:100]!r}")
    if outputs and not any(output.startswith("s3://") for output in outputs):
        raise Refused(f"--kms-key encrypts objects in S3, and {outputs[0]} is none; leave it out")


def _place(name: str) -> str:
    return name if name.startswith("s3://") else os.path.realpath(name)


def _spool(uri: str) -> NewFile:
    """Return a local file whose bytes become the object ``uri``: S3 has no half objects to rename."""
    import tempfile

    from manifest_tools.io import s3uri

    try:
        s3uri.parse(uri)
    except ValueError as error:
        raise Refused(str(error)) from error
    stream = tempfile.NamedTemporaryFile(prefix="mtool-", delete=False)  # noqa: SIM115
    return NewFile(Path(stream.name), Path(stream.name), cast(BinaryIO, stream))


def _object_there(output: _Output) -> "Object | None":
    if not output.in_s3:
        return None
    from manifest_tools.io import s3

    return s3.find(output.name)


def _is_there(output: _Output) -> bool:
    return output.there is not None if output.in_s3 else output.file.target.exists()


def _is_unchanged(output: _Output) -> bool:
    if not output.in_s3:
        return output.file.target.exists() and same_bytes(output.file.temporary, output.file.target)
    from manifest_tools.io import s3

    found = output.there
    if found is None or found.size != output.file.temporary.stat().st_size:
        return False
    with s3.open_stream(output.name, found.etag) as there, output.file.temporary.open("rb") as here:
        return same_streams(there, here)

"""Writes outputs, files or S3 objects, that appear whole and together, and only if the command succeeds."""

import contextlib
import gzip
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Literal, Protocol, cast

from manifest_tools.base.details import detail
from manifest_tools.base.errors import Exists, MtoolError, Refused
from manifest_tools.base.local_files import NewFile, is_special
from manifest_tools.io.one_output import Output, new_output

STDOUT = "-"
REJECTS = "rejects.manifest"  # in a folder that --rejects names

# A key ID, an ARN, or alias/NAME.
_KMS_KEY = re.compile(r"[a-zA-Z0-9:/_-]{1,2048}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Published:
    """An output after the command."""

    path: str
    """The path or URI that was requested."""

    state: Literal["written", "unchanged"]
    """Unchanged: it existed before, with the same bytes."""


class Mark(Protocol):
    """A file or an object that says that something is not whole; a ``Path`` is one."""

    def unlink(self, missing_ok: bool = ...) -> None:
        """Remove it."""
        ...


@dataclass(slots=True)
class Publication:
    """The outputs of one command: open for writing in the block of ``publishing``."""

    force: bool
    """Replace an output that exists with other content."""

    sync: bool
    """Put every new file on the disk before the first one replaces an old one."""

    kms_key: str | None = None
    """Encrypts outputs in S3: a key ID, an ARN or alias/NAME."""

    options: dict[str, str] = field(default_factory=dict)
    """Which option of the command line names an output, where it is not ``-o``."""

    published: list[Published] = field(default_factory=list)
    """What became of the outputs; filled when the block ends."""

    marks: list[Mark] = field(default_factory=list)
    """What says that something is being replaced; removed when all outputs are in place."""

    _outputs: list[Output] = field(default_factory=list)
    _direct: list[BinaryIO] = field(default_factory=list)
    _targets: set[str] = field(default_factory=set)

    def open(self, path: str) -> BinaryIO:
        """Return a stream that writes ``path``; ``-`` is standard output, and ``.gz`` is compressed.

        The folder that it is in is made where there is none. A new object of S3 is uploaded while it is
        written; one that exists is compared with a temporary file at the end. Raises Refused for a path that
        is open already, and for a folder.
        """
        if path == STDOUT:
            self._reserve(path)
            return sys.stdout.buffer
        if is_special(path):
            stream = open(path, "wb")  # noqa: SIM115 - closed by publish or discard
            self._direct.append(stream)
            return stream
        self._reserve(path)
        if path.startswith("s3://"):
            check_key(self.kms_key, [path])
        output = new_output(path, self.options.get(path, "-o"), self.kms_key)
        self._outputs.append(output)
        if not path.endswith(".gz"):
            return output.stream
        # Without name and time in the header, the same lines give the same bytes.
        output.wrapper = cast(
            BinaryIO,
            gzip.GzipFile(filename="", mode="wb", fileobj=output.stream, compresslevel=6, mtime=0),
        )
        return output.wrapper

    def begin_with(self, path: str, file: str) -> BinaryIO | None:
        """Open ``path`` as ``open`` does, with a local file that becomes its beginning, and goes.

        Returns None, and opens nothing, where that would be a copy: for another file system, for an object,
        for what is compressed.
        """
        if path.endswith(".gz") or path.startswith("s3://") or path == STDOUT or is_special(path):
            return None
        self.open(path)
        output = self._outputs[-1]
        try:
            cast(NewFile, output.file).begin_with(file)
        except OSError:
            self.drop(path)
            return None
        return output.stream

    def temporary(self, path: str) -> str | None:
        """Return the local file behind an open ``path``, for workers that write at offsets.

        Returns None for outputs without such a file: standard output, pipes, compressed outputs, new objects
        of S3.
        """
        for output in self._outputs:
            if output.name == path and output.wrapper is None and isinstance(output.file, NewFile):
                return str(output.file.temporary)
        return None

    def local_files(self) -> Iterator[tuple[str, str]]:
        """Yield every open output on this disk, and the file with all that was written until now."""
        for output in self._outputs:
            if isinstance(output.file, NewFile) and output.wrapper is None:
                if not output.file.stream.closed:  # some libraries close what they write to
                    output.file.stream.flush()
                yield output.name, str(output.file.temporary)

    def _reserve(self, path: str) -> None:
        if _resolved(path) in self._targets:
            raise Refused(f"{path}: two outputs would be this file; type another name, or type it once")
        self._targets.add(_resolved(path))

    def drop(self, path: str) -> None:
        """Remove an output that turned out not to be needed."""
        for output in [output for output in self._outputs if output.name == path]:
            output.file.discard()
            self._outputs.remove(output)
            self._targets.discard(_resolved(path))

    def discard(self) -> None:
        """Remove what was written; nothing that existed before has changed."""
        for stream in self._direct:
            stream.close()
        for output in reversed(self._outputs):  # the first of a new folder takes it away again
            output.file.discard()

    def publish(self) -> None:
        """Put all outputs in place, or none; raises Exists when one would change without ``force``."""
        check_key(self.kms_key, [output.name for output in self._outputs])
        for stream in self._direct:
            stream.close()
        for output in self._outputs:
            output.close(self.sync)
        same = {output.name for output in self._outputs if output.is_unchanged()}
        changed = [output for output in self._outputs if output.name not in same]
        taken = [output for output in changed if output.exists()]
        if taken and not self.force:
            raise Exists([output.name for output in taken], [output.option for output in taken])
        for output in self._outputs:
            stays = output.name in same and not output.is_to_encrypt(self.kms_key)
            if stays:
                output.file.discard()
            else:
                self._place_or_explain(output)
            state: Literal["written", "unchanged"] = "unchanged" if stays else "written"
            self.published.append(Published(output.name, state))
        for mark in self.marks:
            mark.unlink(missing_ok=True)

    def _place_or_explain(self, output: Output) -> None:
        try:
            self._place(output)
        except (OSError, MtoolError) as error:
            done = ", ".join(p.path for p in self.published if p.state == "written") or "none"
            why = error.strerror if isinstance(error, OSError) else error
            raise MtoolError(
                f"{output.name}: could not be written: {why}; outputs that were written before it: {done}"
            ) from error

    def _place(self, output: Output) -> None:
        begun, size = time.perf_counter(), output.size
        output.put(self.sync, self.kms_key)
        detail(
            __name__, "%s: put in place, %s bytes in %.3f s", output.name, size, time.perf_counter() - begun
        )


@contextlib.contextmanager
def publishing(
    *,
    force: bool = False,
    sync: bool = False,
    kms_key: str | None = None,
    options: dict[str, str] | None = None,
) -> Iterator[Publication]:
    """Yield a Publication; its outputs appear when the block ends well, and are removed when it raises.

    An output that exists with the same bytes stays and is reported as unchanged. Raises Exists when one
    exists with other bytes, unless ``force`` is set. ``sync`` puts every new file on the disk before the
    first one replaces an old one. ``kms_key`` encrypts outputs in S3; without it, an object that is replaced
    keeps its encryption, and a new one gets the bucket's. ``options`` says which option of the command line
    names an output, where it is not ``-o``.
    """
    publication = Publication(force, sync, kms_key, options or {})
    try:
        yield publication
        publication.publish()
    except BaseException:
        publication.discard()
        raise


def output_file(path: str, usual: str) -> str:
    """Return the file that is to be written: ``path``, or where it ends in / the file ``usual`` in it.

    >>> output_file("kept/", "s3://bucket/lab3/output.manifest"), output_file("kept", "output.manifest")
    ('kept/output.manifest', 'kept')
    >>> output_file("kept/", "-")
    'kept/output.manifest'
    """
    if not path.endswith("/"):
        return path
    return path + ("output.manifest" if usual == STDOUT else usual.rstrip("/").rpartition("/")[2])


def check_free(path: str, option: str = "-o") -> None:
    """Raise Exists for an output that is there already: before work that takes long, and not after it."""
    if path.startswith("s3://"):
        from manifest_tools.io import s3

        taken = s3.exists(path)
    else:
        taken = os.path.exists(path) and not is_special(path)
    if taken:
        raise Exists([path], [option], compared=False)


def check_apart(manifest: str, outputs: Sequence[str]) -> None:
    """Raise Refused for an output that is the same file as the input or as another output."""
    taken = {_resolved(manifest): "its own input"}
    for output in outputs:
        if output == STDOUT or is_special(output):
            continue
        target = _resolved(output)
        if target in taken:
            raise Refused(f"{output}: would replace {taken[target]}; type another name")
        taken[target] = "another output"


def check_key(kms_key: str | None, outputs: Sequence[str]) -> None:
    """Raise Refused for a text that cannot be a KMS key, or when no output is in S3."""
    if kms_key is None:
        return
    if not _KMS_KEY.fullmatch(kms_key):
        raise Refused(f"--kms-key: expected a KMS key's ID, ARN or alias/NAME, found {kms_key[:100]!r}")
    if outputs and not any(output.startswith("s3://") for output in outputs):
        raise Refused(f"--kms-key encrypts objects in S3, and {outputs[0]} is not in S3; leave --kms-key out")


def _resolved(name: str) -> str:
    return name if name.startswith("s3://") else os.path.realpath(name)

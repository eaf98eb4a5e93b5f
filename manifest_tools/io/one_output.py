"""One output of a command, a file or an object of S3, on its way to its place."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from manifest_tools.base.local_files import (
    NewFile,
    new_file,
    process_prefix,
    same_bytes,
    same_streams,
    sync_folder,
)

if TYPE_CHECKING:
    from manifest_tools.io.s3 import Object, ObjectStream


@dataclass(slots=True)
class Output:
    """An output that is being written, and is not in its place yet."""

    name: str
    """The path or URI that was requested."""

    file: "NewFile | ObjectStream"
    """What is written: a file, or the parts of a new object."""

    option: str
    """The option of the command line that names it."""

    wrapper: BinaryIO | None = None
    """Compresses what is written."""

    existing: "Object | None" = None
    """The S3 object that it will replace; looked for when the outputs are published."""

    @property
    def in_s3(self) -> bool:
        """Whether it will be an object."""
        return self.name.startswith("s3://")

    @property
    def stream(self) -> BinaryIO:
        """Takes the bytes as they will be there."""
        return self.file.stream if isinstance(self.file, NewFile) else cast(BinaryIO, self.file)

    @property
    def size(self) -> int:
        """Bytes, once it is closed."""
        return self.file.temporary.stat().st_size if isinstance(self.file, NewFile) else self.file.size

    def close(self, sync: bool) -> None:
        """End the writing; ``sync`` first waits until the bytes are on the disk."""
        if self.wrapper is not None:
            self.wrapper.close()
        self.file.finish(sync)
        if self.in_s3:
            from manifest_tools.io import s3

            self.existing = s3.find(self.name)

    def put(self, sync: bool, kms_key: str | None) -> None:
        """Put it in its place."""
        if self.in_s3 and isinstance(self.file, NewFile):
            from manifest_tools.io import s3

            s3.upload(str(self.file.temporary), self.name, over=self.existing, kms_key=kms_key)
            self.file.discard()
            return
        self.file.replace_target()
        if sync and isinstance(self.file, NewFile):
            sync_folder(self.file.target.parent)

    def exists(self) -> bool:
        """Return whether there is something in its place."""
        if self.in_s3 or not isinstance(self.file, NewFile):
            return self.existing is not None
        return self.file.target.exists()

    def is_unchanged(self) -> bool:
        """Return whether the same bytes are in its place."""
        if not self.exists() or not isinstance(self.file, NewFile):
            return False
        found = self.existing
        if found is None:
            return same_bytes(self.file.temporary, self.file.target)
        if found.size != self.size:
            return False
        from manifest_tools.io import s3

        with s3.open_stream(self.name, found.etag) as old, self.file.temporary.open("rb") as new:
            return same_streams(old, new)

    def is_to_encrypt(self, kms_key: str | None) -> bool:
        """Return whether the object in its place has another KMS key than the requested one."""
        return kms_key is not None and self.existing is not None and not self.existing.has_key(kms_key)


def new_output(name: str, option: str, kms_key: str | None) -> Output:
    """Return an output to write: a new object is uploaded while it is written, one that exists at the end.

    For where there is one, there is something to compare. Raises what S3 says of the bucket, or the disk of
    the folder: before the work, and not after it.
    """
    if not name.startswith("s3://"):
        return Output(name, new_file(name), option)
    from manifest_tools.io import s3

    if s3.find(name) is None:
        return Output(name, s3.ObjectStream(name, kms_key), option)
    stream = tempfile.NamedTemporaryFile(prefix=process_prefix(), delete=False)  # noqa: SIM115
    path = Path(stream.name)
    return Output(name, NewFile(path, path, cast(BinaryIO, stream)), option)

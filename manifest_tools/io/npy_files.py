"""NumPy's .npy files: written without knowing how many rows there will be, and read without unpickling.

A header says type, order and shape; then come the bytes. What it says is believed only as far as the file has
these bytes.
"""

import io
import os
import shutil
import tempfile
import tokenize
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import IO, Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.errors import BadData
from manifest_tools.base.local_files import copy_stream
from manifest_tools.base.text import clipped, shown

_HEADER = 128  # bytes: a multiple of 64, long enough for any shape here
_LONGEST_HEADER = 10_000
_MAGIC = b"\x93NUMPY"


@dataclass(slots=True)
class RowWriter:
    """Writes an array row by row; the header gets the number of rows at the end."""

    stream: BinaryIO
    dtype: str
    """As NumPy spells it, such as ``|u1`` or ``<i8``."""

    inner: tuple[int, ...] = ()
    """Shape of a row."""

    rows: int = 0
    _waiting: IO[bytes] | None = None
    """Holds the rows where ``stream`` cannot go back to its beginning."""

    def __post_init__(self) -> None:
        if self.stream.seekable():
            self.stream.write(self._header())
        else:
            self._waiting = tempfile.TemporaryFile(prefix="mtool-")  # noqa: SIM115 - closed by close

    @property
    def target(self) -> BinaryIO:
        """Where the bytes of rows go; whoever writes there counts the ``rows``."""
        return cast(BinaryIO, self._waiting) if self._waiting else self.stream

    def write(self, row: bytes) -> None:
        """Write a row."""
        self.target.write(row)
        self.rows += 1

    def close(self) -> int:
        """Write the header, and return how many bytes the file has; the stream stays open."""
        if self._waiting is None:
            size = self.stream.tell()
            self.stream.seek(0)
            self.stream.write(self._header())
            self.stream.seek(size)
            return size
        with self._waiting as waiting:
            size = _HEADER + waiting.tell()
            waiting.seek(0)
            self.stream.write(self._header())
            copy_stream(cast(BinaryIO, waiting), self.stream)
        return size

    def _header(self) -> bytes:
        shape = (self.rows, *self.inner)
        text = f"{{'descr': '{self.dtype}', 'fortran_order': False, 'shape': {shape}, }}"
        return (
            _MAGIC
            + b"\x01\x00"
            + (_HEADER - 10).to_bytes(2, "little")
            + text.ljust(_HEADER - 11).encode()
            + b"\n"
        )


# ---- reading ----


@dataclass(frozen=True, slots=True)
class StoredArray:
    """An array in a file, or in a file of its own for a while."""

    name: str
    """For messages."""

    path: str
    offset: int
    """Of the first byte of the first row."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    keeps: Any = field(default=None, compare=False, repr=False)
    """What is to live as long: the temporary file."""

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        return int(self.dtype.itemsize * np.prod(self.shape[1:], dtype=np.int64))

    def rows(self) -> "NDArray[Any]":
        """Return the array, mapped into memory; nothing is unpickled."""
        if 0 in self.shape:
            return np.empty(self.shape, self.dtype)
        return np.memmap(self.path, self.dtype, "r", self.offset, self.shape)


def stored_array(path: str) -> StoredArray:
    """Return what a .npy file holds; raises BadData for objects, another file or one that is cut off."""
    with open(path, "rb") as file:
        dtype, shape, offset = _read_header(file, path)
    return _checked(StoredArray(path, path, offset, dtype, shape), os.path.getsize(path) - offset)


def stored_arrays(path: str) -> dict[str, StoredArray]:
    """Return the arrays of a .npz file by their names: where they lie, or unpacked into temporary files."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {
                info.filename.removesuffix(".npy"): _member(path, archive, info)
                for info in archive.infolist()
                if info.filename.endswith(".npy")
            }
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise BadData(f"{path}: expected a .npz file; {error}") from error


def _member(path: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> StoredArray:
    name = f"{path}: {shown(info.filename)}"
    with archive.open(info) as file:
        dtype, shape, offset = _read_header(cast(BinaryIO, file), name)
        if info.compress_type == zipfile.ZIP_STORED:
            begin = _begin_of(path, info)
            return _checked(StoredArray(name, path, begin + offset, dtype, shape), info.file_size - offset)
        found = StoredArray(name, "", 0, dtype, shape)
        _checked(found, info.file_size - offset)
        if info.file_size > shutil.disk_usage(tempfile.gettempdir()).free:
            raise BadData(
                f"{name}: expected room for {info.file_size:,} bytes in {tempfile.gettempdir()}, found less"
            )
        # Not for long: the file goes with the last array that is read of it.
        unpacked = tempfile.NamedTemporaryFile(prefix="mtool-")  # noqa: SIM115
        copy_stream(cast(BinaryIO, file), cast(BinaryIO, unpacked))
        unpacked.flush()
    size = os.path.getsize(unpacked.name)
    return _checked(StoredArray(name, unpacked.name, 0, dtype, shape, unpacked), size)


def _begin_of(path: str, info: zipfile.ZipInfo) -> int:
    """Return where the bytes of a file begin that is stored in an archive as it is."""
    with open(path, "rb") as file:
        file.seek(info.header_offset)
        local = file.read(30)
    return (
        info.header_offset
        + 30
        + int.from_bytes(local[26:28], "little")
        + int.from_bytes(local[28:30], "little")
    )


def _read_header(file: BinaryIO, name: str) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    """Return type, shape and length of the header; raises BadData for objects, which would be unpickled."""
    begin = file.tell()
    # NumPy reads a header of whatever length it says, up to 4 GB: here there is no more of it.
    head = io.BytesIO(file.read(_LONGEST_HEADER + 12))
    try:
        shape, fortran, dtype = _parsed(head)
    except (
        *(ValueError, EOFError, SyntaxError, RecursionError, MemoryError, TypeError),
        *(tokenize.TokenError, OverflowError),
    ) as error:
        reason = clipped((str(error).splitlines() or [type(error).__name__])[0])
        raise BadData(f"{name}: expected a .npy file; {reason}") from error
    file.seek(begin + head.tell())
    if dtype.hasobject:
        raise BadData(
            f"{name}: an array of objects is a pickle, which can run any program, so it is not read; where it"
            " was made, save arrays of numbers: numpy.save(FILE, numpy.stack(list(x)).astype('uint8'))"
        )
    if fortran and len(shape) > 1:
        raise BadData(
            f"{name}: expected rows one behind the other, found Fortran's order; save it with"
            " numpy.save(FILE, numpy.ascontiguousarray(x))"
        )
    return dtype, shape, file.tell()


def _parsed(head: BinaryIO) -> Any:
    """Return shape, order and type of a header; what Python warns of in its text is not for a user."""
    form: Any = np.lib.format
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        version = form.read_magic(head)
        read = form.read_array_header_1_0 if version == (1, 0) else form.read_array_header_2_0
        return read(head, max_header_size=_LONGEST_HEADER)


def _checked(found: StoredArray, length: int) -> StoredArray:
    expected = int(found.dtype.itemsize)
    for side in found.shape:
        if side < 0:
            raise BadData(f"{found.name}: expected a shape, found {found.shape}")
        expected *= side
    if not found.shape or expected != length:
        raise BadData(
            f"{found.name}: its header says {expected:,} bytes ({_shape(found.shape)}), and it has {length:,}"
        )
    return found


def _shape(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape[:6])) or "a single number"

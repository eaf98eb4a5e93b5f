"""Weights in MXNet's .params format: a list of arrays, then a list of their names.

All numbers are little-endian. The file begins with the magic number 0x112 and 8 reserved bytes; each list
begins with its length in 8 bytes. An array has a magic number for its version, the storage type, the shape,
the device that it was on, the type of its numbers, and the numbers. A name has its length in 8 bytes.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.text import clipped, shown
from trainers.bad_model import BadModel

Array = NDArray[np.floating[Any]]
"""Weights of one name, of any shape."""

_FILE_MAGIC = 0x112
# Versions of an array: the first that had a magic number, the one with a storage type, and the one for
# NumPy's shapes. Before them stood the number of dimensions, which is small.
_V1, _V2, _V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
_MOST_DIMENSIONS = 32
_MOST_ARRAYS = 10_000  # resnet152_v2 has 933
_DENSE = 0
_CPU = 1

# MXNet's numbers for types of numbers.
_TYPES: dict[int, np.dtype[np.floating[Any]]] = {0: np.dtype("<f4"), 1: np.dtype("<f8"), 2: np.dtype("<f2")}
_FLOAT32 = 0


class _Reader:
    """Reads numbers from the front of a file; raises BadModel where less is left than is asked for."""

    def __init__(self, source: str, data: bytes) -> None:
        self.source, self._data, self._at = source, memoryview(data), 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def wrong(self, expected: str, found: object) -> BadModel:
        return BadModel(
            self.source,
            f"expected weights in MXNet's .params format: {clipped(expected)} at byte {self._at:,};"
            f" found {clipped(str(found))}",
        )

    def bytes(self, size: int, what: str) -> memoryview:
        if size > self.left:
            raise self.wrong(f"{what}, {size:,} bytes", f"{self.left:,}")
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, size: int, what: str, *, signed: bool = False) -> int:
        return int.from_bytes(self.bytes(size, what), "little", signed=signed)

    def length(self, what: str) -> int:
        """Return the length of a list."""
        length = self.number(8, what)
        if not 1 <= length <= _MOST_ARRAYS:
            raise self.wrong(f"1 to {_MOST_ARRAYS:,} {what}", f"{length:,}")
        return length


def read_params(source: str, data: bytes) -> dict[str, Array]:
    """Return the arrays of a .params file by name, in the order of the file, as floats of 32 bits.

    Arrays of that type share the memory of ``data``, and cannot be written to. The names are those of the
    file, such as ``arg:conv0_weight``. Raises BadModel, naming ``source``, for anything else, before memory
    is taken for it.
    """
    reader = _Reader(source, data)
    if (magic := reader.number(8, "a magic number")) != _FILE_MAGIC:
        begins = f"expected weights in MXNet's .params format, which begins with {_FILE_MAGIC:#x}"
        raise BadModel(source, f"{begins}; found {magic:#x}")
    reader.number(8, "reserved space")
    arrays = [_array(reader) for _ in range(reader.length("arrays"))]
    names = [_name(reader) for _ in range(reader.length("names of arrays"))]
    if len(names) != len(arrays):
        raise reader.wrong(f"a name for each of {len(arrays):,} arrays", f"{len(names):,} names")
    if reader.left:
        raise reader.wrong("the end of the file", f"{reader.left:,} more bytes")
    if len(set(names)) < len(names):
        twice = next(name for at, name in enumerate(names) if name in names[:at])
        raise BadModel(source, f"expected a name once; found {shown(twice)} twice")
    return dict(zip(names, arrays, strict=True))


def write_params(arrays: Mapping[str, Array]) -> bytes:
    """Return arrays as a .params file of floats of 32 bits, byte by byte as MXNet writes it."""
    parts = [_numbers(8, _FILE_MAGIC, 0, len(arrays))]
    for array in arrays.values():
        parts += [_numbers(4, _V2, _DENSE, array.ndim), _numbers(8, *array.shape)]
        parts += [_numbers(4, _CPU, 0, _FLOAT32), array.astype("<f4").tobytes()]
    parts.append(_numbers(8, len(arrays)))
    for name in arrays:
        parts += [_numbers(8, len(name.encode())), name.encode()]
    return b"".join(parts)


def _numbers(size: int, *numbers: int) -> bytes:
    return b"".join(number.to_bytes(size, "little") for number in numbers)


def _array(reader: _Reader) -> Array:
    magic = reader.number(4, "an array")
    if magic in (_V2, _V3):
        if (storage := reader.number(4, "a storage type", signed=True)) != _DENSE:
            raise reader.wrong("a dense array, storage type 0", storage)
        shape = _shape(reader, reader.number(4, "a number of dimensions", signed=True), 8)
    elif magic == _V1:
        shape = _shape(reader, reader.number(4, "a number of dimensions"), 8)
    else:
        shape = _shape(reader, magic, 4)
    reader.bytes(8, "a device")
    number = reader.number(4, "a type of numbers")
    if number not in _TYPES:
        raise reader.wrong("numbers of type 0, 1 or 2: floats of 32, 64 or 16 bits", f"type {number}")
    dtype = _TYPES[number]
    numbers = np.frombuffer(reader.bytes(math.prod(shape) * dtype.itemsize, "numbers"), dtype)
    with np.errstate(all="ignore"):  # what 32 bits do not hold becomes infinite
        return numbers.reshape(shape).astype(np.float32, copy=False)


def _shape(reader: _Reader, dimensions: int, size: int) -> tuple[int, ...]:
    if not 1 <= dimensions <= _MOST_DIMENSIONS:
        raise reader.wrong(f"an array of 1 to {_MOST_DIMENSIONS} dimensions", f"{dimensions:,}")
    shape = tuple(reader.number(size, "a shape", signed=size == 8) for _ in range(dimensions))
    if min(shape) < 1:
        raise reader.wrong("a shape of 1 and more in every dimension", shape)
    return shape


def _name(reader: _Reader) -> str:
    name = bytes(reader.bytes(reader.number(8, "the length of a name"), "a name"))
    try:
        return name.decode()
    except UnicodeDecodeError as error:
        raise reader.wrong("a name in UTF-8", shown(name.decode("latin-1"))) from error

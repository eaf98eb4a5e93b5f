"""TFRecord framing, and the messages of ``tf.train.Example`` that it usually holds, without TensorFlow.

A record is its length (8 bytes, little end first), the masked CRC32C of these bytes, the data and the
masked CRC32C of the data. An Example is a map from names to lists of bytes, floats or integers; Protocol
Buffers leave its order open, here it is sorted.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import BinaryIO, TypeAlias

from manifest_tools.base.errors import NotInstalled

Values: TypeAlias = "Sequence[bytes] | Sequence[int] | Sequence[float]"
"""Of a feature: all bytes, all integers or all floats."""

_MASK = 0xA282EAD8


def check_installed() -> None:
    """Raise NotInstalled where nothing counts checksums in time."""
    try:
        import google_crc32c  # noqa: F401
    except ImportError as error:
        raise NotInstalled("google-crc32c", "tfrecord", "--to tfrecord") from error


def masked_crc(data: bytes) -> int:
    """Return the masked CRC32C of some bytes.

    >>> masked_crc(b"123456789") == ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) % (1 << 32)
    True
    """
    import google_crc32c

    crc: int = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF


def write_record(out: BinaryIO, data: bytes) -> int:
    """Write a record, and return how many bytes it takes."""
    head = struct.pack("<Q", len(data))
    size = out.write(head + struct.pack("<I", masked_crc(head)))
    return size + out.write(data) + out.write(struct.pack("<I", masked_crc(data)))


def example(features: Mapping[str, Values]) -> bytes:
    """Return a ``tf.train.Example``, its features sorted by their names.

    A feature without a value is left out: an empty list has no type, and readers refuse one of another type.

    >>> example({"a": [7]}).hex()
    '0a0c0a0a0a016112051a030a0107'
    """
    chunks = (chunk for name, values in sorted(features.items()) if values for chunk in _entry(name, values))
    return b"".join(_field(1, list(chunks)))


_Chunks: TypeAlias = list[bytes]


def _entry(name: str, values: Values) -> _Chunks:
    return _field(1, _field(1, [name.encode()]) + _field(2, _feature(values)))


def _feature(values: Values) -> _Chunks:
    """Return a list of values as a message; integers and floats are packed."""
    first = values[0]
    if isinstance(first, bytes):
        inside = [chunk for value in values for chunk in _field(1, [value])]  # type: ignore[list-item]
        return _field(1, inside)
    if isinstance(first, float):
        return _field(2, _field(1, [struct.pack(f"<{len(values)}f", *values)]))
    return _field(3, _field(1, [b"".join(map(_varint, values))]))  # type: ignore[arg-type]


def _field(number: int, chunks: _Chunks) -> _Chunks:
    """Return a field of bytes or of a message, without joining what may be large."""
    return [bytes([number << 3 | 2]) + _varint(sum(map(len, chunks))), *chunks]


def _varint(value: int) -> bytes:
    """Return an integer in base 128, the little end first; negative ones as their two's complement.

    >>> _varint(300).hex(), len(_varint(-1))
    ('ac02', 10)
    """
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def label_map(items: Iterable[tuple[int, str]]) -> bytes:
    r"""Return a label map of the TensorFlow Object Detection API, in the text form of Protocol Buffers.

    >>> print(label_map([(1, 'a "b"')]).decode(), end="")
    item {
      id: 1
      name: "a \"b\""
    }
    """
    return b"".join(
        f'item {{\n  id: {number}\n  name: "{_quoted(name)}"\n}}\n'.encode() for number, name in items
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return "".join(
        character if character.isprintable() else "".join(f"\\{byte:03o}" for byte in character.encode())
        for character in escaped
    )

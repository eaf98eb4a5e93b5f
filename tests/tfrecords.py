"""Reads TFRecord files and Examples, written for the tests alone: what the writer thinks is not asked."""

import struct
from typing import Any

import google_crc32c

_LISTS = {1: "bytes", 2: "float", 3: "int64"}


def records_in(data: bytes) -> list[bytes]:
    """Return the records of a file; asserts every checksum."""
    found, at = [], 0
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        _check(data[at : at + 8], data[at + 8 : at + 12])
        text = data[at + 12 : at + 12 + length]
        _check(text, data[at + 12 + length : at + 16 + length])
        found.append(text)
        at += 16 + length
    return found


def _check(data: bytes, crc: bytes) -> None:
    (masked,) = struct.unpack("<I", crc)
    rotated = (masked - 0xA282EAD8) & 0xFFFFFFFF
    assert ((rotated >> 17) | (rotated << 15)) & 0xFFFFFFFF == google_crc32c.value(data)


def features_in(example: bytes) -> dict[str, Any]:
    """Return the features of an Example, by name: lists of bytes, floats or integers."""
    found: dict[str, Any] = {}
    for _, features in _fields(example):
        for _, entry in _fields(features):
            (_, name), (_, feature) = _fields(entry)
            ((kind, values),) = _fields(feature)
            assert name.decode() not in found
            found[name.decode()] = _values(_LISTS[kind], values)
    return found


def _values(kind: str, data: bytes) -> list[Any]:
    if kind == "bytes":
        return [value for _, value in _fields(data)]
    ((_, packed),) = _fields(data)
    if kind == "float":
        return list(struct.unpack(f"<{len(packed) // 4}f", packed))
    found, at = [], 0
    while at < len(packed):
        value, at = _varint(packed, at)
        found.append(value - (1 << 64) if value >> 63 else value)
    return found


def _fields(data: bytes) -> list[tuple[int, bytes]]:
    """Return number and content of the fields of a message; all have a length."""
    found, at = [], 0
    while at < len(data):
        tag, at = _varint(data, at)
        assert tag & 7 == 2
        length, at = _varint(data, at)
        found.append((tag >> 3, data[at : at + length]))
        at += length
    assert at == len(data)
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            return value, at

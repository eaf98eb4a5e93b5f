"""Weights are read as MXNet reads them; a file that lies is refused before memory is taken for it."""

import struct
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from trainers.bad_model import BadModel
from trainers.gluon.mxnet_import import load_mxnet
from trainers.mxnet_files.params import read_params, write_params

SECONDS = 1.0
TYPES = [np.float32, np.float64, np.float16]

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
numbers = st.sampled_from(TYPES).flatmap(lambda dtype: arrays(dtype, array_shapes(max_dims=4, max_side=5)))


def saved(weights: dict[str, Any]) -> bytes:
    """Return weights as MXNet writes them."""
    mx = load_mxnet()
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "w.params")
        mx.nd.save(path, {name: mx.nd.array(array, dtype=array.dtype) for name, array in weights.items()})
        return Path(path).read_bytes()


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return list(one) == list(other) and all(
        one[name].shape == other[name].shape and np.array_equal(one[name], other[name], equal_nan=True)
        for name in one
    )


@pytest.mark.usefixtures("mxnet")
@settings(deadline=None)
@given(st.dictionaries(names, numbers, min_size=1, max_size=4))
def test_what_mxnet_writes_is_read(weights: dict[str, Any]) -> None:
    read = read_params("w.params", saved(weights))
    with np.errstate(all="ignore"):
        assert same(read, {name: array.astype(np.float32) for name, array in weights.items()})


@pytest.mark.usefixtures("mxnet")
@settings(deadline=None)
@given(st.dictionaries(names, numbers, min_size=1, max_size=4))
def test_what_is_written_is_what_mxnet_writes(weights: dict[str, Any]) -> None:
    with np.errstate(all="ignore"):
        plain = {name: array.astype(np.float32) for name, array in weights.items()}
    assert write_params(plain) == saved(plain)


def file(*parts: bytes, count: int = 1, names: tuple[bytes, ...] = (b"w",)) -> bytes:
    """Return a .params file of arrays as they stand in it."""
    listed = b"".join(struct.pack("<Q", len(name)) + name for name in names)
    return struct.pack("<QQQ", 0x112, 0, count) + b"".join(parts) + struct.pack("<Q", len(names)) + listed


CPU_FLOATS = struct.pack("<iii", 1, 0, 0)
SIX = np.arange(6, dtype="<f4")
OLDER = {
    "of MXNet 0.8, where an array begins with its dimensions": struct.pack("<III", 2, 2, 3),
    "of MXNet 1.0": struct.pack("<IIqq", 0xF993FAC8, 2, 2, 3),
    "of MXNet 1.2": struct.pack("<IiIqq", 0xF993FAC9, 0, 2, 2, 3),
    "with NumPy's shapes": struct.pack("<IiIqq", 0xF993FACA, 0, 2, 2, 3),
}


@pytest.mark.parametrize("head", OLDER.values(), ids=OLDER)
def test_every_version_of_the_format_is_read(head: bytes) -> None:
    read = read_params("w.params", file(head + CPU_FLOATS + SIX.tobytes()))
    assert same(read, {"w": SIX.reshape(2, 3)})


def array(*shape: int, stype: int = 0, dtype: int = 0, data: bytes = bytes(24)) -> bytes:
    head = struct.pack("<IiI", 0xF993FAC9, stype, len(shape)) + struct.pack(f"<{len(shape)}q", *shape)
    return head + struct.pack("<iii", 1, 0, dtype) + data


LIES = [
    pytest.param(
        file(array(1 << 40)),
        "numbers, 4,398,046,511,104 bytes at byte 56; found 41",
        id="a shape of terabytes",
    ),
    pytest.param(
        file(array(1 << 62, 1 << 62)), "numbers, [0-9,.]+ at byte", id="a shape whose product overflows"
    ),
    pytest.param(file(array(-2, -3)), "1 and more in every dimension", id="a negative shape"),
    pytest.param(file(array(0, 6)), "1 and more in every dimension", id="a dimension of nothing"),
    pytest.param(file(array(*[2] * 33)), "1 to 32 dimensions .* found 33", id="33 dimensions"),
    pytest.param(file(array()), "1 to 32 dimensions .* found 0", id="no shape"),
    pytest.param(file(struct.pack("<I", 1 << 31)), "1 to 32 dimensions", id="two billion dimensions"),
    pytest.param(file(array(6, stype=1)), "a dense array.* found 1", id="a sparse array"),
    pytest.param(file(array(6, dtype=4)), "floats of 32, 64 or 16 bits .* found type 4", id="integers"),
    pytest.param(file(array(6), count=2), "expected weights", id="fewer arrays than promised"),
    pytest.param(file(array(6), count=1 << 60), "1 to 10,000 arrays", id="more arrays than atoms"),
    pytest.param(file(b"", count=0, names=()), "1 to 10,000 arrays", id="no arrays"),
    pytest.param(file(array(6), names=()), "1 to 10,000 names", id="a list without names"),
    pytest.param(file(array(6), names=(b"a", b"b")), "a name for each of 1 arrays", id="too many names"),
    pytest.param(
        file(array(6), array(6), count=2, names=(b"a", b"a")), "found 'a' twice", id="one name for two"
    ),
    pytest.param(file(array(6), names=(b"\xff",)), "a name in UTF-8", id="a name that is no text"),
    pytest.param(file(array(6))[:-1], "a name, 1 bytes.* found 0", id="a byte too few"),
    pytest.param(file(array(6)) + b"\0", "the end of the file", id="a byte too many"),
    pytest.param(b"PK\x03\x04" + bytes(40), "which begins with 0x112", id="a zip file"),
]


def answer(data: bytes) -> dict[str, Any] | BadModel:
    """Return the weights or the refusal; fails where neither comes soon, or memory is taken for nothing."""
    tracemalloc.start()
    begun = time.process_time()
    try:
        return read_params("w.params", data)
    except BadModel as refused:
        assert len(str(refused)) < 400
        return refused
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert time.process_time() - begun < SECONDS
        assert peak < 1_000_000 + 4 * len(data)


@pytest.mark.parametrize(("data", "reason"), LIES)
def test_weights_that_lie_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(BadModel, match=reason):
        read_params("w.params", data)
    assert isinstance(answer(data), BadModel)


SEED = file(array(2, 3), array(6), count=2, names=(b"arg:a", b"aux:b"))


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    data = SEED
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        end = at + draw(st.integers(0, 8))
        longs = st.integers(0, 2**64 - 1).map(lambda number: struct.pack("<Q", number))
        put = draw(st.one_of(st.binary(max_size=8), longs, st.just(data[at : at + 60])))
        data = data[:at] + put + data[end:]
    return data


@pytest.mark.usefixtures("mxnet")
@settings(deadline=None, max_examples=400)
@given(mutated())
def test_every_mutation_is_weights_that_mxnet_reads_alike_or_a_refusal(data: bytes) -> None:
    read = answer(data)
    if not isinstance(read, BadModel):
        known = {name: array.asnumpy() for name, array in load_mxnet().nd.load_frombuffer(data).items()}
        assert same(read, {name: array.astype(np.float32) for name, array in known.items()})

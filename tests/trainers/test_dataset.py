import io
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.io.recordio import ImageRecord, frame, pack
from trainers import from_arrays, from_records
from trainers.augment import Variation, augment
from trainers.dataset import batches

TABLE = ClassTable(((0, "RH"), (1, "LH"), (2, "none")))


def jpeg(shade: int, size: tuple[int, int] = (16, 16)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (shade, shade, shade)).save(out, "JPEG", quality=95)
    return out.getvalue()


def records(path: Path, *written: ImageRecord) -> str:
    path.write_bytes(b"".join(frame(pack(record)) for record in written))
    return str(path)


@pytest.fixture
def shades(tmp_path: Path) -> str:
    """Return a .rec of six grey pictures, each lighter than the one before."""
    written = (ImageRecord(n, (float(n % 3),), jpeg(n * 40)) for n in range(6))
    return records(tmp_path / "shades.rec", *written)


@pytest.mark.parametrize("in_memory", [1 << 30, 0], ids=["kept in memory", "read batch by batch"])
def test_pictures_and_labels_are_those_of_the_records(shades: str, in_memory: int) -> None:
    data = from_records(shades, 16, TABLE, in_memory=in_memory)
    assert data.labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert data.read(np.array([5, 0, 3]))[:, 8, 8, 0] == pytest.approx([200, 0, 120], abs=1)


def test_both_ways_of_reading_give_the_same_pixels_and_the_same_digest(shades: str) -> None:
    kept, read = (from_records(shades, 16, TABLE, in_memory=limit) for limit in (1 << 30, 0))
    rows = np.array([4, 4, 1])
    assert kept.read(rows).tolist() == read.read(rows).tolist()
    assert kept.digest == read.digest


def test_pictures_of_another_size_are_made_to_fit(tmp_path: Path) -> None:
    rec = records(tmp_path / "wide.rec", ImageRecord(1, (0.0,), jpeg(100, (60, 30))))
    assert from_records(rec, 16, TABLE).read(np.array([0])).shape == (1, 16, 16, 3)


def test_a_label_vector_says_which_classes_are_there(tmp_path: Path) -> None:
    rec = records(tmp_path / "several.rec", ImageRecord(1, (1.0, 0.0, 1.0), jpeg(9), vector=True))
    data = from_records(rec, 16, TABLE)
    assert data.multi_label
    assert data.labels.tolist() == [[1, 0, 1]]


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(ImageRecord(7, (3.0,), b""), id="a class that the table does not have"),
        pytest.param(ImageRecord(7, (-1.0,), b""), id="a class below zero"),
        pytest.param(ImageRecord(7, (0.5,), b""), id="half a class"),
        pytest.param(ImageRecord(7, (1.0, 0.0), b"", vector=True), id="a vector too short"),
        pytest.param(ImageRecord(7, (1.0, 0.0, 2.0), b"", vector=True), id="a vector with a two"),
        pytest.param(ImageRecord(7, (float("nan"),), b""), id="not a number"),
        pytest.param(ImageRecord(7, (float("inf"),), b""), id="infinite"),
    ],
)
def test_labels_that_cannot_be_are_bad_data(tmp_path: Path, record: ImageRecord) -> None:
    with pytest.raises(BadData, match="record 7: expected a class index below 3"):
        from_records(records(tmp_path / "bad.rec", record), 16, TABLE)


def test_single_labels_and_vectors_in_one_file_are_bad_data(tmp_path: Path) -> None:
    mixed = ImageRecord(1, (0.0,), b""), ImageRecord(2, (0.0, 0.0, 1.0), b"", vector=True)
    with pytest.raises(BadData, match="found single labels and vectors"):
        from_records(records(tmp_path / "mixed.rec", *mixed), 16, TABLE)


def test_an_empty_file_is_bad_data(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="expected pictures, found an empty file"):
        from_records(records(tmp_path / "empty.rec"), 16, TABLE)


def test_memory_does_not_grow_with_a_data_set_that_is_read_batch_by_batch(tmp_path: Path) -> None:
    picture = jpeg(50, (64, 64))
    rec = records(tmp_path / "many.rec", *(ImageRecord(n, (0.0,), picture) for n in range(600)))
    data = from_records(rec, 64, TABLE, in_memory=0)
    tracemalloc.start()
    for rows in batches(len(data), 8):
        data.read(rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 600 * 64 * 64 * 3 / 4


@given(st.integers(1, 300), st.integers(1, 64), st.integers(0, 9))
def test_batches_hold_every_row_once_and_differ_by_one_at_most(count: int, size: int, seed: int) -> None:
    parts = [rows.tolist() for rows in batches(count, size, np.random.default_rng(seed))]
    assert sorted(row for rows in parts for row in rows) == list(range(count))
    lengths = [len(rows) for rows in parts]
    assert max(lengths) - min(lengths) <= 1
    assert max(lengths) <= size


ARROW = np.zeros((2, 32, 32, 3), np.uint8)
ARROW[:, 8:24, 20:28] = 255  # white on the right


def test_augmenting_follows_from_the_random_numbers_alone() -> None:
    one, two = (augment(ARROW, np.random.default_rng(3), Variation(), mirror=False) for _ in range(2))
    assert one.tolist() == two.tolist()
    assert one.tolist() != ARROW.tolist()


def test_augmenting_never_mirrors_by_itself() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        varied = augment(ARROW, random, Variation(), mirror=False)
        assert (varied[:, :, 16:].sum(axis=(1, 2, 3)) > varied[:, :, :16].sum(axis=(1, 2, 3))).all()


def test_mirroring_turns_about_half_of_the_pictures_over() -> None:
    many = np.repeat(ARROW[:1], 200, axis=0)
    turned = augment(many, np.random.default_rng(0), None, mirror=True)
    count = (turned[:, 16, 8, 0] == 255).sum()
    assert 70 < count < 130
    assert ((turned == many) | (turned == many[:, :, ::-1])).all()


def test_nothing_asked_nothing_changed() -> None:
    assert augment(ARROW, np.random.default_rng(0), None, mirror=False) is ARROW


def test_ranges_of_nothing_change_nothing() -> None:
    still = augment(ARROW, np.random.default_rng(0), Variation(0, 0, 0, 0), mirror=False)
    assert still.tolist() == ARROW.tolist()


def test_a_shift_leaves_no_black_border() -> None:
    white = np.full((4, 32, 32, 3), 200, np.uint8)
    assert augment(white, np.random.default_rng(0), Variation(0.08, 10, 0.1, 0), mirror=False).min() == 200


@pytest.mark.parametrize(
    ("pictures", "labels", "found"),
    [
        pytest.param(np.zeros((2, 8, 8, 3)), [0, 1], "found float64 in", id="pixels that are no bytes"),
        pytest.param(np.zeros((2, 8, 8), np.uint8), [0, 1], "found uint8 in", id="grey pictures"),
        pytest.param(np.zeros((2, 8, 9, 3), np.uint8), [0, 1], "found uint8 in", id="pictures not square"),
        pytest.param(np.zeros((2, 8, 8, 3), np.uint8), [0], "found int64 in", id="a label too few"),
        pytest.param(np.zeros((2, 8, 8, 3), np.uint8), [0.0, 1.0], "found float64", id="no whole numbers"),
        pytest.param(np.zeros((2, 8, 8, 3), np.uint8), [0, 2], "found 2", id="a class not in the table"),
        pytest.param(np.zeros((2, 8, 8, 3), np.uint8), [0, -1], "found -1", id="a class below 0"),
        pytest.param(np.zeros((2, 8, 8, 3), np.uint8), [[0, 1], [3, 1]], "found 3", id="neither 0 nor 1"),
    ],
)
def test_arrays_of_another_form_are_refused(pictures: Any, labels: list[Any], found: str) -> None:
    with pytest.raises(Refused, match=f"expected .*{found}"):
        from_arrays(pictures, np.array(labels), ClassTable(((0, "RH"), (1, "LH"))))

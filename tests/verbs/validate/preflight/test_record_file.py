import struct
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from manifest_tools.base.errors import Refused
from manifest_tools.io.detection_labels import no_boxes
from manifest_tools.io.recordio import MAGIC, ImageRecord, frame, idx_line, lst_line, pack
from manifest_tools.verbs.validate.preflight.preflight import Preflight, settings
from manifest_tools.verbs.validate.preflight.record_file import (
    MOST_REASONS,
    RecordFile,
    read_record_file,
)
from manifest_tools.verbs.validate.validate import validate

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

JPEG = b"\xff\xd8\xff" + MAGIC + b"\xff\xd9"
BOXES = (2.0, 5.0, 0.0, 0.25, 0.25, 0.5, 0.75)


def rec(*labels: tuple[float, ...], picture: bytes = JPEG) -> bytes:
    """Return a .rec; each record has a picture of its own."""
    records = (ImageRecord(at, one, picture + b"%d" % at, len(one) > 1) for at, one in enumerate(labels))
    return b"".join(frame(pack(one)) for one in records)


def read(path: Path, data: bytes) -> RecordFile:
    path.write_bytes(data)
    return read_record_file(str(path))


def found(path: Path, purpose: str = "", **hyperparameters: str) -> dict[str, str]:
    preflight = Preflight(purpose, hyperparameters) if purpose else None
    return {one.code: one.message for one in validate(str(path), preflight=preflight)}


# Each example is a whole run of validate, on a machine that may have more to do.
unhurried = hypothesis_settings(deadline=None)
SINGLE = st.lists(st.tuples(st.integers(0, 30).map(float)), min_size=1, max_size=8)


@unhurried
@given(SINGLE)
def test_a_rec_as_it_was_packed_has_no_problem(
    tmp_path_factory: pytest.TempPathFactory, labels: list[tuple[float, ...]]
) -> None:
    path = tmp_path_factory.mktemp("rec") / "train.rec"
    data = rec(*labels)
    shown = read(path, data)
    assert (shown.entries, shown.samples, shown.size) == (len(labels), len(labels), len(data))
    assert {int(one) for (one,) in labels} == shown.ids.keys()
    assert found(path) == {}


@unhurried
@given(labels=SINGLE, cut=st.integers(1, 60))
def test_a_rec_that_was_cut_off_is_found_out(
    tmp_path_factory: pytest.TempPathFactory, labels: list[tuple[float, ...]], cut: int
) -> None:
    data = rec(*labels)
    whole = {len(rec(*labels[:count])) for count in range(len(labels) + 1)}
    path = tmp_path_factory.mktemp("cut") / "train.rec"
    left = max(len(data) - cut, 0)
    shown = read(path, data[:left])
    assert (shown.broken == "") == (left in whole)
    assert bool(found(path)) == (left == 0 or left not in whole)


@unhurried
@given(st.binary(max_size=300))
@pytest.mark.parametrize("name", ["a.rec", "a.lst"])
def test_no_bytes_break_the_reader(tmp_path_factory: pytest.TempPathFactory, name: str, data: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / name
    read(path, data)
    for message in found(path, "builtin").values():
        assert "\n" not in message and message.isprintable()


@unhurried
@given(st.lists(st.tuples(st.integers(0, 9), st.text("ab/ é.", min_size=1)), min_size=1, max_size=8))
def test_a_lst_as_im2rec_writes_it_has_no_problem(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, str]]
) -> None:
    path = tmp_path_factory.mktemp("lst") / "train.lst"
    names = [(label, f"a{name.strip()}z.jpg") for label, name in rows]
    shown = read(path, "".join(lst_line(at, [one], name) for at, (one, name) in enumerate(names)).encode())
    assert (shown.entries, shown.samples, shown.invalid, shown.twice) == (len(rows), len(rows), {}, None)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("0 1 left/1.jpg", "there are blanks in place of tabs"),
        ("0\t1", "found 2 fields"),
        ("x\t1\t1.jpg", "expected a whole number as the first field, found 'x'"),
        ("-1\t1\t1.jpg", "expected a whole number as the first field, found '-1'"),
        ("0\tRH\t1.jpg", "expected a number as a label, found 'RH'"),
        ("0\tnan\t1.jpg", "expected a number as a label"),
        ("0\tinf\t1.jpg", "expected a number as a label"),
        ("0\t1\t", "expected a path as the last field"),
        ("0\t1\t/data/1.jpg", "expected a path relative to the channel's prefix"),
        ("0\t1\ts3://b/1.jpg", "expected a path relative to the channel's prefix"),
        ("0\t1\tleft\\1.jpg", "expected a path relative to the channel's prefix"),
        ("0\t1\t\ud800.jpg", "expected UTF-8 text"),
    ],
)
def test_a_row_that_im2rec_would_skip_or_misread(tmp_path: Path, row: str, message: str) -> None:
    path = tmp_path / "train.lst"
    path.write_bytes(f"0\t0\tgood.jpg\n{row}\n".encode("utf-8", "surrogatepass"))
    problems = [one for one in validate(str(path)) if one.code == "MT805"]
    assert [one.line for one in problems] == [2]
    assert message in problems[0].message


@pytest.mark.parametrize(
    ("labels", "wrong"),
    [
        (BOXES, False),
        ((*BOXES, 1.0, 0.0, 0.0, 1.0, 1.0), False),
        ((3.0,), True),
        ((2.0, 5.0), True),
        ((5.0, 2.0, *BOXES[2:]), True),
        ((*BOXES, 1.0), True),
        ((2.0, 5.0, 0.0, 10.0, 10.0, 50.0, 70.0), True),
        ((2.0, 5.0, 0.0, 0.5, 0.25, 0.25, 0.75), True),
        ((2.0, 5.0, -1.0, 0.25, 0.25, 0.5, 0.75), True),
        ((4.0, 5.0, 320.0, 240.0, *BOXES[2:]), False),
        ((4.0, 5.0, 320.0, 240.0, *BOXES[2:] * 2), False),
        ((2.0, 6.0, *BOXES[2:], 0.0), False),
        ((2.0, 6.0, *BOXES[2:], 0.0, *BOXES[2:], 1.0), False),
        ((2.0, 6.0, *BOXES[2:]), True),
        ((4.0, 5.0, *BOXES[2:]), True),
        ((1.0, 5.0, *BOXES[2:]), True),
        ((2.5, 5.0, *BOXES[2:]), True),
        ((9e30, 5.0, *BOXES[2:]), True),
        ((8.0, 5.0, *BOXES[2:]), True),
    ],
)
def test_the_vector_of_a_detector(labels: tuple[float, ...], wrong: bool) -> None:
    assert bool(no_boxes(labels)) == wrong


def test_headers_and_boxes_of_other_lengths_are_sound(tmp_path: Path) -> None:
    """AWS's own sample writes 4, 5, width, height; pictures with one and with two boxes differ in width."""
    header = (4.0, 5.0, 320.0, 240.0)
    path = tmp_path / "train.rec"
    path.write_bytes(rec((*header, *BOXES[2:]), (*header, *BOXES[2:] * 2)))
    assert not {"MT809", "MT811"} & found(path, "object-detection").keys()


def test_the_class_of_a_box_is_below_num_classes(tmp_path: Path) -> None:
    path = tmp_path / "train.lst"
    path.write_text(lst_line(0, (2, 5, 7, 0.1, 0.2, 0.5, 0.6), "a.jpg") + lst_line(1, BOXES, "b.jpg"))
    message = found(path, "object-detection", num_classes="2")["MT610"]
    assert message == "num_classes=2, but a label has class 7; type -p num_classes=8"
    assert "MT610" not in found(path, "object-detection", num_classes="8")


def test_flags_of_every_class_leave_no_gap(tmp_path: Path) -> None:
    path = tmp_path / "train.rec"
    path.write_bytes(rec((1.0, 0.0, 1.0), (0.0, 1.0, 0.0)))
    assert not {"MT513", "MT813"} & found(path, "builtin", multi_label="1", num_classes="3").keys()
    path.write_bytes(rec((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)))
    assert "no line has class 2" in found(path, "builtin", multi_label="1", num_classes="3")["MT513"]


def test_a_flag_is_0_or_1(tmp_path: Path) -> None:
    path = tmp_path / "train.rec"
    path.write_bytes(rec((1.0, 0.0), (0.5, 0.0)))
    assert found(path, "builtin")["MT813"].startswith("expected 0 or 1 for each class")
    assert "MT813" not in found(path, "object-detection")


def test_rows_and_records_are_compared_as_lines_of_manifests_are(in_folder: Path) -> None:
    rows = [lst_line(1, [3], "a.jpg"), lst_line(2, [3], "a.jpg"), lst_line(3, [4], "a.jpg")]
    Path("train.lst").write_text("".join(rows))
    Path("validation.lst").write_text(lst_line(7, [3], "a.jpg") + lst_line(8, [5], "b.jpg"))
    data = frame(pack(ImageRecord(0, (3.0,), JPEG))) + frame(pack(ImageRecord(1, (4.0,), JPEG)))
    Path("train.rec").write_bytes(data)
    Path("test.rec").write_bytes(frame(pack(ImageRecord(0, (3.0,), JPEG))))
    problems = list(map(str, validate("train.lst", "validation.lst", "train.rec", "test.rec")))
    assert problems == [
        "train.lst:2: warning MT302 the picture of row 1 again, with the same label",
        "train.lst:3: error MT303 the picture of row 1 again, but here it is class 4 and there class 3",
        "train.rec:1: warning MT814 train.lst has no row with the number of this record (1 record)",
        "train.rec:2: warning MT814 train.lst gives this record other labels (1 record)",
        "train.rec: warning MT814 no record has the number 2, which train.lst lists (2 rows)",
        "train.rec:2: error MT303 the picture of record 1 again, but here it is class 4 and there class 3",
        "train.lst: warning MT312 class '4' is on 1 row here and on none of validation.lst, so that file"
        " cannot show whether a model has learnt it",
        "validation.lst: warning MT312 class '5' is on 1 row here and on none of train.lst, so a model"
        " trained on that file cannot learn it",
        "validation.lst:1: error MT313 1 picture of this file is in train.lst too",
        "train.rec: warning MT312 class '4' is on 1 record here and on none of test.rec, so that file"
        " cannot show whether a model has learnt it",
        "test.rec:1: error MT313 1 picture of this file is in train.rec too",
    ]
    assert [
        one for one in validate("train.lst", "validation.lst", together=False) if one.code > "MT310"
    ] == []


@unhurried
@given(
    labels=st.lists(st.lists(st.floats(0, 9, width=32), min_size=1, max_size=3), min_size=1, max_size=6),
    first=st.integers(0, 10**9),
)
def test_a_rec_and_its_own_list_and_index_agree(
    tmp_path_factory: pytest.TempPathFactory, labels: list[list[float]], first: int
) -> None:
    folder = tmp_path_factory.mktemp("beside")
    path, data, index, listing = folder / "train.rec", b"", "", ""
    for number, one in enumerate(labels, first):
        index += idx_line(number, len(data))
        listing += lst_line(number, one, f"{number}.jpg")
        data += frame(pack(ImageRecord(number, tuple(one), JPEG + b"%d" % number, len(one) > 1)))
    path.write_bytes(data)
    path.with_suffix(".idx").write_text(index)
    path.with_suffix(".lst").write_text(listing)
    shown = read_record_file(str(path))
    assert (shown.index, shown.listing) == ("", {})
    path.with_suffix(".lst").write_text(listing.replace(f"{first}\t", f"{first}\t8.5\t", 1))
    assert list(read_record_file(str(path)).listing.values()) == [(1, 1)]


def test_an_index_that_calls_records_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "train.rec"
    records = [frame(pack(ImageRecord(at, (0.0,), JPEG))) for at in (4, 9)]
    path.write_bytes(b"".join(records))
    for keys, right in (((4, 9), True), ((0, 1), True), ((9, 4), False), ((4, 7), False)):
        path.with_suffix(".idx").write_text(idx_line(keys[0], 0) + idx_line(keys[1], len(records[0])))
        assert ("MT803" in found(path)) != right
    assert f"calls the record at byte {len(records[0])} 7, but its number is 9" in found(path)["MT803"]


def test_an_index_of_another_file(tmp_path: Path) -> None:
    data = rec((0.0,), (1.0,))
    path, index = tmp_path / "train.rec", tmp_path / "train.idx"
    path.write_bytes(data)
    second = len(rec((0.0,)))
    index.write_text(idx_line(0, 0) + idx_line(1, second))
    assert found(path) == {}
    index.write_text(idx_line(1, second) + idx_line(0, 0))
    assert found(path) == {}
    for text, message in (
        (idx_line(0, 0), "lists 1 record, but this file has 2"),
        (idx_line(0, 0) + idx_line(1, 4), "says that a record begins at byte 4, but none does"),
        ("what\n", "expected a key, a tab and an offset"),
    ):
        index.write_text(text)
        assert message in found(path)["MT803"]


def test_a_description_is_no_picture_and_no_problem_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "train.rec"
    described = frame(pack(ImageRecord(0, (3.0, 9.0), b"", True)))
    shown = read(path, described + rec((0.0,)))
    assert (shown.entries, shown.samples, shown.description) == (2, 1, True)
    assert found(path).keys() == {"MT807"}


def test_a_record_too_short_for_its_header(tmp_path: Path) -> None:
    path = tmp_path / "train.rec"
    path.write_bytes(frame(b"short") + frame(struct.pack("<IfQQ", 9, 0, 0, 0)) + rec((0.0,)))
    assert [one.line for one in validate(str(path)) if one.code == "MT804"] == [1, 2]


def test_a_rec_is_a_channel_of_a_job(tmp_path: Path) -> None:
    parts = tmp_path / "train.rec", tmp_path / "validation.rec"
    parts[0].write_bytes(rec(*[(float(at % 3),) for at in range(40)]))
    parts[1].write_bytes(rec((0.0,), (1.0,)))
    given = {"num_classes": "2", "num_training_samples": "40"}
    report = validate(*map(str, parts), preflight=Preflight("builtin", given))
    codes = {one.code for one in report}
    assert {"MT610", "MT614"} <= codes
    assert not codes & {"MT501", "MT503", "MT612"}
    assert report.preflight_input is not None
    wanted = settings(report.preflight_input)
    assert wanted is not None
    assert (wanted.num_classes, wanted.num_training_samples) == (3, 40)
    assert (wanted.s3_data_type, wanted.record_wrapper_type, wanted.attribute_names) == (
        "S3Prefix",
        "None",
        (),
    )


@pytest.mark.parametrize("label", [float("nan"), float("inf"), -1.0, 0.5, -0.5])
def test_a_label_that_is_no_class(tmp_path: Path, label: float) -> None:
    path = tmp_path / "train.rec"
    path.write_bytes(rec((0.0,), (label,)))
    assert "MT810" in found(path, "builtin")
    assert "MT810" not in found(path, "object-detection")


def test_a_file_of_nonsense_is_not_remembered_whole(tmp_path: Path) -> None:
    path = tmp_path / "train.lst"
    shown = read(path, b"".join(b"%d\tx%d\t1.jpg\n" % (at, at) for at in range(500)))
    assert (shown.entries, len(shown.invalid)) == (500, MOST_REASONS)
    shown = read(path, b"".join(b"%d\t%d\t1.jpg\n" % (at, 5 * at) for at in range(120_000)))
    assert (len(shown.ids), shown.highest) == (100_000, 599_995)


def test_vectors_ask_for_multi_label(tmp_path: Path) -> None:
    path = tmp_path / "train.rec"
    path.write_bytes(rec((0.0, 1.0, 1.0), (1.0, 0.0, 0.0)))
    assert "multi_label is not 1" in found(path, "builtin")["MT812"]
    assert "num_classes=5" in found(path, "builtin", multi_label="1", num_classes="5")["MT812"]
    assert "MT812" not in found(path, "builtin", multi_label="1", num_classes="3")


def test_the_boxes_of_a_rec_fit_into_label_width(tmp_path: Path) -> None:
    path = tmp_path / "train.rec"
    path.write_bytes(rec((2.0, 5.0, *(BOXES[2:] * 70))))
    assert "label_width=352" in found(path, "object-detection")["MT615"]
    assert "MT615" not in found(path, "object-detection", label_width="352")


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(Refused, match=r"nowhere.rec: expected a .rec or .lst, found no such file"):
        read_record_file("nowhere.rec")


def test_a_rec_in_s3(s3: "S3Client") -> None:
    s3.create_bucket(Bucket="lab3-rec")
    s3.put_object(Bucket="lab3-rec", Key="train.rec", Body=rec((0.0,), (1.0,)))
    assert read_record_file("s3://lab3-rec/train.rec").samples == 2


def test_what_convert_writes_has_no_problem(
    in_folder: Path, sample: Path, run: Callable[..., "Result"]
) -> None:
    run(
        "convert",
        sample / "output.manifest",
        "--to",
        "recordio",
        "--allow-loss",
        "-o",
        "train",
        "--images",
        sample / "images",
    )
    (path,) = in_folder.glob("**/*.rec")
    (listed,) = in_folder.glob("**/*.lst")
    assert found(path) == {} and found(listed) == {}
    assert read_record_file(str(path)).samples == read_record_file(str(listed)).samples == 120


def test_offsets_are_those_of_the_records(tmp_path: Path) -> None:
    """A payload that spells the magic is cut, and longer in the file than its parts."""
    payloads = [pack(ImageRecord(at, (0.0,), JPEG + MAGIC * at)) for at in range(5)]
    offsets = np.cumsum([0, *(len(frame(one)) for one in payloads)])[:-1]
    path = tmp_path / "train.rec"
    path.write_bytes(b"".join(map(frame, payloads)))
    (tmp_path / "train.idx").write_text("".join(idx_line(at, int(one)) for at, one in enumerate(offsets)))
    assert found(path) == {}
    assert read_record_file(str(path)).size == path.stat().st_size

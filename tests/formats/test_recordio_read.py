import dataclasses
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.formats import recordio
from manifest_tools.formats.protocol import Files, ReadOptions
from manifest_tools.groundtruth.annotations import Box, DataSet, Picture, StreamedPictures
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.io.recordio import MAGIC, ImageRecord, frame
from manifest_tools.io.sinks import publishing
from manifest_tools.verbs.convert.convert import convert
from manifest_tools.verbs.convert.from_format import convert_from
from manifest_tools.verbs.rec.shard import rec_shard
from tests.data_sets import data_sets
from tests.pictures import jpeg, row, write_manifest
from tests.record_files import PICTURES, image_records, write_rec
from tests.write_options import for_packing

BOXES = (2.0, 5.0, 1.0, 0.1, 0.25, 0.5, 1.0, 0.0, 0.0, 0.0, 1 / 3, 0.75)


def read(place: object, **options: Any) -> DataSet:
    return recordio.read(str(place), ReadOptions(**options))


def pictures(data: DataSet, part: str = "") -> list[Picture]:
    return list(data.parts[part])


def encoded(picture: Picture) -> bytes:
    return jpeg(picture.number % 250) + MAGIC * (picture.number % 3)


def labels_and_bytes(one: Picture) -> tuple[tuple[int, ...], bytes]:
    content = one.content() if one.content else encoded(one)
    return tuple(sorted(one.classes)), content


def without_blanks(data: DataSet) -> DataSet:
    """Return the data set with other names for pictures: no .lst holds one with blanks around it."""
    parts = {
        part: StreamedPictures([replace(one, ref=one.ref.replace(" ", "_")) for one in found].copy)
        for part, found in data.parts.items()
    }
    return dataclasses.replace(data, parts=parts)


@given(data_sets("single_label", "multi_label"))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
def test_there_and_back_is_the_same_data_set(tmp_path: Path, data: DataSet) -> None:
    data = without_blanks(data)
    shutil.rmtree(tmp_path / "ds", ignore_errors=True)
    with publishing(force=True) as publication:
        sink = Files(publication, str(tmp_path / "ds" / "a"), ".rec")
        recordio.write(data, sink, for_packing(data, encoded))
    parts = {part: f"ds/a/{part}.rec" if part else "ds/a.rec" for part in data.parts}
    for part, path in parts.items():
        back = read(tmp_path / path, classes=data.table)
        assert (back.label_kind, back.table) == (data.label_kind, data.table)
        assert list(map(labels_and_bytes, back.parts[""])) == list(map(labels_and_bytes, data.parts[part]))
        assert [one.key for one in back.parts[""]] == [str(one.number) for one in data.parts[part]]


def test_a_conversion_comes_back_with_the_names_of_its_classes(in_folder: Path) -> None:
    (in_folder / "raw").mkdir()
    for number in range(4):
        (in_folder / "raw" / f"{number}.jpg").write_bytes(jpeg(40 * number))
    manifest = write_manifest(in_folder / "m.manifest", [row(f"{n}.jpg", n % 2) for n in range(4)])
    convert(manifest, "recordio", "ds", images=["raw"], pass_through=True)
    done = convert_from("ds.rec", "recordio", "back/all.manifest")
    assert dict(done.table.names) == {0: "RH", 1: "LH"}
    found = sorted(Path("back/all.images").iterdir())
    assert [one.read_bytes() for one in found] == [jpeg(40 * number) for number in range(4)]


def test_pictures_are_called_as_the_list_has_them_or_by_their_numbers(tmp_path: Path) -> None:
    write_rec(tmp_path / "a.rec", image_records(2, first=7), names=["x/1.jpg", "../2.jpg"])
    assert [one.ref for one in pictures(read(tmp_path / "a.rec"))] == ["x/1.jpg", "_._2.jpg"]
    (tmp_path / "a.lst").unlink()
    found = pictures(read(tmp_path / "a.rec", source_prefix="s3://b/raw/"))
    assert [(one.number, one.ref, one.key) for one in found] == [
        (1, "s3://b/raw/7.jpg", "7"),
        (2, "s3://b/raw/8.jpg", "8"),
    ]


def test_a_picture_is_read_when_it_is_wanted_also_elsewhere(tmp_path: Path) -> None:
    record = ImageRecord(0, (0.0, 1.0), PICTURES[0] + MAGIC * 2, vector=True)
    (found,) = pictures(read(write_rec(tmp_path / "a.rec", [record])))
    assert found.content is not None
    assert pickle.loads(pickle.dumps(found.content))() == record.picture
    assert found.classes == (1,)


def test_boxes_come_in_pixels_of_the_picture(tmp_path: Path) -> None:
    made = [ImageRecord(0, BOXES, jpeg(1, (300, 200)), vector=True)]
    made.append(ImageRecord(1, (2.0, 5.0), jpeg(1), vector=True))
    data = read(write_rec(tmp_path / "a.rec", made))
    first, second = pictures(data)
    assert (data.label_kind, first.size, dict(data.table.names)) == (
        "boxes",
        (300, 200),
        {0: "class 0", 1: "class 1"},
    )
    assert first.boxes == (Box(1, 30, 50, 120, 150), Box(0, 0, 0, 100, 150))
    assert second.boxes == ()


def test_what_more_a_label_says_is_counted(tmp_path: Path) -> None:
    longer = (6.0, 6.0, 300.0, 200.0, 3.0, 9.0, 1.0, 0.1, 0.25, 0.5, 1.0, 1.0)
    data = read(write_rec(tmp_path / "a.rec", [ImageRecord(0, longer, jpeg(1, (300, 200)), vector=True)]))
    assert data.lost == {"numbers of a box behind its corners": 1, "numbers in the header of a label": 1}


def test_one_class_in_a_vector_is_no_class_index(tmp_path: Path) -> None:
    made = [ImageRecord(at, (float(at),), PICTURES[at], vector=True) for at in range(2)]
    data = read(write_rec(tmp_path / "a.rec", made))
    assert (data.label_kind, [one.classes for one in pictures(data)]) == ("multi_label", [(), (0,)])


def test_records_without_a_picture_are_counted(tmp_path: Path) -> None:
    made = [ImageRecord(0, (5.0, 9.0), b"", vector=True), *image_records(3, first=1)]
    path = Path(write_rec(tmp_path / "a.rec", made, names=None))
    path.write_bytes(path.read_bytes() + frame(b"bare"))
    data = read(path)
    assert (len(pictures(data)), data.lost) == (3, {"records without a picture": 2})


def test_numbers_that_repeat_are_no_keys(tmp_path: Path) -> None:
    data = read(write_rec(tmp_path / "a.rec", [*image_records(2), *image_records(1)], names=None))
    assert [(one.number, one.key) for one in pictures(data)] == [(1, ""), (2, ""), (3, "")]


def test_shards_are_one_part_again(tmp_path: Path) -> None:
    write_rec(tmp_path / "train.rec", image_records(5))
    rec_shard(tmp_path / "train.rec", 3, tmp_path / "ds")
    write_rec(tmp_path / "ds" / "validation.rec", image_records(2))
    data = read(tmp_path / "ds")
    assert {part: len(pictures(data, part)) for part in data.parts} == {"train": 5, "validation": 2}
    assert [one.key for one in pictures(data, "train")] == ["0", "1", "2", "3", "4"]
    assert len(pictures(read(tmp_path / "ds" / "train-*.rec"))) == 5
    assert len(pictures(read(tmp_path / "ds" / "train-*"))) == 5  # not the .idx beside each


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        pytest.param([(0.0,), (0.5,)], "record 2: expected the index of .*, found 0.5", id="half"),
        pytest.param([(0.0,), (-1.0,)], "record 2: expected the index", id="negative"),
        pytest.param([(0.0, 1.0), (0.0, 1.0, 1.0)], "record 2: expected 2 labels as before", id="widths"),
        pytest.param([(0.0, 1.0), (0.0, 2.0)], "record 2: expected a 0 or a 1", id="flags"),
        pytest.param([BOXES, BOXES[:-1]], "record 2: .*which are no boxes of 5", id="boxes"),
        pytest.param([BOXES, (1.0,)], "record 2: .*found 1 number", id="two kinds"),
        pytest.param([(1e7,)], "expected class indices from 0 to", id="absurd"),
    ],
)
def test_labels_of_no_kind_are_told_with_their_record(
    tmp_path: Path, labels: list[tuple[float, ...]], message: str
) -> None:
    path = write_rec(tmp_path / "a.rec", image_records(len(labels), labels=labels), names=None)
    with pytest.raises(BadData, match=message):
        read(path)


def test_a_damaged_file_is_not_read_in_part(tmp_path: Path) -> None:
    path = Path(write_rec(tmp_path / "a.rec", image_records(3)))
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(BadData, match="mtool rec repair"):
        read(path)
    path.write_bytes(b"")
    with pytest.raises(BadData, match="expected records with a picture"):
        read(path)
    with pytest.raises(Refused, match=r"a \.rec file"):
        read(tmp_path / "none.rec")


def test_classes_that_were_told_have_names(tmp_path: Path) -> None:
    path = write_rec(tmp_path / "a.rec", image_records(3))
    table = ClassTable(((0, "RH"), (1, "LH"), (2, "both")))
    assert read(path, classes=table).table == table


def test_what_mxnet_packs_is_read(tmp_path: Path, mxnet: Any) -> None:
    import warnings

    labels: list[list[float]] = [[0, 1, 1], [1, 0, 0]]
    writer = mxnet.recordio.MXIndexedRecordIO(str(tmp_path / "a.idx"), str(tmp_path / "a.rec"), "w")
    for at, label in enumerate(labels):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MXNet calls NumPy's tostring()
            writer.write_idx(at, mxnet.recordio.pack((0, label, at, 0), PICTURES[at] + MAGIC * at))
    writer.close()
    found = pictures(read(tmp_path / "a.rec"))
    assert [one.classes for one in found] == [(1, 2), (0,)]
    assert [one.content() for one in found if one.content] == [PICTURES[0], PICTURES[1] + MAGIC]

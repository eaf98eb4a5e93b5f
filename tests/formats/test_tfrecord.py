import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from manifest_tools.formats import tfrecord
from manifest_tools.formats.protocol import Files
from manifest_tools.groundtruth.annotations import Box, DataSet, Picture, StreamedPictures
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.io.sinks import publishing
from tests.data_sets import data_sets
from tests.ground_truth import boxes, write
from tests.pictures import jpeg, row, write_manifest
from tests.tfrecords import features_in, records_in
from tests.write_options import for_packing

if TYPE_CHECKING:
    from typer.testing import Result

Run = Callable[..., "Result"]
TABLE = ClassTable(((0, 'a "b"'), (3, "L:H\n")))


def written(data: DataSet, output: Path, shard: int | None = None, piece: int = 3) -> list[str]:
    with publishing(force=True) as publication:
        sink = Files(publication, str(output), ".tfrecord")
        tfrecord.write(data, sink, for_packing(data, encoded, shard=shard, piece=piece))
    return sorted(str(Path(one.path).relative_to(output.parent)) for one in publication.published)


def encoded(picture: Picture) -> bytes:
    return jpeg(picture.number % 250, (64, 32))


def data_of(kind: Any, *pictures: Picture) -> DataSet:
    return DataSet(TABLE, kind, {"": StreamedPictures(list(pictures).copy)})


def examples(path: Path) -> list[dict[str, Any]]:
    return [features_in(record) for record in records_in(path.read_bytes())]


def test_a_picture_of_one_class(tmp_path: Path) -> None:
    data = data_of("single_label", Picture(7, "s3://raw/a b/é.jpg", classes=(3,), confidences=(0.5,)))
    assert written(data, tmp_path / "ds") == ["ds.labels.txt", "ds.tfrecord"]
    (found,) = examples(tmp_path / "ds.tfrecord")
    assert json.loads(found.pop("ground_truth")[0])["class-name"] == "L:H\n"
    assert found == {
        "image/class/confidence": [0.5],
        "image/class/label": [3],
        "image/class/text": [b"L:H\n"],
        "image/encoded": [jpeg(7, (64, 32))],
        "image/filename": ["s3://raw/a b/é.jpg".encode()],
        "image/format": [b"jpeg"],
        "image/height": [32],
        "image/source_id": [b"7"],
        "image/width": [64],
    }
    assert (tmp_path / "ds.labels.txt").read_text() == '0:a "b"\n3:L:H\n'


def test_boxes_are_fractions_and_their_labels_begin_at_1(tmp_path: Path) -> None:
    data = data_of(
        "boxes",
        Picture(1, "s3://raw/1.jpg", boxes=(Box(0, 16, 8, 32, 16, 0.25), Box(3, 0, 0, 64, 32))),
        Picture(2, "s3://raw/2.jpg"),
    )
    assert written(data, tmp_path / "ds") == ["ds.pbtxt", "ds.tfrecord"]
    found, nothing = examples(tmp_path / "ds.tfrecord")
    assert {name: value for name, value in found.items() if "/object/" in name} == {
        "image/object/bbox/xmax": [0.75, 1.0],
        "image/object/bbox/xmin": [0.25, 0.0],
        "image/object/bbox/ymax": [0.75, 1.0],
        "image/object/bbox/ymin": [0.25, 0.0],
        "image/object/class/label": [1, 4],
        "image/object/class/text": [b'a "b"', b"L:H\n"],
    }
    assert not [name for name in nothing if "/object/" in name]
    assert nothing["image/encoded"] == [jpeg(2, (64, 32))]
    assert 'id: 1\n  name: "a \\"b\\""' in (tmp_path / "ds.pbtxt").read_text()


@given(data_sets("single_label", "multi_label", "boxes"))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
def test_every_picture_is_there_with_its_classes_in_pieces_or_shards(tmp_path: Path, data: DataSet) -> None:
    wanted = [
        (encoded(one), [*one.classes, *(box.class_index + 1 for box in one.boxes)])
        for part in data.parts.values()
        for one in part
    ]
    for shard, piece in ((None, 1), (None, 3), (2, 3)):
        for old in tmp_path.rglob("*.tfrecord"):
            old.unlink()
        written(data, tmp_path / "ds", shard, piece)
        found = [one for path in sorted(tmp_path.rglob("*.tfrecord")) for one in examples(path)]
        key = "image/object/class/label" if data.label_kind == "boxes" else "image/class/label"
        assert [(one["image/encoded"][0], one.get(key, [])) for one in found] == wanted


def test_shards_say_how_many_they_are(tmp_path: Path) -> None:
    pictures = [Picture(number, f"s3://raw/{number}.jpg", classes=(0,)) for number in range(1, 6)]
    parts = {name: StreamedPictures(pictures.copy) for name in ("train", "validation")}
    assert written(DataSet(TABLE, "single_label", parts), tmp_path / "ds", shard=2) == [
        "ds/labels.txt",
        *(f"ds/train-{number:05}-of-00003.tfrecord" for number in range(3)),
        *(f"ds/validation-{number:05}-of-00003.tfrecord" for number in range(3)),
    ]


def test_a_picture_without_a_size_is_left_out(tmp_path: Path) -> None:
    import io

    from manifest_tools.formats.picture_json import Wording
    from manifest_tools.formats.protocol import NotPacked

    found = list(
        tfrecord.pack_pictures(
            Wording("label", "single_label", {}), iter([(Picture(1, "a", classes=(0,)), b"x")]), io.BytesIO()
        )
    )
    assert isinstance(found[0], NotPacked) and found[0].why.code == "MT402"


# ---- through the command ----


def test_a_manifest_becomes_records(in_folder: Path, run: Run) -> None:
    (in_folder / "raw").mkdir()
    for number in range(5):
        (in_folder / "raw" / f"{number}.jpg").write_bytes(jpeg(number))
    write_manifest(in_folder / "train.manifest", [row(f"{n}.jpg", n % 2) for n in range(5)])
    words = ("convert", "train.manifest", "--to", "tfrecord", "--images", "raw", "--shard", "2")
    result = run(*words, "-o", "one", "-j", "1")
    assert (result.exit_code, result.stdout) == (0, "")
    assert run(*words, "-o", "two", "-j", "2").exit_code == 0
    for number in range(3):
        ending = f"-{number:05}-of-00003.tfrecord"
        assert Path(f"one{ending}").read_bytes() == Path(f"two{ending}").read_bytes()
    assert [one["image/class/label"] for one in examples(Path("one-00001-of-00003.tfrecord"))] == [[0], [1]]


def test_boxes_stay_in_pixels_so_pictures_are_not_shrunk(in_folder: Path, run: Run) -> None:
    (in_folder / "raw").mkdir()
    (in_folder / "raw" / "0.jpg").write_bytes(jpeg(0, (640, 480)))
    write(in_folder / "m", boxes(0, ("RH", 0.9)))
    words = ("convert", "m", "--to", "tfrecord", "-o", "ds", "--images", "raw")
    result = run(*words, "--resize", "32")
    assert result.exit_code == 2
    assert "--resize: boxes are in pixels of the pictures as they are" in result.stderr
    assert run(*words).exit_code == 0


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_turned_picture_has_the_size_that_its_boxes_are_in(tmp_path: Path, orientation: int) -> None:
    import io

    from PIL import Image

    from manifest_tools.images.frame_size import frame_size

    exif, out = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    Image.new("RGB", (64, 32)).save(out, "JPEG", exif=exif)
    assert frame_size(out.getvalue()) == ((64, 32) if orientation == 1 else (32, 64))

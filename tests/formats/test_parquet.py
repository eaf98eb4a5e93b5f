import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.formats import parquet
from manifest_tools.formats.protocol import Files, ReadOptions
from manifest_tools.groundtruth.annotations import Box, DataSet, Picture, StreamedPictures
from manifest_tools.groundtruth.classes import ClassConflict, ClassTable
from manifest_tools.io.sinks import publishing
from manifest_tools.verbs.convert.convert import convert
from tests.conftest import REPOSITORY
from tests.data_sets import data_sets
from tests.ground_truth import boxes, write
from tests.pictures import jpeg, row, write_manifest
from tests.write_options import for_packing

if TYPE_CHECKING:
    from typer.testing import Result

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed: the extra hf")
pq = pytest.importorskip("pyarrow.parquet")

Run = Callable[..., "Result"]
TABLE = ClassTable(((0, "RH"), (2, "LH")))


def written(
    data: DataSet, output: Path, shard: int | None = None, piece: int = 3, beside: bool = False
) -> list[str]:
    with publishing(force=True) as publication:
        sink = Files(publication, str(output), ".parquet")
        options = for_packing(data, encoded, shard=shard, piece=piece)
        parquet.write(data, sink, replace(options, beside=beside))
    return sorted(str(Path(one.path).relative_to(output.parent)) for one in publication.published)


def encoded(picture: Picture) -> bytes:
    return jpeg(picture.number % 250)


def data_of(kind: Any, *pictures: Picture) -> DataSet:
    return DataSet(TABLE, kind, {"": StreamedPictures(list(pictures).copy)})


def read(place: object, **options: Any) -> DataSet:
    return parquet.read(str(place), ReadOptions(**options))


def comparable(data: DataSet) -> list[list[str]]:
    """Return every picture as text but for where its bytes are, which are compared as well."""
    return [[_comparable(one) for one in pictures] for pictures in data.parts.values()]


def _comparable(one: Picture) -> str:
    said = (one.ref, one.size, one.depth, one.classes, one.confidences, one.boxes, one.provenance)
    return repr((*said, encoded(one) if one.content is None else one.content()))


@given(data_sets("single_label", "multi_label", "boxes"))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
def test_there_and_back_is_the_same_data_set(tmp_path: Path, data: DataSet) -> None:
    for shard in (None, 2):
        place = Path(tempfile.mkdtemp(dir=tmp_path)) / "ds"
        written(data, place, shard)
        back = read(place, classes=data.table)
        assert comparable(back) == comparable(data)
        assert (back.table, back.label_kind, back.attribute) == (data.table, data.label_kind, data.attribute)
        assert back.lost == {}


@given(data_sets("single_label", "multi_label", "boxes"))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
def test_pictures_that_are_only_named_come_back_as_well(tmp_path: Path, data: DataSet) -> None:
    place = Path(tempfile.mkdtemp(dir=tmp_path)) / "ds"
    placed: list[tuple[str, int, str]] = []
    with publishing(force=True) as publication:
        options = for_packing(data, encoded, placed=lambda *what: placed.append(what))
        sink = Files(publication, str(place), ".parquet")
        parquet.write(data, sink, replace(options, beside=True))
    back = read(place, classes=data.table)
    assert comparable(back) == comparable(data)
    keys = [(part, one.key) for part, pictures in back.parts.items() for one in pictures]
    assert [(part, key) for part, _, key in placed] == keys


def features(path: Path) -> Any:
    return json.loads(pq.read_schema(path).metadata[b"huggingface"])["info"]["features"]


def test_the_columns_are_those_of_hugging_face_with_names_in_the_order_of_the_indices(tmp_path: Path) -> None:
    picture = Picture(1, "s3://raw/train station.jpg", classes=(2,))
    assert written(data_of("single_label", picture), tmp_path / "ds") == ["ds.parquet"]
    table = pq.read_table(tmp_path / "ds.parquet")
    assert table.drop(["ground_truth"]).to_pylist() == [
        {"image": {"bytes": jpeg(1), "path": "00000001.jpg"}, "label": 2}
    ]
    assert features(tmp_path / "ds.parquet") == {
        "image": {"_type": "Image"},
        "label": {"names": ["RH", "class 1", "LH"], "_type": "ClassLabel"},
        "ground_truth": {"dtype": "string", "_type": "Value"},
    }


def test_boxes_are_objects_and_a_picture_without_one_has_empty_lists(tmp_path: Path) -> None:
    data = data_of(
        "boxes",
        Picture(1, "s3://raw/1.jpg", boxes=(Box(2, 1, 2, 3, 4.5), Box(0, 5, 6, 7, 8))),
        Picture(2, "s3://raw/2.jpg"),
        Picture(3, "s3://raw/3.jpg", boxes=(Box(0, 0, 0, 1, 1),)),
    )
    written(data, tmp_path / "ds")
    rows = pq.read_table(tmp_path / "ds.parquet").drop(["ground_truth", "image"]).to_pylist()
    assert rows[0] == {
        "image_id": 1,
        "width": 60,
        "height": 40,
        "objects": {
            "id": [1, 2],
            "area": [13.5, 56.0],
            "bbox": [[1.0, 2.0, 3.0, 4.5], [5.0, 6.0, 7.0, 8.0]],
            "category": [2, 0],
        },
    }
    assert rows[1]["objects"] == {"id": [], "area": [], "bbox": [], "category": []}
    assert rows[2]["objects"]["id"] == [3]


def test_parts_lie_where_splits_of_any_name_are_found(tmp_path: Path) -> None:
    pictures = [Picture(number, f"s3://raw/{number}.jpg", classes=(0,)) for number in range(1, 4)]
    parts = {name: StreamedPictures(pictures.copy) for name in ("train", "fold 1")}
    data = DataSet(TABLE, "single_label", parts)
    assert written(data, tmp_path / "ds") == [
        "ds/data/fold 1-00000-of-00001.parquet",
        "ds/data/train-00000-of-00001.parquet",
    ]
    assert written(data, tmp_path / "more", shard=2)[-2:] == [
        "more/data/train-00000-of-00002.parquet",
        "more/data/train-00001-of-00002.parquet",
    ]
    assert list(read(tmp_path / "more").parts) == ["fold 1", "train"]


def test_a_part_without_pictures_has_a_file_without_rows(tmp_path: Path) -> None:
    one = [Picture(1, "s3://raw/1.jpg", classes=(0,))]
    parts = {"train": StreamedPictures(one.copy), "validation": StreamedPictures(list)}
    written(DataSet(TABLE, "single_label", parts), tmp_path / "ds")
    assert [len(list(part)) for part in read(tmp_path / "ds").parts.values()] == [1, 0]


def test_pieces_of_any_size_make_the_same_file_in_groups_of_64(tmp_path: Path) -> None:
    data = data_of("single_label", *(Picture(n, f"s3://raw/{n}.jpg", classes=(0,)) for n in range(150)))
    contents = set()
    for piece in (1, 7, 100):
        written(data, tmp_path / "ds", piece=piece)
        contents.add((tmp_path / "ds.parquet").read_bytes())
    assert len(contents) == 1
    metadata = pq.read_metadata(tmp_path / "ds.parquet")
    assert [metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)] == [64, 64, 22]


# ---- what others write ----


def theirs(path: Path, note: Any = None, **columns: Any) -> str:
    table = pa.table(columns)
    if note is not None:
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": note}})})
    pq.write_table(table, path)
    return str(path)


PICTURES = [{"bytes": jpeg(1), "path": "cat.jpg"}, {"bytes": jpeg(2), "path": None}]


def test_a_class_label_gives_names_also_to_classes_that_no_row_has(tmp_path: Path) -> None:
    note = {"image": {"_type": "Image"}, "label": {"names": ["a", "b", "c"], "_type": "ClassLabel"}}
    place = theirs(tmp_path / "a.parquet", note, label=[1, -1], image=PICTURES)
    data = read(place)
    assert data.table.names == ((0, "a"), (1, "b"), (2, "c"))
    assert [(one.ref, one.classes, one.content and one.content()) for one in data.parts[""]] == [
        ("cat.jpg", (1,), jpeg(1)),
        ("00000002.jpg", (), jpeg(2)),
    ]
    told = read(place, classes=ClassTable(((0, "b"), (1, "a"), (2, "c"))), source_prefix="s3://b/x")
    assert [(one.ref, one.classes) for one in told.parts[""]][0] == ("s3://b/x/cat.jpg", (0,))


def test_names_and_lists_of_names_are_numbered_as_sorted(tmp_path: Path) -> None:
    place = theirs(
        tmp_path / "a.parquet", image=[jpeg(1), jpeg(2)], labels=[["dog", "ant"], []], other=[1, 2]
    )
    data = read(place)
    assert (data.label_kind, data.table.names) == ("multi_label", ((0, "ant"), (1, "dog")))
    assert [one.classes for one in data.parts[""]] == [(1, 0), ()]
    assert data.lost == {"column other": 2}


def test_objects_of_the_hub_are_boxes(tmp_path: Path) -> None:
    objects = [
        {"bbox": [[1.0, 2.0, 3.0, 4.0]], "category": [1], "iscrowd": [0]},
        {"bbox": [], "category": [], "iscrowd": []},
    ]
    category = {"names": ["a", "b"], "_type": "ClassLabel"}
    for feature in (
        {"feature": {"bbox": {}, "category": category}, "_type": "Sequence"},
        {"bbox": {}, "category": {"feature": category, "_type": "List"}},
    ):
        place = theirs(
            tmp_path / "a.parquet",
            {"objects": feature},
            image=PICTURES,
            objects=objects,
            width=[9, 9],
            height=[5, 5],
        )
        data = read(place)
        assert (data.label_kind, data.table.names) == ("boxes", ((0, "a"), (1, "b")))
        assert [(one.size, one.boxes) for one in data.parts[""]] == [
            ((9, 5), (Box(1, 1, 2, 3, 4),)),
            ((9, 5), ()),
        ]


def test_pictures_may_be_paths_alone(tmp_path: Path) -> None:
    image = [{"bytes": None, "path": path} for path in ("s3://b/1.jpg", "raw/a b.jpg", None)]
    data = read(theirs(tmp_path / "a.parquet", image=image, label=["x", "y", "x"]))
    assert [(one.ref, one.content) for one in data.parts[""]] == [
        ("s3://b/1.jpg", None),
        ("raw/a b.jpg", None),
    ]
    assert data.lost == {"rows without a picture": 1}


def test_two_files_that_name_one_index_twice_are_refused(tmp_path: Path) -> None:
    for number, names in enumerate((["a", "b"], ["b", "a"])):
        note = {"label": {"names": names, "_type": "ClassLabel"}}
        theirs(tmp_path / f"train-{number:05}.parquet", note, image=PICTURES, label=[0, 1])
    with pytest.raises(ClassConflict, match="class 0 has two names"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        pytest.param({"label": [1]}, "expected a column of pictures, found label", id="no pictures"),
        pytest.param(
            {"image": [{"bytes": None, "path": None}]}, "expected rows with pictures", id="all empty"
        ),
        pytest.param({"image": [jpeg(1)], "label": [-2]}, "class indices from 0", id="a negative class"),
        pytest.param({"image": [jpeg(1)], "label": [10**9]}, "class indices from 0", id="a huge class"),
        pytest.param(
            {"image": [jpeg(1)], "objects": [{"bbox": [[1.0, 2.0]], "category": [0]}]},
            "boxes of left, top, width and height",
            id="half a box",
        ),
        pytest.param(
            {"image": [jpeg(1)], "objects": [{"bbox": [[1.0, 2.0, 3.0, float("nan")]], "category": [0]}]},
            "boxes of left, top, width and height",
            id="a box of no number",
        ),
        pytest.param(
            {"image": [jpeg(1)], "objects": [{"bbox": [], "category": [0]}]},
            "expected a class for each box, found 1 for 0",
            id="a class without a box",
        ),
    ],
)
def test_what_cannot_be_meant_is_said(tmp_path: Path, columns: Any, message: str) -> None:
    with pytest.raises(BadData, match=message):
        read(theirs(tmp_path / "a.parquet", **columns))


@pytest.mark.parametrize("path", ["../1.jpg", "/etc/passwd", "http://a/1.jpg\0"])
def test_a_path_that_leads_elsewhere_is_refused(tmp_path: Path, path: str) -> None:
    data = read(theirs(tmp_path / "a.parquet", image=[{"bytes": None, "path": path}], label=[0]))
    with pytest.raises(BadData, match="expected an s3:// URI or a path below"):
        list(data.parts[""])


def test_a_file_that_is_no_parquet_gives_a_sentence(tmp_path: Path) -> None:
    place = theirs(tmp_path / "a.parquet", image=PICTURES, label=[0, 1])
    whole = Path(place).read_bytes()
    for content in (
        b"",
        b"PAR1",
        b"x" * 100,
        whole[:-20],
        whole[:-4] + b"XXXX",
        bytes(len(whole) - 8) + whole[-8:],
    ):
        Path(place).write_bytes(content)
        with pytest.raises(BadData, match="expected a Parquet file") as caught:
            read(place)
        assert "\n" not in str(caught.value)
    with pytest.raises(Refused, match="found no such file"):
        read(tmp_path / "b.parquet")


# ---- through the command ----


def test_a_manifest_becomes_parquet_and_comes_back(in_folder: Path, run: Run) -> None:
    (in_folder / "raw").mkdir()
    for number in range(5):
        (in_folder / "raw" / f"{number}.jpg").write_bytes(jpeg(number))
    write_manifest(in_folder / "train.manifest", [row(f"{n}.jpg", n % 2) for n in range(5)])
    words = ("convert", "train.manifest", "--to", "parquet", "--images", "raw")
    for jobs in ("1", "2"):
        result = run(*words, "-o", f"ds{jobs}", "-j", jobs)
        assert (result.exit_code, result.stdout) == (0, "")
    assert Path("ds1.parquet").read_bytes() == Path("ds2.parquet").read_bytes()
    assert [one.ref for one in read("ds1.parquet").parts[""]] == [
        f"s3://raw/{number}.jpg" for number in range(5)
    ]


def test_boxes_are_packed(in_folder: Path, run: Run) -> None:
    (in_folder / "raw").mkdir()
    (in_folder / "raw" / "0.jpg").write_bytes(jpeg(0, (640, 480)))
    write(in_folder / "m", boxes(0, ("RH", 0.9)))
    assert run("convert", "m", "--to", "parquet", "-o", "ds", "--images", "raw").exit_code == 0
    assert [len(one.boxes) for one in read("ds.parquet").parts[""]] == [1]


def test_a_pyarrow_that_wants_another_numpy_is_said_with_what_to_type(tmp_path: Path) -> None:
    (tmp_path / "pyarrow").mkdir()
    refusal = "raise ImportError('pyarrow requires NumPy 2.0 or newer\\nand more')"
    (tmp_path / "pyarrow" / "__init__.py").write_text(refusal)
    code = "from manifest_tools.formats.hugging_face import import_pyarrow; import_pyarrow()"
    paths = os.pathsep.join([str(tmp_path), str(REPOSITORY)])
    said = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.stderr.splitlines()[-1].endswith(
        'pyarrow cannot be used here (pyarrow requires NumPy 2.0 or newer); type: pip install "pyarrow<26"'
    )


def test_pictures_beside_are_named_and_none_is_opened(in_folder: Path, run: Run) -> None:
    write(in_folder / "m", boxes(0, ("RH", 0.9)), boxes(1))
    words = ("convert", "m", "--to", "parquet", "-o", "ds", "--beside", "--side-car")
    assert run(*words).exit_code == 0
    assert [(one.ref, one.content) for one in read("ds.parquet").parts[""]] == [
        ("s3://raw/0.jpg", None),
        ("s3://raw/1.jpg", None),
    ]
    assert run("convert", "--from", "parquet", "ds.parquet", "-o", "back").exit_code == 0
    assert Path("back").read_bytes() == Path("m").read_bytes()
    for option in (("--resize", "9"), ("--upright",), ("--unchecked",), ("--resume",)):
        assert run(*words[:5], "other", "--beside", *option, "--allow-loss").exit_code == 2
    assert "goes with --to parquet" in run("convert", "m", "--to", "coco", "--beside").stderr
    theirs(in_folder / "inside.parquet", image=PICTURES, label=["a", "b"])
    inside = ("convert", "--from", "parquet", "inside.parquet", "--to", "parquet", "-o", "x", "--beside")
    assert "stands in a file of many" in run(*inside).stderr


def test_another_file_of_the_same_name_has_its_own_pictures(in_folder: Path) -> None:
    """Groups of rows are remembered while they are read: by the file, and not by its name alone."""
    Path("raw").mkdir()
    manifest = write_manifest(in_folder / "a.manifest", [row("1.jpg", 0)])
    for shade in (1, 200):
        Path("raw/1.jpg").write_bytes(jpeg(shade))
        convert(manifest, "parquet", "a", images=["raw"], force=True)
        (picture,) = read("a.parquet").parts[""]
        assert picture.content is not None
        assert picture.content() == jpeg(shade)

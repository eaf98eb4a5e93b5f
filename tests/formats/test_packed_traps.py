"""What converters of the field trip over, in every format that packs pictures with their labels, and back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from manifest_tools.formats.class_contract import read_data_set
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.formats.table import FORMATS
from manifest_tools.groundtruth.annotations import DataSet
from tests.pictures import jpeg

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

Run = Callable[..., "Result"]

# Class order against the order of names; an index that is nobody's; names that look like endings or patterns.
CLASSES = {0: "zebra", 1: "a,b", 4: "ant"}
KEYS = [
    "left/1.jpg",
    "right/1.jpg",  # one name in two folders
    "left/1.jpg",  # the same picture twice
    "a.b.c/photo.v2.jpg",
    "two words #1 50%.jpg",
    "cafe\u0301.jpg",  # NFD
    f"{'long ' * 40}.jpg",  # more than 128 characters
    "train.jpg",
]
LAYOUTS = {"webdataset": ".tar", "parquet": ".parquet"}


@pytest.fixture(params=LAYOUTS)
def form(request: pytest.FixtureRequest) -> str:
    if request.param == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed: the extra hf")
    return str(request.param)


def single(number: int, key: str) -> dict[str, Any]:
    index = list(CLASSES)[number % 3]
    metadata = {"class-name": CLASSES[index], "confidence": 0.25 * number, "job-name": "j"}
    return _line(key, index, metadata | {"type": "groundtruth/image-classification"})


def some(number: int, key: str) -> dict[str, Any]:
    indices = [index for at, index in enumerate(CLASSES) if (number >> at) & 1]  # the first has none
    names = {str(index): CLASSES[index] for index in indices}
    return _line(key, indices, {"class-map": names, "type": "groundtruth/image-classification-multilabel"})


def boxed(number: int, key: str) -> dict[str, Any]:
    boxes = [
        {"class_id": index, "left": 1.5 * at, "top": 2, "width": 30, "height": 10.25}
        for at, index in enumerate(list(CLASSES)[: number % 4])  # the first has none
    ]
    metadata = {
        "objects": [{"confidence": 0.5} for _ in boxes],
        "class-map": {str(box["class_id"]): CLASSES[int(box["class_id"])] for box in boxes},
        "type": "groundtruth/object-detection",
    }
    return _line(
        key, {"image_size": [{"width": 60, "height": 40, "depth": 3}], "annotations": boxes}, metadata
    )


def _line(key: str, label: Any, metadata: dict[str, Any]) -> dict[str, Any]:
    return {"source-ref": f"s3://raw/{key}", "my-label": label, "my-label-metadata": metadata}


@pytest.fixture(params=[single, some, boxed])
def manifest(request: pytest.FixtureRequest, in_folder: Path) -> Path:
    lines = [request.param(number, key) for number, key in enumerate(KEYS)]
    for number, key in enumerate(KEYS):
        path = in_folder / "raw" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(number))
    path = in_folder / "m.manifest"
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    return path


def read(form: str, place: str) -> DataSet:
    return read_data_set(FORMATS[form], place, ReadOptions())


@pytest.mark.parametrize("shards", [(), ("--shard", "3")], ids=["whole", "in shards"])
def test_every_line_is_there_with_its_own_picture_and_comes_back_byte_for_byte(
    form: str, shards: tuple[str, ...], manifest: Path, run: Run
) -> None:
    words = ("--to", form, "-o", "ds", "--images", "s3://raw=raw", "--side-car", *shards)
    assert run("convert", manifest, *words).exit_code == 0
    place = f"ds-*{LAYOUTS[form]}" if shards else f"ds{LAYOUTS[form]}"
    data = read(form, place)
    assert (data.table.names, data.attribute) == (tuple(CLASSES.items()), "my-label")
    found = list(data.parts[""])
    assert [one.ref for one in found] == [f"s3://raw/{key}" for key in KEYS]
    assert [one.content and one.content() for one in found] == [Path("raw", key).read_bytes() for key in KEYS]
    assert run("convert", "--from", form, place, "-o", "back.manifest").exit_code == 0
    assert Path("back.manifest").read_bytes() == manifest.read_bytes()


def test_the_class_table_is_found_beside_shards_however_they_are_named(
    form: str, manifest: Path, run: Run
) -> None:
    lines = manifest.read_text().splitlines(keepends=True)
    (manifest.parent / "few.manifest").write_text("".join(lines[:2]))
    Path("classes.txt").write_text(
        json.dumps({str(index): name for index, name in (*CLASSES.items(), (9, "new"))})
    )
    words = ("--to", form, "-o", "ds", "--images", "s3://raw=raw", "--allow-loss", "--shard", "1")
    assert run("convert", "few.manifest", *words, "--classes", "classes.txt").exit_code == 0
    for place in sorted(Path().glob(f"ds-*{LAYOUTS[form]}")):
        assert (9, "new") in read(form, str(place)).table.names
    assert (9, "new") in read(form, "ds").table.names
    assert (9, "new") in read(form, f"ds-*{LAYOUTS[form]}").table.names


def test_shards_go_to_s3(form: str, manifest: Path, run: Run, s3: "S3Client") -> None:
    s3.create_bucket(Bucket="out")
    words = ("--to", form, "--images", "s3://raw=raw", "--allow-loss", "--shard", "5")
    assert run("convert", manifest, *words, "-o", "ds").exit_code == 0
    assert run("convert", manifest, *words, "-o", "s3://out/x/ds").exit_code == 0
    files = sorted(Path().glob(f"ds-*{LAYOUTS[form]}"))
    assert len(files) == 2
    for path in files:
        assert s3.get_object(Bucket="out", Key=f"x/{path}")["Body"].read() == path.read_bytes()

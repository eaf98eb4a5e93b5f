"""The list with its pictures, as SageMaker's image classification takes it."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings

from manifest_tools.formats.lst import read, write
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.groundtruth.annotations import DataSet
from manifest_tools.io.folder_sink import FolderSink
from manifest_tools.verbs.convert.convert import convert
from manifest_tools.verbs.convert.from_format import convert_from
from tests.copied_pictures import for_copies
from tests.data_sets import data_sets
from tests.pictures import jpeg, row, write_manifest


def written(data: DataSet, folder: str | Path) -> dict[str, Any]:
    sink = FolderSink(Path(folder))
    return write(data, sink, for_copies(data, sink))


@settings(deadline=None, max_examples=40)
@given(data_sets("single_label", "multi_label").filter(lambda data: data.table.num_classes > 1))
def test_what_is_written_is_read_again(data: DataSet) -> None:
    """But for one class of which a picture has many or none: that is a 0 or a 1, as two classes are."""
    with TemporaryDirectory() as folder:
        written(data, folder)
        found = read(folder, ReadOptions(classes=data.table))
        assert list(found.parts) == list(data.parts)
        for part, pictures in data.parts.items():
            back = list(found.parts[part])
            assert [set(one.classes) for one in back] == [set(one.classes) for one in pictures]
            assert all(Path(folder, one.key).is_file() for one in back)


def manifest(folder: Path) -> str:
    keys = ("left/1.jpg", "right/1.jpg", "a  b#%é\u0301.jpg", "right/1.jpg")
    for number, key in enumerate(keys):
        path = folder / "raw" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(number))
    return write_manifest(folder / "m.manifest", [row(key, n % 2) for n, key in enumerate(keys)])


def test_pictures_and_their_list_are_a_channel_each(in_folder: Path) -> None:
    m = manifest(in_folder)
    done = convert(
        [m, write_manifest(in_folder / "v.manifest", [row("left/1.jpg", 1)])], "lst", "ds", images=["raw"]
    )
    assert done.pictures == 5
    files = [path.relative_to("ds").as_posix() for path in sorted(Path("ds").rglob("*.*"))]
    assert files == [
        "classes.json",
        *("m/1-2.jpg", "m/1-4.jpg", "m/1.jpg", "m/a  b#%é\u0301.jpg"),
        "m_lst/m.lst",
        "v/1.jpg",
        "v_lst/v.lst",
    ]
    assert Path("ds/m_lst/m.lst").read_text() == (
        "1\t0.000000\t1.jpg\n2\t1.000000\t1-2.jpg\n3\t0.000000\ta  b#%é\u0301.jpg\n4\t1.000000\t1-4.jpg\n"
    )
    convert_from("ds", "lst", "back")
    first, second, *_ = map(json.loads, Path("back/m.manifest").read_text().splitlines())
    assert (first["source-ref"], second["source-ref"]) == ("ds/m/1.jpg", "ds/m/1-2.jpg")
    assert second["part-metadata"]["class-name"] == "LH"


def test_a_list_alone_becomes_a_manifest_of_its_name(in_folder: Path) -> None:
    convert(manifest(in_folder), "recordio", "train", images=["raw"])
    done = convert_from("train.lst", "lst")
    assert done.outputs[0].path == "train.manifest"
    assert done.table.names == ((0, "RH"), (1, "LH"))  # of the report beside it


def test_one_part_is_called_nothing(in_folder: Path) -> None:
    convert(manifest(in_folder), "lst", "ds", images=["raw"])
    assert Path("ds/images_lst/images.lst").is_file()
    assert convert_from("ds", "lst", "back.manifest", source_prefix="s3://raw").pictures == 4
    refs = [json.loads(line)["source-ref"] for line in Path("back.manifest").read_text().splitlines()]
    assert refs[0] == "s3://raw/images/1.jpg"

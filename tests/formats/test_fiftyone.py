import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from manifest_tools.formats.fiftyone import write
from manifest_tools.formats.protocol import Copied, PathOf
from manifest_tools.groundtruth.annotations import Box, DataSet, Picture, Provenance, StreamedPictures
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.io.folder_sink import FolderSink
from tests.copied_pictures import for_copies
from tests.pictures import jpeg, row, write_manifest

if TYPE_CHECKING:
    from typer.testing import Result

Run = Callable[..., "Result"]
TABLE = ClassTable(((0, 'say "é", b'), (2, "no")))


def written(folder: Path, kind: Any, **parts: list[Picture]) -> dict[str, Any]:
    streams = {part.strip("_"): StreamedPictures(found.copy) for part, found in parts.items()}
    sink = FolderSink(folder)
    data = DataSet(TABLE, kind, streams)
    options = for_copies(data, sink)

    def copied(part: str, path_of: PathOf) -> Iterator[tuple[Picture, Copied]]:
        """Say that every picture has one size, whatever its line says."""
        small = [replace(picture, size=None) for picture in data.parts[part]]
        again = for_copies(dataclasses.replace(data, parts={part: StreamedPictures(small.copy)}), sink)
        for picture, (_, made) in zip(data.parts[part], again.copied(part, path_of), strict=True):
            yield picture, made

    return write(data, sink, dataclasses.replace(options, copied=copied))


def labels(folder: Path) -> Any:
    """Return the labels as FiftyOne's importer takes them: every one must have a picture of its name."""
    found = json.loads((folder / "labels.json").read_bytes())
    names = [path.stem for path in (folder / "data").iterdir()]
    assert sorted(names) == sorted(found["labels"])
    assert len(set(names)) == len(names)
    assert found["classes"] == ['say "é", b', "class 1", "no"]
    return found["labels"]


def test_a_label_names_its_class_by_its_place(tmp_path: Path) -> None:
    origin = Provenance("labeling-job/x", "yes", None)
    done = written(
        tmp_path,
        "single_label",
        _=[
            Picture(1, "s3://raw/left/1.jpg", classes=(2,), confidences=(0.5,), provenance=origin),
            Picture(2, "s3://raw/right/1.png", classes=(0,)),
            Picture(3, "s3://raw/left/1.jpg", classes=(0,)),
            Picture(4, "s3://raw/a.b #%.jpg", classes=(0,)),
        ],
    )
    assert (done["pictures"], done["remarks"]) == (
        4,
        [
            'FiftyOne loads it with fo.Dataset.from_dir(dataset_dir="FOLDER",'
            " dataset_type=fo.types.FiftyOneImageClassificationDataset)"
        ],
    )
    attributes = {"job_name": "labeling-job/x", "human_annotated": "yes"}
    assert labels(tmp_path) == {
        "1": {"label": 2, "confidence": 0.5, "attributes": attributes},
        "1-2": {"label": 0},
        "1-3": {"label": 0},
        "a.b #%": {"label": 0},
    }


def test_several_classes_are_a_list(tmp_path: Path) -> None:
    found = [Picture(1, "1.jpg", classes=(2, 0), confidences=(None, 1)), Picture(2, "2.jpg")]
    written(tmp_path, "multi_label", _=found)
    assert labels(tmp_path) == {"1": [{"label": 2}, {"label": 0, "confidence": 1}], "2": []}


def test_boxes_are_shares_of_the_picture_and_parts_have_folders(tmp_path: Path) -> None:
    train = [Picture(1, "1.jpg", (60, 40), boxes=(Box(2, 15, 10, 30, 20, 0.25), Box(0, 0, 0, 60, 40)))]
    done = written(tmp_path, "boxes", train=train, validation=[Picture(2, "2.jpg")], test=[])
    assert "FOLDER/PART" in done["remarks"][0]
    assert labels(tmp_path / "train") == {
        "1": [
            {"label": 2, "confidence": 0.25, "bounding_box": [0.25, 0.25, 0.5, 0.5]},
            {"label": 0, "bounding_box": [0, 0, 1, 1]},
        ]
    }
    assert (labels(tmp_path / "validation"), labels(tmp_path / "test")) == ({"2": []}, {})


@pytest.mark.parametrize("size", [None, (0, 40)])
def test_a_line_without_a_size_takes_that_of_the_picture(tmp_path: Path, size: Any) -> None:
    written(tmp_path, "boxes", _=[Picture(1, "1.jpg", size, boxes=(Box(2, 30, 20, 30, 20),))])
    assert labels(tmp_path)["1"][0]["bounding_box"] == [0.5, 0.5, 0.5, 0.5]


def test_a_lie_about_the_size_and_a_lost_outline_are_said(tmp_path: Path) -> None:
    box = Box(2, 0, 0, 10, 10, outline=((0, 0, 10, 0, 10, 10),))
    done = written(tmp_path, "boxes", _=[Picture(1, "1.jpg", (40, 60), boxes=(box,))])
    assert "1 picture of another shape than image_size says" in done["remarks"][1]
    assert done["remarks"][2] == "1 object with an outline: FiftyOne gets the box around it"


def test_the_command_writes_what_fiftyone_loads(in_folder: Path, run: Run) -> None:
    (in_folder / "raw").mkdir()
    for number in range(4):
        (in_folder / "raw" / f"{number}.jpg").write_bytes(jpeg(number))
    write_manifest(in_folder / "train.manifest", [row(f"{n}.jpg", n % 2) for n in range(4)])
    done = run("convert", "train.manifest", "--to", "fiftyone", "-o", "out", "--images", "raw", "--side-car")
    assert done.exit_code == 0, done.stderr
    found = json.loads(Path("out/labels.json").read_bytes())
    assert [label["label"] for label in found["labels"].values()] == [0, 1, 0, 1]
    assert len(found["classes"]) == 2

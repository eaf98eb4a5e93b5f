import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from defusedxml import ElementTree
from hypothesis import given

from manifest_tools.base.errors import BadData
from manifest_tools.formats.label_studio import read, write
from manifest_tools.formats.protocol import Files, ReadOptions
from manifest_tools.formats.xml_values import is_held
from manifest_tools.groundtruth.annotations import Box, DataSet, Picture, Provenance, StreamedPictures
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.images.unusable import Unusable
from manifest_tools.io.sinks import publishing
from tests.data_sets import data_sets, rounded
from tests.ground_truth import boxes, lines_of
from tests.ground_truth import write as write_lines
from tests.write_options import for_names_only

if TYPE_CHECKING:
    from typer.testing import Result
from tests.label_studio_tasks import NO_OPTIONS, answered, choice, one, pictures, rectangle, tasks

Run = Callable[..., "Result"]


def written(data: DataSet, folder: str | Path, unusable: list[Unusable] | None = None) -> str:
    """Write a data set; return the place to read it from."""
    problems: list[Unusable] = [] if unusable is None else unusable
    with publishing() as publication:
        options = for_names_only(lambda part, number, why: problems.append(why))
        write(data, Files(publication, f"{folder}/out", ".label-studio.json"), options)
    assert unusable is not None or problems == []
    return f"{folder}/out.label-studio.json" if "" in data.parts else f"{folder}/out"


@given(
    data_sets("single_label", "multi_label", "boxes", inside=True).filter(
        lambda data: all(is_held(name) for _, name in data.table.names)
    )
)
def test_what_is_written_is_read_again(data: DataSet) -> None:
    with TemporaryDirectory() as folder:
        found = read(written(data, folder), NO_OPTIONS)
        assert rounded(found) == rounded(data)
    assert (found.table, found.label_kind, found.attribute) == (data.table, data.label_kind, data.attribute)
    assert (found.lost, found.remarks) == ({}, ())


def test_whole_pixels_come_back_as_whole_pixels(tmp_path: Path) -> None:
    data = one(Picture(1, "s3://raw/1.jpg", (1023, 767), boxes=(Box(1, 7, 11, 333, 1),)))
    assert repr(pictures(written(data, tmp_path))[0].boxes) == repr((Box(1, 7, 11, 333, 1),))


def test_people_have_annotated_and_models_have_predicted(tmp_path: Path) -> None:
    by_model = Provenance("labeling-job/auto", "no", "2024-03-01T10:00:00")
    data = one(
        Picture(1, "s3://raw/1.jpg", classes=(1,), confidences=(0.5,)),
        Picture(2, "s3://raw/2.jpg", classes=(0,), confidences=(0.75,), provenance=by_model),
        Picture(3, "s3://raw/3.jpg", labelled=False),
        kind="single_label",
    )
    place = written(data, tmp_path)
    first, second, third = json.loads(Path(place).read_bytes())
    label = {"id": "1", "from_name": "label", "to_name": "image", "type": "choices"}
    assert first == {
        "id": 1,
        "data": {
            "image": "s3://raw/1.jpg",
            "ground_truth": {"line": 1, "label-attribute": "label", "confidence": {"LH": 0.5}},
        },
        "annotations": [{"result": [label | {"value": {"choices": ["LH"]}}]}],
    }
    assert second["predictions"] == [
        {
            "result": [label | {"value": {"choices": ["RH"]}}],
            "model_version": "labeling-job/auto",
            "score": 0.75,
        }
    ]
    assert third["data"]["image"] == "s3://raw/3.jpg"
    assert not {"annotations", "predictions"} & set(third)
    assert pictures(place) == list(data.parts[""])
    assert read(place, NO_OPTIONS).remarks == (f"{place}: tasks without a label: 1 unanswered",)


def test_a_person_who_corrects_a_model_is_who_has_labelled(tmp_path: Path) -> None:
    by_model = Provenance("labeling-job/auto", "no", "2024-03-01T10:00:00")
    data = one(Picture(2, "s3://raw/2.jpg", classes=(0,), provenance=by_model), kind="single_label")
    place = written(data, tmp_path)
    (task,) = json.loads(Path(place).read_bytes())
    task["annotations"] = [
        {"result": [choice("LH", from_name="label")], "updated_at": "2026-01-01T00:00:00Z"}
    ]
    Path(place).write_text(json.dumps([task]))
    (found,) = pictures(place)
    assert (found.classes, found.provenance) == ((1,), Provenance(None, "yes", "2026-01-01T00:00:00Z"))


def test_the_config_has_the_classes_in_the_order_of_their_indices(tmp_path: Path) -> None:
    outlined = Box(2, 0, 0, 10, 10, outline=((0, 0, 10, 0, 10, 10),))
    data = DataSet(
        ClassTable(((0, 'quo"te'), (2, "a, b"), (5, "<x>\n&"))),
        "boxes",
        {"": StreamedPictures(lambda: [Picture(1, "s3://raw/1.jpg", (20, 20), boxes=(outlined,))])},
    )
    place = written(data, tmp_path)
    root = ElementTree.fromstring((tmp_path / "out.config.xml").read_bytes())
    assert [(one.tag, one.get("name")) for one in root] == [
        ("Image", "image"),
        ("RectangleLabels", "label"),
        ("PolygonLabels", "label-outline"),
    ]
    assert [(one.get("value"), one.get("category")) for one in root[1]] == [
        ('quo"te', "0"),
        ("a, b", "2"),
        ("<x>\n&", "5"),
    ]
    assert pictures(place)[0].boxes == (outlined,)


def test_pictures_on_this_disk_are_files_that_label_studio_serves(tmp_path: Path) -> None:
    name = "left/a b#100%.jpg"
    place = written(one(Picture(1, name, classes=(0,)), kind="single_label"), tmp_path)
    assert json.loads(Path(place).read_bytes())[0]["data"]["image"] == (
        "/data/local-files/?d=left/a%20b%23100%25.jpg"
    )
    assert pictures(place)[0].ref == name
    assert pictures(place, ReadOptions("s3://raw/p/"))[0].ref == f"s3://raw/p/{name}"


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        pytest.param(Picture(1, "../1.jpg", (8, 8)), "expected a path below a folder", id="a way out"),
        pytest.param(
            Picture(1, "s3://r/1", boxes=(Box(0, 1, 1, 1, 1),)), "the width and height", id="no size"
        ),
        pytest.param(Picture(1, "s3://r/1", (0, 8), boxes=(Box(0, 1, 1, 1, 1),)), "width and", id="zero"),
    ],
)
def test_a_picture_that_no_task_can_have_is_left_out(tmp_path: Path, picture: Picture, message: str) -> None:
    unusable: list[Unusable] = []
    place = written(one(picture, Picture(2, "s3://r/2.jpg", (8, 8))), tmp_path, unusable)
    assert message in unusable[0].message
    assert [picture.number for picture in pictures(place)] == [2]


def test_a_class_that_xml_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="without control characters"):
        written(one(Picture(1, "s3://r/1"), names=("a\x00b",)), tmp_path)


def test_the_command_goes_there_and_back(in_folder: Path, run: Run) -> None:
    lines = [boxes("1.jpg", ("RH", 0.5)), boxes("2.jpg")]
    manifest = write_lines(in_folder / "train.manifest", *lines)
    done = run("convert", manifest, "--to", "label-studio", "-o", "out", "--allow-loss")
    assert done.exit_code == 0, done.stderr
    done = run("convert", "--from", "label-studio", "out.label-studio.json", "-o", "back.manifest")
    assert done.exit_code == 0, done.stderr
    assert run("validate", "back.manifest").exit_code == 0
    before, after = (
        list(map(json.loads, lines_of(in_folder / name))) for name in ("train.manifest", "back.manifest")
    )
    assert [line["source-ref"] for line in after] == [line["source-ref"] for line in before]


def test_a_side_car_gives_every_line_back_but_for_what_people_have_changed(in_folder: Path, run: Run) -> None:
    lines = [boxes("1.jpg", ("RH", 0.5)), boxes("2.jpg", ("LH", 0.25)), boxes("3.jpg", ("RH", 0.75))]
    manifest = write_lines(in_folder / "train.manifest", *(line[:-1] + b', "worker": 7}' for line in lines))
    before = lines_of(manifest)
    done = run("convert", manifest, "--to", "label-studio", "-o", "out", "--side-car")
    assert done.exit_code == 0, done.stderr
    back = ("convert", "--from", "label-studio", "out.label-studio.json", "-o", "back.manifest", "--force")
    assert run(*back).exit_code == 0
    assert lines_of("back.manifest") == before
    first, second, third = json.loads(Path("out.label-studio.json").read_bytes())
    del first["annotations"]
    second["annotations"][0]["result"] = []
    Path("out.label-studio.json").write_text(json.dumps([first, second, third]))
    assert run(*back).exit_code == 0
    unlabelled, negative, same = map(json.loads, lines_of("back.manifest"))
    assert set(unlabelled) == {"source-ref", "worker"}
    assert negative["kind"]["annotations"] == []
    assert same == json.loads(before[2])


def test_what_nobody_has_answered_does_not_go_on(in_folder: Path, run: Run) -> None:
    place = tasks(
        in_folder,
        answered(rectangle()),
        answered(image="s3://raw/2.jpg"),
        {"data": {"image": "s3://raw/3.jpg"}},
    )
    done = run("convert", place, "--from", "label-studio", "--to", "coco", "-o", "out", "--allow-loss")
    assert done.exit_code == 0, done.stderr
    assert "lines without a label: 1 unlabelled" in done.stderr
    found = json.loads(Path("out.coco.json").read_bytes())
    assert (len(found["images"]), len(found["annotations"])) == (2, 1)

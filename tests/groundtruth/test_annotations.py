import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import BadData, InvalidLine, MtoolError, Refused
from manifest_tools.groundtruth.annotations import (
    Batch,
    Box,
    DataSet,
    Mask,
    Picture,
    Provenance,
    StreamedPictures,
)
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.groundtruth.examples import one_attribute
from manifest_tools.groundtruth.manifest_pictures import ManifestPictures, pictures_of
from manifest_tools.groundtruth.write_line import manifest_lines
from manifest_tools.io.sources import open_source
from manifest_tools.verbs.validate.validate import validate
from tests import label_lines
from tests.data_sets import data_sets, shown
from tests.ground_truth import FAILED, NAMES, UNLABELLED, boxes, chopped, line, multi, write


def read_manifest(name: str, attribute: str | None = None, *, classes: ClassTable | None = None) -> Any:
    source = open_source(name)
    return pictures_of(source, one_attribute(source, attribute), classes=classes)


SOME = [
    line(1, 0, 0.9),
    b"",
    line(2, 1, 0.25, job_name="labeling-job/x", human_annotated="yes", creation_date="2024-03-01"),
    FAILED,
    UNLABELLED,
    line("deep/3", 2, None),
]


def streamed(data: DataSet) -> DataSet:
    """Return what is read of the manifests that are written of a data set."""
    with TemporaryDirectory() as folder:
        parts = {}
        for name, part in data.parts.items():
            path = Path(folder, f"{name}.manifest")
            path.write_bytes(b"".join(manifest_lines(data, part)))
            parts[name] = read_manifest(str(path), data.attribute, classes=data.table)
        read = [list(part) for part in parts.values()]
    table = {part.table for part in parts.values()}.pop()
    kind = {part.label_kind for part in parts.values()}.pop()
    kept = {name: StreamedPictures(found.copy) for name, found in zip(parts, read, strict=True)}
    return DataSet(table, kind, kept, data.attribute)


@given(data_sets("single_label", "multi_label", "boxes"))
def test_what_is_written_as_lines_is_read_as_the_same_pictures(data: DataSet) -> None:
    found = streamed(data)
    assert shown(found) == shown(data)
    assert (found.table, found.label_kind) == (data.table, data.label_kind)


@given(data_sets("segmentation"))
def test_masks_are_read_as_they_were_written(data: DataSet) -> None:
    masks = DataSet(data.table, data.label_kind, data.parts, f"{data.attribute}-ref")
    assert shown(streamed(masks)) == shown(data)


@pytest.mark.parametrize(
    "name", ["boxes-with-empty-rows", "boxes-yolov5-sample", "segmentation-one-row", "workshop-output"]
)
def test_lines_of_labelling_jobs_are_written_byte_for_byte(corpus: Path, name: str) -> None:
    path = corpus / f"{name}.manifest"
    found = read_manifest(str(path))
    data = DataSet(found.table, found.label_kind, {"": found}, found.attribute.name)
    assert b"".join(manifest_lines(data, found)) == path.read_bytes()


def test_a_line_is_a_picture_with_its_number_label_and_provenance(tmp_path: Path) -> None:
    found = read_manifest(write(tmp_path / "m.manifest", *SOME))
    assert list(found) == [
        Picture(1, "s3://raw/1.jpg", classes=(0,), confidences=(0.9,)),
        Picture(
            3,
            "s3://raw/2.jpg",
            classes=(1,),
            confidences=(0.25,),
            provenance=Provenance("labeling-job/x", "yes", "2024-03-01"),
        ),
        Picture(6, "s3://raw/deep/3.jpg", classes=(2,)),
    ]
    assert (found.count, found.left_out) == (3, {"failed": 1, "unlabelled": 1})
    assert found.table.names == tuple(enumerate(NAMES[:3]))
    assert (found.folder(), found.label_kind) == ("s3://raw/", "single_label")


def test_numbers_stay_what_they_were(tmp_path: Path) -> None:
    value = label_lines.boxes({"left": 1, "top": 1.0, "width": 0.30000000000000004, "height": 10**14})
    found = list(read_manifest(write(tmp_path / "m.manifest", json.dumps(value).encode())))
    assert repr(found[0].boxes) == repr((Box(0, 1, 1.0, 0.30000000000000004, 10**14, 0.9),))
    assert (found[0].size, found[0].depth) == ((640, 480), 3)


def test_a_mask_has_its_colours(tmp_path: Path) -> None:
    found = read_manifest(write(tmp_path / "m.manifest", json.dumps(label_lines.mask()).encode()))
    colours = ((0, "#ffffff"), (1, "#2ca02c"))
    assert [picture.mask for picture in found] == [Mask("s3://lab3-out/0.png", colours, 0)]
    assert found.table.names == ((0, "BACKGROUND"), (1, "road"))


def test_a_second_pass_reads_the_same(tmp_path: Path) -> None:
    found = read_manifest(write(tmp_path / "m.manifest", *SOME))
    assert list(found) == list(found)


def numbered(batch: Batch) -> list[tuple[int, int]]:
    """Return the number of every picture, and of its first label."""
    labels, found = batch.labels_before, []
    for picture in batch.pictures:
        found.append((picture.number, labels))
        labels += len(picture.boxes)
    return found


@pytest.mark.parametrize("step", [1, 200, 10**6])
@pytest.mark.parametrize("jobs", [1, 2])
def test_blocks_on_any_number_of_processes_give_one_stream(tmp_path: Path, step: int, jobs: int) -> None:
    lines = [boxes(n, *([("RH", 0.5)] * (n % 3))) for n in range(12)]
    source = chopped(write(tmp_path / "m.manifest", *lines[:5], b"", *lines[5:]), step)
    found = pictures_of(source, one_attribute(source))
    expected = [(n + 1 + (n >= 5), sum(k % 3 for k in range(n))) for n in range(12)]
    assert [one for batch in found.map(numbered, jobs) for one in batch] == expected
    assert [one for batch in StreamedPictures(lambda: found).map(numbered) for one in batch] == expected


@pytest.mark.parametrize(
    ("lines", "message"),
    [([line(1)], "became shorter"), ([*SOME, line(9)], "was changed while it was read")],
    ids=["shorter", "longer"],
)
def test_a_file_that_changes_between_two_passes_is_noticed(
    tmp_path: Path, lines: list[bytes], message: str
) -> None:
    found = read_manifest(write(tmp_path / "m.manifest", *SOME))
    write(tmp_path / "m.manifest", *lines)
    with pytest.raises(MtoolError, match=message):
        list(found)


def written(folder: Path, *values: Any) -> str:
    return write(folder / "m.manifest", *(json.dumps(value).encode() for value in values))


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        pytest.param(label_lines.entities({}), Refused, "text-span; expected classes, boxes", id="entities"),
        pytest.param(label_lines.cuboids({}), Refused, "expected classes, boxes or masks", id="cuboids"),
        pytest.param(
            {"source": "text", "a": 0, "a-metadata": {"type": "groundtruth/text-classification"}},
            InvalidLine,
            "m.manifest:1: expected a source-ref",
            id="a text",
        ),
        pytest.param(
            label_lines.boxes({"left": label_lines.GONE}),
            InvalidLine,
            "m.manifest:1: box 1: expected left",
            id="a box without a place",
        ),
        pytest.param(
            label_lines.boxes({}, {"left": 10**30}),
            InvalidLine,
            "m.manifest:1: box 2: expected left",
            id="a box beyond all pictures",
        ),
        pytest.param(
            label_lines.boxes({"class_id": -1}), InvalidLine, "expected a class index", id="no class"
        ),
        pytest.param(
            label_lines.line("image-classification", "x"),
            InvalidLine,
            "expected a class index",
            id="a class that is a word",
        ),
    ],
)
def test_what_is_no_label_of_a_picture_is_refused(
    tmp_path: Path, value: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        list(read_manifest(written(tmp_path, value)))


def test_a_class_that_only_the_given_table_has_is_in_the_table(tmp_path: Path) -> None:
    path = write(tmp_path / "m.manifest", line(1, 0))
    given = ClassTable(((0, "RH"), (5, "none")))
    assert read_manifest(path, classes=given).table == given
    with pytest.raises(BadData, match="class 0 has two names"):
        read_manifest(path, classes=ClassTable(((0, "LH"),)))


@given(st.integers(0, 3))
def test_a_class_without_a_name_is_called_by_its_number(index: int) -> None:
    data = DataSet(ClassTable(), "multi_label", {})
    (found,) = manifest_lines(data, [Picture(1, "s3://raw/1.jpg", classes=(index,))])
    assert json.loads(found)["label-metadata"]["class-map"] == {str(index): f"class {index}"}


@pytest.mark.parametrize("lines", [[line(1, 0), line(2, 1)], [multi(1, RH=0.9)], [boxes(1, ("RH", 0.9))]])
def test_validate_has_nothing_to_say_of_written_lines(tmp_path: Path, lines: list[bytes]) -> None:
    found: ManifestPictures = read_manifest(write(tmp_path / "in.manifest", *lines))
    data = DataSet(found.table, found.label_kind, {"": found})
    path = tmp_path / "out.manifest"
    path.write_bytes(b"".join(manifest_lines(data, found)))
    assert list(validate(str(path))) == []

"""The data set with all that converters trip over goes out into folders of pictures, and comes back."""

from pathlib import Path

import pytest

from manifest_tools.verbs.convert.convert import convert
from manifest_tools.verbs.convert.from_format import convert_from
from tests.peers.trap import CLASSES, Kind, expected, in_manifest, write_trap

FORMATS: list[tuple[str, Kind]] = [
    ("yolo", "boxes"),
    ("yolo", "single_label"),
    ("voc", "boxes"),
    ("folder", "single_label"),
    ("lst", "single_label"),
    ("lst", "multi_label"),
]


@pytest.mark.parametrize(("name", "kind"), FORMATS)
def test_the_same_pictures_have_the_same_labels_in_the_same_parts(
    in_folder: Path, name: str, kind: Kind
) -> None:
    done = convert(write_trap(in_folder, kind), name, "ds", images=["raw"], allow_loss=True)
    assert (done.pictures, done.problems) == (6, ())
    assert any("1 picture stored turned" in remark for remark in done.remarks)
    back = convert_from("ds", name, "back")
    assert {Path(output.path).stem for output in back.outputs} == {"train", "validation"}
    found = [
        row
        for part in ("train", "validation")
        for row in in_manifest(Path(f"back/{part}.manifest"), part, in_folder)
    ]
    assert sorted(found) == expected(kind)
    assert back.table.names == tuple(CLASSES.items())


@pytest.mark.parametrize(("name", "kind"), FORMATS)
def test_an_empty_part_stays_a_part(in_folder: Path, name: str, kind: Kind) -> None:
    train, validation = write_trap(in_folder, kind)
    first = Path(train).read_text().splitlines()[0]
    Path(validation).write_text(first.replace("front/0001.jpg", "front/none.jpg") + "\n")
    done = convert([train, validation], name, "ds", images=["raw"], allow_loss=True)
    assert [problem.code for problem in done.problems] == ["MT401"]
    assert convert_from("ds", name, "back").pictures == 4
    assert Path("back/validation.manifest").read_bytes() == b""


@pytest.mark.parametrize(("name", "kind"), FORMATS)
def test_any_number_of_workers_writes_the_same_bytes(in_folder: Path, name: str, kind: Kind) -> None:
    manifests = write_trap(in_folder, kind)
    for jobs in (1, 2):
        convert(manifests, name, f"ds{jobs}", images=["raw"], allow_loss=True, jobs=jobs)
    one, two = (
        {path.relative_to(f"ds{jobs}"): path.read_bytes() for path in Path(f"ds{jobs}").rglob("*.*")}
        for jobs in (1, 2)
    )
    assert one == two

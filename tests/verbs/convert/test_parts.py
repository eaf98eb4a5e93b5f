"""Several manifests as the parts of one data set."""

import json
from pathlib import Path

import pytest

from manifest_tools.base.errors import Refused
from manifest_tools.verbs.convert.convert import convert
from manifest_tools.verbs.convert.plan import plan_each, plan_parts
from manifest_tools.verbs.convert.result import NothingUsable
from tests.pictures import row, write_manifest
from tests.record_files import records


def test_records_of_several_manifests_lie_in_one_folder(two: list[str]) -> None:
    done = convert(two, "recordio", "ds", images=["raw"], pass_through=True)
    assert [output.path for output in done.outputs] == [
        f"ds/{part}.{ending}" for part in ("train", "validation") for ending in ("rec", "idx", "lst")
    ] + ["ds.json"]
    assert [record.id for record in records("ds/validation.rec")] == [1, 2, 3]
    convert(two[1], "recordio", "alone", images=["raw"], pass_through=True)
    assert Path("ds/validation.rec").read_bytes() == Path("alone.rec").read_bytes()
    report = json.loads(Path("ds.json").read_text())
    assert report["classes"]["num_classes"] == done.table.num_classes == 3
    assert {part: described["manifest"] for part, described in report["parts"].items()} == {
        "train": "train.manifest",
        "validation": "validation.manifest",
    }
    assert report["files"]["ds/train.rec"] == Path("ds/train.rec").stat().st_size
    assert "manifest" not in report


def test_folders_of_several_manifests_have_the_same_classes(two: list[str]) -> None:
    done = convert(two, "folder", "ds", images=["raw"])
    assert [(output.path, output.state) for output in done.outputs] == [
        ("ds", "written"),
        ("ds.json", "written"),
    ]
    assert sorted(str(path.relative_to("ds")) for path in Path("ds").glob("*/*") if path.is_dir()) == [
        "train/LH",
        "train/LH_.._x",
        "train/RH",
        "validation/LH",
        "validation/LH_.._x",
        "validation/RH",
    ]
    assert done.pictures == 9


def test_problems_name_the_manifest_of_their_part(two: list[str]) -> None:
    Path("raw/3.jpg").unlink()
    done = convert(two, "recordio", "ds", images=["raw"])
    assert [(Path(problem.file).name, problem.line) for problem in done.problems] == [
        ("train.manifest", 4),
        ("validation.manifest", 3),
    ]


def test_manifests_of_one_name_become_two_parts(parts: str, in_folder: Path) -> None:
    (in_folder / "b").mkdir()
    other = write_manifest(in_folder / "b/train.manifest", [row("0.jpg", 0)])
    assert [one.part for one in plan_parts([parts, other], "recordio", "ds", images=["raw"])] == [
        "train",
        "train-2",
    ]


def test_plans_of_several_manifests_share_one_table_and_keep_their_outputs(two: list[str]) -> None:
    first, second = plan_each(two, "recordio", ["a", "b"], images=["raw"])
    assert (first.output, second.output, first.part) == ("a", "b", "")
    assert first.table == second.table
    assert first.table.num_classes == 3


def test_one_class_and_several_are_not_mixed(parts: str, in_folder: Path) -> None:
    other = write_manifest(in_folder / "m", [row("0.jpg", [0, 1])])
    with pytest.raises(Refused, match="train.manifest has one class a picture, and .*m has several classes"):
        plan_parts([parts, other], "recordio", "ds", images=["raw"])


def test_parts_of_which_nothing_came_leave_no_folder(two: list[str], in_folder: Path) -> None:
    (in_folder / "empty").mkdir()
    with pytest.raises(NothingUsable, match="train.manifest, .*validation.manifest: no picture"):
        convert(two, "recordio", "ds", images=["empty"])
    assert not Path("ds").exists()

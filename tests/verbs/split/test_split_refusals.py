from fractions import Fraction
from pathlib import Path

import pytest

from manifest_tools.base.errors import BadData, InvalidLine, Refused
from manifest_tools.groundtruth.classes import ClassConflict
from manifest_tools.verbs.split.ratios import Ratio
from manifest_tools.verbs.split.split import split
from tests.ground_truth import FAILED, UNLABELLED, line, lines_of, write

PARTS: list[tuple[str, dict[str, Ratio], str]] = [
    ("less than 1", {"a": "0.5", "b": "0.4"}, "expected the ratios of all parts to add up to 1, found 0.9"),
    ("more than 1", {"a": 0.7, "b": 0.7}, "expected the ratios of all parts to add up to 1, found 1.4"),
    ("nothing", {"a": "0", "b": "1"}, "expected a number between 0 and 1 for a, found 0"),
    ("a negative ratio", {"a": "-0.5", "b": "1.5"}, "expected a number between 0 and 1 for a, found -0.5"),
    ("a percentage", {"a": "80", "b": "20"}, "expected a number between 0 and 1 for a, found 80"),
    ("a word", {"a": "most", "b": "0.2"}, "expected a number between 0 and 1 for a, found 'most'"),
    ("no ratio", {"a": "", "b": "0.2"}, "expected a number between 0 and 1 for a, found ''"),
    ("not a number", {"a": "nan", "b": "0.2"}, "expected a number between 0 and 1 for a, found 'nan'"),
    ("a division by zero", {"a": "1/0", "b": "0.2"}, "expected a number between 0 and 1 for a"),
    ("a way out of the folder", {"../a": "0.5", "b": "0.5"}, "expected a part's name of letters, digits"),
    ("a hidden file", {".a": "0.5", "b": "0.5"}, "expected a part's name of letters, digits"),
    ("no name", {"": "0.5", "b": "0.5"}, "expected a part's name of letters, digits"),
    ("one name but for its case", {"a": "0.5", "A": "0.5"}, "two parts have names that differ only"),
    ("too many", {f"p{n}": Fraction(1, 300) for n in range(300)}, "expected at most 200 parts, found 300"),
]


@pytest.mark.parametrize(("parts", "message"), [pytest.param(*case[1:], id=case[0]) for case in PARTS])
def test_parts_that_make_no_sense_are_refused(tmp_path: Path, parts: dict[str, Ratio], message: str) -> None:
    path = write(tmp_path / "in", line(1))
    with pytest.raises(Refused) as refused:
        split(path, str(tmp_path / "out"), part=parts)
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)
    assert [one.name for one in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        pytest.param([FAILED, UNLABELLED], "expected labelled lines, found none", id="no label"),
        pytest.param([line(1), b'{"kind": 1'], ":2: not JSON", id="a line cut short"),
        pytest.param([line(1), line(2).replace(b": 0,", b": -1,", 1)], ":2: expected a class index", id="-1"),
        pytest.param([line(1), line(2).replace(b": 0,", b": 1.5,", 1)], ":2: expected int", id="a half"),
    ],
)
def test_a_manifest_that_cannot_be_split_leaves_nothing_behind(
    tmp_path: Path, rows: list[bytes], message: str
) -> None:
    path = write(tmp_path / "in", *rows)
    with pytest.raises(BadData, match=message):
        split(path, str(tmp_path / "out"), rejects=str(tmp_path / "rest"))
    assert [one.name for one in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("name", ["train.manifest", "validation.manifest", "split.json"])
def test_no_output_takes_the_place_of_the_input(in_folder: Path, name: str) -> None:
    path = write(in_folder / name, line(1), line(2))
    for manifest, output in ((path, None), (name, "."), (f"./{name}", str(in_folder))):
        with pytest.raises(Refused, match="would replace its own input"):
            split(manifest, output, force=True)
    assert len(lines_of(path)) == 2


@pytest.mark.parametrize("rejects", ["./train.manifest", "split.json", "in"])
def test_rejects_have_a_file_of_their_own(in_folder: Path, rejects: str) -> None:
    write(in_folder / "in", line(1), FAILED)
    with pytest.raises(Refused, match="would replace"):
        split("in", rejects=rejects, force=True)
    assert [one.name for one in in_folder.iterdir()] == ["in"]


def test_a_bad_label_is_named_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path / "in", b"", line(1), line(2).replace(b'"kind": 0', b'"kind": "RH"'))
    with pytest.raises(InvalidLine, match="in:3: expected a class index from 0, found 'RH'"):
        split(path, str(tmp_path / "out"))


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([line(1, 0), line(2, 0, class_name="LH")], id="one index with two names"),
        pytest.param([line(1, 0), line(2, 1, class_name="RH")], id="one name with two indices"),
    ],
)
def test_classes_that_disagree_are_refused(tmp_path: Path, rows: list[bytes]) -> None:
    path = write(tmp_path / "in", *rows)
    with pytest.raises(ClassConflict, match="has two (names|indices): .*; type: mtool validate"):
        split(path, str(tmp_path / "out"))
    assert [one.name for one in tmp_path.iterdir()] == ["in"]

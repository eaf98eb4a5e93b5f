"""What the data of a job shows before anything is billed, from one pass over its files."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifest_tools.algorithms import Algorithm
from manifest_tools.groundtruth.classes import ClassConflict, ClassTable, agree
from manifest_tools.groundtruth.line_columns import read_lines
from manifest_tools.groundtruth.survey import label_attribute
from manifest_tools.io.sources import open_source
from tests.ground_truth import FAILED, NAMES, UNLABELLED, boxes, counted, line, mask, multi, write
from tests.trainers.sagemaker.labs import IC, OD, SEG
from trainers.sagemaker.training.data_check import Unfit, check_data

CLASSES = st.lists(st.sampled_from(NAMES), max_size=3, unique=True)
LINES: dict[str, tuple[Algorithm, st.SearchStrategy[bytes]]] = {
    "one class a line": (IC, st.builds(line, st.integers(0, 9), st.integers(0, 4))),
    "several classes a line": (
        IC,
        CLASSES.map(lambda names: multi("a", **dict.fromkeys(names, 0.5))),
    ),
    "boxes": (OD, CLASSES.map(lambda names: boxes("a", *((name, 0.5) for name in names)))),
    "masks": (SEG, CLASSES.map(lambda names: mask("a", *names))),
}


@pytest.mark.parametrize("kind", LINES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_class_table_is_the_one_that_split_finds(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    algorithm, some = LINES[kind]
    attribute = "kind-ref" if algorithm is SEG else "kind"
    others = st.sampled_from([FAILED, UNLABELLED, b""])
    folder, tables, paths = tmp_path_factory.mktemp("data"), {}, []
    for name in ("train", "validation"):
        lines = [data.draw(some), *data.draw(st.lists(some | others, max_size=6))]
        paths.append(write(folder / f"{name}.manifest", *data.draw(st.permutations(lines))))
        source = open_source(paths[-1])
        tables[name] = read_lines(source, label_attribute(source, attribute), ClassTable(), 1).table
    assert check_data(paths, algorithm, attribute, jobs=1).table == agree(tables)


@pytest.mark.parametrize("kind", LINES)
def test_every_file_is_read_once(tmp_path: Path, kind: str) -> None:
    algorithm, _ = LINES[kind]
    usual = {
        "one class a line": [line(at, at % 2) for at in range(4)],
        "several classes a line": [multi(at, RH=0.5, LH=0.5) for at in range(4)],
        "boxes": [boxes(at, ("RH", 0.5)) for at in range(4)],
        "masks": [mask(at, "RH") for at in range(4)],
    }[kind]
    sources = [counted(write(tmp_path / f"{at}.manifest", *usual)) for at in range(2)]
    found = check_data(sources, algorithm, jobs=1)
    assert found.samples == (4, 4)
    assert found.table is not None
    assert [source.passes for source in sources] == [1, 1]


def test_classes_that_no_line_shows_are_those_given(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{at}.manifest", line(at, 0), line(at, 1)) for at in range(2)]
    given = ClassTable(((4, "dent"),))
    found = check_data(paths, IC, classes=given)
    assert found.table == ClassTable(((0, "RH"), (1, "LH"), (4, "dent")))


def test_two_files_that_name_one_class_differently_are_refused(tmp_path: Path) -> None:
    train = write(tmp_path / "train.manifest", line(1, 0))
    other = write(tmp_path / "validation.manifest", line(2, 1).replace(b'"kind": 1', b'"kind": 0'))
    with pytest.raises(ClassConflict, match="validation.manifest and .*train.manifest disagree"):
        check_data([train, other], IC)


def test_a_manifest_with_two_labels_is_unfit_until_one_is_named(tmp_path: Path) -> None:
    two = line(1, 0).replace(b'"kind"', b'"sort"', 1).replace(b'"kind-metadata"', b'"sort-metadata"')
    both = line(1, 0)[:-1] + b", " + two[two.index(b'"sort"') :]
    paths = [write(tmp_path / f"{at}.manifest", both) for at in range(2)]
    with pytest.raises(Unfit, match="the job would fail with"):
        check_data(paths, IC)
    assert check_data(paths, IC, "sort").table == ClassTable(((0, "RH"),))

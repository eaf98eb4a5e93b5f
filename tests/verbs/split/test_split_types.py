"""``split`` on every type: by which classes the lines are dealt out, and that nothing is lost."""

import json
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import InvalidLine, Refused
from manifest_tools.groundtruth.classes import ClassConflict, class_table
from manifest_tools.verbs.split.report import Split
from manifest_tools.verbs.split.split import split
from tests.ground_truth import (
    FAT,
    NAMES,
    SINGLE,
    UNLABELLED,
    boxes,
    cuboids,
    entities,
    lines_of,
    mask,
    multi,
    sequence,
    write,
)

if TYPE_CHECKING:
    from typer.testing import Result

Run = Callable[..., "Result"]
HALVES = {"a": "1/2", "b": "1/2"}


def sure(line: Callable[..., bytes]) -> Callable[..., bytes]:
    """Return the function for lines with classes, all of them sure."""
    return lambda picture, *names: line(picture, *((name, 0.9) for name in names))


FORMS: dict[str, tuple[Callable[..., bytes], int]] = {
    "boxes": (sure(boxes), 0),
    "cuboids": (sure(cuboids), 0),
    "named entities": (sure(entities), 0),
    "classes": (lambda picture, *names: multi(picture, **dict.fromkeys(names, 0.9)), 0),
    "masks": (mask, 1),  # the background is class 0
    "videos": (sequence, 0),
}

name_sets = st.lists(st.lists(st.sampled_from(NAMES), max_size=3), min_size=1, max_size=25)


@pytest.mark.parametrize("form", FORMS)
@given(name_sets, st.integers(0, 3))
def test_counts_are_those_of_the_lines_and_no_line_is_lost(
    form: str, shown: list[list[str]], seed: int
) -> None:
    line, first = FORMS[form]
    rows = [line(at, *names) for at, names in enumerate(shown)]
    with TemporaryDirectory() as folder:
        path = write(Path(folder) / "in", *rows, UNLABELLED)
        found = split(path, folder, part=HALVES, seed=seed, jobs=1, label_attribute=attribute(rows[0]))
        sides = [[row.rstrip(b"\n") for row in lines_of(f"{folder}/{part}.manifest")] for part in HALVES]
    assert Counter(sides[0] + sides[1]) == Counter(rows)
    names = {row: set(classes) for row, classes in zip(rows, shown, strict=True)}
    for at, side in enumerate(sides):
        counted = Counter(NAMES.index(name) + first for row in side for name in names[row])
        assert {index: counts[at] for index, counts in found.counts.items() if counts[at]} == counted
        assert found.empty[at] == sum(not names[row] for row in side)
    if not any(len(classes) > 1 for classes in names.values()):
        for counts in (*found.counts.values(), found.empty):
            assert sum(counts) == 1 or abs(counts[0] - sum(counts) / 2) < 1


def attribute(row: bytes) -> str:
    return next(str(key) for key in json.loads(row) if key.startswith("kind"))


@pytest.mark.parametrize("form", FORMS)
def test_the_same_command_gives_the_same_split_in_any_order_and_number_of_workers(
    form: str, tmp_path: Path
) -> None:
    line, _ = FORMS[form]
    names = [dict.fromkeys((NAMES[n % 5], NAMES[n * 7 % 5])) if n % 4 else () for n in range(60)]
    rows = [line(n, *some) for n, some in enumerate(names)]
    fat = [row[:-1] + b', "pad": "' + b"x" * (FAT // 5) + b'"}' for row in rows]
    path, other, thick = (
        write(tmp_path / name, *some) for name, some in zip("abc", (rows, rows[::-1], fat), strict=True)
    )
    folders = [split(path, str(tmp_path / "1")), split(other, str(tmp_path / "2"))]
    folders += [split(thick, str(tmp_path / "3"), jobs=jobs) for jobs in (1, 2)]
    sides = [sources(one.files["train"]) for one in folders]
    assert all(side == sides[0] for side in sides)
    assert len({json.dumps(list(one.counts.items())) for one in folders}) == 1


def sources(path: str) -> set[str]:
    rows = map(json.loads, lines_of(path))
    return {row.get("source-ref") or row["source"] for row in rows}


def test_pictures_without_a_box_are_dealt_out_as_a_class_of_their_own(tmp_path: Path) -> None:
    rows = [boxes(n, ("RH", 0.9)) for n in range(50)] + [boxes(n + 50) for n in range(20)]
    found = split(write(tmp_path / "in", *rows))
    assert (found.counts, found.empty) == ({0: (40, 10)}, (16, 4))
    report = json.loads((tmp_path / "split.json").read_text())["parts"]
    assert [(part["lines"], part["classes"], part["empty"]) for part in report.values()] == [
        (56, {"0": 40}, 16),
        (14, {"0": 10}, 4),
    ]


def test_where_no_picture_is_empty_nothing_is_said_of_it(tmp_path: Path) -> None:
    split(write(tmp_path / "in", boxes(1, ("RH", 0.9))))
    assert '"empty"' not in (tmp_path / "split.json").read_text()


def test_a_rare_class_of_many_boxes_keeps_its_share(tmp_path: Path) -> None:
    rows = [
        boxes(n, *(("RH", 0.9) for _ in range(n % 4)), *([("LH", 0.9)] if n % 20 == 0 else []))
        for n in range(400)
    ]
    found = split(write(tmp_path / "in", *rows), part={"train": "0.8", "validation": "0.2"})
    assert found.counts[1] == (16, 4)
    assert abs(found.lines["train"] - 320) <= 1


def test_names_of_boxes_that_disagree_are_refused(tmp_path: Path) -> None:
    rows = [boxes(1, ("RH", 0.9)), boxes(2, ("RH", 0.9)).replace(b'"RH"', b'"LH"')]
    with pytest.raises(ClassConflict, match="class 0 has two names: 'RH' and 'LH'"):
        split(write(tmp_path / "in", *rows))


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("custom-type", 0, "not stratified: bend is custom and has no class on its lines\n"),
        ("input-only", 1, "no line has a label; its lines have source-ref, split; "),
    ],
)
def test_what_has_no_class_or_no_label_says_so_in_one_line(
    sample: Path, in_folder: Path, run: Run, name: str, code: int, message: str
) -> None:
    done = run("split", sample / "good" / f"{name}.manifest", "-o", ".")
    assert done.exit_code == code
    assert sum(message in text for text in done.stderr.splitlines(keepends=True)) == 1


def sport(picture: object, *names: str, number: int = 1) -> bytes:
    """Return a line of Rekognition's, an attribute a label; the number of a label says nothing."""
    value: dict[str, Any] = {"source-ref": f"s3://raw/{picture}.jpg"}
    for at, name in enumerate(names):
        metadata = {"class-name": name, "confidence": 1, "type": SINGLE}
        value |= {f"sport{at}": number, f"sport{at}-metadata": metadata}
    return json.dumps(value).encode()


def together(folder: Path | str, rows: list[bytes], **more: Any) -> Split:
    path = write(Path(folder) / "in", *rows)
    names = ("sport0", "sport1", "sport2")
    there = [name for name in names if any(f'"{name}"'.encode() in row for row in rows)]
    return split(path, str(folder), label_attribute=there, jobs=1, **more)


@given(
    st.lists(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3), min_size=2, max_size=25),
    st.integers(0, 3),
)
def test_of_several_attributes_a_line_has_the_classes_of_all_by_name(
    shown: list[list[str]], seed: int
) -> None:
    shown = [["RH", "LH"], *shown]  # so that there are two attributes
    rows = [sport(at, *names, number=at % 3) for at, names in enumerate(shown)]
    with TemporaryDirectory() as folder:
        found = together(folder, [*rows, UNLABELLED], part=HALVES, seed=seed)
        sides = [[row.rstrip(b"\n") for row in lines_of(f"{folder}/{part}.manifest")] for part in HALVES]
    assert Counter(sides[0] + sides[1]) == Counter(rows)
    assert [name for _, name in found.table.names] == sorted({name for names in shown for name in names})
    names = dict(zip(rows, shown, strict=True))
    for at, side in enumerate(sides):
        counted = Counter(name for row in side for name in set(names[row]))
        assert {
            found.table.name(i): counts[at] for i, counts in found.counts.items() if counts[at]
        } == counted
    assert found.left_out == {"unlabelled": 1}


def test_several_attributes_are_dealt_out_the_same_in_any_order(tmp_path: Path) -> None:
    rows = [sport(n, NAMES[n % 5], *([NAMES[n * 3 % 5]] if n % 2 else [])) for n in range(60)]
    sides = []
    for at, some in enumerate((rows, rows[::-1])):
        (tmp_path / str(at)).mkdir()
        sides.append(sources(together(tmp_path / str(at), some).files["train"]))
    assert sides[0] == sides[1]
    assert abs(len(sides[0]) - 48) <= 2


def test_a_table_that_is_given_numbers_the_classes_of_several_attributes(tmp_path: Path) -> None:
    rows = [sport(1, "burr", "LH"), sport(2, "RH")]
    found = together(tmp_path, rows, classes=class_table([(3, "RH"), (0, "LH")]))
    assert found.table.names == ((0, "LH"), (3, "RH"), (4, "burr"))
    assert {index: sum(counts) for index, counts in found.counts.items()} == {0: 1, 3: 1, 4: 1}


def test_a_line_is_labelled_where_one_of_the_attributes_is_and_failed_where_one_failed(
    tmp_path: Path,
) -> None:
    failed = b'{"source-ref": "s3://raw/f", "sport0-metadata": {"failure-reason": "x"}}'
    rows = [sport(1, "RH", "LH"), sport(2, "RH"), failed, UNLABELLED, b""]
    found = together(tmp_path, rows, rejects=str(tmp_path / "rest"))
    assert found.left_out == {"failed": 1, "unlabelled": 1, "blank": 1}
    assert [row.rstrip() for row in lines_of(tmp_path / "rest")] == [failed, UNLABELLED]
    assert sum(found.lines.values()) == 2


def test_jobs_of_other_types_are_dealt_out_together_too(tmp_path: Path) -> None:
    rows = []
    for n in range(40):
        other = json.loads(boxes(n, ("RH", 0.9)) if n % 4 else boxes(n))
        rows.append(json.dumps({**json.loads(sport(n, NAMES[n % 2 + 1])), **other}).encode())
    path = write(tmp_path / "in", *rows)
    found = split(path, label_attribute=["sport0", "kind"])
    assert {found.table.name(index): counts for index, counts in found.counts.items()} == {
        "LH": (16, 4),
        "RH": (24, 6),
        "scratch": (16, 4),
    }


def test_several_attributes_are_typed_one_by_one_or_with_a_star(in_folder: Path, run: Run) -> None:
    write(in_folder / "a.manifest", *(sport(n, NAMES[n % 2], *NAMES[2 : 2 + n % 3]) for n in range(20)))
    report = run("split", "a.manifest", "--label-attribute", "sport*", "--json").stdout
    typed = ("--label-attribute", "sport0", "--label-attribute", "sport1", "--label-attribute", "sport2")
    one_by_one = run("split", "a.manifest", *typed)
    assert one_by_one.stderr == (
        "index  class    train  validation  all\n"
        "    0  LH           8           2   10\n"
        "    1  RH           8           2   10\n"
        "    2  burr         5           1    6\n"
        "    3  scratch     10           3   13\n"
        "       lines       16           4   20\n"
        "stratified over sport0, sport1, sport2\n"
        "seed 0\n"
        "train.manifest: unchanged\nvalidation.manifest: unchanged\nsplit.json: unchanged\n"
    )
    assert json.loads(report)["label_attributes"] == ["sport0", "sport1", "sport2"]


@pytest.mark.parametrize("words", [(), ("--label-attribute", "x*"), ("--label-attribute", "Sport0")], ids=str)
def test_attributes_that_are_not_told_or_not_there_are_listed(
    in_folder: Path, run: Run, words: tuple[str, ...]
) -> None:
    write(in_folder / "a.manifest", sport(1, "RH", "LH"))
    done = run("split", "a.manifest", *words)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "sport0 (image-classification, 1 of 1 lines), sport1" in done.stderr
    assert words or done.stderr.endswith("(or another of them); repeat it to stratify over several\n")


def test_a_label_of_several_attributes_that_is_none_is_named(tmp_path: Path) -> None:
    bad = sport(2, "RH").replace(b'"class-name": "RH", ', b"").replace(b'"sport0": 1', b'"sport0": -1')
    with pytest.raises(InvalidLine, match="in:2: expected a class index from 0, found -1"):
        together(tmp_path, [sport(1, "RH", "LH"), bad])


def test_one_attribute_of_several_is_not_read_by_name(tmp_path: Path) -> None:
    rows = [sport(1, "RH"), sport(2, "LH")]
    with pytest.raises(ClassConflict):
        together(tmp_path, rows)
    with pytest.raises(Refused, match="no line has the label attribute 'sport9'"):
        split(str(tmp_path / "in"), label_attribute=["sport0", "sport9"])


def test_ratios_hold_over_several_attributes(tmp_path: Path) -> None:
    rows = [
        sport(n, *[name for at, name in enumerate(NAMES[:3]) if n % (at + 2) == 0] or ["dent"])
        for n in range(300)
    ]
    found = together(tmp_path, rows, part={"train": "0.7", "validation": "0.2", "test": "0.1"})
    for counts in found.counts.values():
        wanted = [float(Fraction(ratio) * sum(counts)) for ratio in found.parts.values()]
        assert max(abs(a - b) for a, b in zip(counts, wanted, strict=True)) <= 3


def test_colour_maps_that_contradict_one_another_are_divided_by_name(
    in_folder: Path, sample: Path, run: Callable[..., "Result"]
) -> None:
    path = sample / "bad" / "colour-maps-disagree.manifest"
    Path("a.manifest").write_bytes(path.read_bytes() * 4)
    found = split("a.manifest", classes=class_table([(3, "cracked")]))
    assert (found.table.names, sum(found.counts[3])) == (((3, "cracked"),), 12)
    assert found.conflict.startswith("a.manifest: class 'cracked' has two indices: 3 and 1")
    assert "divided by class names" in run("split", "a.manifest", "--dry-run", "-o", "out").stderr

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.groundtruth.line_columns import STATES, read_lines
from manifest_tools.groundtruth.survey import label_attribute
from manifest_tools.io.sources import Source, open_source
from manifest_tools.verbs.split.ratios import Ratio
from manifest_tools.verbs.split.split import split
from tests.ground_truth import (
    FAILED,
    FAT,
    NAMES,
    UNLABELLED,
    chopped,
    line,
    lines_of,
    manifests,
    multi,
    write,
)


def pictures(rows: Iterable[bytes]) -> set[str]:
    """Return the pictures of lines."""
    return {json.loads(row)["source-ref"] for row in rows}


def is_labelled(row: bytes) -> bool:
    return "kind" in json.loads(row)


@given(manifests(), st.sampled_from(["0.8", "0.5", "1/3"]), st.integers(0, 5))
def test_no_line_is_lost_or_invented_and_each_keeps_its_bytes_and_its_place(
    data: bytes, ratio: str, seed: int
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").write_bytes(data)
        parts: dict[str, Ratio] = {"train": ratio, "validation": 1 - Fraction(ratio)}
        found = split(str(folder / "in"), name, part=parts, seed=seed, rejects=f"{name}/rest", jobs=1)
        rows = lines_of(folder / "in")
        sides = [lines_of(folder / f"{part}.manifest") for part in parts]
        rest = lines_of(folder / "rest")
    assert Counter(rows) == Counter([*sides[0], *sides[1], *rest])
    assert rest == [row for row in rows if not is_labelled(row)]
    for side in sides:
        left = iter(rows)
        assert all(row in left for row in side)
    assert not pictures(sides[0]) & pictures(sides[1])
    assert list(found.lines.values()) == [len(side) for side in sides]
    for at, side in enumerate(sides):
        classes = Counter(json.loads(row)["kind"] for row in side)
        assert {index: counts[at] for index, counts in found.counts.items() if counts[at]} == classes


@given(manifests(), st.integers(1, 400))
def test_what_is_remembered_of_every_line_does_not_depend_on_the_blocks(data: bytes, step: int) -> None:
    with TemporaryDirectory() as name:
        path = Path(name) / "in"
        path.write_bytes(data)
        attribute = label_attribute(open_source(str(path)), "kind")
        whole, parted = (
            read_lines(source, attribute, ClassTable(), 1)
            for source in (Source("in", str(path), len(data)), chopped(path, step))
        )
    assert whole.table == parted.table
    for field in ("lengths", "states", "keys"):
        assert np.array_equal(getattr(whole, field), getattr(parted, field))
    assert np.array_equal(whole.labels.flat, parted.labels.flat)
    assert int(whole.lengths.sum()) == len(data)
    assert (whole.states != STATES.index("blank")).sum() == sum(1 for row in data.split(b"\n") if row.strip())


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(0, 5))
def test_which_lines_go_where_does_not_depend_on_their_order(labels: list[int], seed: int) -> None:
    rows = [line(number, label) for number, label in enumerate(labels)]
    other = sorted(rows, key=lambda row: hashlib.sha256(row + repr(seed).encode()).digest())
    with TemporaryDirectory() as name:
        sides = []
        for some in (rows, other):
            path = write(Path(name) / "in", *some)
            split(path, name, seed=seed, force=True, jobs=1)
            sides.append(pictures(lines_of(f"{name}/train.manifest")))
    assert sides[0] == sides[1]


@pytest.mark.parametrize("shuffle", [False, True], ids=["in order", "shuffled"])
def test_any_number_of_workers_and_blocks_gives_the_same_split(tmp_path: Path, shuffle: bool) -> None:
    thin = [line(n, n % 3, pad=1) for n in range(13)]
    path = write(tmp_path / "thin", *thin)
    split(path, str(tmp_path / "one"), shuffle=shuffle)
    fat = [line(n, n % 3, pad=FAT) for n in range(13)]
    path = write(tmp_path / "fat", *fat, end=b"")
    for jobs in (1, 2):
        split(path, str(tmp_path / "three"), shuffle=shuffle, jobs=jobs)  # the second finds it unchanged
    for part in ("train.manifest", "validation.manifest"):
        one, three = lines_of(tmp_path / "one" / part), lines_of(tmp_path / "three" / part)
        assert [json.loads(row)["source-ref"] for row in one] == [
            json.loads(row)["source-ref"] for row in three
        ]
        assert {row.rstrip(b"\n") for row in three} <= set(fat)


@pytest.mark.parametrize("seed", range(8))
def test_shuffled_lines_stay_whole_when_the_last_came_without_a_newline(tmp_path: Path, seed: int) -> None:
    rows = [line(n, n % 2) for n in range(20)]
    path = write(tmp_path / "in", *rows, end=b"")
    split(path, str(tmp_path), shuffle=True, seed=seed)
    train, validation = (lines_of(tmp_path / f"{part}.manifest") for part in ("train", "validation"))
    assert sorted(train + validation) == sorted(row + b"\n" for row in rows)
    assert train != [row for row in lines_of(path) if row in train]


def test_a_shuffle_does_not_change_who_goes_where(tmp_path: Path) -> None:
    path = write(tmp_path / "in", *(line(n, n % 2) for n in range(40)))
    split(path, str(tmp_path / "a"))
    split(path, str(tmp_path / "b"), shuffle=True)
    for part in ("train", "validation"):
        one, two = (lines_of(tmp_path / side / f"{part}.manifest") for side in "ab")
        assert (sorted(one), one == two) == (sorted(two), False)


def test_lines_with_one_source_never_fall_on_two_sides_be_they_blocks_apart(tmp_path: Path) -> None:
    rows = [line(n % 4, n % 2, pad=FAT + n) for n in range(12)]
    path = write(tmp_path / "in", *rows, line("with-a-much-longer-name" * 9))
    split(path, str(tmp_path), part={"a": "0.5", "b": "0.5"})
    sides = [pictures(lines_of(tmp_path / f"{part}.manifest")) for part in "ab"]
    assert not sides[0] & sides[1]
    assert len(sides[0] | sides[1]) == 5


def test_another_seed_chooses_others_but_as_many(tmp_path: Path) -> None:
    path = write(tmp_path / "in", *(line(n, n % 2) for n in range(69)))
    found = [split(path, str(tmp_path / str(seed)), seed=seed) for seed in (0, 1)]
    assert found[0].lines == found[1].lines == {"train": 55, "validation": 14}
    assert found[0].counts == found[1].counts
    chosen = [lines_of(tmp_path / str(seed) / "validation.manifest") for seed in (0, 1)]
    assert chosen[0] != chosen[1]


def test_split_json_says_all_that_a_training_job_asks_for(tmp_path: Path) -> None:
    path = write(
        tmp_path / "in.manifest", *(line(n, 3 * (n % 2)) for n in range(10)), FAILED, UNLABELLED, b""
    )
    split(path, seed=7)
    report = json.loads((tmp_path / "split.json").read_text())
    table = report.pop("class_table")
    data = Path(path).read_bytes()
    assert report == {
        "mtool": "0.1.0",
        "inputs": [{"manifest": path, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}],
        "seed": 7,
        "label_attribute": "kind",
        "type": "groundtruth/image-classification",
        "parts": {
            "train": {"manifest": "train.manifest", "ratio": "0.8", "lines": 8, "classes": {"0": 4, "3": 4}},
            "validation": {
                "manifest": "validation.manifest",
                "ratio": "0.2",
                "lines": 2,
                "classes": {"0": 1, "3": 1},
            },
        },
        "left_out": {"failed": 1, "unlabelled": 1, "blank": 1},
        "num_training_samples": 8,
        "num_classes": 4,
    }
    assert ClassTable.from_json(table).names == ((0, "RH"), (3, "burr"))
    assert table["sha256"] == ClassTable(((0, "RH"), (3, "burr"))).digest


def test_a_class_table_supplies_classes_that_no_line_shows(tmp_path: Path) -> None:
    path = write(tmp_path / "in", *(line(n, n % 2) for n in range(10)))
    given_table = ClassTable(tuple(enumerate(NAMES)))
    found = split(path, str(tmp_path), classes=given_table, dry_run=True)
    assert (found.table, found.table.num_classes) == (given_table, 5)


@pytest.mark.parametrize(
    "parts",
    [{"train": "0.8", "test": "0.2"}, {"test": "0.2", "train": "0.8"}],
    ids=["train first", "train last"],
)
def test_a_class_too_small_to_be_parted_goes_to_train_wherever_that_is_named(
    tmp_path: Path, parts: dict[str, Ratio]
) -> None:
    path = write(tmp_path / "in", *(line(n, 0) for n in range(20)), line(99, 1))
    found = split(path, str(tmp_path), part=parts)
    assert found.small_classes == (1,)
    assert found.lines == {"train": 17, "test": 4}
    assert found.counts[1] == tuple(int(name == "train") for name in parts)
    assert found.num_training_samples == 17


def test_several_classes_a_line_come_close_to_their_shares(tmp_path: Path) -> None:
    rows = [multi(n, **{name: 0.9 for at, name in enumerate(NAMES) if n % (at + 2) == 0}) for n in range(300)]
    path = write(tmp_path / "in", *rows)
    found = split(path, str(tmp_path), part={"train": "0.7", "validation": "0.2", "test": "0.1"})
    for counts in found.counts.values():
        wanted = [float(ratio * sum(counts)) for ratio in found.parts.values()]
        assert max(abs(a - b) for a, b in zip(counts, wanted, strict=True)) <= 3
    assert sum(found.lines.values()) == 300


def test_types_without_a_class_are_dealt_out_whole(tmp_path: Path, sample: Path) -> None:
    path = sample / "good" / "custom-type.manifest"
    found = split(str(path), str(tmp_path), part={"a": "1/2", "b": "1/2"})
    assert (found.lines, found.counts, found.empty) == ({"a": 1, "b": 1}, {}, ())
    both = lines_of(tmp_path / "a.manifest", tmp_path / "b.manifest")
    assert sorted(both) == sorted(lines_of(path))


@pytest.mark.parametrize("ratio", [0.7, "0.7", Fraction(7, 10)], ids=repr)
def test_a_ratio_means_what_is_written(tmp_path: Path, ratio: Ratio) -> None:
    path = write(tmp_path / "in", *(line(n) for n in range(10)))
    found = split(path, str(tmp_path), part={"a": ratio, "b": "0.2", "c": 0.1}, dry_run=True)
    assert (found.parts["a"], list(found.lines.values())) == (Fraction(7, 10), [7, 2, 1])


def test_a_compressed_manifest_is_split_into_plain_ones(tmp_path: Path) -> None:
    rows = [line(n, n % 2) for n in range(10)]
    data = b"".join(row + b"\n" for row in rows)
    (tmp_path / "in.gz").write_bytes(gzip.compress(data))
    found = split(str(tmp_path / "in.gz"), rejects=str(tmp_path / "rest.gz"))
    assert sorted(lines_of(tmp_path / "train.manifest", tmp_path / "validation.manifest")) == sorted(
        row + b"\n" for row in rows
    )
    assert gzip.decompress((tmp_path / "rest.gz").read_bytes()) == b""
    assert found.digest == hashlib.sha256(data).hexdigest()


def test_a_dry_run_counts_and_writes_nothing_not_even_a_folder(tmp_path: Path) -> None:
    path = write(tmp_path / "in", *(line(n) for n in range(10)))
    found = split(path, str(tmp_path / "out"), dry_run=True)
    assert (found.lines, found.published) == ({"train": 8, "validation": 2}, ())
    assert [one.name for one in tmp_path.iterdir()] == ["in"]


def test_a_dry_run_knows_the_digest_of_its_input(tmp_path: Path) -> None:
    path = write(tmp_path / "in", line(1))
    assert split(path, dry_run=True).digest == hashlib.sha256(Path(path).read_bytes()).hexdigest()

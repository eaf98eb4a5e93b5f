import gzip
import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from manifest_tools.base.errors import BadData, Exists, InvalidLine, Refused
from manifest_tools.verbs.filter.conditions import ZeroConfidence
from manifest_tools.verbs.filter.filter import filter
from tests.ground_truth import FAILED, FAT, UNLABELLED, labelled, line, lines_of, manifests, multi, write

SURE: dict[str, Any] = {"min_confidence": 0.8, "zero_confidence": "drop"}


def stays(row: bytes) -> bool:
    """Say whether a line is labelled and sure, the slow way."""
    value = json.loads(row)
    return "kind" in value and value["kind-metadata"]["confidence"] >= 0.8


@given(manifests())
def test_no_line_is_lost_or_invented_and_each_keeps_its_bytes_and_its_place(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        path, out, rest = (Path(folder) / name for name in ("in", "out", "rest"))
        path.write_bytes(data)
        found = filter(str(path), str(out), **SURE, rejects=str(rest), jobs=1)
        rows = lines_of(path)
        assert lines_of(out) == [row for row in rows if stays(row)]
        assert lines_of(rest) == [row for row in rows if not stays(row)]
    assert (found.kept, found.dropped) == (sum(map(stays, rows)), len(rows) - sum(map(stays, rows)))
    assert sum(found.reasons.values()) == found.dropped


@given(manifests(), st.integers(1, 30), st.integers(0, 3))
def test_a_sample_has_the_size_asked_for_of_lines_that_meet_the_conditions(
    data: bytes, size: int, seed: int
) -> None:
    with TemporaryDirectory() as folder:
        path, out, rest = (Path(folder) / name for name in ("in", "out", "rest"))
        path.write_bytes(data)
        found = filter(str(path), str(out), **SURE, sample=size, seed=seed, rejects=str(rest), jobs=1)
        rows = lines_of(path)
        kept = lines_of(out)
        assert len(kept) == found.kept == min(size, sum(map(stays, rows)))
        assert all(map(stays, kept))
        assert Counter(kept) + Counter(lines_of(rest)) == Counter(rows)
        left = iter(rows)
        assert all(row in left for row in kept)  # in the order of the input


def test_another_seed_takes_another_sample(tmp_path: Path) -> None:
    path = write(tmp_path / "in", *(line(n) for n in range(100)))
    outs = [str(tmp_path / f"{seed}") for seed in (0, 1, 2)]
    for seed, out in enumerate(outs):
        filter(path, out, sample=50, seed=seed)
    assert len({Path(out).read_bytes() for out in outs}) == 3


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("sample", [None, 5], ids=["all that are sure", "a sample of five"])
def test_any_number_of_workers_writes_the_same_bytes(tmp_path: Path, jobs: int, sample: int | None) -> None:
    rows = [line(n, confidence=(0.3, 0.9, 0.95)[n % 3], pad=FAT) for n in range(13)]
    path, rest = write(tmp_path / "in", *rows, end=b""), tmp_path / "rest"
    found = filter(path, str(tmp_path / "out"), **SURE, sample=sample, rejects=str(rest), jobs=jobs)
    kept = lines_of(tmp_path / "out")
    if sample is None:
        assert kept == [row for row in lines_of(path) if stays(row)]
        assert found.reasons == {"below confidence": 5}
    else:
        # What rank each line has is our own affair; that one block or many give one answer is not.
        whole = filter(path, str(tmp_path / "whole"), **SURE, sample=sample, jobs=1)
        assert kept == lines_of(tmp_path / "whole")
        assert found.reasons == whole.reasons == {"below confidence": 5, "not sampled": 3}
    assert Counter(kept) + Counter(lines_of(rest)) == Counter(lines_of(path))


ZEROS = [line(n, confidence=0.0) for n in range(3)]


@pytest.mark.parametrize("rows", [ZEROS, [multi(1, RH=0.0, LH=0.0)]], ids=["one class", "several classes"])
def test_a_manifest_whose_every_confidence_is_0_is_refused_and_nothing_is_written(
    tmp_path: Path, rows: list[bytes]
) -> None:
    path = write(tmp_path / "in", *rows, UNLABELLED)
    with pytest.raises(
        Refused, match="every confidence is 0 or missing; .*; type --zero-confidence keep, or"
    ):
        filter(
            path,
            str(tmp_path / "out"),
            min_confidence=0.8,
            rejects=str(tmp_path / "r"),
        )
    assert [one.name for one in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize(("zeros", "kept"), [("keep", 3), ("drop", 0)])
def test_what_becomes_of_such_lines_can_be_chosen(tmp_path: Path, zeros: str, kept: int) -> None:
    path = write(tmp_path / "in", *ZEROS)
    chosen: ZeroConfidence = "keep" if zeros == "keep" else "drop"
    found = filter(path, tmp_path / "out", min_confidence=0.8, zero_confidence=chosen)
    assert found.kept == kept


def test_one_confidence_anywhere_shows_that_the_zeros_mean_something(tmp_path: Path) -> None:
    path = write(tmp_path / "in", *ZEROS, line(9, 1, confidence=0.9, pad=5_000_000), *ZEROS)
    found = filter(path, str(tmp_path / "out"), min_confidence=0.8, class_=("RH",))
    assert found.reasons == {"confidence 0": 6, "other class": 1}


def test_a_class_that_no_line_has_is_refused_with_those_there_are(tmp_path: Path) -> None:
    path = write(tmp_path / "in", line(1, 0), line(2, 1))
    with pytest.raises(Refused, match="no line has the class 'rh'; its classes: RH, LH"):
        filter(path, str(tmp_path / "out"), class_=("rh",))


def test_a_class_whose_every_line_goes_for_another_reason_is_there_all_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "in", line(1, 0, confidence=0.5), line(2, 1))
    found = filter(path, tmp_path / "out", min_confidence=0.8, class_=("RH",))
    assert found.reasons == {"below confidence": 1, "other class": 1}


def test_trim_takes_low_classes_off_the_line_and_touches_no_other_line(tmp_path: Path) -> None:
    rows = [multi(1, RH=0.9, LH=0.1), multi(2, LH=0.95), multi(3, RH=0.2), multi(4)]
    path = write(tmp_path / "in", *rows)
    out, rest = tmp_path / "out", tmp_path / "rest"
    found = filter(path, out, min_confidence=0.8, multilabel="trim", rejects=rest)
    assert lines_of(tmp_path / "out") == [multi(1, RH=0.9) + b"\n", rows[1] + b"\n", rows[3] + b"\n"]
    assert lines_of(tmp_path / "rest") == [rows[2] + b"\n"]
    assert (found.kept, found.trimmed, found.reasons) == (3, 1, {"below confidence": 1})


def test_a_line_that_cannot_be_trimmed_is_named(tmp_path: Path) -> None:
    odd = multi(1, RH=0.9, LH=0.1).replace(b'"kind":', b'"kind": ["x"], "kind":', 1)
    path = write(tmp_path / "in", multi(0, RH=0.9), odd)
    with pytest.raises(InvalidLine, match="in:2: cannot be trimmed"):
        filter(path, str(tmp_path / "o"), min_confidence=0.8, multilabel="trim")


def test_lines_of_every_kind_pass_unharmed(sample: Path, tmp_path: Path) -> None:
    for path in sorted((sample / "good").glob("*.manifest")):
        filter(
            str(path),
            str(tmp_path / path.name),
        )
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


@given(st.lists(labelled(st.just(0.9)), min_size=2, max_size=5), st.integers(0, 4))
def test_a_broken_line_is_named_and_nothing_is_written(rows: list[bytes], at: int) -> None:
    assume(at < len(rows))
    with TemporaryDirectory() as folder:
        broken = [*rows[:at], rows[at][:-1], *rows[at + 1 :]]
        path = write(Path(folder) / "in", *broken)
        with pytest.raises(BadData, match=f"in:{at + 1}: "):
            filter(path, f"{folder}/out", **SURE, label_attribute="kind", jobs=1)
        assert [one.name for one in Path(folder).iterdir()] == ["in"]


def test_a_compressed_manifest_is_filtered_into_a_compressed_one(tmp_path: Path) -> None:
    (tmp_path / "in.gz").write_bytes(gzip.compress(line(1) + b"\n" + line(2, confidence=0.1) + b"\n"))
    filter(str(tmp_path / "in.gz"), str(tmp_path / "out.gz"), **SURE)
    assert gzip.decompress((tmp_path / "out.gz").read_bytes()) == line(1) + b"\n"


def test_an_output_with_other_content_is_replaced_only_when_told(tmp_path: Path) -> None:
    path, out = write(tmp_path / "in", line(1), FAILED), str(tmp_path / "out")
    filter(path, out, **SURE)
    assert [one.state for one in filter(path, out, **SURE).published] == ["unchanged"]
    with pytest.raises(Exists):
        filter(path, out)
    assert lines_of(out) == [line(1) + b"\n"]
    assert [one.state for one in filter(path, out, force=True).published] == ["written"]


@pytest.mark.parametrize("spelling", ["in", "./in", "link"])
def test_neither_output_takes_the_place_of_the_input(in_folder: Path, spelling: str) -> None:
    write(in_folder / "in", line(1), FAILED)
    (in_folder / "link").symlink_to("in")
    for output, rejects in ((spelling, None), ("out", spelling)):
        with pytest.raises(Refused, match="would replace its own input"):
            filter("in", output, **SURE, rejects=rejects, force=True)
    assert len(lines_of("in")) == 2


def test_kept_lines_and_rejects_do_not_go_to_one_file(in_folder: Path) -> None:
    write(in_folder / "in", line(1), FAILED)
    with pytest.raises(Refused, match="would replace another output"):
        filter("in", "out", **SURE, rejects="./out")


def test_a_sample_of_lines_without_labels_can_be_taken(sample: Path, tmp_path: Path) -> None:
    found = filter(str(sample / "good" / "input-only.manifest"), str(tmp_path / "out"), sample=1)
    assert found.kept == 1


def test_reasons_stand_in_the_order_in_which_lines_show_them(tmp_path: Path) -> None:
    path = write(tmp_path / "in", UNLABELLED, line(1, confidence=0.1), FAILED, line(2, confidence=0.9))
    found = filter(path, str(tmp_path / "out"), min_confidence=0.5)
    assert list(found.reasons) == ["unlabelled", "below confidence", "failed"]

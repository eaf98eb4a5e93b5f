"""Pictures that cannot be used: how many may be, where they are kept, and how they are tried again."""

import json
from pathlib import Path
from typing import Any

import pytest

from manifest_tools.base.errors import BadData, Exists, Refused
from manifest_tools.io.recordio import read_records, unpack
from manifest_tools.io.s3_errors import NotThere
from manifest_tools.verbs.convert.convert import convert
from manifest_tools.verbs.convert.left_out_pictures import MOST_PROBLEMS, LeftOutPictures, TooManyUnusable
from manifest_tools.verbs.convert.opening import LeftOut
from manifest_tools.verbs.convert.plan import plan
from tests.ground_truth import boxes, write
from tests.pictures import jpeg, row, write_manifest

OPTIONS: dict[str, Any] = {"images": ["s3://raw=raw"], "allow_loss": True, "jobs": 1}


@pytest.fixture
def manifest(in_folder: Path) -> str:
    """A manifest of twelve pictures in ./raw: the second is cut off, the fourth is absent."""
    (in_folder / "raw").mkdir()
    for number in range(12):
        (in_folder / "raw" / f"{number}.jpg").write_bytes(jpeg(20 * number))
    (in_folder / "raw/1.jpg").write_bytes(jpeg(1)[:-200])
    (in_folder / "raw/3.jpg").unlink()
    rows = [row(f"{n}.jpg", n % 2) for n in range(12)]
    rows[8]["source-ref"] = "s3://raw/tab\there.jpg"
    (in_folder / "raw/tab\there.jpg").write_bytes(jpeg(9))
    return write_manifest(in_folder / "a.manifest", rows)


def entries(path: str = "q.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def ids(path: str) -> list[int]:
    with open(path, "rb") as stream:
        return [unpack(payload).id for payload in read_records(stream, path)]


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_quarantine_has_line_reason_and_stage(manifest: str, jobs: int) -> None:
    convert(manifest, "recordio", "out", quarantine="q.jsonl", **{**OPTIONS, "jobs": jobs})
    found = entries()
    assert [(one["line"], one["code"], one["stage"]) for one in found] == [
        (2, "MT403", "decode"),
        (4, "MT401", "find"),
        (9, "MT406", "pack"),
    ]
    lines = Path(manifest).read_text().splitlines()
    assert [one["text"] for one in found] == [lines[number - 1] for number in (2, 4, 9)]
    assert {one["manifest"] for one in found} == {manifest}
    assert all(one["reason"] for one in found)


def test_what_is_fetched_in_vain_says_so(manifest: str) -> None:
    def fetch(uri: str) -> bytes:
        if uri.endswith("/5.jpg"):
            return jpeg(5)
        raise NotThere(uri, "object")

    convert(manifest, "recordio", "out", fetch=fetch, quarantine="q.jsonl", allow_loss=True)
    assert {one["stage"] for one in entries()} == {"fetch"}
    assert len(entries()) == 11


def test_a_conversion_without_a_fault_has_an_empty_quarantine(manifest: str) -> None:
    good = write_manifest(Path("good.manifest"), [row("0.jpg", 0)])
    convert(good, "recordio", "out", quarantine="q.jsonl", **OPTIONS)
    assert entries() == []


def test_a_quarantine_that_exists_is_not_replaced(manifest: str) -> None:
    Path("q.jsonl").write_text("mine")
    with pytest.raises(Exists, match="--quarantine"):
        convert(manifest, "recordio", "out", quarantine="q.jsonl", **OPTIONS)


def test_retry_does_just_these_lines_with_their_numbers(manifest: str) -> None:
    convert(manifest, "recordio", "out", quarantine="q.jsonl", **OPTIONS)
    Path("raw/1.jpg").write_bytes(jpeg(7))
    Path("raw/0.jpg").unlink()
    done = convert(manifest, "recordio", "more", retry="q.jsonl", quarantine="q2.jsonl", **OPTIONS)
    assert ids("more.rec") == [2]
    assert Path("more.lst").read_text() == "2\t1.000000\t1.jpg\n"
    assert done.table.num_classes == 2
    assert [one["line"] for one in entries("q2.jsonl")] == [4, 9]
    assert sorted(ids("out.rec") + ids("more.rec")) == [1, 2, 3, 5, 6, 7, 8, 10, 11, 12]


def test_retry_of_several_manifests_keeps_the_parts(manifest: str) -> None:
    other = write_manifest(Path("b.manifest"), [row("0.jpg", 0), row("3.jpg", 1)])
    convert([manifest, other], "folder", "ds", quarantine="q.jsonl", **OPTIONS)
    Path("raw/3.jpg").write_bytes(jpeg(7))
    done = convert([manifest, other], "folder", "more", retry="q.jsonl", **OPTIONS)
    assert done.pictures == 2
    assert sorted(map(str, Path("more").rglob("*.jpg"))) == ["more/a/LH/3.jpg", "more/b/LH/3.jpg"]


def test_a_line_that_is_another_by_now_is_no_retry(manifest: str) -> None:
    convert(manifest, "recordio", "out", quarantine="q.jsonl", **OPTIONS)
    lines = Path(manifest).read_text().splitlines(keepends=True)
    Path(manifest).write_text("".join(lines[1:]))
    with pytest.raises(BadData, match=r"q\.jsonl: line 2 of .*a\.manifest was another"):
        convert(manifest, "recordio", "more", retry="q.jsonl", **OPTIONS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "found none"),
        ("no json\n", r"q.jsonl:1: expected a line as --quarantine writes it"),
        ('{"manifest": "a.manifest"}\n', "q.jsonl:1: expected a line"),
        ("[" * 100_000 + "\n", "q.jsonl:1: expected a line"),
        ("\0" * (65 << 20), "q.jsonl: expected lines of at most 64 MB, found a longer one"),
    ],
    ids=["nothing", "text", "half", "deep", "long"],
)
def test_what_is_no_quarantine_is_refused(manifest: str, content: str, message: str) -> None:
    Path("q.jsonl").write_text(content)
    with pytest.raises(BadData, match=message):
        convert(manifest, "recordio", "more", retry="q.jsonl", **OPTIONS)


def test_lines_of_a_manifest_that_was_not_typed_are_refused(manifest: str) -> None:
    convert(manifest, "recordio", "out", quarantine="q.jsonl", **OPTIONS)
    other = write_manifest(Path("b.manifest"), [row("0.jpg", 0)])
    with pytest.raises(Refused, match=r"has lines of a\.manifest; type"):
        convert(other, "recordio", "more", retry="q.jsonl", **OPTIONS)
    with pytest.raises(Refused, match="--retry none"):
        convert(other, "recordio", "more", retry="none", **OPTIONS)


def test_a_side_car_of_some_lines_is_refused(manifest: str) -> None:
    convert(manifest, "recordio", "out", quarantine="q.jsonl", **OPTIONS)
    with pytest.raises(Refused, match="--side-car keeps all lines"):
        convert(manifest, "recordio", "more", retry="q.jsonl", images=["raw"], side_car=True)


@pytest.mark.parametrize("jobs", [1, 2])
def test_more_than_agreed_stop_the_conversion_and_nothing_is_written(manifest: str, jobs: int) -> None:
    with pytest.raises(TooManyUnusable, match="--max-errors 1: 2 pictures .* nothing was written"):
        convert(manifest, "recordio", "out", max_errors=1, **{**OPTIONS, "jobs": jobs})
    assert {path.name for path in Path().iterdir()} == {"raw", "a.manifest"}
    assert convert(manifest, "recordio", "out", max_errors=3, **OPTIONS).pictures == 9
    with pytest.raises(Refused, match="--max-errors -1"):
        convert(manifest, "recordio", "out", max_errors=-1, **OPTIONS)


def test_many_problems_are_counted_and_only_the_first_remembered(manifest: str) -> None:
    left_out, planned = LeftOutPictures(spools={}), plan(manifest, "recordio", "out", images=["s3://raw=raw"])
    for number in range(MOST_PROBLEMS + 7, 0, -1):
        left_out.add(planned, LeftOut(number, "", "MT401", "absent", "find"))
    assert len(left_out.problems) == MOST_PROBLEMS
    assert left_out.by_code == {"MT401": MOST_PROBLEMS + 7}
    assert left_out.spools is not None
    assert [one.number for one in left_out.spools[""].sorted()] == list(range(1, MOST_PROBLEMS + 8))
    left_out.close()


def test_boxes_are_tried_again_with_their_sizes(in_folder: Path) -> None:
    manifest = write(in_folder / "boxes.manifest", boxes(1, ("LH", 0.5)), boxes(2, ("RH", 0.5)))
    entry = {"manifest": manifest, "line": 2, "code": "MT401", "reason": "absent", "stage": "find"}
    Path("q.jsonl").write_text(json.dumps(entry) + "\n")
    assert convert(manifest, "coco", "out", retry="q.jsonl", allow_loss=True).pictures == 1

"""The pieces that a conversion is cut into, and who makes them."""

import contextlib
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.formats.protocol import NotPacked, Packed
from manifest_tools.formats.recordio import Layout, pack_pictures
from manifest_tools.groundtruth.annotations import Box, Mask, Picture, StreamedPictures
from manifest_tools.images.unusable import MISSING, UNNAMEABLE, Unusable
from manifest_tools.io.folder_sink import FolderSink
from manifest_tools.verbs.convert.opening import to_open
from manifest_tools.verbs.convert.pictures import PictureWork
from manifest_tools.verbs.convert.pieces import cut, pictures_a_piece
from manifest_tools.verbs.convert.plan import ConversionPlan, plan
from manifest_tools.verbs.convert.workspace import workspace
from tests.pictures import jpeg, row, write_manifest

COUNT = 21


@pytest.fixture
def planned(in_folder: Path) -> ConversionPlan:
    """The plan for some pictures in ./raw, of which the fourth is not there."""
    (in_folder / "raw").mkdir()
    for number in range(COUNT):
        if number != 3:
            (in_folder / "raw" / f"{number}.jpg").write_bytes(jpeg(10 * number))
    manifest = write_manifest(in_folder / "a.manifest", [row(f"{n}.jpg", n % 2) for n in range(COUNT)])
    return plan(manifest, "recordio", "out", images=["s3://raw=raw"], pass_through=True)


@contextlib.contextmanager
def work_of(
    planned: ConversionPlan, placed: list[tuple[int, str]] | None = None, **options: Any
) -> Iterator[PictureWork]:
    def note(part: str, number: int, key: str) -> None:
        if placed is not None:
            placed.append((number, key))

    with workspace("out", {}) as space:
        yield PictureWork({"": planned}, note, space, **options)
        assert {path.name for path in Path(space.folder).iterdir()} == {"ledger.jsonl", "lock"}


PACK = partial(pack_pictures, Layout("single_label", 2, 0))


def shards_of(work: PictureWork) -> list[tuple[int, list[int], bytes]]:
    return [
        (shard.number, [packed.number for packed in shard.packed], Path(shard.path).read_bytes())
        for shard in work.packed("", PACK)
    ]


@given(st.lists(st.integers()), st.integers(1, 9))
def test_pieces_put_one_behind_the_other_are_the_whole(items: list[int], size: int) -> None:
    pieces = list(cut(items, size))
    assert [item for piece in pieces for item in piece] == items
    assert all(len(piece) == size for piece in pieces[:-1])


@given(st.integers(0, 10**9))
def test_a_piece_is_never_larger_than_memory_can_bear_and_two_workers_have_work(count: int) -> None:
    size = pictures_a_piece(count)
    assert 8 <= size <= 256
    assert count <= 8 or size < count


@pytest.mark.parametrize("jobs", [1, 2, 3, ThreadPoolExecutor(2)], ids=["1", "2", "3", "threads"])
def test_any_worker_makes_the_same_pieces(planned: ConversionPlan, jobs: Any) -> None:
    with work_of(planned, jobs=1) as work:
        expected = shards_of(work)
    placed: list[tuple[int, str]] = []
    with work_of(planned, placed, jobs=jobs) as work:
        assert shards_of(work) == expected
    assert [number for _, numbers, _ in expected for number in numbers] == [
        number for number in range(1, COUNT + 1) if number != 4
    ]
    assert placed == [(n, str(n)) for n in range(1, COUNT + 1) if n != 4]
    assert [(problem.code, problem.line) for problem in work.left_out.problems] == [(MISSING, 4)]


def test_a_shard_has_as_many_lines_as_the_plan_says(planned: ConversionPlan) -> None:
    with work_of(replace(planned, shard=10), jobs=2) as work:
        cut_up = shards_of(work)
    assert [(number, len(numbers)) for number, numbers, _ in cut_up] == [(0, 9), (1, 10), (2, 1)]
    with work_of(planned, jobs=1) as work:
        whole = b"".join(data for *_, data in shards_of(work))
    assert b"".join(data for *_, data in cut_up) == whole


def refuses_odd(pictures: Iterator[tuple[Picture, bytes]], out: Any) -> Iterator[Packed | NotPacked]:
    for picture, data in pictures:
        if picture.number % 2:
            yield NotPacked(picture.number, Unusable(UNNAMEABLE, "odd"))
        else:
            yield Packed(picture.number, "", 0, out.write(data))


def test_what_a_format_refuses_is_a_problem_that_names_its_stage(planned: ConversionPlan) -> None:
    with work_of(planned, jobs=2) as work:
        assert sum(len(shard.packed) for shard in work.packed("", refuses_odd)) == 9
    problems = work.left_out.problems
    assert [problem.line for problem in problems if problem.code == UNNAMEABLE] == list(range(1, 22, 2))


@pytest.mark.parametrize("jobs", [1, 2])
def test_pictures_are_copied_in_order_under_the_paths_they_were_given(
    planned: ConversionPlan, jobs: int
) -> None:
    asked: list[int] = []

    def path_of(picture: Picture) -> str:
        asked.append(picture.number)
        return f"{picture.classes[0]}/{picture.number}.jpg"

    placed: list[tuple[int, str]] = []
    with work_of(planned, placed, jobs=jobs, folder=FolderSink(Path("copies"))) as work:
        done = list(work.copied("", path_of))
    assert asked == list(range(1, COUNT + 1))
    assert [picture.number for picture, _ in done] == [number for number in asked if number != 4]
    for picture, copied in done:
        data = Path("raw", f"{picture.number - 1}.jpg").read_bytes()
        assert Path("copies", copied.path).read_bytes() == data
        assert (copied.size, copied.length) == ((60, 40), len(data))
    assert placed == [(picture.number, copied.path) for picture, copied in done]


def inverted(picture: Picture, mask: bytes) -> bytes:
    if picture.number == 2:
        raise Unusable(UNNAMEABLE, "no colours")
    return mask[::-1]


@pytest.mark.parametrize("jobs", [1, 2])
def test_masks_are_found_beside_the_pictures(planned: ConversionPlan, jobs: int) -> None:
    Path("m.png").write_bytes(b"mask")
    masked = [Picture(n, "", mask=Mask("m.png" if n % 3 else "")) for n in range(1, COUNT + 1)]
    masked_plan = replace(planned, lines=StreamedPictures(masked.copy))
    with work_of(masked_plan, jobs=jobs) as work:
        found = list(work.masks("", inverted))
    assert [picture.number for picture, _ in found] == [n for n in range(1, COUNT + 1) if n % 3 and n != 2]
    assert {data for _, data in found} == {b"ksam"}
    assert {problem.line for problem in work.left_out.problems} == {2, *range(3, COUNT + 1, 3)}


def test_a_worker_that_copies_is_not_sent_the_labels() -> None:
    labelled = Picture(7, "s3://raw/1.jpg", boxes=tuple(Box(n, 1.0, 2.0, 3.0, 4.0) for n in range(100)))
    assert len(pickle.dumps(to_open(labelled))) < len(pickle.dumps(labelled)) / 3
    assert (to_open(labelled).number, to_open(labelled).ref) == (7, "s3://raw/1.jpg")

"""A conversion that was killed goes on where it was: the same bytes, and nothing is done twice."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from manifest_tools.base.errors import Refused
from manifest_tools.formats.protocol import Place
from manifest_tools.verbs.convert.convert import convert
from manifest_tools.verbs.convert.ledger import new_ledger, open_ledger
from manifest_tools.verbs.convert.pieces import Made
from manifest_tools.verbs.convert.workspace import place_of, workspace
from tests.conftest import REPOSITORY
from tests.pictures import jpeg, row, write_manifest

COUNT = 40  # five pieces, or four shards of ten
WAYS: dict[str, dict[str, Any]] = {
    "recordio": {"to": "recordio"},
    "recordio as it is": {"to": "recordio", "pass_through": True},
    "webdataset in shards": {"to": "webdataset", "shard": 10},
    "webdataset": {"to": "webdataset"},
    "folder": {"to": "folder"},
    "folder of links": {"to": "folder", "link": True},
}
# Kills itself, workers and all, when so many pictures are done.
RUN = """
import json, os, signal, sys
from manifest_tools import convert

def progress(items, total, what):
    for number, item in enumerate(items):
        if number == int(sys.argv[1]):
            os.kill(os.getpid(), signal.SIGKILL)
        yield item

convert(**json.loads(sys.argv[2]), progress=progress)
"""


@pytest.fixture
def manifest(in_folder: Path) -> str:
    """A manifest of pictures in ./raw, of which the sixth is not there."""
    (in_folder / "raw").mkdir()
    for number in range(COUNT):
        if number != 5:
            (in_folder / "raw" / f"{number}.jpg").write_bytes(jpeg(6 * number, (64, 48)))
    return write_manifest(in_folder / "a.manifest", [row(f"{n}.jpg", n % 2) for n in range(COUNT)])


def options_of(manifest: str, way: str, **others: Any) -> dict[str, Any]:
    images = {"images": ["s3://raw=raw"], "allow_loss": True}
    return {"manifests": [manifest], "output": "out", **images, **WAYS[way], **others}


def kill_after(pictures: int, options: dict[str, Any]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(pictures), json.dumps(options)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL


def outputs(output: str) -> dict[str, bytes]:
    """Return every file of an output, and the report beside it, by its name without that of the output."""
    places = sorted(Path().glob(f"{output}*"))
    files = [path for place in places for path in (place, *sorted(place.rglob("*")))]
    return {str(path).removeprefix(output): path.read_bytes() for path in files if path.is_file()}


def finished_pieces() -> int:
    ledger = open_ledger(str(place_of("out") / "ledger.jsonl"))[1]
    ledger.close()
    return len(ledger.finished)


def spoil_what_is_finished(a_piece: int) -> None:
    """Put other bytes into the pictures of pieces that are written down: nobody is to read them again."""
    for number in range(finished_pieces() * a_piece):
        picture = Path("raw", f"{number}.jpg")
        if picture.exists() and picture.stat().st_nlink == 1:
            picture.write_bytes(bytes(picture.stat().st_size))


@pytest.mark.parametrize(
    ("way", "pictures", "jobs"),
    [
        *((way, 17, 2) for way in WAYS),
        ("recordio", 0, 1),
        ("recordio", 39, 2),
        ("webdataset in shards", 39, 1),
    ],
)
def test_a_killed_conversion_goes_on_where_it_was(manifest: str, way: str, pictures: int, jobs: int) -> None:
    undisturbed = options_of(manifest, way) | {"output": "whole"}
    convert(**undisturbed)
    options = options_of(manifest, way, jobs=jobs)
    kill_after(pictures, options)
    assert not outputs("out")
    a_piece = 10 if "shards" in way else 8
    assert finished_pieces() * a_piece >= min(pictures + 1, COUNT)
    spoil_what_is_finished(a_piece)
    done = convert(**options, resume=True)
    assert done.pictures == COUNT - 1
    assert [problem.line for problem in done.problems] == [6]
    expected, found = outputs("whole"), outputs("out")
    assert list(expected) == list(found)
    for name, data in expected.items():
        assert found[name] == data.replace(b'"whole', b'"out'), name
    assert not place_of("out").exists()


def test_one_killed_again_and_again_gets_to_its_end(manifest: str) -> None:
    convert(**options_of(manifest, "recordio") | {"output": "whole"})
    options = options_of(manifest, "recordio", resume=True)
    for pictures in (9, 25):
        kill_after(pictures, options)
        spoil_what_is_finished(8)
    convert(**options)
    assert Path("out.rec").read_bytes() == Path("whole.rec").read_bytes()


def test_without_resume_all_is_done_anew_and_nothing_stays(manifest: str) -> None:
    options = options_of(manifest, "recordio", jobs=1)
    kill_after(17, options)
    spoil_what_is_finished(8)
    done = convert(**options)
    assert len(done.problems) > 1
    assert not list(Path().glob(".*"))


def test_what_is_finished_of_another_conversion_is_refused_with_what_differs(manifest: str) -> None:
    options = options_of(manifest, "recordio")
    kill_after(17, options | {"resize": 20})
    with pytest.raises(Refused, match=r"options\.resize was 20, is 30"):
        convert(**options, resize=30, resume=True)
    Path("raw/7.jpg").write_bytes(b"shorter")
    with pytest.raises(Refused, match="lines or pictures are others"):
        convert(**options, resize=20, resume=True)
    assert finished_pieces() == 3


def test_a_ledger_that_was_cut_off_counts_as_far_as_it_goes(manifest: str) -> None:
    convert(**options_of(manifest, "recordio") | {"output": "whole"})
    options = options_of(manifest, "recordio", jobs=1)
    kill_after(30, options)
    path = place_of("out") / "ledger.jsonl"
    path.write_bytes(path.read_bytes()[:-30])
    convert(**options, resume=True)
    assert Path("out.rec").read_bytes() == Path("whole.rec").read_bytes()


@pytest.mark.parametrize("place", ["mine.txt", "elsewhere/.a.rec.mtool-host-1-x", "elsewhere/mtool-host-1-x"])
def test_a_ledger_that_names_files_of_others_takes_none(
    manifest: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, place: str
) -> None:
    convert(**options_of(manifest, "recordio") | {"output": "whole"})
    options = options_of(manifest, "recordio", jobs=1)
    kill_after(17, options)
    mine = tmp_path / place
    if "/" in place:
        mine = tmp_path_factory.mktemp("elsewhere") / Path(place).name
    mine.write_bytes(bytes(10**6))
    with (place_of("out") / "ledger.jsonl").open("a") as ledger:
        ledger.write(f'{{"type":"moved","part":0,"piece":0,"path":"{mine}","offset":0}}\n')
    convert(**options, resume=True)
    assert mine.read_bytes() == bytes(10**6)
    assert Path("out.rec").read_bytes() == Path("whole.rec").read_bytes()


@pytest.mark.parametrize("garbage", [b"", b"{}\n", b"[" * 10_000 + b"\n", b"\xff\xfe\n"], ids=repr)
def test_a_ledger_without_a_beginning_is_begun_anew(manifest: str, garbage: bytes) -> None:
    options = options_of(manifest, "recordio", jobs=1)
    kill_after(30, options)
    (place_of("out") / "ledger.jsonl").write_bytes(garbage)
    assert convert(**options, resume=True).pictures == COUNT - 1


def test_bytes_that_are_gone_are_made_again(manifest: str) -> None:
    convert(**options_of(manifest, "recordio") | {"output": "whole"})
    options = options_of(manifest, "recordio", jobs=1)
    kill_after(30, options)
    for path in Path().glob(".out.rec.mtool-*"):
        path.unlink()
    convert(**options, resume=True)
    assert Path("out.rec").read_bytes() == Path("whole.rec").read_bytes()


def test_a_copy_that_is_gone_is_made_again(manifest: str) -> None:
    options = options_of(manifest, "folder", jobs=1)
    kill_after(30, options)
    next((place_of("out") / "new").rglob("*.jpg")).unlink()
    assert convert(**options, resume=True).pictures == COUNT - 1


class Broken(Exception):
    """What a network raises."""


def broken_after(pictures: int) -> Any:
    fetched: list[str] = []

    def fetch(uri: str) -> bytes:
        fetched.append(uri)
        if len(fetched) > pictures:
            raise Broken
        return jpeg(len(uri))

    return fetch


def test_a_failure_keeps_what_is_finished_only_where_told(manifest: str) -> None:
    options: dict[str, Any] = {"manifests": manifest, "output": "out", "allow_loss": True, "jobs": 1}
    with pytest.raises(Broken):
        convert(**options, fetch=broken_after(30))
    assert not place_of("out").exists()
    with pytest.raises(Broken):
        convert(**options, fetch=broken_after(30), resume=True)
    done = finished_pieces()
    assert 0 < done < COUNT / 8
    assert convert(**options, fetch=broken_after(COUNT - 8 * done), resume=True).pictures == COUNT


def test_two_at_a_time_do_not_write_one_output(in_folder: Path) -> None:
    with (
        workspace("out", {}),
        pytest.raises(Refused, match="out: another process is writing it"),
        workspace("out", {}, wait=0.1),
    ):
        raise AssertionError
    assert not list(in_folder.iterdir())


def test_who_waited_for_the_end_of_another_begins_in_a_folder_of_its_own(in_folder: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        with workspace("out", {}):
            second = pool.submit(_in_workspace)
            time.sleep(0.2)
        assert second.result() == ["ledger.jsonl", "lock"]
    assert not list(in_folder.iterdir())


def _in_workspace() -> list[str]:
    with workspace("out", {}) as space:
        return sorted(os.listdir(space.folder))


def test_a_format_that_opens_no_picture_has_nothing_to_resume(manifest: str) -> None:
    with pytest.raises(Refused, match="--resume: coco opens no picture"):
        convert(manifest, "coco", "out", allow_loss=True, resume=True)


def test_a_link_in_place_of_the_folder_is_refused(manifest: str, tmp_path: Path) -> None:
    place_of("out").symlink_to(tmp_path)
    with pytest.raises(Refused, match="expected a folder of this user's"):
        convert(**options_of(manifest, "recordio"))


def test_long_names_have_places_of_their_own() -> None:
    places = {place_of("a" * 200 + end).name for end in "xy"}
    assert len(places) == 2
    assert all(re.fullmatch(r"\.a{50}-[0-9a-f]{8}\.mtool-pieces", name) for name in places)


def test_bytes_that_moved_are_known_by_their_last_place(in_folder: Path) -> None:

    ledger = new_ledger("ledger", {"a": 1})
    ledger.finish((0, 1), Made(length=7))
    ledger.move((0, 1), Place("first", 0))
    ledger.move((0, 1), Place("second", 9))
    ledger.finish((0, 2), Made(turned=2))
    ledger.close()
    head, again = open_ledger("ledger")
    assert head is not None and head.plan == {"a": 1}
    assert again.moved == {(0, 1): Place("second", 9)}
    assert [again.made(key) for key in ((0, 1), (0, 2), (1, 1))] == [Made(length=7), Made(turned=2), None]
    again.close()

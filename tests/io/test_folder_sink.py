import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from manifest_tools.base.errors import Exists, MtoolError, Refused
from manifest_tools.io.folder_sink import FolderSink, folder_sink
from manifest_tools.io.sinks import publishing

FILES = {"a/1.txt": b"one", "b/deep/2.txt": b"two"}


def written(output: str, files: dict[str, bytes], *, force: bool = False, is_ours: bool = False) -> str:
    """Write files into a folder and return what became of it."""
    with publishing(force=force) as publication:
        with folder_sink(output, publication, report=f"{output}.json", is_ours=is_ours) as sink:
            for name, data in files.items():
                sink.write(name, data)
        (published,) = publication.published
    assert published.path == output
    return published.state


def tree(folder: str | Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in Path(folder).rglob("*") if p.is_file()}


def test_a_folder_appears_with_all_its_files(in_folder: Path) -> None:
    assert written("out", FILES) == "written"
    assert tree("out") == FILES
    assert os.listdir(in_folder) == ["out"]


def test_nothing_is_there_before_the_end_and_nothing_stays_after_a_failure(in_folder: Path) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        publishing() as publication,
        folder_sink("out", publication, report="out.json", is_ours=False) as sink,
    ):
        sink.write("1.txt", b"one")
        assert not Path("out").exists()
        raise ZeroDivisionError
    assert os.listdir(in_folder) == []


def test_the_same_files_are_unchanged_and_keep_their_inode(in_folder: Path) -> None:
    written("out", FILES)
    before = os.stat("out/a/1.txt").st_ino
    assert written("out", FILES) == "unchanged"
    assert os.stat("out/a/1.txt").st_ino == before


@pytest.mark.parametrize(
    "files",
    [
        pytest.param(FILES | {"a/1.txt": b"ONE"}, id="other bytes"),
        pytest.param(FILES | {"a/3.txt": b""}, id="one file more"),
        pytest.param({"a/1.txt": b"one"}, id="one file less"),
    ],
)
def test_another_folder_is_replaced_only_by_force_and_only_where_it_is_ours(
    in_folder: Path, files: dict[str, bytes]
) -> None:
    written("out", FILES)
    with pytest.raises(Exists, match="out: exists already"):
        written("out", files)
    with pytest.raises(Refused, match="not made by mtool"):
        written("out", files, force=True)
    assert tree("out") == FILES
    assert written("out", files, force=True, is_ours=True) == "written"
    assert tree("out") == files
    assert os.listdir(in_folder) == ["out"]


def test_an_empty_folder_is_taken(in_folder: Path) -> None:
    Path("out").mkdir()
    assert written("out", FILES) == "written"


def test_a_link_to_a_folder_leads_to_the_new_one(in_folder: Path) -> None:
    Path("real").mkdir()
    Path("out").symlink_to("real")
    written("out", FILES)
    assert Path("out").is_symlink()
    assert tree("real") == FILES


def test_a_new_folder_is_as_open_as_any_other(in_folder: Path) -> None:
    written("out", FILES)
    Path("other").mkdir()
    assert stat.S_IMODE(os.stat("out").st_mode) == stat.S_IMODE(os.stat("other").st_mode)


def test_a_report_of_something_else_stops_it_before_any_work(in_folder: Path) -> None:
    Path("out.json").write_text("{}")
    with pytest.raises(Exists, match="out.json"):
        written("out", FILES)
    assert os.listdir(in_folder) == ["out.json"]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        pytest.param("s3://bucket/out", "expected a folder on this disk", id="in S3"),
        pytest.param("file", "expected a folder, found a file", id="a file"),
    ],
)
def test_what_can_be_no_folder_is_refused(in_folder: Path, output: str, message: str) -> None:
    Path("file").write_text("")
    with pytest.raises(Refused, match=message):
        written(output, FILES)


def test_a_folder_in_a_folder_that_is_not_there_is_made_with_it_or_not_at_all(in_folder: Path) -> None:
    with pytest.raises(ValueError, match="inside the folder"):
        written("new/one/out", FILES | {"../x": b""})
    assert os.listdir() == []
    written("new/one/out", FILES)
    assert tree("new/one/out") == FILES


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "a//x", "./x", "", "a\\..\\x"])
def test_no_name_leaves_the_folder(tmp_path: Path, name: str) -> None:
    sink = FolderSink(tmp_path / "new")
    with pytest.raises(ValueError, match="inside the folder"):
        sink.write(name, b"")
    with pytest.raises(ValueError, match="inside the folder"):
        sink.link(name, str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_linked_file_is_the_file_itself(in_folder: Path) -> None:
    Path("source.txt").write_bytes(b"one")
    with publishing() as publication, folder_sink("out", publication, report="r", is_ours=False) as sink:
        sink.link("a/1.txt", "source.txt")
    assert os.path.samefile("out/a/1.txt", "source.txt")


def test_a_link_that_cannot_be_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(MtoolError, match="--link: .*none.txt cannot be linked.*leave --link away to copy"):
        FolderSink(tmp_path).link("1.txt", str(tmp_path / "none.txt"))


KILLED = """
import os, signal
from manifest_tools.io.folder_sink import folder_sink
from manifest_tools.io.sinks import publishing
with publishing(force=True) as publication:
    with folder_sink("out", publication, report="out.json", is_ours=True) as sink:
        sink.write("new.txt", b"new")
    publication.open("out.json").write(b"new")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("there", [False, True], ids=["a first folder", "a folder that is replaced"])
def test_a_run_that_was_killed_between_folder_and_report_is_told_of(in_folder: Path, there: bool) -> None:
    if there:
        Path("out").mkdir()
        Path("out", "old.txt").write_bytes(b"old")
        Path("out.json").write_bytes(b"old")
    subprocess.run([sys.executable, "-c", KILLED])
    assert Path("out", "new.txt").exists()
    with (
        pytest.raises(Refused, match=r"out: a run was killed while it replaced .*type --force"),
        publishing() as publication,
        folder_sink("out", publication, report="out.json", is_ours=there),
    ):
        pass
    with publishing(force=True) as publication:
        with folder_sink("out", publication, report="out.json", is_ours=False) as sink:
            sink.write("newer.txt", b"newer")
        publication.open("out.json").write(b"newer")
    assert sorted(os.listdir()) == ["out", "out.json"]
    assert os.listdir("out") == ["newer.txt"]

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import MtoolError, Refused
from manifest_tools.base.local_files import (
    is_special,
    left_in,
    new_file,
    process_prefix,
    same_bytes,
    sync_folder,
    temporary_prefix,
)


def write(path: str, content: bytes, sync: bool = False) -> None:
    made = new_file(path)
    made.stream.write(content)
    made.finish(sync)
    made.replace_target()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("sync", [False, True])
def test_a_file_is_there_whole_once_it_takes_its_place(in_folder: Path, sync: bool) -> None:
    write("a.manifest", b"x" * 1_000_000, sync)
    sync_folder(in_folder)
    assert (in_folder / "a.manifest").read_bytes() == b"x" * 1_000_000
    assert os.listdir() == ["a.manifest"]


def test_until_then_the_old_one_is_there(in_folder: Path) -> None:
    (in_folder / "a").write_bytes(b"old")
    made = new_file("a")
    made.stream.write(b"new")
    made.finish(sync=False)
    assert (in_folder / "a").read_bytes() == b"old"
    made.discard()
    assert {path.name: path.read_bytes() for path in in_folder.iterdir()} == {"a": b"old"}


def test_a_file_in_the_making_is_hidden_and_in_the_same_folder(in_folder: Path) -> None:
    (in_folder / "deep").mkdir()
    made = new_file("deep/a.manifest")
    assert made.temporary.parent == in_folder / "deep"
    assert made.temporary.name.startswith(".")
    assert not made.temporary.name.endswith(".manifest")
    made.discard()


@pytest.mark.parametrize("wanted", [0o600, 0o644, 0o664, 0o755, 0o400])
def test_the_mode_survives(in_folder: Path, wanted: int) -> None:
    (in_folder / "a").write_bytes(b"old")
    (in_folder / "a").chmod(wanted)
    write("a", b"new")
    assert mode(in_folder / "a") == wanted


@pytest.mark.parametrize(("mask", "wanted"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_umask_decides_over_a_new_file(in_folder: Path, mask: int, wanted: int) -> None:
    before = os.umask(mask)
    try:
        write("a", b"new")
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert mode(in_folder / "a") == wanted


@pytest.mark.parametrize("there", [pytest.param(True, id="there"), pytest.param(False, id="dangling")])
def test_a_link_goes_on_being_one_and_its_target_has_the_bytes(in_folder: Path, there: bool) -> None:
    (in_folder / "far").mkdir()
    if there:
        (in_folder / "far" / "target").write_bytes(b"old")
    (in_folder / "middle").symlink_to("far/target")
    (in_folder / "a").symlink_to("middle")
    write("a", b"new")
    assert os.readlink("a") == "middle"
    assert os.readlink("middle") == "far/target"
    assert (in_folder / "far" / "target").read_bytes() == b"new"
    assert os.listdir("far") == ["target"]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("a" * 255, id="as long as a name can be"),
        pytest.param("é" * 127, id="as long, in accents"),
        pytest.param("图" * 81 + ".manifest", id="as long, in Chinese"),
        pytest.param("-", id="a hyphen"),
        pytest.param("a\nb", id="a newline"),
        pytest.param("\udcff", id="bytes that are no UTF-8"),
        pytest.param(".hidden", id="a hidden one"),
    ],
)
def test_any_name_that_the_system_takes_will_do(in_folder: Path, name: str) -> None:
    write(name, b"new")
    assert os.listdir() == [name]


def test_a_folder_is_refused(in_folder: Path) -> None:
    (in_folder / "folder").mkdir()
    with pytest.raises(Refused, match="expected a file to write, found a folder; type folder/FILE"):
        new_file("folder")


@pytest.mark.parametrize("name", ["file/a", "file/new/a"])
def test_a_folder_that_is_a_file_is_refused(in_folder: Path, name: str) -> None:
    (in_folder / "file").write_bytes(b"mine")
    with pytest.raises(Refused, match=f"{name}: expected a folder above it, found a file"):
        new_file(name)
    assert Path("file").read_bytes() == b"mine"


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder that takes no files")
def test_a_folder_that_cannot_be_made_is_said_in_one_line(in_folder: Path) -> None:
    with pytest.raises(MtoolError, match="/proc/new/a: cannot be written"):
        new_file("/proc/new/a")


@given(st.binary(max_size=9), st.binary(max_size=9))
def test_same_bytes_says_whether_the_bytes_are_the_same(one: bytes, other: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        a, b = Path(folder, "a"), Path(folder, "b")
        a.write_bytes(one)
        b.write_bytes(other)
        assert same_bytes(a, b) == (one == other)


@pytest.mark.parametrize("at", [0, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, (2 << 20) - 1])
def test_one_byte_makes_a_difference_wherever_it_is(in_folder: Path, at: int) -> None:
    one = bytearray(2 << 20)
    (in_folder / "a").write_bytes(one)
    one[at] = 1
    (in_folder / "b").write_bytes(one)
    assert not same_bytes(in_folder / "a", in_folder / "b")
    assert same_bytes(in_folder / "a", in_folder / "a")


def test_pipes_and_devices_are_special_and_files_and_folders_are_not(in_folder: Path) -> None:
    os.mkfifo("pipe")
    (in_folder / "file").write_bytes(b"")
    (in_folder / "link").symlink_to("pipe")
    special = {"pipe": True, "link": True, os.devnull: True, "file": False, ".": False, "nowhere": False}
    assert {name: is_special(name) for name in special} == special


FULL = """
import resource, signal, sys
from manifest_tools.base.errors import MtoolError
from manifest_tools.io.sinks import publishing

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    with publishing() as publication:
        publication.open("small").write(b"x")
        stream = publication.open(sys.argv[1])
        for number in range(3000):
            stream.write(b"%d" % number ** 100)
except OSError as error:
    print(error.strerror)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
@pytest.mark.parametrize("name", ["large", "large.gz"])
def test_a_full_disk_leaves_nothing_behind(in_folder: Path, name: str) -> None:
    """A limit on the size of files stands for the full disk: writing fails, and closing fails again."""
    result = subprocess.run([sys.executable, "-W", "error", "-c", FULL, name], capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("File too large\n", "")
    assert os.listdir() == []


def test_folders_above_a_new_file_are_made(in_folder: Path) -> None:
    write("a/b/c", b"new")
    assert Path("a/b/c").read_bytes() == b"new"


@pytest.mark.parametrize("left", [False, True], ids=["empty", "with a file"])
def test_new_folders_go_again_where_nothing_came_of_the_file(in_folder: Path, left: bool) -> None:
    Path("old").mkdir()
    made = new_file("old/a/b/c")
    if left:
        Path("old/a/file").touch()
    made.discard()
    assert (Path("old/a/b").exists(), Path("old/a").exists(), Path("old").exists()) == (False, left, True)


def ended_process() -> int:
    """Return the number of a process that is gone."""
    return int(subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], stdout=-1).stdout)


def test_what_a_killed_process_was_writing_goes_with_the_next_output_of_that_name(in_folder: Path) -> None:
    own = temporary_prefix(in_folder / "out")
    gone = own.replace(str(os.getpid()), str(ended_process())) + "abc"
    running = own.replace(str(os.getpid()), str(os.getppid())) + "abc"
    other_host = gone.replace(".out.mtool-", ".out.mtool-elsewhere")
    other_output = gone.replace(".out.", ".other.")
    for name in (gone, running, other_host, other_output):
        Path(name).touch()
    new_file("out").discard()
    assert set(os.listdir()) == {running, other_host, other_output}


def test_the_temporary_files_of_processes_that_are_gone_are_found(tmp_path: Path) -> None:
    program = "from manifest_tools.base.local_files import process_prefix; print(process_prefix())"
    gone = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    for name in (f"{gone.stdout.strip()}abc", f"{process_prefix()}abc", "mtool-elsewhere-1-abc", "mtool-abc"):
        (tmp_path / name).touch()
    assert [path.name for path in left_in(tmp_path)] == [f"{gone.stdout.strip()}abc"]
    assert list(left_in(tmp_path / "none")) == []

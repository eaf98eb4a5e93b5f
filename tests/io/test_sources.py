import contextlib
import gzip
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import MtoolError, NotAManifest, Refused
from manifest_tools.io.sources import BLOCK, HEAD, Source, decompressed, open_source

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result
from tests.manifest_bytes import MANIFEST, REAL, contents

# Runs of bytes that a cut could fall into, or a search for line ends could trip over.
sizes = st.integers(1, 60)


def opened(folder: str, content: bytes, kind: str) -> Source:
    """Return ``content`` as a plain file or a compressed one."""
    path = Path(folder, "a.manifest.gz" if kind == "gzip" else "a.manifest")
    path.write_bytes(gzip.compress(content) if kind == "gzip" else content)
    return Source(str(path), str(path), None if kind == "gzip" else len(content))


kinds = pytest.mark.parametrize("kind", ["file", "gzip"])


@kinds
@given(content=contents, size=sizes)
def test_the_blocks_joined_are_the_file_for_every_size(kind: str, content: bytes, size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        blocks = [block.read() for block in opened(folder, content, kind).blocks(size)]
    assert b"".join(blocks) == content


@kinds
@given(content=contents, size=sizes)
def test_chunks_are_cut_wherever_lines_end(kind: str, content: bytes, size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        chunks = list(opened(folder, content, kind).chunks(size))
    assert b"".join(chunks) == content
    assert all(0 < len(chunk) <= size for chunk in chunks)


@kinds
@given(content=contents, size=sizes)
def test_every_block_holds_whole_lines(kind: str, content: bytes, size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        blocks = [block.read() for block in opened(folder, content, kind).blocks(size)]
    assert all(block.endswith(b"\n") for block in blocks[:-1])
    assert all(blocks)


@kinds
@given(content=contents, size=sizes)
def test_no_block_is_longer_than_its_size_and_the_end_of_a_line(kind: str, content: bytes, size: int) -> None:
    longest = max(map(len, content.split(b"\n"))) + 1
    with tempfile.TemporaryDirectory() as folder:
        blocks = list(opened(folder, content, kind).blocks(size))
    assert all(block.end - block.start <= size + longest for block in blocks)


@kinds
@given(content=contents, size=sizes)
def test_blocks_know_where_they_stand(kind: str, content: bytes, size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for block in opened(folder, content, kind).blocks(size):
            assert content[block.start : block.end] == block.read()


@kinds
@given(content=contents, length=st.integers(1, 80), size=sizes)
def test_a_look_at_the_head_takes_nothing_away(kind: str, content: bytes, length: int, size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = opened(folder, content, kind)
        assert source.head(length) == content[:length]
        assert source.head(length) == content[:length]
        assert b"".join(block.read() for block in source.blocks(size)) == content


@given(contents.filter(bytes.strip), st.integers(1, 70), sizes)
def test_a_pipe_that_drips_is_read_whole_and_twice(content: bytes, drop: int, size: int) -> None:
    with dripping(content, drop) as name:
        source = decompressed(open_source(name))
    for _ in range(2):
        assert b"".join(block.read() for block in source.blocks(size)) == content


@contextlib.contextmanager
def dripping(content: bytes, drop: int) -> Iterator[str]:
    """Yield the name of a pipe that gives a few bytes at a time."""
    reader, writer = os.pipe()

    def write() -> None:
        for at in range(0, len(content), drop):
            os.write(writer, content[at : at + drop])
        os.close(writer)

    thread = threading.Thread(target=write)
    thread.start()
    yield f"/dev/fd/{reader}"
    thread.join()
    os.close(reader)


@pytest.mark.parametrize("kind", ["file", "gzip"])
def test_a_line_of_20_megabytes_is_one_block(tmp_path: Path, kind: str) -> None:
    content = b'{"a": 1}\n{"a": "' + b"x" * 20_000_000 + b'"}\n{"a": 2}\n'
    source = opened(str(tmp_path), content, kind)
    source.head()
    blocks = list(source.blocks())
    assert b"".join(block.read() for block in blocks) == content
    assert len(blocks) <= 3


def test_lines_longer_than_the_window_that_looks_for_their_end(tmp_path: Path) -> None:
    content = b"".join(b"x" * length + b"\n" for length in (HEAD - 1, HEAD, HEAD + 1, 3 * HEAD))
    blocks = [block.read() for block in opened(str(tmp_path), content, "file").blocks(10)]
    assert blocks == content.splitlines(keepends=True)


def test_a_cut_that_falls_on_the_end_of_a_line_stays_there(tmp_path: Path) -> None:
    blocks = opened(str(tmp_path), b"{}\n{}\n{}\n{}\n", "file").blocks(6)
    assert [block.read() for block in blocks] == [b"{}\n{}\n"] * 2


def test_a_large_file_is_cut_into_several_blocks(tmp_path: Path) -> None:
    line = b'{"source-ref": "s3://b/k"}\n'
    source = opened(str(tmp_path), line * (2 * BLOCK // len(line)), "file")
    assert len(list(source.blocks())) == 2


@given(contents)
def test_the_digest_is_that_of_the_lines_however_they_are_kept(content: bytes) -> None:
    import hashlib

    with tempfile.TemporaryDirectory() as folder:
        found = {opened(folder, content, kind).digest() for kind in ("file", "gzip")}
    assert found == {hashlib.sha256(content).hexdigest()}


@pytest.mark.parametrize("kind", ["file", "gzip"])
def test_a_plain_source_can_be_read_by_ranges(tmp_path: Path, kind: str) -> None:
    source = opened(str(tmp_path), b"{}\n{}\n", kind)
    copy = decompressed(source)
    assert (copy is source) == (kind == "file")
    assert (copy.name, copy.size) == (source.name, 6)
    assert all(block.data is None for block in copy.blocks(3))
    assert b"".join(block.read() for block in copy.blocks(3)) == b"{}\n{}\n"


def test_a_copy_is_gone_when_nobody_has_it_any_more(tmp_path: Path) -> None:
    copy = decompressed(opened(str(tmp_path), b"{}\n", "gzip"))
    place = copy.uri
    assert os.path.exists(place)
    del copy
    assert not os.path.exists(place)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("filter", "-", "--labelled", "-o", "out"), id="done"),
        pytest.param(("filter", "-", "--labelled", "-o", "out", "-j", "2"), id="done by two"),
        pytest.param(("filter", "-", "--class", "nobody", "-o", "out"), id="refused"),
        pytest.param(("split", "-", "-o", "nowhere/out/a.manifest/x", "-j", "2"), id="split"),
        pytest.param(("filter", "-", "--labelled", "--label-attribute", "z"), id="called wrongly"),
    ],
)
@pytest.mark.parametrize("end", [b"", b"{oops\n"], ids=["good", "bad"])
def test_no_copy_is_left_behind(in_folder: Path, words: tuple[str, ...], end: bytes) -> None:
    Path("copies").mkdir()
    subprocess.run(
        [sys.executable, "-m", "manifest_tools", *words],
        input=MANIFEST + b"\n" + end,
        env=os.environ | {"TMPDIR": str(in_folder / "copies")},
        capture_output=True,
    )
    assert os.listdir("copies") == []


@pytest.fixture(params=["a file", "gzip", "standard input", "a pipe", "S3", "gzip in S3"])
def place(request: pytest.FixtureRequest, in_folder: Path) -> str:
    """Return the name of a place where MANIFEST is."""
    kind = request.param
    if kind.endswith("S3"):
        s3: S3Client = request.getfixturevalue("s3")
        s3.create_bucket(Bucket="lab3-rawdata")
        key = "a.manifest.gz" if kind.startswith("gzip") else "a.manifest"
        body = gzip.compress(MANIFEST) if kind.startswith("gzip") else MANIFEST
        s3.put_object(Bucket="lab3-rawdata", Key=key, Body=body)
        return f"s3://lab3-rawdata/{key}"
    if kind == "standard input":
        return "-"
    if kind == "a pipe":
        reader, writer = os.pipe()
        request.addfinalizer(lambda: os.close(reader))
        os.write(writer, MANIFEST)
        os.close(writer)
        return f"/dev/fd/{reader}"
    (in_folder / "a.manifest").write_bytes(MANIFEST)
    (in_folder / "a.manifest.gz").write_bytes(gzip.compress(MANIFEST))
    return "a.manifest.gz" if kind == "gzip" else "a.manifest"


def test_the_same_lines_come_from_every_place(place: str, run: "Callable[..., Result]") -> None:
    result = run("filter", place, "--labelled", input=MANIFEST)
    assert (result.exit_code, result.stdout_bytes) == (0, MANIFEST[: MANIFEST.index(b"\r")])
    assert result.stderr.split()[-4:] == ["kept", "3", "unlabelled", "1"]


def test_every_other_real_file_is_read_whole(corpus: Path) -> None:
    for path in corpus.iterdir():
        if path.name not in (*REAL, "README.md"):
            source = open_source(str(path))
            assert b"".join(block.read() for block in source.blocks(1000)) == path.read_bytes()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("nowhere.manifest", "expected a manifest, found no such file", id="a missing file"),
        pytest.param("folder", "found a folder; type the name of a file in it", id="a folder"),
        pytest.param("a.manifest/b", "found not a directory", id="a file taken for a folder"),
        pytest.param("x" * 300, "found file name too long", id="a name that is too long"),
        pytest.param("s3://bucket", "expected a key after s3://bucket/", id="a bucket alone"),
        pytest.param("s3:///key", "expected a bucket", id="no bucket"),
        pytest.param("", "found no such file", id="no name"),
    ],
)
def test_what_cannot_be_opened_is_refused_in_one_line(in_folder: Path, name: str, message: str) -> None:
    Path("folder").mkdir()
    Path("a.manifest").write_bytes(MANIFEST)
    with pytest.raises(Refused) as raised:
        open_source(name)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(in_folder: Path) -> None:
    Path("a.manifest").write_bytes(MANIFEST)
    Path("a.manifest").chmod(0)
    with pytest.raises(Refused, match="permission denied"):
        open_source("a.manifest")


COMPRESSED = gzip.compress(MANIFEST * 50)


def _flipped(at: int) -> bytes:
    return COMPRESSED[:at] + bytes([COMPRESSED[at] ^ 0xFF]) + COMPRESSED[at + 1 :]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(COMPRESSED[:-12], id="cut short"),
        pytest.param(COMPRESSED[:5], id="cut in its header"),
        pytest.param(_flipped(len(COMPRESSED) - 6), id="a wrong checksum"),
        pytest.param(_flipped(20), id="a wrong byte at the beginning"),
        pytest.param(_flipped(len(COMPRESSED) // 2), id="a wrong byte in the middle"),
        pytest.param(_flipped(2), id="a wrong method"),
        pytest.param(MANIFEST, id="not compressed at all"),
        pytest.param(COMPRESSED + b"junk", id="something behind it"),
    ],
)
def test_a_damaged_gzip_file_is_said_to_be_one(in_folder: Path, content: bytes) -> None:
    Path("a.manifest.gz").write_bytes(content)
    with pytest.raises(NotAManifest, match="damaged gzip file") as raised:
        for block in open_source("a.manifest.gz").blocks():
            block.read()
    assert "\n" not in str(raised.value)


def test_a_gzip_file_that_unpacks_to_far_more_is_refused_and_not_unpacked(in_folder: Path) -> None:
    Path("bomb.gz").write_bytes(gzip.compress(b"\n" * (1 << 20)) * 300)
    with pytest.raises(NotAManifest, match="a gzip file that unpacks to more than 300 times its size"):
        open_source("bomb.gz").digest()


def test_a_manifest_of_equal_lines_may_be_packed_as_well_as_gzip_can(in_folder: Path) -> None:
    Path("a.manifest.gz").write_bytes(gzip.compress(MANIFEST * 100_000))
    assert (
        sum(len(block.read()) for block in open_source("a.manifest.gz").blocks()) == len(MANIFEST) * 100_000
    )


@pytest.mark.parametrize("name", ["a.manifest", "a.manifest.gz", "-"])
def test_a_line_beyond_the_limit_is_refused_and_another_limit_takes_it(
    in_folder: Path, run: "Callable[..., Result]", name: str
) -> None:
    content = MANIFEST.splitlines()[0] + b" " * (9 << 20) + b"\n"
    write = gzip.open if name.endswith(".gz") else open
    if name != "-":
        with write(name, "wb") as file:
            file.write(content)
    refused = run("--max-line", "3M", "filter", name, "-o", "out", input=content)
    assert (refused.exit_code, os.path.exists("out")) == (1, False)
    assert (
        "found a line of more than 3,145,728 bytes; if it is meant, type: mtool --max-line 4G"
        in refused.stderr
    )
    assert run("--max-line", "20M", "filter", name, "-o", "out", input=content).exit_code == 0
    assert run("filter", name, "-o", "out", input=content).exit_code == 0
    assert len(Path("out").read_bytes()) > 9 << 20


@pytest.mark.parametrize("size", ["", "G", "1", "-1M", "1.5G", "1T", "9" * 30 + "G"])
def test_a_longest_line_is_a_number_with_its_unit(run: "Callable[..., Result]", size: str) -> None:
    result = run("--max-line", size, "filter", "-")
    assert result.exit_code == 2
    assert "expected a number with K, M or G, such as 500M" in result.stderr


def test_a_gzip_file_of_several_members_is_read_whole(in_folder: Path) -> None:
    Path("a.gz").write_bytes(gzip.compress(b"{}\n") + gzip.compress(b'{"a": 1}\n') + b"\0" * 16)
    assert b"".join(block.read() for block in open_source("a.gz").blocks()) == b'{}\n{"a": 1}\n'


def test_a_file_that_shrinks_while_it_is_read_is_an_error_and_no_short_answer(in_folder: Path) -> None:
    path = in_folder / "a.manifest"
    path.write_bytes(MANIFEST)
    block = next(open_source("a.manifest").blocks())
    path.write_bytes(MANIFEST[:-1])
    with pytest.raises(MtoolError, match="became shorter"):
        block.read()


def test_a_file_that_changed_since_it_was_opened_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.manifest"
    path.write_bytes(b"{}\n")
    source = open_source(str(path))
    source.check_unchanged()
    (tmp_path / "b").write_bytes(b"[]\n")
    (tmp_path / "b").replace(path)
    with pytest.raises(MtoolError, match=r"a\.manifest: was changed while it was read"):
        source.check_unchanged()
    path.unlink()
    with pytest.raises(MtoolError, match="was changed"):
        source.check_unchanged()

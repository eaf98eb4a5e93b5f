import contextlib
import gzip
import json
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
from manifest_tools.io.recognise import check_head
from manifest_tools.io.sources import BLOCK, HEAD, Source, decompressed, open_source

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

# Runs of bytes that a cut could fall into, or a search for line ends could trip over.
contents = st.lists(
    st.sampled_from(
        [b"\n", b"\r\n", b"\r", b"{}\n", b" \n", b'{"a": 1}', b"\xc3\xa9\n", b"x" * 40, b"\n\n\n"]
    ),
    max_size=12,
).map(b"".join)
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


LABELLED = (
    b'{"source-ref": "s3://b/%d.jpg", "k": 0, "k-metadata": {"type": "groundtruth/image-classification"}}\n'
)
MANIFEST = b"".join(LABELLED % number for number in range(3)) + b'\r\n{"source-ref": "s3://b/x.jpg"}'


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


PRETTY = json.dumps({"source-ref": "s3://b/k", "k": 1}, indent=2).encode()

COCO = {
    "images": [{"id": 1, "file_name": "1.jpg", "width": 9, "height": 9}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 2, 2]}],
    "categories": [{"id": 1, "name": "RH"}],
}

NO_MANIFESTS = [
    pytest.param(b"", "an empty file", id="nothing"),
    pytest.param(b"\n \r\n\t\n", "an empty file", id="blank lines alone"),
    pytest.param(b"\xff\xd8\xff\xe0\0\x10JFIF", "a picture", id="JPEG"),
    pytest.param(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a picture", id="PNG"),
    pytest.param(b"GIF89a\x01\0", "a picture", id="GIF"),
    pytest.param(b"RIFF\x24\0\0\0WEBPVP8 ", "a picture", id="WebP"),
    pytest.param(b"BM\x36\0\0\0", "a picture", id="BMP"),
    pytest.param(b"II*\0\x08\0\0\0", "a picture", id="TIFF"),
    pytest.param(gzip.compress(b"{}\n"), "a gzip file", id="gzip under another name"),
    pytest.param(b"\x0a\x23\xd7\xce\x10\0\0\0", "a RecordIO file", id="RecordIO"),
    pytest.param(b"\x93NUMPY\x01\x00v\x00", "a NumPy array", id="NumPy"),
    pytest.param(b"PK\x03\x04\x14\0", "a zip archive", id="zip"),
    pytest.param(b"<?xml version='1.0'?>\n<annotations/>\n", "XML", id="XML"),
    pytest.param(b'[{"prefix": "s3://b/"}, "a.jpg", "b.jpg"]', "S3Prefix", id="S3Prefix on one line"),
    pytest.param(b'[\n  {"prefix": "s3://b/"},\n  "a.jpg"\n]\n', "S3Prefix", id="S3Prefix on several lines"),
    pytest.param(PRETTY, "pretty-printed", id="pretty-printed JSON"),
    pytest.param(b"\r\n" + PRETTY.replace(b"\n", b"\r\n"), "pretty-printed", id="pretty-printed on Windows"),
    pytest.param(b"[\n" + PRETTY + b"\n]\n", "pretty-printed", id="a pretty-printed array"),
    pytest.param(json.dumps(COCO).encode(), "a COCO file", id="COCO on one line"),
    pytest.param(json.dumps(COCO, indent=1).encode(), "a COCO file", id="COCO on several lines"),
    pytest.param(json.dumps(COCO | {"info": {}}, sort_keys=True).encode(), "a COCO file", id="COCO, sorted"),
    pytest.param(b"0\t1.000000\tripe/1.jpg\r\n1\t0\tgreen/2.jpg\r\n", "a list as im2rec", id="a list"),
    pytest.param(b"7\t2\t5\t0\t.1\t.1\t.5\t.5\t1.jpg\n", "a list as im2rec", id="a list of boxes"),
    pytest.param(b"s3://b/1.jpg\ns3://b/a b.PNG\n", "a list of pictures", id="names of pictures"),
    pytest.param(b"image,label\ns3://b/1.jpg,ripe\n", "a CSV table", id="CSV"),
    pytest.param(b'"1.jpg";"ripe"\n"2.jpg";"green"\n', "a CSV table", id="CSV with semicolons"),
    pytest.param(b'[{"source-ref": "s3://b/k"}]', "a JSON array", id="an array on one line"),
]


@pytest.mark.parametrize(("content", "found"), NO_MANIFESTS)
def test_what_is_no_manifest_is_called_by_its_name(in_folder: Path, content: bytes, found: str) -> None:
    Path("a.manifest").write_bytes(content)
    with pytest.raises(NotAManifest) as raised:
        open_source("a.manifest")
    assert str(raised.value).startswith("a.manifest: expected a manifest, one JSON object a line; found ")
    assert found in raised.value.found
    assert "\n" not in str(raised.value)
    assert raised.value.exit_code == 1


@pytest.mark.parametrize(("content", "found"), NO_MANIFESTS)
def test_every_command_says_so_in_one_line(
    in_folder: Path, run: "Callable[..., Result]", content: bytes, found: str
) -> None:
    result = run("filter", "-", "--labelled", input=content)
    assert (result.exit_code, result.stdout_bytes) == (1, b"")
    assert result.stderr.count("\n") == 1
    assert found in result.stderr


@given(contents.filter(lambda content: content.strip()[:2] == b'{"'))
def test_what_begins_with_an_object_is_let_through(content: bytes) -> None:
    check_head("a.manifest", content)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'{"images": [1], "source-ref": "s3://b/k"}\n', id="a key of COCO beside a source-ref"),
        pytest.param(b'{"info": {}, "source": "two, words"}\n', id="a first key of COCO"),
        pytest.param(b'{"info": 1, "boxes": {"annotations": [{"left": 1}]}}\n', id="boxes after a first key"),
        pytest.param(
            b'{"annotations": [{"left": 1}], "source-ref": "s3://b/k"}\n', id="a label of that name"
        ),
        pytest.param(b'{"source": "a,b"}\n{"source": "c,d"}\n', id="commas"),
        pytest.param(b'x\ty\n{"source-ref": "s3://b/k"}\n', id="one line that is broken"),
    ],
)
def test_a_manifest_is_not_mistaken_for_another_file(content: bytes) -> None:
    check_head("a.manifest", content)


def test_a_coco_file_is_told_with_the_command_that_takes_it(
    in_folder: Path, run: "Callable[..., Result]"
) -> None:
    Path("my boxes.json").write_text(json.dumps(COCO))
    for word in ("stats", "split", "filter"):
        result = run(word, "my boxes.json")
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.endswith("type: mtool convert --from coco 'my boxes.json' -o NAME.manifest\n")
    said = run("stats", "-", input=json.dumps(COCO)).stderr
    assert "type: mtool convert --from coco - -o NAME.manifest" in said


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        pytest.param("output.manifest", "such as parts/output.manifest", id="manifests"),
        pytest.param("boxes.json", "type: mtool convert --from coco parts -o NAME.manifest", id="COCO"),
        pytest.param("1.jpg", "type the name of a file in it", id="pictures"),
    ],
)
def test_a_folder_is_told_with_what_is_in_it(in_folder: Path, name: str, hint: str) -> None:
    Path("parts").mkdir()
    Path("parts", name).touch()
    with pytest.raises(Refused, match="expected a manifest, found a folder") as raised:
        open_source("parts")
    assert hint in str(raised.value)


def test_blank_lines_before_the_first_are_no_empty_file(in_folder: Path) -> None:
    Path("a.manifest").write_bytes(b"\n" * 2 * HEAD + MANIFEST)
    assert open_source("a.manifest").size == 2 * HEAD + len(MANIFEST)


REAL = {
    "empty.manifest": "an empty file",
    "not-augmented-s3prefix.manifest": "S3Prefix",
}


@pytest.mark.parametrize("name", REAL)
def test_real_files_that_are_no_manifests(corpus: Path, name: str) -> None:
    with pytest.raises(NotAManifest, match=REAL[name]):
        open_source(str(corpus / name))


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

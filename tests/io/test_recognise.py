import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from manifest_tools.base.errors import NotAManifest, Refused
from manifest_tools.io.recognise import check_head
from manifest_tools.io.sources import HEAD, open_source

if TYPE_CHECKING:
    from typer.testing import Result
from tests.manifest_bytes import MANIFEST, REAL, contents

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


@pytest.mark.parametrize("name", REAL)
def test_real_files_that_are_no_manifests(corpus: Path, name: str) -> None:
    with pytest.raises(NotAManifest, match=REAL[name]):
        open_source(str(corpus / name))

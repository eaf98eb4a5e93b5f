import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from manifest_tools.base.errors import MtoolError
from manifest_tools.base.problem import Problem
from manifest_tools.images.partial_reads import HEAD, MOST_BYTES, TAIL
from manifest_tools.verbs.validate.objects import check_objects
from tests.objects import HTML, encoded, mask, noise, plain, with_metadata
from tests.pictures import jpeg, row, write_manifest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LARGE = encoded(noise(1200, 900), quality=97)


@dataclass
class Counted:
    """Objects by their path, what the requests for each came to, and what S3 answers instead."""

    objects: dict[str, bytes] = field(default_factory=dict)
    sent: dict[str, list[int]] = field(default_factory=dict)
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)
    knows_ranges: bool = True
    has_etags: bool = True


class Speaker(BaseHTTPRequestHandler):
    """S3's GET, by which bytes are counted."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or the body waits 40 ms for the acknowledgement of the headers
    store: Counted

    def do_GET(self) -> None:
        path = unquote(self.path)
        status, headers, body = self.answer(path)
        self.store.sent.setdefault(path, []).append(len(body))
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except ConnectionError:
            self.store.sent[path][-1] = 0  # hung up on

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        if path in self.store.refused or path not in self.store.objects:
            status, code = self.store.refused.get(path, (404, "NoSuchKey"))
            return status, {}, f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode()
        data = self.store.objects[path]
        tag = {"ETag": f'"{hash(data):x}"'} if self.store.has_etags else {}
        first, last = map(int, re.findall(r"\d+", self.headers["Range"]))
        if not self.store.knows_ranges:
            return 200, tag, data
        if first >= len(data):
            return 416, {}, b"<Error><Code>InvalidRange</Code><Message>No.</Message></Error>"
        body = data[first : last + 1]
        return 206, tag | {"Content-Range": f"bytes {first}-{first + len(body) - 1}/{len(data)}"}, body

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counted]:
    Speaker.store = Counted()
    with ThreadingHTTPServer(("127.0.0.1", 0), Speaker) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield Speaker.store
        server.shutdown()
        thread.join()


def check(folder: Path, rows: list[dict[str, Any]], **options: Any) -> list[Problem]:
    return list(check_objects(write_manifest(folder / "a.manifest", rows), **options))


def test_of_no_object_is_more_than_a_few_kilobytes_fetched(tmp_path: Path, counted: Counted) -> None:
    small, profile = jpeg(1), with_metadata(LARGE, 1000)
    huge = LARGE + b"\xff\xd9".rjust(30_000_000, b"x")
    metadata = jpeg(1)[:2] + b"\xff\xe1\x00\x02" * 9_000_000 + jpeg(1)[2:]
    counted.objects = {
        f"/raw/{key}.jpg": data
        for key, data in {
            "small": small,
            "large": LARGE,
            "profile": profile,
            "huge": huge,
            "metadata": metadata,
        }.items()
    }
    assert check(tmp_path, [row(path.removeprefix("/raw/"), 0) for path in counted.objects]) == []
    assert counted.sent["/raw/small.jpg"] == [len(small)]
    assert counted.sent["/raw/large.jpg"] == counted.sent["/raw/huge.jpg"] == [HEAD, TAIL]
    assert all(sum(sent) <= MOST_BYTES < 256_000 for sent in counted.sent.values())
    assert sum(counted.sent["/raw/profile.jpg"]) < 160_000 < len(profile)


def test_the_same_is_found_as_on_this_disk(tmp_path: Path, s3: "S3Client") -> None:
    objects = {
        "a.jpg": jpeg(1),
        "b.jpg": jpeg(2),
        "copy.jpg": jpeg(1),
        "large.jpg": LARGE,
        "twin.jpg": LARGE,
        "cut.jpg": LARGE[:-9],
        "page.jpg": HTML,
        "empty.jpg": b"",
        "cmyk.jpg": with_metadata(encoded(plain("CMYK")), 500),
        "a.png": encoded(noise(300, 300), "PNG"),
        "cut.png": encoded(noise(300, 300), "PNG")[:-20],
    }
    s3.create_bucket(Bucket="raw")
    for key, data in objects.items():
        s3.put_object(Bucket="raw", Key=key, Body=data)
        (tmp_path / "raw").mkdir(exist_ok=True)
        (tmp_path / "raw" / key).write_bytes(data)
    rows = [row(key, 0) for key in objects]
    assert len(objects) > 5
    remote = check(tmp_path, rows)
    assert remote == check(tmp_path, rows, images=[str(tmp_path / "raw")])
    assert [(one.line, one.code) for one in remote] == [
        (6, "MT403"),
        (7, "MT402"),
        (8, "MT402"),
        (9, "MT415"),
        (11, "MT403"),
        (3, "MT422"),
        (5, "MT422"),
    ]
    assert check(tmp_path, rows, jobs=1) == check(tmp_path, rows, jobs=3) == remote


def test_what_is_not_there_or_not_open_is_a_problem(tmp_path: Path, counted: Counted) -> None:
    counted.objects = {"/raw/a.jpg": jpeg(1)}
    counted.refused = {
        "/raw/closed.jpg": (403, "AccessDenied"),
        "/raw/cold.jpg": (403, "InvalidObjectState"),
        "/other/b.jpg": (404, "NoSuchBucket"),
    }
    elsewhere = {"source-ref": "s3://other/b.jpg"}
    keys = ("a.jpg", "gone.jpg", "closed.jpg", "cold.jpg")
    odd = [{"source-ref": ref} for ref in ("s3://", "s3://lab#-rawdata/a.jpg", "s3://raw/")]
    rows = [*(row(key, 0) for key in keys), elsewhere, elsewhere, *odd]
    found = check(tmp_path, rows, jobs=1)
    assert [(one.line, one.code) for one in found] == [
        (2, "MT401"),
        (3, "MT410"),
        (4, "MT410"),
        (5, "MT401"),
        (6, "MT401"),
        (7, "MT410"),
        (8, "MT410"),
        (9, "MT410"),
    ]
    assert "restore it from Glacier" in found[2].message
    assert counted.sent["/other/b.jpg"] == counted.sent["/other/b.jpg"][:1]


def test_a_session_that_has_expired_stops_the_work(tmp_path: Path, counted: Counted) -> None:
    counted.refused = {"/raw/a.jpg": (400, "ExpiredToken")}
    with pytest.raises(MtoolError, match="the AWS session has expired"):
        check(tmp_path, [row("a.jpg", 0)] * 10)


def test_an_object_of_several_lines_is_asked_for_once(tmp_path: Path, counted: Counted) -> None:
    counted.objects = {"/raw/a.jpg": HTML}
    found = check(tmp_path, [row("a.jpg", 0)] * 20, jobs=1)
    assert [one.line for one in found] == list(range(1, 21))
    assert counted.sent["/raw/a.jpg"] == [len(HTML)]


def test_a_server_that_knows_no_ranges_is_hung_up_on(tmp_path: Path, counted: Counted) -> None:
    counted.knows_ranges = False
    counted.objects = {"/raw/a.jpg": jpeg(1), "/raw/b.jpg": HTML.ljust(20_000_000)}
    found = check(tmp_path, [row("a.jpg", 0), row("b.jpg", 0)])
    assert [(one.line, one.code) for one in found] == [(2, "MT402")]


def test_what_images_covers_is_not_asked_for(tmp_path: Path, counted: Counted) -> None:
    counted.objects = {"/out/m.png": encoded(plain("P"), "PNG")}
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.jpg").write_bytes(jpeg(1))
    line = json.loads(json.dumps(mask("a.jpg", "m.png")).replace("s3://raw/m.png", "s3://out/m.png"))
    found = check(tmp_path, [line, row("gone.jpg", 0)], images=[str(tmp_path / "raw")])
    assert [(one.line, one.code) for one in found] == [(2, "MT401")]
    assert list(counted.sent) == ["/out/m.png"]


def test_a_phone_s_video_behind_a_picture_is_no_cut(tmp_path: Path, counted: Counted) -> None:
    note = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta GCamera:MotionPhoto='1'/>"
    segment = b"\xff\xe1" + (len(note) + 2).to_bytes(2, "big") + note
    video = b"\0\0\0\x18ftypmp42".ljust(100_000, b"x")
    counted.objects = {
        "/raw/a.jpg": jpeg(1)[:2] + segment + jpeg(1)[2:] + video,
        "/raw/b.jpg": jpeg(1) + video[:-4] + b"SEFT",
    }
    assert check(tmp_path, [row("a.jpg", 0), row("b.jpg", 0)]) == []


def test_names_are_asked_for_as_they_stand(tmp_path: Path, counted: Counted) -> None:
    counted.objects = {"/raw/ü %41+//../.jpg": jpeg(1)}
    assert check(tmp_path, [row("ü %41+//../.jpg", 0)]) == []


def test_without_etags_nothing_is_the_same(tmp_path: Path, counted: Counted) -> None:
    counted.objects = {"/raw/a.jpg": jpeg(1), "/raw/b.jpg": jpeg(1)}
    rows = [row("a.jpg", 0), row("b.jpg", 0)]
    assert [one.code for one in check(tmp_path, rows)] == ["MT422"]
    counted.has_etags = False
    assert check(tmp_path, rows) == []

"""What a server of look says, and whom it says it to."""

import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.problem import Problem
from manifest_tools.groundtruth.marks import decode_mark, read_marks
from manifest_tools.verbs.look.look import read
from manifest_tools.verbs.look.s3_pictures import S3Pictures
from manifest_tools.verbs.look.serve.picture_store import PictureStore
from manifest_tools.verbs.look.serve.serve import server
from tests.label_lines import GOOD
from tests.pictures import jpeg, row, write_manifest
from tests.verbs.look.serve.served import Served, serving

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

COUNT = 130


def line(number: int) -> dict[str, Any]:
    """Return a line: every third is LH, confidences from 0 to 0.9, two jobs, and lines without a label."""
    value = row(f"{number}.jpg", int(number % 3 == 0))
    value["part-metadata"] |= {"confidence": number % 10 / 10, "job-name": f"labeling-job/{number % 2}"}
    if number % 20 == 19:
        del value["part"]
        value["part-metadata"] = {"failure-reason": "expired"}
    return value


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("served")
    for number in range(0, COUNT, 2):
        (path / f"{number}.jpg").write_bytes(jpeg(number))
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (600, 400), "red").save(path / "2.jpg", exif=turned)
    (path / "4.jpg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    write_manifest(path / "a.manifest", list(map(line, range(COUNT))))
    again = [row("0.jpg", 0), row("1.jpg", 0), row("x/../../etc/passwd", 0)]
    write_manifest(path / "b.manifest", again)
    return path


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    found = Problem("MT999", "error", str(folder / "a.manifest"), 7, "", "too red")
    manifests = [str(folder / name) for name in ("a.manifest", "b.manifest")]
    with serving(*manifests, images=str(folder), marks=folder / "shared.jsonl", problems=[found]) as server:
        yield server


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Served]:
    """Return a server of three lines, with no marks yet."""
    manifest = write_manifest(tmp_path / "a.manifest", [row("0.jpg", 0), row("1.jpg", 1), row("2.jpg", 0)])
    with serving(manifest, images=str(tmp_path), marks=tmp_path / "a.marks.jsonl") as server:
        yield server


def test_the_token_becomes_a_cookie_that_no_script_reads_and_no_other_site_sends(served: Served) -> None:
    answer = served.ask("GET", f"/?token={served.token}", Cookie=None)
    assert (answer.status, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert served.ask("GET", "/").status == 200


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {"Cookie": None}, 403),
        ("GET", "/?token=", {"Cookie": None}, 403),
        ("GET", "/?token=wr%C3%B6ng", {"Cookie": None}, 403),
        ("GET", "/api/lines", {"Cookie": "mtool-look=x"}, 403),
        ("GET", "/picture/small/0/0", {"Cookie": None}, 403),
        ("GET", "/nowhere", {"Cookie": None}, 403),
        ("GET", "/", {"Host": "evil.example"}, 421),
        ("GET", "/", {"Host": "127.0.0.1"}, 421),
        ("GET", "/", {"Host": "evil.example:80"}, 421),
        ("POST", "/api/marks", {"Origin": None}, 403),
        ("POST", "/api/marks", {"Origin": "null"}, 403),
        ("POST", "/api/marks", {"Origin": "http://evil.example"}, 403),
        ("POST", "/api/marks", {"Origin": "http://127.0.0.1:1"}, 403),
        ("POST", "/api/marks", {"Content_Type": "text/plain"}, 415),
        ("POST", "/api/marks", {"Content_Type": "application/x-www-form-urlencoded"}, 415),
        ("POST", "/api/marks", {"Cookie": None}, 403),
        ("POST", "/", {}, 405),
        ("PUT", "/api/marks", {}, 405),
        ("DELETE", "/api/marks", {}, 405),
        ("OPTIONS", "/api/marks", {"Origin": "http://evil.example"}, 405),
        ("HEAD", "/", {}, 405),
        ("TRACE", "/", {}, 405),
        ("GET", "/nowhere", {}, 404),
        ("GET", "/a.manifest", {}, 404),
        ("GET", "/picture/small/0/../../../etc/passwd", {}, 404),
        ("GET", "/picture/small/0/%2e%2e%2f%2e%2e%2fetc%2fpasswd", {}, 404),
        ("GET", "/picture/huge/0/0", {}, 404),
        ("GET", "/picture/small/0/-1", {}, 404),
        ("GET", "/picture/small/9/0", {}, 404),
        ("GET", "/picture/small/0/999999999999999999999999", {}, 404),
    ],
)
def test_whom_and_what_it_does_not_know_it_turns_away(
    served: Served, method: str, path: str, headers: dict[str, str | None], status: int
) -> None:
    answer = served.ask(method, path, b"{}" if method == "POST" else None, **headers)
    assert answer.status == status
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "access-control-allow-origin" not in answer.headers


def test_the_cookie_is_right_only_as_a_whole(served: Served) -> None:
    name = served.cookie.partition("=")[0]
    for wrong in ("", served.token[:-1], served.token + "x", "é"):
        cookie = f"{name}={wrong}".encode().decode("latin-1")
        assert served.ask("GET", "/", Cookie=cookie).status == 403


def test_the_page_has_a_policy_that_lets_only_its_own_scripts_run(served: Served) -> None:
    answer = served.ask("GET", "/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert policy.count("'sha256-") == 3
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def confidence(number: int) -> float:
    return number % 10 / 10


def is_labelled(number: int) -> bool:
    return number % 20 != 19


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("part=0", range(COUNT)),
        ("part=0&class=0", [at for at in range(COUNT) if at % 3 and is_labelled(at)]),
        ("part=0&job=1", [at for at in range(COUNT) if at % 2 and is_labelled(at)]),
        ("part=0&low=0.75", [at for at in range(COUNT) if confidence(at) >= 0.75 and is_labelled(at)]),
        ("low=0.2&high=0.45", [at for at in range(COUNT) if 0.2 <= confidence(at) <= 0.45]),
        ("show=failed", range(19, COUNT, 20)),
        ("show=labelled&part=0&class=1&job=1", [at for at in range(3, COUNT, 6) if is_labelled(at)]),
        ("show=doubtful&high=0.15", range(1, COUNT, 10)),
        ("show=problem", [6]),
        ("code=0", [6]),
        ("code=9", []),
        ("class=99", []),
        ("mark=any", []),
    ],
)
def test_a_filter_lets_through_what_it_says(served: Served, query: str, expected: Any) -> None:
    found = served.lines(f"{query}&count=200")
    assert found["total"] == len(list(expected))
    assert [card["line"] - 1 for card in found["cards"]] == list(expected)


def test_doubtful_lines_come_in_the_order_of_their_confidence(served: Served) -> None:
    cards = served.lines("show=doubtful&count=200")["cards"]
    found = [card["labels"][0]["classes"][0][1] for card in cards]
    assert found == sorted(found)
    assert len(found) == sum(0 < confidence(at) < 0.7 and is_labelled(at) for at in range(COUNT))


def test_lines_of_one_picture_stand_side_by_side_over_all_manifests(served: Served) -> None:
    places = [(card["part"], card["line"]) for card in served.lines("show=conflict")["cards"]]
    assert places == [(0, 1), (1, 1)]
    places = [(card["part"], card["line"]) for card in served.lines("show=repeated")["cards"]]
    assert places == [(0, 2), (1, 2)]


def test_pages_follow_one_another_over_the_end_of_a_manifest(served: Served) -> None:
    whole = served.lines("count=200")
    assert whole["total"] == COUNT + 3
    parts = [served.lines(f"offset={at}&count=50")["cards"] for at in (0, 50, 100, 150)]
    assert [card for part in parts for card in part] == whole["cards"]


@pytest.mark.parametrize(
    "query",
    ["count=201", "count=-1", "offset=-1", "offset=x", "part=x", "low=x", "show=x", "mark=x", "class="],
)
def test_what_is_no_filter_is_refused(served: Served, query: str) -> None:
    assert served.ask("GET", f"/api/lines?{query}").status == 400


def test_pictures_are_our_own_jpegs_upright_and_of_two_sizes(served: Served) -> None:
    for size, shape in ("small", (160, 240)), ("large", (800, 1200)):
        answer = served.ask("GET", f"/picture/{size}/0/2")
        assert answer.headers["content-type"] == "image/jpeg"
        assert Image.open(io.BytesIO(answer.body)).size == shape


def test_what_is_no_picture_is_not_passed_on(served: Served) -> None:
    answer = served.ask("GET", "/picture/small/0/4")
    assert answer.status == 422
    assert b"<script" not in answer.body
    assert served.ask("GET", "/picture/small/0/1").status == 404
    assert served.ask("GET", "/picture/small/1/2").status in (404, 422)
    cards = served.lines("count=200")["cards"]
    assert "picture" not in cards[1]
    assert "found no such file" in cards[1]["missing"]
    assert cards[0]["picture"] == "picture/small/0/0"


def test_pictures_that_are_kept_take_a_limited_memory(folder: Path) -> None:
    looked = read([str(folder / "a.manifest")], images=[str(folder)], jobs=1)
    store = PictureStore(looked, most=3000)
    made = [store.jpeg((0, at), "small") for at in range(10, 60, 2)]
    assert sum(map(len, made)) > 3000
    assert store.size == sum(map(len, store.kept.values())) <= 3000
    assert [store.jpeg((0, at), "small") for at in range(10, 60, 2)] == made


def test_a_mark_is_a_line_of_the_file_with_what_the_line_says(fresh: Served) -> None:
    answer = fresh.mark(2, "class", class_="RH", note="a <b> note")
    assert answer.status == 200
    assert answer.json["before"] == {"mark": "cleared"}
    label = answer.json["card"]["labels"][0]
    assert label["mark"] == {"mark": "class", "class": ["RH"], "note": "a <b> note", "agreement": "as marked"}
    (written,) = fresh.marks.read_bytes().splitlines(keepends=True)
    mark = decode_mark(written)
    assert (mark.source, mark.attribute, mark.was, mark.classes) == (
        "s3://raw/1.jpg",
        "part",
        ("LH",),
        ("RH",),
    )
    assert (mark.line, mark.note, mark.manifest.endswith("a.manifest")) == (2, "a <b> note", True)


def test_the_last_mark_counts_and_one_that_says_what_is_there_takes_it_back(fresh: Served) -> None:
    assert fresh.mark(1, "wrong").json["before"] == {"mark": "cleared"}
    assert fresh.mark(1, "class", class_="LH").json["before"]["mark"] == "wrong"
    assert [card["line"] for card in fresh.lines("mark=class")["cards"]] == [1]
    assert fresh.lines("mark=wrong")["total"] == 0
    answer = fresh.mark(1, "class", class_="RH").json
    assert answer["before"] == {"mark": "class", "class": ["LH"], "note": ""}
    assert "mark" not in answer["card"]["labels"][0]
    assert fresh.lines("mark=any")["total"] == 0
    assert read_marks(str(fresh.marks)).by_line == {}


def test_what_to_type_next_is_said(fresh: Served) -> None:
    assert fresh.ask("GET", "/api/marks").json == {"file": str(fresh.marks), "counts": {}, "commands": []}
    fresh.mark(1, "class", class_="ink")
    fresh.mark(2, "wrong")
    found = fresh.mark(3, "unsure").json["marks"]
    assert found["counts"] == {"class": 1, "wrong": 1, "unsure": 1}
    manifest = str(fresh.marks).replace("marks.jsonl", "manifest")
    assert found["commands"] == [
        f"mtool rewrite {manifest} --from-marks {fresh.marks} --add-class",
        f"mtool filter {manifest} --unmarked {fresh.marks} --mark wrong -o good.manifest",
        f"mtool filter {manifest} --marked {fresh.marks} --mark unsure -o unsure.manifest",
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"[" * 60_000,
        b"\xff",
        b'{"part": 0, "line": 99, "attribute": "part", "mark": "wrong"}',
        b'{"part": -1, "line": 1, "attribute": "part", "mark": "wrong"}',
        b'{"part": true, "line": 1, "attribute": "part", "mark": "wrong"}',
        b'{"part": 0, "line": 1e400, "attribute": "part", "mark": "wrong"}',
        b'{"part": 0, "line": 99999999999999999999999, "attribute": "part", "mark": "wrong"}',
        b'{"part": 0, "line": 1, "attribute": "other", "mark": "wrong"}',
        b'{"part": 0, "line": 1, "attribute": ["part"], "mark": "wrong"}',
        b'{"part": 0, "line": 1, "attribute": "part", "mark": "bad"}',
        b'{"part": 0, "line": 1, "attribute": "part", "mark": "class"}',
        b'{"part": 0, "line": 1, "attribute": "part", "mark": "class", "class": ["RH", "LH"]}',
        b'{"part": 0, "line": 1, "attribute": "part", "mark": "class", "class": {"a": 1}}',
        b'{"part": 0, "line": 1, "attribute": "part", "mark": "wrong", "note": "\\ud800"}',
        b'{"part": 0, "line": 1, "attribute": "part", "mark": "wrong", "note": 1}',
    ],
)
def test_what_is_no_mark_is_refused_and_nothing_is_written(fresh: Served, body: bytes) -> None:
    assert fresh.ask("POST", "/api/marks", body).status == 400
    assert not fresh.marks.exists()


def test_a_body_without_end_is_refused(fresh: Served) -> None:
    note = {"part": 0, "line": 1, "attribute": "part", "mark": "note", "note": "x" * 100_000}
    assert fresh.ask("POST", "/api/marks", note).status == 413


def test_a_note_cannot_become_a_second_line(fresh: Served) -> None:
    fresh.mark(1, "note", note='x\n{"source-ref": "y"}\r\u2028')
    assert fresh.marks.read_bytes().count(b"\n") == 1


def test_many_marks_at_once_are_all_whole(fresh: Served) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda at: fresh.mark(at % 3 + 1, ("wrong", "unsure")[at % 2]), range(60)))
    assert {answer.status for answer in answers} == {200}
    assert len(fresh.marks.read_bytes().splitlines()) == 60
    assert len(read_marks(str(fresh.marks)).by_line) == 3


def test_marks_that_somebody_else_appends_are_seen_and_a_torn_line_is_ended(fresh: Served) -> None:
    fresh.mark(1, "wrong")
    other = json.dumps({"source-ref": "s3://raw/2.jpg", "label-attribute": "part", "mark": "unsure"})
    with fresh.marks.open("a") as file:
        file.write(other)  # without a line end
    assert fresh.lines("mark=unsure")["total"] == 1
    fresh.mark(2, "note", note="x")
    assert len(read_marks(str(fresh.marks)).by_line) == 3


def test_the_folder_of_the_marks_is_made_with_the_first_one(folder: Path, tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path / "b.manifest", [row("0.jpg", 0)])
    marks = tmp_path / "marks" / "of" / "b.jsonl"
    with serving(manifest, images=str(folder), marks=marks) as found:
        assert not marks.parent.exists()
        assert found.mark(1, "wrong").status == 200
    assert len(read_marks(str(marks)).by_line) == 1


def test_a_picture_that_is_in_s3_alone_is_fetched_or_says_why_not(s3: "S3Client", tmp_path: Path) -> None:
    s3.create_bucket(Bucket="far")
    s3.put_object(Bucket="far", Key="0.jpg", Body=jpeg(90))
    lines = [row("0.jpg", 0) | {"source-ref": f"s3://far/{number}.jpg"} for number in range(2)]
    manifest = write_manifest(tmp_path / "b.manifest", lines)
    with serving(manifest, images=f"s3://raw={tmp_path}", marks=tmp_path / "m", fetch=S3Pictures()) as found:
        assert [card["picture"] for card in found.lines()["cards"]] == [
            "picture/small/0/0",
            "picture/small/0/1",
        ]
        assert found.ask("GET", "/picture/large/0/0").headers["content-type"] == "image/jpeg"
        gone = found.ask("GET", "/picture/small/0/1")
        assert (gone.status, "no such object" in gone.text) == (404, True)


def test_a_file_that_is_no_longer_one_of_marks_is_said(fresh: Served) -> None:
    fresh.marks.write_text("spoilt\n")
    answer = fresh.ask("GET", "/api/lines")
    assert (answer.status, "a.marks.jsonl:1: expected a mark" in answer.text) == (500, True)
    assert fresh.mark(1, "wrong").status == 500
    assert fresh.marks.read_text() == "spoilt\n"


def test_a_manifest_that_was_changed_meanwhile_is_said(fresh: Served, tmp_path: Path) -> None:
    write_manifest(tmp_path / "a.manifest", [row("7.jpg", 0)])
    asked = [fresh.ask("GET", path) for path in ("/api/lines", "/picture/small/0/1")]
    for answer in (*asked, fresh.mark(1, "wrong")):
        assert (answer.status, "a.manifest: was changed" in answer.text) == (500, True)
    assert not fresh.marks.exists()


def test_a_mark_of_a_label_that_is_another_since_is_shown_as_such(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path / "a.manifest", [row("0.jpg", 0), row("1.jpg", 1)])
    marks = tmp_path / "m"
    mark = {
        "source-ref": "s3://raw/0.jpg",
        "label-attribute": "part",
        "mark": "class",
        "class": "RH",
        "was": "LH",
    }
    other = mark | {"source-ref": "s3://raw/1.jpg", "was": "scratch"}
    marks.write_text(f"{json.dumps(mark)}\n{json.dumps(other)}\n")
    with serving(manifest, images=str(tmp_path), marks=marks) as found:
        cards = found.lines("mark=any")["cards"]
    assert [card["labels"][0]["mark"]["agreement"] for card in cards] == ["corrected", "other label"]


def test_labels_of_every_kind_can_be_marked_but_only_classes_can_be_given(tmp_path: Path) -> None:
    manifests = [write_manifest(tmp_path / str(at), [one]) for at, one in enumerate(GOOD.values())]
    with serving(*manifests, images=str(tmp_path), marks=tmp_path / "m") as found:
        cards = found.lines("count=200")["cards"]
        assert len(cards) == len(manifests)
        for card in cards:
            (label,) = card["labels"]
            place = {"part": card["part"], "attribute": label["attribute"]}
            assert found.mark(1, "wrong", **place).status == 200
            answer = found.mark(1, "class", class_="x", **place)
            assert answer.status == (200 if label["takes"] == "one" else 400)


def test_a_port_that_is_taken_and_a_bad_file_of_marks_are_refused(served: Served, folder: Path) -> None:
    looked = replace(served.server.book.looked)
    with pytest.raises(Refused, match=rf"--port {served.port}: address already in use; type another one"):
        server(looked, str(folder / "m"), port=served.port, reasons={})
    (folder / "bad").write_text("x")
    with pytest.raises(BadData, match="bad:1: expected a mark"):
        server(looked, str(folder / "bad"), reasons={})

"""obstore in the place of boto3: the same bytes, the same errors, and boto3 where it cannot."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from manifest_tools.base.errors import MtoolError
from manifest_tools.io import s3 as our
from manifest_tools.io.s3 import fast
from tests.scripted_s3 import Answer, Answers, a_server, refusing, speak

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "lab3-rawdata"
URI = f"s3://{BUCKET}/left/a b.JPG"
BODY = b"0123456789" * 100
MD5 = f'"{hashlib.md5(BODY).hexdigest()}"'
STAMP = {"Last-Modified": "Sat, 28 Nov 2026 07:00:00 GMT"}
GOOD: Answer = (200, {"ETag": MD5, **STAMP}, BODY)
BY_OBSTORE = "object_store"


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    pytest.importorskip("obstore", reason="obstore is not installed: the extra fast")
    monkeypatch.delenv("MTOOL_S3")
    fast.forget()
    yield
    fast.forget()


@pytest.fixture
def bucket(s3: "S3Client") -> "S3Client":
    s3.create_bucket(Bucket=BUCKET)
    return s3


@pytest.fixture
def speaking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answers], None]]:
    with a_server() as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        yield speak


def agents(answers: Answers) -> list[str]:
    """Return who asked: obstore or boto3."""
    named = [headers.get("User-Agent") or headers.get("user-agent", "") for headers in answers.headers]
    return ["obstore" if BY_OBSTORE in name else "boto3" for name in named]


KEYS = ["left/a b.JPG", "a#b%20c+d&e=f?.jpg", "ü/日本/e\u0301", "a~b*'()[x]{y}^|\"<>`", "a\\b"]
STRANGE = ["a//b", "a/", "/a", "a/../b", "./a", "a\tb"]


@pytest.mark.parametrize("key", [*KEYS, *STRANGE])
def test_any_key_is_written_and_read_as_it_is(bucket: "S3Client", key: str) -> None:
    uri = f"s3://{BUCKET}/{key}"
    our.put(uri, BODY)
    assert [one["Key"] for one in bucket.list_objects_v2(Bucket=BUCKET)["Contents"]] == [key]
    assert our.read(uri) == our.read(uri, len(BODY)) == BODY
    assert our.read(uri, 10) == BODY[:11]
    assert fast.is_plain(key) == (key in KEYS)


def test_one_request_of_obstore_does(speaking: Callable[[Answers], None]) -> None:
    answers = Answers({"GET": [GOOD], "PUT": [(200, {"ETag": '"e"'}, b"")]})
    speaking(answers)
    assert our.read(URI) == BODY
    our.put(URI, BODY)
    assert agents(answers) == ["obstore", "obstore"]
    assert all(signed.startswith("AWS4-HMAC-SHA256 Credential=testing/") for signed in answers.signed)


def test_a_variable_leaves_it_alone(
    speaking: Callable[[Answers], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MTOOL_S3", "boto3")
    answers = Answers({"GET": [GOOD]})
    speaking(answers)
    assert our.read(URI) == BODY
    assert agents(answers) == ["boto3"]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param((200, {"ETag": MD5, **STAMP}, b"X" + BODY[1:]), id="another MD5"),
        pytest.param((200, {"ETag": MD5, **STAMP}, BODY[:400]), id="shorter, and said to be"),
        pytest.param((200, {"ETag": MD5, "Content-Length": "1000", **STAMP}, BODY[:400]), id="broken off"),
        pytest.param(
            (200, {"ETag": MD5, "Content-Length": "1000", "Connection": "reset", **STAMP}, BODY[:400]),
            id="a reset",
        ),
        pytest.param(refusing(503, "SlowDown"), id="too fast"),
        pytest.param((200, {}, b"no headers"), id="an answer without an ETag"),
    ],
)
def test_what_goes_wrong_goes_on_with_boto3(speaking: Callable[[Answers], None], bad: Answer) -> None:
    answers = Answers({"GET": [bad, GOOD]})
    speaking(answers)
    assert our.read(URI) in (BODY, b"no headers")
    assert agents(answers)[0] == "obstore"
    assert len(answers.asked) <= 2


def test_what_comes_wrong_each_time_is_the_same_line(speaking: Callable[[Answers], None]) -> None:
    speaking(Answers({"GET": [(200, {"ETag": MD5, **STAMP}, b"X")]}))
    with pytest.raises(MtoolError, match="came damaged 3 times"):
        our.read(URI)


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (refusing(403, "AccessDenied"), our.Denied, "access denied"),
        (refusing(404, "NoSuchKey"), our.NotThere, "no such object"),
        (refusing(404, "NoSuchBucket"), our.NotThere, "no such bucket"),
        (refusing(400, "ExpiredToken"), MtoolError, "session has expired"),
        (refusing(503, "SlowDown"), MtoolError, "too many requests"),
    ],
)
def test_errors_are_those_of_boto3(
    speaking: Callable[[Answers], None], answer: Answer, error: type[MtoolError], words: str
) -> None:
    speaking(Answers({"GET": [answer], "PUT": [answer]}))
    for ask in (lambda: our.read(URI), lambda: our.put(URI, BODY)):
        with pytest.raises(error, match=words) as raised:
            ask()
        assert str(raised.value).startswith(f"{URI}: ")


def test_what_kms_encrypts_is_read_by_boto3_which_knows_it(speaking: Callable[[Answers], None]) -> None:
    kms = (200, {"ETag": '"' + "0" * 32 + '"', "x-amz-server-side-encryption": "aws:kms", **STAMP}, BODY)
    answers = Answers({"GET": [kms]})
    speaking(answers)
    for _ in range(10):
        assert our.read(URI) == BODY
    assert agents(answers)[-2:] == ["boto3", "boto3"]


def test_a_key_goes_by_boto3_which_can_encrypt_with_it(speaking: Callable[[Answers], None]) -> None:
    answers = Answers({"PUT": [(200, {"ETag": '"e"'}, b"")]})
    speaking(answers)
    our.put(URI, BODY, kms_key="alias/lab3")
    assert agents(answers) == ["boto3"]


@pytest.mark.parametrize("by", ["obstore", "boto3"])
def test_what_has_not_changed_is_not_sent_again(
    bucket: "S3Client", monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.setenv("MTOOL_S3", by)
    our.put(URI, BODY)
    found = our.read_unless(URI, "")
    assert found is not None
    assert (found.data, found.etag) == (BODY, MD5)
    assert our.read_unless(URI, MD5) is None
    our.put(URI, b"new")
    again = our.read_unless(URI, MD5)
    assert again is not None
    assert again.data == b"new"


def test_many_threads_read_at_a_time(bucket: "S3Client") -> None:
    uris = [f"s3://{BUCKET}/{at}" for at in range(50)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda uri: our.put(uri, uri.encode()), uris))
        assert list(threads.map(our.read, uris)) == [uri.encode() for uri in uris]


FORKING = """
import os, sys
from manifest_tools.io import s3
from manifest_tools.io.s3 import fast
assert fast.is_used()
s3.read(sys.argv[1])
child = os.fork()
if not child:
    assert not fast.is_used()
s3.read(sys.argv[1])
if child:
    assert fast.is_used()
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_reads_with_boto3(speaking: Callable[[Answers], None]) -> None:
    answers = Answers({"GET": [GOOD]})
    speaking(answers)
    subprocess.run([sys.executable, "-c", FORKING, URI], check=True, timeout=60)
    assert sorted(agents(answers)) == ["boto3", "obstore", "obstore"]

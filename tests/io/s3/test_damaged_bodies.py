"""What comes is compared with what S3 says of it, asked for again, and an error in the end."""

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from manifest_tools.base.errors import MtoolError
from manifest_tools.io import s3 as our
from manifest_tools.io.s3.client import client
from tests.scripted_s3 import Answer, Answers, a_server, refusing, speak

URI = "s3://lab3-rawdata/left/a b.JPG"
BODY = b"0123456789" * 100
WRONG = b"X" + BODY[1:]
MD5 = f'"{hashlib.md5(BODY).hexdigest()}"'


@pytest.fixture
def speaking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answers], None]]:
    with a_server() as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        yield speak


def crc32(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def by_download(tmp_path: Path) -> bytes:
    assert our.download(URI, str(tmp_path / "file")) == len(BODY)
    return (tmp_path / "file").read_bytes()


READERS = [
    pytest.param(lambda _: our.read(URI), id="read"),
    pytest.param(lambda _: our.read(URI, 9999), id="read with a limit"),
    pytest.param(by_download, id="download"),
]
BAD = [
    pytest.param((200, {"Content-Length": "1000"}, BODY[:400]), id="broken off in the middle"),
    pytest.param((200, {"Content-Length": "1000", "Connection": "reset"}, BODY[:400]), id="a reset"),
    pytest.param((200, {"Content-Length": "1000"}, b""), id="broken off before it began"),
    pytest.param((200, {"ETag": MD5}, BODY[:400]), id="shorter, and said to be"),
    pytest.param((200, {"ETag": MD5}, WRONG), id="another MD5"),
    pytest.param((200, {"x-amz-checksum-crc32": crc32(BODY), "ETag": '"a-2"'}, WRONG), id="another CRC"),
    pytest.param(
        (200, {"x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(BODY).digest()).decode()}, WRONG),
        id="another SHA-256",
    ),
]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("bad", BAD)
def test_what_came_wrong_is_asked_for_again(
    speaking: Callable[[Answers], None], tmp_path: Path, read: Callable[[Path], bytes], bad: Answer
) -> None:
    answers = Answers({"GET": [bad, bad, (200, {"ETag": MD5}, BODY)]})
    speaking(answers)
    assert read(tmp_path) == BODY
    assert len(answers.asked) == 3
    assert {headers["x-amz-checksum-mode"] for headers in answers.headers} == {"ENABLED"}


@pytest.mark.parametrize("bad", BAD)
def test_what_comes_wrong_each_time_is_one_line(speaking: Callable[[Answers], None], bad: Answer) -> None:
    answers = Answers({"GET": [bad]})
    speaking(answers)
    with pytest.raises(
        MtoolError, match=r"a b\.JPG: (the connection broke off|came damaged 3 times)"
    ) as raised:
        our.read(URI)
    assert "\n" not in str(raised.value)
    assert "try again" in str(raised.value)
    assert len(answers.asked) == 3


def test_the_error_names_both_checksums(speaking: Callable[[Answers], None]) -> None:
    speaking(Answers({"GET": [(200, {"ETag": MD5}, WRONG)]}))
    with pytest.raises(MtoolError) as raised:
        our.read(URI)
    assert str(raised.value) == (
        f"{URI}: came damaged 3 times (expected bytes with the MD5 {hashlib.md5(BODY).hexdigest()}, got"
        f" {hashlib.md5(WRONG).hexdigest()}); try again, and look at what lies between here and S3"
    )


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"ETag": MD5, "x-amz-server-side-encryption": "aws:kms"}, id="KMS"),
        pytest.param({"ETag": MD5, "x-amz-server-side-encryption": "aws:kms:dsse"}, id="KMS twice"),
        pytest.param({"ETag": MD5.replace('"', "", 1) + '-2"'}, id="in parts"),
        pytest.param({"ETag": '"not digits"'}, id="another server's"),
        pytest.param({}, id="none"),
    ],
)
def test_an_etag_that_is_no_md5_is_not_compared(
    speaking: Callable[[Answers], None], headers: dict[str, str]
) -> None:
    speaking(Answers({"GET": [(200, headers, WRONG)]}))
    assert our.read(URI) == WRONG


def test_of_an_object_that_is_too_large_no_more_is_read_than_shows_it(
    speaking: Callable[[Answers], None],
) -> None:
    speaking(Answers({"GET": [(200, {"ETag": MD5}, BODY)]}))
    assert our.read(URI, 10) == BODY[:11]
    assert our.read(URI, 1000) == BODY


@pytest.mark.parametrize(
    "busy", [refusing(503, "SlowDown"), refusing(500, "InternalError"), refusing(503, "ServiceUnavailable")]
)
def test_a_busy_s3_is_asked_again(
    speaking: Callable[[Answers], None], monkeypatch: pytest.MonkeyPatch, busy: Answer
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    answers = Answers({"GET": [busy, (200, {"ETag": MD5}, BODY)]})
    speaking(answers)
    assert our.read(URI) == BODY
    assert len(answers.asked) == 2


@pytest.mark.parametrize(("chosen", "tries"), [(None, 7), ("3", 3)])
def test_the_number_of_tries_is_the_variable_or_more_than_boto3_s(
    monkeypatch: pytest.MonkeyPatch, chosen: str | None, tries: int
) -> None:
    monkeypatch.delenv("AWS_MAX_ATTEMPTS")
    if chosen is not None:
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", chosen)
    assert client().meta.config.retries["total_max_attempts"] == tries  # type: ignore[attr-defined]

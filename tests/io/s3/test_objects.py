import gzip
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from manifest_tools.base.errors import MtoolError, Refused
from manifest_tools.io import s3 as our
from manifest_tools.io.s3.client import client
from tests.scripted_s3 import Answers, a_server, refusing, speak

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "lab3-rawdata"
URI = f"s3://{BUCKET}/left/a b.JPG"
TEXT = b"0123456789"


@pytest.fixture
def stored(s3: "S3Client") -> "S3Client":
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="left/a b.JPG", Body=TEXT)
    return s3


@pytest.mark.usefixtures("stored")
class TestReading:
    def test_the_size_is_in_bytes(self) -> None:
        assert our.size(URI) == 10

    def test_the_whole_object(self) -> None:
        assert our.read(URI) == TEXT

    @pytest.mark.parametrize(
        ("start", "end"),
        [
            pytest.param(0, 10, id="the whole"),
            pytest.param(0, 1, id="the first byte"),
            pytest.param(3, 7, id="the middle"),
            pytest.param(9, 10, id="the last byte"),
            pytest.param(4, 4, id="an empty range"),
            pytest.param(8, 99, id="over the end"),
            pytest.param(10, 20, id="from the end"),
            pytest.param(50, 60, id="past the end"),
        ],
    )
    def test_a_range_is_what_slicing_gives(self, start: int, end: int) -> None:
        assert our.read_range(URI, start, end) == TEXT[start:end]

    def test_a_stream_is_read_bit_by_bit(self) -> None:
        with our.open_stream(URI) as stream:
            assert (stream.read(4), stream.read(4), stream.read(4)) == (b"0123", b"4567", b"89")

    def test_an_object_is_there_or_not(self) -> None:
        assert our.exists(URI)
        assert not our.exists(f"s3://{BUCKET}/left/b.JPG")


def test_an_empty_object_reads_as_nothing(stored: "S3Client") -> None:
    stored.put_object(Bucket=BUCKET, Key="empty", Body=b"")
    uri = f"s3://{BUCKET}/empty"
    assert (our.size(uri), our.read(uri), our.read_range(uri, 0, 10)) == (0, b"", b"")


def test_gzip_reads_from_a_stream(stored: "S3Client") -> None:
    stored.put_object(Bucket=BUCKET, Key="a.gz", Body=gzip.compress(TEXT * 9999))
    with our.open_stream(f"s3://{BUCKET}/a.gz") as stream, gzip.GzipFile(fileobj=stream) as plain:
        assert plain.read() == TEXT * 9999


@pytest.mark.parametrize(
    "length",
    [
        pytest.param(0, id="nothing"),
        pytest.param(1000, id="one request"),
        pytest.param((8 << 20) + 1, id="two parts"),
    ],
)
def test_an_uploaded_file_is_the_object(stored: "S3Client", tmp_path: Path, length: int) -> None:
    (tmp_path / "file").write_bytes(b"x" * length)
    our.upload(str(tmp_path / "file"), URI)
    assert our.read(URI) == b"x" * length
    in_parts = "-" in stored.head_object(Bucket=BUCKET, Key="left/a b.JPG")["ETag"]
    assert in_parts == (length > 8 << 20)


@pytest.fixture
def speaking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answers], None]]:
    with a_server() as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        yield speak


def test_a_failed_part_aborts_the_upload(speaking: Callable[[Answers], None], tmp_path: Path) -> None:
    begun = b"<InitiateMultipartUploadResult><UploadId>u7</UploadId></InitiateMultipartUploadResult>"
    answers = Answers(
        {"POST": [(200, {}, begun)], "PUT": [refusing(403, "AccessDenied")], "DELETE": [(204, {}, b"")]}
    )
    speaking(answers)
    with open(tmp_path / "file", "wb") as file:
        file.truncate(20 << 20)
    with pytest.raises(our.Denied):
        our.upload(str(tmp_path / "file"), f"s3://{BUCKET}/big")
    # A part that was on its way may be heard after it.
    assert answers.asked.count(f"DELETE /{BUCKET}/big?uploadId=u7") == 1
    assert [asked for asked in answers.asked if asked.startswith("POST")] == [f"POST /{BUCKET}/big?uploads"]


def test_a_body_that_breaks_off_is_asked_for_again(speaking: Callable[[Answers], None]) -> None:
    answers = Answers({"GET": [(200, {"Content-Length": "10"}, b"0123"), (200, {}, TEXT)]})
    speaking(answers)
    assert our.read(URI) == TEXT
    assert len(answers.asked) == 2


def test_a_body_that_breaks_off_each_time_is_an_error(
    speaking: Callable[[Answers], None],
) -> None:
    answers = Answers({"GET": [(200, {"Content-Length": "10"}, b"0123")]})
    speaking(answers)
    with pytest.raises(MtoolError, match=r"a b\.JPG: the connection broke off .*; try again$"):
        our.read(URI)
    assert len(answers.asked) == 3


def test_a_stream_that_breaks_off_is_an_error(speaking: Callable[[Answers], None]) -> None:
    speaking(Answers({"GET": [(200, {"Content-Length": "10"}, b"0123")]}))
    with pytest.raises(MtoolError, match="the connection broke off"), our.open_stream(URI) as stream:
        stream.read()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(
            refusing(403, "AccessDenied"),
            "access denied; reading needs s3:GetObject, writing s3:PutObject; without s3:ListBucket S3 also"
            " denies access to an object that does not exist; check the name, or set AWS_PROFILE",
            id="access denied",
        ),
        pytest.param(
            refusing(400, "ExpiredToken"),
            "the AWS session has expired; log in again (`aws sso login`), or set a new AWS_SESSION_TOKEN",
            id="an expired session",
        ),
        pytest.param(
            refusing(403, "InvalidAccessKeyId"),
            "AWS does not know these credentials; check AWS_PROFILE, or AWS_ACCESS_KEY_ID,"
            " AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
            id="unknown credentials",
        ),
        pytest.param(
            refusing(400, "AuthorizationHeaderMalformed", "<Region>eu-west-3</Region>"),
            "the bucket is in another region; set AWS_REGION to eu-west-3",
            id="another region, named in the answer",
        ),
        pytest.param(
            refusing(400, "IllegalLocationConstraintException"),
            "the bucket is in another region; set AWS_REGION to the bucket's own",
            id="another region, not named",
        ),
        pytest.param(
            refusing(403, "RequestTimeTooSkewed"),
            "the clock of this machine is wrong; set it and try again",
            id="a wrong clock",
        ),
        pytest.param(
            refusing(503, "SlowDown"),
            "S3 got too many requests; try again later, or with a smaller --jobs or --concurrency",
            id="too fast",
        ),
        pytest.param(
            refusing(403, "InvalidObjectState"),
            "the object is archived; restore it from Glacier first",
            id="an archived object",
        ),
        pytest.param(refusing(418, "Teapot"), "S3 answers Teapot: S3's words.", id="what nobody foresaw"),
    ],
)
@pytest.mark.parametrize(
    "ask",
    [pytest.param(our.size, id="size"), pytest.param(our.read, id="read")],
)
def test_what_s3_refuses_is_one_line(
    speaking: Callable[[Answers], None],
    ask: Callable[[str], object],
    answer: tuple[int, dict[str, str], bytes],
    words: str,
) -> None:
    speaking(Answers({"GET": [answer], "HEAD": [answer]}))
    with pytest.raises(MtoolError) as raised:
        ask(URI)
    assert str(raised.value) == f"{URI}: {words}"
    assert raised.value.exit_code == 3


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    ("uri", "what"),
    [
        pytest.param(f"s3://{BUCKET}/none", "object", id="object"),
        pytest.param("s3://no-such-bucket/none", "bucket", id="bucket"),
    ],
)
@pytest.mark.parametrize("ask", [pytest.param(our.size, id="size"), pytest.param(our.read, id="read")])
def test_what_is_missing_is_named(ask: Callable[[str], object], uri: str, what: str) -> None:
    with pytest.raises(our.NotThere) as raised:
        ask(uri)
    assert (raised.value.uri, raised.value.what) == (uri, what)
    assert str(raised.value) == (f"{uri}: S3 has no such {what}; check the name and the AWS account")


@pytest.mark.usefixtures("stored")
def test_a_missing_bucket_is_a_mistake_and_no_absence(tmp_path: Path) -> None:
    with pytest.raises(our.NotThere):
        our.exists("s3://no-such-bucket/none")
    (tmp_path / "file").write_bytes(TEXT)
    with pytest.raises(our.NotThere):
        our.upload(str(tmp_path / "file"), "s3://no-such-bucket/none")


@pytest.mark.usefixtures("stored")
def test_a_bucket_that_cannot_be_says_why() -> None:
    with pytest.raises(MtoolError) as raised:
        our.size("s3://lab#-rawdata/a.JPG")
    assert str(raised.value) == (
        "s3://lab#-rawdata/a.JPG: S3 does not accept this name: it contains '#';"
        " a bucket's name has only a-z, 0-9, '-' and '.'"
    )


def test_a_text_that_is_no_uri_is_refused() -> None:
    with pytest.raises(Refused, match=r"^expected a key after s3://bucket/, found 's3://lab3/'$"):
        our.read("s3://lab3/")


def test_without_credentials_the_variables_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert our.have_credentials()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert not our.have_credentials()
    with pytest.raises(MtoolError) as raised:
        our.read(URI)
    assert str(raised.value) == (
        f"{URI}: there are no AWS credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and"
        " AWS_SECRET_ACCESS_KEY"
    )


def test_half_of_the_credentials_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(MtoolError, match="set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY$"):
        our.have_credentials()


def test_a_profile_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "lab9")
    words = r"\(lab9\) could not be found; set AWS_PROFILE to a name that `aws configure list-profiles`"
    with pytest.raises(MtoolError, match="^AWS: .*" + words):
        our.have_credentials()
    with pytest.raises(MtoolError, match=r"a b\.JPG: .*" + words):
        our.read(URI)


def test_an_endpoint_that_does_not_answer_is_named() -> None:
    closed = os.environ["AWS_ENDPOINT_URL"]
    with pytest.raises(MtoolError) as raised:
        our.size(URI)
    assert str(raised.value).startswith(f'{URI}: Could not connect to the endpoint URL: "{closed}')
    assert str(raised.value).endswith("; check the network, AWS_ENDPOINT_URL and AWS_REGION")


def test_an_endpoint_that_is_no_url_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "moto")
    with pytest.raises(MtoolError, match="Invalid endpoint: moto; set AWS_ENDPOINT_URL to http:"):
        our.size(URI)


def test_the_region_is_the_variable_that_aws_documents(
    speaking: Callable[[Answers], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """boto3 by itself reads AWS_DEFAULT_REGION only."""
    answers = Answers({"GET": [(200, {}, TEXT)]})
    speaking(answers)
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    our.read(URI)
    assert "/eu-west-3/s3/" in answers.signed[0]


FORKING = """
import os, sys
from manifest_tools.io import s3
s3.read(sys.argv[1])
child = os.fork()
if child:
    os.waitpid(child, 0)
s3.read(sys.argv[1])
"""


def test_the_two_sides_of_a_fork_share_no_connection(speaking: Callable[[Answers], None]) -> None:
    answers = Answers({"GET": [(200, {}, TEXT)]})
    speaking(answers)
    # In a process of its own: this one has the server's threads, and those do not fork well.
    subprocess.run([sys.executable, "-c", FORKING, URI], check=True)
    before, child, after = answers.ports
    assert before == after != child


def test_boto3_is_imported_when_the_work_needs_it() -> None:
    program = "import sys, manifest_tools.io.s3; print('boto3' in sys.modules, 'botocore' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


def test_threads_that_begin_together_share_one_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-3")  # so that there is none yet
    with ThreadPoolExecutor(16) as threads:
        assert len({id(found) for found in threads.map(lambda _: client(), range(64))}) == 1

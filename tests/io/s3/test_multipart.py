"""An object that is written appears whole, at the end, and leaves nothing where it does not."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from manifest_tools.base.errors import Exists, MtoolError, Refused
from manifest_tools.io import s3 as our
from manifest_tools.io.s3.multipart import LARGEST, MOST, part_size
from manifest_tools.io.sinks import publishing
from tests.scripted_s3 import Answers, a_server, refusing, speak

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "lab3-rawdata"
URI = f"s3://{BUCKET}/out/train.rec"
KEY = "arn:aws:kms:us-east-1:111122223333:key/0d4a1b2c-0000-4000-8000-000000000000"
MIB = 1 << 20
BEGUN = b"<InitiateMultipartUploadResult><UploadId>u7</UploadId></InitiateMultipartUploadResult>"


@pytest.fixture
def bucket(s3: "S3Client") -> "S3Client":
    s3.create_bucket(Bucket=BUCKET)
    return s3


@pytest.fixture
def speaking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answers], None]]:
    with a_server() as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        yield speak


def keys(client: "S3Client") -> list[str]:
    return [one["Key"] for one in client.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def uploads(client: "S3Client") -> list[str]:
    return [one["UploadId"] for one in client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])]


def pattern(length: int) -> bytes:
    return (bytes(range(251)) * (length // 251 + 1))[:length]


def test_ten_thousand_parts_hold_five_terabytes_and_none_is_too_large() -> None:
    sizes = [part_size(number) for number in range(1, MOST + 1)]
    assert sum(sizes) > 5e12
    assert max(sizes) <= LARGEST
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("piece", [17 * MIB, 3 * MIB + 1, 8 * MIB], ids=["at once", "in pieces", "in parts"])
def test_nobody_sees_it_before_it_is_whole(bucket: "S3Client", piece: int) -> None:
    data = pattern(17 * MIB)
    stream = our.ObjectStream(URI)
    for start in range(0, len(data), piece):
        assert stream.write(data[start : start + piece]) == len(data[start : start + piece])
    (upload,) = uploads(bucket)
    stream.finish()
    assert len(bucket.list_parts(Bucket=BUCKET, Key="out/train.rec", UploadId=upload)["Parts"]) == 3
    assert keys(bucket) == []
    stream.replace_target()
    assert (keys(bucket), uploads(bucket)) == (["out/train.rec"], [])
    assert our.read(URI) == data
    assert stream.size == stream.tell() == len(data)


@pytest.mark.parametrize("length", [0, 1, 8 * MIB - 1])
def test_what_fills_no_part_is_one_request_at_the_end(bucket: "S3Client", length: int) -> None:
    stream = our.ObjectStream(URI)
    stream.write(b"x" * length)
    stream.finish()
    assert (keys(bucket), uploads(bucket)) == ([], [])
    stream.replace_target()
    assert our.read(URI) == b"x" * length


@pytest.mark.parametrize("finished", [False, True])
def test_what_is_given_up_leaves_nothing(bucket: "S3Client", finished: bool) -> None:
    stream = our.ObjectStream(URI)
    stream.write(bytes(9 * MIB))
    assert len(uploads(bucket)) == 1
    if finished:
        stream.finish()
    stream.discard()
    assert (keys(bucket), uploads(bucket)) == ([], [])


def test_a_key_encrypts_what_goes_in_parts(bucket: "S3Client") -> None:
    with publishing(kms_key=KEY) as publication:
        publication.open(URI).write(bytes(9 * MIB))
    assert bucket.head_object(Bucket=BUCKET, Key="out/train.rec")["SSEKMSKeyId"] == KEY


def test_a_part_that_fails_is_an_error_and_aborts_the_others(speaking: Callable[[Answers], None]) -> None:
    answers = Answers(
        {
            "HEAD": [refusing(404, "NoSuchKey")],
            "GET": [refusing(404, "NoSuchKey")],
            "POST": [(200, {}, BEGUN)],
            "PUT": [(200, {"ETag": '"p"'}, b""), refusing(400, "ExpiredToken")],
            "DELETE": [(204, {}, b"")],
        }
    )
    speaking(answers)
    with pytest.raises(MtoolError, match="the AWS session has expired"), publishing() as publication:
        publication.open(URI).write(bytes(17 * MIB))
    assert answers.asked[-1] == f"DELETE /{BUCKET}/out/train.rec?uploadId=u7"
    assert [asked for asked in answers.asked if asked.startswith("POST")] == [
        f"POST /{BUCKET}/out/train.rec?uploads"
    ]


def test_a_part_is_sent_again_where_s3_is_busy_or_the_connection_breaks(
    speaking: Callable[[Answers], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    answers = Answers(
        {
            "POST": [(200, {}, BEGUN), (200, {}, b"<CompleteMultipartUploadResult/>")],
            "PUT": [
                refusing(503, "SlowDown"),
                (200, {"Content-Length": "9", "Connection": "reset"}, b""),
                (200, {"ETag": '"p"'}, b""),
            ],
        }
    )
    speaking(answers)
    stream = our.ObjectStream(URI)
    stream.write(bytes(8 * MIB))
    stream.finish()
    stream.replace_target()
    assert [asked.partition("?")[0][:4] for asked in answers.asked] == [
        "POST",
        "PUT ",
        "PUT ",
        "PUT ",
        "POST",
    ]


class TestTogether:
    """With other outputs of one command: all of them appear, or none."""

    def test_one_that_may_not_be_replaced_keeps_back_the_object(
        self, bucket: "S3Client", in_folder: Path
    ) -> None:
        Path("report").write_bytes(b"old")
        with pytest.raises(Exists, match="report: exists already"), publishing() as publication:
            publication.open(URI).write(bytes(9 * MIB))
            publication.open("report").write(b"new")
        assert (keys(bucket), uploads(bucket)) == ([], [])

    def test_an_error_or_a_dropped_output_leaves_nothing(self, bucket: "S3Client") -> None:
        with pytest.raises(ZeroDivisionError), publishing() as publication:
            publication.open(URI).write(bytes(9 * MIB))
            raise ZeroDivisionError
        with publishing() as publication:
            publication.open(URI).write(bytes(9 * MIB))
            publication.drop(URI)
        assert (keys(bucket), uploads(bucket)) == ([], [])

    def test_an_object_that_came_meanwhile_stays(self, bucket: "S3Client") -> None:
        with pytest.raises(Exists), publishing() as publication:
            publication.open(URI).write(bytes(9 * MIB))
            bucket.put_object(Bucket=BUCKET, Key="out/train.rec", Body=b"theirs")
        assert our.read(URI) == b"theirs"
        assert uploads(bucket) == []

    def test_a_large_object_written_again_is_unchanged(self, bucket: "S3Client") -> None:
        states = []
        for _ in range(2):
            with publishing() as publication:
                publication.open(URI).write(bytes(9 * MIB))
            states += [one.state for one in publication.published]
        assert states == ["written", "unchanged"]

    def test_a_bucket_that_is_not_there_is_said_before_the_work(self, bucket: "S3Client") -> None:
        with pytest.raises(our.NotThere), publishing() as publication:
            publication.open("s3://no-such-bucket/a")
            pytest.fail("it was opened")

    def test_a_key_that_is_none_is_refused_before_the_work(self, bucket: "S3Client") -> None:
        with pytest.raises(Refused, match="expected a KMS key"), publishing(kms_key="no key") as publication:
            publication.open(URI)
            pytest.fail("it was opened")


@pytest.mark.parametrize(
    ("written", "lengths", "etag_parts"),
    [
        pytest.param(0, [6 * MIB, 6 * MIB], 2, id="copied whole"),
        pytest.param(3, [11 * MIB, 7, 6 * MIB + 1], 2, id="what waits takes what it lacks from the next"),
        pytest.param(3, [5 * MIB, 5 * MIB], 2, id="too small to give and be copied"),
        pytest.param(0, [9, 7], 0, id="too small for a part"),
    ],
)
def test_bytes_of_other_objects_are_copied_by_s3(
    bucket: "S3Client", written: int, lengths: list[int], etag_parts: int
) -> None:
    whole = bytes(written)
    stream = our.ObjectStream(URI)
    stream.write(whole)
    for number, length in enumerate(lengths):
        data = bytes([65 + number]) * length
        bucket.put_object(Bucket=BUCKET, Key=f"pieces/{number}", Body=data)
        assert stream.copy_from(f"s3://{BUCKET}/pieces/{number}") == length
        whole += data
    stream.write(b"end")
    assert stream.tell() == len(whole) + 3
    stream.finish()
    stream.replace_target()
    found = bucket.get_object(Bucket=BUCKET, Key="out/train.rec")
    assert found["Body"].read() == whole + b"end"
    parts = found["ETag"].strip('"').partition("-")[2]
    assert int(parts or 0) == (etag_parts + 1 if etag_parts else 0)

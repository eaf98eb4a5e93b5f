"""What a killed process left in S3 is found, and removed."""

from typing import TYPE_CHECKING

import pytest

from manifest_tools.base.errors import Refused
from manifest_tools.io import s3 as our

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "lab3-out"
PART = bytes(5 << 20)


@pytest.fixture
def bucket(s3: "S3Client") -> "S3Client":
    s3.create_bucket(Bucket=BUCKET)
    return s3


def begun(client: "S3Client", key: str, parts: int) -> str:
    upload = client.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
    for number in range(1, parts + 1):
        client.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=PART)
    return upload


def test_uploads_under_a_prefix_are_found_with_age_and_size(bucket: "S3Client") -> None:
    upload = begun(bucket, "out/a b.rec", 2)
    begun(bucket, "other/b.rec", 0)
    (found,) = our.leftovers(f"s3://{BUCKET}/out/", sizes=True)
    assert (found.uri, found.upload, found.size) == (f"s3://{BUCKET}/out/a b.rec", upload, 10 << 20)
    assert found.begun.tzinfo is not None


@pytest.mark.parametrize("place", [f"s3://{BUCKET}", f"s3://{BUCKET}/"])
def test_a_bucket_is_a_prefix_too_and_sizes_are_asked_for(bucket: "S3Client", place: str) -> None:
    begun(bucket, "out/a.rec", 1)
    assert [(one.uri, one.size) for one in our.leftovers(place)] == [(f"s3://{BUCKET}/out/a.rec", None)]


def test_what_is_aborted_is_gone_and_a_second_time_is_no_error(bucket: "S3Client") -> None:
    begun(bucket, "a.rec", 1)
    begun(bucket, "a.rec", 0)
    found = list(our.leftovers(f"s3://{BUCKET}/a.rec"))
    assert len(found) == 2
    for one in [*found, found[0]]:
        our.abort(one)
    assert list(our.leftovers(f"s3://{BUCKET}")) == []


def test_a_stream_that_is_not_finished_is_one_of_them(bucket: "S3Client") -> None:
    stream = our.ObjectStream(f"s3://{BUCKET}/a.rec")
    stream.write(bytes(8 << 20))
    assert [one.uri for one in our.leftovers(f"s3://{BUCKET}")] == [f"s3://{BUCKET}/a.rec"]
    stream.discard()
    assert list(our.leftovers(f"s3://{BUCKET}")) == []


@pytest.mark.parametrize("place", ["out", "s3://", "s3:///a", ""])
def test_what_is_no_prefix_is_refused(place: str) -> None:
    with pytest.raises(Refused, match="expected s3://bucket or s3://bucket/prefix"):
        list(our.leftovers(place))


def test_a_bucket_that_is_not_there_is_said(bucket: "S3Client") -> None:
    with pytest.raises(our.NotThere):
        list(our.leftovers("s3://no-such-bucket/a"))

"""What a written object is: whole or not there, encrypted as it should be, and read as one version."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from manifest_tools.base.errors import MtoolError
from manifest_tools.io import s3 as our
from tests.scripted_s3 import Answers, a_server, refusing, speak

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "lab3-rawdata"
URI = f"s3://{BUCKET}/left/a b.JPG"
TEXT = b"0123456789"
KEY = "arn:aws:kms:us-east-1:111122223333:key/0d4a1b2c-0000-4000-8000-000000000000"


@pytest.fixture
def stored(s3: "S3Client") -> "S3Client":
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="left/a b.JPG", Body=TEXT)
    return s3


@pytest.fixture
def speaking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answers], None]]:
    with a_server() as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        yield speak


@pytest.fixture
def new_file(tmp_path: Path) -> str:
    (tmp_path / "new").write_bytes(b"new")
    return str(tmp_path / "new")


class TestSettings:
    """What goes with an object, and how it is encrypted."""

    def test_a_new_object_has_what_the_bucket_gives_it(self, stored: "S3Client", new_file: str) -> None:
        stored.put_bucket_encryption(
            Bucket=BUCKET,
            ServerSideEncryptionConfiguration={
                "Rules": [
                    {
                        "ApplyServerSideEncryptionByDefault": {
                            "SSEAlgorithm": "aws:kms",
                            "KMSMasterKeyID": KEY,
                        }
                    }
                ]
            },
        )
        our.upload(new_file, f"s3://{BUCKET}/new")
        head = stored.head_object(Bucket=BUCKET, Key="new")
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", KEY)
        assert head["ContentType"] == "binary/octet-stream"
        assert head["Metadata"] == {}

    def test_nothing_of_encryption_is_sent_unasked(
        self, speaking: Callable[[Answers], None], new_file: str
    ) -> None:
        answers = Answers({"PUT": [(200, {}, b"")]})
        speaking(answers)
        our.upload(new_file, URI)
        assert not [name for name in answers.headers[0] if "encryption" in name.lower()]

    def test_a_key_encrypts_it(self, stored: "S3Client", new_file: str) -> None:
        our.upload(new_file, f"s3://{BUCKET}/new", kms_key=KEY)
        head = stored.head_object(Bucket=BUCKET, Key="new")
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", KEY)

    @pytest.mark.parametrize("length", [3, (8 << 20) + 1], ids=["one request", "two parts"])
    def test_an_object_keeps_its_settings_when_its_bytes_are_replaced(
        self, stored: "S3Client", tmp_path: Path, length: int
    ) -> None:
        (tmp_path / "new").write_bytes(b"n" * length)
        stored.put_object(
            Bucket=BUCKET,
            Key="old",
            Body=TEXT,
            ContentType="application/jsonlines",
            ContentDisposition="attachment",
            ContentLanguage="en",
            CacheControl="no-store",
            Metadata={"lab": "3"},
            ServerSideEncryption="aws:kms",
            SSEKMSKeyId=KEY,
        )
        uri = f"s3://{BUCKET}/old"
        before = our.head(uri)
        our.upload(str(tmp_path / "new"), uri, over=before)
        after = our.head(uri)
        assert after.settings == before.settings
        assert len(after.settings) == 7
        assert after.settings["Metadata"] == {"lab": "3"}
        assert after.size == length
        assert after.etag != before.etag

    def test_a_key_that_is_asked_for_goes_before_the_old_one(self, stored: "S3Client", new_file: str) -> None:
        stored.put_object(
            Bucket=BUCKET, Key="old", Body=TEXT, ServerSideEncryption="AES256", ContentType="a/b"
        )
        uri = f"s3://{BUCKET}/old"
        our.upload(new_file, uri, over=our.head(uri), kms_key=KEY)
        assert our.head(uri).settings == {
            "ContentType": "a/b",
            "SSEKMSKeyId": KEY,
            "ServerSideEncryption": "aws:kms",
        }

    @pytest.mark.parametrize(("key", "kept"), [("a.gz", True), ("a.manifest", False)])
    def test_what_is_written_plain_is_not_called_compressed(
        self, stored: "S3Client", key: str, kept: bool
    ) -> None:
        stored.put_object(Bucket=BUCKET, Key=key, Body=TEXT, ContentEncoding="gzip")
        assert ("ContentEncoding" in our.head(f"s3://{BUCKET}/{key}").settings) == kept

    @pytest.mark.parametrize(
        ("key", "same"),
        [
            pytest.param(KEY, True, id="its ARN"),
            pytest.param(KEY.rpartition("/")[2], True, id="its ID"),
            pytest.param(KEY.replace("0d4a", "1d4a"), False, id="another ARN"),
            pytest.param("8000-000000000000", False, id="the end of its ID"),
            pytest.param("alias/lab3", False, id="an alias, which may be any key's"),
        ],
    )
    def test_an_object_says_which_key_it_has(self, key: str, same: bool) -> None:
        assert our.Object(URI, 1, "e", {"SSEKMSKeyId": KEY}).has_key(key) == same
        assert not our.Object(URI, 1, "e", {}).has_key(key)


class TestTheSameBytes:
    """An object that somebody replaces while it is read is never read in two halves."""

    def test_ranges_and_streams_of_the_old_one_are_refused(self, stored: "S3Client") -> None:
        etag = our.head(URI).etag
        assert our.read_range(URI, 0, 4, etag) == TEXT[:4]
        stored.put_object(Bucket=BUCKET, Key="left/a b.JPG", Body=TEXT[::-1])
        for ask in (lambda: our.read_range(URI, 4, 8, etag), lambda: our.open_stream(URI, etag).__enter__()):
            with pytest.raises(MtoolError) as raised:
                ask()
            assert str(raised.value) == f"{URI}: was changed while it was read; run the same command again"
        assert our.read_range(URI, 0, 4) == TEXT[::-1][:4]

    def test_an_object_that_became_shorter_is_no_end_of_it(self, stored: "S3Client") -> None:
        etag = our.head(URI).etag
        stored.put_object(Bucket=BUCKET, Key="left/a b.JPG", Body=b"0")
        with pytest.raises(MtoolError, match="was changed while it was read"):
            our.read_range(URI, 4, 8, etag)

    def test_the_condition_goes_with_every_try(self, speaking: Callable[[Answers], None]) -> None:
        answers = Answers({"GET": [(206, {"Content-Length": "4"}, b"01"), (206, {}, b"0123")]})
        speaking(answers)
        assert our.read_range(URI, 0, 4, '"e"') == b"0123"
        assert [headers["If-Match"] for headers in answers.headers] == ['"e"', '"e"']


class TestHalfAnObject:
    """There never is one: what fails on the way leaves what was there, and no part that is billed."""

    @pytest.fixture
    def big(self, tmp_path: Path) -> str:
        with open(tmp_path / "big", "wb") as file:
            file.truncate(20 << 20)
        return str(tmp_path / "big")

    def test_a_part_that_breaks_off_after_others_went_aborts_them_all(
        self, speaking: Callable[[Answers], None], big: str
    ) -> None:
        begun = b"<InitiateMultipartUploadResult><UploadId>u7</UploadId></InitiateMultipartUploadResult>"
        done = (200, {"ETag": '"p"'}, b"")
        answers = Answers(
            {
                "POST": [(200, {}, begun)],
                "PUT": [done, done, refusing(400, "ExpiredToken")],
                "DELETE": [(204, {}, b"")],
            }
        )
        speaking(answers)
        with pytest.raises(MtoolError, match="the AWS session has expired"):
            our.upload(big, f"s3://{BUCKET}/big")
        assert answers.asked[-1] == f"DELETE /{BUCKET}/big?uploadId=u7"
        assert sum(asked.startswith("POST") for asked in answers.asked) == 1  # begun, and never completed

    def test_a_completion_that_is_refused_aborts(self, speaking: Callable[[Answers], None], big: str) -> None:
        begun = b"<InitiateMultipartUploadResult><UploadId>u7</UploadId></InitiateMultipartUploadResult>"
        answers = Answers(
            {
                "POST": [(200, {}, begun), refusing(400, "InvalidPart")],
                "PUT": [(200, {"ETag": '"p"'}, b"")],
                "DELETE": [(204, {}, b"")],
            }
        )
        speaking(answers)
        with pytest.raises(MtoolError, match="InvalidPart"):
            our.upload(big, f"s3://{BUCKET}/big")
        assert answers.asked[-1] == f"DELETE /{BUCKET}/big?uploadId=u7"

    @pytest.mark.parametrize(
        ("code", "words"),
        [
            ("KMS.NotFoundException", "there is no such KMS key in this account and region"),
            ("KMS.DisabledException", "its KMS key cannot be used"),
        ],
    )
    def test_a_key_that_does_not_do_is_said(
        self, speaking: Callable[[Answers], None], new_file: str, code: str, words: str
    ) -> None:
        speaking(Answers({"PUT": [refusing(400, code)]}))
        with pytest.raises(MtoolError, match=words) as raised:
            our.upload(new_file, URI, kms_key=KEY)
        assert "--kms-key" in str(raised.value)

"""A prefix that is written as a folder: whole when its mark is gone, and empty again after an error."""

import json
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from manifest_tools.base.errors import Exists, MtoolError, Refused
from manifest_tools.io import s3 as our
from manifest_tools.io.folder_sink import writing
from manifest_tools.io.s3_folder import UNFINISHED, S3Folder, is_unfinished, s3_folder
from manifest_tools.io.sinks import Published, publishing
from tests.scripted_s3 import Answers, a_server, refusing, speak

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "lab3-out"
OUT = f"s3://{BUCKET}/ds"
REPORT = f"{OUT}.json"
KEY = "arn:aws:kms:us-east-1:111122223333:key/0d4a1b2c-0000-4000-8000-000000000000"
FILES = {"LH/1.jpg": b"one", "RH/a b#%.jpg": b"two", "RH/2.jpg": b""}


@pytest.fixture
def bucket(s3: "S3Client") -> "S3Client":
    s3.create_bucket(Bucket=BUCKET)
    return s3


@pytest.fixture
def speaking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answers], None]]:
    with a_server() as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        yield speak


def there(client: "S3Client") -> dict[str, bytes]:
    listed = client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return {one["Key"]: client.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read() for one in listed}


def written(
    files: dict[str, bytes], *, force: bool = False, is_ours: bool = False, output: str = OUT
) -> list[Published]:
    with publishing(force=force) as publication:
        with s3_folder(output, publication, report=REPORT, is_ours=is_ours) as folder:
            for name, data in files.items():
                folder.write(name, data)
            folder.make_folder("none")
        publication.open(REPORT).write(json.dumps(sorted(files)).encode())
    return publication.published


def as_objects(files: dict[str, bytes]) -> dict[str, bytes]:
    report = {"ds.json": json.dumps(sorted(files)).encode()}
    return {f"ds/{name}": data for name, data in files.items()} | {"ds/none/": b""} | report


@pytest.mark.parametrize("output", [OUT, f"{OUT}/"])
def test_a_prefix_has_all_its_objects_and_no_mark(bucket: "S3Client", output: str) -> None:
    assert written(FILES, output=output) == [Published(output, "written"), Published(REPORT, "written")]
    assert there(bucket) == as_objects(FILES)


def test_until_all_is_there_a_mark_says_so(bucket: "S3Client") -> None:
    with publishing() as publication:
        with s3_folder(OUT, publication, report=REPORT, is_ours=False) as folder:
            assert list(there(bucket)) == [f"ds/{UNFINISHED}"]
            folder.write("1.jpg", b"one")
        publication.open(REPORT).write(b"{}")
        assert is_unfinished(OUT)
    assert not is_unfinished(OUT)


@pytest.mark.parametrize("failure", [ValueError("no"), KeyboardInterrupt()])
def test_an_error_leaves_nothing_and_nothing_else_is_touched(
    bucket: "S3Client", failure: BaseException
) -> None:
    bucket.put_object(Bucket=BUCKET, Key="ds2/1.jpg", Body=b"theirs")
    with (
        pytest.raises(type(failure)),
        publishing() as publication,
        s3_folder(OUT, publication, report=REPORT, is_ours=False) as folder,
    ):
        folder.write("1.jpg", b"one")
        raise failure
    assert there(bucket) == {"ds2/1.jpg": b"theirs"}


def test_what_a_killed_run_left_is_said_and_replaced_by_force(bucket: "S3Client") -> None:
    for key in (UNFINISHED, "LH/1.jpg", "old/0.jpg"):
        bucket.put_object(Bucket=BUCKET, Key=f"ds/{key}", Body=b"half")
    with pytest.raises(Refused, match=f"^{OUT}: a run that wrote there was stopped.* type --force"):
        written(FILES)
    assert there(bucket)["ds/old/0.jpg"] == b"half"
    written(FILES, force=True)
    assert there(bucket) == as_objects(FILES)


def test_other_objects_are_replaced_only_by_force_and_only_where_they_are_ours(bucket: "S3Client") -> None:
    written(FILES)
    other = {"LH/1.jpg": b"ONE", "new/3.jpg": b"three"}
    with pytest.raises(Exists, match=f"^{OUT}: exists already; type --force"):
        written(other, is_ours=True)
    with pytest.raises(Refused, match="not made by mtool"):
        written(other, force=True)
    assert there(bucket) == as_objects(FILES)
    written(other, force=True, is_ours=True)
    assert there(bucket) == as_objects(other)


def test_a_replacement_that_fails_keeps_its_mark(bucket: "S3Client") -> None:
    written(FILES)
    with (
        pytest.raises(ZeroDivisionError),
        publishing(force=True) as publication,
        s3_folder(OUT, publication, report=REPORT, is_ours=True) as folder,
    ):
        folder.write("new/3.jpg", b"three")
        raise ZeroDivisionError
    assert is_unfinished(OUT)
    assert as_objects(FILES).items() < there(bucket).items()


def test_a_report_without_its_folder_is_no_place_for_another(bucket: "S3Client") -> None:
    bucket.put_object(Bucket=BUCKET, Key="ds.json", Body=b"{}")
    with pytest.raises(Exists, match=r"ds\.json: exists already"):
        written(FILES)


def test_every_object_has_the_key_of_the_command(bucket: "S3Client") -> None:
    with (
        publishing(kms_key=KEY) as publication,
        s3_folder(OUT, publication, report=REPORT, is_ours=False) as folder,
    ):
        folder.write("1.jpg", b"one")
        folder.make_folder("none")
    keys = ("ds/1.jpg", "ds/none/")
    assert {bucket.head_object(Bucket=BUCKET, Key=key)["SSEKMSKeyId"] for key in keys} == {KEY}


@pytest.mark.parametrize("name", ["../a", "/a", "a//b", "a/..", "a\\b", ""])
def test_no_name_leaves_the_prefix(name: str) -> None:
    with pytest.raises(ValueError, match="expected a path inside the folder"):
        S3Folder(OUT).write(name, b"")
    with pytest.raises(ValueError, match="expected a path inside the folder"):
        S3Folder(OUT).make_folder(name)


@pytest.mark.parametrize("output", [f"s3://{BUCKET}", f"s3://{BUCKET}/", "s3:///a"])
def test_a_whole_bucket_is_no_folder(output: str) -> None:
    with (
        pytest.raises(Refused, match="expected a"),
        publishing() as publication,
        s3_folder(output, publication, report=REPORT, is_ours=False),
    ):
        pytest.fail("it was opened")


def test_a_link_is_refused() -> None:
    with pytest.raises(Refused, match="--link: an object in S3 cannot be a link"):
        S3Folder(OUT).link("1.jpg", "here.jpg")


def test_many_are_written_at_a_time_by_any_process(bucket: "S3Client") -> None:
    files = {f"{at}.jpg": b"%d" % at for at in range(100)}
    folder = pickle.loads(pickle.dumps(S3Folder(OUT)))
    with ThreadPoolExecutor(8) as threads, writing(folder, threads) as write:
        for name, data in files.items():
            write(name, data)
    assert there(bucket) == {f"ds/{name}": data for name, data in files.items()}


def test_one_of_many_that_fails_is_an_error(speaking: Callable[[Answers], None]) -> None:
    speaking(Answers({"PUT": [(200, {"ETag": '"e"'}, b""), refusing(403, "AccessDenied")]}))
    with (
        pytest.raises(our.Denied, match="ds/"),
        ThreadPoolExecutor(2) as threads,
        writing(S3Folder(OUT), threads) as write,
    ):
        for at in range(3):
            write(f"{at}.jpg", b"")


def test_what_may_not_be_removed_is_named(speaking: Callable[[Answers], None]) -> None:
    refused = b"<Error><Key>ds/1.jpg</Key><Code>AccessDenied</Code><Message>No.</Message></Error>"
    speaking(Answers({"POST": [(200, {}, b"<DeleteResult>" + refused + b"</DeleteResult>")]}))
    with pytest.raises(MtoolError, match=f"^s3://{BUCKET}/ds/1.jpg: access denied"):
        our.remove(BUCKET, ["ds/0.jpg", "ds/1.jpg"])


def test_thousands_are_removed_with_a_request_for_a_thousand(bucket: "S3Client") -> None:
    keys = [f"ds/{at:04}" for at in range(3)]
    for key in keys:
        bucket.put_object(Bucket=BUCKET, Key=key, Body=b"")
    assert our.remove(BUCKET, iter([*keys, *(f"none/{at}" for at in range(1000))])) == 1003
    assert there(bucket) == {}

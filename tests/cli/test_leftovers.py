"""``mtool jobs --leftovers``: what killed commands left is listed, with what removes it."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from manifest_tools.io.s3_folder import UNFINISHED

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

    Run = Callable[..., Result]


@pytest.fixture
def bucket(s3: "S3Client", in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> "S3Client":
    """A bucket, and a folder of temporary files, both empty."""
    monkeypatch.setattr(tempfile, "tempdir", str(in_folder))
    s3.create_bucket(Bucket="lab3")
    return s3


def left_behind(s3: "S3Client") -> tuple[str, Path]:
    """Leave an upload, a prefix that is not whole and a temporary file; return the upload and the file."""
    upload = s3.create_multipart_upload(Bucket="lab3", Key="out/a b.rec")["UploadId"]
    s3.upload_part(Bucket="lab3", Key="out/a b.rec", UploadId=upload, PartNumber=1, Body=bytes(1000))
    s3.put_object(Bucket="lab3", Key=f"out/{UNFINISHED}", Body=b"")
    program = "from manifest_tools.base.local_files import process_prefix; print(process_prefix())"
    gone = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    path = Path(f"{gone.stdout.strip()}abc").absolute()
    path.write_bytes(b"half")
    return upload, path


def test_each_is_listed_with_what_removes_it(bucket: "S3Client", run: "Run") -> None:
    upload, path = left_behind(bucket)
    result = run("jobs", "--leftovers", "s3://lab3/out")
    assert result.exit_code == 0
    head, row = result.stdout.splitlines()
    assert head.split() == ["upload", "age", "bytes"]
    assert row.startswith("s3://lab3/out/a b.rec")
    assert row.endswith("1,000")
    assert result.stderr.splitlines()[:4] == [
        "s3://lab3/out: not whole, a run that wrote there was stopped or is at work",
        f"temporary files of processes that are gone: rm {path}",
        "S3 charges for their parts; of those that no command is writing now, type",
        f"aws s3api abort-multipart-upload --bucket lab3 --key 'out/a b.rec' --upload-id {upload}",
    ]
    assert '"DaysAfterInitiation": 7' in result.stderr


def test_a_program_reads_a_line_for_each(bucket: "S3Client", run: "Run") -> None:
    upload, path = left_behind(bucket)
    rows = [
        json.loads(line) for line in run("jobs", "--leftovers", "s3://lab3/out", "--json").stdout.splitlines()
    ]
    assert rows[0].pop("begun")
    assert rows == [
        {"uri": "s3://lab3/out/a b.rec", "upload": upload, "bytes": 1000},
        {"not_whole": "s3://lab3/out"},
        {"file": str(path), "bytes": 4},
    ]


@pytest.mark.parametrize("place", ["s3://lab3", "s3://lab3/", "s3://lab3/out"])
def test_nothing_is_said_to_be_nothing(bucket: "S3Client", run: "Run", place: str) -> None:
    result = run("jobs", "--leftovers", place)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"{place}: nothing is unfinished\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--leftovers out", "expected s3://bucket or s3://bucket/prefix"),
        ("--leftovers s3://lab3 --idle", "leave the other options out"),
        ("stop birds --leftovers s3://lab3", "--leftovers goes with mtool jobs only"),
    ],
)
def test_what_means_nothing_is_refused(run: "Run", words: str, message: str) -> None:
    result = run("jobs", *words.split())
    assert result.exit_code == 2
    assert message in result.stderr

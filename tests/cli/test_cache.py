"""``--cache``: pictures from S3 are kept, and taken again while they are the same."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import manifest_tools
from tests.ground_truth import boxes, line, write
from tests.pictures import jpeg

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

    Run = Callable[..., Result]

WORDS = ("convert", "a.manifest", "--to", "recordio", "--side-car", "--cache", "kept")


@pytest.fixture
def in_s3(in_folder: Path, s3: "S3Client") -> "S3Client":
    """Three pictures in S3 and none here, named by a.manifest."""
    s3.create_bucket(Bucket="raw")
    for number in range(3):
        s3.put_object(Bucket="raw", Key=f"{number}.jpg", Body=jpeg(number))
    write(in_folder / "a.manifest", *(line(number, number % 2) for number in range(3)))
    return s3


def kept() -> list[Path]:
    return [path for path in Path("kept").rglob("*") if path.is_file()]


def test_pictures_are_kept_and_make_the_same_output(in_s3: "S3Client", run: "Run") -> None:
    result = run(*WORDS, "-o", "one")
    assert result.exit_code == 0
    assert result.stderr.startswith(
        "3 of 3 pictures of s3://raw are not on this disk; 3 are fetched from S3, and kept in 'kept'\n"
    )
    assert len(kept()) == 3
    assert run(*WORDS, "-o", "two").exit_code == 0
    assert Path("one.rec").read_bytes() == Path("two.rec").read_bytes()


def test_a_dry_run_keeps_nothing(in_s3: "S3Client", run: "Run") -> None:
    assert run(*WORDS, "--dry-run").exit_code == 0
    assert not Path("kept").exists()


def test_python_keeps_them_too(in_s3: "S3Client") -> None:
    done = manifest_tools.convert("a.manifest", "recordio", "one", cache=Path("kept"), side_car=True)
    assert (done.pictures, len(kept())) == (3, 3)


def test_where_nothing_is_fetched_it_is_refused(in_folder: Path, run: "Run") -> None:
    write(in_folder / "b.manifest", boxes(1, ("RH", 0.9)))
    result = run("convert", "b.manifest", "--to", "coco", "--cache", "kept", "--allow-loss")
    assert (result.exit_code, result.stderr) == (
        2,
        "mtool: --cache: coco opens no picture, so there is nothing to keep; leave it out\n",
    )
    result = run("convert", "--from", "coco", "a.json", "-o", "a.manifest", "--cache", "kept")
    assert result.stderr == "mtool: --cache goes with --to; leave it out, or type --to FORMAT\n"


def test_another_folder_is_not_taken(in_s3: "S3Client", run: "Run") -> None:
    Path("kept").mkdir()
    Path("kept/mine.txt").touch()
    result = run(*WORDS, "-o", "one")
    assert result.exit_code == 2
    assert "--cache kept: expected an empty folder, or a cache; found other files" in result.stderr

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from manifest_tools.formats import WRITTEN
from manifest_tools.io.recordio import read_records
from tests.pictures import jpeg, row, write_manifest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

Run = Callable[..., "Result"]


@pytest.fixture
def parts(in_folder: Path) -> str:
    """A manifest of 30 pictures in two classes, which lie in ./raw-data."""
    (in_folder / "raw-data").mkdir()
    for number in range(30):
        (in_folder / "raw-data" / f"{number}.jpg").write_bytes(jpeg(number))
    write_manifest(in_folder / "train.manifest", [row(f"{n}.jpg", n % 2) for n in range(30)])
    return "train.manifest"


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)


def made(folder: Path) -> list[str]:
    return sorted(
        name for name in os.listdir(folder) if name.startswith("train") and name != "train.manifest"
    )


def test_recordio_is_written_and_said(parts: str, in_folder: Path, run: Run) -> None:
    result = run("convert", parts, "--to", "recordio", "-o", "train", "--images", "s3://raw=./raw-data")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == (
        "30 pictures of 2 classes: train.rec (written), train.idx (written), train.lst (written),"
        " train.json (written)\n"
    )
    assert made(in_folder) == ["train.idx", "train.json", "train.lst", "train.rec"]


def test_the_same_again_is_unchanged(parts: str, run: Run) -> None:
    words = ("convert", parts, "--to", "recordio", "--images", "raw-data")
    run(*words)
    result = run(*words)
    assert result.exit_code == 0
    assert result.stderr.count("(unchanged)") == 4


def test_pictures_elsewhere_without_credentials_stop_the_run_with_one_line(
    parts: str, in_folder: Path, run: Run, no_credentials: None
) -> None:
    result = run("convert", parts, "--to", "recordio")
    assert result.exit_code == 2
    assert result.stderr == (
        "mtool: 30 of 30 pictures of s3://raw are not on this disk, and there are no AWS credentials:"
        " type `--images ./raw-data`\n"
    )
    assert made(in_folder) == []


def test_the_wrong_folder_is_said_before_any_work(parts: str, in_folder: Path, run: Run) -> None:
    (in_folder / "other").mkdir()
    result = run("convert", parts, "--to", "recordio", "--images", "other")
    assert result.exit_code == 2
    assert "30 of 30 pictures of s3://raw are not on this disk: nothing of that name is in" in result.stderr


def test_the_environment_may_say_where_pictures_lie(
    parts: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MTOOL_IMAGES", "raw-data")
    assert run("convert", parts, "--to", "recordio").exit_code == 0


def test_missing_pictures_are_named_counted_and_make_the_exit_code_1(parts: str, run: Run) -> None:
    for number in range(25):
        Path(f"raw-data/{number}.jpg").unlink()
    result = run("convert", parts, "--to", "recordio", "--images", "raw-data")
    lines = result.stderr.splitlines()
    assert result.exit_code == 1
    assert lines[0] == "25 of 30 pictures of s3://raw are not on this disk: nothing of that name is in " + (
        os.path.realpath("raw-data")
    )
    assert lines[1].startswith("train.manifest:1: MT401 expected ")
    assert lines[21] == "... 5 more; in all 25 MT401"
    assert lines[23] == "25 pictures could not be used, and are not in it"
    with open("train.rec", "rb") as stream:
        assert len(list(read_records(stream))) == 5


def test_where_nothing_can_be_used_the_problems_are_shown(parts: str, in_folder: Path, run: Run) -> None:
    for number in range(30):
        Path(f"raw-data/{number}.jpg").write_bytes(b"no picture")
    result = run("convert", parts, "--to", "recordio", "--images", "raw-data")
    assert result.exit_code == 1
    assert result.stderr.count("MT402") == 22
    assert "no picture could be used, and nothing was written" in result.stderr
    assert made(in_folder) == []


def test_a_hostile_name_cannot_steer_the_terminal(in_folder: Path, run: Run) -> None:
    (in_folder / "raw-data").mkdir()
    (in_folder / "raw-data/1.jpg").write_bytes(jpeg(1))
    write_manifest(in_folder / "m.manifest", [row("1.jpg", 0), row("x\x1b[31m/../y", 0)])
    result = run("convert", "m.manifest", "--to", "folder", "--images", "s3://raw=raw-data")
    assert result.exit_code == 1
    assert "MT405" in result.stderr
    assert "\x1b" not in result.stderr


def test_the_report_for_machines_is_json_on_standard_output(parts: str, run: Run) -> None:
    Path("raw-data/3.jpg").unlink()
    result = run("convert", parts, "--to", "folder", "-o", "parts", "--images", "raw-data", "--json", "-q")
    value: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == 1
    assert value["outputs"][0] == {"path": "parts", "state": "written"}
    assert (value["pictures"], value["num_classes"]) == (29, 2)
    assert [(problem["code"], problem["line"]) for problem in value["problems"]] == [("MT401", 4)]


def test_a_dry_run_writes_nothing(parts: str, in_folder: Path, run: Run) -> None:
    result = run("convert", parts, "--to", "recordio", "--images", "raw-data", "--dry-run")
    assert (result.exit_code, result.stderr) == (0, "30 pictures would become train (recordio)\n")
    assert made(in_folder) == []


def test_another_output_is_replaced_only_by_force(parts: str, run: Run) -> None:
    words = ("convert", parts, "--to", "recordio", "--images", "raw-data")
    run(*words)
    refused = run(*words, "--resize", "30")
    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert run(*words, "--resize", "30", "--force").exit_code == 0


def test_a_class_table_may_name_what_no_line_shows(parts: str, in_folder: Path, run: Run) -> None:
    (in_folder / "classes.json").write_text('{"0": "RH", "1": "LH", "2": "none"}')
    run("convert", parts, "--to", "recordio", "--images", "raw-data", "--classes", "classes.json")
    assert json.loads(Path("train.json").read_text())["classes"]["num_classes"] == 3


def test_pictures_are_fetched_from_s3(parts: str, run: Run, s3: "S3Client") -> None:
    s3.create_bucket(Bucket="raw")
    for number in range(29):
        s3.upload_file(f"raw-data/{number}.jpg", "raw", f"{number}.jpg")
    run("convert", parts, "--to", "recordio", "-o", "disk", "--images", "raw-data")
    result = run("convert", parts, "--to", "recordio", "-o", "s3")
    lines = result.stderr.splitlines()
    assert result.exit_code == 1
    assert lines[0] == "30 of 30 pictures of s3://raw are not on this disk; 30 are fetched from S3"
    assert lines[1].startswith("train.manifest:30: MT401 s3://raw/29.jpg: S3 has no such object")
    assert Path("disk.rec").read_bytes().startswith(Path("s3.rec").read_bytes())


def test_the_help_names_every_format(run: Run) -> None:
    help = run("convert", "--help").stdout
    assert all(name in help for name in WRITTEN)


def test_a_bucket_that_is_not_there_ends_the_run(
    parts: str, in_folder: Path, run: Run, s3: "S3Client"
) -> None:
    result = run("convert", parts, "--to", "recordio")
    assert result.exit_code == 3
    assert "S3 has no such bucket" in result.stderr
    assert made(in_folder) == []

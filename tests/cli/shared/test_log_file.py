"""What -v and --log-file write, and what they never write."""

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.cli.shared import screen

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

Run = Callable[..., "Result"]

LINE = '{"source-ref": "s3://b/1.jpg", "k": 0, "k-metadata": {"class-name": "RH", "confidence": 0.9}}\n'


@pytest.fixture
def manifest(in_folder: Path) -> str:
    Path("a.manifest").write_text(LINE)
    return "a.manifest"


def test_every_line_has_time_and_level(run: Run, manifest: str) -> None:
    run("filter", manifest, "-o", "out", "--log-file", "mtool.log")
    run("filter", "nowhere", "--log-file", "mtool.log")
    lines = Path("mtool.log").read_text().splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (DEBUG|INFO|WARNING|ERROR) ", one) for one in lines)
    assert any(one.endswith(" INFO out: written") for one in lines)
    assert lines[-1].endswith(" ERROR mtool: nowhere: expected a manifest, found no such file")


def test_the_details_go_to_the_log_alone_where_the_screen_is_quiet(run: Run, manifest: str) -> None:
    done = run("filter", manifest, "-o", "out", "-q", "-v", "--log-file", "mtool.log")
    assert (done.exit_code, done.stderr) == (0, "")
    assert " DEBUG " in Path("mtool.log").read_text()


def test_verbose_says_what_is_opened_and_written(run: Run, manifest: str) -> None:
    quiet = run("filter", manifest, "-o", "one").stderr.splitlines()
    loud = run("filter", manifest, "-o", "two", "-v").stderr.splitlines()
    more = [one for one in loud if one not in [line.replace("one", "two") for line in quiet]]
    assert any("a.manifest" in one for one in more)
    assert any("two" in one for one in more)


def test_quiet_and_verbose_exclude_each_other_without_a_log(run: Run, manifest: str) -> None:
    done = run("filter", manifest, "-q", "-v")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("mtool: -q and -v: type one of them, or --log-file FILE as well")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.manifest", "expected a log, found another file"),
        ("folder", "found a folder; type folder/"),
        ("-", "expected a file on this disk"),
        ("s3://b/log", "expected a file on this disk"),
    ],
)
def test_what_is_no_log_is_refused_and_stays(run: Run, manifest: str, name: str, message: str) -> None:
    Path("folder").mkdir()
    done = run("filter", manifest, "-o", "out", "--log-file", name)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert message in done.stderr
    assert Path("a.manifest").read_text() == LINE
    assert not Path("out").exists()


def test_a_log_in_a_folder_has_its_usual_name(run: Run, manifest: str) -> None:
    run("filter", manifest, "-o", "out", "--log-file", "new/logs/")
    assert Path("new/logs/mtool.log").is_file()


SECRETS = (
    "https://b.s3.amazonaws.com/1.jpg?X-Amz-Signature=abc&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2Fus",
    "AKIAIOSFODNN7EXAMPLE",
    "https://b.s3.amazonaws.com/1.jpg?AWSAccessKeyId=x&Signature=abc&Expires=1",
)


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_is_written(in_folder: Path, secret: str) -> None:
    with screen.listening():
        screen.set_up(True, True, "mtool.log")
        screen.note(f"before {secret} after")
        logging.getLogger("trainers.x").debug("%s", secret)
    log = Path("mtool.log").read_text()
    assert log.count("\n") == 3  # the last says how long it took
    assert not any(word in log for word in ("abc", "AKIA", "KeyId=x"))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_a_line_of_the_log_is_a_line_and_cannot_steer_a_terminal(text: str) -> None:
    with pytest.MonkeyPatch.context() as folder, screen.listening():
        import tempfile

        with tempfile.TemporaryDirectory() as name:
            folder.chdir(name)
            screen.set_up(True, False, "mtool.log")
            screen.note(text)
            lines = Path("mtool.log").read_bytes().decode().split("\n")
            assert lines.pop() == ""
            assert all(line.isprintable() for line in lines)
            assert len(lines) == len([one for one in text.split("\n") if one])
            folder.undo()


def test_nothing_listens_after_the_command(run: Run, manifest: str) -> None:
    run("filter", manifest, "-o", "out", "-v", "--log-file", "mtool.log")
    size = Path("mtool.log").stat().st_size
    logging.getLogger("manifest_tools").error("later")
    assert Path("mtool.log").stat().st_size == size
    assert logging.getLogger("manifest_tools").handlers == []


def test_requests_to_aws_are_told_without_who_asks(run: Run, in_folder: Path, s3: "S3Client") -> None:
    s3.create_bucket(Bucket="lab")
    s3.put_object(Bucket="lab", Key="a.manifest", Body=LINE.encode())
    done = run("filter", "s3://lab/a.manifest", "-o", "s3://lab/out", "-v")
    assert done.exit_code == 0
    told = [one for one in done.stderr.splitlines() if one.startswith("request ")]
    put = re.compile(r"request \d+ to AWS: s3 PutObject http://\S+/lab/out: 200 in \d+\.\d+ s")
    assert any(map(put.fullmatch, told)), told
    assert "testing" not in done.stderr  # the test's credentials

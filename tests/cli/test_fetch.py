import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ground_truth import line, write

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

Run = Callable[..., "Result"]


@pytest.fixture
def raw(s3: "S3Client", in_folder: Path) -> "S3Client":
    """Return a client of an S3 with three pictures, of which a.manifest names one twice and a fourth."""
    s3.create_bucket(Bucket="raw")
    for n in range(3):
        s3.put_object(Bucket="raw", Key=f"{n}.jpg", Body=bytes(1000))
    write(in_folder / "a.manifest", *(line(n) for n in (0, 1, 2, 2)))
    return s3


@pytest.mark.usefixtures("raw")
def test_it_says_what_came_and_what_to_type_next(run: Run) -> None:
    dry = run("fetch", "--dry-run")
    assert (dry.exit_code, dry.stdout) == (0, "")
    assert dry.stderr == ("a.manifest  pictures\nto fetch           3  3.0 kB\ndry run, nothing fetched\n")
    assert not Path("images").exists()
    done = run("fetch", "a.manifest", "-o", "my pictures")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == (
        "a.manifest  pictures\n"
        "fetched            3  3.0 kB\n"
        "to use them, type --images 'my pictures': for example, mtool train --images 'my pictures'\n"
    )
    again = run("fetch", "a.manifest", "-o", "my pictures")
    assert "\nfetched              0  0 bytes\nhere already         3\n" in again.stderr


def test_pictures_that_are_not_there_are_named_and_end_it_with_1(raw: "S3Client", run: Run) -> None:
    write(Path("b.manifest"), *(line(n) for n in range(10)))
    done = run("fetch", "b.manifest")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "\nnot there          7\n" in done.stderr
    assert "\nb.manifest:4: s3://raw/3.jpg: S3 has no such object; " in done.stderr
    assert done.stderr.endswith("... 2 more\n")
    quiet = run("fetch", "b.manifest", "-q")
    assert (quiet.exit_code, quiet.stderr.count("\n")) == (1, 6)


@pytest.mark.usefixtures("raw")
def test_the_report_for_machines_is_one_object(run: Run) -> None:
    write(Path("a.manifest"), line(1), line(7))
    done = run("fetch", "--json")
    found = json.loads(done.stdout)
    assert done.exit_code == 1
    assert found["images"] == ["images"]
    assert (found["objects"], found["fetched"], found["fetched_bytes"]) == (2, 1, 1000)
    assert found["faults"] == {"not there": 1}
    assert found["first_faults"][0]["manifest"] == "a.manifest"
    assert (found["first_faults"][0]["line"], found["first_faults"][0]["uri"]) == (2, "s3://raw/7.jpg")


def test_there_may_be_nothing_to_fetch(in_folder: Path, run: Run) -> None:
    write(in_folder / "a", b'{"source-ref": "1.jpg"}')
    done = run("fetch", "a")
    assert (done.exit_code, done.stderr) == (
        0,
        "a: every line has a path in place of an s3:// URI; there is nothing to fetch\n",
    )
    write(in_folder / "a", b'{"source": "text"}')
    assert run("fetch", "a").stderr == "a: no line has a source-ref; there is nothing to fetch\n"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["fetch"], 2, "mtool: expected a *.manifest in this folder, found none; type: mtool fetch FILE\n"),
        (
            ["fetch", "a", "-o", "s3://b/c"],
            2,
            "mtool: -o s3://b/c: expected a folder on this disk, found a URI; type -o FOLDER\n",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_typed_wrongly_is_refused(
    in_folder: Path, run: Run, words: list[str], code: int, message: str
) -> None:
    write(in_folder / "a", line(1))
    done = run(*words)
    assert (done.exit_code, done.stdout, done.stderr) == (code, "", message)


def test_a_name_that_would_steer_the_terminal_is_shown_harmless(raw: "S3Client", run: Run) -> None:
    write(Path("a\x1b[31m"), line("\x1b[31m"))
    done = run("fetch", "a\x1b[31m", "-o", "\x1b[31m")
    assert "\x1b" not in done.stderr

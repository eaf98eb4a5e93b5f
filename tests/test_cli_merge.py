import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from manifest_tools.cli.merge import OnConflict
from manifest_tools.merging.decide import POLICIES
from tests.ground_truth import FAILED, UNLABELLED, line, lines_of, write

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

Run = Callable[..., "Result"]


@pytest.fixture
def two(in_folder: Path) -> Path:
    """A folder with two manifests: picture 2 is in both and the same, picture 3 in both and not."""
    write(in_folder / "a", line(1, 0), line(2, 1), line(3, 0, 0.5), FAILED)
    write(in_folder / "b", line(2, 1), line(3, 1, 0.9), line(4, 0), UNLABELLED)
    return in_folder


def test_two_manifests_become_one_with_a_table_of_what_became_of_their_lines(two: Path, run: Run) -> None:
    done = run("merge", "a", "b", "--on-conflict", "highest-confidence", "-o", "all", "--rejects", "rest")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == (
        "manifest  lines  kept  same label  conflict  won\n"
        "a             4     3           0         1    0\n"
        "b             4     3           1         0    1\n"
        "all           8     6           1         1    1\n"
        "1 label differed, decided by --on-conflict highest-confidence\n"
        "all: written\n"
        "rest: written\n"
    )
    assert lines_of("all") == [
        row + b"\n" for row in (line(1, 0), line(2, 1), FAILED, line(3, 1, 0.9), line(4, 0), UNLABELLED)
    ]
    assert lines_of("rest") == [line(3, 0, 0.5) + b"\n", line(2, 1) + b"\n"]
    again = run("merge", "a", "b", "--on-conflict", "highest-confidence", "-o", "all", "--rejects", "rest")
    assert (again.exit_code, again.stderr.count(": unchanged\n")) == (0, 2)


def test_a_conflict_ends_with_one_line_and_nothing_written(two: Path, run: Run) -> None:
    done = run("merge", "a", "b", "-o", "all")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == (
        "mtool: a:3 and b:2: differing labels for the same source (1 in all); "
        "type --on-conflict first, last, newest, highest-confidence or vote\n"
    )
    assert sorted(path.name for path in two.iterdir()) == ["a", "b"]


def test_without_a_place_the_lines_go_to_standard_output_and_the_report_does_not(two: Path, run: Run) -> None:
    done = run("merge", "a", "b", "--on-conflict", "last", "--json")
    assert done.stdout.encode() == b"".join(
        row + b"\n" for row in (line(1, 0), line(2, 1), FAILED, line(3, 1, 0.9), line(4, 0), UNLABELLED)
    )
    said = json.loads(done.stderr)
    tables = said.pop("class_tables")
    assert said == {
        "kept": 6,
        "manifests": [
            {
                "manifest": "a",
                "lines": 4,
                "kept": 3,
                "left_out": {"conflict": 1},
                "won": 0,
                "adjusted": 0,
                "renamed": 0,
                "reindexed": 0,
                "overlaid": 0,
            },
            {
                "manifest": "b",
                "lines": 4,
                "kept": 3,
                "left_out": {"same label": 1},
                "won": 1,
                "adjusted": 0,
                "renamed": 0,
                "reindexed": 0,
                "overlaid": 0,
            },
        ],
        "on_conflict": "last",
        "conflicts": 1,
        "ties": 0,
        "remarks": [],
    }
    assert tables["kind"]["classes"] == {"0": "RH", "1": "LH"}


def test_a_dry_run_reports_the_same_and_writes_nothing(two: Path, run: Run) -> None:
    words = ("merge", "a", "b", "--on-conflict", "vote", "--label-attribute", "sort", "-o", "all")
    dry = run(*words, "--dry-run")
    assert sorted(path.name for path in two.iterdir()) == ["a", "b"]
    wet = run(*words)
    assert dry.stderr.replace("dry run, nothing written\n", "all: written\n") == wet.stderr
    assert "renamed" in wet.stderr
    assert (
        "1 label differed, decided by --on-conflict vote; 1 of them a tie, and the first taken" in wet.stderr
    )


def test_quiet_says_nothing(two: Path, run: Run) -> None:
    done = run("merge", "a", "b", "--on-conflict", "first", "-o", "all", "-q")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")


def test_a_manifest_may_come_from_standard_input_once(two: Path, run: Run) -> None:
    done = run("merge", "a", "-", "-q", input=line(9) + b"\n")
    assert done.stdout.encode() == (two / "a").read_bytes() + line(9) + b"\n"
    twice = run("merge", "-", "-", input=line(9))
    assert (twice.exit_code, twice.stderr) == (
        2,
        "mtool: standard input can be read only once; name - once\n",
    )


def test_manifests_and_the_result_may_be_objects(two: Path, run: Run, s3: "S3Client") -> None:
    s3.create_bucket(Bucket="data")
    s3.upload_file("b", "data", "b.manifest")
    words = ("merge", "a", "s3://data/b.manifest", "--on-conflict", "first")
    run(*words, "-o", "here")
    done = run(*words, "-o", "s3://data/all.manifest")
    assert done.exit_code == 0, done.stderr
    assert s3.get_object(Bucket="data", Key="all.manifest")["Body"].read() == (two / "here").read_bytes()
    assert "s3://data/all.manifest: unchanged" in run(*words, "-o", "s3://data/all.manifest").stderr


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["a", "b", "-o", "a"], 2, "a: would take the place of its own input"),
        (["a", "b", "-o", "x", "--rejects", "x"], 2, "x: would take the place of another output"),
        (["a", "missing"], 2, "missing: expected a manifest, found no such file"),
        (["a", "b", "--on-conflict", "best"], 2, "'best'"),
        (["a", "b", "--on-conflict", "last", "-o", "there"], 2, "there: there already, with other content"),
        (["a", "broken"], 1, "broken:2: not JSON"),
        ([], 2, "Missing argument"),
    ],
    ids=[
        "an input as the output",
        "one place for two outputs",
        "a manifest that is not there",
        "a policy that does not exist",
        "an output that is there",
        "a line that is no JSON",
        "no manifest",
    ],
)
def test_one_line_says_what_is_wrong_with(
    two: Path, run: Run, words: list[str], code: int, message: str
) -> None:
    (two / "there").write_bytes(b"mine\n")
    write(two / "broken", line(7), b"{")
    done = run("merge", *words)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (code, "", 1)
    assert message in done.stderr
    assert (two / "there").read_bytes() == b"mine\n"


def test_hostile_names_steer_no_terminal(in_folder: Path, run: Run) -> None:
    esc = "\x1b[31m"
    write(in_folder / "a", line(1, 0, class_name=f"RH{esc}"))
    write(in_folder / "b", line(2, 1, class_name=f"rh{esc}"))
    done = run("merge", "a", "b", "-o", "all")
    assert done.exit_code == 0
    assert "differ by upper and lower case only" in done.stderr
    assert "\x1b" not in done.stderr


def test_many_manifests_have_a_short_table(in_folder: Path, run: Run) -> None:
    for at in range(50):
        write(in_folder / f"{at}", line(at))
    done = run("merge", *range(50), "-o", "all")
    assert done.stderr.count("\n") == 44
    assert "(10 more manifests: see --json)" in done.stderr
    assert len(lines_of("all")) == 50


def test_the_policies_of_the_command_are_those_of_the_function() -> None:
    assert tuple(one.value for one in OnConflict) == POLICIES

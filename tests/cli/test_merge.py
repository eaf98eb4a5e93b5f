import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.ground_truth import FAILED, SINGLE, UNLABELLED, line, lines_of, write

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
        "1 conflict was decided by --on-conflict highest-confidence\n"
        "label attribute  kept  lost  lines\n"
        "kind             LH    RH        1\n"
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
        "mtool: a:3 'RH' and b:2 'LH': different labels for the same picture (1 picture in all); "
        "choose with --on-conflict first, last, newest, highest-confidence or vote\n"
    )
    assert sorted(path.name for path in two.iterdir()) == ["a", "b"]


def test_without_output_the_lines_go_to_standard_output_and_no_report(two: Path, run: Run) -> None:
    done = run("merge", "a", "b", "--on-conflict", "last", "--json")
    assert done.stdout.encode() == b"".join(
        row + b"\n" for row in (line(1, 0), line(2, 1), FAILED, line(3, 1, 0.9), line(4, 0), UNLABELLED)
    )
    found = json.loads(done.stderr)
    tables = found.pop("class_tables")
    assert found == {
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
                "carried": 0,
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
                "carried": 0,
            },
        ],
        "on_conflict": "last",
        "conflicts": 1,
        "decided_by_marks": 0,
        "ties": 0,
        "undated": 0,
        "decided": [{"label_attribute": "kind", "kept": "LH", "lost": "RH", "lines": 1}],
        "decided_more": 0,
        "differ": 0,
        "differing": [],
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
        "1 conflict was decided by --on-conflict vote; 1 of them a tie, decided for the first label"
        in wet.stderr
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
        "mtool: standard input can be read only once; type - only once\n",
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
        (["a", "b", "-o", "a"], 2, "a: would replace its own input"),
        (["a", "b", "-o", "x", "--rejects", "x"], 2, "x: would replace another output"),
        (["a", "missing"], 2, "missing: expected a manifest, found no such file"),
        (["a", "b", "--on-conflict", "best"], 2, "'best'"),
        (["a", "b", "--on-conflict", "last", "-o", "there"], 2, "there: exists already, with other content"),
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


def test_escapes_in_names_do_not_reach_the_terminal(in_folder: Path, run: Run) -> None:
    esc = "\x1b[31m"
    write(in_folder / "a", line(1, 0, class_name=f"RH{esc}"))
    write(in_folder / "b", line(2, 1, class_name=f"rh{esc}"))
    done = run("merge", "a", "b", "-o", "all")
    assert done.exit_code == 0
    assert "differ only in upper and lower case" in done.stderr
    assert "\x1b" not in done.stderr


def test_many_manifests_have_a_short_table(in_folder: Path, run: Run) -> None:
    for at in range(50):
        write(in_folder / f"{at}", line(at))
    done = run("merge", *range(50), "-o", "all")
    assert done.stderr.count("\n") == 44
    assert "(10 more manifests: see --json)" in done.stderr
    assert len(lines_of("all")) == 50


def test_extra_keys_are_added_and_reported_where_they_differ(in_folder: Path, run: Run) -> None:
    noted = [row.replace(b'"kind":', b'"note":"n%d","kind":' % n) for n, row in enumerate([line(1)] * 3)]
    write(in_folder / "a", line(1))
    for name, row in zip("bcd", noted, strict=True):
        write(in_folder / name, row)
    done = run("merge", "a", "b", "c", "d", "-o", "all")
    assert lines_of("all") == [line(1)[:-1] + b', "note":"n0"}\n']
    assert done.stderr == (
        "manifest  lines  kept  same label  keys added\n"
        "a             1     1           0           1\n"
        "b             1     0           1           0\n"
        "c             1     0           1           0\n"
        "d             1     0           1           0\n"
        "all           4     1           3           1\n"
        "2 lines left out have other values for the key note; the values of the line kept stay\n"
        "all: written\n"
    )
    found = json.loads(run("merge", "b", "c", "-o", "two", "--json").stdout)
    assert (found["differ"], found["differing"]) == (1, ["note"])


def test_many_and_long_keys_that_differ_are_shortened(in_folder: Path, run: Run) -> None:
    for name in "ab":
        keys = [f"key{n}" for n in range(12)] + ["\x1b[31m" + "x" * 1_000_000]
        found = {"source-ref": "s3://b/1.jpg"} | dict.fromkeys(reversed(keys), name)
        write(in_folder / name, json.dumps(found).encode())
    done = run("merge", "a", "b", "-o", "all")
    assert done.exit_code == 0
    assert "1 line left out has other values for the keys \\x1b[31mxxx" in done.stderr
    assert "key6, key5, ...; the values" in done.stderr
    assert len(done.stderr) < 600
    assert "\x1b" not in done.stderr


def test_missing_dates_are_reported_with_the_policy(in_folder: Path, run: Run) -> None:
    for name, label, date in (("a", 0, "soon"), ("b", 1, "2024-01-01")):
        write(in_folder / name, *(line(n, label, creation_date=date) for n in (1, 2)))
    done = run("merge", "a", "b", "--on-conflict", "newest", "-o", "all")
    assert (
        "2 conflicts were decided by --on-conflict newest; in 2 a line without a date counted as the oldest"
        in done.stderr
    )


def test_the_table_of_conflicts_is_short(in_folder: Path, run: Run) -> None:
    rows = [line(n, 0, class_name=f"c{n}").replace(b'"kind": 0', b'"kind": %d' % n) for n in range(25)]
    write(in_folder / "a", *rows)
    write(in_folder / "b", *(line(n, 0, class_name="c0") for n in range(25)))
    done = run("merge", "a", "b", "--on-conflict", "first", "-o", "all")
    assert "(and 4 more)\n" in done.stderr
    assert done.stderr.count(" c0 ") == 20


@pytest.mark.parametrize("name", ["", "x-metadata", "source", "source-ref", "a\x1bb", "a\nb"], ids=repr)
def test_no_label_attribute_can_be_called(two: Path, run: Run, name: str) -> None:
    done = run("merge", "a", "--label-attribute", name, "-o", "all")
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "mtool: no label attribute can be called " in done.stderr
    assert not (two / "all").exists()


@pytest.mark.parametrize("name", ["kind", "Lab-1", "left_or_right", "défaut", "kind 2", "x"])
def test_a_label_attribute_can_be_called(two: Path, run: Run, name: str) -> None:
    assert run("merge", "a", "--label-attribute", name, "-q", "-o", "all").exit_code == 0


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ({"kind": 1, "class": "b"}, ("--on-conflict", "error")),
        ({"kind": 1, "class": "b"}, ("--on-conflict", "newest")),
        ({"picture": 2, "kind": 0, "name": "other"}, ()),
        ({"kind": 0, "class": "b"}, ()),
        ({"picture": 2, "name": "kind-ref"}, ("--label-attribute", "k")),
    ],
    ids=[
        "labels that differ",
        "labels without dates",
        "names that differ",
        "one index for two classes",
        "a name that needs -ref",
    ],
)
def test_no_refusal_repeats_a_megabyte(
    in_folder: Path, run: Run, second: dict[str, Any], words: tuple[str, ...]
) -> None:
    long = "x" * 1_000_000

    def row(picture: int = 1, kind: int = 0, name: str = "kind", **other: str) -> bytes:
        name = name.replace("kind", f"{long}") if name != "other" else f"{long}y"
        metadata = {"type": SINGLE, "class-name": other.get("class", "a") + long}
        value = {"source-ref": f"s3://b/{picture}", name: kind, f"{name}-metadata": metadata}
        return json.dumps(value).encode()

    write(in_folder / "a", row(), *([row(**second)] if second == {"kind": 0, "class": "b"} else []))
    write(in_folder / "b", row(**second))
    done = run("merge", "a", "b", "-o", "all", *words)
    assert done.exit_code in (1, 2)
    assert (done.stderr.count("\n"), len(done.stderr) < 700) == (1, True), done.stderr[:900]


def test_marks_decide_conflicts_and_that_is_said(in_folder: Path, run: Run) -> None:
    write(in_folder / "a", line(1, 0), line(2, 0))
    write(in_folder / "b", line(1, 1), line(2, 1))
    mark = '{"source-ref":"s3://raw/1.jpg","label-attribute":"kind","mark":"wrong","was":"RH"}\n'
    (in_folder / "m").write_text(mark)
    done = run("merge", "a", "b", "--marks", "m", "--on-conflict", "first", "-o", "c")
    assert done.exit_code == 0
    assert "1 conflict decided by marks\n1 conflict was decided by --on-conflict first\n" in done.stderr
    assert lines_of("c") == [line(2, 0) + b"\n", line(1, 1) + b"\n"]

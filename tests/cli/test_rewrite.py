import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ground_truth import line, lines_of, write

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

Run = Callable[..., "Result"]

PAIR = ("workshop-train.manifest", "workshop-validation.manifest")


@pytest.fixture
def workshop(corpus: Path, in_folder: Path) -> Path:
    """A folder with the workshop's two manifests that hold the placeholder, one that does not, and others."""
    for name in (*PAIR, "workshop-output.manifest", "empty.manifest", "not-augmented-s3prefix.manifest"):
        (in_folder / name).write_bytes((corpus / name).read_bytes())
    return in_folder


def substituted(corpus: Path) -> list[bytes]:
    """Return the workshop's two manifests as they were before the placeholder went in."""
    return [(corpus / name.replace(".", "-lab1.")).read_bytes() for name in PAIR]


def test_every_manifest_that_holds_the_placeholder_is_rewritten_in_place(
    workshop: Path, corpus: Path, run: Run
) -> None:
    done = run("rewrite", "--lab", "lab1")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == (
        "workshop-train.manifest: 55 of 55 lines changed\n"
        "workshop-validation.manifest: 14 of 14 lines changed\n"
    )
    assert [Path(name).read_bytes() for name in PAIR] == substituted(corpus)
    again = run("rewrite", "--lab", "lab1")
    assert (again.exit_code, again.stderr) == (
        0,
        "nothing to do: no *.manifest in this folder contains lab#; to replace another lab's ID, type: "
        "mtool rewrite --from-lab OLD --lab lab1\n",
    )
    named = run("rewrite", "--lab", "lab1", PAIR[0])
    assert (named.exit_code, named.stderr) == (0, f"{PAIR[0]}: 0 of 55 lines changed\nnothing to do\n")
    assert len(list(workshop.iterdir())) == 5


def test_a_manifest_of_one_lab_becomes_one_of_another(workshop: Path, corpus: Path, run: Run) -> None:
    run("rewrite", "--lab", "lab1", "-q")
    done = run("rewrite", "--from-lab", "lab1", "--lab", "lab3")
    assert done.stderr.splitlines() == [
        "workshop-output.manifest: 69 of 69 lines changed",
        "workshop-train.manifest: 55 of 55 lines changed",
        "workshop-validation.manifest: 14 of 14 lines changed",
    ]
    assert [Path(name).read_bytes() for name in PAIR] == [
        d.replace(b"lab1", b"lab3") for d in substituted(corpus)
    ]
    assert run("rewrite", "--from-lab", "lab3", "--lab", "lab1", *PAIR).exit_code == 0
    assert [Path(name).read_bytes() for name in PAIR] == substituted(corpus)
    nothing = run("rewrite", "--from-lab", "lab9", "--lab", "lab1")
    assert nothing.stderr.startswith("nothing to do: no *.manifest in this folder contains lab9; ")


def test_a_folder_without_a_manifest_is_the_wrong_one(in_folder: Path, run: Run) -> None:
    wrong = run("rewrite", "--lab", "lab3")
    assert (wrong.exit_code, wrong.stderr) == (
        2,
        "mtool: expected a *.manifest in this folder, found none; type: mtool rewrite FILE\n",
    )


def test_an_output_is_named_even_where_no_line_changed(in_folder: Path, run: Run) -> None:
    write(in_folder / "a.manifest", line("1"), line("2"))
    command = ("rewrite", "a.manifest", "--lab", "lab3", "-o", "new/")
    assert run(*command).stderr == "a.manifest: 0 of 2 lines changed\nnew/a.manifest: written\n"
    assert run(*command).stderr == "a.manifest: 0 of 2 lines changed\nnew/a.manifest: unchanged\n"
    piped = run("rewrite", "a.manifest", "--lab", "lab3", "-o", "-")
    assert piped.stderr == "a.manifest: 0 of 2 lines changed\n"
    assert piped.stdout == (in_folder / "a.manifest").read_text()


def test_a_dry_run_shows_the_first_changes_and_writes_nothing(workshop: Path, run: Run) -> None:
    before = {path.name: path.read_bytes() for path in workshop.iterdir()}
    done = run("rewrite", "--lab", "lab1", "--dry-run")
    assert done.exit_code == 0
    old = lines_of(PAIR[0])[0].decode().strip()
    assert done.stdout.splitlines()[:3] == [f"{PAIR[0]}:1:", f"-{old}", f"+{old.replace('lab#', 'lab1')}"]
    assert done.stdout.count("\n") == 2 * 3 * 3
    assert done.stderr.splitlines()[0] == f"{PAIR[0]}: 55 of 55 lines would change"
    assert {path.name: path.read_bytes() for path in workshop.iterdir()} == before


def test_the_counts_as_json(workshop: Path, run: Run) -> None:
    done = run("rewrite", "--lab", "lab1", "--json")
    assert json.loads(done.stdout) == {
        "manifests": [
            {"manifest": PAIR[0], "lines": 55, "changed": 55},
            {"manifest": PAIR[1], "lines": 14, "changed": 14},
        ]
    }
    nothing = run("rewrite", "--lab", "lab1", "--json", "-q")
    assert (json.loads(nothing.stdout), nothing.stderr) == ({"manifests": []}, "")


def test_a_dry_run_as_json_has_the_first_changes(workshop: Path, run: Run) -> None:
    done = run("rewrite", "--lab", "lab1", PAIR[0], "--dry-run", "--json")
    (one,) = json.loads(done.stdout)["manifests"]
    assert (one["changed"], one["changes"][0]["line"]) == (55, 1)
    assert "lab#" in one["changes"][0]["before"]
    assert one["changes"][0]["after"] == one["changes"][0]["before"].replace("lab#", "lab1")


def test_from_standard_input_to_standard_output(in_folder: Path, run: Run) -> None:
    done = run("rewrite", "--lab", "lab3", "-", input=b'{"lab#": 1}\r\n{"a": 1.10}')
    assert done.stdout_bytes == b'{"lab3": 1}\r\n{"a": 1.10}'
    assert done.stderr == "standard input: 1 of 2 lines changed\n"
    report = run("rewrite", "--lab", "lab3", "-", "--json", input=b'{"lab#": 1}')
    assert report.stdout == '{"lab3": 1}'
    assert json.loads(report.stderr) == {
        "manifests": [{"manifest": "standard input", "lines": 1, "changed": 1}]
    }


def test_into_another_file_the_input_stays_and_a_file_that_is_there_is_not_replaced(
    in_folder: Path, run: Run
) -> None:
    write(in_folder / "a.manifest", b'{"lab#": 1}')
    assert run("rewrite", "--lab", "lab3", "a.manifest", "-o", "b.gz").exit_code == 0
    assert gzip.decompress(Path("b.gz").read_bytes()) == b'{"lab3": 1}\n'
    assert lines_of("a.manifest") == [b'{"lab#": 1}\n']
    done = run("rewrite", "--lab", "lab4", "a.manifest", "-o", "b.gz")
    message = (
        "mtool: b.gz: exists already, with other content; "
        "type --force to replace it, or -o for another place\n"
    )
    assert (done.exit_code, done.stderr) == (2, message)
    assert run("rewrite", "--lab", "lab4", "a.manifest", "-o", "b.gz", "--force").exit_code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            [],
            "expected a change to make, found none; type for example --lab lab3",
        ),
        (
            ["--lab", "Lab 3"],
            "expected a lab ID of lower-case letters, digits and inner hyphens, at most 40, ",
        ),
        (["--from-lab", "lab1"], "--from-lab has no effect without the new lab ID; type --lab ID"),
        (["--lab", "lab3", "--everywhere"], "--everywhere has no effect without --from-lab"),
        (["--lab", "lab3", "--placeholder", ""], "expected a text for --placeholder, found an empty one"),
        (["--move", "old=new"], "expected --move s3://old/prefix=s3://new/prefix, found old=new"),
        (
            ["--move", "old=s3://new"],
            "expected --move s3://old/prefix=s3://new/prefix, found old=s3://new;"
            " --prefix s3://new/prefix goes in front of relative paths",
        ),
        (["--prefix", "folder"], "expected --prefix s3://bucket/folder, found 'folder'"),
        (["--prefix", "s3://"], "expected --prefix s3://bucket/folder, found 's3://'"),
        (["--move", "s3://old"], "expected --move OLD=NEW, found 's3://old'"),
        (["--rename-attribute", "kind="], "expected --rename-attribute OLD=NEW, found 'kind='"),
        (["--rename-class", "=RH"], "expected --rename-class OLD=NEW, found '=RH'"),
        (["--rename-class", "RH=LH"], "a.manifest: the class 'LH' exists already; two would become one"),
        (["--lab", "lab3", "-o", "x", "a.manifest"], "-o takes one manifest, found 2"),
        (["--rename-class", "nosuch=x"], "a.manifest: no line has the class 'nosuch'; its classes: RH, LH\n"),
        (
            ["--rename-class", "RH=x", "--label-attribute", "nosuch"],
            "a.manifest: no line has the class 'RH' in nosuch; its classes: none\n",
        ),
        (
            ["--rename-attribute", "nosuch=x"],
            "a.manifest: no line has the attribute 'nosuch'; its attributes: kind, source-ref\n",
        ),
        *(
            (["--rename-attribute", f"kind={name}"], "no label attribute can be called ")
            for name in ("kind-metadata", "k-metadata", "source", "source-ref", "a\nb")
        ),
        (
            ["--rename-attribute", "source-ref=kind"],
            "a.manifest:1: the attribute kind is there already; type another name\n",
        ),
    ],
    ids=lambda value: " ".join(value) or "nothing" if isinstance(value, list) else "",
)
def test_what_makes_no_sense_is_refused_in_one_line(
    in_folder: Path, run: Run, words: list[str], message: str
) -> None:
    write(in_folder / "a.manifest", line(1, 0), line(2, 1))
    before = Path("a.manifest").read_bytes()
    done = run("rewrite", *words, "a.manifest")
    assert done.exit_code == 2
    assert done.stderr.startswith(f"mtool: {message}")
    assert done.stderr.count("\n") == 1
    assert [(path.name, path.read_bytes()) for path in in_folder.iterdir()] == [("a.manifest", before)]


@pytest.mark.parametrize("output", [["-o", "-"], []], ids=["told", "of itself"])
@pytest.mark.parametrize("edit", ["--rename-class", "--rename-attribute"])
def test_nothing_is_out_by_the_time_a_name_turns_out_to_be_nowhere(
    in_folder: Path, run: Run, output: list[str], edit: str
) -> None:
    done = run("rewrite", edit, "nosuch=x", "-", *output, input=line(1) + b"\n")
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("mtool: standard input: no line has the ")


def test_nothing_is_out_by_the_time_two_classes_would_become_one(in_folder: Path, run: Run) -> None:
    rows = [line(1, 0, pad=5_000_000), line(2, 1)]
    done = run("rewrite", "--rename-class", "RH=LH", "-", input=b"\n".join(rows))
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    right = run("rewrite", "--rename-class", "RH=right", "-", input=b"\n".join(rows))
    assert right.stdout_bytes == b"\n".join(rows).replace(b'"RH"', b'"right"')


def test_a_name_that_is_nowhere_is_no_matter_where_something_else_changes(in_folder: Path, run: Run) -> None:
    write(in_folder / "a.manifest", line(1))
    done = run("rewrite", "a.manifest", "--rename-class", "nosuch=x", "--rename-class", "RH=right")
    assert (done.exit_code, done.stderr) == (0, "a.manifest: 1 of 1 line changed\n")


def test_where_no_line_names_a_class_that_is_said(sample: Path, in_folder: Path, run: Run) -> None:
    custom = sample / "good" / "custom-type.manifest"
    done = run("rewrite", custom, "--rename-class", "RH=right", "-o", "out")
    message = f"mtool: {custom}: no line has the class 'RH'; its classes: none\n"
    assert (done.exit_code, done.stderr, list(in_folder.iterdir())) == (2, message, [])


def test_names_are_not_listed_by_the_megabyte(in_folder: Path, run: Run) -> None:
    write(in_folder / "a.manifest", line(1, class_name="x" * 10**6))
    done = run("rewrite", "a.manifest", "--rename-class", "nosuch=x")
    assert (done.exit_code, len(done.stderr) < 300) == (2, True)


def test_without_a_lab_id_the_manifests_must_be_named(in_folder: Path, run: Run) -> None:
    write(in_folder / "a.manifest", line(1))
    done = run("rewrite", "--rename-class", "RH=right")
    assert done.exit_code == 2
    assert done.stderr.startswith("mtool: expected the names of manifests, found none; ")


def test_names_of_every_kind_change_together(in_folder: Path, run: Run) -> None:
    write(in_folder / "a.manifest", line("x/1", 0, job_name="labeling-job/j"), line("y/2", 1))
    done = run(
        *["rewrite", "a.manifest", "--move", "s3://raw/x=s3://new-raw/z", "--rename-class", "RH=right-hand"],
        *["--rename-attribute", "kind=hand"],
    )
    assert (done.exit_code, done.stderr) == (0, "a.manifest: 2 of 2 lines changed\n")
    first, second = map(json.loads, lines_of("a.manifest"))
    assert list(first) == ["source-ref", "hand", "hand-metadata"]
    assert first["source-ref"] == "s3://new-raw/z/1.jpg"
    assert first["hand-metadata"]["class-name"] == "right-hand"
    assert second["source-ref"] == "s3://raw/y/2.jpg"


def test_a_bucket_that_no_line_has_is_refused_unless_it_has_moved_already(in_folder: Path, run: Run) -> None:
    write(in_folder / "a.manifest", line("x/1"), line("y/2"))
    wrong = run("rewrite", "a.manifest", "--move", "s3://row/x=s3://new/x")
    assert (wrong.exit_code, wrong.stderr) == (
        2,
        "mtool: a.manifest: no line has a URI that begins with s3://row/x; its buckets: s3://raw\n",
    )
    move = ("rewrite", "a.manifest", "--move", "s3://raw/x=s3://new/x")
    assert run(*move).exit_code == 0
    again = run(*move)
    assert (again.exit_code, again.stderr) == (0, "a.manifest: 0 of 2 lines changed\nnothing to do\n")


def test_another_placeholder_may_be_typed(in_folder: Path, run: Run) -> None:
    write(in_folder / "a.manifest", b'{"a": "s3://<LAB>-raw/x"}')
    assert run("rewrite", "--lab", "lab3", "--placeholder", "<LAB>").exit_code == 0
    assert lines_of("a.manifest") == [b'{"a": "s3://lab3-raw/x"}\n']


def test_after_a_failure_nothing_has_changed_and_nothing_is_left_over(in_folder: Path, run: Run) -> None:
    write(in_folder / "a.manifest", line(1))
    write(in_folder / "b.manifest", line(1), b'{"kind-metadata": {"class-name": "RH"}')
    before = {path.name: path.read_bytes() for path in in_folder.iterdir()}
    done = run("rewrite", "--rename-class", "RH=right", "a.manifest", "b.manifest")
    assert done.exit_code == 1
    assert done.stderr.startswith("mtool: b.manifest:2: not JSON: ")
    assert {path.name: path.read_bytes() for path in in_folder.iterdir()} == before


def test_mode_and_link_survive(in_folder: Path, run: Run) -> None:
    write(in_folder / "real", b'{"lab#": 1}')
    os.chmod("real", 0o600)
    Path("a.manifest").symlink_to("real")
    assert run("rewrite", "--lab", "lab3").exit_code == 0
    assert Path("a.manifest").is_symlink()
    assert (Path("real").read_bytes(), os.stat("real").st_mode & 0o777) == (b'{"lab3": 1}\n', 0o600)


def test_a_manifest_in_s3_is_rewritten_in_place_or_elsewhere(
    in_folder: Path, s3: "S3Client", run: Run
) -> None:
    s3.create_bucket(Bucket="lab3-data")
    s3.put_object(Bucket="lab3-data", Key="a.manifest", Body=b'{"lab#": 1}\n')
    assert run("rewrite", "--lab", "lab3", "s3://lab3-data/a.manifest", "-o", "here").exit_code == 0
    assert lines_of("here") == [b'{"lab3": 1}\n']
    done = run("rewrite", "--lab", "lab3", "s3://lab3-data/a.manifest")
    assert (done.exit_code, done.stderr) == (0, "s3://lab3-data/a.manifest: 1 of 1 line changed\n")
    assert s3.get_object(Bucket="lab3-data", Key="a.manifest")["Body"].read() == b'{"lab3": 1}\n'


def test_a_line_that_would_steer_the_terminal_is_shown_harmless(in_folder: Path, run: Run) -> None:
    write(in_folder / "a.manifest", b'{"lab#": "\x1b[31m\xff"}')
    done = run("rewrite", "--lab", "lab3", "--dry-run")
    assert '+{"lab3": "\\x1b[31m' in done.stdout
    assert "\x1b" not in done.stdout


MARKS = (
    b'{"source-ref":"s3://raw/1.jpg","label-attribute":"kind","mark":"class","class":"LH","was":"RH"}\n'
    b'{"source-ref":"s3://raw/2.jpg","label-attribute":"kind","mark":"unsure","was":"LH"}\n'
    b'{"source-ref":"s3://raw/9.jpg","label-attribute":"kind","mark":"wrong","was":"LH"}\n'
)


def test_marks_correct_lines_and_what_they_do_not_change_is_said(in_folder: Path, run: Run) -> None:
    write(in_folder / "a.manifest", line(1), line(2, 1))
    (in_folder / "a.marks.jsonl").write_bytes(MARKS)
    done = run("rewrite", "a.manifest", "--from-marks", "a.marks.jsonl")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == (
        "a.manifest: 1 of 2 lines changed\n"
        "  1 marked line not changed: mark without a class\n"
        "a.marks.jsonl: 1 mark of no line here\n"
        "1 corrected label has confidence 0 now, which says nothing;"
        " filter --zero-confidence keep keeps such labels\n"
    )
    assert json.loads(lines_of("a.manifest")[0])["kind-metadata"]["class-name"] == "LH"
    again = run("rewrite", "a.manifest", "--from-marks", "a.marks.jsonl", "--json")
    assert json.loads(again.stdout)["manifests"] == [
        {
            "manifest": "a.manifest",
            "lines": 2,
            "changed": 0,
            "marked_unchanged": {"has the class already": 1, "mark without a class": 1},
            "marks_of_no_line": 1,
        }
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--add-class"], "--add-class has no effect without --from-marks"),
        (["--label-attribute", "kind"], "no effect without --rename-class or --from-marks"),
        (["--from-marks", "m", "--lab", "lab3"], "--from-marks changes labels alone"),
        (["--from-marks", "nowhere"], "nowhere: expected a file of marks, found: no such file"),
    ],
)
def test_words_that_go_with_marks_are_refused_without_them(
    in_folder: Path, run: Run, words: list[str], message: str
) -> None:
    write(in_folder / "a.manifest", line(1))
    done = run("rewrite", "a.manifest", *words)
    assert (done.exit_code, message in done.stderr) == (2, True)

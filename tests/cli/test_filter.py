import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ground_truth import FAILED, boxes, line, lines_of, multi, write

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result


Run = Callable[..., "Result"]


def test_the_sure_lines_of_the_workshop_go_to_a_file_and_the_others_to_another(
    workshop: Path, run: Run
) -> None:
    done = run("filter", "output.manifest", "--min-confidence", 0.8, "-o", "sure", "--rejects", "rest")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == (
        "output.manifest   lines\n"
        "kept                 53\n"
        "below confidence     16\n"
        "sure: written\n"
        "rest: written\n"
    )
    assert sorted(lines_of("sure", "rest")) == sorted(lines_of("output.manifest"))
    assert (len(lines_of("sure")), len(lines_of("rest"))) == (53, 16)
    again = run("filter", "output.manifest", "--min-confidence", 0.8, "-o", "sure", "--rejects", "rest")
    assert (again.exit_code, again.stderr.count(": unchanged\n")) == (0, 2)


def test_without_an_output_the_lines_go_to_standard_output_and_the_talk_does_not(
    workshop: Path, run: Run
) -> None:
    done = run("filter", "output.manifest", "--class", "RH")
    rows = [row for row in lines_of("output.manifest") if b'"class-name":"RH"' in row]
    assert done.stdout_bytes == b"".join(rows)
    assert done.stderr == "output.manifest  lines\nkept                38\nother class         31\n"
    assert run("filter", "output.manifest", "--class", "RH", "-q").stderr == ""


def test_what_was_held_back_comes_out_in_its_order(in_folder: Path, run: Run) -> None:
    rows = [*(boxes(n, pad="x" * 2_000_000) for n in range(3)), boxes(3, ("RH", 0.9)), boxes(4)]
    write(in_folder / "a", *rows)
    assert run("filter", "a", "--min-confidence", 0.5).stdout_bytes == b"\n".join(rows) + b"\n"
    unconfirmed = run("filter", "-", "--min-confidence", 0.5, input=boxes(1) + b"\n")
    assert (unconfirmed.exit_code, unconfirmed.stdout_bytes) == (0, boxes(1) + b"\n")


def test_what_is_doubtful_goes_to_be_labelled_again_and_the_rest_to_the_training(
    workshop: Path, run: Run
) -> None:
    done = run("filter", "output.manifest", "--max-confidence", 0.8, "-o", "again", "--rejects", "rest")
    assert done.stderr == (
        "output.manifest   lines\n"
        "kept                 16\n"
        "above confidence     53\n"
        "again: written\n"
        "rest: written\n"
    )
    assert sorted(lines_of("again", "rest")) == sorted(lines_of("output.manifest"))


def test_a_balance_says_how_many_of_each_class_and_by_which_seed(workshop: Path, run: Run) -> None:
    done = run("filter", "output.manifest", "--balance", "--seed", 7, "-o", "even", "--rejects", "rest")
    assert done.stderr == (
        "output.manifest      lines\n"
        "kept                    62\n"
        "enough of its class      7\n"
        "31 lines of each class at most, seed 7\n"
        "even: written\n"
        "rest: written\n"
    )
    assert sorted(lines_of("even", "rest")) == sorted(lines_of("output.manifest"))


def test_a_dry_run_counts_and_writes_nothing(workshop: Path, run: Run) -> None:
    done = run("filter", "output.manifest", "--min-confidence", 0.8, "--dry-run", "-o", "x", "--rejects", "y")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.endswith("below confidence     16\ndry run, nothing written\n")
    assert [path.name for path in workshop.iterdir()] == ["output.manifest"]


def test_the_counts_as_json_leave_standard_output_to_the_lines(workshop: Path, run: Run) -> None:
    done = run("filter", "output.manifest", "--min-confidence", 0.8, "--json")
    assert json.loads(done.stderr) == {"kept": 53, "trimmed": 0, "dropped": {"below confidence": 16}}
    assert done.stdout.count("\n") == 53


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["--sample", 10], 10),
        (["--sample", 10, "--class", "LH"], 10),
        (["--sample", 100], 69),
        (["--class", "RH", "--class", "LH"], 69),
        (["--max-confidence", 0.8], 16),
        (["--exclude-class", "LH"], 38),
        (["--balance"], 62),
        (["--per-class", 5], 10),
        (["--human-annotated", "yes"], 69),
        (["--human-annotated", "no"], 0),
        (["--job", "lab1-labeling-job"], 69),
        (["--job", "lab10-labeling-job"], 0),
        (["--before", "2019-05-04"], 0),
        (["--after", "2019-05-04"], 69),
        (["--after", "2019-05-04T21:00:00", "--before", "2019-05-05"], 23),
        (["--labelled"], 69),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_every_condition_can_be_typed(workshop: Path, run: Run, words: list[object], kept: int) -> None:
    done = run("filter", "output.manifest", *words)
    left = iter(lines_of("output.manifest"))
    assert done.stdout.count("\n") == kept
    assert all(row in left for row in done.stdout_bytes.splitlines(keepends=True))


def test_failed_lines_are_counted_as_what_they_are(corpus: Path, in_folder: Path, run: Run) -> None:
    done = run("filter", corpus / "failed-rows.jsonl", "--labelled", "--rejects", "rest")
    assert done.stdout.count("\n") == 1
    assert "\nfailed" in done.stderr
    assert len(lines_of("rest")) == 2


def test_trimmed_lines_are_counted_among_those_that_are_kept(in_folder: Path, run: Run) -> None:
    write(in_folder / "a", multi(1, RH=0.9, LH=0.1), multi(2, RH=0.9), multi(3, LH=0.2))
    done = run("filter", "a", "--min-confidence", 0.8, "--multilabel", "trim", "-o", "out")
    assert done.stderr == (
        "a                 lines\nkept                  2\nof them trimmed       1\n"
        "below confidence      1\nout: written\n"
    )
    assert lines_of("out") == [multi(1, RH=0.9) + b"\n", multi(2, RH=0.9) + b"\n"]


@pytest.mark.parametrize("option", ["--multilabel", "--boxes"])
@pytest.mark.parametrize(
    ("words", "left", "trimmed"),
    [
        (["trim", "--class", "RH"], [("RH", 0.9), ("RH", 0.2)], 1),
        (["trim", "--min-confidence", 0.5], [("RH", 0.9), ("LH", 0.8)], 1),
        (["trim", "--class", "RH", "--min-confidence", 0.5], [("RH", 0.9)], 1),
        (["any", "--min-confidence", 0.5], [("RH", 0.9), ("LH", 0.8), ("RH", 0.2)], 0),
        (["all", "--min-confidence", 0.1], [("RH", 0.9), ("LH", 0.8), ("RH", 0.2)], 0),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_boxes_are_taken_off_their_lines(
    in_folder: Path, run: Run, option: str, words: list[object], left: list[tuple[str, float]], trimmed: int
) -> None:
    write(in_folder / "a", boxes(1, ("RH", 0.9), ("LH", 0.8), ("RH", 0.2)))
    done = run("filter", "a", option, *words, "--json")
    assert done.stdout_bytes.splitlines() == [boxes(1, *left)]
    assert json.loads(done.stderr) == {"kept": 1, "trimmed": trimmed, "dropped": {}}


def test_real_boxes_are_trimmed_and_every_other_byte_stays(corpus: Path, in_folder: Path, run: Run) -> None:
    path = corpus / "boxes-yolov5-sample.manifest"
    done = run("filter", path, "--min-confidence", 0.9, "--boxes", "trim", "-o", "out", "--rejects", "rest")
    before = [json.loads(row) for row in lines_of(path)]
    sure = [[one["confidence"] >= 0.9 for one in row["category-metadata"]["objects"]] for row in before]
    counts = [int(row.split()[-1]) for row in done.stderr.splitlines()[1:4]]
    stay = [one for one in sure if any(one) or not one]
    assert counts == [len(stay), sum(not all(one) for one in stay), len(sure) - len(stay)]
    after = [json.loads(row) for row in lines_of("out")]
    assert [len(row["category"]["annotations"]) for row in after] == [sum(one) for one in stay]
    for row in after:
        assert all(one["confidence"] >= 0.9 for one in row["category-metadata"]["objects"])
        assert len(row["category-metadata"]["objects"]) == len(row["category"]["annotations"])
        assert {str(box["class_id"]) for box in row["category"]["annotations"]} == set(
            row["category-metadata"]["class-map"]
        )
    whole = {row for row, one in zip(lines_of(path), sure, strict=True) if all(one)}
    assert whole <= set(lines_of("out"))
    rest = {row for row, one in zip(lines_of(path), sure, strict=True) if one and not any(one)}
    assert set(lines_of("rest")) == rest


def test_lines_from_standard_input_go_to_standard_output(in_folder: Path, run: Run) -> None:
    data = line(1) + b"\r\n\n" + line(2, confidence=0.1) + b"\n" + FAILED + b"\n" + line(3)
    done = run("filter", "-", "--min-confidence", 0.8, input=data)
    assert done.stdout_bytes == line(1) + b"\r\n" + line(3)
    sampled = run("filter", "-", "--sample", 2, input=data)
    assert sampled.stdout_bytes.count(b"source-ref") == 2


def test_a_file_name_that_would_steer_the_terminal_is_shown_harmless(in_folder: Path, run: Run) -> None:
    write(in_folder / "a\x1b[31m", line(1))
    assert "\x1b" not in run("filter", "a\x1b[31m").stderr


def test_manifests_in_s3_and_compressed_are_read_and_written(
    in_folder: Path, s3: "S3Client", run: Run
) -> None:
    s3.create_bucket(Bucket="lab3-data")
    rows = line(1) + b"\n" + line(2, confidence=0.1) + b"\n"
    s3.put_object(Bucket="lab3-data", Key="in.manifest.gz", Body=gzip.compress(rows))
    words = [
        "filter",
        "s3://lab3-data/in.manifest.gz",
        "--min-confidence",
        0.8,
        "-o",
        "s3://lab3-data/out.gz",
    ]
    done = run(*words)
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (0, "s3://lab3-data/out.gz: written")
    found = s3.get_object(Bucket="lab3-data", Key="out.gz")["Body"].read()
    assert gzip.decompress(found) == line(1) + b"\n"
    assert run(*words).stderr.splitlines()[-1] == "s3://lab3-data/out.gz: unchanged"
    assert run("filter", "s3://lab3-data/in.manifest.gz", "-o", "s3://lab3-data/out.gz").exit_code == 2


def test_a_sample_names_its_seed(in_folder: Path, run: Run) -> None:
    write(in_folder / "a", line(1), line(2))
    assert "seed 0\n" in run("filter", "a", "--sample", 1).stderr


def test_marked_lines_are_kept_and_marks_of_no_line_are_said(in_folder: Path, run: Run) -> None:
    write(in_folder / "a.manifest", line(1), line(2, 1), line(3))
    mark = '{"source-ref":"s3://raw/%s.jpg","label-attribute":"kind","mark":"wrong","was":"RH"}\n'
    (in_folder / "m").write_text("".join(mark % picture for picture in (1, 2, 9)))
    done = run("filter", "a.manifest", "--marked", "m", "-o", "b.manifest")
    assert (done.exit_code, done.stderr) == (
        0,
        "a.manifest                       lines\n"
        "kept                                 1\n"
        "label is another since the mark      1\n"
        "not marked                           1\n"
        "note: 1 mark of no line here\n"
        "b.manifest: written\n",
    )
    done = run("filter", "a.manifest", "--unmarked", "m", "--mark", "wrong", "-o", "c.manifest")
    assert "note: 1 line with another label than when marked, so as good as unmarked\n" in done.stderr
    assert lines_of("c.manifest") == [line(2, 1) + b"\n", line(3) + b"\n"]

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ground_truth import FAILED, boxes, line, lines_of, mask, multi, write

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

Run = Callable[..., "Result"]


@pytest.fixture
def workshop(corpus: Path, in_folder: Path) -> Path:
    """A folder with the workshop's output.manifest."""
    (in_folder / "output.manifest").write_bytes((corpus / "workshop-output.manifest").read_bytes())
    return in_folder


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


def test_an_output_with_other_content_is_refused(workshop: Path, run: Run) -> None:
    Path("sure").write_text("mine\n")
    done = run("filter", "output.manifest", "-o", "sure")
    message = (
        "mtool: sure: exists already, with other content; "
        "type --force to replace it, or -o for another place\n"
    )
    assert (done.exit_code, done.stderr, Path("sure").read_text()) == (2, message, "mine\n")
    assert run("filter", "output.manifest", "-o", "sure", "--force").exit_code == 0
    assert Path("sure").read_bytes() == Path("output.manifest").read_bytes()


def test_confidences_that_say_nothing_stop_the_run_with_what_to_type(
    sample: Path, in_folder: Path, run: Run
) -> None:
    zeros = sample / "good" / "one-worker-zero-confidence.manifest"
    done = run("filter", zeros, "--min-confidence", 0.8, "-o", "out")
    assert done.exit_code == 2
    assert done.stderr == (
        f"mtool: {zeros}: every confidence is 0 or missing; a job with one worker for each picture writes 0, "
        "so it says nothing about the labels; type --zero-confidence keep, or --zero-confidence drop\n"
    )
    assert not list(in_folder.iterdir())
    kept = run("filter", zeros, "--min-confidence", 0.8, "--zero-confidence", "keep")
    assert (kept.exit_code, kept.stdout_bytes) == (0, zeros.read_bytes())


def test_one_low_confidence_on_all_boxes_stops_the_run_and_what_is_kept_is_told(
    in_folder: Path, run: Run
) -> None:
    write(in_folder / "a", boxes(1, ("RH", 0.09)), boxes(2, ("RH", 0.09)), boxes(3))
    done = run("filter", "a", "--min-confidence", 0.5)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == (
        "mtool: a: every confidence is 0.09; a job with one worker for each picture writes the same one for "
        "every box, so it says nothing about the labels; type --zero-confidence keep, "
        "or --zero-confidence drop\n"
    )
    dropped = run("filter", "a", "--min-confidence", 0.5, "--zero-confidence", "drop", "-o", "out")
    assert dropped.stderr == (
        "a                    lines\n"
        "kept                     1\n"
        "of them with no box      1\n"
        "below confidence         2\n"
        "note: every confidence is 0.09, so it says nothing about the labels: a job with one worker for each "
        "picture writes the same one for all\n"
        "note: the only line kept has no box; --empty drop drops such lines\n"
        "out: written\n"
    )
    kept = run("filter", "a", "--min-confidence", 0.5, "--zero-confidence", "keep", "--json")
    assert json.loads(kept.stderr) == {
        "kept": 3,
        "trimmed": 0,
        "dropped": {},
        "kept_without_confidence": {"no box": 1},
        "constant_confidence": 0.09,
    }


def test_a_labeling_job_that_is_not_there_stops_the_run_with_those_that_are(workshop: Path, run: Run) -> None:
    done = run("filter", "output.manifest", "--job", "lab1-labeling-job", "--job", "lab10")
    message = (
        "mtool: output.manifest: no line has the labeling job 'lab10'; its labeling jobs: lab1-labeling-job\n"
    )
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", message)


def test_where_no_line_is_kept_it_is_said_why(in_folder: Path, run: Run) -> None:
    write(in_folder / "a", line(1, confidence=0.3), line(2, confidence=0.2), FAILED)
    why = "no line is kept: 2 below confidence, 1 failed"
    words = ["filter", "a", "--min-confidence", 0.8, "-o", "out"]
    failed = run(*words, "--fail-empty")
    assert (failed.exit_code, failed.stderr, Path("out").exists()) == (1, f"mtool: a: {why}\n", False)
    done = run(*words)
    assert (done.exit_code, lines_of("out")) == (0, [])
    assert f"\nnote: {why}\n" in done.stderr
    assert run("filter", "a", "--min-confidence", 0.3, "--fail-empty").exit_code == 0


HARD = [*(boxes(n) for n in range(3)), boxes(3, ("RH", 0.0))]


@pytest.mark.parametrize("pad", [0, 3_000_000], ids=["in memory", "on the disk"])
@pytest.mark.parametrize(
    ("words", "rows"),
    [
        pytest.param(["--min-confidence", 0.5], HARD, id="confidences that are all 0"),
        pytest.param(
            ["--class", "RH", "--class", "rh"], [line(n, n % 2) for n in range(9)], id="a class that is none"
        ),
    ],
)
def test_nothing_is_out_by_the_time_the_end_refuses(
    in_folder: Path, run: Run, words: list[object], rows: list[bytes], pad: int
) -> None:
    write(in_folder / "a", *(row[:-1] + b', "pad": "%s"}' % (b"x" * pad) for row in rows))
    for rejects in ([], ["--rejects", "rest"]):
        done = run("filter", "a", *words, *rejects)
        assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert [path.name for path in in_folder.iterdir()] == ["a"]


def test_what_was_held_back_comes_out_in_its_order(in_folder: Path, run: Run) -> None:
    rows = [*(boxes(n, pad="x" * 2_000_000) for n in range(3)), boxes(3, ("RH", 0.9)), boxes(4)]
    write(in_folder / "a", *rows)
    assert run("filter", "a", "--min-confidence", 0.5).stdout_bytes == b"\n".join(rows) + b"\n"
    unconfirmed = run("filter", "-", "--min-confidence", 0.5, input=boxes(1) + b"\n")
    assert (unconfirmed.exit_code, unconfirmed.stdout_bytes) == (0, boxes(1) + b"\n")


@pytest.mark.parametrize("told", [[], ["--label-attribute", "y" * 10**5]], ids=["none told", "a long one"])
@pytest.mark.parametrize("number", [0, 1, 2], ids=["no label", "one", "two"])
def test_label_attributes_in_a_refusal_are_clipped(
    in_folder: Path, run: Run, told: list[str], number: int
) -> None:
    names = ["a" * 10**5, "b" * 10**5][:number]
    metadata = {"type": "t" * 10**5}
    value = {"k" * 10**5: 1} | dict.fromkeys(names, 1) | {f"{name}-metadata": metadata for name in names}
    write(in_folder / "a", json.dumps(value).encode())
    assert len(run("filter", "a", "--labelled", *told).stderr) < 600


@pytest.mark.parametrize(
    "words",
    [["--class", "nosuch"], ["--class", "y" * 10**5], ["--min-confidence", 0.5, "--label-attribute", "c"]],
    ids=["a class", "a long class", "a type"],
)
def test_names_in_a_refusal_are_clipped(in_folder: Path, run: Run, words: list[object]) -> None:
    custom = b'"c": {"x": 1}, "c-metadata": {"type": "%s"}' % (b"t" * 10**5)
    row = line(1, class_name="x" * 10**5)[:-1] + b", " + custom + b"}"
    write(in_folder / "a", row)
    told = [] if "--label-attribute" in words else ["--label-attribute", "kind"]
    done = run("filter", "a", *words, *told)
    assert (done.exit_code, len(done.stderr) < 400) == (2, True)


def test_a_class_that_is_not_there_stops_the_run_with_those_that_are(workshop: Path, run: Run) -> None:
    done = run("filter", "output.manifest", "--class", "rh")
    message = "mtool: output.manifest: no line has the class 'rh'; its classes: RH, LH\n"
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", message)


def test_an_excluded_class_that_is_not_there_stops_the_run_with_those_that_are(
    workshop: Path, run: Run
) -> None:
    done = run("filter", "output.manifest", "--exclude-class", "Rh")
    message = "mtool: output.manifest: no line has the class 'Rh'; its classes: RH, LH\n"
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", message)


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


def test_one_high_confidence_on_all_labels_says_nothing_about_doubts_either(
    in_folder: Path, run: Run
) -> None:
    write(in_folder / "a", line(1, confidence=0.95), line(2, confidence=0.95))
    done = run("filter", "a", "--max-confidence", 0.5)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "every confidence is 0.95;" in done.stderr
    kept = run("filter", "a", "--max-confidence", 0.5, "--zero-confidence", "keep")
    assert kept.stdout_bytes == Path("a").read_bytes()


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


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["--min-confidence", "2"], "--min-confidence"),
        (["--min-confidence", "high"], "--min-confidence"),
        (["--after", "yesterday"], "'yesterday' is no date, such as 2024-03-04; type: mtool filter --help"),
        (["--multilabel", "some"], "--multilabel"),
        (["--sample", "0"], "--sample"),
        (["--jobs", "0"], "--jobs"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_condition_typed_wrongly_is_refused_in_one_line(
    in_folder: Path, run: Run, words: list[str], option: str
) -> None:
    write(in_folder / "a.manifest", line(1))
    done = run("filter", "a.manifest", *words)
    assert done.exit_code == 2
    assert option in done.stderr
    assert (done.stderr.count("\n"), done.stdout) == (1, "")


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


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--multilabel", "trim"],
            "--multilabel trim has no effect without --min-confidence or --max-confidence, --class or"
            " --exclude-class; type one of them",
        ),
        (
            ["--boxes", "all", "--class", "RH"],
            "--multilabel all has no effect without --min-confidence or --max-confidence; type one of them",
        ),
        (
            ["--empty", "drop"],
            "--empty has no effect without --min-confidence or --max-confidence; type one of them",
        ),
        (
            ["--min-confidence", "0.8", "--max-confidence", "0.5"],
            "--min-confidence 0.8 --max-confidence 0.5: no confidence is both; type the lower one as"
            " --min-confidence",
        ),
        (
            ["--class", "RH", "--exclude-class", "RH"],
            "'RH' is typed for --class and --exclude-class; leave one of them out",
        ),
        (["--sample", "1", "--balance"], "--sample and --balance cannot be combined; type one of them"),
        (
            ["--balance"],
            "kind is object-detection, where a line may have several classes or none, and one that goes for"
            " one goes for all; leave --balance out",
        ),
        (
            ["--zero-confidence", "keep"],
            "--zero-confidence has no effect without --min-confidence or --max-confidence; type one of them",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_option_that_would_change_nothing_is_refused(
    in_folder: Path, run: Run, words: list[str], message: str
) -> None:
    write(in_folder / "a", boxes(1, ("RH", 0.9)))
    done = run("filter", "a", *words)
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", f"mtool: {message}\n")


@pytest.mark.parametrize(
    ("rows", "words", "message"),
    [
        (
            [mask(1, "RH")],
            ["--class", "RH", "--multilabel", "trim"],
            "kind-ref is semantic-segmentation and has nothing to trim on its lines;"
            " leave --multilabel trim out",
        ),
        (
            [line(1)],
            ["--class", "RH", "--multilabel", "trim"],
            "kind is image-classification and has nothing to trim on its lines; leave --multilabel trim out",
        ),
        (
            [line(1, type="groundtruth/custom")],
            ["--class", "RH"],
            "kind is custom and has no class on its lines; leave --class out",
        ),
        (
            [line(1, type="groundtruth/custom")],
            ["--exclude-class", "RH"],
            "kind is custom and has no class on its lines; leave --exclude-class out",
        ),
        (
            [line(1, type="groundtruth/custom")],
            ["--max-confidence", "0.5"],
            "kind is custom and has no confidence on its lines; leave --max-confidence out",
        ),
        (
            [line(1, type="acme/\x1b[31m")],
            ["--min-confidence", "0.5"],
            "kind is acme/\\x1b[31m and has no confidence on its lines; leave --min-confidence out",
        ),
    ],
    ids=[
        "masks cannot be trimmed",
        "one class cannot",
        "custom labels have no class",
        "nor one to exclude",
        "nor a highest confidence",
        "nor strange ones",
    ],
)
def test_a_word_without_meaning_for_a_type_is_refused_in_one_line(
    in_folder: Path, run: Run, rows: list[bytes], words: list[str], message: str
) -> None:
    write(in_folder / "a", *rows)
    done = run("filter", "a", *words)
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", f"mtool: {message}\n")


def test_several_label_attributes_are_listed_and_one_must_be_told(
    sample: Path, in_folder: Path, run: Run
) -> None:
    chained = sample / "good" / "chained-two-attributes.manifest"
    done = run("filter", chained, "--labelled")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "it has the label attributes " in done.stderr
    assert "; type --label-attribute " in done.stderr


def test_a_later_line_with_another_label_attribute_is_noticed(in_folder: Path, run: Run) -> None:
    other = (
        b'{"source-ref": "s3://b/o", "mood": 1, "mood-metadata": {"type": "groundtruth/text-classification"}}'
    )
    write(in_folder / "a", line(1, pad=100_000), other)
    done = run("filter", "a", "--labelled", "-o", "out")
    assert done.exit_code == 2
    assert (
        "kind (image-classification, 1 of 2 lines), mood (text-classification, 1 of 2 lines)" in done.stderr
    )
    assert not Path("out").exists()


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

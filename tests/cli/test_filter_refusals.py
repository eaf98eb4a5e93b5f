import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ground_truth import FAILED, boxes, line, lines_of, mask, write

if TYPE_CHECKING:
    from typer.testing import Result


Run = Callable[..., "Result"]


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


def test_one_high_confidence_on_all_labels_says_nothing_about_doubts_either(
    in_folder: Path, run: Run
) -> None:
    write(in_folder / "a", line(1, confidence=0.95), line(2, confidence=0.95))
    done = run("filter", "a", "--max-confidence", 0.5)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "every confidence is 0.95;" in done.stderr
    kept = run("filter", "a", "--max-confidence", 0.5, "--zero-confidence", "keep")
    assert kept.stdout_bytes == Path("a").read_bytes()


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

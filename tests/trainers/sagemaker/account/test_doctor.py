import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from manifest_tools.known_failures import FAILURES
from tests.known_failures.test_known_failures import SEEN
from tests.trainers.sagemaker.resources import Fault, Step
from tests.trainers.sagemaker.stand_in import SageMaker
from trainers.sagemaker.account.advice import Setting, command
from trainers.sagemaker.account.doctor import examine, examine_text

if TYPE_CHECKING:
    from typer.testing import Result

    Run = Callable[..., Result]


def rows(answer: str) -> list[int]:
    """Return the rows that are named on the screen."""
    return [int(row) for row in re.findall(r"^known failure (\d+):", answer, re.MULTILINE)]


@pytest.mark.parametrize("row", SEEN, ids=lambda row: f"row {row}")
def test_what_people_saw_given_as_a_text_names_its_row(run: "Run", row: int) -> None:
    result = run("doctor", "--text", SEEN[row])
    assert result.exit_code == 0
    assert rows(result.stdout) == [row]
    failure = FAILURES[row - 1]
    for said in (failure.title, f"cause:   {failure.cause}", f"fix:     {failure.fix}", "  type:    "):
        assert said in result.stdout


@pytest.mark.parametrize("row", SEEN, ids=lambda row: f"row {row}")
def test_what_people_saw_as_the_reason_of_a_job_names_its_row(sagemaker: SageMaker, row: int) -> None:
    sagemaker.put("TrainingJob", "a-job", Step("Failed", "Failed", reason=SEEN[row]))
    found = examine("a-job")
    assert [(one.failure.row, one.where) for one in found.recognised] == [(row, "its reason")]


@pytest.fixture(scope="module")
def symptoms(corpus: Path) -> dict[int, list[str]]:
    """The messages that the reference paper quotes, by row; the paper is not part of the project."""
    path = corpus.parent / "reference" / "known-failures.md"
    if not path.is_file():
        pytest.skip(f"no reference at {path}")
    # A person's words, and a key: no message of a job.
    no_messages = {"did not work", "0001 to 0017.jpg"}
    found: dict[int, list[str]] = {}
    for line in path.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if cells[0].isdecimal():
            quoted = [text for text in re.findall('"([^"]+)"', cells[1]) if text not in no_messages]
            found[int(cells[0])] = quoted
    return found


def test_every_message_that_the_reference_quotes_names_its_row(
    run: "Run", symptoms: dict[int, list[str]]
) -> None:
    messages = [(row, text) for row, quoted in symptoms.items() for text in quoted]
    assert len(messages) >= 30
    named = {(row, text): rows(run("doctor", "-", input=text).stdout) for row, text in messages}
    assert named == {(row, text): [row] for row, text in messages}


@pytest.mark.parametrize("failure", FAILURES, ids=lambda one: f"row {one.row}")
def test_every_failure_has_a_command_to_type(failure: Any) -> None:
    typed = command(failure, Setting())
    assert typed.startswith(("mtool ", "aws "))
    assert "{" not in typed


def test_the_log_tells_what_the_reason_does_not(run: "Run", sagemaker: SageMaker) -> None:
    log = ["line one", SEEN[28], "[03/01/2024 12:00:00 ERROR 140] Customer Error: over"]
    step = Step("Failed", "Failed", reason="AlgorithmError: See job logs", log=log)
    sagemaker.put("TrainingJob", "a-job", step)
    result = run("doctor", "a-job")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:2] == ["a-job: Failed", "reason: AlgorithmError: See job logs"]
    assert rows(result.stdout) == [28]
    assert "  seen in: its log" in result.stdout


def test_a_failure_far_up_a_long_log_is_found(sagemaker: SageMaker) -> None:
    log = [SEEN[23], *(f"line {number}" for number in range(1500))]
    sagemaker.put("TrainingJob", "a-job", Step("Failed", "Failed", reason="AlgorithmError", log=log))
    assert [one.failure.row for one in examine("a-job").recognised] == [23]


def test_the_command_has_the_job_s_own_manifests_and_hyperparameters(sagemaker: SageMaker) -> None:
    sagemaker.put("TrainingJob", "a-job", Step("Failed", reason=SEEN[1]))
    (one,) = examine("a-job").recognised
    assert one.command == (
        "mtool validate s3://bucket/train.manifest s3://bucket/validation.manifest --for builtin"
        " -p epochs=2 -p num_classes=2 -p num_training_samples=89"
    )


def test_names_of_other_people_s_are_quoted_for_the_shell(sagemaker: SageMaker) -> None:
    body = {"HyperParameters": {"x": "$(rm -rf .); 'y'"}}
    sagemaker.put("TrainingJob", "a-job", Step("Failed", reason=SEEN[1]), body=body)
    (one,) = examine("a-job").recognised
    assert one.command.endswith(""" -p 'x=$(rm -rf .); '"'"'y'"'"''""")


def test_a_failure_that_nobody_knows_shows_its_own_words(run: "Run", sagemaker: SageMaker) -> None:
    log = ["[03/01/2024 12:00:00 ERROR 140] Customer Error: \x1b[31mnever seen"]
    sagemaker.put("TrainingJob", "a-job", Step("Failed", reason="ClientError: never seen", log=log))
    result = run("doctor", "a-job")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "a-job: Failed",
        "reason: ClientError: never seen",
        "log: Customer Error: \\x1b[31mnever seen",
    ]
    assert "this is not among the known failures" in result.stderr


@pytest.mark.parametrize("text", ["", "all is well", "x" * 100_000])
def test_a_text_that_shows_nothing(run: "Run", text: str) -> None:
    result = run("doctor", "-", input=text)
    assert (result.exit_code, result.stdout) == (1, "none of the known failures is in it\n")
    assert result.stderr == ""


def test_a_file_in_place_of_a_job_is_refused_with_what_to_type(run: "Run", tmp_path: Path) -> None:
    log = tmp_path / "job.log"
    log.write_text("ClientError")
    result = run("doctor", str(log))
    said = f"mtool: {log}: expected a job's name, found a file; type: mtool doctor - < {log}\n"
    assert (result.exit_code, result.stderr) == (2, said)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        pytest.param(Step("Completed", "Completed"), "nothing has failed", id="a job that went well"),
        pytest.param(Step("InProgress", "Training"), "nothing has failed", id="a job that runs"),
        pytest.param(Step("Stopped", "MaxRuntimeExceeded"), "a longer --max-run", id="out of time"),
        pytest.param(Step("Stopped", "MaxWaitTimeExceeded"), "a longer --max-wait", id="no spot machine"),
        pytest.param(Step("Stopped", "Stopped"), "somebody stopped it", id="stopped by hand"),
    ],
)
def test_a_job_that_did_not_fail(run: "Run", sagemaker: SageMaker, step: Step, said: str) -> None:
    sagemaker.put("TrainingJob", "a-job", step)
    result = run("doctor", "a-job")
    assert result.exit_code == 0
    assert said in result.stdout


def test_a_tuning_job_fails_by_its_trials(sagemaker: SageMaker) -> None:
    job = sagemaker.put("HyperParameterTuningJob", "t", Step("Failed", reason="No training job succeeded."))
    job.trials = [
        {
            "TrainingJobName": "t-001",
            "TrainingJobArn": "arn",
            "TrainingJobStatus": "Failed",
            "CreationTime": 1_700_000_000,
            "TunedHyperParameters": {},
            "FailureReason": SEEN[38],
        }
    ]
    found = examine("t")
    assert found.reason.startswith("No training job succeeded. (t-001: The value")
    assert [one.failure.row for one in found.recognised] == [38]


def test_without_the_right_to_read_the_log_the_reason_is_read(sagemaker: SageMaker) -> None:
    sagemaker.put("TrainingJob", "a-job", Step("Failed", reason=SEEN[23]))
    sagemaker.answer("DescribeLogStreams", Fault("AccessDeniedException", ""))
    found = examine("a-job")
    assert [one.failure.row for one in found.recognised] == [23]
    assert "logs:DescribeLogStreams" in found.note


def test_json(run: "Run") -> None:
    answer = json.loads(run("doctor", "--json", "--text", SEEN[28]).stdout)
    (one,) = answer["known"]
    assert (one["row"], one["type"]) == (
        28,
        "mtool convert train.manifest --to recordio -o train --allow-loss",
    )


@pytest.mark.parametrize("words", [(), ("a-job", "--text", "x")], ids=["nothing", "both"])
def test_called_wrongly(run: "Run", words: tuple[str, ...]) -> None:
    result = run("doctor", *words)
    assert result.exit_code == 2
    assert "expected a job, or --text" in result.stderr


def test_an_unknown_job(run: "Run", sagemaker: SageMaker) -> None:
    result = run("doctor", "none")
    assert result.exit_code == 2
    assert "none: there is no job and no endpoint of that name" in result.stderr


def test_bytes_that_are_no_text_are_read_as_far_as_they_go(run: "Run") -> None:
    assert rows(run("doctor", "-", input=b"\xff\xfe " + SEEN[28].encode()).stdout) == [28]


def test_a_text_with_two_failures_names_both() -> None:
    assert [one.failure.row for one in examine_text(f"{SEEN[28]}\n{SEEN[23]}").recognised] == [23, 28]

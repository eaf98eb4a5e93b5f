import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.trainers.sagemaker.account.test_jobs import endpoint
from tests.trainers.sagemaker.resources import THROTTLED, Fault, Step
from tests.trainers.sagemaker.stand_in import SageMaker

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

    Run = Callable[..., Result]

posix = pytest.mark.skipif(os.name != "posix", reason="needs signals")


def test_nothing_there(run: "Run", sagemaker: SageMaker) -> None:
    result = run("jobs")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "no jobs and no endpoints in this account and region\n"


def test_a_table_with_what_it_costs(run: "Run", sagemaker: SageMaker) -> None:
    sagemaker.put("TrainingJob", "training", Step("InProgress", "Training"))
    sagemaker.put("TrainingJob", "ended", Step("Completed"), created=1_700_000_000)
    endpoint(sagemaker, "endpoint")
    result = run("jobs", "--price-per-hour", "ml.p3.2xlarge=3.75", "--price-per-hour", "0.1")
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines()]
    assert rows[0] == ["name", "kind", "state", "age", "machines", "an", "hour"]
    assert rows[1] == ["training", "training", "InProgress", "0", "min", "ml.p3.2xlarge", "3.75"]
    assert rows[2][:3] + rows[2][-1:] == ["ended", "training", "Completed", "-"]
    assert rows[3] == ["endpoint", "endpoint", "InService", "0", "min", "ml.m5.large", "0.10"]
    assert result.stderr == "2 on machines now, 3.85 an hour\n"


def test_without_a_price_it_says_what_to_type(run: "Run", sagemaker: SageMaker) -> None:
    endpoint(sagemaker, "endpoint")
    message = run("jobs").stderr
    assert message == (
        "1 on machines now, cost not known; no price for ml.m5.large: type --price-per-hour TYPE=PRICE\n"
    )


def test_a_thousand_jobs_as_json(run: "Run", sagemaker: SageMaker) -> None:
    for number in range(1000):
        sagemaker.put("TrainingJob", f"job-{number}", Step("Completed"), created=1_700_000_000 + number)
    rows = [json.loads(line) for line in run("jobs", "--all", "--json").stdout.splitlines()]
    assert [row["name"] for row in rows] == [f"job-{number}" for number in reversed(range(1000))]
    assert rows[0] == {
        "name": "job-999",
        "kind": "training",
        "state": "Completed",
        "created": rows[0]["created"],
        "ended": rows[0]["created"],
        "machines": [],
        "per_hour": 0.0,
    }


def test_only_some_kinds(run: "Run", sagemaker: SageMaker) -> None:
    sagemaker.put("TrainingJob", "training", Step("Completed"))
    endpoint(sagemaker, "endpoint")
    assert "training" not in run("jobs", "--kind", "endpoint", "--kind", "tuning").stdout
    listed = {one.operation for one in sagemaker.requests if one.operation.startswith("List")}
    assert listed == {"ListEndpoints", "ListHyperParameterTuningJobs"}


def test_idle_endpoints_with_what_to_type(run: "Run", sagemaker: SageMaker, s3: "S3Client") -> None:
    endpoint(sagemaker, "forgotten", created=1_700_000_000)
    result = run("jobs", "--idle", "--price-per-hour", "0.5")
    assert result.stdout.splitlines()[1].split()[0] == "forgotten"
    assert "not in two weeks" in result.stdout and "0.50" in result.stdout
    assert result.stderr == "mtool delete forgotten\n"
    (row,) = (json.loads(line) for line in run("jobs", "--idle", "--json").stdout.splitlines())
    assert (row["name"], row["idle_since"]) == ("forgotten", row["created"])


def test_show_has_state_reason_and_hyperparameters(run: "Run", sagemaker: SageMaker) -> None:
    sagemaker.put("TrainingJob", "a-job", Step("Failed", "Failed", reason="ClientError:\n\x1b[31mno"))
    message = run("jobs", "show", "a-job").stdout
    assert ["state", "Failed"] in [line.split() for line in message.splitlines()]
    assert "ClientError: \\x1b[31mno" in message
    assert "-p num_training_samples" in message
    whole = json.loads(run("jobs", "show", "a-job", "--json").stdout)
    assert whole["TrainingJobName"] == "a-job" and "ResponseMetadata" not in whole


def test_logs_are_data(run: "Run", sagemaker: SageMaker) -> None:
    sagemaker.put("TrainingJob", "a-job", Step("Completed", log=["one", "\x1b[2Jtwo"]))
    assert run("jobs", "logs", "a-job").stdout == "one\n\\x1b[2Jtwo\n"


def test_a_job_without_a_log_says_so(run: "Run", sagemaker: SageMaker) -> None:
    sagemaker.put("TrainingJob", "a-job", Step("InProgress", "Starting"))
    result = run("jobs", "logs", "a-job")
    assert (result.stdout, result.stderr) == ("", "a-job has written no log lines yet; it is InProgress\n")


def test_a_job_is_followed_to_its_end(run: "Run", sagemaker: SageMaker) -> None:
    lines = ["Epoch[0] Train-accuracy=0.5", "Epoch[0] Time cost=2.5", "Epoch[0] Validation-accuracy=0.25"]
    steps = (Step("InProgress", "Starting"), Step("InProgress", "Training", log=lines))
    end = Step("Completed", more={"BillableTimeInSeconds": 3600})
    sagemaker.put("TrainingJob", "a-job", *steps, end)
    result = run("jobs", "logs", "a-job", "-f", "--every", "0.1", "--price-per-hour", "4")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == lines
    lines = result.stderr.splitlines()
    assert lines[0] == "a-job: InProgress, Training"
    assert "epoch 1 of 2: train:accuracy 0.500, validation:accuracy 0.250 (2.5 s)" in lines[1]
    assert lines[-1] == "a-job: Completed, 3,600 s billed, 4.00 in all"


def test_a_job_that_fails_while_it_is_followed_leads_to_the_doctor(run: "Run", sagemaker: SageMaker) -> None:
    sagemaker.put("TrainingJob", "a-job", Step("InProgress"), Step("Failed", reason="ClientError: no"))
    result = run("jobs", "logs", "a-job", "--follow", "--every", "0.1")
    assert result.exit_code == 3
    assert result.stderr.endswith("a-job failed: ClientError: no; type: mtool doctor a-job\n")


def test_throttling_is_said_and_waited_out(run: "Run", sagemaker: SageMaker) -> None:
    sagemaker.put("TrainingJob", "a-job", Step("Completed"))
    sagemaker.answer("DescribeLogStreams", THROTTLED)
    result = run("jobs", "logs", "a-job", "--follow", "--every", "0.1")
    assert result.exit_code == 0
    assert "AWS is too busy" in result.stderr and "asking again in 1 s" in result.stderr


@posix
@pytest.mark.parametrize("piped", [True, False], ids=["piped", "on the terminal"])
def test_on_a_terminal_a_bar_shows_the_epochs_and_lines_stay_where_they_belong(
    sagemaker: SageMaker, tmp_path: Path, piped: bool
) -> None:
    lines = ["Epoch[0] Train-accuracy=0.5", "Epoch[0] Time cost=2.5", "Epoch[0] Validation-accuracy=0.25"]
    steps = (Step("InProgress", "Training"), Step("InProgress", "Training", log=lines), Step("Completed"))
    sagemaker.put("TrainingJob", "a-job", *steps)
    words = [sys.executable, "-m", "manifest_tools", "jobs", "logs", "a-job", "-f", "--every", "0.3"]
    screen, terminal = os.openpty()
    with (tmp_path / "out").open("wb") as file:
        out = file if piped else terminal
        started = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=terminal)
    os.close(terminal)
    seen = b""
    with contextlib.suppress(OSError):  # Linux's way to say that the other end is closed
        while data := os.read(screen, 65536):
            seen += data
    os.close(screen)
    assert started.wait(60) == 0
    assert b"epochs" in seen and b"a-job: Completed" in seen
    printed = (tmp_path / "out").read_text() if piped else seen.decode()
    assert all(line in printed for line in lines)
    assert not piped or printed == "\n".join([*lines, ""])


@posix
def test_ctrl_c_leaves_the_job_running_and_says_how_to_go_on(sagemaker: SageMaker, tmp_path: Path) -> None:
    sagemaker.put("TrainingJob", "a-job", Step("InProgress", "Training", log=["a line"]))
    words = [sys.executable, "-m", "manifest_tools", "jobs", "logs", "a-job", "--follow"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "a line\n"
        started.send_signal(signal.SIGINT)
        _, message = started.communicate(timeout=60)
    assert started.returncode == 130
    assert message.splitlines()[-1] == (
        "a-job goes on, and is billed; to follow it: mtool jobs logs a-job --follow;"
        " to stop it: mtool jobs stop a-job"
    )
    assert not any(one.operation.startswith("Stop") for one in sagemaker.requests)
    assert sagemaker.jobs["a-job"].step.status == "InProgress"


def test_stop(run: "Run", sagemaker: SageMaker) -> None:
    sagemaker.put("TrainingJob", "a-job", Step("InProgress", "Training"))
    dry = run("jobs", "stop", "a-job", "--dry-run")
    assert json.loads(dry.stdout) == {"TrainingJobName": "a-job"}
    assert sagemaker.sent("StopTrainingJob") == []
    assert "a-job: asked to stop" in run("jobs", "stop", "a-job").stderr
    assert sagemaker.sent("StopTrainingJob") == [{"TrainingJobName": "a-job"}]
    assert run("jobs", "stop", "a-job").stderr == "a-job is Stopping already; nothing to stop\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(("show",), "type: mtool jobs show NAME", id="show what"),
        pytest.param(
            ("show", "none"), "none: there is no job and no endpoint of that name", id="an unknown name"
        ),
        pytest.param(
            ("stop", "a_b"), "name of the training job: expected letters and digits", id="a name that is none"
        ),
        pytest.param(("--follow",), "--follow goes with mtool jobs logs NAME only", id="follow a list"),
        pytest.param(("stop", "x", "--idle"), "--idle goes with mtool jobs only", id="stop the idle"),
        pytest.param(("logs", "x", "--json", "--follow"), "leave one of them out", id="a log as JSON"),
        pytest.param(("--idle", "--all"), "leave --kind and --all out", id="all the idle"),
        pytest.param(("logs", "x", "--price-per-hour", "1"), "goes with --follow", id="the price of a log"),
        pytest.param(("logs", "x", "--every", "1"), "goes with --follow", id="every second, of nothing"),
        pytest.param(("--price-per-hour", "x"), "expected TYPE=PRICE", id="a price that is none"),
        pytest.param(("nonsense",), "type: mtool jobs --help", id="an unknown verb"),
    ],
)
def test_called_wrongly(run: "Run", sagemaker: SageMaker, words: tuple[str, ...], message: str) -> None:
    result = run("jobs", *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not result.stdout or "error" in json.loads(result.stdout)


def test_a_permission_that_is_missing(run: "Run", sagemaker: SageMaker) -> None:
    sagemaker.answer("ListTrainingJobs", Fault("AccessDeniedException", ""))
    result = run("jobs")
    assert result.exit_code == 3
    assert "need sagemaker:ListTrainingJobs; allow it as `mtool policy` prints it" in result.stderr


def test_a_tuning_job_cannot_be_followed_and_has_no_log(run: "Run", sagemaker: SageMaker) -> None:
    sagemaker.put("HyperParameterTuningJob", "t", Step("InProgress"))
    assert run("jobs", "logs", "t").exit_code == 2
    assert run("jobs", "logs", "t", "--follow").exit_code == 2

"""A tuning job from what is typed to best.json, which train takes; against the stand-in."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.test_train_sagemaker import ALL_TYPED, BIRDS, P3, SHORT, typed
from tests.trainers.sagemaker.labs import ROLE
from tests.trainers.sagemaker.requests.test_requests import golden
from tests.trainers.sagemaker.resources import THROTTLED, Fault, Step, Thing
from tests.trainers.sagemaker.stand_in import SageMaker
from tests.trainers.sagemaker.training.jobs import hands, keys
from trainers.sagemaker import Choice, Range
from trainers.sagemaker.client.retry import Waiting
from trainers.sagemaker.training.follow import Status
from trainers.sagemaker.training.tuning import Trials, TuningEnd, follow_tuning, hardest
from trainers.trial import Trial

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

    Run = Callable[..., Result]

TUNE = ("tune", "--trainer", "builtin")
RANGES = ("--range", "learning_rate=0.001:0.1:log", "--range", "mini_batch_size=8:64")
CHOICES = ("--choice", "optimizer=sgd", "--choice", "optimizer=adam")
JOB = ("--job-name", "birds-hpo-1", "--max-jobs", "20", "--concurrency", "2")
GOLDEN = (
    *TUNE,
    *BIRDS,
    *ALL_TYPED[:-2],
    *SHORT,
    *P3,
    *RANGES,
    *JOB,
    "-o",
    "s3://example-bucket/birds/output",
)


def dry(run: "Run", *words: str) -> Any:
    result = run(*GOLDEN, *words, "--role", ROLE, "--dry-run")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def with_seed(request: Any, seed: int) -> Any:
    request["TrainingJobDefinition"]["InputDataConfig"][0]["ShuffleConfig"] = {"Seed": seed}
    return request


def test_the_golden_tuning_job_through_the_command_line(run: "Run") -> None:
    assert dry(run) == with_seed(golden("tuning")["request"], 0)


def test_everything_that_people_set_of_a_tuning_job(run: "Run") -> None:
    words: tuple[str, ...] = (
        *CHOICES,
        "--early-stopping",
        "--max-total",
        "1d",
        "--seed",
        "1",
        "--spot",
        "--tag",
        "project=birds",
    )
    words += ("--checkpoints", "s3://example-bucket/birds/ckpt/birds-hpo-1")
    assert dry(run, *words) == with_seed(golden("tuning-with-all")["request"], 1)


def trial(at: int, status: str, value: float | None = None, **tuned: str) -> dict[str, Any]:
    name = f"hands-{at:03}-abc"
    found: dict[str, Any] = {
        "TrainingJobName": name,
        "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:111122223333:training-job/{name}",
        "CreationTime": 1_700_000_000 + at,
        "TrainingJobStatus": status,
        "TunedHyperParameters": tuned,
        "ObjectiveStatus": "Pending" if value is None else "Succeeded",
    }
    if value is not None:
        metric = {"MetricName": "validation:accuracy", "Value": value}
        found["FinalHyperParameterTuningJobObjectiveMetric"] = metric
    return found


FIRST = trial(1, "Completed", 0.75, learning_rate="0.01", optimizer='"sgd"')
SECOND = trial(2, "Completed", 0.9, learning_rate="0.02", optimizer='"adam"')
THIRD = trial(3, "Failed", learning_rate="0.5", optimizer='"adam"')


def has(*trials: dict[str, Any]) -> Callable[[Thing], None]:
    """Return what a step of a script does: the job then has these trials."""

    def does(thing: Thing) -> None:
        thing.trials = list(trials)

    return does


def script(
    sagemaker: SageMaker, *, end: str = "Completed", trials: Any = (FIRST, SECOND, THIRD), **more: Any
) -> None:
    running = trial(2, "InProgress", learning_rate="0.02", optimizer='"adam"')
    sagemaker.script(
        Step("InProgress", does=has()),
        Step("InProgress", does=has(FIRST, running)),
        Step(end, does=has(*reversed(trials)), more=more),
        kind="HyperParameterTuningJob",
    )


@pytest.fixture
def workshop(
    in_folder: Path, s3: "S3Client", sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch
) -> SageMaker:
    hands(in_folder)
    s3.create_bucket(Bucket="lab3-models")
    monkeypatch.setenv("MTOOL_ROLE", ROLE)
    return sagemaker


OUT = ("-o", "s3://lab3-models/hands", "--job-name", "hands", "--every", "0.05")
VARIED = ("--range", "learning_rate=0.001:0.1:log", *CHOICES, "--max-jobs", "3")


def test_the_best_parameters_are_what_train_takes(
    run: "Run", workshop: SageMaker, s3: "S3Client", in_folder: Path
) -> None:
    script(workshop)
    result = run(*TUNE, *OUT, *VARIED, *typed(num_layers=18), "--yes", "--price-per-hour", "2")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "best of 3 trials: hands-002-abc, objective metric 0.9000\n"
    assert "3 trials, 1 at a time, 3 machine hours at most, which cost 6.00" in result.stderr
    assert (
        "hands-001-abc: Completed, objective metric 0.7500 (learning_rate 0.01, optimizer sgd)"
        in result.stderr
    )
    assert result.stderr.count("hands-001-abc: Completed") == 1
    assert "hands-003-abc: Failed, no objective metric" in result.stderr
    assert json.loads(Path("best.json").read_text()) == {
        "num_layers": "18",
        "learning_rate": "0.02",
        "optimizer": "adam",
    }
    assert keys(s3) == [
        f"hands/hands/{name}" for name in ("classes.json", "train.manifest", "validation.manifest")
    ]
    words = (
        "train",
        "--trainer",
        "builtin",
        "-o",
        "s3://lab3-models/hands",
        "--dry-run",
        "--params",
        "best.json",
    )
    values = json.loads(run(*words).stdout)["HyperParameters"]
    assert (values["learning_rate"], values["optimizer"], values["num_layers"]) == ("0.02", "adam", "18")


def test_the_service_says_which_trial_is_best(run: "Run", workshop: SageMaker) -> None:
    script(workshop, BestTrainingJob=FIRST)
    assert (
        run(*TUNE, *OUT, *VARIED, "--yes").stdout
        == "best of 3 trials: hands-001-abc, objective metric 0.7500\n"
    )


def test_a_report_for_machines(run: "Run", workshop: SageMaker) -> None:
    script(workshop)
    result = run(*TUNE, *OUT, *VARIED, "--yes", "--json", "--quiet", "--best", "b.json")
    assert json.loads(result.stdout) == {
        "trial": "hands-002-abc",
        "figure": 0.9,
        "trials": 3,
        "parameters": {"learning_rate": "0.02", "optimizer": "adam"},
    }
    assert result.stderr == ""


def test_a_job_without_any_figure_leads_to_the_doctor(
    run: "Run", workshop: SageMaker, in_folder: Path
) -> None:
    script(workshop, end="Failed", trials=(THIRD,), FailureReason="All training jobs\nhave failed")
    result = run(*TUNE, *OUT, *VARIED, "--yes")
    assert result.exit_code == 3
    assert result.stderr.endswith(
        "hands is Failed, but no trial has a value of the objective metric: All training jobs have failed;"
        " type: mtool doctor hands-003-abc\n"
    )
    assert not (in_folder / "best.json").exists()


def test_no_wait_and_taken_up_again(run: "Run", workshop: SageMaker) -> None:
    script(workshop)
    result = run(*TUNE, *OUT, *VARIED, "--yes", "--no-wait")
    assert result.stdout == "hands\n"
    assert "mtool tune --trainer builtin --attach hands; to stop it: mtool jobs stop hands" in result.stderr
    assert (
        run(*TUNE, "--attach", "hands", "--every", "0.05").stdout
        == "best of 3 trials: hands-002-abc, objective metric 0.9000\n"
    )


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_ctrl_c_leaves_the_job_running(workshop: SageMaker, in_folder: Path) -> None:
    workshop.script(Step("InProgress", does=has(FIRST)), kind="HyperParameterTuningJob")
    program = "import sys; from manifest_tools.cli import app; app.WORDS = ('tune',); app.main()"
    words = [sys.executable, "-c", program, *TUNE, *OUT, *VARIED, "--yes"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        assert started.stderr is not None
        while "hands-001-abc" not in (line := started.stderr.readline()):
            assert line, "ended before its first trial"
        started.send_signal(signal.SIGINT)
        _, message = started.communicate(timeout=60)
    assert started.returncode == 130
    assert "hands goes on, and its trials are billed" in message
    assert not any(one.operation.startswith("Stop") for one in workshop.requests)


def test_a_tuning_job_that_is_refused_leaves_nothing_behind(
    run: "Run", workshop: SageMaker, s3: "S3Client"
) -> None:
    workshop.answer("CreateHyperParameterTuningJob", Fault("ResourceLimitExceeded", "limit is 0"))
    assert run(*TUNE, *OUT, *VARIED, "--yes").exit_code == 2
    assert keys(s3) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(("--range", "epochs=1:9"), "cannot tune 'epochs'; it can", id="what cannot be tuned"),
        pytest.param(
            ("--range", "learning_rate=0:0.1:log"), "a logarithmic scale begins above 0", id="log of 0"
        ),
        pytest.param(
            ("--range", "learning_rate=0.1:0.01"), "expected a low end below the high one", id="turned"
        ),
        pytest.param(("--range", "learning_rate=0.1"), "--range: expected NAME=LOW:HIGH", id="one end"),
        pytest.param(("--range", "learning_rate=0.1:0.2:exp"), "expected the scale log", id="a scale"),
        pytest.param(("--range", "optimizer=1:2"), "optimizer: expected sgd, adam", id="a range of names"),
        pytest.param(("--choice", "optimizer=lamb"), "optimizer: expected sgd, adam", id="no optimizer"),
        pytest.param(("--choice", "optimizer"), "--choice: expected NAME=VALUE", id="half a choice"),
        pytest.param((), "nothing is varied; type --range learning_rate=0.0001:0.01:log", id="nothing"),
        pytest.param(
            ("--range", "mini_batch_size=8:64"), "more than the 36 lines for validation", id="a batch"
        ),
        pytest.param(
            ("--range", "learning_rate=0.1:0.2", *typed(learning_rate=0.1)), "both set and varied", id="both"
        ),
        pytest.param(
            ("--range", "learning_rate=0.1:0.2", "--metric", "loss"), "metric: expected", id="no metric"
        ),
        pytest.param(
            ("--range", "learning_rate=0.1:0.2", "--strategy", "Luck"),
            "'Luck' is not one of 'Bayesian', 'Random'",
            id="no strategy",
        ),
        pytest.param(("--range", "learning_rate=0.1:0.2", "--max-jobs", "0"), "max jobs", id="no jobs"),
        pytest.param(
            ("--range", "learning_rate=0.1:0.2", "--concurrency", "30"),
            "parallel: expected 1 to 20",
            id="too many",
        ),
        pytest.param(
            ("--epochs", "3"), "--epochs works with --trainer gluon only", id="an option of the other"
        ),
        pytest.param(
            ("--range", "learning_rate=0.1:0.2", "--job-name", "a" * 33),
            "at most 32 characters",
            id="a long name",
        ),
    ],
)
def test_refusals(run: "Run", workshop: SageMaker, words: tuple[str, ...], message: str) -> None:
    result = run(*TUNE, "-o", "s3://lab3-models/hands", *words, "--yes")
    assert result.exit_code == 2
    assert message in result.stderr
    assert workshop.requests == []


def test_nobody_at_a_terminal_and_no_yes_starts_nothing(run: "Run", workshop: SageMaker) -> None:
    result = run(*TUNE, *OUT, *VARIED)
    assert (result.exit_code, workshop.requests) == (2, [])
    assert "type --yes" in result.stderr


def test_a_best_json_that_is_there_is_refused_before_the_bill(
    run: "Run", workshop: SageMaker, in_folder: Path
) -> None:
    (in_folder / "best.json").write_text("{}")
    result = run(*TUNE, *OUT, *VARIED, "--yes")
    assert (result.exit_code, workshop.requests) == (2, [])
    assert "best.json: exists already" in result.stderr


def test_a_batch_is_not_derived_where_it_is_varied(run: "Run", workshop: SageMaker, in_folder: Path) -> None:
    hands(in_folder, 64, 20)
    words = ("--range", "mini_batch_size=8:16", "--dry-run")
    body = json.loads(run(*TUNE, *OUT, *words).stdout)
    assert "mini_batch_size" not in body["TrainingJobDefinition"]["StaticHyperParameters"]


def test_what_happens_as_values(sagemaker: SageMaker) -> None:
    body = {"HyperParameterTuningJobConfig": {"HyperParameterTuningJobObjective": {"Type": "Maximize"}}}
    script(sagemaker)
    sagemaker.put("HyperParameterTuningJob", "hands", body=body)
    waits: list[float] = []
    sagemaker.answer("DescribeHyperParameterTuningJob", THROTTLED)
    found = list(follow_tuning("hands", every=7, sleep=waits.append))
    assert [type(one) for one in found] == [Waiting, Status, Trials, Trials, Status, TuningEnd]
    end = found[-1]
    assert isinstance(end, TuningEnd)
    assert end.best == Trial(
        "hands-002-abc", "Completed", {"learning_rate": "0.02", "optimizer": "adam"}, 0.9
    )
    assert [one.name for one in end.trials] == ["hands-001-abc", "hands-002-abc", "hands-003-abc"]
    assert waits[0] == 1 and set(waits[1:]) == {7}


def test_a_smaller_figure_may_be_better(sagemaker: SageMaker) -> None:
    body = {"HyperParameterTuningJobConfig": {"HyperParameterTuningJobObjective": {"Type": "Minimize"}}}
    script(sagemaker)
    sagemaker.put("HyperParameterTuningJob", "hands", body=body)
    *_, end = follow_tuning("hands", sleep=lambda seconds: None)
    assert isinstance(end, TuningEnd) and end.best is not None
    assert end.best.name == "hands-001-abc"


def test_more_trials_than_a_page(sagemaker: SageMaker) -> None:
    many = [trial(at, "Completed", at / 1000, learning_rate="0.1") for at in range(1, 251)]
    script(sagemaker, trials=many)
    sagemaker.put("HyperParameterTuningJob", "hands")
    *_, end = follow_tuning("hands", sleep=lambda seconds: None)
    assert isinstance(end, TuningEnd) and end.best is not None
    assert (len(end.trials), end.best.name) == (250, "hands-250-abc")


def test_the_hardest_values_are_the_high_ends() -> None:
    assert hardest((Range("a", "1", "2"), Choice("b", ("x", "y")))) == {"a": "2", "b": "x"}

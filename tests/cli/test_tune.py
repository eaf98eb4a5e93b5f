"""``mtool tune`` on this machine: small networks, a few epochs, a study that goes on where it was left."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from manifest_tools.base.errors import Refused
from manifest_tools.base.installation import pip_install
from tests.trainers.conftest import lay_out
from trainers.config import TrainConfig
from trainers.model_archive import read_model
from trainers.parameters import PARAMETER_TYPES, parse_values, read_parameters

if TYPE_CHECKING:
    from typer.testing import Result

    Run = Callable[..., Result]

pytestmark = pytest.mark.usefixtures("mxnet")

SMALL = ("--images", "raw-data", "--epochs", "2", "--network", "small", "--choice", "image_size=32")
RATES = ("--range", "learning_rate=0.0001:0.05:log")
WORDS = ("tune", *SMALL, *RATES, "--choice", "optimizer=adam", "--choice", "optimizer=sgd")


@pytest.fixture
def workshop(in_folder: Path) -> Path:
    lay_out(in_folder)
    return in_folder


def trials(folder: str = "tuning") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (Path(folder) / "trials.jsonl").read_text().splitlines()]


def test_the_best_parameters_are_what_train_takes(run: "Run", workshop: Path) -> None:
    result = run(*WORDS, "--max-jobs", "3")
    assert result.exit_code == 0, result.stderr
    rows = trials()
    best = max(rows, key=lambda row: row["value"])
    assert (
        result.stdout == f"best of 3 trials: trial {best['trial']}, validation accuracy {best['value']:.4f}\n"
    )
    assert "32 training pictures, up to 3 trials of learning_rate, image_size, optimizer" in result.stderr
    assert "best.json: written; type: mtool train --params best.json" in result.stderr
    best_parameters = json.loads(Path("best.json").read_text())
    assert {name: best_parameters[name] for name in ("learning_rate", "optimizer", "image_size")} == {
        name: best[name] for name in ("learning_rate", "optimizer", "image_size")
    }
    assert (best_parameters["network"], best_parameters["epochs"]) == ("small", 2)
    assert (Path("tuning") / "trials.png").read_bytes().startswith(b"\x89PNG")

    trained = run("train", "--images", "raw-data", "--params", "best.json", "--json")
    assert trained.exit_code == 0, trained.stderr
    assert json.loads(trained.stdout)["validation"]["accuracy"] == pytest.approx(best["value"])
    assert read_model("model").image_size == 32


def test_a_study_that_was_interrupted_comes_to_the_same(run: "Run", workshop: Path) -> None:
    assert run(*WORDS, "--max-jobs", "4", "-o", "whole").exit_code == 0
    assert run(*WORDS, "--max-jobs", "2", "-o", "parts", "--best", "other.json").exit_code == 0
    assert run(*WORDS, "--max-jobs", "4", "-o", "parts", "--best", "other.json").exit_code == 0
    assert trials("parts") == trials("whole")
    assert Path("other.json").read_bytes() == Path("best.json").read_bytes()


def test_another_seed_tries_others(run: "Run", workshop: Path) -> None:
    run(*WORDS, "--max-jobs", "2")
    run(*WORDS, "--max-jobs", "2", "--seed", "1", "-o", "other", "--best", "other.json")
    rates = [row["learning_rate"] for row in (*trials(), *trials("other"))]
    assert len(set(rates)) == 4
    assert json.loads(Path("other.json").read_text())["seed"] == 1


def test_a_study_that_is_whole_tries_nothing_more(run: "Run", workshop: Path) -> None:
    run(*WORDS, "--max-jobs", "2")
    before = trials()
    again = run(*WORDS, "--max-jobs", "2")
    assert again.exit_code == 0
    assert "best.json: unchanged" in again.stderr
    assert trials() == before


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_ctrl_c_keeps_the_trials_so_far(run: "Run", workshop: Path) -> None:
    program = "import sys; from manifest_tools.cli import app; app.WORDS = ('tune',); app.main()"
    with subprocess.Popen(
        [sys.executable, "-c", program, *WORDS, "--max-jobs", "1000"], stderr=subprocess.PIPE, text=True
    ) as started:
        assert started.stderr is not None
        while not (line := started.stderr.readline()).startswith("trial 2: Completed"):
            assert line, "ended before its second trial"
        started.send_signal(signal.SIGINT)
        _, message = started.communicate(timeout=60)
    assert started.returncode == 130
    assert "interrupted; the trials so far are in tuning; type the same command to continue" in message
    assert not Path("best.json").exists()
    run(*WORDS, "--max-jobs", "4", "-o", "whole", "--best", "whole.json")
    run(*WORDS, "--max-jobs", "4")
    assert trials()[:4] == trials("whole")


def test_a_study_of_other_ranges_is_not_gone_on_with(run: "Run", workshop: Path) -> None:
    run(*WORDS, "--max-jobs", "1")
    other = ("tune", *SMALL, "--range", "learning_rate=0.001:0.01", "--max-jobs", "1")
    refused = run(*other)
    assert refused.exit_code == 2
    assert "the study there has other parameters and ranges; type -o" in refused.stderr
    assert "type -o FOLDER for a new one, or --force to replace it" in refused.stderr
    assert run(*other, "--force").exit_code == 0
    assert len(trials()) == 1


def test_a_study_of_other_pictures_is_not_gone_on_with(run: "Run", workshop: Path) -> None:
    run(*WORDS, "--max-jobs", "1")
    lines = Path("train.manifest").read_text().splitlines(keepends=True)
    Path("train.manifest").write_text("".join(lines[:-2]))
    assert "the study there has other training pictures" in run(*WORDS, "--max-jobs", "1").stderr


def test_trials_that_do_worse_are_ended(run: "Run", workshop: Path) -> None:
    words: tuple[str, ...] = ("--choice", "optimizer=sgd", "--range", "learning_rate=0.00001:1:log")
    words += ("--max-jobs", "8")
    words = ("tune", "--images", "raw-data", "--epochs", "4", "--network", "mlp", *words, "--early-stopping")
    assert run(*words, "--seed", "3").exit_code == 0
    states = {row["status"] for row in trials()}
    assert states <= {"Completed", "Stopped"} and "Completed" in states
    assert max(row["value"] for row in trials() if row["status"] == "Completed") > 0.5


def test_a_loss_that_explodes_is_a_trial_without_merit(run: "Run", workshop: Path) -> None:
    words = ("--choice", "optimizer=sgd", "--range", "learning_rate=50:100", "--max-jobs", "2")
    result = run("tune", *SMALL, *words)
    assert result.exit_code == 0, result.stderr
    assert all(row["value"] <= 0.6 for row in trials())


def test_a_dry_run_writes_nothing(run: "Run", workshop: Path) -> None:
    before = sorted(workshop.rglob("*"))
    result = run(*WORDS, "--dry-run")
    assert result.exit_code == 0
    assert "up to 20 trials of learning_rate" in result.stderr
    assert sorted(workshop.rglob("*")) == before


def test_a_report_for_machines(run: "Run", workshop: Path) -> None:
    result = run(*WORDS, "--max-jobs", "1", "--json", "--quiet")
    report = json.loads(result.stdout)
    assert (report["trial"], report["trials"], result.stderr) == ("1", 1, "")
    assert report["parameters"] == json.loads(Path("best.json").read_text())


def test_a_best_json_that_is_there_is_refused_before_the_work(run: "Run", workshop: Path) -> None:
    Path("best.json").write_text("{}")
    result = run(*WORDS, "--max-jobs", "1")
    assert result.exit_code == 2
    assert "best.json: exists already" in result.stderr
    assert not Path("tuning").exists()
    assert run(*WORDS, "--max-jobs", "1", "--force").exit_code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param((), "nothing is varied; type --range learning_rate=0.0001:0.01:log", id="nothing"),
        pytest.param(
            ("--range", "mini_batch_size=8:64"),
            "'mini_batch_size' cannot be varied",
            id="another's",
        ),
        pytest.param(("--choice", "seed=1"), "'seed' cannot be varied", id="the seed"),
        pytest.param(
            ("--range", "optimizer=1:2"), "optimizer is not a number; vary it by --choice", id="a name"
        ),
        pytest.param(("--choice", "optimizer=lamb"), "--optimizer: expected one of", id="no optimizer"),
        pytest.param(("--choice", "network=huge"), "--network: expected one of", id="no network"),
        pytest.param(("--range", "epochs=1:2.5"), "epochs: expected a whole number", id="half an epoch"),
        pytest.param(("--range", "epochs=9:3"), "expected a low end below the high one", id="turned"),
        pytest.param(("--range", "epochs=0:3"), "--epochs: expected 1 to 100,000", id="no epoch"),
        pytest.param(("--range", "learning_rate=0:1:log"), "begins above 0", id="log of 0"),
        pytest.param(
            ("--range", "learning_rate=0:0.5:reverse-log"), "is for --trainer builtin", id="a scale"
        ),
        pytest.param((*RATES, *RATES), "'learning_rate' is varied twice", id="twice"),
        pytest.param(
            ("--epochs", "3", "--range", "epochs=1:5"), "'epochs' is both set and varied", id="set and varied"
        ),
        pytest.param((*RATES, "--max-jobs", "0"), "--max-jobs: expected 1 or more, found 0", id="no jobs"),
        pytest.param(
            (*RATES, "--concurrency", "2"), "--concurrency works with --trainer builtin only", id="parallel"
        ),
        pytest.param(
            (*RATES, "--strategy", "Grid"), "--strategy works with --trainer builtin only", id="a strategy"
        ),
        pytest.param(
            (*RATES, "-o", "s3://b/c"),
            "expected a folder on this disk, where the study is a file",
            id="a study in S3",
        ),
    ],
)
def test_refusals(run: "Run", workshop: Path, words: tuple[str, ...], message: str) -> None:
    result = run("tune", "--images", "raw-data", *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not Path("tuning", "study.journal").exists()
    assert not Path("best.json").exists()


def test_no_manifest_in_this_folder(run: "Run", in_folder: Path) -> None:
    assert "type `mtool split output.manifest` first" in run("tune", *RATES).stderr


def test_without_optuna_it_says_what_to_type(workshop: Path) -> None:
    program = (
        "import sys, importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *more: None if name == 'optuna' else find(name, *more)\n"
        "from manifest_tools.cli import app; app.WORDS = ('tune',); app.main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, *WORDS], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 3
    assert ended.stderr.endswith(f"tuning on this machine needs optuna; type: {pip_install('tune')}\n")


def test_every_parameter_of_a_run_can_be_in_the_file(tmp_path: Path) -> None:
    config = TrainConfig(network="mlp", epochs=7, learning_rate=0.5, augment=True)
    path = tmp_path / "best.json"
    path.write_text(json.dumps(config.to_json()))
    assert TrainConfig(**read_parameters(str(path))) == config
    assert set(PARAMETER_TYPES) == set(config.to_json())


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"epochs": "many"}, "epochs: expected a whole number, found 'many'"),
        ({"epochs": 1.5}, "epochs: expected a whole number"),
        ({"epochs": True}, "epochs: expected a whole number"),
        ({"augment": "perhaps"}, "augment: expected true or false"),
        ({"optimizer": 3}, "optimizer: expected a text"),
        ({"learning_rate": [1]}, "learning_rate: expected a number"),
        ({"num_layers": 18}, "expected parameters such as network"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_parameter(value: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_values(value)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [("[", "expected JSON"), ("[]", "expected an object"), ('{"a": 1}', "best.json: expected")],
)
def test_a_file_that_is_none(run: "Run", workshop: Path, content: str, message: str) -> None:
    Path("best.json").write_text(content)
    result = run("train", "--images", "raw-data", "--params", "best.json")
    assert (result.exit_code, message in result.stderr) == (2, True)


def test_what_is_typed_counts_for_more_than_the_file(run: "Run", workshop: Path) -> None:
    Path("best.json").write_text('{"network": "mlp", "epochs": 9, "image_size": 32}')
    result = run("train", "--images", "raw-data", "--params", "best.json", "--epochs", "1", "--dry-run")
    assert "network mlp at 32 pixels, 1 epoch, adam" in result.stderr

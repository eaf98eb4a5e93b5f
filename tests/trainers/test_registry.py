"""The table of trainers: what it says is what the command line shows and what a run is checked against."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from manifest_tools.base.errors import Refused
from trainers import TrainConfig
from trainers.config import check_config
from trainers.registry import DEFAULT, OPTIONS, PREDICTORS, TRAINERS, trainer_named

Run = Callable[..., Any]

ROW = TRAINERS[DEFAULT]

IMPORTS = """
import sys
import trainers.registry, manifest_tools.cli.train, manifest_tools.cli.tune
heavy = {"numpy", "PIL", "sklearn", "matplotlib", "optuna", "boto3"}
heavy |= {row.framework for row in trainers.registry.PREDICTORS.values()}
print(sorted(heavy & set(sys.modules)))
"""


def test_the_table_and_the_commands_that_show_it_import_no_framework() -> None:
    ended = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"


def shown(run: Run, word: str) -> str:
    """Return the help of a command on one line."""
    return " ".join(run(word, "--help").stdout.split())


def either(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def test_help_shows_the_networks_optimizers_and_trainers_of_the_table(run: Run) -> None:
    text = shown(run, "train")
    networks = list(dict.fromkeys(one.name for row in TRAINERS.values() for one in row.networks))
    usual = f"[{ROW.quick}; with weights to start from {ROW.deep}]"
    assert f"--network NAME {either(networks)}. {usual}" in text
    optimizers = list(dict.fromkeys(name for row in TRAINERS.values() for name in row.optimizers))
    assert f"--optimizer NAME {either(optimizers)}. [default: {optimizers[0]}]" in text
    for word in ("train", "tune"):
        assert f"--trainer NAME {', '.join(TRAINERS)}, on this machine, or builtin, in" in shown(run, word)


def test_help_shows_the_usual_rate_and_size_that_a_run_takes(run: Run) -> None:
    text = shown(run, "train")
    assert "--learning-rate R Step size. [adam, rmsprop: 0.001; others: 0.01]" in text
    assert "--image-size N Pixels a side that the network sees. [small, mlp: 64; others: 224; less" in text
    assert (ROW.learning_rate("rmsprop"), ROW.learning_rate("nag")) == (0.001, 0.01)
    assert (ROW.network("mlp").side, ROW.network("mobilenetv2").side) == (64, 224)


@pytest.mark.parametrize("row", TRAINERS.values(), ids=list(TRAINERS))
def test_a_row_names_networks_that_it_has_and_options_that_there_are(row: Any) -> None:
    assert row.network(row.quick).name == row.quick
    assert row.network(row.deep).name == row.deep
    assert row.options <= OPTIONS
    assert PREDICTORS[row.name] is row


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"augment": True}, "--augment: gluon does not have it; leave it out"),
        ({"init_from": "old.params"}, "--init-from: gluon does not have it; leave it out"),
    ],
)
def test_an_option_that_a_trainer_does_not_have_is_refused(changes: dict[str, Any], message: str) -> None:
    check_config(TrainConfig(**changes), ROW)
    with pytest.raises(Refused, match=message):
        check_config(TrainConfig(**changes), replace(ROW, options=frozenset()))


def test_a_trainer_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(Refused, match="--trainer: expected one of gluon; found 'caffe'"):
        trainer_named("caffe")

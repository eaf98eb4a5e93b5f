from collections.abc import Callable

import numpy as np
import pytest

import trainers.gluon as GLUON
from trainers import Dataset, TrainConfig
from trainers.bad_model import BadModel
from trainers.frameworks import Learner
from trainers.mxnet_files.params import read_params, write_params

pytestmark = pytest.mark.usefixtures("mxnet")

Hands = Callable[..., Dataset]
Quick = Callable[..., TrainConfig]


def steps(learner: Learner, data: Dataset, count: int) -> Learner:
    """Return the learner after some steps of eight pictures."""
    rows = np.arange(8)
    for _ in range(count):
        learner.learn(data.read(rows), data.labels[rows])
    return learner


@pytest.mark.parametrize(
    ("network", "optimizer"),
    [
        ("small", "adam"),
        ("small", "nag"),
        ("small", "rmsprop"),
        ("small", "sgd"),
        ("mlp", "adam"),
        ("resnet18_v2", "adam"),
    ],
)
def test_the_steps_after_a_break_are_those_of_a_run_without_one(
    network: str, optimizer: str, hands: Hands, quick: Quick
) -> None:
    data, config = hands(8), quick(network=network, optimizer=optimizer)
    whole = steps(GLUON.learner(data, config), data, 2)
    state = whole.state()
    other = GLUON.learner(data, config, state)
    assert other.state() == state
    assert steps(other, data, 2).state() == steps(whole, data, 2).state()


@pytest.mark.parametrize("changes", [{"network": "mlp"}, {"optimizer": "sgd"}], ids=["network", "optimizer"])
def test_a_state_of_something_else_does_not_fit(hands: Hands, quick: Quick, changes: dict[str, str]) -> None:
    state = steps(GLUON.learner(hands(8), quick()), hands(8), 1).state()
    with pytest.raises(BadModel, match="expected the arrays of this network and this optimizer"):
        GLUON.learner(hands(8), quick(**changes), state)


@pytest.mark.parametrize("steps_taken", [(-1, 0), (0, 1e9), (float("nan"), 0)])
def test_a_count_of_steps_that_is_none_is_refused(
    hands: Hands, quick: Quick, steps_taken: tuple[float, float]
) -> None:
    arrays = read_params("state", steps(GLUON.learner(hands(8), quick()), hands(8), 1).state())
    assert arrays["steps"].tolist() == [0, 1]
    state = write_params(arrays | {"steps": np.array(steps_taken, np.float32)})
    with pytest.raises(BadModel, match="expected a count of steps"):
        GLUON.learner(hands(8), quick(), state)


@pytest.mark.parametrize("state", [b"", b"\x80\x04cos\nsystem\n"], ids=["empty", "a pickle"])
def test_what_is_no_state_is_refused(hands: Hands, quick: Quick, state: bytes) -> None:
    with pytest.raises(BadModel, match="its state: expected weights"):
        GLUON.learner(hands(8), quick(), state)

"""What is chosen where nothing was typed: a table of pictures, devices and weights."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.choice import PATIENCE, Device, Facts, complete, quicker, reason
from trainers.config import TrainConfig, check_config
from trainers.registry import DEFAULT, TRAINERS

ROW = TRAINERS[DEFAULT]
DIGITS, SAMPLE, PHOTOS = (32, 32), (108, 81), (4032, 3024)
RESNET, WEIGHTS = {"network": "resnet18_v2"}, {"init_from": "old.params"}


@pytest.mark.parametrize(
    ("facts", "typed", "network", "side", "epochs", "batch_size"),
    [
        pytest.param(Facts(1351, DIGITS), {}, "small", 32, 30, 16, id="digits"),
        pytest.param(Facts(1351, (8, 8)), {}, "small", 32, 30, 16, id="digits of 8 pixels"),
        pytest.param(Facts(89, SAMPLE), {}, "small", 64, 30, 16, id="the sample"),
        pytest.param(Facts(2_000, PHOTOS), {}, "small", 64, 30, 16, id="photographs"),
        pytest.param(Facts(2_000, None), {}, "small", 64, 30, 16, id="pictures that are not here"),
        pytest.param(Facts(20_000, PHOTOS), {}, "small", 64, 12, 64, id="many photographs"),
        pytest.param(Facts(1_000_000, PHOTOS), {}, "small", 64, 5, 64, id="a million"),
        pytest.param(Facts(89, SAMPLE), WEIGHTS, "resnet18_v2", 96, 30, 16, id="weights"),
        pytest.param(Facts(89, PHOTOS), {"pretrained": True}, "resnet18_v2", 224, 14, 16, id="ImageNet's"),
        pytest.param(Facts(2_000, PHOTOS), WEIGHTS, "resnet18_v2", 224, 5, 16, id="weights and photographs"),
        pytest.param(Facts(2_000, DIGITS), RESNET, "resnet18_v2", 32, 30, 16, id="a network that was typed"),
        pytest.param(Facts(2_000, PHOTOS), RESNET, "resnet18_v2", 224, 30, 16, id="and photographs"),
        pytest.param(Facts(2_000, PHOTOS, "gpu"), {}, "resnet18_v2", 224, 30, 16, id="a GPU"),
        pytest.param(Facts(300, PHOTOS, "gpu"), {}, "small", 64, 30, 16, id="a GPU, few pictures"),
        pytest.param(Facts(2_000, DIGITS), {"image_size": 224}, "small", 224, 9, 16, id="a size"),
    ],
)
def test_what_is_chosen(
    facts: Facts, typed: dict[str, Any], network: str, side: int, epochs: int, batch_size: int
) -> None:
    config = TrainConfig(**complete(typed, facts, ROW))
    found = config.network, config.image_size, config.epochs, config.batch_size, config.patience
    assert found == (network, side, epochs, batch_size, PATIENCE)
    assert (config.optimizer, config.learning_rate) == ("adam", 0.001)


def test_epochs_that_were_typed_are_all_learnt() -> None:
    assert complete({"epochs": 7}, Facts(89, SAMPLE), ROW)["patience"] == 0
    assert complete({"epochs": 7, "patience": 2}, Facts(89, SAMPLE), ROW)["patience"] == 2


FACTS = st.builds(
    Facts,
    st.integers(1, 10**8),
    st.none() | st.tuples(st.integers(1, 60_000), st.integers(1, 60_000)),
    st.sampled_from(list[Device](["cpu", "gpu"])),
)
TYPED = st.fixed_dictionaries(
    {},
    optional={
        "network": st.sampled_from([network.name for network in ROW.networks]),
        "image_size": st.integers(16, 512),
        "epochs": st.integers(1, 100),
        "batch_size": st.integers(1, 100),
        "init_from": st.just("old.params"),
    },
)


@given(TYPED, FACTS)
def test_what_was_typed_stays_and_the_rest_is_a_run_that_the_trainer_takes(
    typed: dict[str, Any], facts: Facts
) -> None:
    values = complete(typed, facts, ROW)
    assert values.items() >= typed.items()
    check_config(TrainConfig(**values), ROW)


@given(FACTS, st.integers(1, 10**8))
def test_of_more_pictures_there_are_no_more_epochs(facts: Facts, more: int) -> None:
    larger = Facts(facts.pictures + more, facts.size, "cpu")
    smaller = Facts(facts.pictures, facts.size, "cpu")
    assert complete({}, larger, ROW)["epochs"] <= complete({}, smaller, ROW)["epochs"]


def why(facts: Facts, **typed: Any) -> str:
    return reason(TrainConfig(**complete(typed, facts, ROW)), typed, facts, ROW)


def test_the_choice_is_explained_in_a_line() -> None:
    assert why(Facts(1351, DIGITS)) == (
        "32 pixels because pictures are about 32 x 32; small because it learns from scratch in minutes; for"
        " resnet18_v2 with ImageNet's weights type --pretrained"
    )
    assert why(Facts(1351, (8, 8))).startswith("32 pixels, the least, because pictures are about 8 x 8; ")
    assert why(Facts(9, None), init_from="old.params") == (
        "resnet18_v2 because there are weights to start from"
    )
    assert why(Facts(2_000, None, "gpu")) == "resnet18_v2 because a GPU learns 2,000 pictures"
    assert why(Facts(9, DIGITS), network="mlp", image_size=32) == ""


def test_what_is_quicker_is_typed_as_it_stands_there() -> None:
    deep = TrainConfig(network="resnet18_v2", image_size=224)
    assert quicker(deep, ROW) == "--network small --image-size 64 takes about 1/184 of that"
    weights = TrainConfig(network="resnet18_v2", image_size=224, pretrained=True)
    assert quicker(weights, ROW) == "--image-size 112 takes about a quarter of that"
    assert "--epochs N" in quicker(TrainConfig(network="small", image_size=32), ROW)

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.algorithms import ALGORITHMS, Hyperparameter
from manifest_tools.base.errors import Refused
from tests.trainers.sagemaker.labs import (
    BIRDS,
    IC,
    LEARNING_RATE,
    MINI_BATCH_SIZE,
    SHORT,
    training,
    tuning_job,
)
from tests.trainers.sagemaker.service_model import problems
from trainers.sagemaker import Choice, Range, create, manifest_channels
from trainers.sagemaker.requests.tuning_job import tunable, warnings

OPTIMIZER = Choice("optimizer", ("sgd", "adam"))


def with_ranges(*ranges: Range | Choice) -> dict[str, Any]:
    return {"ranges": ranges}


@pytest.mark.parametrize(
    ("other", "message"),
    [
        pytest.param({"name": "a" * 33}, "tuning job: expected at most 32 characters", id="a long name"),
        pytest.param({"max_jobs": 0}, "max jobs: expected 1 to 750", id="no job"),
        pytest.param({"parallel": 21}, "parallel: expected 1 to 20, found 21", id="more at once than in all"),
        pytest.param({"max_total": 60}, "max total (seconds): expected 120 to", id="no time"),
        pytest.param({"seed": -1}, "seed: expected 0 to", id="a seed below 0"),
        pytest.param(
            {"metric": "accuracy"}, "metric: expected validation:accuracy", id="a metric of its own"
        ),
        pytest.param(with_ranges(), "ranges and choices: expected 1 to 30, found 0", id="nothing to vary"),
        pytest.param(
            with_ranges(Range("resize", "224", "256")),
            "cannot tune 'resize'; it can beta_1",
            id="not tunable",
        ),
        pytest.param(with_ranges(Range("nothing", "1", "2")), "cannot tune 'nothing'", id="unknown"),
        pytest.param(
            with_ranges(Range("optimizer", "a", "b")), "vary it by choices, not by a range", id="kind"
        ),
        pytest.param(
            with_ranges(Choice("learning_rate", ("0.1", "0.2"))),
            "by a range, not by choices",
            id="other kind",
        ),
        pytest.param(
            with_ranges(Choice("optimizer", ())), "optimizer: values: expected 1 to 30", id="no choice"
        ),
        pytest.param(with_ranges(Choice("optimizer", ("sgd", "sgd"))), "stands twice", id="a choice twice"),
        pytest.param(
            with_ranges(Choice("optimizer", ("adadelta",))), "expected some of sgd", id="no such choice"
        ),
        pytest.param(
            with_ranges(Range("learning_rate", "0.1", "2")), "a number from 0 up to 1", id="above 1"
        ),
        pytest.param(
            with_ranges(Range("mini_batch_size", "8.5", "9")), "a whole number", id="half a picture"
        ),
        pytest.param(
            with_ranges(Range("learning_rate", "0.2", "0.1")), "low end below", id="the wrong way round"
        ),
        pytest.param(
            with_ranges(Range("learning_rate", "0.1", "0.1")), "low end below", id="nothing between"
        ),
        pytest.param(
            with_ranges(Range("momentum", "0", "0.9", "Logarithmic")),
            "logarithmic scale begins above 0",
            id="log of 0",
        ),
        pytest.param(
            with_ranges(Range("mini_batch_size", "8", "9", "ReverseLogarithmic")),
            "from 0 to below 1",
            id="reverse",
        ),
        pytest.param(with_ranges(LEARNING_RATE, LEARNING_RATE), "is varied twice", id="a range twice"),
        pytest.param(
            {"training": training(hyperparameters={**SHORT, "mini_batch_size": "8"})},
            "is both set and varied",
            id="set and varied",
        ),
        pytest.param(
            with_ranges(Range("mini_batch_size", "8", "900")),
            "mini_batch_size=900: expected at most num_training_samples=800",
            id="a trial that would fail",
        ),
        pytest.param({"training": training(hyperparameters={})}, "needs num_classes", id="no num_classes"),
        pytest.param(
            {"strategy": "Hyperband", "early_stopping": True}, "Hyperband stops trials", id="Hyperband"
        ),
        pytest.param({"strategy": "Grid"}, "Grid varies choices only", id="a grid of ranges"),
        pytest.param(
            {"strategy": "Grid", "ranges": (OPTIMIZER,)},
            "max jobs: the grid has 2, found 20",
            id="a grid's size",
        ),
        pytest.param({"tags": {"a": ","}}, "no commas", id="a tag"),
    ],
)
def test_a_tuning_job_that_would_fail_is_refused_on_one_line(other: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused) as refused:
        tuning_job(**other)
    assert message in str(refused.value) and str(refused.value).isprintable()


def test_a_small_data_set_can_be_tuned_though_the_default_batch_is_larger() -> None:
    small = training(hyperparameters={**SHORT, "num_training_samples": "20"})
    assert tuning_job(training=small, ranges=(Range("mini_batch_size", "4", "16"),)).max_jobs == 20


def test_beyond_what_aws_recommends_is_a_warning_and_no_refusal() -> None:
    job = tuning_job(ranges=(Range("mini_batch_size", "4", "64"), Range("learning_rate", "1e-6", "0.5")))
    assert warnings(job) == ["mini_batch_size: 4 to 64 goes beyond what AWS recommends, 8 to 512"]
    assert warnings(tuning_job()) == []


def test_a_grid_of_choices_is_taken() -> None:
    operation, body = create(tuning_job(strategy="Grid", ranges=(OPTIMIZER,), max_jobs=2))
    assert problems(operation, body) == []


RECOMMENDED = [
    (name, one)
    for name, found in ALGORITHMS.items()
    for one in found.hyperparameters
    if one.tunable is not None
]


@pytest.mark.parametrize(
    ("name", "one"), RECOMMENDED, ids=[f"{name} {one.name}" for name, one in RECOMMENDED]
)
def test_what_the_tuning_page_recommends_can_be_varied(name: str, one: Hyperparameter) -> None:
    algorithm = ALGORITHMS[name]
    found, known = tunable(one.name, algorithm)
    assert found == one
    edge = name == "object-detection" and one.name in (
        "momentum",
        "weight_decay",
    )  # recommended from 0, barred
    varied: Range | Choice = Choice(one.name, known.choices)
    if known.kind != "categorical":
        varied = Range(one.name, "1e-6" if edge else known.low, known.high)
    values = {"num_classes": "5", "num_training_samples": "800"}
    channels = manifest_channels(algorithm, BIRDS, ["source-ref", "a"])
    job = tuning_job(
        training=training(algorithm=algorithm, channels=channels, hyperparameters=values), ranges=(varied,)
    )
    assert problems(*create(job)) == []
    assert warnings(job) == []


ends = st.sampled_from(["0", "0.1", "1", "8", "64", "1e-5", "9" * 400, ""]) | st.text(max_size=20)
names = st.sampled_from([one.name for one in IC.hyperparameters]) | st.text(max_size=20)
scales = st.sampled_from(["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"])
varied = st.builds(Range, names, ends, ends, scales) | st.builds(
    Choice, names, st.lists(ends, max_size=3).map(tuple)
)


@given(st.lists(varied, max_size=3), st.integers(-1, 800), st.integers(-1, 110), st.booleans())
def test_every_tuning_job_that_can_be_made_is_a_request_that_the_service_takes(
    ranges: list[Range | Choice], most: int, parallel: int, stopping: bool
) -> None:
    fields = {"max_jobs": most, "parallel": parallel, "early_stopping": stopping}
    try:
        job = tuning_job(ranges=(LEARNING_RATE, *ranges), **fields)
    except Refused as refused:
        assert str(refused).isprintable()
    else:
        assert problems(*create(job)) == []


def test_the_two_ranges_of_the_labs_are_of_the_two_kinds() -> None:
    _, body = create(tuning_job())
    ranges = body["HyperParameterTuningJobConfig"]["ParameterRanges"]
    assert [one["Name"] for one in ranges["ContinuousParameterRanges"]] == [LEARNING_RATE.name]
    assert [one["Name"] for one in ranges["IntegerParameterRanges"]] == [MINI_BATCH_SIZE.name]

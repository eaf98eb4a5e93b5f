import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.sagemaker.training.log_lines import BestSoFar, Epoch, Epochs, Fault, Figure, Speed, read_line

STAMP = "[09/07/2019 22:57:58 INFO 140484553713472] "

# What image classification writes in an epoch, in its order.
IMAGE = """Epoch[0] Batch [20]\tSpeed: 108.98 samples/sec\taccuracy=0.017113
Epoch[0] Train-accuracy=0.375000
Epoch[0] Train-top_k_accuracy_2=0.75
Epoch[0] Time cost=14.863
Epoch[0] Validation-accuracy=0.771429
Storing the best model with validation accuracy: 0.771429
Saved checkpoint to "/opt/ml/model/image-classification-0001.params"
Epoch[1] Train-accuracy=0.875000
Epoch[1] Time cost=6.475
Epoch[1] Validation-accuracy=0.885714
""".splitlines()


@pytest.mark.parametrize("stamp", ["", STAMP], ids=["bare", "with time and thread"])
@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("Epoch[3] Train-accuracy=0.96", [Figure(4, "train:accuracy", 0.96)], id="training"),
        pytest.param(
            "Epoch[3] Validation-accuracy=0.73", [Figure(4, "validation:accuracy", 0.73)], id="validation"
        ),
        pytest.param(
            "Epoch[3] Train-top_k_accuracy_2=0.9", [Figure(4, "train:top_k_accuracy_2", 0.9)], id="top k"
        ),
        pytest.param("Epoch[3] Time cost=2.573", [Figure(4, "time", 2.573)], id="time"),
        pytest.param(
            "Epoch[0] Batch [20]\tSpeed: 108.98 samples/sec\taccuracy=0.5", [Speed(1, 20, 108.98)], id="speed"
        ),
        pytest.param(
            "Storing the best model with validation accuracy: 0.73", [BestSoFar(0.73)], id="the best model"
        ),
        pytest.param(
            "#quality_metric: host=algo-1, epoch=2, validation mAP <score>=(0.41)",
            [Figure(3, "validation:mAP", 0.41)],
            id="object detection",
        ),
        pytest.param(
            "#quality_metric: host=algo-1, epoch=0, batch=9, train cross_entropy <loss>=(0.9),"
            " train smooth_l1 <loss>=(0.3)",
            [Figure(1, "train:cross_entropy", 0.9), Figure(1, "train:smooth_l1", 0.3)],
            id="two in a line",
        ),
        pytest.param("Customer Error: no", [Fault("Customer Error: no")], id="an error"),
        pytest.param("Epoch[3] Train-accuracy=oops", [], id="a number that is none"),
        pytest.param("Epoch[x] Train-accuracy=0.5", [], id="an epoch that is none"),
        pytest.param('Saved checkpoint to "/opt/x.params"', [], id="a saved file"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_a_line_says(line: str, message: list[object], stamp: str) -> None:
    assert read_line(stamp + line) == message


def test_a_line_of_the_level_error_is_one() -> None:
    assert read_line(STAMP.replace("INFO", "ERROR") + "something broke") == [Fault("something broke")]


@given(st.text(max_size=200))
def test_any_line_is_read_without_a_failure(line: str) -> None:
    read_line(line)
    read_line(f"Epoch[1] {line}")
    read_line(f"#quality_metric: host=a, epoch=1, {line}")


def epochs_of(lines: list[str]) -> list[Epoch]:
    epochs = Epochs()
    figures = [message for line in lines for message in read_line(line) if isinstance(message, Figure)]
    return [done for figure in figures for done in epochs.add(figure)] + epochs.end()


def test_epochs_come_once_each_as_soon_as_they_are_whole() -> None:
    first, second = epochs_of(IMAGE)
    assert (first.epoch, first.train_accuracy, first.validation_accuracy) == (1, 0.375, 0.771429)
    assert (first.seconds, first.figure("train:top_k_accuracy_2")) == (14.863, 0.75)
    assert (second.epoch, second.seconds) == (2, 6.475)


def test_without_validation_an_epoch_ends_where_the_next_begins() -> None:
    lines = [line for line in IMAGE if "Validation" not in line]
    assert [(one.epoch, one.validation_accuracy) for one in epochs_of(lines)] == [(1, None), (2, None)]


def test_two_machines_that_write_the_same_make_one_epoch() -> None:
    both = [line for line in IMAGE for _ in range(2)]
    assert [one.epoch for one in epochs_of(both)] == [1, 2]


@given(st.permutations(IMAGE))
def test_in_whatever_order_no_epoch_comes_twice(lines: list[str]) -> None:
    found = [one.epoch for one in epochs_of(lines)]
    assert found == sorted(set(found))

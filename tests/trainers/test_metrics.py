from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    multilabel_confusion_matrix,
    precision_recall_fscore_support,
)

from manifest_tools.groundtruth.classes import ClassTable
from trainers.dataset import Probabilities, Targets
from trainers.metrics import Metrics, log_losses, measure, predicted_classes

TABLE = ClassTable(((0, "RH"), (1, "LH"), (3, "none")))


def sure(answers: list[int]) -> Probabilities:
    """Return probabilities of a model that is sure of these classes, of four."""
    return np.eye(4, dtype=np.float32)[answers]


def test_figures_by_hand() -> None:
    figures = measure(np.array([0, 0, 0, 1]), sure([0, 0, 1, 1]), TABLE)
    assert figures.accuracy == figures.exact == 0.75
    assert figures.confusion == ((2, 1, 0, 0), (0, 1, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0))
    right, left = figures.classes[:2]
    assert (right.name, right.precision, right.recall, right.support) == ("RH", 1.0, 2 / 3, 3)
    assert (left.name, left.precision, left.recall, left.support) == ("LH", 0.5, 1.0, 1)
    assert right.f1 == pytest.approx(0.8)


def test_a_class_that_is_never_there_and_never_answered_has_no_figures() -> None:
    gap, unseen = measure(np.array([0, 1]), sure([0, 1]), TABLE).classes[2:]
    assert (gap.name, gap.precision, gap.recall, gap.f1, gap.support) == ("class 2", None, None, None, 0)
    assert unseen.name == "none"


def test_figures_of_several_labels_a_picture() -> None:
    labels = np.array([[1, 0], [1, 1]])
    predicted = np.array([[0.9, 0.5], [0.2, 0.8]], np.float32)
    figures = measure(labels, predicted, ClassTable(((0, "rust"), (1, "dent"))))
    assert (figures.accuracy, figures.exact, figures.multi_label) == (0.5, 0.0, True)
    # rightly not there, wrongly there, wrongly not there, rightly there
    assert figures.confusion == ((0, 0, 1, 1), (0, 1, 0, 1))


@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_with_several_labels_the_figures_are_those_of_scikit_learn(pictures: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    labels, predicted = random.integers(0, 2, (pictures, 4)), random.random((pictures, 4), np.float32)
    figures = measure(labels, predicted, TABLE)
    answers = predicted_classes(predicted, multi_label=True)
    agree(figures, precision_recall_fscore_support(labels, answers, average=None, zero_division=np.nan))
    matrix = multilabel_confusion_matrix(labels, answers).reshape(-1, 4)
    assert figures.confusion == tuple(map(tuple, matrix.tolist()))
    assert figures.exact == accuracy_score(labels, answers)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_with_one_label_the_figures_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    labels, answers = [truth for truth, _ in pairs], [predicted for _, predicted in pairs]
    figures = measure(np.array(labels), sure(answers), TABLE)
    expected = precision_recall_fscore_support(
        labels, answers, labels=range(4), average=None, zero_division=np.nan
    )
    agree(figures, expected)
    matrix = confusion_matrix(labels, answers, labels=range(4))
    assert figures.confusion == tuple(map(tuple, matrix.tolist()))


def agree(figures: Metrics, expected: Any) -> None:
    """Assert that the figures by class are scikit-learn's precision, recall, F1 and support."""
    ours = [(each.precision, each.recall, each.f1, each.support) for each in figures.classes]
    np.testing.assert_allclose(np.array(ours, float).T, np.array(expected, float))


def test_several_labels_of_which_there_is_one_class_only() -> None:
    figures = measure(np.array([[1], [0]]), np.array([[0.9], [0.8]], np.float32), ClassTable(((0, "rust"),)))
    assert figures.accuracy == 0.5
    assert figures.classes[0].recall == 1.0


def test_a_class_is_said_to_be_there_from_one_half_on() -> None:
    assert predicted_classes(np.array([[0.5, 0.49]], np.float32), multi_label=True).tolist() == [[1, 0]]


@pytest.mark.parametrize(
    ("labels", "predicted", "loss"),
    [
        pytest.param(np.array([0]), [[0.5, 0.5]], np.log(2), id="an even chance costs log 2"),
        pytest.param(np.array([1]), [[0.0, 1.0]], 0, id="right and sure costs nothing"),
        pytest.param(np.array([[1, 0]]), [[0.5, 0.5]], np.log(2), id="over several labels the mean counts"),
    ],
)
def test_losses(labels: Targets, predicted: list[list[float]], loss: float) -> None:
    assert log_losses(labels, np.array(predicted, np.float32)) == pytest.approx([loss], abs=1e-5)


def test_wrong_and_sure_costs_much_but_not_infinitely_much() -> None:
    assert 10 < log_losses(np.array([1]), np.array([[1.0, 0.0]], np.float32))[0] < 20


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_the_confusion_matrix_counts_every_picture_once(pairs: list[tuple[int, int]]) -> None:
    labels = np.array([truth for truth, _ in pairs])
    figures = measure(labels, sure([predicted for _, predicted in pairs]), TABLE)
    matrix = np.array(figures.confusion)
    assert matrix.sum() == figures.examples == len(pairs)
    assert [each.support for each in figures.classes] == matrix.sum(axis=1).tolist()
    assert figures.accuracy == pytest.approx(np.trace(matrix) / len(pairs))

"""Figures of a classifier: what it answered against what was so; counted by scikit-learn."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from manifest_tools.groundtruth.classes import ClassTable
from trainers.dataset import Probabilities, Targets

# A class is said to be there from this probability on, where each is judged by itself.
THRESHOLD = 0.5

_TINY = 1e-7  # a probability of 0 would cost infinitely much


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """How well one class was told; a figure is None where it is 0 out of 0."""

    index: int
    name: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int


@dataclass(frozen=True, slots=True)
class Metrics:
    """The figures of one set of pictures."""

    examples: int
    accuracy: float
    """Right answers by all; with several labels a picture, the mean over classes, as the built-in
    algorithm's ``validation:accuracy``."""

    exact: float
    """Pictures with every class right, by all; with one label a picture the same as accuracy."""

    loss: float
    """Mean cross-entropy, in nats."""

    classes: tuple[ClassFigures, ...]
    confusion: tuple[tuple[int, ...], ...]
    """Rows: what was so; columns: what was answered. With several labels a picture a row for each
    class: rightly not there, wrongly there, wrongly not there, rightly there."""

    multi_label: bool

    def to_json(self) -> dict[str, Any]:
        """Return the figures as metrics.json and ``--json`` have them."""
        return {
            **asdict(self),
            "classes": [asdict(each) for each in self.classes],
            "confusion": [list(row) for row in self.confusion],
        }


def measure(labels: Targets, probabilities: Probabilities, table: ClassTable) -> Metrics:
    """Return the figures of ``probabilities`` (n, classes) against labels (n,) or multi-hot (n, classes).

    >>> table = ClassTable(((0, "RH"), (1, "LH")))
    >>> answers = np.array([[0.9, 0.1], [0.6, 0.4]], np.float32)
    >>> figures = measure(np.array([0, 1]), answers, table)
    >>> figures.accuracy, figures.confusion
    (0.5, ((1, 0), (1, 0)))
    """
    answers = answer(probabilities, labels.ndim == 2)
    confusion = _confusion(labels, answers, table.num_classes)
    right = answers == labels
    return Metrics(
        examples=len(labels),
        accuracy=float(right.mean()),
        exact=float(right.reshape(len(labels), -1).all(axis=1).mean()),
        loss=float(log_losses(labels, probabilities).mean()),
        classes=tuple(_class_figures(labels, answers, table)),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        multi_label=labels.ndim == 2,
    )


def answer(probabilities: Probabilities, multi_label: bool) -> Targets:
    """Return the likeliest class of each picture, or a 1 for every class that is likely enough."""
    if multi_label:
        return (probabilities >= THRESHOLD).astype(np.int64)
    likeliest: Targets = probabilities.argmax(axis=1)
    return likeliest


def log_losses(labels: Targets, probabilities: Probabilities) -> Probabilities:
    """Return the cross-entropy of each picture in nats; over several labels the mean of classes."""
    likely = probabilities.clip(_TINY, 1 - _TINY)
    losses: Probabilities
    if labels.ndim == 1:
        losses = -np.log(likely[np.arange(len(labels)), labels])
    else:
        losses = -np.where(labels == 1, np.log(likely), np.log(1 - likely)).mean(axis=1)
    return losses


def _confusion(labels: Targets, answers: Targets, classes: int) -> Targets:
    from sklearn.metrics import confusion_matrix

    if labels.ndim == 2:
        return _by_class(labels, answers)
    return np.asarray(confusion_matrix(labels, answers, labels=range(classes)))


def _by_class(labels: Targets, answers: Targets) -> Targets:
    """Return for each class: rightly not there, wrongly there, wrongly not there, rightly there."""
    from sklearn.metrics import confusion_matrix

    # Class by class: scikit-learn's own multi-label matrix reads a single class of several as two.
    pairs = zip(labels.T, answers.T, strict=True)
    return np.stack([confusion_matrix(was, said, labels=[0, 1]).ravel() for was, said in pairs])


def _class_figures(labels: Targets, answers: Targets, table: ClassTable) -> Iterator[ClassFigures]:
    if labels.ndim == 1:
        figures = _figures(labels, answers, range(table.num_classes))
    else:
        pairs = zip(labels.T, answers.T, strict=True)
        figures = [figure for was, said in pairs for figure in _figures(was, said, [1])]
    for index, (precision, recall, f1, support) in enumerate(figures):
        name = table.name(index)
        yield ClassFigures(index, name, _known(precision), _known(recall), _known(f1), int(support))


def _figures(was: Targets, said: Targets, classes: Sequence[int]) -> list[tuple[float, float, float, float]]:
    """Return precision, recall, F1 and support of each class; not-a-number where it is 0 out of 0."""
    from sklearn.metrics import precision_recall_fscore_support

    found = precision_recall_fscore_support(was, said, labels=classes, average=None, zero_division=np.nan)
    return list(zip(*(values.tolist() for values in found), strict=True))


def _known(figure: float) -> float | None:
    return None if np.isnan(figure) else figure

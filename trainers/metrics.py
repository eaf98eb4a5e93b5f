"""Figures of a classifier: what it answered against what was so.

Counted here in a few lines of NumPy; the tests hold them against scikit-learn, which takes a second to
import and reads a single class of several as two.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from manifest_tools.classes import ClassTable
from trainers.dataset import Labels, Probabilities

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


def measure(labels: Labels, probabilities: Probabilities, table: ClassTable) -> Metrics:
    """Return the figures of ``probabilities`` (n, classes) against labels (n,) or multi-hot (n, classes).

    >>> table = ClassTable(((0, "RH"), (1, "LH")))
    >>> answers = np.array([[0.9, 0.1], [0.6, 0.4]], np.float32)
    >>> figures = measure(np.array([0, 1]), answers, table)
    >>> figures.accuracy, figures.confusion
    (0.5, ((1, 0), (1, 0)))
    """
    answers = answer(probabilities, labels.ndim == 2)
    confusion = (
        _by_class(labels, answers) if labels.ndim == 2 else _matrix(labels, answers, table.num_classes)
    )
    right = answers == labels
    return Metrics(
        examples=len(labels),
        accuracy=float(right.mean()),
        exact=float(right.reshape(len(labels), -1).all(axis=1).mean()),
        loss=float(log_losses(labels, probabilities).mean()),
        classes=tuple(_class_figures(confusion, table, labels.ndim == 2)),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        multi_label=labels.ndim == 2,
    )


def answer(probabilities: Probabilities, multi_label: bool) -> Labels:
    """Return the likeliest class of each picture, or a 1 for every class that is likely enough."""
    if multi_label:
        return (probabilities >= THRESHOLD).astype(np.int64)
    likeliest: Labels = probabilities.argmax(axis=1)
    return likeliest


def log_losses(labels: Labels, probabilities: Probabilities) -> Probabilities:
    """Return the cross-entropy of each picture in nats; over several labels the mean of classes."""
    likely = probabilities.clip(_TINY, 1 - _TINY)
    losses: Probabilities
    if labels.ndim == 1:
        losses = -np.log(likely[np.arange(len(labels)), labels])
    else:
        losses = -np.where(labels == 1, np.log(likely), np.log(1 - likely)).mean(axis=1)
    return losses


def _matrix(labels: Labels, answers: Labels, classes: int) -> Labels:
    """Return how often each class (row) was answered with each (column)."""
    cells = np.bincount(labels * classes + answers, minlength=classes * classes)
    return cells.reshape(classes, classes)


def _by_class(labels: Labels, answers: Labels) -> Labels:
    """Return for each class: rightly not there, wrongly there, wrongly not there, rightly there."""
    kinds = labels * 2 + answers
    return np.stack([(kinds == kind).sum(axis=0) for kind in range(4)], axis=1)


def _class_figures(confusion: Labels, table: ClassTable, multi_label: bool) -> Iterator[ClassFigures]:
    if multi_label:
        _, wrongly, missed, hit = confusion.T
    else:
        hit = confusion.diagonal()
        wrongly, missed = confusion.sum(axis=0) - hit, confusion.sum(axis=1) - hit
    for index, (tp, fp, fn) in enumerate(zip(hit.tolist(), wrongly.tolist(), missed.tolist(), strict=True)):
        yield ClassFigures(
            index,
            table.name(index),
            precision=_share(tp, tp + fp),
            recall=_share(tp, tp + fn),
            f1=_share(2 * tp, 2 * tp + fp + fn),
            support=tp + fn,
        )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None

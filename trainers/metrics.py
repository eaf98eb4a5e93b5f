"""Figures of a classifier: its predictions against the labels, counted by scikit-learn."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from manifest_tools.groundtruth.classes import ClassTable
from trainers.dataset import Probabilities, Targets

# With several labels a picture, a class is predicted from this probability on.
THRESHOLD = 0.5

_TINY = 1e-7  # the loss of a probability of 0 would be infinite


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """The figures of one class, each 0 to 1, or None where it would be 0 divided by 0."""

    index: int
    name: str
    precision: float | None
    """Pictures of the class among those that were predicted to be of it."""

    recall: float | None
    """Pictures that were predicted to be of the class among those of it."""

    f1: float | None
    """The harmonic mean of precision and recall."""

    support: int
    """Pictures of the class."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """The figures of one set of pictures."""

    examples: int
    """Pictures."""

    accuracy: float
    """Right predictions divided by all, 0 to 1; with several labels a picture the mean over classes, as the
    built-in algorithm's ``validation:accuracy``."""

    exact: float
    """Pictures with every class right divided by all, 0 to 1; with one label a picture equal to accuracy."""

    loss: float
    """Mean cross-entropy, in nats."""

    classes: tuple[ClassFigures, ...]
    """In order of index, one for each index from 0."""

    confusion: tuple[tuple[int, ...], ...]
    """Counts, ``(labelled class, predicted class)``. With several labels a picture a row a class: true
    negatives, false positives, false negatives, true positives."""

    multi_label: bool
    """Whether a picture may have several classes."""

    def worst_pairs(self) -> list[tuple[int, int, int]]:
        """Return how often each class was taken for another, with both, the most frequent first.

        Nothing with several labels a picture, where no class is taken for another.
        """
        if self.multi_label:
            return []
        cells = (
            (row, at, count) for row, counts in enumerate(self.confusion) for at, count in enumerate(counts)
        )
        wrong = [(count, row, at) for row, at, count in cells if count and row != at]
        return sorted(wrong, key=lambda cell: (-cell[0], cell[1:]))

    def to_json(self) -> dict[str, Any]:
        """Return the figures as metrics.json and ``--json`` have them."""
        return {
            **asdict(self),
            "classes": [asdict(each) for each in self.classes],
            "confusion": [list(row) for row in self.confusion],
        }


def measure(labels: Targets, probabilities: Probabilities, table: ClassTable) -> Metrics:
    """Return the figures of ``probabilities``, ``(pictures, classes)``, against the labels.

    >>> table = ClassTable(((0, "RH"), (1, "LH")))
    >>> predicted = np.array([[0.9, 0.1], [0.6, 0.4]], np.float32)
    >>> figures = measure(np.array([0, 1]), predicted, table)
    >>> figures.accuracy, figures.confusion
    (0.5, ((1, 0), (1, 0)))
    """
    predicted = predicted_classes(probabilities, labels.ndim == 2)
    confusion = _confusion(labels, predicted, table.num_classes)
    right = predicted == labels
    return Metrics(
        examples=len(labels),
        accuracy=float(right.mean()),
        exact=float(right.reshape(len(labels), -1).all(axis=1).mean()),
        loss=float(log_losses(labels, probabilities).mean()),
        classes=tuple(_class_figures(labels, predicted, table)),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        multi_label=labels.ndim == 2,
    )


def predicted_classes(probabilities: Probabilities, multi_label: bool) -> Targets:
    """Return the likeliest class of each picture, or a 1 for every class from ``THRESHOLD`` on."""
    if multi_label:
        return (probabilities >= THRESHOLD).astype(np.int64)
    likeliest: Targets = probabilities.argmax(axis=1)
    return likeliest


def log_losses(labels: Targets, probabilities: Probabilities) -> Probabilities:
    """Return the cross-entropy of each picture, ``(pictures,)``, in nats; of several labels their mean."""
    likely = probabilities.clip(_TINY, 1 - _TINY)
    losses: Probabilities
    if labels.ndim == 1:
        losses = -np.log(likely[np.arange(len(labels)), labels])
    else:
        losses = -np.where(labels == 1, np.log(likely), np.log(1 - likely)).mean(axis=1)
    return losses


def _confusion(labels: Targets, predicted: Targets, classes: int) -> Targets:
    from sklearn.metrics import confusion_matrix

    if labels.ndim == 2:
        return _by_class(labels, predicted)
    return np.asarray(confusion_matrix(labels, predicted, labels=range(classes)))


def _by_class(labels: Targets, predicted: Targets) -> Targets:
    """Return true negatives, false positives, false negatives and true positives, ``(classes, 4)``."""
    from sklearn.metrics import confusion_matrix

    # Class by class: scikit-learn's own multi-label matrix reads a single class of several as two.
    pairs = zip(labels.T, predicted.T, strict=True)
    return np.stack([confusion_matrix(was, found, labels=[0, 1]).ravel() for was, found in pairs])


def _class_figures(labels: Targets, predicted: Targets, table: ClassTable) -> Iterator[ClassFigures]:
    if labels.ndim == 1:
        figures = _figures(labels, predicted, range(table.num_classes))
    else:
        pairs = zip(labels.T, predicted.T, strict=True)
        figures = [figure for was, found in pairs for figure in _figures(was, found, [1])]
    for index, (precision, recall, f1, support) in enumerate(figures):
        name = table.name(index)
        yield ClassFigures(index, name, _known(precision), _known(recall), _known(f1), int(support))


def _figures(
    labels: Targets, predicted: Targets, classes: Sequence[int]
) -> list[tuple[float, float, float, float]]:
    """Return precision, recall, F1 and support of each class; NaN where it would be 0 divided by 0."""
    from sklearn.metrics import precision_recall_fscore_support

    found = precision_recall_fscore_support(
        labels, predicted, labels=classes, average=None, zero_division=np.nan
    )
    return list(zip(*(values.tolist() for values in found), strict=True))


def _known(figure: float) -> float | None:
    return None if np.isnan(figure) else figure

"""The task types of Ground Truth: one file a form of label, and one table of the ``type`` strings.

A new type is a file here and a row in TYPES.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from manifest_tools.record import Row


@dataclass(frozen=True, slots=True)
class TaskType:
    """How the labels of a type are read; each function takes a labelled row.

    ``label`` is the form that ``record.LABELS`` names. ``indices`` gives the class indices in the order of
    the label, and raises ValueError for a label that is none. ``names`` gives what the line says its
    classes are called; ``confidences`` gives a value from 0 to 1 a class, in the same order.
    """

    type: str
    label: str
    indices: Callable[["Row"], tuple[int, ...]]
    names: Callable[["Row"], tuple[tuple[int, str], ...]]
    confidences: Callable[["Row"], tuple[float | None, ...]]

    @property
    def has_classes(self) -> bool:
        """Say whether a line's label is a class, or a list of classes."""
        return self.label != "any"

    @property
    def multi_label(self) -> bool:
        """Say whether a line may have several classes."""
        return self.label == "indices"


# From the table of section 4 of the format reference; compared without regard to case.
TYPES = {
    "groundtruth/image-classification": "single_label",
    "groundtruth/image-classification-multilabel": "multi_label",
    "groundtruth/text-classification": "single_label",
    "groundtruth/text-classification-multilabel": "multi_label",
    "groundtruth/video-classification": "single_label",
    "groundtruth/label-verification": "single_label",
}


def task_type(name: str) -> TaskType:
    """Return what is known of the type called ``name``; an unknown one passes through unread.

    >>> task_type("groundTruth/Image-Classification").label, task_type("groundtruth/custom").label
    ('index', 'any')
    """
    module = import_module(f"{__name__}.{TYPES.get(name.lower(), 'unread')}")
    return TaskType(name, module.LABEL, module.indices, module.names, module.confidences)

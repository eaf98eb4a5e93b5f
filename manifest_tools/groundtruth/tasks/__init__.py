"""The label kinds of Ground Truth: one file a kind, and one table of the ``type`` strings.

A file says what form the label has, which classes a line shows and how sure they are, and it has the checks
of what may be wrong with such a label; ``rules`` gives these their codes. A new type is a file here and a
row in TYPES. What belongs to no type: label adjustment keeps the type of what it adjusts, chained jobs add
an attribute each, and input-only lines have none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from manifest_tools.groundtruth.record import Row


# The kind of types that say nothing of classes.
OTHERS = "custom"


@dataclass(frozen=True, slots=True)
class TaskType:
    """How the labels of a type are read; each function takes a labelled row.

    ``label`` is a form of ``label_schemas.LABELS``; ``class_fields`` are the metadata fields that ``indices``
    and ``names`` look at, ``confidence_fields`` those of ``confidences``, empty where a line has none.

    ``indices`` gives the class indices in the order of the label, one for every ``item`` (a box, an entity),
    and raises ValueError for a label that is none. ``names`` gives what the line says its classes are
    called; ``confidences`` gives a value from 0 to 1, or None, for every element of ``indices``.
    """

    type: str
    kind: str
    label: str
    class_fields: tuple[str, ...]
    confidence_fields: tuple[str, ...]
    item: str
    indices: Callable[["Row"], tuple[int, ...]]
    names: Callable[["Row"], tuple[tuple[int, str], ...]]
    confidences: Callable[["Row"], tuple[float | None, ...]]

    @property
    def has_classes(self) -> bool:
        """Say whether a line shows classes, in its label or in the metadata."""
        return self.kind != OTHERS

    @property
    def is_classification(self) -> bool:
        """Say whether the label is a class or a list of classes, which is what a classifier learns."""
        return self.label in ("index", "indices")

    @property
    def multi_label(self) -> bool:
        """Say whether the label is a list of classes."""
        return self.label == "indices"

    @property
    def short(self) -> str:
        """The type without its prefix, for a message."""
        return self.type.removeprefix("groundtruth/") or "no known type"


# From the table of section 4 of the format reference; compared without regard to case.
TYPES = {
    "groundtruth/image-classification": "single_label",
    "groundtruth/image-classification-multilabel": "multi_label",
    "groundtruth/object-detection": "boxes",
    "groundtruth/semantic-segmentation": "segmentation",
    "groundtruth/text-classification": "single_label",
    "groundtruth/text-classification-multilabel": "multi_label",
    "groundtruth/text-span": "entities",
    "groundtruth/label-verification": "verification",
    "groundtruth/video-classification": "single_label",
    "groundtruth/video-object-detection": "sequences",
    "groundtruth/video-object-tracking": "sequences",
    "groundtruth/point_cloud_single_frame_semantic_segmentation": "point_cloud_segmentation",
    "groundtruth/point_cloud_object_detection": "cuboids",
    "groundtruth/point_cloud_object_tracking": "sequences",
    "groundtruth/custom": "custom",
}


def label_kind(name: str) -> str:
    """Return the kind of label of the type called ``name``; ``custom`` for one that is not Ground Truth's.

    >>> label_kind("GroundTruth/Object-Detection"), label_kind("acme/stickers")
    ('boxes', 'custom')
    """
    return TYPES.get(name.lower(), OTHERS)


def task_type(name: str) -> TaskType:
    """Return what is known of the type called ``name``; an unknown one passes through unread.

    >>> task_type("groundTruth/Image-Classification").label, task_type("groundtruth/custom").label
    ('index', 'any')
    """
    kind = label_kind(name)
    module = import_module(f"{__name__}.{kind}")
    return TaskType(
        name,
        kind,
        module.LABEL,
        module.CLASS_FIELDS,
        module.CONFIDENCE_FIELDS,
        module.ITEM,
        module.indices,
        module.names,
        module.confidences,
    )

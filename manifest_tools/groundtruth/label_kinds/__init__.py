"""The kinds of labels that Ground Truth writes: one row a kind, and the task types with labels of each kind.

A row says how a label is read and where its parts stand, so that every verb can work on it; the functions of
a row stand in the file of the kind. To add a kind, add a file, a row in KINDS and its types in TYPES; what
may be wrong with such a label stands with the rules of ``validate``.

Adjusted labels keep the type of the original. Chained jobs add a label attribute each.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from manifest_tools.groundtruth.label_kinds import (
    boxes,
    cuboids,
    entities,
    multi_label,
    point_cloud_segmentation,
    segmentation,
    sequences,
    single_label,
)
from manifest_tools.groundtruth.record import Row

# The kind of labels of which nothing is known: custom jobs, and types that are not Ground Truth's.
CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class ItemArray:
    """The array in a label that holds its items."""

    path: tuple[str, ...] = ()
    """The keys that lead from the label to the array; none where the label is the array."""
    class_key: str | None = None
    """The key of an item's class; None where an item is a class index itself."""
    class_is_name: bool = False
    """Whether an item gives the name of its class, not its index."""


@dataclass(frozen=True, slots=True)
class LabelKind:
    """What is known of labels of one kind, and of their metadata. The functions take a labelled row."""

    name: str
    """What the kind is called in ``TYPES`` and in the rules."""
    schema: str
    """What the label is decoded as: a key of ``label_schemas.LABELS``."""
    item: str
    """What each class index of a label is of: a box, an entity, a class or the label itself."""
    indices: Callable[[Row], tuple[int, ...]]
    """Returns a class index for each item, in the order of the label; raises ValueError for a bad label."""
    names: Callable[[Row], tuple[tuple[int, str], ...]]
    """Returns the class indices that the line names, each with its name."""
    confidences: Callable[[Row], tuple[float | None, ...]]
    """Returns a confidence from 0 to 1, or None, for each of ``indices``."""
    class_fields: tuple[str, ...] = ()
    """The metadata fields that ``indices`` and ``names`` read."""
    confidence_fields: tuple[str, ...] = ()
    """The metadata fields that ``confidences`` reads; none where a line has no confidence."""
    items: ItemArray | None = None
    """Where the items stand; None where a label is one index, or an object on S3."""

    @property
    def has_classes(self) -> bool:
        """Whether a line shows classes, in its label or in the metadata."""
        return self.name != CUSTOM

    @property
    def is_classification(self) -> bool:
        """Whether the label is a class or a list of classes, which is what a classifier learns."""
        return self.schema in ("index", "indices")

    @property
    def multi_label(self) -> bool:
        """Whether the label is a list of classes."""
        return self.schema == "indices"


def _nothing(row: Row) -> tuple[()]:
    return ()


KINDS = {
    kind.name: kind
    for kind in (
        LabelKind(
            "single_label",
            schema="index",
            item="label",
            indices=single_label.indices,
            names=single_label.names,
            confidences=single_label.confidences,
            class_fields=("class-name",),
            confidence_fields=("confidence",),
        ),
        # What a worker thought of another label. Documentation writes the index as a string.
        LabelKind(
            "verification",
            schema="index",
            item="label",
            indices=single_label.indices,
            names=single_label.names,
            confidences=single_label.confidences,
            class_fields=("class-name",),
            confidence_fields=("confidence",),
        ),
        LabelKind(
            "multi_label",
            schema="indices",
            item="label",
            indices=multi_label.indices,
            names=multi_label.names,
            confidences=multi_label.confidences,
            class_fields=("class-map",),
            confidence_fields=("confidence-map",),
            items=ItemArray(),
        ),
        LabelKind(
            "boxes",
            schema="boxes",
            item="box",
            indices=boxes.indices,
            names=multi_label.names,
            confidences=boxes.confidences,
            class_fields=("class-map",),
            confidence_fields=("objects",),
            items=ItemArray(("annotations",), "class_id"),
        ),
        LabelKind(
            "cuboids",
            schema="cuboids",
            item="cuboid",
            indices=boxes.indices,
            names=cuboids.names,
            confidences=boxes.confidences,
            class_fields=("class-map", "class_map"),
            confidence_fields=("objects",),
            items=ItemArray(("annotations",), "class-id"),
        ),
        LabelKind(
            "entities",
            schema="entities",
            item="entity",
            indices=entities.indices,
            names=entities.names,
            confidences=entities.confidences,
            confidence_fields=("entities",),
            items=ItemArray(("annotations", "entities"), "label", class_is_name=True),
        ),
        LabelKind(
            "segmentation",
            schema="any",
            item="class",
            indices=segmentation.indices,
            names=segmentation.names,
            confidences=segmentation.confidences,
            class_fields=("internal-color-map",),
            confidence_fields=("internal-color-map",),
        ),
        LabelKind(
            "point_cloud_segmentation",
            schema="any",
            item="class",
            indices=point_cloud_segmentation.indices,
            names=point_cloud_segmentation.names,
            confidences=point_cloud_segmentation.confidences,
            class_fields=("color-map",),
            confidence_fields=("color-map",),
        ),
        LabelKind(
            "sequences",
            schema="any",
            item="class",
            indices=sequences.indices,
            names=multi_label.names,
            confidences=sequences.confidences,
            class_fields=("class-map",),
        ),
        LabelKind(CUSTOM, schema="any", item="label", indices=_nothing, names=_nothing, confidences=_nothing),
    )
}

SourceObject = Literal["picture", "clip", "sequence", "data"]
"""A picture; a video; a file that lists frames; a text, a point cloud or anything else."""


class TaskType(NamedTuple):
    """What the ``type`` in the metadata says."""

    kind: str
    """The label kind: a key of KINDS."""
    source: SourceObject
    """What the ``source-ref`` of a line is."""


# From the table of section 4 of the format reference; compared without regard to case.
TYPES = {
    "groundtruth/image-classification": TaskType("single_label", "picture"),
    "groundtruth/image-classification-multilabel": TaskType("multi_label", "picture"),
    "groundtruth/object-detection": TaskType("boxes", "picture"),
    "groundtruth/semantic-segmentation": TaskType("segmentation", "picture"),
    "groundtruth/text-classification": TaskType("single_label", "data"),
    "groundtruth/text-classification-multilabel": TaskType("multi_label", "data"),
    "groundtruth/text-span": TaskType("entities", "data"),
    "groundtruth/label-verification": TaskType("verification", "picture"),
    "groundtruth/video-classification": TaskType("single_label", "clip"),
    "groundtruth/video-object-detection": TaskType("sequences", "sequence"),
    "groundtruth/video-object-tracking": TaskType("sequences", "sequence"),
    "groundtruth/point_cloud_single_frame_semantic_segmentation": TaskType(
        "point_cloud_segmentation", "data"
    ),
    "groundtruth/point_cloud_object_detection": TaskType("cuboids", "data"),
    "groundtruth/point_cloud_object_tracking": TaskType("sequences", "sequence"),
    "groundtruth/custom": TaskType(CUSTOM, "picture"),
}


def label_kind(type_name: str) -> LabelKind:
    """Return the kind of the labels of a task type; ``custom`` for a type that is not Ground Truth's.

    >>> label_kind("GroundTruth/Object-Detection").name, label_kind("acme/stickers").name
    ('boxes', 'custom')
    """
    known = TYPES.get(type_name.lower())
    return KINDS[CUSTOM if known is None else known.kind]


def short_type(type_name: str) -> str:
    """Return a task type without its prefix, for a message.

    >>> short_type("groundtruth/object-detection"), short_type("")
    ('object-detection', 'no known type')
    """
    return type_name.removeprefix("groundtruth/") or "no known type"

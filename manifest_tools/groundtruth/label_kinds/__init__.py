"""The kinds of labels that Ground Truth writes: one row a kind, and the task types with labels of each kind.

A row says how a label is read and where its parts stand, so that every verb can work on it; the functions of
a row stand in the file of the kind, and kinds that are read alike share a file. To add a kind, add a file, a
row in KINDS and its types in TYPES; the rules of a kind stand with the rules of ``validate``.

Adjusted labels keep the type of the original. Chained jobs add a label attribute each.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

from manifest_tools.groundtruth.label_kinds import (
    boxes,
    entities,
    multi_label,
    segmentation,
    sequences,
    single_label,
)
from manifest_tools.groundtruth.record import Row
from manifest_tools.io.json_paths import ELEMENTS, VALUES, Path

# The kind of labels of which nothing is known: custom jobs, and types that are not Ground Truth's.
CUSTOM = "custom"


LabelObject = Literal["mask", "seq-label", "zlib"]
"""A PNG; a SeqLabel.json, one for each sequence; the class of each point of a cloud, compressed."""


@dataclass(frozen=True, eq=False)
class LabelKind:
    """What is known of labels of one kind, and of their metadata. The functions take a labelled row."""

    name: str
    """What the kind is called in ``TYPES`` and in the rules."""
    schema: str
    """What the label is decoded as: a key of ``label_schemas.LABELS``."""
    item: str
    """What each class index of a label is of: a box, an entity, a class or the label itself."""
    plural: str
    """What several of them are called."""
    indices: Callable[[Row], tuple[int, ...]]
    """Returns a class index for each item, in the order of the label; raises ValueError for a bad label."""
    names: Callable[[Row], tuple[tuple[int, str], ...]]
    """Returns the class indices that the line names, each with its name."""
    confidences: Callable[[Row], tuple[float | None, ...]]
    """Returns a confidence from 0 to 1, or None, for each of ``indices``."""
    class_names: tuple[Path, ...] = ()
    """Where the metadata names classes: the paths that lead from the metadata to the names."""
    item_confidences: Path = ()
    """Where the metadata has the confidences of the items; () where a line has none."""
    items: Path | None = None
    """Where the label has its items: the path to the array; None where it has no array."""
    class_key: str = ""
    """The key of an item's class; empty where an item is its class index."""
    categories: Path | None = None
    """Where the label lists the names of its classes; the class of an item is a name, then."""
    label_object: LabelObject | None = None
    """The object on S3 that the label names; None where the label stands on the line."""
    object_has_indices: bool = False
    """Whether that object has class indices as well, which no edit of a line can change."""
    index_is_text: bool = False
    """Whether documentation writes the class index as a string."""

    @cached_property
    def class_fields(self) -> tuple[str, ...]:
        """The metadata fields that ``indices`` and ``names`` read."""
        return tuple(path[0] for path in self.class_names)

    @cached_property
    def confidence_fields(self) -> tuple[str, ...]:
        """The metadata fields that ``confidences`` reads; none where a line has no confidence."""
        return self.item_confidences[:1]

    @cached_property
    def index_maps(self) -> tuple[str, ...]:
        """The metadata fields whose keys are class indices."""
        paths = (*self.class_names, self.item_confidences)
        return tuple(dict.fromkeys(path[0] for path in paths if path[1:2] == (VALUES,)))

    @cached_property
    def item_list(self) -> str | None:
        """The metadata field with one element for each item, in the order of the label."""
        return self.item_confidences[0] if self.item_confidences[1:2] == (ELEMENTS,) else None

    @cached_property
    def item_classes(self) -> Path | None:
        """Where the label has the class of each item: an index, or a name where there are ``categories``."""
        if self.schema == "index":
            return ()
        if self.items is None:
            return None
        return (*self.items, ELEMENTS, self.class_key) if self.class_key else (*self.items, ELEMENTS)

    @cached_property
    def names_in_label(self) -> tuple[Path, ...]:
        """Where the label itself names classes."""
        if self.categories is None or self.item_classes is None:
            return ()
        return (self.categories, self.item_classes)

    @cached_property
    def index_path(self) -> Path | None:
        """Where the label has class indices; None where it has none."""
        return self.item_classes if self.categories is None else None

    @property
    def items_have_positions(self) -> bool:
        """Whether an item says more than its class, such as where it is."""
        return self.class_key != ""

    def items_of(self, label: Any) -> list[Any] | None:
        """Return the items of a decoded label, None where the label has no such array."""
        for key in self.items or ():
            label = label.get(key) if isinstance(label, dict) else None
        return label if self.items is not None and isinstance(label, list) else None

    def without_class(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Return what an item says beside its class."""
        return {key: value for key, value in item.items() if key != self.class_key}

    @property
    def has_classes(self) -> bool:
        """Whether a line shows classes, in its label or in the metadata."""
        return self.name != CUSTOM

    @property
    def has_colour_map(self) -> bool:
        """Whether each line has a map of its own from colours and class indices to names."""
        return any(path[0] in ("internal-color-map", "color-map") for path in self.class_names)

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
            plural="labels",
            indices=single_label.indices,
            names=single_label.names,
            confidences=single_label.confidences,
            class_names=(("class-name",),),
            item_confidences=("confidence",),
        ),
        # What a worker thought of another label. Documentation writes the index as a string.
        LabelKind(
            "verification",
            schema="index",
            item="label",
            plural="labels",
            indices=single_label.indices,
            names=single_label.names,
            confidences=single_label.confidences,
            class_names=(("class-name",),),
            item_confidences=("confidence",),
            index_is_text=True,
        ),
        LabelKind(
            "multi_label",
            schema="indices",
            item="label",
            plural="labels",
            indices=multi_label.indices,
            names=multi_label.names,
            confidences=multi_label.confidences,
            class_names=(("class-map", VALUES),),
            item_confidences=("confidence-map", VALUES),
            items=(),
        ),
        LabelKind(
            "boxes",
            schema="boxes",
            item="box",
            plural="boxes",
            indices=boxes.indices,
            names=multi_label.names,
            confidences=boxes.confidences,
            class_names=(("class-map", VALUES),),
            item_confidences=("objects", ELEMENTS, "confidence"),
            items=("annotations",),
            class_key="class_id",
        ),
        LabelKind(
            "cuboids",
            schema="cuboids",
            item="cuboid",
            plural="cuboids",
            indices=boxes.indices,
            names=multi_label.names,
            confidences=boxes.confidences,
            class_names=(("class-map", VALUES), ("class_map", VALUES)),
            item_confidences=("objects", ELEMENTS, "confidence"),
            items=("annotations",),
            class_key="class-id",
        ),
        LabelKind(
            "entities",
            schema="entities",
            item="entity",
            plural="entities",
            indices=entities.indices,
            names=entities.names,
            confidences=entities.confidences,
            item_confidences=("entities", ELEMENTS, "confidence"),
            items=("annotations", "entities"),
            class_key="label",
            categories=("annotations", "labels", ELEMENTS, "label"),
        ),
        LabelKind(
            "segmentation",
            schema="any",
            item="class",
            plural="classes",
            indices=segmentation.indices,
            names=segmentation.names,
            confidences=segmentation.confidences,
            class_names=(("internal-color-map", VALUES, "class-name"),),
            item_confidences=("internal-color-map", VALUES, "confidence"),
            label_object="mask",
        ),
        LabelKind(
            "point_cloud_segmentation",
            schema="any",
            item="class",
            plural="classes",
            indices=segmentation.indices,
            names=segmentation.names,
            confidences=segmentation.confidences,
            class_names=(("color-map", VALUES, "class-name"),),
            item_confidences=("color-map", VALUES, "confidence"),
            label_object="zlib",
            object_has_indices=True,
        ),
        LabelKind(
            "sequences",
            schema="any",
            item="class",
            plural="classes",
            indices=sequences.indices,
            names=multi_label.names,
            confidences=sequences.confidences,
            class_names=(("class-map", VALUES),),
            label_object="seq-label",
            object_has_indices=True,
        ),
        LabelKind(
            CUSTOM,
            schema="any",
            item="label",
            plural="labels",
            indices=_nothing,
            names=_nothing,
            confidences=_nothing,
        ),
    )
}

NAMES_IN_METADATA = {path[0]: path[1:] for kind in KINDS.values() for path in kind.class_names}
"""Where metadata of any kind names classes: by the metadata field, the path from there."""
NAMES_IN_LABELS = tuple(path for kind in KINDS.values() for path in kind.names_in_label)
"""Where labels of any kind name classes themselves."""

SourceObject = Literal["picture", "clip", "sequence", "data"]
"""A picture; a video; a file that lists frames; a text, a point cloud or anything else."""


class TaskType(NamedTuple):
    """What the ``type`` in the metadata says."""

    kind: str
    """The label kind: a key of KINDS."""
    source: SourceObject
    """What the ``source-ref`` of a line is."""


# From the table of section 4 of the format reference; in lower case, for upper case means the same.
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
    known = task_type(type_name)
    return KINDS[CUSTOM if known is None else known.kind]


def task_type(type_name: str) -> TaskType | None:
    """Return what is known of a task type, None for a type that is not Ground Truth's."""
    return TYPES.get(type_name.lower())


def short_type(type_name: str) -> str:
    """Return a task type without its prefix, for a message.

    >>> short_type("groundtruth/object-detection"), short_type("")
    ('object-detection', 'no known type')
    """
    return type_name.removeprefix("groundtruth/") or "no known type"

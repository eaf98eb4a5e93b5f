"""A label and its metadata: that both are there, and that the metadata has the form of its type."""

from collections.abc import Iterator
from typing import Any

from manifest_tools.record import FIELDS, METADATA, SOURCES
from manifest_tools.rules.found import Found, Label, Line, path, shown
from manifest_tools.tasks.single_label import class_index

# Section 4 of the format reference; compared without regard to case.
KNOWN_TYPES = frozenset(
    f"groundtruth/{name}"
    for name in (
        "image-classification",
        "image-classification-multilabel",
        "object-detection",
        "semantic-segmentation",
        "text-classification",
        "text-classification-multilabel",
        "text-span",
        "label-verification",
        "video-classification",
        "video-object-detection",
        "video-object-tracking",
        "point_cloud_single_frame_semantic_segmentation",
        "point_cloud_object_detection",
        "point_cloud_object_tracking",
        "custom",
    )
)


def a_label_has_metadata(line: Line) -> Iterator[Found]:
    """A label that has metadata on other lines has it on this one too."""
    there = {label.name for label in line.labels}
    for name in line.expected:
        if name not in there and line.value.get(name) is not None and line.value.get(name + METADATA) is None:
            yield Found(path(name), f"{shown(name)} has no {shown(name + METADATA)} beside it")


def metadata_is_an_object(line: Line) -> Iterator[Found]:
    """The metadata of a label is an object."""
    for key, value in line.value.items():
        name = key.removesuffix(METADATA)
        if name == key or name in SOURCES or line.value.get(name) is None:
            continue
        if value is not None and not isinstance(value, dict):
            yield Found(path(key), f"expected the metadata of {shown(name)}, an object, found {shown(value)}")


def metadata_has_a_label(label: Label) -> Iterator[Found]:
    """Metadata stands beside a label, or says why labelling failed."""
    if label.state == "unlabelled":
        yield Found(path(label.metadata_key), f"metadata without its label {shown(label.name)}")


def fields_have_their_form(label: Label) -> Iterator[Found]:
    """A field of the metadata has the form that Ground Truth gives it."""
    for name, form in FIELDS.items():
        value = label.metadata.get(name)
        if value is None or name.startswith("confidence"):
            continue
        if form is str and not isinstance(value, str):
            yield Found(path(label.metadata_key, name), f"expected text, found {shown(value)}")
        elif form is not str and not _is_class_map(value):
            found = "another" if isinstance(value, dict) else shown(value)
            where = path(label.metadata_key, name)
            yield Found(where, f"expected an object of class index and name, found {found}")


def _is_class_map(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    try:
        return all(isinstance(name, str) and class_index(key) >= 0 for key, name in value.items())
    except ValueError:
        return False


def names_its_type(label: Label) -> Iterator[Found]:
    """The metadata of a label names its task type."""
    if label.state == "labelled" and label.metadata.get("type") is None:
        yield Found(path(label.metadata_key), "no type, such as groundtruth/image-classification")


def type_is_known(label: Label) -> Iterator[Found]:
    """The task type is one that Ground Truth writes."""
    kind = label.metadata.get("type")
    if isinstance(kind, str) and kind.lower() not in KNOWN_TYPES:
        yield Found(path(label.metadata_key, "type"), f"no type of Ground Truth's: {shown(kind)}")

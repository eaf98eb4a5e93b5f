"""Frames of a video, or of point clouds: the label is the URI of a SeqLabel.json, one line a sequence.

What was found on which frame stands in that file; the line itself has the ``class-map``. So the classes of a
line are those of the map, and there is no confidence a line.
"""

from collections.abc import Iterator

from manifest_tools.groundtruth.record import Row
from manifest_tools.groundtruth.tasks import multi_label
from manifest_tools.groundtruth.tasks.segmentation import other_object
from manifest_tools.verbs.validate.line import Found, Label, Line, path, shown

LABEL = "any"
FIELDS = ("class-map",)
DOUBTS = ()
UNIT = "class"

names = multi_label.names


def indices(row: Row) -> tuple[int, ...]:
    """Return the classes that the sequence has."""
    return tuple(index for index, _ in names(row))


def confidences(row: Row) -> tuple[float | None, ...]:
    """Return nothing known for every class: confidences are in the SeqLabel.json."""
    return (None,) * len(indices(row))


def the_source_is_a_sequence_file(line: Line) -> Iterator[Found]:
    """The source-ref of frames is a sequence file, which is JSON, and no picture."""
    ref = line.value.get("source-ref")
    labelled = any(label.room == "sequences" and label.state == "labelled" for label in line.labels)
    if labelled and isinstance(ref, str) and ref.startswith("s3://") and not ref.lower().endswith(".json"):
        found = shown(ref.rpartition("/")[2])
        yield Found("$.source-ref", f"expected a sequence file that ends in .json, found {found}")


def the_label_is_a_sequence_label_file(label: Label) -> Iterator[Found]:
    """The label of frames is a SeqLabel.json file."""
    yield from other_object(label, "SeqLabel.json")


def frames_have_a_class_map(label: Label) -> Iterator[Found]:
    """The metadata of frames has a class-map, for the line shows its classes nowhere else."""
    if label.state == "labelled" and label.class_map is None:
        yield Found(path(label.metadata_key), "no class-map, so nothing says which classes there are")

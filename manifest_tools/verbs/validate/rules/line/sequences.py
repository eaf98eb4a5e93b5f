"""Frames of a video, or of point clouds: that source and label are the files of a sequence."""

from collections.abc import Iterator

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import path, shown
from manifest_tools.verbs.validate.rule_input import LineLabel, RuleLine
from manifest_tools.verbs.validate.rules.examples import labelled, lines
from manifest_tools.verbs.validate.rules.line.segmentation import other_object
from manifest_tools.verbs.validate.rules.references import OUTPUT, VIDEO
from manifest_tools.verbs.validate.rules.rule import rule

_KINDS = ("sequences",)


def _line(ref: str = "seq0.json", key: str = "SeqLabel.json", named: dict[str, str] | None = None) -> str:
    label, source = f"s3://lab3-out/cars/0/{key}", f"s3://lab3-rawdata/{ref}"
    return lines(labelled("cars-ref", label, "video-object-detection", source, class_map=named))


_GOOD = _line(named={"0": "car"})


def the_source_is_a_sequence_file(line: RuleLine) -> Iterator[Finding]:
    """The source-ref of frames is a sequence file, which is JSON, and no picture."""
    ref = line.value.get("source-ref")
    labelled = any(label.kind.name == "sequences" and label.state == "labelled" for label in line.labels)
    if labelled and isinstance(ref, str) and ref.startswith("s3://") and not ref.lower().endswith(".json"):
        found = shown(ref.rpartition("/")[2])
        yield Finding("$.source-ref", f"expected a sequence file that ends in .json, found {found}")


def the_label_is_a_sequence_label_file(label: LineLabel) -> Iterator[Finding]:
    """The label of frames is a SeqLabel.json file."""
    yield from other_object(label, "SeqLabel.json")


def frames_have_a_class_map(label: LineLabel) -> Iterator[Finding]:
    """The metadata of frames has a class-map, for the line shows its classes nowhere else."""
    if label.state == "labelled" and label.class_map is None:
        yield Finding(path(label.metadata_key), "no class-map, so nothing says which classes there are")


RULES = (
    rule(
        "MT280",
        "warning",
        "line",
        the_source_is_a_sequence_file,
        breaks=_line("clip.mp4", named={"0": "car"}),
        keeps=_GOOD,
        fix="Point to the sequence file, which lists the frames; for one line a frame use object-detection.",
        source=VIDEO,
    ),
    rule(
        "MT281",
        "warning",
        "label",
        the_label_is_a_sequence_label_file,
        breaks=_line(key="0.png", named={"0": "car"}),
        keeps=_GOOD,
        fix="Point to the SeqLabel.json that the labeling job wrote.",
        source=OUTPUT,
        kinds=_KINDS,
    ),
    rule(
        "MT282",
        "warning",
        "label",
        frames_have_a_class_map,
        breaks=_line(),
        keeps=_GOOD,
        fix="Add class-map: the name of every class index of the SeqLabel.json.",
        source=OUTPUT,
        kinds=_KINDS,
    ),
)

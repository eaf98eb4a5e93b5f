"""Frames of a video or of point clouds: source and label are the files of a sequence."""

from collections.abc import Iterator

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import shown
from manifest_tools.verbs.validate.rule_input import LineLabel, RuleLine
from manifest_tools.verbs.validate.rules.examples import labelled, lines
from manifest_tools.verbs.validate.rules.line.segmentation import other_object
from manifest_tools.verbs.validate.rules.references import OUTPUT, VIDEO
from manifest_tools.verbs.validate.rules.rule import rule
from manifest_tools.verbs.validate.rules.wording import missing_in_metadata

_KINDS = ("sequences",)


@rule(
    "MT280",
    "warning",
    "line",
    breaks=lambda: _line("clip.mp4", named={"0": "car"}),
    keeps=lambda: _line(named={"0": "car"}),
    fix="Point to the sequence file, which lists the frames; for a line a frame, use object-detection.",
    source=VIDEO,
)
def the_source_is_a_sequence_file(line: RuleLine) -> Iterator[Finding]:
    """The source-ref of frames is a sequence file, a .json file that lists them."""
    ref = line.value.get("source-ref")
    labelled = any(label.kind.name == "sequences" and label.state == "labelled" for label in line.labels)
    if labelled and isinstance(ref, str) and ref.startswith("s3://") and not ref.lower().endswith(".json"):
        found = shown(ref.rpartition("/")[2])
        yield Finding(
            "$.source-ref", f"source-ref: expected a sequence file, which ends in .json, found {found}"
        )


@rule(
    "MT281",
    "warning",
    "label",
    breaks=lambda: _line(key="0.png", named={"0": "car"}),
    keeps=lambda: _line(named={"0": "car"}),
    fix="Point to the SeqLabel.json that the labeling job wrote.",
    source=OUTPUT,
    kinds=_KINDS,
)
def the_label_is_a_sequence_label_file(label: LineLabel) -> Iterator[Finding]:
    """The label of frames is a SeqLabel.json file."""
    yield from other_object(label, "SeqLabel.json")


@rule(
    "MT282",
    "warning",
    "label",
    breaks=lambda: _line(),
    keeps=lambda: _line(named={"0": "car"}),
    fix="Add class-map: the name of every class index of the SeqLabel.json.",
    source=OUTPUT,
    kinds=_KINDS,
)
def frames_have_a_class_map(label: LineLabel) -> Iterator[Finding]:
    """The metadata of frames has a class-map: nothing else on the line shows the classes."""
    if label.state == "labelled" and label.class_map is None:
        yield missing_in_metadata(label, "class-map", "its classes are unknown")


def _line(ref: str = "seq0.json", key: str = "SeqLabel.json", named: dict[str, str] | None = None) -> str:
    label, source = f"s3://lab3-out/cars/0/{key}", f"s3://lab3-rawdata/{ref}"
    return lines(labelled("cars-ref", label, "video-object-detection", source, class_map=named))


RULES = (
    the_source_is_a_sequence_file,
    the_label_is_a_sequence_label_file,
    frames_have_a_class_map,
)

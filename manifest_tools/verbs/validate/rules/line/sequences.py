"""Frames of a video, or of point clouds: that source and label are the files of a sequence."""

from manifest_tools.groundtruth.tasks import sequences
from manifest_tools.verbs.validate.rules.examples import labelled, lines
from manifest_tools.verbs.validate.rules.references import OUTPUT, VIDEO
from manifest_tools.verbs.validate.rules.rule import rule

_ROOM = ("sequences",)


def _line(ref: str = "seq0.json", key: str = "SeqLabel.json", named: dict[str, str] | None = None) -> str:
    label, source = f"s3://lab3-out/cars/0/{key}", f"s3://lab3-rawdata/{ref}"
    return lines(labelled("cars-ref", label, "video-object-detection", source, class_map=named))


_GOOD = _line(named={"0": "car"})

RULES = (
    rule(
        "MT280",
        "warning",
        "line",
        sequences.the_source_is_a_sequence_file,
        breaks=_line("clip.mp4", named={"0": "car"}),
        keeps=_GOOD,
        fix="Point to the sequence file, which lists the frames; for one line a frame use object-detection.",
        source=VIDEO,
    ),
    rule(
        "MT281",
        "warning",
        "label",
        sequences.the_label_is_a_sequence_label_file,
        breaks=_line(key="0.png", named={"0": "car"}),
        keeps=_GOOD,
        fix="Point to the SeqLabel.json that the labeling job wrote.",
        source=OUTPUT,
        rooms=_ROOM,
    ),
    rule(
        "MT282",
        "warning",
        "label",
        sequences.frames_have_a_class_map,
        breaks=_line(),
        keeps=_GOOD,
        fix="Add class-map: the name of every class index of the SeqLabel.json.",
        source=OUTPUT,
        rooms=_ROOM,
    ),
)

"""What video frame and point cloud tracking jobs read and write beside the manifest, as values.

A sequence file lists the frames of one line; a SeqLabel.json has what was found on each of them. The guide
prints ``frame-no`` as a number and as a string; for point clouds it says ``frame-number`` and ``frame-name``
(https://docs.aws.amazon.com/sagemaker/latest/dg/sms-data-output.html).
"""

from collections import Counter
from collections.abc import Collection, Iterator
from typing import TypeVar

import msgspec

from manifest_tools.base.text import counted, listed, shown
from manifest_tools.verbs.validate.objects.codes import (
    FRAME_COUNT,
    MANY_FRAMES,
    NO_OBJECT_ID,
    NO_SUCH_CLASS,
    PREFIX,
    UNKNOWN_FRAME,
)

MOST_FRAMES = 2_000  # https://docs.aws.amazon.com/sagemaker/latest/dg/input-data-limits.html
_TOOLS = ("annotations", "polylines", "polygons", "keypoints")

CodeAndMessage = tuple[str, str]
"""A code and what is wrong."""


class SequenceFrame(msgspec.Struct, frozen=True, rename="kebab", gc=False):
    """One frame of a sequence."""

    frame_no: int | str | None = None
    frame: str = ""
    """The rest of its key after the prefix of the sequence."""

    unix_timestamp: float | None = None


class SequenceFile(msgspec.Struct, frozen=True, rename="kebab", gc=False):
    """A sequence file."""

    frames: tuple[SequenceFrame, ...]
    prefix: str | None = None
    number_of_frames: int | None = None
    """What the file says, which need not be ``len(frames)``."""

    seq_no: int | str | None = None

    def uris(self) -> Iterator[str]:
        """Yield where each frame lies: prefix and name, joined as they stand."""
        return (f"{self.prefix or ''}{frame.frame}" for frame in self.frames)


class Annotation(msgspec.Struct, frozen=True, rename="kebab", gc=False):
    """One object of a frame; the sides are those of a box, in pixels, and None for other tools."""

    class_id: int | str | None = None
    object_id: str | None = None
    object_name: str | None = None
    left: float | None = None
    top: float | None = None
    width: float | None = None
    height: float | None = None

    @property
    def index(self) -> int | None:
        """The class index; None where there is none, or one that is no number."""
        text = str(self.class_id)
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else None


class LabelledFrame(msgspec.Struct, frozen=True, gc=False):
    """A frame of a SeqLabel.json, with the annotations of all tools."""

    number: int | str | None
    name: str
    annotations: tuple[Annotation, ...]


class SeqLabel(msgspec.Struct, frozen=True, gc=False):
    """A SeqLabel.json."""

    frames: tuple[LabelledFrame, ...]
    tracking: bool
    """Whether objects are followed through several frames."""

    spatial: bool
    """Whether frames are point clouds; their names are not those of the sequence file (``0.txt.pcd``)."""

    def classes(self) -> dict[int | str | None, int]:
        """Return how many annotations each class-id has, as it stands there."""
        return dict(Counter(one.class_id for frame in self.frames for one in frame.annotations))

    def objects(self) -> frozenset[str]:
        """Return the ids of everything that is tracked."""
        found = (one.object_id for frame in self.frames for one in frame.annotations)
        return frozenset(one for one in found if one is not None)


class _RawFrame(msgspec.Struct, rename="kebab", gc=False):
    frame_no: int | str | None = None
    frame_number: int | str | None = None
    frame: str | None = None
    frame_name: str | None = None
    annotations: tuple[Annotation, ...] = ()
    polylines: tuple[Annotation, ...] = ()
    polygons: tuple[Annotation, ...] = ()
    keypoints: tuple[Annotation, ...] = ()


class _Raw(msgspec.Struct, rename="kebab", gc=False):
    detection_annotations: tuple[_RawFrame, ...] | None = None
    tracking_annotations: tuple[_RawFrame, ...] | None = None


T = TypeVar("T")


def read_sequence(data: bytes) -> SequenceFile:
    """Return what a sequence file says; raises ValueError for what is none.

    >>> read_sequence(b'{"prefix": "s3://b/", "number-of-frames": 1, "frames": [{"frame": "0.jpg"}]}').frames
    (SequenceFrame(frame_no=None, frame='0.jpg', unix_timestamp=None),)
    """
    return _decoded(data, SequenceFile)


def read_seq_label(data: bytes) -> SeqLabel:
    """Return what a SeqLabel.json says; raises ValueError for what is none.

    >>> label = read_seq_label(b'{"detection-annotations": [{"frame-no": 0, "annotations": []}]}')
    >>> label.tracking, len(label.frames)
    (False, 1)
    """
    raw = _decoded(data, _Raw)
    frames = raw.tracking_annotations if raw.detection_annotations is None else raw.detection_annotations
    if frames is None:
        raise ValueError("expected detection-annotations or tracking-annotations, found neither")
    tracking = raw.detection_annotations is None
    spatial = any(frame.frame is None and frame.frame_name is not None for frame in frames)
    return SeqLabel(tuple(map(_labelled, frames)), tracking, spatial)


def _labelled(raw: _RawFrame) -> LabelledFrame:
    number = raw.frame_number if raw.frame_no is None else raw.frame_no
    found = tuple(one for tool in _TOOLS for one in getattr(raw, tool))
    return LabelledFrame(number, raw.frame or raw.frame_name or "", found)


def _decoded(data: bytes, form: type[T]) -> T:
    try:
        return msgspec.json.decode(data, type=form)
    except msgspec.ValidationError as error:
        raise ValueError(str(error).replace("`", "").replace("Expected", "expected")) from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not JSON: {str(error).removeprefix('JSON is malformed: ')}") from error


def sequence_findings(sequence: SequenceFile) -> Iterator[CodeAndMessage]:
    """Yield what is wrong with a sequence file by itself."""
    listed, number = len(sequence.frames), sequence.number_of_frames
    if number is not None and number != listed:
        yield FRAME_COUNT, f"number-of-frames is {shown(number)}, but {listed:,} frames are listed"
    if sequence.prefix is not None and not sequence.prefix.endswith("/"):
        yield PREFIX, f"expected a prefix that ends in a slash, found {shown(sequence.prefix)}"
    if listed > MOST_FRAMES:
        yield MANY_FRAMES, f"expected at most {MOST_FRAMES:,} frames, found {listed:,}"


def seq_label_findings(
    label: SeqLabel, class_map: Collection[str] | None = None, sequence: SequenceFile | None = None
) -> Iterator[CodeAndMessage]:
    """Yield what is wrong with a SeqLabel.json, beside the ids of its line's class-map, and its sequence."""
    for one, count in label.classes().items() if class_map is not None else ():
        if str(one) not in (class_map or ()):
            found = "no class-id" if one is None else f"class-id {shown(one)}, which is not in the class-map"
            yield NO_SUCH_CLASS, f"{counted(count, 'annotation')} {'has' if count == 1 else 'have'} {found}"
    if sequence is not None:
        yield from _unknown_frames(label, sequence)
    if label.tracking:
        yield from _wrong_object_ids(label)


def _unknown_frames(label: SeqLabel, sequence: SequenceFile) -> Iterator[CodeAndMessage]:
    if len(label.frames) > len(sequence.frames):
        there = counted(len(sequence.frames), "frame")
        yield UNKNOWN_FRAME, f"{len(label.frames):,} frames are labelled, but the sequence lists {there}"
    known = {frame.frame for frame in sequence.frames}
    unknown = () if label.spatial else [one.name for one in label.frames if one.name not in known]
    if unknown:
        yield UNKNOWN_FRAME, f"frames are labelled that the sequence does not list: {listed(unknown)}"


def _wrong_object_ids(label: SeqLabel) -> Iterator[CodeAndMessage]:
    nameless = sum(one.object_id is None for frame in label.frames for one in frame.annotations)
    if nameless:
        yield (
            NO_OBJECT_ID,
            f"{counted(nameless, 'annotation')} {'has' if nameless == 1 else 'have'} no object-id",
        )
    twice = [frame.name for frame in label.frames if _repeats(frame)]
    if twice:
        yield NO_OBJECT_ID, f"an object-id is used twice on one frame: {listed(twice)}"


def _repeats(frame: LabelledFrame) -> bool:
    ids = [one.object_id for one in frame.annotations if one.object_id is not None]
    return len(set(ids)) < len(ids)

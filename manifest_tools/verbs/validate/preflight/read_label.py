"""Reads a label record back as an algorithm would, and the names that the metadata gives its classes."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from manifest_tools.groundtruth.classes import default_name, index_of
from manifest_tools.groundtruth.pipe_mode.samples import (
    JPEG,
    LabelFormat,
    NotASample,
    Sample,
    SampleBoxes,
    read_pipe,
)
from manifest_tools.io.recordio import frame

FAILURES = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for text that is not what was asked for."""

_STAND_IN = frame(JPEG)
_FORMATS: dict[str, LabelFormat] = {"object-detection": "boxes"}

_integers = msgspec.json.Decoder(list[int])


@dataclass(frozen=True, slots=True)
class RecordLabel:
    """What a label record says to an algorithm."""

    why: str = ""
    """Why the record cannot be read; empty where it can."""

    ids: tuple[int, ...] | None = None
    """The class indices; None where the record is no list of indices."""

    ones: tuple[int, ...] | None = None
    """The places of the ones in a multi-hot list; None where the record is no such list."""

    width: int | None = None
    """The length of a list; None where the record is no list."""

    boxes: int | None = None
    """The number of boxes; None where the record has none to count."""


def read_label(text: str, purpose: str) -> RecordLabel:
    """Return what a label record says to the algorithm of a purpose, read back from its framing.

    >>> read_label("[1,0,1]", "builtin").ones, read_label("[1,0,1]", "builtin").ids
    ((0, 2), None)
    """
    data = text.encode()
    if purpose in _FORMATS:
        boxes = _read_back(data, _FORMATS[purpose])
        if isinstance(boxes, str):
            return RecordLabel(boxes)
        assert isinstance(boxes.label, SampleBoxes)
        classes = tuple(dict.fromkeys(box.class_id for box in boxes.label.boxes))
        return RecordLabel(ids=classes, boxes=len(boxes.label.boxes))
    if not text.lstrip().startswith("["):
        return _one_class(data)
    return _several_classes(data)


def _one_class(data: bytes) -> RecordLabel:
    sample = _read_back(data, "class-index")
    if isinstance(sample, str):
        return RecordLabel(sample)
    assert isinstance(sample.label, tuple)
    return RecordLabel(ids=sample.label)


def _several_classes(data: bytes) -> RecordLabel:
    """Read a list both ways: which one is meant only all lines together can say."""
    try:
        width = len(_integers.decode(data))
    except FAILURES:
        width = 0
    ids = _read_back(data, "class-id")
    ones = _read_back(data, "multi-hot", width) if width > 1 else "too short"
    if isinstance(ids, str) and isinstance(ones, str):
        return RecordLabel(ids)
    return RecordLabel(ids=_classes(ids), ones=_classes(ones), width=width)


def _classes(sample: Sample | str) -> tuple[int, ...] | None:
    return None if isinstance(sample, str) or not isinstance(sample.label, tuple) else sample.label


def _read_back(data: bytes, label_format: LabelFormat, num_classes: int | None = None) -> Sample | str:
    """Return the one sample of the stream that would be sent, or why it is none."""
    stream = io.BytesIO(_STAND_IN + frame(data))
    try:
        (sample,) = read_pipe(stream, ("source-ref", "label"), label_format, num_classes)
    except NotASample as error:
        return error.reason
    return sample


def class_pairs(label: RecordLabel, class_name: bytes, class_map: bytes) -> Iterator[tuple[int, str]]:
    """Yield the class indices that a line names, each with its name.

    ``class_name`` and ``class_map`` are the values in the metadata, as they are spelt. The one names the
    class of a label with one class; the other names those of a list or of boxes, and may name more.

    >>> list(class_pairs(read_label("[1]", "builtin"), b"null", b'{"0": "RH", "1": "LH"}'))
    [(0, 'RH'), (1, 'LH')]
    """
    if label.width is None and label.boxes is None:
        name = _decoded(class_name)
        if label.ids and isinstance(name, str) and name:
            yield label.ids[0], name
        return
    for index, name in _by_index(class_map):
        if isinstance(name, str):
            yield index, name


def colour_pairs(colour_map: bytes) -> Iterator[tuple[int, str]]:
    """Yield the class indices of an ``internal-color-map``, each with its name, or with ``class N``.

    >>> list(colour_pairs(b'{"0": {"class-name": "BACKGROUND"}, "2": {}}'))
    [(0, 'BACKGROUND'), (2, 'class 2')]
    """
    for index, entry in _by_index(colour_map):
        name = entry.get("class-name") if isinstance(entry, dict) else None
        yield index, name if isinstance(name, str) else default_name(index)


def _by_index(spelt: bytes) -> Iterator[tuple[int, Any]]:
    """Yield the entries of a JSON object whose keys are class indices."""
    found = _decoded(spelt)
    for key, value in found.items() if isinstance(found, dict) else ():
        if (index := index_of(key)) is not None:
            yield index, value


def _decoded(spelt: bytes) -> Any:
    try:
        return msgspec.json.decode(spelt)
    except FAILURES:
        return None

"""Makes of each line the records that Pipe mode would send, and reads them back as an algorithm would.

Without the objects that ``-ref`` attributes name: a JPEG's first bytes stand for a picture, so what is proven
here is every label record; ``preflight.prove_stream`` does it with the pictures.
"""

import io
import re
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from manifest_tools.base.parallel import Jobs
from manifest_tools.groundtruth.attributes import attributes_of
from manifest_tools.groundtruth.pipe_mode.payloads import REF, near_miss, texts
from manifest_tools.groundtruth.pipe_mode.samples import (
    JPEG,
    Boxes,
    LabelFormat,
    NotASample,
    Sample,
    read_pipe,
)
from manifest_tools.groundtruth.record import METADATA
from manifest_tools.groundtruth.rows import line_offsets
from manifest_tools.groundtruth.scan import scan
from manifest_tools.io.recordio import frame
from manifest_tools.io.sources import Block, Source
from manifest_tools.verbs.validate.engine.file_facts import Occurrences, add_count
from manifest_tools.verbs.validate.preflight.channel import Channel, Extreme, plus

# What readers of files and shells have stumbled over: blanks, signs of URLs, anything but ASCII.
_ODD = re.compile(r"[^!-~]|[+%#?&\\]")
_LONG_SUFFIX = 6
_STAND_IN = frame(JPEG)
_FORMATS: dict[str, LabelFormat] = {"object-detection": "boxes"}

_integers = msgspec.json.Decoder(list[int])
_values = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Side(msgspec.Struct):
    width: float
    height: float


class _Sized(msgspec.Struct):
    image_size: list[_Side]


class _Coloured(msgspec.Struct, rename="kebab"):
    internal_color_map: dict[str, Any] = {}


_sized = msgspec.json.Decoder(_Sized)
_coloured = msgspec.json.Decoder(_Coloured)


@dataclass(slots=True)
class Part:
    """What was found in a block of ``lines``, blank ones included."""

    lines: int
    channel: Channel = field(default_factory=Channel)


@dataclass(frozen=True, slots=True)
class Label:
    """What a label record says, read back: once for all the lines that have it.

    ``ids`` and ``ones`` are None where it cannot be read as a list of indices, or as multi-hot.
    """

    why: str = ""
    ids: tuple[int, ...] | None = None
    ones: tuple[int, ...] | None = None
    width: int | None = None
    boxes: int | None = None


def read_channel(source: Source, names: tuple[str, ...], purpose: str, jobs: Jobs = None) -> Channel:
    """Return what an algorithm would be sent of a manifest as ``names``: of the picture, of the label."""
    whole = Channel(source.name)
    for first, part in scan(source, partial(_look, names, purpose), jobs):
        whole.merge(part.channel, first)
    return whole


def _look(names: tuple[str, ...], purpose: str, block: Block) -> Part:
    data = block.read()
    starts, ends = line_offsets(data)
    part = Part(len(starts))
    channel = part.channel
    suffixes: dict[str, list[int]] = {}
    labels: dict[str, list[int]] = {}
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        line = data[start:end]
        if not line.strip():
            continue
        channel.lines += 1
        try:
            said = texts(line, names)
        except ValueError as error:
            _lacks(channel, number, line, names, str(error))
            continue
        _add_picture(channel, number, said[0], suffixes)
        _count(labels, said[-1], number)
        if b"image_size" in line:
            _add_sizes(channel, number, line)
        if purpose == "semantic-segmentation":
            _add_colours(channel, line, names[-1])
    for suffix, (first, lines) in suffixes.items():
        add_count(channel.suffixes, suffix, Occurrences(first, lines))
    for text, (first, lines) in labels.items() if len(names) > 1 else ():
        _add_label(channel, Occurrences(first, lines), text, names[1], purpose)
    return part


def _count(table: dict[str, list[int]], key: str, number: int) -> None:
    """Count ``key``, with the first line that has it; quicker than ``see``, and most keys come again."""
    if (known := table.get(key)) is None:
        table[key] = [number, 1]
    else:
        known[1] += 1


def _lacks(channel: Channel, number: int, line: bytes, names: tuple[str, ...], why: str) -> None:
    """Remember a line without one of the attributes, or that cannot be read at all."""
    try:
        value = _values.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        channel.no_sample("the line cannot be read", Occurrences(number, 1))
        return
    missing = [name for name in names if bytes(value.get(name, b"null")) == b"null"]
    failed = names[-1] in missing and _failed(line, names[-1])
    if failed:
        channel.failed = plus(channel.failed, Occurrences(number, 1))
    for name in missing[: len(missing) - failed]:
        add_count(channel.missing, name, Occurrences(number, 1))
        if (near := near_miss(name, value)) is not None:
            add_count(channel.near, (name, near), Occurrences(number, 1))
    if not missing:
        channel.no_sample(why, Occurrences(number, 1))


def _failed(line: bytes, name: str) -> bool:
    value = msgspec.json.decode(line)
    metadata = value.get(name + METADATA, value.get(name.removesuffix(REF) + METADATA))
    return isinstance(metadata, dict) and metadata.get("failure-reason") is not None


def _add_picture(channel: Channel, number: int, ref: str, suffixes: dict[str, list[int]]) -> None:
    key = ref.removeprefix("s3://").partition("/")[2]
    if _ODD.search(key):
        channel.odd_keys = plus(channel.odd_keys, Occurrences(number, 1))
    name, dot, suffix = key.rpartition(".")
    plain = name and len(suffix) < _LONG_SUFFIX and "/" not in suffix
    _count(suffixes, (dot + suffix).lower() if plain else "", number)


def _add_label(channel: Channel, here: Occurrences, text: str, name: str, purpose: str) -> None:
    """Remember the lines that have one and the same label."""
    if name.endswith(REF):
        _add_object(channel, here, text)
        return
    label = read_label(text, purpose)
    if label.why:
        channel.no_sample(label.why, here)
        return
    channel.samples += here.lines
    if label.width is None and label.boxes is None:
        channel.single = plus(channel.single, here)
    elif label.width is not None:
        channel.lists = plus(channel.lists, here)
        add_count(channel.widths, label.width, here)
        channel.as_ids += here.lines * (label.ids is not None)
        channel.as_hot += here.lines * (label.ones is not None)
    if label.width == 0 or label.boxes == 0:
        channel.empty = plus(channel.empty, here)
    if label.boxes is not None and label.boxes > channel.most.number:
        channel.most = Extreme(label.boxes, here.first)
    for index in label.ids or ():
        add_count(channel.ids, index, here)
    for index in label.ones or ():
        add_count(channel.ones, index, here)


def _add_object(channel: Channel, here: Occurrences, uri: str) -> None:
    """A mask is the bytes of its object, of which the line has only the name."""
    if uri.startswith("s3://") and uri.lower().endswith(".png"):
        channel.samples += here.lines
    else:
        channel.no_sample("expected the s3:// URI of a mask, which is a PNG", here)


def read_label(text: str, purpose: str) -> Label:
    """Return what a label record says to the algorithm of a purpose, read back from its framing.

    >>> read_label("[1,0,1]", "builtin").ones, read_label("[1,0,1]", "builtin").ids
    ((0, 2), None)
    """
    data = text.encode()
    if purpose in _FORMATS:
        boxes = _read_back(data, _FORMATS[purpose])
        if isinstance(boxes, str):
            return Label(boxes)
        assert isinstance(boxes.label, Boxes)
        classes = tuple(dict.fromkeys(box.class_id for box in boxes.label.boxes))
        return Label(ids=classes, boxes=len(boxes.label.boxes))
    if not text.lstrip().startswith("["):
        return _one_class(data)
    return _several_classes(data)


def _one_class(data: bytes) -> Label:
    sample = _read_back(data, "class-index")
    if isinstance(sample, str):
        return Label(sample)
    assert isinstance(sample.label, tuple)
    return Label(ids=sample.label)


def _several_classes(data: bytes) -> Label:
    """Read a list both ways: which one is meant only all lines together can say."""
    try:
        width = len(_integers.decode(data))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        width = 0
    ids = _read_back(data, "class-id")
    ones = _read_back(data, "multi-hot", width) if width > 1 else "too short"
    if isinstance(ids, str) and isinstance(ones, str):
        return Label(ids)
    return Label(ids=_classes(ids), ones=_classes(ones), width=width)


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


def _add_sizes(channel: Channel, number: int, line: bytes) -> None:
    """Remember how small a picture is, where the label of a box job tells."""
    for raw in _values.decode(line).values():
        if b"image_size" in bytes(raw):
            _add_size(channel, number, bytes(raw))


def _add_size(channel: Channel, number: int, label: bytes) -> None:
    try:
        sides = _sized.decode(label).image_size
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return
    for side in sides:
        if channel.narrowest is None or side.width < channel.narrowest.number:
            channel.narrowest = Extreme(side.width, number)
        if channel.lowest is None or side.height < channel.lowest.number:
            channel.lowest = Extreme(side.height, number)


def _add_colours(channel: Channel, line: bytes, name: str) -> None:
    """Remember the highest class of a mask, which its metadata lists by colour."""
    value = _values.decode(line)
    metadata = value.get(name + METADATA, value.get(name.removesuffix(REF) + METADATA, msgspec.Raw(b"{}")))
    try:
        table = _coloured.decode(bytes(metadata)).internal_color_map
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return
    indices = [int(key) for key in table if key.isascii() and key.isdecimal() and len(key) < 9]
    channel.highest = max(channel.highest, *indices) if indices else channel.highest


def read_label_names(source: Source, jobs: Jobs = None) -> Channel:
    """Return the names of the labels in a manifest, of all attributes, as Rekognition takes them."""
    whole = Channel(source.name)
    for first, part in scan(source, _look_for_names, jobs):
        whole.merge(part.channel, first)
    return whole


def _look_for_names(block: Block) -> Part:
    data = block.read()
    starts, ends = line_offsets(data)
    part = Part(len(starts))
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        if not (line := data[start:end]).strip():
            continue
        part.channel.lines += 1
        try:
            value = msgspec.json.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        for name in dict.fromkeys(names_on(value)):
            add_count(part.channel.names, name, Occurrences(number, 1))
    return part


def names_on(value: Any) -> list[str]:
    """Return what the labels of a decoded line are called: class-name, and the class-map's of its boxes."""
    found: list[Any] = []
    for one in attributes_of(value):
        if one.state == "labelled":
            metadata = value[one.metadata_key]
            table = metadata.get("class-map")
            found += table.values() if isinstance(table, dict) else [metadata.get("class-name")]
    return [name for name in found if isinstance(name, str)]

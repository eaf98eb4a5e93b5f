"""Makes of each line the records that Pipe mode would send, and reads them back as an algorithm would.

Without the objects that ``-ref`` attributes name: a JPEG's first bytes stand for a picture, so what is proven
here is every label record; ``preflight.prove_stream`` does it with the pictures. For Rekognition, which is
sent no records, the names of the labels are all that counts.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from operator import attrgetter
from typing import Any, TypeVar, cast

import msgspec
import numpy as np
from msgspec import Raw
from numpy.typing import NDArray

from manifest_tools.base.parallel import Jobs
from manifest_tools.groundtruth.attributes import attributes_of
from manifest_tools.groundtruth.pipe_mode.payloads import REF, near_miss, texts
from manifest_tools.groundtruth.record import METADATA
from manifest_tools.groundtruth.rows import decode_all, line_offsets
from manifest_tools.groundtruth.scan import scan
from manifest_tools.io.sources import Block, Source
from manifest_tools.verbs.validate.engine.file_facts import Occurrences, add_count, plus
from manifest_tools.verbs.validate.preflight.channel import Channel, Extreme
from manifest_tools.verbs.validate.preflight.inputs import TRAINING
from manifest_tools.verbs.validate.preflight.read_label import (
    FAILURES,
    RecordLabel,
    class_pairs,
    colour_pairs,
    read_label,
)

# Readers of files and shells have stumbled over blanks, signs of URLs and anything but ASCII; not over these.
_PLAIN = bytes(set(range(0x21, 0x7F)) - set(b"+%#?&\\"))
_LONG_SUFFIX = 6
_NOTHING = Raw(b"null")

Numbers = NDArray[np.int64]
T = TypeVar("T")

_values = msgspec.json.Decoder(dict[str, Raw])


class _Metadata(msgspec.Struct, rename="kebab", gc=False):
    """The fields of the metadata that name classes, as they are spelt."""

    class_name: Raw = _NOTHING
    class_map: Raw = _NOTHING
    internal_color_map: Raw = _NOTHING


class _Side(msgspec.Struct):
    width: float
    height: float


class _Sized(msgspec.Struct):
    image_size: list[_Side]


_metadata = msgspec.json.Decoder(_Metadata)
_sized = msgspec.json.Decoder(_Sized)


@dataclass(frozen=True, slots=True)
class _Part:
    """What was found in a block of ``lines``, blank ones included."""

    lines: int
    channel: Channel


def read_channel(source: Source, names: tuple[str, ...], purpose: str, jobs: Jobs = None) -> Channel:
    """Return what an algorithm would be sent of a manifest; reads every line. Otherwise as ``channel_of``."""
    whole = Channel(source.name)
    for first, part in scan(source, partial(_read_block, names, purpose), jobs):
        whole.merge(part.channel, first)
    return whole


def _read_block(names: tuple[str, ...], purpose: str, block: Block) -> _Part:
    data = block.read()
    return _Part(len(line_offsets(data)[0]), channel_of(data, names, purpose))


def channel_of(data: bytes, names: tuple[str, ...], purpose: str) -> Channel:
    """Return what an algorithm would be sent of some lines as ``names``: of the picture, of the label."""
    starts, ends = line_offsets(data)
    if purpose not in TRAINING:
        return _label_names(data, starts, ends)
    channel = Channel()
    sent = _read_lines(data, starts, ends, names)
    _add_unsent(channel, data, starts, ends, names, sent)
    channel.lines += len(sent.numbers)
    _add_pictures(channel, sent)
    if b"image_size" in data:
        for number in sent.numbers:
            _add_sizes(channel, number, data[starts[number] : ends[number]])
    if len(names) > 1:
        _add_labels(channel, sent, names[1], purpose)
    return channel


@dataclass(frozen=True, slots=True)
class _Sent:
    """The lines that have every attribute: an element a line in each list."""

    numbers: list[int]
    """The number of the line in the block, from 0."""

    refs: list[str]
    labels: list[str]
    """What the first and the last attribute say, spelt as in the line; strings without their quotes."""

    metadata: list[_Metadata]
    """The metadata of the last attribute."""


def _read_lines(data: bytes, starts: Numbers, ends: Numbers, names: tuple[str, ...]) -> _Sent:
    fields = _metadata_fields(names)
    rows = decode_all(data, starts, ends, _decoder(names, _Metadata | None))
    numbers = list(range(len(starts)))
    if rows is None:
        rows, numbers = _read_each(data, starts, ends, names)
    columns = [_texts(name, list(map(attrgetter(f"f{at}"), rows))) for at, name in enumerate(names)]
    metadata = [_Metadata()] * len(rows)
    for found in (map(attrgetter(field), rows) for field in reversed(fields)):
        metadata = [one or other for one, other in zip(found, metadata, strict=True)]
    if any(None in column for column in columns):
        kept = [at for at in range(len(rows)) if all(column[at] is not None for column in columns)]
        columns = [[column[at] for at in kept] for column in columns]
        numbers, metadata = [numbers[at] for at in kept], [metadata[at] for at in kept]
    return _Sent(numbers, cast(list[str], columns[0]), cast(list[str], columns[-1]), metadata)


def _read_each(
    data: bytes, starts: Numbers, ends: Numbers, names: tuple[str, ...]
) -> tuple[list[Any], list[int]]:
    """Return the rows of the lines that can be decoded, and the numbers of these lines."""
    decode = _decoder(names, Raw).decode
    fields = _metadata_fields(names)
    rows, numbers = [], []
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        try:
            row = decode(data[start:end])
        except FAILURES:
            continue
        for field in fields:
            setattr(row, field, _metadata_of(getattr(row, field)))
        rows.append(row)
        numbers.append(number)
    return rows, numbers


def _metadata_of(spelt: Raw | None) -> _Metadata | None:
    """Return what metadata says that may be anything."""
    try:
        return None if spelt is None else _metadata.decode(spelt)
    except FAILURES:
        return _Metadata()


def _metadata_fields(names: tuple[str, ...]) -> dict[str, str]:
    """Return the keys of the label's metadata; a ``-ref`` label has it under either name."""
    keys = (names[-1] + METADATA, names[-1].removesuffix(REF) + METADATA)
    wanted = dict.fromkeys(key for key in keys if len(names) > 1 and key not in names)
    return {f"metadata{at}": key for at, key in enumerate(wanted)}


@lru_cache(maxsize=16)
def _decoder(names: tuple[str, ...], metadata: Any) -> "msgspec.json.Decoder[Any]":
    """Return a decoder of these attributes, and of the metadata of the last one as ``metadata``.

    Raises Refused for a name that no attribute can have.
    """
    with suppress(ValueError):  # {} lacks them; but Refused is raised for names that no decoder can have
        texts(b"{}", names)
    keys = {f"f{at}": name for at, name in enumerate(names)} | _metadata_fields(names)
    fields: list[tuple[str, Any, Any]] = [(field, metadata, None) for field in _metadata_fields(names)]
    for at, name in enumerate(names):
        fields.append((f"f{at}", str | None, None) if name.endswith(REF) else (f"f{at}", Raw, Raw()))
    return msgspec.json.Decoder(msgspec.defstruct("Sent", fields, rename=keys, gc=False))


def _texts(name: str, values: list[Any]) -> list[str | None]:
    """Return what an attribute says on each line, as ``payloads.texts`` does; None where it would raise."""
    if name.endswith(REF):
        return values
    spelt = list(map(bytes, values))
    known = {one: _text(one) for one in dict.fromkeys(spelt)}
    return [known[one] for one in spelt]


def _text(spelt: bytes) -> str | None:
    try:
        found = msgspec.json.decode(spelt) if spelt.startswith(b'"') else spelt.decode()
    except FAILURES:
        return None
    return None if spelt in (b"", b"null") else found


def _add_unsent(
    channel: Channel, data: bytes, starts: Numbers, ends: Numbers, names: tuple[str, ...], sent: _Sent
) -> None:
    """Remember why the other lines are not sent."""
    if len(sent.numbers) == len(starts):
        return
    for number in sorted(set(range(len(starts))).difference(sent.numbers)):
        line = data[starts[number] : ends[number]]
        if line.strip():
            channel.lines += 1
            try:
                texts(line, names)
            except ValueError as error:
                _add_missing(channel, number, line, names, str(error))


def _add_missing(channel: Channel, number: int, line: bytes, names: tuple[str, ...], why: str) -> None:
    """Remember a line that lacks one of the attributes, or that cannot be read at all."""
    try:
        value = _values.decode(line)
    except FAILURES:
        channel.refuse("the line cannot be read", Occurrences(number, 1))
        return
    missing = [name for name in names if bytes(value.get(name, b"null")) == b"null"]
    failed = names[-1] in missing and _failed(value, names[-1])
    if failed:
        channel.failed = plus(channel.failed, Occurrences(number, 1))
    for name in missing[: len(missing) - failed]:
        add_count(channel.missing, name, Occurrences(number, 1))
        if (near := near_miss(name, value)) is not None:
            add_count(channel.near, (name, near), Occurrences(number, 1))
    if not missing:
        channel.refuse(why, Occurrences(number, 1))


def _failed(value: Mapping[str, Raw], name: str) -> bool:
    """Say whether the metadata of a label has a ``failure-reason``."""
    spelt = value.get(name + METADATA, value.get(name.removesuffix(REF) + METADATA, _NOTHING))
    try:
        metadata = msgspec.json.decode(spelt)
    except FAILURES:
        return False
    return isinstance(metadata, dict) and metadata.get("failure-reason") is not None


def _counted(numbers: Sequence[int], values: Sequence[T]) -> dict[T, Occurrences]:
    """Return on how many of the lines each value is, and on which first; in the order of the first."""
    first = dict(zip(reversed(values), reversed(numbers), strict=True))
    return {value: Occurrences(first[value], lines) for value, lines in Counter(values).items()}


def _add_pictures(channel: Channel, sent: _Sent) -> None:
    keys = [ref.removeprefix("s3://").partition("/")[2] for ref in sent.refs]
    if len(_odd("\n".join(keys))) >= len(keys):  # else the newlines between them are all that is odd
        for number, key in zip(sent.numbers, keys, strict=True):
            if _odd(key):
                channel.odd_keys = plus(channel.odd_keys, Occurrences(number, 1))
    # An ending is found in so many characters, and few lines differ in them.
    for tail, here in _counted(sent.numbers, [key[-_LONG_SUFFIX - 1 :] for key in keys]).items():
        add_count(channel.suffixes, _suffix(tail), here)


def _odd(text: str) -> bytes:
    """Return what is odd in a key."""
    return text.encode("utf-8", "surrogatepass").translate(None, _PLAIN)


def _suffix(key: str) -> str:
    """Return the ending of a key with its dot, in lower case; empty where it has none, or a long one."""
    name, dot, suffix = key.rpartition(".")
    plain = name and len(suffix) < _LONG_SUFFIX and "/" not in suffix
    return (dot + suffix).lower() if plain else ""


def _add_labels(channel: Channel, sent: _Sent, name: str, purpose: str) -> None:
    if purpose == "semantic-segmentation":
        for spelt in dict.fromkeys(bytes(one.internal_color_map) for one in sent.metadata):
            channel.class_names |= dict.fromkeys(colour_pairs(spelt))
        channel.highest = max((index for index, _ in channel.class_names), default=-1)
    labels = _counted(sent.numbers, sent.labels)
    if name.endswith(REF):
        for uri, here in labels.items():
            _add_object(channel, here, uri)
        return
    read = {text: read_label(text, purpose) for text in labels}
    for text, here in labels.items():
        _add_label(channel, here, read[text])
    class_names = map(bytes, map(attrgetter("class_name"), sent.metadata))
    class_maps = map(bytes, map(attrgetter("class_map"), sent.metadata))
    for text, class_name, class_map in dict.fromkeys(zip(sent.labels, class_names, class_maps, strict=True)):
        if not read[text].why:
            channel.class_names |= dict.fromkeys(class_pairs(read[text], class_name, class_map))


def _add_label(channel: Channel, here: Occurrences, label: RecordLabel) -> None:
    """Remember the lines that have one and the same label."""
    if label.why:
        channel.refuse(label.why, here)
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
        channel.refuse("expected a mask, the s3:// URI of a PNG", here)


def _add_sizes(channel: Channel, number: int, line: bytes) -> None:
    """Remember how small a picture is, where the label of a box job tells.

    A key that is not UTF-8 stops nothing here: no attribute has that name, and MT101 reports the line.
    """
    try:
        values = _values.decode(line).values()
    except FAILURES:
        return
    for raw in values:
        if b"image_size" in bytes(raw):
            _add_size(channel, number, bytes(raw))


def _add_size(channel: Channel, number: int, label: bytes) -> None:
    try:
        sides = _sized.decode(label).image_size
    except FAILURES:
        return
    for side in sides:
        if channel.narrowest is None or side.width < channel.narrowest.number:
            channel.narrowest = Extreme(side.width, number)
        if channel.lowest is None or side.height < channel.lowest.number:
            channel.lowest = Extreme(side.height, number)


def _label_names(data: bytes, starts: Numbers, ends: Numbers) -> Channel:
    """Return the names of the labels on some lines, of all attributes, as Rekognition takes them."""
    channel = Channel()
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        if not (line := data[start:end]).strip():
            continue
        channel.lines += 1
        try:
            value = msgspec.json.decode(line)
        except FAILURES:
            continue
        for name in dict.fromkeys(names_on(value)):
            add_count(channel.names, name, Occurrences(number, 1))
    return channel


def names_on(value: Any) -> list[str]:
    """Return what the labels of a decoded line are called: class-name, and the class-map's of its boxes."""
    found: list[Any] = []
    for one in attributes_of(value):
        if one.state == "labelled":
            metadata = value[one.metadata_key]
            table = metadata.get("class-map")
            found += table.values() if isinstance(table, dict) else [metadata.get("class-name")]
    return [name for name in found if isinstance(name, str)]

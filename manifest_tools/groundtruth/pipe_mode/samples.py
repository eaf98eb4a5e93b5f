"""Reads a Pipe mode stream as the built-in algorithms do: a sample is two records, a picture and its label.

What each label must look like is on the algorithms' own pages
(https://docs.aws.amazon.com/sagemaker/latest/dg/image-classification.html and its neighbours).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO, Literal

import msgspec

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.text import shown
from manifest_tools.io.recordio import read_records

LabelFormat = Literal["class-index", "class-id", "multi-hot", "boxes", "mask"]
"""One class; a list of classes; a zero or one for every class; Ground Truth's boxes; a mask's PNG."""

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"


class NotASample(BadData):
    """Records that an algorithm could not take for a picture and its label."""

    def __init__(self, name: str, sample: int, reason: str) -> None:
        super().__init__(f"{name}: sample {sample}: {reason}")
        self.name = name
        self.sample = sample
        self.reason = reason


class SampleSize(msgspec.Struct, frozen=True):
    """The size of the picture, in pixels."""

    width: int
    height: int
    depth: int = 3
    """Channels."""


class SampleBox(msgspec.Struct, frozen=True):
    """One object, in pixels from the upper left corner."""

    class_id: int
    left: float
    top: float
    width: float
    height: float


class SampleBoxes(msgspec.Struct, frozen=True, rename={"sizes": "image_size", "boxes": "annotations"}):
    """The label of a picture for object detection."""

    sizes: tuple[SampleSize, ...]
    """One size; the algorithm takes no other number."""
    boxes: tuple[SampleBox, ...]

    @property
    def size(self) -> SampleSize:
        """The size of the picture."""
        return self.sizes[0]


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture and its label."""

    number: int
    """Counted from 1."""
    picture: bytes
    """A JPEG or a PNG."""
    label: tuple[int, ...] | SampleBoxes | bytes
    """Class indices for the three formats of classification; boxes; or the bytes of a mask."""


def read_pipe(
    stream: BinaryIO,
    names: Sequence[str],
    label_format: LabelFormat = "class-index",
    num_classes: int | None = None,
    name: str = "pipe stream",
) -> Iterator[Sample]:
    """Yield the samples of a stream whose lines were sent as ``names``, the picture's attribute first.

    ``num_classes`` is the hyperparameter. Class indices must be below it; a multi-hot label needs it.
    Raises NotASample at the first pair of records that is no sample, CorruptRecord for a broken record,
    Refused for other than two ``names``.
    """
    yield from read_samples(read_records(stream, name), names, label_format, num_classes, name)


def read_samples(
    records: Iterable[bytes],
    names: Sequence[str],
    label_format: LabelFormat = "class-index",
    num_classes: int | None = None,
    name: str = "pipe stream",
) -> Iterator[Sample]:
    """Yield the samples of records that have lost their framing; otherwise the same as ``read_pipe``.

    >>> [sample.label for sample in read_samples([JPEG, b"[0,2]"], ("source-ref", "tags"), "class-id")]
    [(0, 2)]
    """
    if len(names) != 2:
        raise Refused(
            f"expected two attributes, a picture and its label, found {len(names)}; the built-in"
            " algorithms read no other number"
        )
    if label_format == "multi-hot" and num_classes is None:
        raise Refused("expected num_classes, because a multi-hot label has a number for every class")
    read = partial(_READERS[label_format], num_classes=num_classes)
    parts = iter(records)
    for number, picture in enumerate(parts, 1):
        try:
            sample = Sample(number, _picture(picture, names), read(_second(parts, names)))
        except ValueError as error:
            raise NotASample(name, number, str(error)) from error
        yield sample


def _second(parts: Iterator[bytes], names: Sequence[str]) -> bytes:
    label = next(parts, None)
    if label is None:
        raise ValueError(f"the stream ends after {names[0]}; {names[1]} is missing")
    return label


def _picture(data: bytes, names: Sequence[str]) -> bytes:
    if data.startswith((JPEG, PNG)):
        return data
    advice = "the picture comes first" if _looks_like_a_label(data) else "only these two are read"
    raise ValueError(f"expected {names[0]} to be a JPEG or PNG picture, found {_shown(data)}; {advice}")


def _looks_like_a_label(data: bytes) -> bool:
    return data[:1] in (b"[", b"{") or data.isdigit()


def _class_index(data: bytes, num_classes: int | None) -> tuple[int, ...]:
    text = data.decode("ascii", "replace")
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        raise ValueError(f"expected one class index, found {_shown(data)}{_several(data)}")
    return (_check_class(int(text), num_classes),)


def _several(data: bytes) -> str:
    return "; a list needs multi_label=1" if data.startswith(b"[") else ""


def _class_ids(data: bytes, num_classes: int | None) -> tuple[int, ...]:
    ids = _integers(data)
    for one in ids:
        _check_class(one, num_classes)
    if len(set(ids)) < len(ids):
        raise ValueError(f"expected each class once, found {_shown(data)}")
    return tuple(ids)


def _multi_hot(data: bytes, num_classes: int | None) -> tuple[int, ...]:
    ones = _integers(data)
    if len(ones) != num_classes or not set(ones) <= {0, 1}:
        raise ValueError(
            f"expected {num_classes} zeros and ones, found {_shown(data)}; a list of classes, as Ground"
            " Truth writes it, needs `label-format=class-id` in the ContentType"
        )
    return tuple(at for at, one in enumerate(ones) if one)


def _integers(data: bytes) -> list[int]:
    try:
        return msgspec.json.decode(data, type=list[int])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"expected a list of class indices, found {_shown(data)}") from error


def _check_class(index: int, num_classes: int | None) -> int:
    if index < 0 or (num_classes is not None and index >= num_classes):
        limit = "" if num_classes is None else f" below num_classes={num_classes}"
        raise ValueError(f"expected a class index from 0{limit}, found {index}")
    return index


def _boxes(data: bytes, num_classes: int | None) -> SampleBoxes:
    try:
        label = msgspec.json.decode(data, type=SampleBoxes)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"expected image_size and annotations, found {_shown(data)}: {error}") from error
    if len(label.sizes) != 1:
        raise ValueError(f"expected one image_size, found {len(label.sizes)}")
    if label.size.depth != 3:
        raise ValueError(f"expected a picture of 3 channels, found depth {label.size.depth}")
    for box in label.boxes:
        _check_class(box.class_id, num_classes)
    return label


def _mask(data: bytes, num_classes: int | None) -> bytes:
    if not data.startswith(PNG):
        raise ValueError(f"expected a mask, which is a PNG, found {_shown(data)}")
    return data


def _shown(data: bytes) -> str:
    """Return the beginning of a record for a message: as text where it is text."""
    if not data:
        return "nothing"
    text = data[:60].decode("utf-8", "replace")
    is_text = text.isprintable() and "\ufffd" not in text[:-1]  # the last character may be cut in two
    return shown(text) if is_text else f"bytes {data[:8].hex(' ')}"


_READERS: dict[LabelFormat, Callable[..., Any]] = {
    "class-index": _class_index,
    "class-id": _class_ids,
    "multi-hot": _multi_hot,
    "boxes": _boxes,
    "mask": _mask,
}

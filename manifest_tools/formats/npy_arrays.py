"""Reads pictures and labels in NumPy's arrays; what would have to be unpickled is refused."""

import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from manifest_tools.base.errors import BadData, MtoolError, Refused
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.formats.stored import ref_in
from manifest_tools.groundtruth.annotations import DataSet, Picture, PictureLabelKind, StreamedPictures
from manifest_tools.groundtruth.attributes import check_attribute_name
from manifest_tools.groundtruth.classes import (
    MOST_CLASSES,
    ClassTable,
    agree,
    class_table,
    default_name,
    numbered,
    renumbered,
)
from manifest_tools.images.unusable import MAX_PIXELS
from manifest_tools.io.npy_files import StoredArray, stored_array, stored_arrays

_PICKLES = (".pkl", ".pickle", ".p", ".joblib", ".dill")
_TORCH = (".pt", ".pth")
_ARRAYS = (".npy", ".npz")
# What arrays are called, in any of the usual ways: x_train, train-images, ds.labels.
_ROLES = {
    "images": ("images", "image", "imgs", "x", "data", "pictures"),
    "labels": ("labels", "label", "y", "targets", "target"),
    "classes": ("classes", "names"),
    "numbers": ("numbers",),
}
_ROLE_OF = {word: role for role, words in _ROLES.items() for word in words}
_ROWS = 4096  # of labels that are looked at a time


def read(place: str, options: ReadOptions) -> DataSet:
    """Return the pictures of arrays: one NAME.images.npy with its labels, a .npz, or all in a folder.

    Arrays are known by their names, such as images and labels, or x_train and y_train; what is left of a name
    is the part. Pictures are (rows, height, width) or (rows, height, width, channels) of uint8; labels are
    indices, names, or zeros and ones for each class. Raises Refused for a pickle, with the safe way.
    """
    _refuse_pickles(place)
    parts = {part: _Part(place, found) for part, found in _parts(_arrays(place)).items() if "images" in found}
    if not parts:
        raise Refused(
            f"{place}: expected an array of pictures, as NAME.images.npy or x_train in a .npz, found none"
        )
    for part in parts.values():
        part.check()
    kinds = {part.kind for part in parts.values() if "labels" in part.arrays}
    if len(kinds) > 1:
        raise BadData(f"{place}: expected labels of one kind, found one class a picture and several")
    table = _table(place, parts.values(), options.classes)
    attribute = options.label_attribute or "label"
    check_attribute_name(attribute)
    base = re.split(r"[._-]images?\b", os.path.basename(os.path.splitext(place.rstrip("/"))[0]))[0]
    streams = {
        name: StreamedPictures(partial(part.pictures, name or base, options.source_prefix))
        for name, part in parts.items()
    }
    return DataSet(table, next(iter(kinds), "single_label"), streams, attribute)


def _refuse_pickles(place: str) -> None:
    ending = os.path.splitext(place)[1].lower()
    if ending in _PICKLES + _TORCH or (os.path.isfile(place) and _is_pickle(place)):
        load = (
            f"import torch, numpy; d = torch.load({place!r}, weights_only=True)"
            if ending in _TORCH
            else f"import pickle, numpy; d = pickle.load(open({place!r}, 'rb'))"
        )
        raise Refused(
            f"{place}: a pickle can run any program when it is opened, so it is not read; where you trust it,"
            f" type: python -c \"{load}; numpy.savez('arrays.npz', images=d['images'], labels=d['labels'])\""
        )


def _is_pickle(path: str) -> bool:
    with open(path, "rb") as file:
        head = file.read(2)
    return head[:1] == b"\x80" and head[1:] in (b"\x02", b"\x03", b"\x04", b"\x05")


def _arrays(place: str) -> dict[str, StoredArray]:
    """Return all arrays of a place by their names."""
    if os.path.isdir(place):
        names = sorted(name for name in os.listdir(place) if name.endswith(_ARRAYS))
        found: dict[str, StoredArray] = {}
        for name in names:
            path, stem = os.path.join(place, name), os.path.splitext(name)[0]
            if name.endswith(".npy"):
                found[stem] = stored_array(path)
            else:
                found |= {f"{stem}_{key}": array for key, array in stored_arrays(path).items()}
        return found
    if place.endswith(".npz") and os.path.isfile(place):
        return stored_arrays(place)
    path = next((path for path in (place, f"{place}.images.npy", f"{place}.npy") if os.path.isfile(path)), "")
    if not path:
        raise Refused(f"{place}: expected NumPy's arrays on this disk, found no such file")
    if path.endswith(".npz"):
        return stored_arrays(path)
    return {"images": stored_array(path)} | _beside(path)


def _beside(path: str) -> dict[str, StoredArray]:
    """Return the arrays that belong to those pictures: with another word in place of images."""
    folder, name = os.path.split(path)
    stem = name.removesuffix(".npy")
    role, part = _role_and_part(stem)
    if role != "images":
        return {}
    names = sorted(os.listdir(folder or "."))
    return {
        other: stored_array(os.path.join(folder, one))
        for one in names
        if one.endswith(".npy") and one != name
        for other, of in [_role_and_part(one.removesuffix(".npy"))]
        if of == part and other not in ("", "images")
    }


def _role_and_part(name: str) -> tuple[str, str]:
    """Return what an array is for, and of which part; no role for another array.

    >>> [_role_and_part(name) for name in ("x_train", "val-labels", "ds.images", "weights", "X")]
    [('images', 'train'), ('labels', 'val'), ('images', 'ds'), ('', 'weights'), ('images', '')]
    """
    words = re.split(r"([._-])", name)
    for at in (len(words) - 1, 0):
        if role := _ROLE_OF.get(words[at].lower()):
            rest = words[: at - 1] if at else words[2:]
            return role, "".join(rest)
    return "", name


def _parts(arrays: Mapping[str, StoredArray]) -> dict[str, dict[str, StoredArray]]:
    """Return the arrays of every part, by what they are for."""
    parts: dict[str, dict[str, StoredArray]] = {}
    for name, array in arrays.items():
        role, part = (name, "") if name in _ROLES else _role_and_part(name)
        if role and role in parts.setdefault(part, {}):
            raise BadData(f"{array.name}: expected one array of {role}, found two")
        if role:
            parts[part][role] = array
    shared = parts.get("", {})
    if "classes" in shared and "images" not in shared:
        for of_part in parts.values():
            of_part.setdefault("classes", shared["classes"])
    return parts


@dataclass(slots=True)
class _Part:
    """The arrays of a part."""

    place: str
    arrays: Mapping[str, StoredArray]
    indices: Mapping[int, int] = field(default_factory=dict)
    """Class index of every own one."""

    named: Mapping[str, int] = field(default_factory=dict)
    """Class index of every name, where labels are names."""

    @property
    def kind(self) -> PictureLabelKind:
        """The kind of the labels."""
        labels = self.arrays.get("labels")
        if labels is None or len(labels.shape) != 2:
            return "single_label"
        # A column of indices is what MedMNIST has; ours, whose rows have numbers, is of zeros and ones.
        return "multi_label" if labels.shape[1] != 1 or "numbers" in self.arrays else "single_label"

    def check(self) -> None:
        """Raise BadData for arrays that are no pictures, or do not fit together."""
        images = self.arrays["images"]
        _check_pictures(images)
        for role in ("labels", "numbers"):
            array = self.arrays.get(role)
            if array is not None and array.shape[0] != images.shape[0]:
                rows = f"{images.shape[0]:,} rows, as {os.path.basename(images.name)} has"
                raise BadData(f"{array.name}: expected {rows}, found {array.shape[0]:,}")
        labels = self.arrays.get("labels")
        if labels is not None and (len(labels.shape) > 2 or labels.dtype.kind not in "biuU"):
            raise BadData(f"{labels.name}: expected class indices or names, found {_described(labels)}")
        if self.kind == "multi_label" and labels is not None and labels.dtype.kind == "U":
            raise BadData(f"{labels.name}: expected a zero or one for each class, found names")

    def names(self) -> tuple[str, ...]:
        """Return the names of classes in the order of their indices; nothing where no array has them."""
        classes = self.arrays.get("classes")
        if classes is None:
            return ()
        if classes.dtype.kind != "U" or len(classes.shape) != 1 or classes.shape[0] >= MOST_CLASSES:
            raise BadData(f"{classes.name}: expected names of classes as text, found {_described(classes)}")
        return tuple(map(str, classes.rows()))

    def shown(self) -> set[Any]:
        """Return the classes that rows have: indices, or names."""
        labels = self.arrays.get("labels")
        if labels is None:
            return set()
        found: set[Any] = set()
        for rows in _blocks(labels):
            shown = np.flatnonzero(rows.any(axis=0)) if self.kind == "multi_label" else np.unique(rows)
            found.update(shown.tolist())
        return found

    def pictures(self, base: str, prefix: str) -> Iterator[Picture]:
        """Yield the pictures of the rows, numbered from 1."""
        images, numbers = self.arrays["images"], self.arrays.get("numbers")
        keys = None if numbers is None else numbers.rows()
        for number, classes in enumerate(self._classes(), 1):
            key = str(number) if keys is None else str(int(keys[number - 1]))
            ref = ref_in(prefix, f"{base or 'picture'}-{number:08}.png")
            content = RowAsPng(images.path, images.offset + (number - 1) * images.row_bytes, images.shape[1:])
            yield Picture(number, ref, classes=classes, key=key, content=content)

    def _classes(self) -> Iterator[tuple[int, ...]]:
        labels = self.arrays.get("labels")
        if labels is None:
            yield from [()] * self.arrays["images"].shape[0]
            return
        for rows in _blocks(labels):
            if self.kind == "multi_label":
                yield from (tuple(self.indices[int(at)] for at in np.flatnonzero(row)) for row in rows)
            elif self.named:
                yield from ((self.named[str(name)],) if name else () for name in rows.ravel())
            else:
                yield from ((self.indices[int(index)],) if index >= 0 else () for index in rows.ravel())


def _blocks(labels: StoredArray) -> Iterator[Any]:
    """Yield some rows at a time."""
    rows = labels.rows()
    for begin in range(0, labels.shape[0], _ROWS):
        block = np.asarray(rows[begin : begin + _ROWS])
        yield block


def _check_pictures(images: StoredArray) -> None:
    shape = images.shape
    if images.dtype != np.uint8:
        raise BadData(
            f"{images.name}: expected pixels from 0 to 255 as uint8, found {images.dtype}; save it again with"
            " numpy.save(FILE, x.astype('uint8')), of values from 0 to 1 (x * 255).round().astype('uint8')"
        )
    if len(shape) == 4 and shape[1] in (1, 3, 4) and shape[3] not in (1, 3, 4):
        raise BadData(
            f"{images.name}: expected (pictures, height, width, channels), found the channels second,"
            f" {_described(images)}; save it again with numpy.save(FILE, x.transpose(0, 2, 3, 1).copy())"
        )
    if (
        len(shape) not in (3, 4)
        or (len(shape) == 4 and shape[3] not in (1, 3, 4))
        or (shape[0] and 0 in shape)
    ):
        raise BadData(f"{images.name}: expected (pictures, height, width, 3), found {_described(images)}")
    if shape[1] * shape[2] > MAX_PIXELS:
        raise BadData(
            f"{images.name}: expected pictures of at most {MAX_PIXELS:,} pixels, found {_described(images)}"
        )


def _described(array: StoredArray) -> str:
    return f"{array.dtype} of {' x '.join(map(str, array.shape[:6]))}"


def _table(place: str, parts: "Sequence[_Part] | Any", given: ClassTable | None) -> ClassTable:
    """Return the table of all parts, and tell each its class indices."""
    parts = list(parts)
    shown = [part.shown() for part in parts]
    names = {name for found in shown for name in found if isinstance(name, str) and name}
    if names and any(not isinstance(name, str) for found in shown for name in found):
        raise BadData(f"{place}: expected class indices or names, found both")
    tables = {}
    for part, found in zip(parts, shown, strict=True):
        indices = {index for index in found if isinstance(index, int) and index >= 0}
        own = dict.fromkeys(enumerate(part.names()))
        tables[part.arrays["images"].name] = class_table(
            (
                *(pair for pair in own if pair[1] != default_name(pair[0])),
                *((at, default_name(at)) for at in indices),
            )
        )
    if names:
        named = numbered(sorted(names), given)
        for part in parts:
            part.named = named
        return class_table((index, name) for name, index in named.items())
    table, indices_of = renumbered(agree(tables), given)
    for part in parts:
        part.indices = indices_of
    return table


@dataclass(frozen=True, slots=True)
class RowAsPng:
    """A row of an array as a PNG; picklable, and read when it is called."""

    path: str
    offset: int
    shape: tuple[int, ...]
    """Height, width and perhaps channels."""

    def __call__(self) -> bytes:
        """Return the PNG; raises MtoolError where the file has become shorter."""
        from PIL import Image

        length = int(np.prod(self.shape, dtype=np.int64))
        with open(self.path, "rb", buffering=0) as file:
            file.seek(self.offset)
            data = file.read(length)
        if len(data) != length:
            raise MtoolError(f"{self.path}: changed while it was read")
        pixels = np.frombuffer(data, np.uint8).reshape(self.shape)
        out = io.BytesIO()
        Image.fromarray(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels).save(
            out, "PNG"
        )
        return out.getvalue()

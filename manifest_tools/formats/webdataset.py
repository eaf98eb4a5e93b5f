"""WebDataset: tar files in which the members of one name, up to its first dot, are one picture.

A picture is KEY.jpg or KEY.png as its bytes say, KEY.cls (where it has one class: its index) and KEY.json
with all of the label. Keys are the numbers of the lines: so no dot in a name begins an ending, and no name is
too long.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, BinaryIO

from manifest_tools.base.errors import BadData
from manifest_tools.base.text import shown
from manifest_tools.formats.picture_json import PictureJson, Wording, described, picture_json
from manifest_tools.formats.protocol import Files, NotPacked, Packed, ReadOptions, WriteOptions
from manifest_tools.formats.safe_names import PICTURE_ENDINGS, leaves_folder
from manifest_tools.formats.stored import Stored, files_of, ref_in
from manifest_tools.groundtruth.annotations import (
    DataSet,
    Picture,
    PictureLabelKind,
    StreamedPictures,
)
from manifest_tools.groundtruth.attributes import check_attribute_name
from manifest_tools.groundtruth.classes import class_table, default_name, numbered, renumbered
from manifest_tools.images.signatures import suffix_of
from manifest_tools.io.tar_members import END, Member, member_header, members, padding

_ENDING = ".tar"


def write(data: DataSet, sink: Files, options: WriteOptions) -> dict[str, Any]:
    """Write a tar for each part, or NAME-000000.tar, NAME-000001.tar... where it is cut into shards."""
    sizes: dict[str, int] = {}
    pictures = 0
    for part in data.parts:
        pictures += _write_part(part, data, sink, options, sizes)
    return {"pictures": pictures, "files": sizes}


def _write_part(part: str, data: DataSet, sink: Files, options: WriteOptions, sizes: dict[str, int]) -> int:
    whole = None if options.shard else sink.open(part, _ENDING)
    count = size = 0
    for shard in options.packed(part, partial(pack_pictures, Wording.of(data))):
        count += len(shard.packed)
        if whole:
            size += shard.copy_to(whole)
            continue
        ending = f"-{shard.number:06}{_ENDING}"
        with sink.begin_with(shard, part, ending) as stream:
            stream.write(END)
            sizes[sink.name(part, ending)] = stream.tell()
    if whole:
        sizes[sink.name(part, _ENDING)] = size + whole.write(END)
    return count


def pack_pictures(
    wording: Wording, pictures: Iterator[tuple[Picture, bytes]], out: BinaryIO
) -> Iterator[Packed | NotPacked]:
    """Write the members of each picture; the blocks that end an archive come behind all of them."""
    offset = 0
    for picture, encoded in pictures:
        key = f"{picture.number:08}"
        length = out.write(member_header(key + (suffix_of(encoded) or ".jpg"), len(encoded)))
        length += out.write(encoded)
        behind = [padding(len(encoded))]
        if wording.kind == "single_label" and picture.classes:
            behind += _member(f"{key}.cls", str(picture.classes[0]).encode())
        behind += _member(f"{key}.json", wording.text(picture))
        length += out.write(b"".join(behind))  # small, and so in one go
        yield Packed(picture.number, key, offset, length)
        offset += length


def _member(name: str, content: bytes) -> tuple[bytes, bytes, bytes]:
    return member_header(name, len(content)), content, padding(len(content))


# ---- reading ----

_LONGEST_TEXT = 16 << 20  # bytes of a KEY.json
_LONGEST_CLASS = 1 << 12  # bytes of a KEY.cls
_ENDINGS = tuple(ending.removeprefix(".") for ending in PICTURE_ENDINGS)


def read(place: str, options: ReadOptions) -> DataSet:
    """Return the pictures of one tar, of all that a pattern stands for, or of each part in a folder of them.

    A KEY.json that mtool wrote says all of the label; beside others KEY.cls says the class, an index or a
    name. Names are numbered as they are sorted, or as ``options.classes`` has them. Memory stays flat. Raises
    BadData for what is no tar or says two things.
    """
    parts = files_of(place, _ENDING, "a tar file")
    survey = _Survey(place)
    for paths in parts.values():
        for sample in _samples(paths):
            survey.add(sample)
    if not survey.pictures:
        raise BadData(f"{place}: expected pictures in samples (KEY.jpg, KEY.cls), found none")
    own = class_table(survey.pairs)
    table, indices = renumbered(own, options.classes)
    named = numbered(sorted(survey.names), options.classes)
    if named:
        table = class_table((*table.names, *((index, name) for name, index in named.items())))
    attribute = options.label_attribute or survey.attribute or "label"
    check_attribute_name(attribute)
    reader = _Reader(indices, named, options.source_prefix)
    streams = {part: StreamedPictures(partial(reader.pictures, paths)) for part, paths in parts.items()}
    return DataSet(table, survey.kind or "single_label", streams, attribute, survey.lost)


@dataclass(slots=True)
class _Sample:
    """Members of one key that follow one another."""

    path: str
    key: str
    picture: Member | None = None
    value: PictureJson | None = None
    """Of a KEY.json that mtool wrote."""

    text: str | None = None
    """The class of a KEY.cls."""

    others: list[str] = field(default_factory=list)
    """Endings of other members."""

    endings: set[str] = field(default_factory=set)

    def take(self, ending: str, member: Member, file: BinaryIO) -> None:
        """Take a member."""
        if ending in self.endings:
            raise BadData(f"{self.path}: expected one {shown(member.name)}, found two, one behind the other")
        self.endings.add(ending)
        if ending == "json":
            self.value = self._json(self._bytes(member, file, _LONGEST_TEXT))
            if self.value is None:
                self.others.append(ending)
        elif ending == "cls":
            self.text = self._class(self._bytes(member, file, _LONGEST_CLASS))
        elif ending in _ENDINGS and self.picture is None:
            self.picture = member
        else:
            self.others.append(ending)

    def _bytes(self, member: Member, file: BinaryIO, most: int) -> bytes:
        if member.size > most:
            raise self._bad(f"expected at most {most:,} bytes, found {member.size:,}", member.name)
        file.seek(member.offset)
        return file.read(member.size)

    def _json(self, data: bytes) -> PictureJson | None:
        try:
            return picture_json(data)
        except ValueError as error:
            raise self._bad(str(error), f"{self.key}.json") from error

    def _class(self, data: bytes) -> str:
        try:
            return data.decode().strip()
        except UnicodeDecodeError as error:
            raise self._bad("expected a class in UTF-8", f"{self.key}.cls") from error

    def _bad(self, why: str, name: str) -> BadData:
        return BadData(f"{self.path}: {shown(name)}: {why}")

    def check(self) -> None:
        """Raise BadData where KEY.cls and KEY.json disagree."""
        label = self.value.label if self.value else None
        if self.text is not None and label is not None and self.text != str(label):
            raise self._bad(
                f"expected the class {label}, as KEY.json has it, found {shown(self.text)}", self.key
            )


def _samples(paths: Sequence[str]) -> Iterator[_Sample]:
    """Yield the samples that have a picture, and those that have none; order is that of the archives."""
    for path in paths:
        with open(path, "rb", buffering=1 << 13) as file:
            sample = _Sample(path, "")
            for member in members(file, path):
                key, ending = _key_and_ending(member.name, path)
                if not ending:
                    continue
                if key != sample.key:
                    yield from _whole(sample)
                    sample = _Sample(path, key)
                sample.take(ending, member, file)
            yield from _whole(sample)


def _whole(sample: _Sample) -> Iterator[_Sample]:
    if sample.endings:
        sample.check()
        yield sample


def _key_and_ending(name: str, path: str) -> tuple[str, str]:
    """Return what comes before the first dot of a file's name, its folders with it, and what comes behind."""
    name = name.removeprefix("./")
    if leaves_folder(name):
        raise BadData(f"{path}: expected names below a folder, found {shown(name)}")
    folder, slash, file = name.rpartition("/")
    stem, _, ending = file.partition(".")
    return (folder + slash + stem, ending.lower()) if stem else ("", "")


@dataclass(slots=True)
class _Survey:
    """What the first pass finds."""

    place: str
    kind: PictureLabelKind | None = None
    attribute: str = ""
    pairs: dict[tuple[int, str], None] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    """Classes of KEY.cls that are no indices."""

    pictures: int = 0
    lost: dict[str, int] = field(default_factory=dict)

    def add(self, sample: _Sample) -> None:
        """Take a sample."""
        for ending in sample.others:
            self._lose(f"KEY.{ending}" if len(ending) < 20 and ending.isprintable() else "other members")
        if sample.picture is None:
            self._lose("samples without a picture")
            return
        self.pictures += 1
        if sample.value is not None:
            self._add_value(sample.path, sample.value)
        elif sample.text and _is_index(sample.text):
            self.pairs[int(sample.text), default_name(int(sample.text))] = None
        elif sample.text:
            self.names.add(sample.text)

    def _add_value(self, path: str, value: PictureJson) -> None:
        if self.kind not in (None, value.kind) or self.attribute not in ("", value.label_attribute):
            raise BadData(f"{path}: expected labels of one kind and attribute, found two")
        self.kind, self.attribute = value.kind, value.label_attribute
        self.pairs |= dict.fromkeys(value.pairs())

    def _lose(self, what: str) -> None:
        self.lost[what] = self.lost.get(what, 0) + 1


def _is_index(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 9


@dataclass(frozen=True, slots=True)
class _Reader:
    """Gives the pictures of archives whose classes are known."""

    indices: Mapping[int, int]
    named: Mapping[str, int]
    prefix: str

    def pictures(self, paths: Sequence[str]) -> Iterator[Picture]:
        """Yield the pictures of a part, numbered from 1."""
        number = 0
        for sample in _samples(paths):
            if sample.picture is not None:
                number += 1
                yield self._picture(number, sample, sample.picture)

    def _picture(self, number: int, sample: _Sample, member: Member) -> Picture:
        content = Stored(sample.path, member.offset, member.size)
        value, text = sample.value, sample.text
        own = value.source_ref if value and not self.prefix else ""
        ref = own or ref_in(self.prefix, member.name.removeprefix("./"))
        if value is not None:
            return described(value, self.indices, number, sample.key, ref, content)
        classes: tuple[int, ...] = ()
        if text:
            classes = (self.indices[int(text)] if _is_index(text) else self.named[text],)
        return Picture(number, ref, classes=classes, key=sample.key, content=content)

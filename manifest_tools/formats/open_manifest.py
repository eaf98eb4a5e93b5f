"""Opens what is named as a manifest: a file of lines, or a data set of another format that stands for one.

Such a data set is read by its format, and its lines are written to a temporary file: from there on nothing
knows the difference.
"""

import os
import shlex
from pathlib import Path

import msgspec
from msgspec.structs import replace

from manifest_tools.base.arguments import AnyPath, as_text
from manifest_tools.base.errors import Refused
from manifest_tools.base.parallel import Jobs
from manifest_tools.base.remarks import remark
from manifest_tools.base.text import clipped, listed
from manifest_tools.formats.class_contract import read_data_set
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.formats.safe_names import UniqueNames, file_name
from manifest_tools.formats.table import FORMATS, Format, base_name
from manifest_tools.groundtruth.annotations import DataSet, Picture, Pictures
from manifest_tools.groundtruth.classes import ClassTable, classes_from
from manifest_tools.groundtruth.examples import Examples, examples_of, one_attribute
from manifest_tools.groundtruth.write_line import manifest_lines
from manifest_tools.io.sources import (
    Source,
    TemporaryFolder,
    copied,
    find_manifests,
    folder_of,
    hint_in,
    open_source,
)

_CLEARLY = 2  # folders of pictures that say more than a manifest, or a JSON file, beside them


def open_manifest(name: str, classes: ClassTable | None = None) -> Source:
    """Return the source called ``name``, as ``open_source`` does, or of what stands for a manifest.

    ``classes`` gives classes their indices by name, where the data set itself has only names. Raises what
    ``open_source`` raises, and Refused or BadData for a data set that cannot stand for a manifest.
    """
    row = stands_in(name)
    if row is None:
        return open_source(name)
    place = name.rstrip("/") or name
    data = _read(row, place, classes)
    for text in data.remarks:
        remark(text)
    kept = _Kept()
    pictures = map(kept.with_files, _only_part(row, place, data))
    source = copied(place, manifest_lines(data, pictures), folder_of(place))
    source.stands_in, source.kept = True, kept.folder
    if row.output == "folder":
        source.images = (place,)
    elif kept.folder is not None:
        source.images = (kept.folder.path,)
    return source


def stands_in(name: str) -> Format | None:
    """Return the format of a data set that can be named as a manifest, None where ``name`` is none.

    A folder is what something in it shows, and else a folder of pictures.
    """
    is_folder = os.path.isdir(name)
    candidates = [
        (len(mark), row)
        for row in FORMATS.values()
        for mark in row.stands_in
        if (row.output == "folder") == is_folder
        and (os.path.exists(os.path.join(name, mark)) if is_folder else name.endswith(mark))
    ]
    return max(candidates, key=lambda found: found[0])[1] if candidates else None


def _only_part(row: Format, place: str, data: DataSet) -> Pictures:
    """Return the pictures of a data set without parts; raises Refused for one that has some."""
    if list(data.parts) == [""]:
        return data.parts[""]
    if row.stands_in == ("",):
        folders = [shlex.quote(os.path.join(place, part)) for part in list(data.parts)[:2]]
        raise Refused(
            f"{place}: expected a folder for each class, found parts: {listed(sorted(data.parts))}; name"
            f" them, as in `mtool train {' '.join(folders)}`"
        )
    word = next(word for word, other in FORMATS.items() if other is row)
    raise Refused(
        f"{place}: has the parts {', '.join(data.parts)}; make a manifest of each, with"
        f" `mtool convert --from {word} {shlex.quote(place)} -o DIR`"
    )


class _Kept:
    """Gives pictures and masks a file that stand in a container, in a temporary folder."""

    def __init__(self) -> None:
        self.folder: TemporaryFolder | None = None
        self._names = UniqueNames()

    def with_files(self, picture: Picture) -> Picture:
        """Return a picture that stands, with its mask, in a file."""
        if picture.content is not None:
            ref = self._written(picture.ref, picture.number, picture.content())
            picture = replace(picture, ref=ref, content=None)
        mask = picture.mask
        if mask is not None and mask.content is not None:
            ref = self._written("mask.png", picture.number, mask.content())
            picture = replace(picture, mask=replace(mask, ref=ref, content=None))
        return picture

    def _written(self, ref: str, number: int, data: bytes) -> str:
        if self.folder is None:
            self.folder = TemporaryFolder()
        name = file_name(ref, number, self._names)
        with open(os.path.join(self.folder.path, name), "wb") as file:
            file.write(data)
        return name


def manifest_name(name: str) -> str:
    """Return the name that lines of ``name`` have in a file of their own."""
    row = stands_in(name)
    return name if row is None else f"{base_name(row, name)[0]}.manifest"


def _read(row: Format, place: str, classes: ClassTable | None) -> DataSet:
    """Return the data set; a folder with manifests or COCO files is refused unless it is clearly one."""
    hint = hint_in(Path(place)) if row.stands_in == ("",) else ""
    try:
        data = read_data_set(row, place, ReadOptions(classes=classes))
    except Refused:
        if row.stands_in == ("",):
            _check_has_no_data_set(place)
        if hint:
            open_source(place)
        raise
    if hint and len(data.table.names) < _CLEARLY:
        open_source(place)
    return data


def _check_has_no_data_set(folder: str) -> None:
    """Raise Refused with the name of a file that can be named in place of a folder, where there is one."""
    if find_manifests(Path(folder)):
        return
    inside = (os.path.join(folder, name) for name in sorted(os.listdir(folder)) if not name.startswith("."))
    if path := next((path for path in inside if os.path.isfile(path) and stands_in(path)), None):
        raise Refused(f"{folder}: expected a manifest, found a folder; type the name of a file in it: {path}")


def read_examples(
    manifest: AnyPath,
    label_attribute: str | None = None,
    *,
    classes: ClassTable | AnyPath | None = None,
    jobs: Jobs = None,
) -> Examples:
    """Return the labelled lines of a manifest whose label is a class or a list of classes.

    ``classes`` are classes that the manifest need not show or name. Raises Refused for another label kind,
    ClassConflict where lines or ``classes`` disagree, InvalidLine for a line that cannot be read.
    """
    table = classes_from(classes)
    source = open_manifest(as_text(manifest), table)
    attribute = one_attribute(source, label_attribute, jobs)
    if not attribute.kind.is_classification:
        what = f"{clipped(attribute.name)} of type {clipped(attribute.short_type)}"
        raise Refused(f"{source.name}: expected a label of one class or several, found {what}")
    return examples_of(source, attribute, classes=table, jobs=jobs)


def remark_elsewhere(source: Source, outputs: list[str]) -> None:
    """Say what finds the pictures of outputs whose folder is not the one that their refs are relative to."""
    base = os.path.realpath(source.folder)
    moved = [name for name in outputs if name != "-" and os.path.realpath(os.path.dirname(name)) != base]
    if moved and names_paths(source):
        remark(
            f"{moved[0]}: names its pictures from the folder {source.folder or '.'}; where they are opened,"
            f" type --images {source.folder or '.'}"
        )


class _Ref(msgspec.Struct, rename={"ref": "source-ref"}):
    ref: str = "s3://"


def names_paths(source: Source) -> bool:
    """Say whether the first line names its picture by a path, and not by a URI."""
    return names_path(source.head().lstrip().partition(b"\n")[0])


def names_path(line: bytes) -> bool:
    """Say whether a line names its picture by a path, and not by a URI; one that is no JSON does not.

    >>> names_path(b'{"source-ref": "s3://b/1.jpg"}'), names_path(b'{"label": 1, "source-ref": "1.jpg"}')
    (False, True)
    """
    try:
        return not msgspec.json.decode(line, type=_Ref).ref.startswith("s3://")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False

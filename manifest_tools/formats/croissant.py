"""Croissant 1.1: a data set and its files described as JSON-LD, for MLCommons' readers and search engines.

A description stands beside the outputs of any format. It has their files with size and SHA-256, the classes
as an enumeration, and where readers of Croissant look into the format (Parquet, WebDataset, folders) a record
for each picture.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from manifest_tools.formats.safe_names import PICTURE_ENDINGS
from manifest_tools.groundtruth.annotations import PictureLabelKind
from manifest_tools.groundtruth.classes import ClassTable

CONFORMS_TO = "http://mlcommons.org/croissant/1.1"

# fmt: off
_CR = (
    "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileProperty",
    "fileObject", "fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key", "md5",
    "parentField", "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate",
    "separator", "source", "subField", "transform",
)
# fmt: on
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    **{word: f"cr:{word}" for word in _CR},
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
}

_MEDIA_TYPES = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".jsonl": "application/jsonlines",
    ".lst": "text/tab-separated-values",
    ".parquet": "application/x-parquet",
    ".tar": "application/x-tar",
    ".tsv": "text/tab-separated-values",
    ".txt": "text/plain",
    ".xml": "text/xml",
    ".yaml": "text/yaml",
}
_OTHER_TYPE = "application/octet-stream"
_INTEGER, _TEXT, _PICTURE = "sc:Integer", "sc:Text", "sc:ImageObject"


@dataclass(frozen=True, slots=True)
class DescribedFile:
    """A file of an output."""

    path: str
    """From the folder in which the description stands, with slashes."""

    size: int
    sha256: str
    """In hexadecimal."""


def described_file(path: str, local: str) -> DescribedFile:
    """Return the file that will be ``path``, whose bytes are at ``local`` now."""
    with open(local, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return DescribedFile(path, file.tell(), digest)


@dataclass(frozen=True, slots=True)
class Description:
    """A data set in the words of this tool."""

    name: str
    format: str
    """The word of ``--to``."""

    label_kind: PictureLabelKind
    table: ClassTable
    parts: Mapping[str, int]
    """How many pictures each part has, by its name; the only one of a data set without parts has none."""

    files: Sequence[DescribedFile]
    """The files, but for those in ``folder``."""

    folder: str = ""
    """The folder of pictures, where there is one: its files are described together."""

    licence: str | None = None
    """A name or URL; None says nothing."""

    text: str = ""
    """What the data set is about."""


def croissant(data: Description) -> dict[str, Any]:
    """Return the description as JSON-LD: ``json.dumps`` of it is a valid Croissant file.

    >>> croissant(Description("hats", "recordio", "single_label", ClassTable(), {"": 1}, []))["conformsTo"]
    'http://mlcommons.org/croissant/1.1'
    """
    described = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": data.name,
        "description": data.text or _said(data),
        "conformsTo": CONFORMS_TO,
        "license": data.licence,
        "distribution": _distribution(data),
        "recordSet": [*_classes(data), *_splits(data), *_records(data)],
    }
    return {key: value for key, value in described.items() if value is not None}


def _said(data: Description) -> str:
    pictures = f"{sum(data.parts.values()):,} pictures"
    parts = f" in {', '.join(data.parts)}" if list(data.parts) != [""] else ""
    return f"{pictures}{parts} with labels of {len(data.table.names)} classes, in the format {data.format}."


def media_type(path: str) -> str:
    """Return the media type of a file by its ending.

    >>> media_type("ds/train.parquet"), media_type("ds.rec")
    ('application/x-parquet', 'application/octet-stream')
    """
    ending = re.search(r"\.[a-z]+\Z", path)
    return _MEDIA_TYPES.get(ending[0], _OTHER_TYPE) if ending else _OTHER_TYPE


def _distribution(data: Description) -> list[dict[str, Any]]:
    files = [
        {
            "@type": "cr:FileObject",
            "@id": f"file-{number}",
            "name": file.path,
            "contentUrl": file.path,
            "contentSize": f"{file.size} B",
            "encodingFormat": media_type(file.path),
            "sha256": file.sha256,
        }
        for number, file in enumerate(data.files, 1)
    ]
    return [*files, *_sets(data)]


def _sets(data: Description) -> list[dict[str, Any]]:
    """Return the sets of files that records are read from."""
    if data.format == "parquet":
        # By their names: a pattern would take in other files beside them.
        names = [
            re.sub(r"([*?[])", r"[\1]", file.path) for file in data.files if file.path.endswith(".parquet")
        ]
        return [_set("parquet-files", "application/x-parquet", names, [])]
    if data.format == "webdataset":
        return [one for part in data.parts for one in _sets_in_tars(data, part)]
    if data.folder:
        patterns = [f"{data.folder}/**/*{ending}" for ending in PICTURE_ENDINGS]
        return [_set("pictures-in-folder", "image/jpeg", patterns, [])]
    return []


def _sets_in_tars(data: Description, part: str) -> list[dict[str, Any]]:
    """Return the pictures and the labels in the tars of a part: the same keys come again in the next."""
    of_part = re.compile(rf"(.*/)?{re.escape(part) if part else '.*'}(-[0-9]{{6,}})?\.tar")
    tars = [f"file-{number}" for number, file in enumerate(data.files, 1) if of_part.fullmatch(file.path)]
    return [
        _set(_named("pictures", part), "image/jpeg", ["*.jpg", "*.png"], tars),
        _set(_named("labels", part), "text/plain", ["*.json"], tars),
    ]


def _named(what: str, part: str) -> str:
    """Return what a set of files is called.

    >>> _named("labels", "fold 1"), _named("labels", "")
    ('labels-of-fold_1', 'labels')
    """
    return f"{what}-of-{re.sub(r'[^A-Za-z0-9_.-]', '_', part)}" if part else what


def _set(name: str, media: str, patterns: Sequence[str], inside: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "@type": "cr:FileSet",
        "@id": name,
        "name": name,
        "encodingFormat": media,
        "includes": list(patterns),
    }
    return found | ({"containedIn": [{"@id": path} for path in inside]} if inside else {})


def _classes(data: Description) -> list[dict[str, Any]]:
    """Return the classes as an enumeration, in the order of their indices."""
    if not data.table.names:
        return []
    rows = [{"classes/index": index, "classes/name": name} for index, name in data.table.names]
    fields = [_field("classes/index", _INTEGER), _field("classes/name", [_TEXT, "sc:name"])]
    return [_enumeration("classes", "classes/index", fields, rows)]


def _splits(data: Description) -> list[dict[str, Any]]:
    """Return the parts as an enumeration."""
    if list(data.parts) == [""]:
        return []
    rows = [{"splits/name": part, "splits/pictures": count} for part, count in data.parts.items()]
    fields = [_field("splits/name", [_TEXT, "sc:name"]), _field("splits/pictures", _INTEGER)]
    return [_enumeration("splits", "splits/name", fields, rows)]


def _enumeration(
    name: str, key: str, fields: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "dataType": "sc:Enumeration",
        "key": {"@id": key},
        "field": list(fields),
        "data": list(rows),
    }


def _records(data: Description) -> list[dict[str, Any]]:
    """Return the record set of the pictures, where the format is one that can be looked into."""
    if data.format == "webdataset":
        return [one for part in data.parts for one in _of_webdataset(part)]
    if data.format == "parquet":
        return [_record_set("pictures", _of_parquet(data))]
    return [_record_set("pictures", _of_folder())] if data.format == "folder" and data.folder else []


def _record_set(name: str, fields: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "field": list(fields)}


def _of_parquet(data: Description) -> list[dict[str, Any]]:
    source = {"fileSet": {"@id": "parquet-files"}}
    image = source | {"extract": {"column": "image"}, "transform": {"jsonPath": "bytes"}}
    fields = [
        _field("pictures/image", _PICTURE, image),
        _field("pictures/ground_truth", _TEXT, source | {"extract": {"column": "ground_truth"}}),
    ]
    if data.label_kind == "single_label":
        references = {"references": {"field": {"@id": "classes/index"}}} if data.table.names else {}
        fields.append(
            _field("pictures/label", _INTEGER, source | {"extract": {"column": "label"}}) | references
        )
    elif data.label_kind == "multi_label":
        labels = _field("pictures/labels", _INTEGER, source | {"extract": {"column": "labels"}})
        fields.append(labels | {"repeated": True})
    return fields


_KEY = {"extract": {"fileProperty": "filename"}, "transform": {"regex": "^([0-9]+)"}}
_CONTENT = {"extract": {"fileProperty": "content"}}


def _of_webdataset(part: str) -> list[dict[str, Any]]:
    """Return the pictures of a part, and their labels; readers join them by their keys."""
    kinds = {"pictures": ("image", _PICTURE), "labels": ("ground_truth", _TEXT)}
    found = []
    for what, (content, kind) in kinds.items():
        name = _named(what, part)
        of = {"fileSet": {"@id": name}}
        key = _field(f"{name}-records/key", _TEXT, of | _KEY)
        fields = [key, _field(f"{name}-records/{content}", kind, of | _CONTENT)]
        found.append(_record_set(f"{name}-records", fields))
    return found


def _of_folder() -> list[dict[str, Any]]:
    of = {"fileSet": {"@id": "pictures-in-folder"}}
    folder = {"extract": {"fileProperty": "fullpath"}, "transform": {"regex": "^.*/([^/]+)/[^/]+$"}}
    return [
        _field("pictures/image", _PICTURE, of | {"extract": {"fileProperty": "content"}}),
        _field("pictures/class", _TEXT, of | folder),
    ]


def _field(name: str, kind: str | Sequence[str], source: Mapping[str, Any] | None = None) -> dict[str, Any]:
    found = {"@type": "cr:Field", "@id": name, "name": name, "dataType": kind}
    return found if source is None else found | {"source": source}

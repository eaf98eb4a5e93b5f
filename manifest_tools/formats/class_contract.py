"""The class table beside a data set: written with every output, taken back when it is read."""

import json
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.text import listed
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.formats.table import Format, base_name, module_of, name_of_shards
from manifest_tools.groundtruth.annotations import DataSet
from manifest_tools.groundtruth.classes import ClassTable, agree

CLASSES = "classes.json"
"""In an output folder: the class table, with its hash."""

_LARGEST = 1 << 26  # bytes of a file that may hold a class table


@dataclass(frozen=True, slots=True)
class Contract:
    """What stands beside a data set."""

    path: str
    """The file that says it."""

    table: ClassTable
    label_attribute: str | None
    """The label attribute of all parts; None where they have several, or nothing says it."""


def contract_beside(row: Format, place: str) -> Contract | None:
    """Return the class table that stands beside a data set on this disk, and its label attribute.

    In a folder that is ``classes.json``, beside files the report of the conversion. Raises BadData for a
    table whose hash is not its own: somebody has edited it.
    """
    for path in _candidates(row, place):
        if path == place:
            continue  # the data set itself
        whole = value = _json_at(path)
        classes = value.get("classes") if isinstance(value, dict) else None
        if isinstance(classes, dict) and isinstance(classes.get("classes"), dict):
            classes, value = classes["classes"], classes  # a report, with the table in it
        if isinstance(classes, dict) and isinstance(value.get("sha256"), str):
            return Contract(path, _checked(path, value), _attribute(whole))
    return None


def _attribute(value: dict[str, Any]) -> str | None:
    parts = value.get("parts")
    of_parts = [part.get("label_attribute") for part in parts.values()] if isinstance(parts, dict) else []
    names = {name for name in (value.get("label_attribute"), *of_parts) if isinstance(name, str)}
    return names.pop() if len(names) == 1 else None


def read_data_set(row: Format, place: str, options: ReadOptions) -> DataSet:
    """Return the data set that stands at ``place``, with the class table that stands beside it.

    Raises ClassConflict where that disagrees with ``options.classes``, and what the reader raises.
    """
    read = module_of(row).read
    beside = contract_beside(row, place)
    if beside is None:
        data: DataSet = read(place, options)
        return data
    path, table = beside.path, beside.table
    if options.classes is not None:
        table = agree({path: table, "--classes": options.classes})
    attribute = options.label_attribute or beside.label_attribute
    data = read(place, replace(options, classes=table, label_attribute=attribute))
    if row.stands_in == ("",):
        _check_is_by_class(place, path, table, data.table)
    return replace(data, table=agree({path: table, place: data.table}))


def _check_is_by_class(place: str, path: str, table: ClassTable, found: ClassTable) -> None:
    """Raise Refused for a folder of another format, none of whose folders is a class of its class table."""
    names = [name for _, name in found.names]
    if names and table.names and not {name for _, name in table.names} & set(names):
        raise Refused(
            f"{place}: expected a folder for each of the classes of {path},"
            f" {listed([name for _, name in table.names])}, found {listed(names)}: it is of another format,"
            f" which `mtool convert --from FORMAT {shlex.quote(place)}` may read"
        )


def _candidates(row: Format, place: str) -> Iterator[str]:
    if place == "-" or place.startswith("s3://"):
        return
    place = place.rstrip("/") or place
    above = os.path.dirname(place)
    if os.path.isdir(place):
        yield os.path.join(place, CLASSES)
        yield f"{place}.json"
        return
    base = base_name(row, place)[0]
    if base + base_name(row, place)[1] == place or not os.path.exists(place):  # the name of its shards
        yield f"{base}.json"
    if row.shards and name_of_shards(base, one=True) != base:
        yield f"{name_of_shards(base, one=True)}.json"
    yield os.path.join(above, CLASSES)
    if above:
        yield f"{above}.json"


def _json_at(path: str) -> Any:
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > _LARGEST:
            return None
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError, RecursionError):
        return None


def _checked(path: str, value: dict[str, Any]) -> ClassTable:
    try:
        table = ClassTable.from_json(value)
    except BadData as error:
        raise type(error)(f"{path}: {error}") from error
    if table.digest != value["sha256"]:
        raise BadData(
            f"{path}: its classes were edited: their SHA-256 is another one; remove this file, and type"
            " --classes FILE with the classes that are right"
        )
    return table

"""Class indices, and the class table of a data set: which index means which name.

A single-label line has one index and one ``class-name``, so a table is known only after all lines are read.
"""

import hashlib
import io
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from manifest_tools.base.errors import BadData
from manifest_tools.base.text import shown


class ClassConflict(BadData):
    """Two tables, or two lines, give one index two names or one name two indices."""


# The limit is on memory: arrays by class have an element for each index up to the highest.
MOST_CLASSES = 10**7
_LARGEST = 1 << 26  # bytes of a file of classes


def default_name(index: int) -> str:
    """Return the name of a class that no line names."""
    return f"class {index}"


@dataclass(frozen=True, slots=True)
class ClassTable:
    """Class indices with their names, in order of index.

    >>> table = ClassTable(((0, "RH"), (2, "LH")))
    >>> table.num_classes, table.gaps, table.name(1)
    (3, (1,), 'class 1')
    """

    names: tuple[tuple[int, str], ...] = ()
    """Pairs of index and name, in the order of the indices; an index that no line shows has none."""

    @property
    def num_classes(self) -> int:
        """The highest index + 1: the built-in algorithm counts a gap as a class."""
        return self.names[-1][0] + 1 if self.names else 0

    @property
    def gaps(self) -> tuple[int, ...]:
        """Indices below the highest that no line shows."""
        shown = {index for index, _ in self.names}
        return tuple(index for index in range(self.num_classes) if index not in shown)

    def name(self, index: int) -> str:
        """Return the name of ``index``; a class without a name is named 'class N'."""
        return dict(self.names).get(index, default_name(index))

    @property
    def labels(self) -> tuple[str, ...]:
        """One name for every index from 0, gaps included."""
        named = dict(self.names)
        return tuple(named.get(index, default_name(index)) for index in range(self.num_classes))

    @property
    def digest(self) -> str:
        """The SHA-256 of the table in hexadecimal; equal for equal tables."""
        return hashlib.sha256(json.dumps(self.names, ensure_ascii=True).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return the table as split.json, outputs and models have it."""
        classes = {str(index): name for index, name in self.names}
        return {"num_classes": self.num_classes, "classes": classes, "sha256": self.digest}

    @classmethod
    def from_json(cls, value: Any) -> "ClassTable":
        """Return the table of ``to_json``, of ``{"0": "RH"}`` or of ``["RH", "LH"]``; raises BadData."""
        named = value.get("classes", value) if isinstance(value, dict) else value
        if isinstance(named, list):
            named = {str(index): name for index, name in enumerate(named)}
        if not isinstance(named, dict) or not all(
            key.isdecimal() and isinstance(name, str) for key, name in named.items()
        ):
            raise BadData('expected a class table such as {"classes": {"0": "RH", "1": "LH"}}')
        return class_table((int(key), name) for key, name in named.items())


def class_table(pairs: Iterable[tuple[int, str]]) -> ClassTable:
    """Return the table that ``pairs`` of index and name agree on.

    Any name replaces the name 'class N' of class N. Raises ClassConflict where pairs do not agree, BadData
    for an index that is negative or not below MOST_CLASSES.

    >>> class_table([(1, "LH"), (0, "class 0"), (0, "RH"), (1, "LH")])
    ClassTable(names=((0, 'RH'), (1, 'LH')))
    """
    names: dict[int, str] = {}
    indices: dict[str, int] = {}
    for index, name in pairs:
        if not 0 <= index < MOST_CLASSES:
            raise BadData(f"expected class indices from 0 to {MOST_CLASSES - 1:,}, found {index:,}")
        default = default_name(index)
        if name == default and index in names:
            continue
        if names.get(index) == default:
            del indices[names.pop(index)]
        if names.setdefault(index, name) != name:
            raise ClassConflict(f"class {index} has two names: {shown(names[index])} and {shown(name)}")
        if indices.setdefault(name, index) != index:
            raise ClassConflict(f"class {shown(name)} has two indices: {indices[name]} and {index}")
    return ClassTable(tuple(sorted(names.items())))


def numbered(names: Iterable[str], given: ClassTable | None = None) -> dict[str, int]:
    """Return an index for each name: the one that ``given`` has for it, or else the next after all of these.

    A gap stays one: a class that no line shows may have that index.

    >>> numbered(["ant", "bee", "cat"], ClassTable(((0, "bee"), (3, "dog"))))
    {'ant': 4, 'bee': 0, 'cat': 5}
    """
    known = {name: at for at, name in given.names if name != default_name(at)} if given else {}
    free = count(given.num_classes if given else 0)
    return {name: known[name] if name in known else next(free) for name in names}


def renumbered(own: ClassTable, given: ClassTable | None) -> tuple[ClassTable, dict[int, int]]:
    """Return the table of a data set that has one itself, and for each of its indices the one to have.

    ``given`` decides by name; a class without a name keeps its index. Raises BadData for a name that it
    lacks, ClassConflict where it has another name for an index that is kept.

    >>> renumbered(ClassTable(((0, "ant"), (1, "bee"))), ClassTable(((0, "bee"), (5, "ant"))))[1]
    {0: 5, 1: 0}
    """
    if given is None:
        return own, {index: index for index, _ in own.names}
    known = {name: index for index, name in given.names}
    nameless = tuple((index, name) for index, name in own.names if name == default_name(index))
    for pair in own.names:
        if pair[1] not in known and pair not in nameless:
            raise BadData(f"--classes does not list the class {shown(pair[1])}; add it")
    return agree({"--classes": given, "the data set": ClassTable(nameless)}), {
        index: index if (index, name) in nameless else known[name] for index, name in own.names
    }


def classes_from(given: ClassTable | str | os.PathLike[str] | None) -> ClassTable | None:
    """Return the table that a caller gave: itself, or read from a file; None for none."""
    if given is None or isinstance(given, ClassTable):
        return given
    return read_class_table(os.fspath(given))


def read_class_table(path: str) -> ClassTable:
    """Return the table of a ``--classes FILE``: JSON, or one class name a line.

    Raises BadData for another file, ClassConflict for a class that the file names twice.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise BadData(f"expected a class table of at most {_LARGEST >> 20} MB, found more")
        text = io.TextIOWrapper(io.BytesIO(data), "utf-8-sig").read().rstrip("\n")
        if text.lstrip()[:1] in ("{", "["):
            return ClassTable.from_json(json.loads(text))
        return class_table(enumerate(text.split("\n") if text else ()))
    except BadData as error:
        raise type(error)(f"{path}: {error}") from error
    except (ValueError, RecursionError) as error:
        raise BadData(
            f"{path}: expected a class table: JSON, or one class name a line; found {error}"
        ) from error


def agree(tables: Mapping[str, ClassTable]) -> ClassTable:
    """Return one table for several files, which are the keys of ``tables``.

    A class may be in some of the files only. Raises ClassConflict with the names of two files that disagree.
    """
    merged = ClassTable()
    before: list[str] = []
    for source, table in tables.items():
        try:
            merged = class_table((*merged.names, *table.names))
        except ClassConflict as conflict:
            other = next((name for name in before if _conflict(tables[name], table)), "itself")
            raise ClassConflict(f"{source} and {other} disagree: {conflict}") from conflict
        before.append(source)
    return merged


def _conflict(one: ClassTable, other: ClassTable) -> bool:
    try:
        class_table((*one.names, *other.names))
    except ClassConflict:
        return True
    return False


def class_index(label: int | str | None) -> int:
    """Return a class index as a number; raises ValueError for a label that is no class index.

    >>> class_index("7")
    7
    """
    if isinstance(label, str) and label.isascii() and label.isdecimal() and len(label) < 9:
        label = int(label)
    if isinstance(label, int) and 0 <= label < MOST_CLASSES:
        return label
    raise ValueError(f"expected a class index from 0, found {label!r:.100}")


def is_index(value: Any) -> bool:
    """Say whether a value is a class index or the digits of one: a boolean is none, nor is 1.0.

    >>> is_index("7"), is_index(True), is_index(1.0)
    (True, False, False)
    """
    return index_of(value) is not None


def index_of(value: Any) -> int | None:
    """Return a class index as a number; None for a value that is no class index, as ``is_index`` says."""
    try:
        return None if isinstance(value, bool) else class_index(value)
    except ValueError:
        return None

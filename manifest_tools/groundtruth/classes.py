"""The class table of a data set: which index means which name.

Ground Truth's single-label form keeps the name only in each line's ``class-name`` and the index only in
its label, so the table is gathered over a whole input, never over one part of it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifest_tools.base.errors import BadData
from manifest_tools.base.text import shown


class ClassConflict(BadData):
    """Two tables, or two lines, that give one index two names or one name two indices."""


# More are a mistake, or worse: a table by class has a row for each up to the highest.
MOST_CLASSES = 10**7


def unnamed(index: int) -> str:
    """Return what a class is called that no line names."""
    return f"class {index}"


@dataclass(frozen=True, slots=True)
class ClassTable:
    """Class indices with their names, in order of index.

    >>> table = ClassTable(((0, "RH"), (2, "LH")))
    >>> table.num_classes, table.gaps, table.name(1)
    (3, (1,), 'class 1')
    """

    names: tuple[tuple[int, str], ...] = ()

    @property
    def num_classes(self) -> int:
        """The highest index + 1, as the built-in algorithm counts: a gap is a class too."""
        return self.names[-1][0] + 1 if self.names else 0

    @property
    def gaps(self) -> tuple[int, ...]:
        """Indices below the highest that no line shows."""
        shown = {index for index, _ in self.names}
        return tuple(index for index in range(self.num_classes) if index not in shown)

    def name(self, index: int) -> str:
        """Return the name of ``index``; a gap, or a label without name, is called by its number."""
        return dict(self.names).get(index, unnamed(index))

    @property
    def labels(self) -> tuple[str, ...]:
        """Return one name for every index from 0, gaps included."""
        named = dict(self.names)
        return tuple(named.get(index, unnamed(index)) for index in range(self.num_classes))

    @property
    def digest(self) -> str:
        """SHA-256 of the table: equal for equal tables, whatever file they came from."""
        return hashlib.sha256(json.dumps(self.names, ensure_ascii=True).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return what stands in split.json, beside every output and in every model."""
        classes = {str(index): name for index, name in self.names}
        return {"num_classes": self.num_classes, "classes": classes, "sha256": self.digest}

    @classmethod
    def from_json(cls, value: Any) -> "ClassTable":
        """Read ``to_json``'s form; a bare ``{"0": "RH"}`` or ``["RH", "LH"]`` will do as well."""
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

    A class that is called by its number, because nothing named it, takes any name. Raises
    ClassConflict when they do not agree.

    >>> class_table([(1, "LH"), (0, "class 0"), (0, "RH"), (1, "LH")])
    ClassTable(names=((0, 'RH'), (1, 'LH')))
    """
    names: dict[int, str] = {}
    indices: dict[str, int] = {}
    for index, name in pairs:
        if not 0 <= index < MOST_CLASSES:
            raise BadData(f"expected class indices from 0 to {MOST_CLASSES - 1:,}, found {index:,}")
        called = unnamed(index)
        if name == called and index in names:
            continue
        if names.get(index) == called:
            del indices[names.pop(index)]
        if names.setdefault(index, name) != name:
            raise ClassConflict(f"class {index} has two names: {shown(names[index])} and {shown(name)}")
        if indices.setdefault(name, index) != index:
            raise ClassConflict(f"class {shown(name)} has two indices: {indices[name]} and {index}")
    return ClassTable(tuple(sorted(names.items())))


def read_class_table(path: str) -> ClassTable:
    """Return the table of a ``--classes FILE``: JSON, or one class name a line.

    Raises BadData for a file that is neither, ClassConflict for one that names a class twice.
    """
    try:
        text = Path(path).read_text("utf-8-sig").rstrip("\n")
        if text.lstrip()[:1] in ("{", "["):
            return ClassTable.from_json(json.loads(text))
        return class_table(enumerate(text.split("\n") if text else ()))
    except BadData as error:
        raise type(error)(f"{path}: {error}") from error
    except (ValueError, RecursionError) as error:
        raise BadData(f"{path}: expected a class table, JSON or a name a line; found {error}") from error


def agree(tables: Mapping[str, ClassTable]) -> ClassTable:
    """Return the one table of several files, named by where each came from.

    A class that only one file shows is no disagreement. Raises ClassConflict, naming two files.
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
    """Return a label's index; raises ValueError for what is none.

    >>> class_index("7")
    7
    """
    if isinstance(label, str) and label.isascii() and label.isdecimal() and len(label) < 9:
        label = int(label)
    if isinstance(label, int) and 0 <= label < MOST_CLASSES:
        return label
    raise ValueError(f"expected a class index from 0, found {label!r:.100}")


def is_index(value: Any) -> bool:
    """Say whether a value can be read as a class index: a boolean is none, nor is 1.0.

    >>> is_index("7"), is_index(True), is_index(1.0)
    (True, False, False)
    """
    try:
        return not isinstance(value, bool) and class_index(value) >= 0
    except ValueError:
        return False


def index_of(value: Any) -> int | None:
    """Return a label's class index, or None for what is none: a boolean is none, nor is 1.0."""
    try:
        return None if isinstance(value, bool) else class_index(value)
    except ValueError:
        return None

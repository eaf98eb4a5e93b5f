"""Which control of a labelling project becomes the label attribute, and the indices of its classes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.text import clipped, shown
from manifest_tools.formats.label_studio_config import Config, Control, Family
from manifest_tools.formats.label_studio_export import TaskFile, count_in
from manifest_tools.groundtruth.annotations import PictureLabelKind
from manifest_tools.groundtruth.attributes import check_attribute_name
from manifest_tools.groundtruth.classes import ClassTable, agree, class_table


@dataclass(frozen=True, slots=True)
class Choice:
    """Which controls count, and what they give a picture."""

    family: Family
    names: frozenset[str]
    attribute: str
    kind: PictureLabelKind


def choose(place: str, files: Sequence[TaskFile], requested: str | None) -> Choice:
    """Return the controls that count: the requested one, all for regions, or the only one for choices."""
    every: dict[tuple[str, Family], None] = {}
    for file in files:
        every |= {(one.name, one.family): None for one in (file.config.controls if file.config else ())}
        every |= dict.fromkeys(file.asked)
    if any(name == requested for name, _ in every):
        every = {key: None for key in every if key[0] == requested}
    families = {family for _, family in every}
    if len(families) > 1 or (families == {"choices"} and len(every) > 1):
        found = ", ".join(f"{clipped(name)} ({family})" for name, family in every)
        first = next(iter(every))[0]
        raise Refused(
            f"{place}: it has the controls {found}; type --label-attribute {clipped(first)} (or another)"
        )
    family: Family = next(iter(families), "choices")
    stated = [name for file in files for name in file.attributes]
    attribute = requested or next(iter(stated), None) or next((name for name, _ in every), "label")
    check_attribute_name(attribute)
    names = frozenset(name for name, _ in every)
    kind: PictureLabelKind = "boxes" if family == "regions" else _kind(files, names)
    return Choice(family, names, attribute, kind)


def _kind(files: Sequence[TaskFile], names: frozenset[str]) -> PictureLabelKind:
    configs = [one for file in files if file.config for one in file.config.controls if one.name in names]
    asked = [one for file in files for (name, _), one in file.asked.items() if name in names]
    multiple = any(control.multiple for control in configs) or any(one.most > 1 for one in asked)
    return "multi_label" if multiple else "single_label"


def table_of(files: Sequence[TaskFile], chosen: Choice, given: ClassTable | None) -> ClassTable:
    """Return the class table: ``given``, that of the configs, or the sorted names.

    Raises ClassConflict where two of them disagree, BadData for a class that they do not list.
    """
    tables = {} if given is None else {"--classes": given}
    for file in files:
        control = _of_config(file.config, chosen) if file.config else None
        if file.config and control and control.classes and (given is None or control.states_indices):
            tables[file.config.path] = _config_table(file.config.path, control)
    names = [(file.source.name, name) for file in files for name in _names(file, chosen)]
    if not tables:
        return class_table(enumerate(sorted({name for _, name in names})))
    table = agree(tables)
    known = {name for _, name in table.names}
    for source, name in names:
        if name not in known:
            raise BadData(f"{source}: {', '.join(tables)} does not list the class {shown(name)}; add it")
    return table


def _config_table(path: str, control: Control) -> ClassTable:
    try:
        return control.table()
    except BadData as error:
        raise type(error)(f"{path}: {error}") from error


def _of_config(config: Config, chosen: Choice) -> Control:
    """Return the controls that count as one, with the classes of all of them."""
    controls = [one for one in config.controls if one.name in chosen.names]
    classes = tuple(dict.fromkeys(found for one in controls for found in one.classes))
    return Control(chosen.attribute, chosen.family, False, classes)


def _names(file: TaskFile, chosen: Choice) -> Iterator[str]:
    for (name, family), asked in file.asked.items():
        if name in chosen.names and family == chosen.family:
            yield from asked.names


def count_lost(file: TaskFile, chosen: Choice, lost: dict[str, int]) -> None:
    """Add what a file has and a manifest cannot hold, the results of other controls among it."""
    for what, count in file.lost.items():
        count_in(lost, what, count)
    for (name, family), asked in file.asked.items():
        if name in chosen.names and family == chosen.family:
            for what, count in asked.lost.items():
                count_in(lost, what, count)
        else:
            count_in(lost, f"results of the control {clipped(name)}", asked.results)


def remarks_of(files: Sequence[TaskFile]) -> tuple[str, ...]:
    """Return what the user is told of tasks without an answer."""
    remarks = []
    for file in files:
        without = {state: file.states[state] for state in ("unanswered", "skipped") if state in file.states}
        if without:
            counts = ", ".join(f"{count:,} {state}" for state, count in without.items())
            remarks.append(f"{file.source.name}: tasks without a label: {counts}")
    return tuple(remarks)

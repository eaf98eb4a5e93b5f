"""What a split did: a table or bars of lines by class and part, and in words what these do not show."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from manifest_tools.base.text import by_state, clipped
from manifest_tools.base.visible import visible
from manifest_tools.cli.shared.screen import clean, table

if TYPE_CHECKING:
    from fractions import Fraction

    from manifest_tools.pages.charts import Section
    from manifest_tools.verbs.split.report import Split

_MOST = 40  # classes in the table
_FEW = 8  # names in a note
_MANY = 200  # names in a note that names all


def split_table(result: "Split", dry_run: bool) -> str:
    """Return the table of lines by class and part, and notes on what it does not show."""
    names = list(result.parts)
    rows: list[tuple[object, ...]] = [
        (index, visible(result.table.name(index)), *counts, sum(counts))
        for index, counts in result.counts.items()
    ]
    if any(result.empty):
        rows.append((None, _no_item(result), *result.empty, sum(result.empty)))
    shown = rows if len(rows) <= _MOST else rows[: _MOST - 1]
    totals = [result.lines[name] for name in names]
    total = (None, "lines", *totals, sum(totals))
    text = [table([*shown, total], ("index", "class", *names, "all"))]
    if len(shown) < len(rows):
        text.append(f"({len(rows) - len(shown)} more classes: see split.json)")
    text += _notes(result)
    if dry_run:
        text.append(f"dry run, nothing written; would write {', '.join(result.files.values())}")
    text += [f"{published.path}: {published.state}" for published in result.published]
    return "\n".join(text)


def split_charts(result: "Split") -> list["Section"]:
    """Return the same as bars, the parts beside one another."""
    from manifest_tools.pages.charts import Bar, Bars, Section

    rows = [(visible(result.table.name(index)), counts) for index, counts in result.counts.items()]
    rows += [(_no_item(result), result.empty)] if any(result.empty) else []
    totals = tuple(result.lines.values())
    bars = tuple(Bar(name, counts) for name, counts in rows)
    chart = Bars("Classes, in lines", bars, tuple(result.parts), totals=totals)
    return [Section("Parts", tuple(result.lines.items()), (chart,), notes=tuple(_notes(result)))]


def _notes(result: "Split") -> list[str]:
    from manifest_tools.verbs.split.groups import FRAMES

    notes = []
    if result.conflict:
        notes.append(f"divided by class names, which have other indices here: {clean(result.conflict)}")
    if len(result.attributes) > 1:
        notes.append(f"stratified over {_listed([one.name for one in result.attributes])}")
    elif not result.attribute.kind.has_classes:
        name, kind = _short(result.attribute.name), _short(result.attribute.short_type)
        notes.append(f"not stratified: {name} is {kind} and has no class on its lines")
    notes += _small(result)
    notes += _without_line(result)
    notes += [_empty(result, name) for name in result.empty_parts]
    notes += _off(result)
    if result.contradictions is not None:
        dropped = result.conflicts == "drop"
        way_out = "" if dropped else "; kept on one side; --conflicts drop leaves them out"
        notes.append(clean(result.contradictions.summary()) + way_out)
    if videos := result.videos:
        notes.append(
            f"the pictures look like frames of {videos.count:,} videos, and {videos.divided:,} of them are in"
            f" several parts; to keep each in one, type --group '{FRAMES}'"
        )
    if result.left_out:
        notes.append(f"left out: {by_state(result.left_out)}")
    notes.append(f"seed {result.seed}")
    return notes


def _small(result: "Split") -> list[str]:
    """Return a note on classes that are too small to divide; labels without a class count as one."""
    small = {
        _short(visible(result.table.name(index))): result.counts[index] for index in result.small_classes
    }
    if 0 < sum(result.empty) < len(result.parts):
        small[_no_item(result)] = result.empty
    if not small:
        return []
    where = f", all in {result.train_part}" if _in_train(result, small.values()) else ""
    return [f"classes with fewer lines than parts{where}: {_listed(list(small), _MANY)}"]


def _in_train(result: "Split", rows: Iterable[Sequence[int]]) -> bool:
    """Say whether all lines of some rows of the table are in the part for training."""
    at = list(result.parts).index(result.train_part)
    return all(row[at] == sum(row) for row in rows)


def _without_line(result: "Split") -> list[str]:
    """Return a note for each part on the classes that have no line there, but for those in training alone."""
    small = [index for index in result.small_classes if _in_train(result, [result.counts[index]])]
    notes = []
    for name, classes in result.without_line.items():
        named = [result.table.name(index) for index in classes if index not in set(small)]
        if named:
            notes.append(f"classes without a line in {name}: {_listed(named, _MANY)}")
    return notes


def _off(result: "Split") -> list[str]:
    """Return notes on totals and classes that are not what the ratios say."""
    notes = []
    total = sum(result.lines.values())
    if parts := result.off_parts:
        off = [
            f"{name} {result.lines[name]:,} in place of {_number(result.parts[name] * total)}"
            for name in parts
        ]
        why = "because lines of one picture and small classes stay together"
        notes.append(f"lines that are off the ratios, {why}: {', '.join(off)}")
    if classes := result.off_classes:
        off = [f"{_short(result.table.name(at))} by {_number(lines)}" for at, lines in classes.items()]
        notes.append(f"classes that are off the ratios by a line or more: {_listed(off)}")
    return notes


def _number(lines: "Fraction") -> str:
    return f"{float(lines):,.1f}".removesuffix(".0")


def _empty(result: "Split", name: str) -> str:
    """Return a note on a part without lines, which no training can use."""
    lines = sum(result.lines.values())
    are = "1 line is" if lines == 1 else f"{lines:,} lines are"
    return (
        f"{name} has no line: {are} too few for a ratio of {float(result.parts[name]):g}, because lines of"
        " one picture and small classes stay together; label more pictures"
    )


def _no_item(result: "Split") -> str:
    return f"(no {result.attribute.kind.item})"


def _listed(names: Sequence[str], most: int = _FEW) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(_short, names[:most])) + more


def _short(name: str) -> str:
    return clean(clipped(name))

"""What ``mtool diff`` shows, as sections: a title, a table, and the first lines of a kind."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from manifest_tools.cli.shared import markdown
from manifest_tools.cli.shared.markdown import Ours, code
from manifest_tools.cli.shared.screen import clean, table

if TYPE_CHECKING:
    from manifest_tools.verbs.diff.changes import Sample
    from manifest_tools.verbs.diff.report import AttributeDiff, Diff

_MOST = 40  # rows of a table

# How a kind of line is called; in this order.
_LINES = {
    "same": "the same",
    "spelt": "same meaning, other bytes",
    "changed": "changed",
    "moved": "moved",
    "elsewhere": "in another bucket or folder",
    "added": "added",
    "gone": "gone",
}
_KINDS = {
    "flips": "lines with another label",
    "classes": "lines with other classes",
    "drift": "lines with other confidences",
}
_CLIPPED = 200


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report; what is no ``Ours`` in it comes from a manifest. ``more`` lines are not shown."""

    title: Sequence[str]
    headers: Sequence[str] = ()
    rows: Sequence[Sequence[object]] = ()
    lines: Sequence[Sequence[str]] = ()
    more: int = 0


def as_text(found: "Diff") -> str:
    """Return the report for a terminal."""
    return "\n\n".join("\n".join(_text(section)) for section in sections(found))


def as_markdown(found: "Diff") -> str:
    """Return the report for a pull request."""
    parts = ["### " + " → ".join(map(code, (found.old, found.new)))]
    if not found.differs:
        parts.append(f"{summary(found).capitalize()}.")
    for section in sections(found) if found.differs else ():
        parts += _markdown(section)
    return "\n\n".join(parts)


def summary(found: "Diff") -> str:
    """Say in one line that there is no difference, and why the files may be two all the same."""
    if found.identical:
        return "no difference: the same bytes"
    spelt = f"; {found.spelt:,} of {found.new_lines:,} lines are spelt differently" if found.spelt else ""
    return f"no difference in meaning{spelt or ', only blank lines or line ends'}"


def _text(section: Section) -> Iterator[str]:
    if section.title:
        yield " ".join(map(_shown, section.title))
    if section.rows:
        shown = table(section.rows[:_MOST], section.headers)
        yield _indented(shown) if section.title else shown
    if len(section.rows) > _MOST:
        yield f"  and {len(section.rows) - _MOST:,} more; --json has all"
    yield from ("  " + "  ".join(map(_shown, line)) for line in section.lines)
    if section.lines and section.more:
        yield f"  and {section.more:,} more"


def _shown(text: str) -> str:
    text = clean(text)
    return text if len(text) <= _CLIPPED else f"{text[: _CLIPPED - 1]}…"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))


def _markdown(section: Section) -> Iterator[str]:
    if section.title:
        yield " ".join(f"**{word}**" if isinstance(word, Ours) else code(word) for word in section.title)
    if section.rows:
        more = len(section.rows) - _MOST
        yield markdown.table(section.rows[:_MOST], section.headers)
        if more > 0:
            yield f"and {more:,} more"
    if section.lines:
        shown = [f"- {' '.join(map(code, filter(None, line)))}" for line in section.lines]
        yield "\n".join([*shown, *([f"- and {section.more:,} more"] if section.more else [])])


def sections(found: "Diff") -> Iterator[Section]:
    """Yield the parts of the report: lines, label attributes, all other keys."""
    counts = [(Ours(words), getattr(found, kind)) for kind, words in _LINES.items() if getattr(found, kind)]
    yield Section((), ("", "lines"), [(found.old, found.old_lines), (found.new, found.new_lines), *counts])
    for kind in ("added", "gone", "moved", "elsewhere"):
        lines = _lines(found, (found.samples or {}).get(kind, ()))
        if lines:
            yield Section((Ours(_LINES[kind]),), lines=lines, more=getattr(found, kind) - len(lines))
    for attribute in found.attributes:
        yield from _attribute(found, attribute)
    yield from _keys(found)


def _lines(found: "Diff", samples: "Sequence[Sample]") -> list[tuple[str, ...]]:
    return [
        (
            *((f"{found.old}:{one.old}",) if one.old else ()),
            *((f"{found.new}:{one.new}",) if one.new else ()),
            *((one.source,) if one.source and not one.what.endswith(f" -> {one.source}") else ()),
            *((one.what,) if one.what else ()),
        )
        for one in samples
    ]


def _attribute(found: "Diff", one: "AttributeDiff") -> Iterator[Section]:
    tables = [section for section in _tables(one) if section.rows]
    if one.differs or tables:
        yield Section(list(_heading(one)))
    yield from tables
    for kind, words in _KINDS.items():
        lines = _lines(found, one.samples.get(kind, ()))
        if lines:
            yield Section((one.name, Ours(words)), lines=lines, more=one.lines[kind] - len(lines))


def _heading(one: "AttributeDiff") -> Iterator[str]:
    yield Ours("label attribute")
    if one.old is None or one.new is None:
        yield one.name
        yield Ours("added" if one.old is None else "gone")
    else:
        yield from (one.name,) if one.old == one.new else (one.old, Ours("renamed"), one.new)
    kinds = [
        kind.removeprefix("groundtruth/") for kind in dict.fromkeys((one.old_type, one.new_type)) if kind
    ]
    for number, kind in enumerate(kinds):
        yield Ours("now" if number else "of type")
        yield kind


def _tables(one: "AttributeDiff") -> Iterator[Section]:
    counted = [(shown.index, shown.name, shown.old, shown.new) for shown in one.classes]
    title = "class tables" if one.tables_differ and None not in (one.old, one.new) else "classes"
    differ = any(shown.old != shown.new for shown in one.classes)
    yield Section((one.name, Ours(title)), ("index", "class", "old", "new"), counted if differ else ())
    flips = [(flip.old, flip.new, flip.count) for flip in one.flips]
    yield Section((one.name, Ours("label flips")), ("from", "to", "labels"), flips)
    changes = [(change.name, change.added, change.gone, change.moved) for change in one.changes]
    yield Section((one.name, Ours("changes by class")), ("class", "added", "gone", "moved"), changes)
    drift = [
        (shown.name or Ours("all"), shown.rose, shown.fell, shown.mean, shown.median) for shown in one.drift
    ]
    headers = ("confidence of", "rose", "fell", "mean change", "median change")
    yield Section((one.name, Ours("confidence drift")), headers, drift)


def _keys(found: "Diff") -> Iterator[Section]:
    samples = found.samples or {}
    rows = [(key.path, key.changed, key.added, key.gone) for key in found.keys]
    lines = _lines(found, samples.get("keys", ()))
    if rows:
        yield Section((Ours("other keys"),), ("lines in which", "changed", "added", "gone"), rows, lines)
    spelt = _lines(found, samples.get("spelt", ()))
    if spelt:
        yield Section((Ours(_LINES["spelt"]),), lines=spelt, more=found.spelt - len(spelt))

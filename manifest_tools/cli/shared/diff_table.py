"""What ``mtool diff`` shows, as sections: a title, a table, and the first lines of a kind."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from manifest_tools.cli.shared import markdown
from manifest_tools.cli.shared.markdown import OwnWords, code
from manifest_tools.cli.shared.screen import clean, table

if TYPE_CHECKING:
    from manifest_tools.verbs.diff.changes import Sample
    from manifest_tools.verbs.diff.report import AttributeDiff, Diff

_MOST = 40  # rows of a table

# What the report calls each kind of line, in this order.
_LINES = {
    "same": "the same",
    "reformatted": "same meaning, other bytes",
    "changed": "changed",
    "moved": "moved",
    "relocated": "in another bucket or folder",
    "added": "added",
    "gone": "gone",
}
_KINDS = {
    "flips": "lines with another label",
    "classes": "lines with other classes",
    "confidences": "lines with other confidences",
}
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report. What is not ``OwnWords`` in it comes from a manifest."""

    title: Sequence[str]
    headers: Sequence[str] = ()
    rows: Sequence[Sequence[object]] = ()
    """The rows of the table under ``headers``."""

    lines: Sequence[Sequence[str]] = ()
    """The first lines of a kind of change, each as words."""

    more: int = 0
    """How many lines of that kind there are beside these."""


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
        return "no difference: the files have the same bytes"
    if not found.reformatted:
        return "no difference in meaning, only in blank lines or line ends"
    return (
        f"no difference in meaning; {found.reformatted:,} of {found.new_lines:,} lines are written "
        "differently (spacing, order of keys, or spelling of numbers)"
    )


def _text(section: Section) -> Iterator[str]:
    if section.title:
        yield " ".join(map(_clean, section.title))
    if section.rows:
        rows = table(section.rows[:_MOST], section.headers)
        yield _indented(rows) if section.title else rows
    if len(section.rows) > _MOST:
        yield f"  and {len(section.rows) - _MOST:,} more; --json has all"
    yield from ("  " + "  ".join(map(_clean, line)) for line in section.lines)
    if section.lines and section.more:
        yield f"  and {section.more:,} more"


def _clean(text: str) -> str:
    text = clean(text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))


def _markdown(section: Section) -> Iterator[str]:
    if section.title:
        yield " ".join(f"**{word}**" if isinstance(word, OwnWords) else code(word) for word in section.title)
    if section.rows:
        more = len(section.rows) - _MOST
        yield markdown.table(section.rows[:_MOST], section.headers)
        if more > 0:
            yield f"and {more:,} more"
    if section.lines:
        lines = [f"- {' '.join(map(code, filter(None, line)))}" for line in section.lines]
        yield "\n".join([*lines, *([f"- and {section.more:,} more"] if section.more else [])])


def sections(found: "Diff") -> Iterator[Section]:
    """Yield the parts of the report: lines, label attributes, all other keys."""
    counts = [
        (OwnWords(words), getattr(found, kind)) for kind, words in _LINES.items() if getattr(found, kind)
    ]
    yield Section((), ("", "lines"), [(found.old, found.old_lines), (found.new, found.new_lines), *counts])
    for kind in ("added", "gone", "moved", "relocated"):
        lines = _lines(found, (found.samples or {}).get(kind, ()))
        if lines:
            yield Section((OwnWords(_LINES[kind]),), lines=lines, more=getattr(found, kind) - len(lines))
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
            yield Section((one.name, OwnWords(words)), lines=lines, more=one.lines[kind] - len(lines))


def _heading(one: "AttributeDiff") -> Iterator[str]:
    yield OwnWords("label attribute")
    if one.old is None or one.new is None:
        yield one.name
        yield OwnWords("added" if one.old is None else "gone")
    else:
        yield from (one.name,) if one.old == one.new else (one.old, OwnWords("renamed"), one.new)
    types = [name for name in dict.fromkeys((one.old_type, one.new_type)) if name]
    for number, name in enumerate(types):
        yield OwnWords("now" if number else "of type")
        yield name.removeprefix("groundtruth/")


def _tables(one: "AttributeDiff") -> Iterator[Section]:
    classes = [(count.index, count.name, count.old, count.new) for count in one.classes]
    title = "class tables" if one.tables_differ and None not in (one.old, one.new) else "classes"
    differ = any(count.old != count.new for count in one.classes)
    yield Section((one.name, OwnWords(title)), ("index", "class", "old", "new"), classes if differ else ())
    flips = [(flip.old, flip.new, flip.count) for flip in one.flips]
    yield Section((one.name, OwnWords("label flips")), ("from", "to", "labels"), flips)
    changes = [(change.name, change.added, change.gone, change.moved) for change in one.changes]
    yield Section((one.name, OwnWords("changes by class")), ("class", "added", "gone", "moved"), changes)
    confidences = [
        (change.name or OwnWords("all"), change.rose, change.fell, change.mean, change.median)
        for change in one.confidences
    ]
    headers = ("confidence of", "rose", "fell", "mean change", "median change")
    yield Section((one.name, OwnWords("confidence changes")), headers, confidences)


def _keys(found: "Diff") -> Iterator[Section]:
    samples = found.samples or {}
    rows = [(key.path, key.changed, key.added, key.gone) for key in found.keys]
    lines = _lines(found, samples.get("keys", ()))
    if rows:
        yield Section((OwnWords("other keys"),), ("lines in which", "changed", "added", "gone"), rows, lines)
    reformatted = _lines(found, samples.get("reformatted", ()))
    if reformatted:
        yield Section(
            (OwnWords(_LINES["reformatted"]),), lines=reformatted, more=found.reformatted - len(reformatted)
        )

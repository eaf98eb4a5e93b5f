"""The report of ``diff`` as a page: tables, charts, and changed lines side by side with their pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.cli.shared import diff_table
from manifest_tools.pages.charts import Bar, Bars, Section, Table, in_series
from manifest_tools.pages.gallery import Gallery, Group
from manifest_tools.pages.render import page

if TYPE_CHECKING:
    from manifest_tools.verbs.diff.changes import Sample
    from manifest_tools.verbs.diff.report import AttributeDiff, Diff
    from manifest_tools.verbs.look.choose import Place
    from manifest_tools.verbs.look.look import Looked


def as_page(
    found: "Diff", *, label_attribute: str | None = None, images: Sequence[str] = (), jobs: int | None = None
) -> str:
    """Return the report as HTML."""
    said = [] if found.differs else [f"{diff_table.summary(found)}."]
    try:
        gallery, absent = _side_by_side(found, label_attribute, images, jobs)
    except (BadData, Refused) as error:
        gallery, absent = None, ""
        said.append(f"changed lines are not shown side by side: {error}")
    notes = [absent] if absent else []
    return page(f"{found.old} → {found.new}", list(_sections(found, said)), gallery, group_notes=notes)


def _sections(found: "Diff", said: Sequence[str]) -> Iterator[Section]:
    """Yield what is counted, and the tables of the terminal."""
    first, *others = diff_table.sections(found)
    facts = tuple((str(name), count) for name, count in first.rows)
    charts = tuple(chart for one in found.attributes for chart in _charts(found, one))
    yield Section("Lines", facts, charts, notes=tuple(said))
    if tables := tuple(_table(one) for one in others if one.rows or one.lines):
        yield Section("All changes", tables=tables)


def _table(one: diff_table.Section) -> Table:
    title = " ".join(one.title)
    if one.rows:
        return Table(one.headers, one.rows, title)
    more = [(f"and {one.more:,} more",)] if one.more else []
    return Table((), [*(("  ".join(line),) for line in one.lines), *more], title)


def _charts(found: "Diff", one: "AttributeDiff") -> Iterator[Bars]:
    counts = [{each.name or f"class {each.index}": each.old or 0 for each in one.classes}]
    counts += [{each.name or f"class {each.index}": each.new or 0 for each in one.classes}]
    if one.classes:
        yield in_series(f"Classes of {one.name}", counts, (found.old, found.new))
    if one.flips:
        flips = tuple(Bar(f"{flip.old} → {flip.new}", (flip.count,)) for flip in one.flips)
        yield Bars(f"Label flips of {one.name}", flips)


def _side_by_side(
    found: "Diff", label_attribute: str | None, images: Sequence[str], jobs: int | None
) -> tuple[Gallery | None, str]:
    """Return the first lines that changed, old beside new, and what to type for missing pictures."""
    from manifest_tools.verbs.look.look import missing, read

    looked = read([found.old, found.new], label_attribute=label_attribute, images=images, jobs=jobs)
    pairs = [(_title(one), _places(looked, one)) for one in _samples(found)]
    shown = looked.pictured([place for _, places in pairs for place in places], jobs)
    groups = tuple(Group(title, tuple(shown[place].card for place in places)) for title, places in pairs)
    gallery = replace(looked.gallery(), total=0, groups=groups, groups_title="Changed lines")
    return gallery if groups else None, missing(shown.values())


def _samples(found: "Diff") -> Iterator["Sample"]:
    for one in found.attributes:
        for kind in ("flips", "classes", "confidences"):
            yield from one.samples.get(kind, ())
    for kind in ("added", "gone"):
        yield from (found.samples or {}).get(kind, ())


def _title(one: "Sample") -> str:
    what = one.what or ("added" if not one.old else "gone" if not one.new else "")
    return f"{what}: {one.source}" if what else one.source


def _places(looked: "Looked", one: "Sample") -> list["Place"]:
    """Return where the lines of a sample stand, the old one first."""
    return [
        (part, at)
        for part, number in enumerate((one.old, one.new))
        if number and (at := looked.indices[part].position(number)) is not None
    ]

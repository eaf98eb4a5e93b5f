"""The page of ``look``, and its still picture."""

from collections.abc import Iterator, Mapping

from manifest_tools.base.text import counted
from manifest_tools.images.contact_sheet import FAINT, WRONG, Caption, Tile, contact_sheets
from manifest_tools.images.unusable import MISSING, Unusable
from manifest_tools.pages.charts import Bar, Bars, Section
from manifest_tools.pages.gallery import Card
from manifest_tools.pages.render import page
from manifest_tools.pages.words import plain
from manifest_tools.verbs.look.charts import label_charts, source_charts
from manifest_tools.verbs.look.choose import DOUBTFUL
from manifest_tools.verbs.look.look import Look, Looked


def look_page(found: Look, reasons: Mapping[str, str] | None = None) -> str:
    """Return what ``look`` found as one HTML file; ``reasons`` say what each code of a problem means."""
    return page(
        title(found),
        list(sections(found, reasons or {})),
        found.gallery,
        notes=[note for note in (_which(found), found.missing) if note],
        group_notes=_repeated(found),
    )


def served_page(looked: Looked, api: str, marks: str, reasons: Mapping[str, str]) -> str:
    """Return the page that asks a server for its pictures, and gives it marks, at these addresses."""
    gallery = looked.gallery().asking(api, marks)
    found = Look(
        looked.contents, tuple(dict(one.codes) for one in looked.problems), looked.repeated, gallery, ()
    )
    return page(title(found), list(sections(found, reasons)), gallery, served=True)


def title(found: Look) -> str:
    """Return the names of the first manifests."""
    names = [one.manifest for one in found.contents]
    return ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if names[3:] else "")


def sections(found: Look, reasons: Mapping[str, str]) -> Iterator[Section]:
    """Yield what is above the pictures."""
    yield _overview(found, reasons)
    yield from label_charts(found.contents)


_ONE = {"lines": "line", "classes": "class", "problems": "problem"}


def _overview(found: Look, reasons: Mapping[str, str]) -> Section:
    series = tuple(one.manifest for one in found.contents)
    classes = {one.name for stats in found.contents for each in stats.attributes for one in each.classes}
    facts = {
        "manifests": len(series) if len(series) > 1 else 0,
        "lines": sum(one.lines for one in found.contents),
        "labelled": sum(max((each.labelled for each in one.attributes), default=0) for one in found.contents),
        "classes": len(classes),
        "problems": sum(sum(one.values()) for one in found.problems),
        "pictures with conflicting labels": found.repeated.conflicts,
        "pictures on several lines": found.repeated.duplicates,
        "pictures in several manifests": found.repeated.across,
    }
    shown = tuple(
        (_ONE.get(name, name) if value == 1 else name, value)
        for name, value in facts.items()
        if value or name == "problems"
    )
    bars = []
    if any(found.problems):
        codes = sorted({code for one in found.problems for code in one})
        each = tuple(
            Bar(code, tuple(one.get(code, 0) for one in found.problems), reasons.get(code, ""))
            for code in codes
        )
        note = "mtool explain CODE says more; mtool validate lists them line by line"
        bars.append(Bars("Problems by code", each, series, note))
    if found.sizes:
        each = tuple(Bar(size, (count,)) for size, count in found.sizes.items())
        bars.append(Bars("Sizes of the pictures shown", each, note="width × height in pixels, upright"))
    bars.append(source_charts(found.contents))
    return Section("Overview", shown, tuple(bars))


def _which(found: Look) -> str:
    """Say how many of the lines are shown, and which."""
    shown, total = found.gallery.shown, found.gallery.total
    if total <= 1:
        return ""
    first = f"those with problems first, then doubtful ones (confidence below {DOUBTFUL:g})"
    if shown >= total:
        return f"all {total:,} lines: {first}"
    return (
        f"{shown:,} of {total:,} lines are shown: {first}, the rest chosen evenly from all classes;"
        " for more of them, type --pictures N"
    )


def _repeated(found: Look) -> list[str]:
    repeated = found.repeated
    said = []
    if repeated.conflicts:
        conflicts = counted(repeated.conflicts, "picture")
        said.append(f"{conflicts} with other classes on another line: mtool merge --on-conflict decides")
    if repeated.duplicates:
        said.append(
            f"{counted(repeated.duplicates, 'picture')} on several lines that do not contradict one another"
        )
    if repeated.across:
        said.append(f"{counted(repeated.across, 'picture')} in several of these files")
    if (shown := len(repeated.shown)) < repeated.conflicts + repeated.duplicates:
        said.append(f"the first {shown:,} are shown")
    return said


def look_sheets(found: Look) -> Iterator[bytes]:
    """Yield the pictures that ``look`` chose as contact sheets, a PNG for each page."""
    pairs = zip(found.gallery.cards, found.pictures, strict=True)
    return contact_sheets(Tile(_picture(card, one), _captions(card, found)) for card, one in pairs)


def _picture(card: Card, made: object) -> bytes | Unusable:
    if isinstance(made, Unusable):
        return Unusable(MISSING, card.text) if card.text else made
    return made.jpeg  # type: ignore[attr-defined,no-any-return]


def _captions(card: Card, found: Look) -> list[Caption]:
    names = found.gallery.classes
    words = tuple(
        f"{plain(names[at])}{f' x{many}' if many > 1 else ''}{'' if sure is None else f' {sure:.2f}'}"
        for label in card.labels
        for at, sure, many in label.classes
    )
    states = tuple(label.state for label in card.labels if not label.classes)
    where = (
        f"{found.gallery.parts[card.part]}:{card.line}" if found.gallery.parts[1:] else f"line {card.line}"
    )
    codes = tuple(dict.fromkeys(code for code, _ in card.problems))
    captions = [Caption(words or states or ("no label",))]
    if codes:
        captions.append(Caption(codes, WRONG))
    return [*captions, Caption((where,), FAINT)]

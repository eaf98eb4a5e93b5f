"""``mtool stats``."""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.base.text import counted
from manifest_tools.base.visible import visible
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.plots import Plot, plot_file, write_plot
from manifest_tools.cli.shared.screen import bar, clean, note, printing, table, width

if TYPE_CHECKING:
    from manifest_tools.groundtruth.contents import AttributeStats, Confidences, Stats

_MOST = 40  # classes on a screen; of more, the first and the last
_NAME = 24  # columns of a name in a table
_LONG_NAME = 100  # columns of a name on a line of its own
_FEW = 8


def stats(
    manifests: options.Manifests = None,
    label_attribute: Annotated[
        str | None,
        typer.Option("--label-attribute", metavar="NAME", help="Show this label attribute only."),
    ] = None,
    every_class: Annotated[
        bool, typer.Option("--all", help=f"Show all classes, even if there are more than {_MOST}.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON Lines: an object for each manifest.")
    ] = False,
    plot: Plot = None,
    force: options.Force = False,
    jobs: options.Jobs = None,
) -> None:
    """Say what is in a manifest.

    For each label attribute: type, labelled lines, classes, confidences, who labelled, and when.

    \b
    For example:
      mtool stats output.manifest
      mtool stats train.manifest validation.manifest --json
      mtool stats train.manifest validation.manifest --plot classes.html
    """
    from manifest_tools.cli.shared.options import manifests_here
    from manifest_tools.verbs.stats.stats import stats as stats_of

    plot = plot_file(plot, "stats.html")
    every: list[Stats] = []
    with printing(for_a_program=as_json) as print_line:
        for number, manifest in enumerate(manifests or manifests_here("stats")):
            found = stats_of(manifest, label_attribute, jobs=jobs)
            every.append(found)
            if as_json:
                print_line(json.dumps(found.to_json()))
            else:
                print_line(("\n" if number else "") + "\n".join(_report(found, manifest, every_class)))
        if plot is not None:
            _plot(every, plot, force)


def _plot(every: "Sequence[Stats]", path: str, force: bool) -> None:
    from manifest_tools.pages.charts import Section
    from manifest_tools.verbs.look.charts import label_charts, source_charts

    title = ", ".join(one.manifest for one in every)
    sections = [*label_charts(every), Section("Sources", bars=(source_charts(every),))]
    published = write_plot(path, title, sections, force=force)
    note(f"{published.path}: {published.state}")


def _report(found: "Stats", manifest: str, every_class: bool) -> Iterator[str]:
    blank = f", and {found.blank:,} blank" if found.blank else ""
    yield clean(f"{found.manifest}: {counted(found.lines, 'line')}{blank}")
    sources = {**found.sources, **({"text on the line": found.texts} if found.texts else {})}
    yield from _indented(_counts(sources))
    if not found.attributes and not sources:
        yield "\nno line has a source-ref or source: expected a manifest, found other JSON Lines"
    elif not found.attributes:
        yield "\nno label attribute: no line is labelled yet"
    for attribute in found.attributes:
        yield ""
        yield from _attribute(attribute, every_class)
    for siblings in _siblings(found.attributes):
        yield ""
        yield from _together(siblings, manifest)


def _siblings(attributes: Sequence["AttributeStats"]) -> Iterator[list["AttributeStats"]]:
    """Yield attributes that differ in a number, sport0 and sport1: Rekognition's several labels a picture."""
    stems: dict[str, list[AttributeStats]] = {}
    for one in attributes:
        if one.type.lower() == "groundtruth/image-classification" and one.name[-1:].isdecimal():
            stems.setdefault(one.name.rstrip("0123456789"), []).append(one)
    return (numbered for numbered in stems.values() if len(numbered) > 1)


def _together(siblings: Sequence["AttributeStats"], manifest: str) -> Iterator[str]:
    """Yield the classes of numbered attributes, counted by name: the numbers have no meaning."""
    names: dict[str, int] = {}
    for one in siblings:
        for shown in one.classes:
            names[shown.name] = names.get(shown.name, 0) + shown.labels
    stem = siblings[0].name.rstrip("0123456789")
    most = max(names.values(), default=1)
    rows = [
        (_short(visible(name)), n, bar(n / most))
        for name, n in sorted(names.items(), key=lambda one: -one[1])
    ]
    how_many = f"{len(siblings)} attributes with one label each, as Rekognition writes them"
    yield f"{_short(stem, _LONG_NAME)}* together: {how_many}"
    yield from _indented(table(rows[:_MOST], ("name", "labels", "")).split("\n"))
    if len(rows) > _MOST:
        yield f"  ... {len(rows) - _MOST:,} more"
    yield "  to stratify a split over all of them, type:"
    yield f"  {clean(_split(manifest, stem))}"


def _split(manifest: str, stem: str) -> str:
    """Return the command line, quoted for a shell; a manifest that is not in a folder needs -o."""
    folder = " -o parts" if manifest == "-" or manifest.startswith("s3://") else ""
    return f"mtool split {shlex.quote(manifest)}{folder} --label-attribute {shlex.quote(f'{stem}*')}"


def _attribute(one: "AttributeStats", every_class: bool) -> Iterator[str]:
    kind = one.type.removeprefix("groundtruth/") or ("class numbers alone" if one.classes else "no type")
    yield f"{_short(one.name, _LONG_NAME)} ({_short(kind, _LONG_NAME)})"
    states = {"labelled": one.labelled, "failed": one.failed, "unlabelled": one.unlabelled}
    yield "  " + ", ".join(
        f"{count:,} {state}" for state, count in states.items() if count or state == "labelled"
    )
    yield from _indented(_counts({f"failed: {reason}": count for reason, count in one.failures.items()}))
    if one.classes:
        yield ""
        yield from _indented(_classes(one, every_class))
    if one.confidence.total:
        yield ""
        yield from _indented(_confidence(one.confidence, _items(one) or "labels"))
    if one.labelled and not one.classes:
        yield ("  no classes: its lines have none" if not one.empty else f"  no {one.unit} on any line")
    if one.labelled:
        yield ""
        yield from _indented(_who_and_when(one))


def _classes(one: "AttributeStats", every_class: bool) -> list[str]:
    most = max(shown.lines for shown in one.classes)
    items = _items(one)
    rows = [
        (
            str(shown.index),
            _short(visible(shown.name)),
            shown.lines,
            *((shown.labels,) if items else ()),
            _percent(shown.lines, one.labelled),
            bar(shown.lines / most),
        )
        for shown in one.classes
    ]
    if one.empty:
        nothing = (one.empty, *((0,) if items else ()), _percent(one.empty, one.labelled), "")
        rows.append(("", f"(no {one.unit})", *nothing))
    headers = ("class", "name", "lines", *((items,) if items else ()), "share", "")
    text = table(rows, headers).split("\n")
    if every_class or len(rows) <= _MOST:
        return text
    half = _MOST // 2
    left = f"... {len(rows) - 2 * half:,} more; --all shows them"
    return [*text[: half + 1], left, *text[-half:]]


def _items(one: "AttributeStats") -> str:
    """Return what the items are called where a line may have several of one class, empty elsewhere."""
    from manifest_tools.groundtruth.label_kinds import label_kind

    kind = label_kind(one.type)
    return kind.plural if kind.items_have_positions else ""


def _confidence(found: "Confidences", what: str) -> list[str]:
    most = max(*found.bins, found.zeros, 1)
    rows = [(f"{at / 10:.1f} to {(at + 1) / 10:.1f}", n, bar(n / most)) for at, n in enumerate(found.bins)]
    if found.zeros:
        rows.insert(0, ("0", found.zeros, bar(found.zeros / most)))
    shown = rows if any(found.bins) else rows[:1]
    text = table(shown, ("confidence", what, "")).split("\n")
    if found.zeros:
        text.append("a confidence of 0 says nothing: a job with one worker per picture writes it")
    if found.constant is not None:
        text.append(
            f"every confidence is {found.constant:g} and says nothing, as after one worker per picture"
        )
    return text


def _who_and_when(one: "AttributeStats") -> list[str]:
    from manifest_tools.groundtruth.contents import by_period

    rest = one.labelled - one.human - one.machine
    who = {"by people": one.human, "by a model": one.machine, "by nobody named": rest}
    text = ["labelled " + ", ".join(f"{who_}: {count:,}" for who_, count in who.items() if count)]
    if one.adjusted or one.unadjusted:
        text.append(f"adjustment job: {one.adjusted:,} changed, {one.unadjusted:,} left as they were")
    text += _counts({f"job {job}": count for job, count in one.jobs.items()})
    if one.days:
        days = list(one.days)
        text += (
            ["", f"labelled from {days[0]} to {days[-1]}"]
            if len(days) > 1
            else ["", f"labelled on {days[0]}"]
        )
    if len(one.days) > 1:
        periods = by_period(one.days)
        most = max(periods.values())
        text += table([(period, count, bar(count / most)) for period, count in periods.items()]).split("\n")
    undated = one.labelled - sum(one.days.values())
    return [*text, f"{undated:,} without a date"] if undated else text


def _counts(counts: Mapping[str, int]) -> list[str]:
    """Return a line for each of the first few counts."""
    if not counts:
        return []
    shown = list(counts.items())[:_FEW]
    text = table([(_short(what, 60), count) for what, count in shown]).split("\n")
    return [*text, f"... {len(counts) - _FEW:,} more"] if len(counts) > _FEW else text


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"  {line}" if line else line for line in lines)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:5.1f} %" if whole else ""


def _short(name: str, columns: int = _NAME) -> str:
    text = clean(name)
    while width(text) > columns:
        text = (
            text[: min(len(text) - 2, columns - 3)] + "..." if not text.endswith("...") else text[:-4] + "..."
        )
    return text

"""What is in manifests as charts: a section for each label attribute, a series for each manifest."""

from collections.abc import Iterator, Sequence

from manifest_tools.groundtruth.contents import AttributeStats, Stats, by_period
from manifest_tools.pages.charts import Bars, Section, in_series


def source_charts(contents: Sequence[Stats]) -> Bars:
    """Return where the pictures of lines are, or that lines have a text."""
    counts = [dict(one.sources) | ({"text on the line": one.texts} if one.texts else {}) for one in contents]
    return in_series("Where lines point to", counts, [one.manifest for one in contents])


def label_charts(contents: Sequence[Stats]) -> Iterator[Section]:
    """Yield the charts of each label attribute: classes, confidences, who labelled, when."""
    for name in dict.fromkeys(one.name for stats in contents for one in stats.attributes):
        yield _label(name, contents)


def _label(name: str, contents: Sequence[Stats]) -> Section:
    """Return the charts of one label attribute, a series for each manifest that has it."""
    pairs = [(stats.manifest, one) for stats in contents for one in stats.attributes if one.name == name]
    series = [manifest for manifest, _ in pairs]
    each = [one for _, one in pairs]
    kinds = dict.fromkeys(one.type.removeprefix("groundtruth/") or "no type" for one in each)
    notes = [", ".join(kinds)] + [_states(*pair) for pair in pairs]
    totals = tuple(one.labelled for one in each)
    bars = [
        in_series("Classes, in lines", [_classes(one) for one in each], series, totals=totals),
        _confidences(each, series),
        in_series("Labelled by", [_who(one) for one in each], series, totals=totals),
        in_series("Labeling jobs", [one.jobs for one in each], series, totals=totals),
        _dates(each, series),
    ]
    return Section(name, (), tuple(one for one in bars if one.bars), (), tuple(notes))


def _states(manifest: str, one: AttributeStats) -> str:
    states = {"labelled": one.labelled, "failed": one.failed, "unlabelled": one.unlabelled}
    told = ", ".join(f"{count:,} {state}" for state, count in states.items() if count or state == "labelled")
    why = "".join(f"; failed: {reason} ({count:,})" for reason, count in list(one.failures.items())[:3])
    return f"{manifest}: {told}{why}"


def _classes(one: AttributeStats) -> dict[str, int]:
    counts: dict[str, int] = {}
    for shown in one.classes:
        name = shown.name or f"class {shown.index}"
        counts[name] = counts.get(name, 0) + shown.lines
    return counts | ({f"(no {one.unit})": one.empty} if one.empty else {})


def _confidences(each: Sequence[AttributeStats], series: Sequence[str]) -> Bars:
    """Return the confidences by tenths; no bars where there are none, or where they say nothing."""
    bins = [one.confidence.bins if one.confidence.constant is None else () for one in each]
    counts = [{f"{at / 10:.1f}": count for at, count in enumerate(found)} for found in bins]
    zeros = sum(one.confidence.zeros for one in each)
    note = "each bar is of a tenth, from its number on"
    if zeros:
        note += f"; {zeros:,} more are 0, which says nothing: a job with one worker per picture writes it"
    return in_series("Confidences", counts if any(map(any, bins)) else [], series, note=note, upright=True)


def _who(one: AttributeStats) -> dict[str, int]:
    rest = one.labelled - one.human - one.machine
    who = {"people": one.human, "a model": one.machine, "not known": rest}
    return {name: count for name, count in who.items() if count}


def _dates(each: Sequence[AttributeStats], series: Sequence[str]) -> Bars:
    days: dict[str, int] = {}
    for one in each:
        for day, count in one.days.items():
            days[day] = days.get(day, 0) + count
    length = len(next(iter(by_period(days)), ""))
    counts: list[dict[str, int]] = []
    periods = sorted({day[:length] for day in days})
    for one in each:
        mine = dict.fromkeys(periods, 0)
        for day, count in one.days.items():
            mine[day[:length]] += count
        counts.append(mine)
    return in_series("Dates", counts, series, upright=True)

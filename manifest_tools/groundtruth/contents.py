"""What is in a manifest: attributes, types, classes, confidences, who labelled, and when."""

import contextlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from manifest_tools.base.errors import BadData
from manifest_tools.base.parallel import Jobs
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.counts import NO_URI, AttributeCounts, ManifestCounts, count_block
from manifest_tools.groundtruth.examples import one_attribute
from manifest_tools.groundtruth.label_kinds import label_kind
from manifest_tools.groundtruth.scan import scan
from manifest_tools.io.sources import Source

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, slots=True)
class ClassCount:
    """How often a class occurs."""

    index: int

    name: str
    """Empty if no line names the class."""

    lines: int
    """Lines that have the class."""

    labels: int
    """Boxes, cuboids or entities of the class; a line may have several."""


@dataclass(frozen=True, slots=True)
class Confidences:
    """How confidences are distributed."""

    zeros: int
    """Confidences of 0. A job with one worker for each picture writes 0, so they say nothing."""

    bins: tuple[int, ...]
    """Confidences above 0 by tenths: up to 0.1, up to 0.2 and so on."""

    constant: float | None = None
    """The one confidence above 0 that all of several labels have, so that it says nothing; or None."""

    @property
    def total(self) -> int:
        """The number of confidences."""
        return self.zeros + sum(self.bins)


@dataclass(frozen=True, slots=True)
class AttributeStats:
    """What a manifest shows of one label attribute."""

    name: str

    type: str
    """The most frequent ``type`` of the metadata, such as ``groundtruth/object-detection``."""

    labelled: int
    failed: int
    unlabelled: int
    classes: tuple[ClassCount, ...]
    confidence: Confidences

    human: int
    """Labels that people made."""

    machine: int
    """Labels that a model made; the rest of ``labelled`` does not say who."""

    jobs: dict[str, int]
    """Labels by labeling job, the largest job first."""

    days: dict[str, int]
    """Labels by the day of their creation, in order."""

    failures: dict[str, int]
    """Failed lines by reason, the commonest first."""

    unit: str
    """What a line may have several of: ``box``, ``cuboid`` or ``entity``; empty for other types."""

    empty: int
    """Labels without any class, box or entity."""

    adjusted: int
    """Labels that an adjustment job changed."""

    unadjusted: int
    """Labels that an adjustment job left as they were."""

    @property
    def has_classes(self) -> bool:
        """Whether any class was found."""
        return bool(self.classes)


@dataclass(frozen=True, slots=True)
class Stats:
    """What is in a manifest."""

    manifest: str
    """The manifest, by the name that was typed."""

    lines: int
    """Lines that are not blank."""

    blank: int

    texts: int
    """Lines with a text in ``source`` instead of a ``source-ref``."""

    sources: dict[str, int]
    """Lines by the beginning of their ``source-ref``: a bucket and the deepest folder that they share."""

    attributes: tuple[AttributeStats, ...]

    def to_json(self) -> dict[str, Any]:
        """Return all of it as values that JSON can hold."""
        return asdict(self)

    def to_frame(self) -> "pandas.DataFrame":
        """Return a row for every class of every label attribute, and one for an attribute without classes."""
        import pandas

        rows = [
            (self.manifest, one.name, one.type, shown.index, shown.name, shown.lines, shown.labels)
            for one in self.attributes
            for shown in one.classes or (ClassCount(-1, "", one.labelled, one.labelled),)
        ]
        columns = ["manifest", "attribute", "type", "class_index", "class_name", "lines", "labels"]
        return pandas.DataFrame(rows, columns=columns)


_PERIODS = 31  # if there are more days, dates are counted by month, and more months by year


def by_period(days: Mapping[str, int]) -> dict[str, int]:
    """Return counts by day, month or year, whichever fits on a screen."""
    for length in (10, 7, 4):
        found: dict[str, int] = {}
        for day, count in days.items():
            found[day[:length]] = found.get(day[:length], 0) + count
        if len(found) <= _PERIODS:
            break
    return found


def contents_of(source: Source, label_attribute: str | None = None, jobs: Jobs = None) -> Stats:
    """Return what is in a source that can be read twice, for all its label attributes or the one named.

    Raises InvalidLine at a line that cannot be read, Refused for an attribute that no line has.
    """
    known = None if label_attribute is None else one_attribute(source, label_attribute, jobs)
    whole = _count(source, known, jobs)
    if not whole.attributes and known is None:
        with contextlib.suppress(BadData):
            whole = _count(source, one_attribute(source, None, jobs), jobs)  # a label without metadata
    return _stats(source.name, whole)


def _count(source: Source, known: LabelAttribute | None, jobs: Jobs) -> ManifestCounts:
    whole = ManifestCounts()
    for _, part in scan(source, partial(count_block, known), jobs):
        whole.add(part)
    for name in [name for name, one in whole.attributes.items() if not one.labelled + one.failed]:
        del whole.attributes[name]  # metadata of something else than a label
    return whole


def _stats(name: str, whole: ManifestCounts) -> Stats:
    sources = {
        name if name == NO_URI else _up_to_slash(bucket.common_start): bucket.lines
        for name, bucket in sorted(whole.buckets.items(), key=lambda item: -item[1].lines)
    }
    attributes = tuple(
        _attribute_stats(attribute, counts, whole.objects) for attribute, counts in whole.attributes.items()
    )
    return Stats(name, whole.objects, whole.lines - whole.objects, whole.texts, sources, attributes)


def _up_to_slash(uri: str) -> str:
    return uri[: uri.rfind("/") + 1]


def _attribute_stats(name: str, counts: AttributeCounts, objects: int) -> AttributeStats:
    who = {"yes": 0, "no": 0}
    for written, count in counts.annotators.items():
        annotator = {"true": "yes", "false": "no"}.get(written.lower(), written.lower())
        who[annotator] = who.get(annotator, 0) + count
    type_name = max(counts.types, key=lambda one: counts.types[one], default="")
    return AttributeStats(
        name=name,
        type=type_name,
        labelled=counts.labelled,
        failed=counts.failed,
        unlabelled=objects - counts.labelled - counts.failed,
        classes=_classes(counts),
        confidence=_confidences(counts),
        human=who["yes"],
        machine=who["no"],
        jobs=dict(counts.jobs.most_common()),
        days={day: counts.days[day] for day in sorted(counts.days) if _is_day(day)},
        failures=dict(counts.failures.most_common()),
        unit=label_kind(type_name).item,
        empty=counts.empty,
        adjusted=counts.adjusted,
        unadjusted=counts.unadjusted,
    )


def _confidences(counts: AttributeCounts) -> Confidences:
    found = Confidences(counts.zeros, tuple(counts.bins.tolist()))
    if found.total > 1 and 0 < counts.lowest == counts.highest:
        return replace(found, constant=counts.lowest)
    return found


def _classes(counts: AttributeCounts) -> tuple[ClassCount, ...]:
    """Return the classes by index; a line that does not name its class counts for the name on other lines."""
    names: dict[int, str] = {}
    for (index, name), _ in counts.classes.most_common():
        if name is not None:
            names.setdefault(index, name)
    lines, labels = _named(counts.classes, names), _named(counts.items or counts.classes, names)
    return tuple(ClassCount(*key, lines[key], labels[key]) for key in sorted(lines))


def _named(counts: Counter[tuple[int, str | None]], names: Mapping[int, str]) -> Counter[tuple[int, str]]:
    found: Counter[tuple[int, str]] = Counter()
    for (index, name), count in counts.items():
        found[index, names.get(index, "") if name is None else name] += count
    return found


def _is_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False

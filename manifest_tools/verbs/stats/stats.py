"""Says what is in a manifest: attributes, types, classes, confidences, who labelled, and when."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from manifest_tools.base.parallel import Jobs
from manifest_tools.groundtruth.examples import one_attribute
from manifest_tools.groundtruth.label_kinds import label_kind
from manifest_tools.groundtruth.scan import scan
from manifest_tools.io.sources import decompressed, open_source
from manifest_tools.verbs.stats.counts import NO_URI, AttributeCounts, ManifestCounts, count_block

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, slots=True)
class ClassCount:
    """On how many lines a class stands; a class that no line names has an empty ``name``.

    ``labels`` counts how often: of boxes, cuboids and entities there may be several of a class on a line.
    """

    index: int
    name: str
    lines: int
    labels: int


@dataclass(frozen=True, slots=True)
class Confidences:
    """How sure the labels are: ``bins`` counts by tenths what is above 0, the first up to 0.1.

    A job with one worker a picture writes 0 on every line: no information, so ``zeros`` are kept apart.
    """

    zeros: int
    bins: tuple[int, ...]

    @property
    def total(self) -> int:
        """How many confidences there are."""
        return self.zeros + sum(self.bins)


@dataclass(frozen=True, slots=True)
class AttributeStats:
    """What a manifest shows of one label attribute; ``days`` counts labels by the day of their creation.

    ``human`` and ``machine`` count who labelled; the rest of ``labelled`` does not say. ``unit`` is what a
    line has several of (``box``, ``entity``), ``empty`` counts labels without any; ``adjusted`` those that an
    adjustment job changed, ``unadjusted`` those that it left as they were.
    """

    name: str
    type: str
    labelled: int
    failed: int
    unlabelled: int
    classes: tuple[ClassCount, ...]
    confidence: Confidences
    human: int
    machine: int
    jobs: dict[str, int]
    days: dict[str, int]
    failures: dict[str, int]
    unit: str
    empty: int
    adjusted: int
    unadjusted: int

    @property
    def has_classes(self) -> bool:
        """Say whether a label is a class, or a list of them."""
        return bool(self.classes)


@dataclass(frozen=True, slots=True)
class Stats:
    """What is in a manifest; ``sources`` counts lines by how their ``source-ref`` begins."""

    manifest: str
    lines: int
    blank: int
    texts: int
    sources: dict[str, int]
    attributes: tuple[AttributeStats, ...]

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON can say it."""
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


def stats(manifest: str, label_attribute: str | None = None, *, jobs: Jobs = None) -> Stats:
    """Return what is in a manifest, for all its label attributes or the one named.

    Raises InvalidLine at a line that cannot be read, Refused for an attribute that is not there.
    """
    source = decompressed(open_source(manifest))
    if label_attribute is not None:
        one_attribute(source, label_attribute, jobs)
    whole = ManifestCounts()
    for _, part in scan(source, partial(count_block, label_attribute), jobs):
        whole.add(part)
    return _stats(source.name, whole)


def _stats(name: str, whole: ManifestCounts) -> Stats:
    sources = {
        bucket if bucket == NO_URI else _up_to_slash(prefix.begins): prefix.lines
        for bucket, prefix in sorted(whole.prefixes.items(), key=lambda item: -item[1].lines)
    }
    attributes = tuple(
        _attribute_stats(attribute, tally, whole.objects) for attribute, tally in whole.attributes.items()
    )
    return Stats(name, whole.objects, whole.lines - whole.objects, whole.texts, sources, attributes)


def _up_to_slash(begins: str) -> str:
    return begins[: begins.rfind("/") + 1]


def _attribute_stats(name: str, tally: AttributeCounts, objects: int) -> AttributeStats:
    who = {"yes": 0, "no": 0}
    for said, count in tally.annotators.items():
        meant = {"true": "yes", "false": "no"}.get(said.lower(), said.lower())
        who[meant] = who.get(meant, 0) + count
    type_name = max(tally.types, key=lambda one: tally.types[one], default="")
    return AttributeStats(
        name=name,
        type=type_name,
        labelled=tally.labelled,
        failed=tally.failed,
        unlabelled=objects - tally.labelled - tally.failed,
        classes=_classes(tally),
        confidence=Confidences(tally.zeros, tuple(tally.bins.tolist())),
        human=who["yes"],
        machine=who["no"],
        jobs=dict(tally.jobs.most_common()),
        days={day: tally.days[day] for day in sorted(tally.days) if _is_day(day)},
        failures=dict(tally.failures.most_common()),
        unit=label_kind(type_name).item,
        empty=tally.empty,
        adjusted=tally.adjusted,
        unadjusted=tally.unadjusted,
    )


def _classes(tally: AttributeCounts) -> tuple[ClassCount, ...]:
    """Return the classes by index; lines without name count for the name that others give the index."""
    names: dict[int, str] = {}
    for (index, name), _ in tally.classes.most_common():
        if name is not None:
            names.setdefault(index, name)
    lines, labels = _named(tally.classes, names), _named(tally.items or tally.classes, names)
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

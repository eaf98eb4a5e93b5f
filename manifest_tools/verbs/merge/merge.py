"""Merges manifests: one line a picture, one name a label attribute, one index a class."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from manifest_tools.base.arguments import AnyPath, as_text
from manifest_tools.base.errors import Refused
from manifest_tools.base.parallel import Jobs, pool
from manifest_tools.edits.class_indices import IndexMap
from manifest_tools.formats.open_manifest import open_manifest, remark_elsewhere
from manifest_tools.groundtruth.attributes import LabelAttribute, check_attribute_name
from manifest_tools.groundtruth.marks import Marks, read_marks
from manifest_tools.groundtruth.survey import Survey, check_number, survey
from manifest_tools.io.sinks import REJECTS, Published, check_apart, check_key, output_file, publishing
from manifest_tools.io.sources import BLOCK, STDIN, Source, decompressed
from manifest_tools.io.staging import staged
from manifest_tools.verbs.merge.attribute_map import AttributeMap, map_attributes
from manifest_tools.verbs.merge.by_mark import label_marks, marks_note
from manifest_tools.verbs.merge.candidates import merged_attribute
from manifest_tools.verbs.merge.choices import POLICIES, Policy
from manifest_tools.verbs.merge.columns import Manifest, read_columns
from manifest_tools.verbs.merge.conflicts import Conflicts, ConflictTable
from manifest_tools.verbs.merge.extra_keys import handled_keys
from manifest_tools.verbs.merge.line_changes import LineChanges
from manifest_tools.verbs.merge.line_numbers import LineNumbers, line_numbers
from manifest_tools.verbs.merge.report import Merged, WriteCounts, count_manifests, count_written
from manifest_tools.verbs.merge.resolve import (
    Decision,
    LineOutcomes,
    line_outcomes,
    number_pictures,
    resolve,
)
from manifest_tools.verbs.merge.write import NAMED_KEYS, LineStream, write
from manifest_tools.verbs.merge.write_tasks import ExtraKeyLines, WriteTasks, extra_key_lines


def merge(
    *manifests: AnyPath,
    output: AnyPath = "-",
    label_attribute: str | None = None,
    on_conflict: Policy = "error",
    marks: AnyPath | None = None,
    rejects: AnyPath | None = None,
    force: bool = False,
    kms_key: str | None = None,
    dry_run: bool = False,
    jobs: Jobs = None,
) -> Merged:
    """Write the lines of several manifests as one, in order, one line a picture.

    ``label_attribute`` is the name that a label attribute gets where the manifests call it differently;
    an adjustment of it is merged into it. Without it, labels of different names on lines of one picture go on
    one line. Classes are matched by name and have the indices of the first manifest. A line that needs no
    change keeps its bytes.

    ``on_conflict`` chooses between two labels of one picture; ``error`` raises BadData. Before it is asked,
    a file of ``marks`` decides: the class that a mark names stays, and a label marked wrong goes. Keys that
    are no labels, and that only a line left out has, go on the line that is kept. Lines left out are counted
    by reason and written to ``rejects``. ``kms_key`` encrypts what goes to S3.

    Raises Refused where names, label kinds or classes cannot be made one. Takes about 90 bytes of memory for
    each line.

    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name, label in ("a", "RH"), ("b", "LH"):
    ...     line = '{"source-ref": "s3://b/1.jpg", "side": 0, "side-metadata": {"class-name": "%s"}}'
    ...     _ = (folder / name).write_text(line % label)
    >>> merge(f"{folder}/a", f"{folder}/b", on_conflict="last", output=f"{folder}/out").conflicts
    1
    """
    names = tuple(map(as_text, manifests))
    outputs = [output_file(as_text(output), "merged.manifest")]
    outputs += [] if rejects is None else [output_file(as_text(rejects), REJECTS)]
    _check(names, outputs, on_conflict)
    if label_attribute is not None:
        check_attribute_name(label_attribute)
    check_key(kms_key, outputs)
    sources = [decompressed(open_manifest(name)) for name in names]
    with pool(jobs, many=sum(source.size or 0 for source in sources) > BLOCK) as workers:
        found = None if marks is None else read_marks(as_text(marks))
        plan = _plan(sources, label_attribute, on_conflict, found, workers)
        options = dict.fromkeys(outputs[1:], "--rejects")
        with publishing(force=force, kms_key=kms_key, options=options) as publication, ExitStack() as stack:
            opened = [] if dry_run else [(publication.open(name), name) for name in outputs]
            streams = [LineStream(stack.enter_context(staged(*one))) for one in opened]
            kept, rejected, *_ = *streams, LineStream(None), LineStream(None)
            tasks = plan.tasks(sources, with_rejects=rejects is not None)
            blocks = write(plan.line_changes(), plan.handled, tasks, kept, rejected, workers)
            counts = count_written(len(sources), blocks)
            for source in sources:
                source.check_unchanged()
    for source in [] if dry_run else sources:
        remark_elsewhere(source, outputs)
    return plan.report(on_conflict, counts, tuple(publication.published))


def _check(manifests: Sequence[str], outputs: Sequence[str], policy: str) -> None:
    if not manifests:
        raise Refused("expected manifests to merge, found none; type their names")
    if manifests.count(STDIN) > 1:
        raise Refused("standard input can be read only once; type - only once")
    if policy not in POLICIES:
        raise Refused(f"expected on_conflict to be one of {', '.join(POLICIES)}; found {policy!r}")
    for name in manifests:
        check_apart(name, outputs)


@dataclass(slots=True)
class _Plan:
    """All that is decided before the first line is written."""

    manifests: Sequence[Manifest]
    handled: frozenset[str]
    """The keys that are no extra keys, as in ``extra_keys``."""

    attribute_map: AttributeMap
    numbers: LineNumbers
    decisions: Sequence[Decision]
    """For each label attribute of the result, whose label counts."""

    conflict_table: ConflictTable
    outcomes: LineOutcomes
    extra_keys: ExtraKeyLines

    def tasks(self, sources: Sequence[Source], with_rejects: bool) -> WriteTasks:
        """Return what the workers have to write."""
        attributes = [decision.attribute for decision in self.decisions]
        return WriteTasks(
            sources, self.manifests, self.numbers, attributes, self.outcomes, self.extra_keys, with_rejects
        )

    def line_changes(self) -> list[LineChanges]:
        """Return how the lines of each manifest change."""
        index_maps: list[dict[str, IndexMap]] = [{} for _ in self.manifests]
        for decision in self.decisions:
            for (at, name), index_map in decision.attribute.index_maps.items():
                if index_map:
                    index_maps[at][name] = index_map
        return [
            LineChanges(manifest.name, targets, index_map)
            for manifest, targets, index_map in zip(
                self.manifests, self.attribute_map.targets, index_maps, strict=True
            )
        ]

    def report(self, policy: Policy, counts: WriteCounts, published: tuple[Published, ...]) -> Merged:
        """Return what was done."""
        classes = {one.attribute.name: one.attribute.classes for one in self.decisions}
        return Merged(
            manifests=count_manifests(self.manifests, self.numbers, self.decisions, self.outcomes, counts),
            policy=policy,
            conflicts=sum(int(one.conflicts.sum()) for one in self.decisions),
            decided_by_marks=sum(one.marked for one in self.decisions),
            ties=sum(int(one.ties.sum()) for one in self.decisions),
            class_tables={name: one.table for name, one in classes.items()},
            undated=sum(int(one.undated.sum()) for one in self.decisions),
            conflict_table=self.conflict_table,
            differ=counts.differ,
            differing=tuple(counts.differing)[: NAMED_KEYS + 1],
            notes=(*self.attribute_map.notes, *(note for one in classes.values() for note in one.notes)),
            published=published,
        )


def _plan(
    sources: Sequence[Source], requested: str | None, policy: Policy, marks: Marks | None, jobs: Jobs
) -> _Plan:
    """Read all manifests, and decide everything; a column is dropped as soon as it has been used."""
    manifests, handled = _read(sources, requested, policy, jobs)
    attribute_map = map_attributes(manifests, requested)
    numbers = line_numbers(manifests)
    source_keys = np.concatenate([one.columns.take("source_keys") for one in manifests])
    pictures = number_pictures(source_keys)
    decisions = []
    for name in attribute_map.names:
        attribute = merged_attribute(name, manifests, attribute_map)
        heeded = None
        if marks is not None:
            found = label_marks(marks, attribute, attribute_map, source_keys, pictures.of_line)
            heeded = None if found is None else found.heeded
            attribute_map.notes += marks_note(marks, name, attribute_map)
        decisions.append(resolve(attribute, pictures, policy, heeded))
    conflicts = Conflicts(decisions, manifests, attribute_map, numbers)
    conflicts.check(policy)
    conflict_table = conflicts.table(pictures)
    for one in manifests:
        one.columns.attributes.clear()
    outcomes = line_outcomes(pictures, np.concatenate([one.columns.blank for one in manifests]), decisions)
    keys = np.concatenate([one.columns.take("extra_keys") for one in manifests])
    extra_keys = extra_key_lines(pictures, outcomes, keys)
    return _Plan(manifests, handled, attribute_map, numbers, decisions, conflict_table, outcomes, extra_keys)


def _read(
    sources: Sequence[Source], requested: str | None, policy: str, jobs: Jobs
) -> tuple[list[Manifest], frozenset[str]]:
    """Return what is remembered of each manifest, and the keys that are sources or labels in any."""
    surveys = [survey(source, jobs) for source in sources]
    attributes = _attributes(surveys)
    handled = handled_keys((one for found in attributes for one in found), requested)
    any_extra = any(found.keys.keys() - handled for found in surveys)
    manifests = [
        Manifest(
            source.name, found, read_columns(source, found, policy, jobs, handled if any_extra else None)
        )
        for source, found in zip(sources, attributes, strict=True)
    ]
    return manifests, handled


def _attributes(surveys: Sequence[Survey]) -> list[tuple[LabelAttribute, ...]]:
    """Return the label attributes of each manifest; one that does not say its type has that of another."""
    types: dict[str, str] = {}
    for found in surveys:
        check_number(found.attributes)
        for name, coverage in found.attributes.items():
            types[name] = types.get(name) or coverage.type
    return [
        tuple(
            LabelAttribute(name, coverage.metadata_key, coverage.type or types[name], True)
            for name, coverage in found.attributes.items()
        )
        for found in surveys
    ]

"""Divides a manifest into parts, stratified by class, without changing a byte of a line."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.arguments import AnyPath, as_text
from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.hashing import mix
from manifest_tools.base.parallel import Jobs, pool
from manifest_tools.formats.open_manifest import open_manifest, remark_elsewhere
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.classes import ClassConflict, ClassTable, classes_from
from manifest_tools.groundtruth.conflict_policy import ConflictPolicy
from manifest_tools.groundtruth.contradictions import Contradictions, find_contradictions, refused
from manifest_tools.groundtruth.line_columns import STATES, ClassArrays, Lines, read_lines, read_together
from manifest_tools.groundtruth.survey import label_attribute, survey
from manifest_tools.io.sinks import REJECTS, Publication, check_apart, check_key, output_file, publishing
from manifest_tools.io.sources import BLOCK, Source, decompressed, folder_of
from manifest_tools.verbs.split.assign import assign
from manifest_tools.verbs.split.groups import (
    FRAMES,
    divided_videos,
    group_keys,
    group_pattern,
    looks_like_frames,
)
from manifest_tools.verbs.split.ratios import Ratio, exact_ratios, parts_of, train_index
from manifest_tools.verbs.split.report import Split
from manifest_tools.verbs.split.write_parts import NO_PART, write_parts

REPORT = "split.json"


def split(
    manifest: AnyPath,
    output: AnyPath | None = None,
    *,
    ratio: Ratio | None = None,
    part: Mapping[str, Ratio] | None = None,
    seed: int = 0,
    label_attribute: str | Sequence[str] | None = None,
    classes: ClassTable | AnyPath | None = None,
    conflicts: ConflictPolicy = "keep",
    group: str | None = None,
    rejects: AnyPath | None = None,
    shuffle: bool = False,
    force: bool = False,
    kms_key: str | None = None,
    dry_run: bool = False,
    jobs: Jobs = None,
) -> Split:
    """Write ``train.manifest``, ``validation.manifest`` and ``split.json``.

    ``ratio`` is that of train; ``part`` names other parts with their ratios. They go into the folder or
    ``s3://`` prefix ``output``, or beside the manifest. The lines of every class are divided by the ratios to
    within one line, and so are all lines together. Lines of one picture stay together. Failed and unlabelled
    lines are counted and go to ``rejects``, if it is given. ``conflicts`` says what becomes of lines of one
    picture with different classes: they are kept and counted; ``drop`` makes them rejects; ``error`` raises
    BadData. ``group`` is a regular expression: lines whose source has the same first group, or the same
    match, stay together. ``shuffle`` changes the order of the lines in each part. ``kms_key`` encrypts
    outputs in S3. Memory: about 40 bytes a line.

    Several ``label_attribute``, or ``sport*``, stratify over the classes of all of them, by name. Raises
    Refused for parts that cannot be, for a manifest without a label, and for outputs that exist already.
    """
    manifest, classes = as_text(manifest), classes_from(classes)
    output = None if output is None else as_text(output)
    rejects = None if rejects is None else as_text(rejects)
    ratios = exact_ratios(parts_of(ratio, part))
    targets = _targets(manifest, output, list(ratios), rejects)
    check_key(kms_key, list(targets.values()))
    pattern = None if group is None else group_pattern(group)
    source = decompressed(open_manifest(manifest, classes))
    with pool(jobs, many=(source.size or 0) > BLOCK) as workers:
        attributes = _attributes(source, label_attribute, workers)
        lines = _read(source, attributes, classes or ClassTable(), workers)
        contradictions = _resolve(source.name, lines, conflicts)
        groups = _groups(source, attributes[0], pattern, lines, workers)
        together = lines.keys if pattern is None or groups is None else groups
        train = train_index(ratios)
        part_of_line = _assign(lines, together, list(ratios.values()), train, seed, rejects is not None)
        result = _count(manifest, source, seed, ratios, targets, lines, part_of_line, attributes)
        result = replace(result, contradictions=contradictions, conflicts=conflicts, group=group)
        if pattern is None and groups is not None:
            result = replace(result, videos=divided_videos(groups, part_of_line[lines.numbers - 1]))
        if dry_run:
            return replace(result, digest=source.digest())
        options = {targets[""]: "--rejects"} if rejects is not None else None
        with publishing(force=force, kms_key=kms_key, options=options) as publication:
            ranks = _ranks(lines, seed) if shuffle else None
            files = list(targets.values())
            digest = write_parts(source, lines.lengths, part_of_line, files, publication, ranks, workers)
            result = replace(result, digest=digest)
            source.check_unchanged()
            _write_report(result, publication)
    remark_elsewhere(source, list(targets.values()))
    return replace(result, published=tuple(publication.published))


def _attributes(
    source: Source, requested: str | Sequence[str] | None, jobs: Jobs
) -> tuple[LabelAttribute, ...]:
    """Return the requested label attributes, ``*`` standing for any text, or the only one there is."""
    if requested is None or isinstance(requested, str):
        requested = () if requested is None else (requested,)
    if not requested:
        try:
            return (label_attribute(source, None, jobs),)
        except Refused as several:
            raise Refused(f"{several}; repeat it to stratify over several") from several
    names: dict[str, None] = {}
    for name in requested:
        found = survey(source, jobs).attributes if "*" in name else {}
        matching = [one for one in found if fnmatchcase(one, name)]
        names |= dict.fromkeys(matching or [name])
    return tuple(label_attribute(source, name, jobs) for name in names)


def _read(source: Source, attributes: tuple[LabelAttribute, ...], given: ClassTable, jobs: Jobs) -> Lines:
    """Return the columns; classes of several attributes, or of maps that disagree, are joined by name."""
    if len(attributes) > 1:
        return read_together(source, attributes, given, jobs)
    try:
        return read_lines(source, attributes[0], given, jobs)
    except ClassConflict as conflict:
        if not attributes[0].kind.has_colour_map:
            raise
        return replace(read_together(source, attributes, given, jobs), conflict=str(conflict))


def _resolve(name: str, lines: Lines, policy: ConflictPolicy) -> Contradictions | None:
    """Return the lines that contradict one another, left out or refused as ``policy`` says."""
    found = find_contradictions(lines.keys, lines.labels, lines.numbers, lines.table)
    if found is None or policy == "keep":
        return found
    if policy == "error":
        raise refused(name, found)
    lines.leave_out(found.lines)
    if not len(lines.keys):
        raise BadData(f"{name}: {found.summary()}; no other line is labelled; type --conflicts keep")
    return found


def _groups(
    source: Source,
    attribute: LabelAttribute,
    pattern: re.Pattern[str] | None,
    lines: Lines,
    jobs: Jobs,
) -> NDArray[np.uint64] | None:
    """Return the group of each labelled line, or the video where pictures are called frames, or None."""
    if pattern is None:
        if not looks_like_frames(source):
            return None
        pattern = group_pattern(FRAMES)
    return group_keys(source, attribute, pattern, lines.keys, lines.numbers, jobs)


def _assign(
    lines: Lines,
    keys: NDArray[np.uint64],
    ratios: list[Fraction],
    train: int,
    seed: int,
    keep_rejects: bool,
) -> NDArray[np.uint8]:
    """Return the part of every line of the file, ``(lines,)``; NO_PART for none, ``len(ratios)`` for rejects.

    Lines of one key, ``(labelled lines,)``, stay together. ``train`` is the index of the part that gets
    the classes too small to be divided.
    """
    part = np.full(len(lines.states), NO_PART, np.uint8)
    if keep_rejects:
        rejected = [STATES.index(state) for state in ("failed", "unlabelled", "contradictory")]
        part[np.isin(lines.states, rejected)] = len(ratios)
    labels = lines.labels
    if not labels.counts.all():
        labels = _with_empty_class(labels)
    order = [train, *(at for at in range(len(ratios)) if at != train)]
    assigned = assign(labels, keys, [ratios[at] for at in order], seed)
    part[lines.states == 0] = np.array(order, np.uint8)[assigned]
    return part


def _with_empty_class(labels: ClassArrays) -> ClassArrays:
    """Return the labels with one more class, for the lines that have none: images without a box, say."""
    empty = labels.counts == 0
    counts = np.where(empty, 1, labels.counts).astype(np.int32)
    flat = np.full(int(counts.sum()), labels.flat.max(initial=-1) + 1, np.int32)
    flat[np.repeat(~empty, counts)] = labels.flat
    return ClassArrays(flat, counts)


def _ranks(lines: Lines, seed: int) -> NDArray[np.uint64]:
    return mix(np.arange(len(lines.states), dtype=np.uint64), seed + 1)


def _targets(manifest: str, output: str | None, parts: list[str], rejects: str | None) -> dict[str, str]:
    """Return the file of each part, and of the rejects under ""; raises Refused if one is the input."""
    if output is None and (manifest == "-" or manifest.startswith("s3://")):
        raise Refused(f"split {manifest} needs a folder for the parts; type -o FOLDER")
    folder = folder_of(manifest) if output is None else output
    targets = {name: _join(folder, f"{name}.manifest") for name in parts}
    if rejects is not None:
        targets[""] = output_file(rejects, REJECTS)
    check_apart(manifest, [*targets.values(), _join(folder, REPORT)])
    return targets


def _join(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}" if folder else name


def _count(
    manifest: str,
    source: Source,
    seed: int,
    ratios: dict[str, Fraction],
    targets: dict[str, str],
    lines: Lines,
    part: NDArray[np.uint8],
    attributes: tuple[LabelAttribute, ...],
) -> Split:
    """Return the report, without the digest, which is known after writing."""
    labelled = part[lines.states == STATES.index("labelled")]
    part_of_label = np.repeat(labelled, lines.labels.counts)
    indices, at = _numbered(lines.labels.flat)
    table = np.bincount(at * len(ratios) + part_of_label, minlength=len(indices) * len(ratios))
    rows = table.reshape(len(indices), len(ratios)).tolist()
    counts = {int(index): tuple(row) for index, row in zip(indices, rows, strict=True)}
    empty = np.bincount(labelled[lines.labels.counts == 0], minlength=len(ratios)).tolist()
    totals = np.bincount(labelled, minlength=len(ratios)).tolist()
    states = np.bincount(lines.states, minlength=len(STATES)).tolist()
    return Split(
        input=manifest if manifest.startswith("s3://") else os.path.normpath(manifest),
        digest="",
        size=source.size or 0,
        seed=seed,
        parts=ratios,
        files={name: targets[name] for name in ratios},
        lines=dict(zip(ratios, totals, strict=True)),
        counts=counts,
        empty=tuple(empty) if any(one.kind.has_classes for one in attributes) else (),
        left_out={state: n for state, n in zip(STATES[1:], states[1:], strict=True) if n},
        attributes=attributes,
        table=lines.table,
        small_classes=tuple(index for index, row in counts.items() if sum(row) < len(ratios)),
        conflict=lines.conflict,
    )


def _numbered(classes: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the class indices that occur, ``(classes,)``, and for each label its place among them."""
    occurring = np.bincount(classes) > 0
    return np.flatnonzero(occurring), (np.cumsum(occurring) - 1)[classes]


def _write_report(result: Split, publication: Publication) -> None:
    first = next(iter(result.files.values()))
    text = json.dumps(result.to_json(), indent=2, ensure_ascii=False)
    publication.open(_join(os.path.dirname(first), REPORT)).write(
        text.encode("utf-8", "backslashreplace") + b"\n"
    )

"""Lays manifests together: one line a picture, one name a label attribute, one index a class."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from manifest_tools.base.errors import Refused
from manifest_tools.base.parallel import Jobs, pool
from manifest_tools.groundtruth.attributes import LabelAttribute, check_attribute_name
from manifest_tools.groundtruth.survey import Survey, check_number, survey
from manifest_tools.io.sinks import check_apart, check_key, publishing
from manifest_tools.io.sources import BLOCK, STDIN, Source, decompressed, open_source
from manifest_tools.verbs.merge.attribute_map import Cast, Manifest, cast
from manifest_tools.verbs.merge.candidates import Label, hear
from manifest_tools.verbs.merge.columns import read_manifest
from manifest_tools.verbs.merge.conflicts import Conflicts
from manifest_tools.verbs.merge.gifts import Gifts, gifts
from manifest_tools.verbs.merge.line_changes import Plan
from manifest_tools.verbs.merge.other_keys import known_keys
from manifest_tools.verbs.merge.places import places
from manifest_tools.verbs.merge.report import Merged, counted, report
from manifest_tools.verbs.merge.resolve import POLICIES, Places, Policy, pictures
from manifest_tools.verbs.merge.settle import Settled, settle
from manifest_tools.verbs.merge.works import Division
from manifest_tools.verbs.merge.write import Joined, write


def merge(
    *manifests: str,
    output: str = "-",
    label_attribute_name: str | None = None,
    on_conflict: Policy = "error",
    rejects: str | None = None,
    force: bool = False,
    kms_key: str | None = None,
    dry_run: bool = False,
    jobs: Jobs = None,
) -> Merged:
    """Write the lines of several manifests as one, in order, one line a picture.

    ``label_attribute_name`` is the one name of a label that the manifests call differently; what an
    adjustment job made of it is folded into it. Without it, labels of different names on lines of one picture
    go on one line. Classes go by name; the first manifest's indices count. A line that needs no change keeps
    its bytes.

    Where two labels of a picture differ, ``on_conflict`` decides; ``error`` raises BadData. Other keys that
    only a line left out has go on the one that stays. Lines left out are counted by reason, and kept in
    ``rejects``. Raises Refused where names, types or classes cannot
    be one. ``kms_key`` encrypts what goes to S3. Memory: about 90 bytes a line.
    """
    _check(manifests, output, rejects, on_conflict)
    if label_attribute_name is not None:
        check_attribute_name(label_attribute_name)
    check_key(kms_key, [output, *([] if rejects is None else [rejects])])
    sources = [decompressed(open_source(name)) for name in manifests]
    with pool(jobs, many=sum(source.size or 0 for source in sources) > BLOCK) as workers:
        inputs, known = _read(sources, label_attribute_name, on_conflict, workers)
        roles = cast(inputs, label_attribute_name)
        where = places(inputs)
        picture, count = pictures(np.concatenate([one.remembered.forget_keys() for one in inputs]))
        labels = [hear(name, inputs, roles, picture, count, on_conflict) for name in roles.names]
        conflicts = Conflicts(labels, inputs, roles, where)
        conflicts.check(on_conflict)
        outcome = conflicts.outcome(picture)
        for one in inputs:
            one.remembered.columns.clear()  # all that they say has been heard
        blank = np.concatenate([one.remembered.blank for one in inputs])
        settled = settle(picture, count, blank, [(label.heard, label.decision) for label in labels])
        giving = _gifts(inputs, picture, count, settled)
        del picture, blank
        division = Division(sources, inputs, where, labels, settled, giving, rejects is not None)
        with publishing(force=force, kms_key=kms_key) as publication:
            kept = Joined(None if dry_run else publication.open(output))
            left = Joined(None if dry_run or rejects is None else publication.open(rejects))
            done = write(_plans(inputs, roles, labels), known, division.works(), kept, left, workers)
            found = counted(len(inputs), done)
            for source in sources:
                source.check_unchanged()
    result = report(inputs, where, labels, settled, on_conflict, outcome, found, roles.remarks)
    return replace(result, published=tuple(publication.published))


def _check(manifests: Sequence[str], output: str, rejects: str | None, policy: str) -> None:
    if not manifests:
        raise Refused("expected manifests to merge, found none; type their names")
    if manifests.count(STDIN) > 1:
        raise Refused("standard input can be read only once; name - once")
    if policy not in POLICIES:
        raise Refused(f"expected on_conflict to be one of {', '.join(POLICIES)}; found {policy!r}")
    for name in manifests:
        check_apart(name, [output, *([] if rejects is None else [rejects])])


def _read(
    sources: Sequence[Source], told: str | None, policy: str, jobs: Jobs
) -> tuple[list[Manifest], frozenset[str]]:
    """Return what is remembered of each manifest, and the keys that are sources or labels in any."""
    surveys = [survey(source, jobs) for source in sources]
    attributes = _attributes(surveys)
    known = known_keys((one for found in attributes for one in found), told)
    asked = known if any(found.keys.keys() - known for found in surveys) else None
    inputs = [
        Manifest(source.name, found, read_manifest(source, found, policy, jobs, asked))
        for source, found in zip(sources, attributes, strict=True)
    ]
    return inputs, known


def _gifts(inputs: Sequence[Manifest], picture: Places, count: int, settled: Settled) -> Gifts:
    keys = np.concatenate([one.remembered.others for one in inputs])
    for one in inputs:
        one.remembered.others = np.zeros(0, np.uint64)
    return gifts(picture, count, settled, keys)


def _attributes(surveys: Sequence[Survey]) -> list[tuple[LabelAttribute, ...]]:
    """Return the label attributes of each manifest; where one does not say its type, another may."""
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


def _plans(inputs: Sequence[Manifest], roles: Cast, labels: Sequence[Label]) -> list[Plan]:
    moves: list[dict[str, dict[int, int]]] = [{} for _ in inputs]
    for label in labels:
        for (at, name), found in label.moves.items():
            if found:
                moves[at][name] = dict(found)
    return [Plan(one.name, roles.roles[at], moves[at]) for at, one in enumerate(inputs)]

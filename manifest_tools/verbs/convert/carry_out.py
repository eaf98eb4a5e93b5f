"""Carries a conversion out: pictures and labels into the outputs, which appear together or not at all."""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from manifest_tools.base.errors import Refused
from manifest_tools.base.parallel import Jobs, Progress, no_progress
from manifest_tools.formats.class_contract import CLASSES
from manifest_tools.formats.protocol import Files, WriteOptions
from manifest_tools.formats.table import format_row, module_of
from manifest_tools.io import s3
from manifest_tools.io.sinks import Publication, check_key, publishing
from manifest_tools.verbs.convert.box_edges import EdgeCounts, WatchedBoxes
from manifest_tools.verbs.convert.cluster import cluster
from manifest_tools.verbs.convert.description import CountedParts, check_can_describe, describe
from manifest_tools.verbs.convert.left_out_pictures import LeftOutPictures
from manifest_tools.verbs.convert.opening import Fetch
from manifest_tools.verbs.convert.output_place import folder_for_workers, place_of_output
from manifest_tools.verbs.convert.pictures import PictureWork
from manifest_tools.verbs.convert.plan import ConversionPlan, data_set
from manifest_tools.verbs.convert.quarantine import write_quarantine
from manifest_tools.verbs.convert.report import (
    check_made_alike,
    description_of,
    left_out_of,
    report_text,
)
from manifest_tools.verbs.convert.result import Converted, NothingUsable
from manifest_tools.verbs.convert.side_car import Head, SideCarWriter
from manifest_tools.verbs.convert.workspace import saved, workspace


def carry_out(
    *plans: ConversionPlan,
    lost: Mapping[str, int] | None = None,
    side_car: bool = False,
    resume: bool = False,
    croissant: bool = False,
    max_errors: int | None = None,
    quarantine: str | None = None,
    jobs: Jobs = None,
    dask: str | None = None,
    force: bool = False,
    kms_key: str | None = None,
    fetch: Fetch | None = None,
    progress: Progress = no_progress,
) -> Converted:
    """Do what the plans of one conversion say.

    Raises NothingUsable where nothing would come of it, TooManyUnusable for more than ``max_errors``.
    """
    first = plans[0]
    check_key(kms_key, [first.output])
    _check_options(first, resume, croissant, dask, max_errors)
    if format_row("--to", first.to).report and not force:
        check_made_alike(plans)
    if resume and first.output.startswith("s3://"):
        _remove_left_uploads(first.output)
    left_out = LeftOutPictures(max_errors, None if quarantine is None else {})
    work = PictureWork(
        {planned.part: planned for planned in plans},
        _nobody,
        fetch=fetch,
        jobs=jobs,
        progress=progress,
        left_out=left_out,
        kms_key=kms_key,
    )
    far = dask is not None and first.output.startswith("s3://")
    made = workspace(first.output, description_of(plans), resume, far=far)
    space = made if first.opens else contextlib.nullcontext()
    options = {} if quarantine is None else {quarantine: "--quarantine"}
    sinks = publishing(force=force, kms_key=kms_key, options=options)
    with (
        contextlib.closing(left_out),
        _workers(work, dask),
        space as work.space,
        sinks as publication,
        saved(work.space),
    ):
        if side_car:
            work.placed = _side_car(plans, publication).placed
        said, remarks = _write(plans, work, publication, jobs, lost or {}, croissant)
        if quarantine is not None:
            write_quarantine(publication.open(quarantine), plans, left_out)
    return Converted(
        tuple(publication.published),
        said["pictures"],
        tuple(left_out.problems),
        left_out_of(plans),
        first.table,
        dict(lost or {}),
        (*remarks, *_odd_boxes(plans)),
        unusable=dict(sorted(left_out.by_code.items())),
    )


def _check_options(
    plan: ConversionPlan, resume: bool, croissant: bool, dask: str | None, max_errors: int | None
) -> None:
    """Raise Refused for what has no meaning, before any work."""
    if resume and not plan.opens:
        raise Refused(
            f"--resume: {plan.to} opens no picture, so there is nothing to go on from; leave it out"
        )
    if croissant:
        check_can_describe(plan)
    if dask is not None and not plan.opens:
        raise Refused(f"--dask: {plan.to} opens no picture, so there is nothing to share out; leave it out")
    if max_errors is not None and max_errors < 0:
        raise Refused(f"--max-errors {max_errors}: expected how many pictures may be left out, 0 or more")


def _remove_left_uploads(output: str) -> None:
    """Abort the uploads that a killed run left of these outputs, and of no others of a longer name."""
    for upload in s3.leftovers(output):
        if upload.uri.startswith((f"{output}.", f"{output}/", f"{output}-0")):
            s3.abort(upload)


def _write(
    plans: Sequence[ConversionPlan],
    work: PictureWork,
    publication: Publication,
    jobs: Jobs,
    lost: Mapping[str, int],
    croissant: bool,
) -> tuple[dict[str, Any], list[str]]:
    """Write the outputs; return what the format says of them, and remarks for the user."""
    first = plans[0]
    row = format_row("--to", first.to)
    work.placed = parts = CountedParts(work.placed)
    with place_of_output(row, first, publication, work.space) as sink:
        work.folder = folder_for_workers(sink)
        said: dict[str, Any] = module_of(row).write(data_set(plans), sink, _options(work, first, jobs))
        remarks = [*said.pop("remarks", []), *work.counts.remarks(first.recipe.pass_through)]
        if not said["pictures"]:
            raise NothingUsable(", ".join(plan.manifest for plan in plans), work.left_out.problems)
        if not isinstance(sink, Files):
            contract = {"label_attribute": first.attribute.name, **first.table.to_json()}
            sink.write(CLASSES, json.dumps(contract, indent=2).encode() + b"\n")
    remarks += [f"no picture in {part}" for part in work.plans if part and not parts.counts[part]]
    if croissant:
        describe(first, parts.counts, publication, row.output == "folder")
    if row.report:
        publication.open(first.report).write(report_text(plans, said, work.left_out.by_code, lost))
    return said, remarks


@contextlib.contextmanager
def _workers(work: PictureWork, dask: str | None) -> Iterator[None]:
    """Let the workers of a Dask cluster make the pieces."""
    if dask is None:
        yield
        return
    with cluster(dask) as workers:
        work.jobs, work.ahead = workers.executor, workers.ahead
        yield


def _odd_boxes(plans: Sequence[ConversionPlan]) -> list[str]:
    watched = [planned.lines for planned in plans if isinstance(planned.lines, WatchedBoxes)]
    total = EdgeCounts(sum(one.counts.over for one in watched), sum(one.counts.empty for one in watched))
    return total.remarks(plans[0].clip)


def _side_car(plans: Sequence[ConversionPlan], publication: Publication) -> SideCarWriter:
    first = plans[0]
    head = Head(
        side_car=1,
        format=first.to,
        label_attribute=first.attribute.name,
        metadata_key=first.attribute.metadata_key,
        type=first.attribute.type,
        parts=[planned.part for planned in plans],
        classes=first.table.to_json(),
        clip=first.clip,
    )
    sources = [(planned.part, planned.source) for planned in plans if planned.source is not None]
    return SideCarWriter.open(publication, first.output, head, sources)


def _options(work: PictureWork, plan: ConversionPlan, jobs: Jobs) -> WriteOptions:
    return WriteOptions(
        work.packed,
        work.copied,
        work.masks,
        work.unusable,
        work.placed,
        plan.recipe,
        jobs,
        plan.shard,
        plan.beside,
    )


def _nobody(part: str, number: int, key: str) -> None:
    """Take no notice of where a picture is."""

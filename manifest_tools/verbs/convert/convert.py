"""Converts manifests and their pictures to another data set format; ``formats`` has the table of formats."""

import contextlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from manifest_tools.base.arguments import AnyPath, AnyPaths, as_text, as_texts
from manifest_tools.base.errors import BadData, Exists, Refused
from manifest_tools.base.parallel import Jobs, Progress, no_progress
from manifest_tools.base.problem import Problem
from manifest_tools.base.version import __version__
from manifest_tools.formats.class_contract import CLASSES
from manifest_tools.formats.protocol import Files, WriteOptions
from manifest_tools.formats.table import Format, format_row, module_of
from manifest_tools.groundtruth.classes import ClassTable, classes_from
from manifest_tools.io import s3
from manifest_tools.io.folder_sink import Folder, folder_sink
from manifest_tools.io.s3_folder import InThreads, in_threads, s3_folder
from manifest_tools.io.sinks import Publication, Published, check_key, publishing
from manifest_tools.verbs.convert.box_edges import EdgeCounts, WatchedBoxes
from manifest_tools.verbs.convert.cluster import cluster
from manifest_tools.verbs.convert.description import CountedParts, check_can_describe, describe
from manifest_tools.verbs.convert.left_out_pictures import LeftOutPictures
from manifest_tools.verbs.convert.loss import WouldLose, lost_of_data_set, lost_of_manifest
from manifest_tools.verbs.convert.missing_pictures import fetcher
from manifest_tools.verbs.convert.opening import Fetch
from manifest_tools.verbs.convert.pictures import PictureWork
from manifest_tools.verbs.convert.plan import ConversionPlan, data_set, plan, plan_data_set, plan_parts
from manifest_tools.verbs.convert.quarantine import write_quarantine
from manifest_tools.verbs.convert.side_car import Head, SideCarWriter
from manifest_tools.verbs.convert.workspace import Workspace, saved, workspace


@dataclass(frozen=True, slots=True)
class Converted:
    """What became of a conversion."""

    outputs: tuple[Published, ...]
    pictures: int
    """How many pictures are in the outputs."""

    problems: tuple[Problem, ...] = ()
    """Why other pictures are not: the first of them."""

    left_out: dict[str, int] = field(default_factory=dict)
    """Lines without a label, by state."""

    table: ClassTable = ClassTable()
    lost: dict[str, int] = field(default_factory=dict)
    """What the output cannot hold and was left out, in words, with how often."""

    remarks: tuple[str, ...] = ()
    """What is to be known of the outputs, a sentence each."""

    on_this_disk: int = 0
    """Pictures that a manifest, made of a data set that was read, names by a path and not by a URI in S3."""

    unusable: dict[str, int] = field(default_factory=dict)
    """How many pictures are left out as unusable, by code."""


class NothingUsable(BadData):
    """A conversion that would have been empty."""

    def __init__(self, manifest: str, problems: Sequence[Problem]) -> None:
        first = f"; the first: {problems[0]}" if problems else "; no line has a label"
        super().__init__(f"{manifest}: no picture could be used, and nothing was written{first}")
        self.problems = tuple(problems)


def convert(
    manifests: AnyPaths,
    to: str = "recordio",
    output: AnyPath | None = None,
    *,
    from_: str | None = None,
    images: AnyPaths = (),
    cache: AnyPath | None = None,
    label_attribute: str | None = None,
    resize: int | None = None,
    quality: int = 95,
    pass_through: bool = False,
    square: bool = False,
    link: bool = False,
    upright: bool = False,
    unchecked: bool = False,
    clip: bool = False,
    shard: int | None = None,
    beside: bool = False,
    retry: AnyPath | None = None,
    max_errors: int | None = None,
    quarantine: AnyPath | None = None,
    allow_loss: bool = False,
    side_car: bool = False,
    resume: bool = False,
    croissant: bool = False,
    classes: ClassTable | AnyPath | None = None,
    jobs: Jobs = None,
    dask: str | None = None,
    force: bool = False,
    kms_key: str | None = None,
    fetch: Fetch | None = None,
    progress: Progress = no_progress,
) -> Converted:
    """Convert manifests and their pictures to the format ``to``: a key of ``formats.table.FORMATS``.

    Several of them become parts of one data set, under one class table; two that disagree are refused.
    ``from_`` says that it is no manifest but one data set of another format.
    ``output`` is a name without ending, or a folder; None is beside the manifest. ``images`` says where
    pictures lie, see ``image_paths``; what it does not cover comes from ``fetch``, called in threads with an
    S3 URI. ``cache`` fetches it from S3, and is the folder where it is kept.
    ``resize`` is the shorter edge in pixels (0: as it is; None: what the format does usually).
    ``upright`` turns pictures that are copied as they are by their EXIF flag; others are turned anyway.
    ``unchecked`` looks at header and structure of pictures that stay as they are, and decodes none.
    ``beside`` leaves pictures where they are, and names them where the format has them inside otherwise.
    ``croissant`` describes the output in a file beside it. ``clip`` cuts boxes off at the edges of their
    pictures. ``shard`` is how many pictures a file has at most.
    A picture that cannot be used is a problem of the result, not an error, unless there are more than
    ``max_errors``; ``quarantine`` is a file for all of them, with their lines, and ``retry`` such a file, of
    which just the lines are converted. The bytes are the same for
    any number of ``jobs``, and for the workers of ``dask``: the address of a scheduler, or ``local``.
    ``resume`` goes on where a killed conversion was, and keeps what is finished where this one fails.
    ``kms_key`` encrypts what goes to S3.

    Raises WouldLose for what the format cannot hold, unless ``side_car`` keeps it beside the output, or
    ``allow_loss`` is set.
    """
    plans = plan_all(
        as_texts(manifests),
        to,
        None if output is None else as_text(output),
        from_=from_,
        images=as_texts(images),
        label_attribute=label_attribute,
        resize=resize,
        quality=quality,
        pass_through=pass_through,
        square=square,
        link=link,
        upright=upright,
        unchecked=unchecked,
        clip=clip,
        shard=shard,
        beside=beside,
        retry=None if retry is None else as_text(retry),
        classes=classes_from(classes),
        jobs=jobs,
    )
    lost = agreed_losses(plans, allow_loss, side_car, jobs)
    if cache is not None:
        fetch = fetch or next(filter(None, (fetcher(one, as_text(cache)) for one in plans)), None)
    return carry_out(
        *plans,
        lost=lost,
        side_car=side_car,
        resume=resume,
        croissant=croissant,
        max_errors=max_errors,
        quarantine=None if quarantine is None else as_text(quarantine),
        jobs=jobs,
        dask=dask,
        force=force,
        kms_key=kms_key,
        fetch=fetch,
        progress=progress,
    )


def plan_all(
    manifests: Sequence[str], to: str, output: str | None, *, from_: str | None = None, **options: Any
) -> list[ConversionPlan]:
    """Return what ``convert`` would do, before any picture is touched: a plan for each part."""
    if not manifests:
        raise Refused("expected a manifest to convert, found none")
    if from_ is not None:
        if len(manifests) > 1:
            raise Refused(f"--from {from_}: expected one file or folder, found {len(manifests)}")
        return plan_data_set(manifests[0], from_, to, output, **options)
    if len(manifests) == 1:
        return [plan(manifests[0], to, output, **options)]
    return plan_parts(manifests, to, output, **options)


def agreed_losses(
    plans: Sequence[ConversionPlan], allow_loss: bool, side_car: bool, jobs: Jobs = None
) -> dict[str, int]:
    """Return what the format cannot hold, in words, with how often; nothing where a side-car keeps it.

    Raises WouldLose where nobody has agreed to lose it.
    """
    first = plans[0]
    if side_car and allow_loss:
        raise Refused("--side-car and --allow-loss: the one keeps what the other lets go; type one of them")
    if first.data is not None and side_car:
        raise Refused("--side-car keeps the lines of a manifest, and with --from there is none; leave it out")
    if side_car and first.retried:
        raise Refused("--side-car keeps all lines of a manifest, --retry converts some; type --allow-loss")
    if side_car:
        return {}
    row = format_row("--to", first.to)
    lost: Counter[str] = Counter()
    if first.data is not None:
        lost.update(lost_of_data_set(first.data, row))
    for planned in plans:
        if planned.source is not None:
            lost.update(lost_of_manifest(planned.source, planned.attribute, row, jobs))
    if lost and not allow_loss:
        places = ", ".join(dict.fromkeys(planned.manifest for planned in plans))
        raise WouldLose(places, first.to, lost, first.data is None)
    return dict(lost)


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
    row = format_row("--to", first.to)
    check_key(kms_key, [first.output])
    if resume and not first.opens:
        raise Refused(
            f"--resume: {first.to} opens no picture, so there is nothing to go on from; leave it out"
        )
    if croissant:
        check_can_describe(first)
    if dask is not None and not first.opens:
        raise Refused(f"--dask: {first.to} opens no picture, so there is nothing to share out; leave it out")
    if row.report and not force:
        _check_made_alike(plans)
    if resume and first.output.startswith("s3://"):
        for upload in s3.leftovers(first.output):
            s3.abort(upload)
    if max_errors is not None and max_errors < 0:
        raise Refused(f"--max-errors {max_errors}: expected how many pictures may be left out, 0 or more")
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
    made = workspace(first.output, _description(plans), resume, far=far)
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
        work.placed = parts = CountedParts(work.placed)
        with _sink(row, first, publication, work.space) as sink:
            work.folder = _for_workers(sink)
            said = module_of(row).write(data_set(plans), sink, _options(work, first, jobs))
            remarks = [*said.pop("remarks", []), *work.counts.remarks(first.recipe.pass_through)]
            if not said["pictures"]:
                raise NothingUsable(", ".join(plan.manifest for plan in plans), left_out.problems)
            if not isinstance(sink, Files):
                sink.write(CLASSES, json.dumps(first.table.to_json(), indent=2).encode() + b"\n")
        if croissant:
            describe(first, parts.counts, publication, row.output == "folder")
        if row.report:
            report = {
                **_description(plans),
                **said,
                "dropped": dict(sorted(left_out.by_code.items())),
                "left_out": _left_out(plans),
                **({"lost": dict(lost)} if lost else {}),
            }
            publication.open(first.report).write(json.dumps(report, indent=2).encode() + b"\n")
        if quarantine is not None:
            write_quarantine(publication.open(quarantine), plans, left_out)
    remarks += _odd_boxes(plans)
    return Converted(
        tuple(publication.published),
        said["pictures"],
        tuple(left_out.problems),
        _left_out(plans),
        first.table,
        dict(lost or {}),
        tuple(remarks),
        unusable=dict(sorted(left_out.by_code.items())),
    )


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


def _for_workers(sink: Files | Folder) -> Folder | None:
    """Return what workers write pictures into, who wait themselves where it is far."""
    if isinstance(sink, InThreads):
        return sink.folder
    return None if isinstance(sink, Files) else sink


@contextlib.contextmanager
def _sink(
    row: Format, plan: ConversionPlan, publication: Publication, space: Workspace | None
) -> Iterator[Files | Folder]:
    if row.output == "files":
        yield Files(publication, plan.output, plan.ending)
        return
    made_by_us = _made_as(plan.report, plan.to)
    if plan.output.startswith("s3://"):
        prefix = s3_folder(plan.output, publication, report=plan.report, is_ours=made_by_us)
        with prefix as folder, in_threads(folder) as sink:
            yield sink
        return
    new = space.new if space else None
    with folder_sink(plan.output, publication, report=plan.report, is_ours=made_by_us, new=new) as here:
        yield here


def _check_made_alike(plans: Sequence[ConversionPlan]) -> None:
    """Raise Exists for outputs of other things, or made in another way: before the work, and not after it."""
    wanted, found = _description(plans), _report_at(plans[0].report)
    if found is not None and {key: found.get(key) for key in wanted} == wanted:
        return
    outputs = [
        f"{one.output}/{one.part}{one.ending}" if one.part else one.output + one.ending for one in plans
    ]
    taken = [path for path in outputs if os.path.isfile(path) or (os.path.isdir(path) and os.listdir(path))]
    if taken:
        raise Exists(taken)


def _made_as(report: str, to: str) -> bool:
    """Say whether a report is of a conversion to a format."""
    value = _report_at(report)
    return value is not None and value.get("format") == to


def _report_at(path: str) -> dict[str, Any] | None:
    """Return the report of a conversion; None where there is none."""
    try:
        if path.startswith("s3://"):
            value = json.loads(s3.read(path)) if s3.exists(path) else None
        else:
            with open(path, encoding="utf-8") as file:
                value = json.load(file)
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _description(plans: Sequence[ConversionPlan]) -> dict[str, Any]:
    """Return what decides the bytes of the outputs; several manifests are described under their parts."""
    made_by = {"made_by": f"mtool {__version__}"}
    if len(plans) == 1:
        return made_by | plans[0].description()
    described = {planned.part: planned.description() for planned in plans}
    own = ("manifest", "sha256", "label_attribute")
    shared = {key: value for key, value in plans[0].description().items() if key not in own}
    parts = {part: {key: value[key] for key in own} for part, value in described.items()}
    return {**made_by, **shared, "parts": parts}


def _left_out(plans: Sequence[ConversionPlan]) -> dict[str, int]:
    states = dict.fromkeys(state for planned in plans for state in planned.left_out)
    return {state: sum(planned.left_out.get(state, 0) for planned in plans) for state in states}


def is_current(plan: ConversionPlan) -> bool:
    """Say whether the outputs of ``plan`` are there, whole and made of the same things in the same way.

    Goes by the report beside them, and by the sizes of pictures and outputs; no picture is read. Never true
    of a folder, whose many files the report does not list.
    """
    try:
        with open(plan.report, encoding="utf-8") as file:
            report = json.load(file)
        sizes = {name: os.path.getsize(os.path.join(plan.folder, name)) for name in report["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return False
    description = plan.description()
    made = {key: report.get(key) for key in description}
    same_files = bool(sizes) and sizes == report["files"]
    return made == description and same_files and not report.get("dropped")

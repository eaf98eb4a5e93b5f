"""Converts manifests and their pictures to another data set format; ``formats`` has the table of formats."""

from collections.abc import Sequence
from typing import Any

from manifest_tools.base.arguments import AnyPath, AnyPaths, as_text, as_texts
from manifest_tools.base.errors import Refused
from manifest_tools.base.parallel import Jobs, Progress, no_progress
from manifest_tools.groundtruth.classes import ClassTable, classes_from
from manifest_tools.verbs.convert.agreed_losses import agreed_losses
from manifest_tools.verbs.convert.carry_out import carry_out
from manifest_tools.verbs.convert.missing_pictures import fetcher
from manifest_tools.verbs.convert.opening import Fetch
from manifest_tools.verbs.convert.plan import ConversionPlan, plan, plan_data_set, plan_parts
from manifest_tools.verbs.convert.result import Converted


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

"""What anybody trips over first: the pictures are not on this disk."""

import shlex
from functools import partial

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import shown
from manifest_tools.images.paths import first_of
from manifest_tools.images.unusable import MAX_BYTES
from manifest_tools.verbs.convert.opening import Fetch
from manifest_tools.verbs.convert.plan import ConversionPlan


def fetcher(plan: ConversionPlan, cache: str | None = None) -> Fetch | None:
    """Return what fetches pictures from S3, or None where there are no credentials, or nothing to fetch.

    ``cache`` is a folder where they are kept, each until its object changes. Raises Refused for one that
    cannot be.
    """
    if cache is not None and not plan.opens:
        raise Refused(f"--cache: {plan.to} opens no picture, so there is nothing to keep; leave it out")
    if not plan.to_fetch:
        return None
    from manifest_tools.io import s3

    if not s3.have_credentials():
        return None
    return fetch_from_s3 if cache is None else kept_from_s3(cache)


def kept_from_s3(cache: str) -> Fetch:
    """Return what fetches pictures from S3, and keeps them in a folder."""
    from manifest_tools.io.s3_cache import object_cache

    return partial(object_cache(cache).read, most=MAX_BYTES)


def fetch_from_s3(uri: str) -> bytes:
    """Return an object, or just enough of one that is too large."""
    from manifest_tools.io import s3

    return s3.read(uri, MAX_BYTES)


def missing(plan: ConversionPlan, can_fetch: bool, cache: str | None = None) -> str:
    """Say in one line which pictures are not on this disk, and what will be done about it; or nothing.

    Raises Refused, with the same line, where not one picture could be had.
    """
    absent = sum(plan.absent.values())
    if not absent:
        return ""
    total = sum(plan.pictures.values())
    where = ", ".join(f"{bucket}" for bucket in plan.absent if bucket != ".") or "this manifest"
    text = f"{absent:,} of {total:,} pictures of {where} are not on this disk"
    if can_fetch:
        kept = f"kept in {shown(cache)}" if cache else f"not kept: {_fetch(plan)} would keep them"
        return f"{text}; {plan.to_fetch:,} are fetched from S3, and {kept}"
    if plan.to_fetch:
        text += (
            f", and there are no AWS credentials: type {_advice(plan)}, or with credentials {_fetch(plan)}"
        )
    else:
        text += _looked_for(plan)
    if "lab#" in where:
        text += "; lab# is a placeholder: type mtool rewrite --lab ID first"
    if absent == total:
        raise Refused(text)
    return text


def _advice(plan: ConversionPlan) -> str:
    buckets = [bucket for bucket in plan.absent if bucket.startswith("s3://")]
    if len(buckets) == 1 and not plan.image_paths.mapped:
        return "`--images ./raw-data`"
    return " ".join(f"`--images {bucket}=./{bucket.removeprefix('s3://')}`" for bucket in buckets[:3])


def _fetch(plan: ConversionPlan) -> str:
    return f"`mtool fetch {shlex.quote(plan.manifest)} -o DIR`"


def _looked_for(plan: ConversionPlan) -> str:
    """Say where the first picture was looked for that is nowhere, and how to get it."""
    where = plan.image_paths
    ref = next(picture.ref for picture in plan.lines if where.size(picture.ref) is None)
    way_out = f"{_fetch(plan)}, then --images DIR" if ref.startswith("s3://") else "--images FOLDER"
    return f"; {shown(ref)} is not at {first_of(where.places(ref))}; type {way_out}"

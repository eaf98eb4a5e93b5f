"""What a job reads, uploaded to S3 under the name of the job: all of it, or nothing."""

import contextlib
import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from manifest_tools.base.errors import MtoolError, NotAManifest, Refused
from manifest_tools.formats.open_manifest import names_paths, open_manifest
from manifest_tools.io.s3uri import parse
from manifest_tools.io.sinks import Published, publishing
from manifest_tools.io.sources import decompressed
from trainers.sagemaker.client.client import call_service

CLASSES = "classes.json"

# What a file of each kind is called in S3, beside its channel's name.
_SUFFIXES = {".rec": ".rec", ".lst": ".lst"}


@dataclass(frozen=True, slots=True)
class Upload:
    """An object that is to be made in S3."""

    target: str
    """Its URI."""

    source: str = ""
    """The file that it is made of; empty where ``content`` is it."""

    content: bytes = b""
    """Its bytes, where there is no file."""


def job_prefix(output: str, job: str) -> str:
    """Return the prefix of all that belongs to a job; SageMaker puts its model there as well.

    >>> job_prefix("s3://lab3-models/hands/", "hands-1")
    's3://lab3-models/hands/hands-1'
    """
    return f"{output.rstrip('/')}/{job}"


def plan_uploads(data: Mapping[str, str], place: str) -> tuple[dict[str, str], tuple[Upload, ...]]:
    """Return by channel the URI that a job reads, and what has to be uploaded to ``place`` for that.

    Data in S3 is used where it is, except for .gz, which no container reads. Raises Refused for a file that
    is not there, and for a folder of pictures, which mtool does not upload.
    """
    uris: dict[str, str] = {}
    uploads: list[Upload] = []
    for channel, name in data.items():
        if name.startswith("s3://") and not name.endswith(".gz"):
            uris[channel] = name
            continue
        _check_file(channel, name)
        suffix = _SUFFIXES.get(Path(name).suffix, ".manifest")
        uris[channel] = f"{place}/{channel}{suffix}"
        uploads.append(Upload(uris[channel], name))
    return uris, tuple(uploads)


def check_in_s3(manifest: str) -> None:
    """Raise Refused for a file or folder on this disk that names its pictures by paths: jobs read S3."""
    if not os.path.exists(manifest):
        return  # in S3, where asking would be a call, or nowhere
    try:
        source = open_manifest(manifest)
    except NotAManifest:
        return  # the preflight says what it is
    if names_paths(source):
        folder = source.images[0] if source.images else source.folder or "."
        name = "" if folder == source.folder or not source.images else f"/{os.path.basename(folder)}"
        raise Refused(
            f"{source.name}: names its pictures by paths on this disk, and SageMaker reads them in S3; type:"
            f" aws s3 sync {shlex.quote(folder)} {shlex.quote(f's3://BUCKET{name}')}, then mtool rewrite"
            f" {shlex.quote(source.name)} --prefix s3://BUCKET -o in-s3.manifest"
        )


def _check_file(channel: str, name: str) -> None:
    if name == "-":
        raise Refused(f"{channel}: standard input comes once, and a job's data is read twice; name a file")
    if name.startswith("s3://"):
        return
    if Path(name).is_dir():
        raise Refused(
            f"{name}: a folder on this disk; pictures must be in S3: aws s3 cp --recursive, and name its URI"
        )
    if not Path(name).is_file():
        raise Refused(f"{name}: no such file; name a manifest, or s3://bucket/key")


def upload(uploads: Sequence[Upload], kms_key: str | None = None) -> tuple[Published, ...]:
    """Make all objects, or none, and return what was written; ``kms_key`` encrypts them.

    Raises Exists where another job of this name has left other objects.
    """
    publication = None
    try:
        with publishing(kms_key=kms_key) as publication:
            for one in uploads:
                _write(one, publication.open(one.target))
    except BaseException:
        delete_uploads([] if publication is None else publication.published)
        raise
    return tuple(publication.published)


def delete_uploads(published: Sequence[Published]) -> None:
    """Delete what was made; without the right to delete it stays, which does no harm."""
    for one in published:
        if one.state == "written":
            name = parse(one.path)
            with contextlib.suppress(MtoolError):
                call_service("s3", "delete_object", {"Bucket": name.bucket, "Key": name.key})


def _write(one: Upload, stream: BinaryIO) -> None:
    if not one.source:
        stream.write(one.content)
    elif one.target.endswith(".manifest"):
        source = decompressed(open_manifest(one.source))
        for block in source.blocks():
            stream.write(block.read())
        source.check_unchanged()
    else:
        with open(one.source, "rb") as file:
            shutil.copyfileobj(file, stream, 1 << 20)

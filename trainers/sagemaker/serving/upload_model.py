"""A model.tar.gz of this disk, uploaded to S3 with its classes.json: both, or neither."""

import json
import shutil
from pathlib import Path

from manifest_tools.base.errors import Refused
from manifest_tools.io.sinks import Published, publishing
from trainers.model_archive import ARCHIVE
from trainers.sagemaker.client.upload import CLASSES, delete_uploads, job_prefix
from trainers.sagemaker.requests.limits import check_s3
from trainers.sagemaker.serving.model_source import ModelSource
from trainers.tar_file import Gunzip


def model_places(source: ModelSource, output: str | None, name: str) -> tuple[str, str]:
    """Return the URI of the model in S3, now or after the upload, and of its classes.json (empty for none).

    Raises Refused for a file on this disk without ``output``, the prefix that it goes under.
    """
    if source.data:
        if output is not None:
            raise Refused(f"{source.title}: it is in S3 already, so nothing is uploaded; leave --output out")
        return source.data, source.classes
    if output is None:
        raise Refused(f"{source.local}: SageMaker reads models in S3; type --output s3://bucket/prefix/")
    check_s3("--output", output)
    place = job_prefix(output, name)
    return f"{place}/{ARCHIVE}", f"{place}/{CLASSES}" if source.table else ""


def upload_model(
    source: ModelSource, data: str, classes: str, *, kms_key: str | None = None, force: bool = False
) -> tuple[Published, ...]:
    """Upload a local model to ``data`` and its class table to ``classes``, as ``model_places`` returned
    them.

    The archive is compressed anew: its files stay equal, its bytes may change. Raises BadModel, and Exists
    for objects that are there with other content.
    """
    publication = None
    try:
        with publishing(force=force, kms_key=kms_key) as publication, Path(source.local).open("rb") as file:
            shutil.copyfileobj(Gunzip(source.local, file), publication.open(data), 1 << 20)
            if classes and source.table is not None:
                publication.open(classes).write(json.dumps(source.table.to_json(), indent=2).encode() + b"\n")
    except BaseException:
        delete_uploads([] if publication is None else publication.published)
        raise
    return tuple(publication.published)

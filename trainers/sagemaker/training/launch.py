"""A job on its way: uploads first, then the one call that is billed."""

from collections.abc import Sequence

from manifest_tools.base.errors import Refused
from manifest_tools.io.sinks import Published
from trainers.sagemaker.client.client import Denied, Taken, send
from trainers.sagemaker.client.upload import Upload, delete_uploads, upload
from trainers.sagemaker.requests.requests import Request


def launch(
    request: Request, uploads: Sequence[Upload] = (), kms_key: str | None = None
) -> tuple[Published, ...]:
    """Upload what a job needs, encrypted with ``kms_key``, and start it; from here on it is billed.

    Where SageMaker refuses the job, what was uploaded for it is deleted again. Raises what ``client.send``
    raises, and Exists where another job's files are in the way.
    """
    published = upload(uploads, kms_key)
    try:
        send(request)
    except Taken:  # these objects are the other job's as well
        raise
    except (Refused, Denied):
        delete_uploads(published)
        raise
    return published

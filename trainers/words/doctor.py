"""``mtool doctor`` as a function."""

from manifest_tools.base.errors import Refused
from trainers.sagemaker.account.doctor import Examination, examine, examine_text


def doctor(job: str | None = None, *, text: str | None = None) -> Examination:
    """Return why a job or an endpoint failed, or what is known of the message ``text``, and what to type.

    Raises NotThere for a job that does not exist, and what AWS answers.
    """
    if (job is None) == (text is None):
        raise Refused("expected a job, or text: one of them")
    return examine(job) if job is not None else examine_text(text or "")

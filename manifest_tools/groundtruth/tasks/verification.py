"""Label verification: one class a line, what a worker thought of another label, perhaps with a comment.

Documentation writes the index as a string. ``worker-feedback`` is there only where somebody commented.
"""

from collections.abc import Iterator

from manifest_tools.groundtruth.tasks.single_label import DOUBTS as DOUBTS
from manifest_tools.groundtruth.tasks.single_label import FIELDS as FIELDS
from manifest_tools.groundtruth.tasks.single_label import LABEL as LABEL
from manifest_tools.groundtruth.tasks.single_label import UNIT as UNIT
from manifest_tools.groundtruth.tasks.single_label import confidences as confidences
from manifest_tools.groundtruth.tasks.single_label import indices as indices
from manifest_tools.groundtruth.tasks.single_label import names as names
from manifest_tools.verbs.validate.line import Found, Label, path, shown


def feedback_is_comments(label: Label) -> Iterator[Found]:
    """The worker-feedback is a list of objects, each with the text of a comment."""
    feedback = label.metadata.get("worker-feedback")
    if feedback is None:
        return
    if not isinstance(feedback, list):
        where = path(label.metadata_key, "worker-feedback")
        yield Found(where, f"expected worker-feedback as an array of comments, found {shown(feedback)}")
        return
    for at, remark in enumerate(feedback):
        comment = remark.get("comment") if isinstance(remark, dict) else remark
        if not isinstance(remark, dict) or not isinstance(comment, str):
            wanted = f"worker-feedback[{at}]: expected an object with the text of a comment"
            where = path(label.metadata_key, "worker-feedback", at)
            yield Found(where, f"{wanted}, found {shown(comment)}")

"""Label verification: what workers wrote beside their judgement of a label."""

from collections.abc import Iterator

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import path, shown
from manifest_tools.verbs.validate.rule_input import LineLabel
from manifest_tools.verbs.validate.rules.examples import labelled, lines
from manifest_tools.verbs.validate.rules.references import VERIFY
from manifest_tools.verbs.validate.rules.rule import rule


def _line(feedback: object) -> str:
    kind = "label-verification"
    return lines(labelled("check", "1", kind, class_name="bad", confidence=0.93, worker_feedback=feedback))


def feedback_is_comments(label: LineLabel) -> Iterator[Finding]:
    """The worker-feedback is a list of objects, each with the text of a comment."""
    feedback = label.metadata.get("worker-feedback")
    if feedback is None:
        return
    if not isinstance(feedback, list):
        where = path(label.metadata_key, "worker-feedback")
        yield Finding(where, f"expected worker-feedback as an array of comments, found {shown(feedback)}")
        return
    for at, remark in enumerate(feedback):
        comment = remark.get("comment") if isinstance(remark, dict) else remark
        if not isinstance(remark, dict) or not isinstance(comment, str):
            wanted = f"worker-feedback[{at}]: expected an object with the text of a comment"
            where = path(label.metadata_key, "worker-feedback", at)
            yield Finding(where, f"{wanted}, found {shown(comment)}")


RULES = (
    rule(
        "MT290",
        "warning",
        "label",
        feedback_is_comments,
        breaks=_line("box too wide"),
        keeps=_line([{"comment": "box too wide"}]),
        fix='Write [{"comment": "box too wide"}], or leave the field out where nobody commented.',
        source=VERIFY,
        kinds=("verification",),
    ),
)

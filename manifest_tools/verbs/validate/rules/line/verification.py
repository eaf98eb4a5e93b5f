"""Label verification: the comments of the workers who checked a label."""

from collections.abc import Iterator

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import shown
from manifest_tools.verbs.validate.rule_input import LineLabel
from manifest_tools.verbs.validate.rules.examples import labelled, lines
from manifest_tools.verbs.validate.rules.references import VERIFY
from manifest_tools.verbs.validate.rules.rule import rule
from manifest_tools.verbs.validate.rules.wording import in_metadata


@rule(
    "MT290",
    "warning",
    "label",
    breaks=lambda: _line("box too wide"),
    keeps=lambda: _line([{"comment": "box too wide"}]),
    fix='Write [{"comment": "box too wide"}]; leave the field out if nobody commented.',
    source=VERIFY,
    kinds=("verification",),
)
def feedback_is_comments(label: LineLabel) -> Iterator[Finding]:
    """The worker-feedback is an array of objects, each with the text of a comment."""
    feedback = label.metadata.get("worker-feedback")
    if feedback is None:
        return
    if not isinstance(feedback, list):
        message = f"expected an array of comments, found {shown(feedback)}"
        yield in_metadata(label, "worker-feedback", message, "worker-feedback")
        return
    for at, entry in enumerate(feedback):
        comment = entry.get("comment") if isinstance(entry, dict) else entry
        if not isinstance(entry, dict) or not isinstance(comment, str):
            message = f"expected an object with the text of a comment, found {shown(comment)}"
            yield in_metadata(label, f"worker-feedback[{at}]", message, "worker-feedback", at)


def _line(feedback: object) -> str:
    kind = "label-verification"
    return lines(labelled("check", "1", kind, class_name="bad", confidence=0.93, worker_feedback=feedback))


RULES = (feedback_is_comments,)

"""Label verification: what workers wrote beside their judgement of a label."""

from manifest_tools.groundtruth.tasks import verification
from manifest_tools.verbs.validate.rules.examples import labelled, lines
from manifest_tools.verbs.validate.rules.references import VERIFY
from manifest_tools.verbs.validate.rules.rule import rule


def _line(feedback: object) -> str:
    kind = "label-verification"
    return lines(labelled("check", "1", kind, class_name="bad", confidence=0.93, worker_feedback=feedback))


RULES = (
    rule(
        "MT290",
        "warning",
        "label",
        verification.feedback_is_comments,
        breaks=_line("box too wide"),
        keeps=_line([{"comment": "box too wide"}]),
        fix='Write [{"comment": "box too wide"}], or leave the field out where nobody commented.',
        source=VERIFY,
        rooms=("verification",),
    ),
)

"""What is asked of the objects that lines point to: listed and explained here, found by ``objects``.

``mtool validate --objects`` looks for all of it; ``convert`` and ``train``, which open the pictures
anyway, look for the first ones.
"""

from collections.abc import Iterator

from manifest_tools.base.problem import Finding, Severity
from manifest_tools.images import unusable
from manifest_tools.verbs.validate.objects.codes import CODES
from manifest_tools.verbs.validate.rules.references import LIMITS, OURS
from manifest_tools.verbs.validate.rules.rule import Example, Rule

_FIXES = {
    unusable.MISSING: "Fetch it, or say with --images s3://bucket/prefix=FOLDER where it lies.",
    unusable.NO_PICTURE: "Save it as JPEG or PNG; often it is the error page of a download that failed.",
    unusable.TRUNCATED: "Fetch or save it once more.",
    unusable.TOO_LARGE: "Shrink it.",
    unusable.OUTSIDE: "Take the ../ out of the URI, or copy what a symbolic link points to into the folder.",
    unusable.UNNAMEABLE: "Rename the object.",
}


def _checked_elsewhere(_: object) -> Iterator[Finding]:
    return iter(())


def _no_example() -> Example:
    return Example(())


def _row(code: str, severity: Severity, reason: str, fix: str, source: str) -> Rule:
    check, example = _checked_elsewhere, _no_example
    return Rule(code, severity, "object", check, f"{reason}.", example, example, fix, source)


RULES = (
    *(
        _row(code, "error", reason, _FIXES[code], LIMITS if code == unusable.TOO_LARGE else OURS)
        for code, reason in unusable.CODES.items()
    ),
    *(_row(code, told.severity, told.reason, told.fix, told.source) for code, told in CODES.items()),
)

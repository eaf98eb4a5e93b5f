"""Rules of the objects that lines point to: explained here, checked by verbs/validate/objects.

``mtool validate --objects`` checks all of them; ``convert`` and ``train``, which open the pictures, check the
first ones too.
"""

from collections.abc import Iterator

from manifest_tools.base.problem import Finding, Severity
from manifest_tools.images import unusable
from manifest_tools.verbs.validate.objects.codes import CODES
from manifest_tools.verbs.validate.rules.references import LIMITS, OURS
from manifest_tools.verbs.validate.rules.rule import Example, Rule

_FIXES = {
    unusable.MISSING: "Download it, or name its folder: --images s3://bucket/prefix=FOLDER.",
    unusable.NO_PICTURE: "Save it as JPEG or PNG; often it is the error page of a failed download.",
    unusable.TRUNCATED: "Download or save it again.",
    unusable.TOO_LARGE: "Shrink the picture.",
    unusable.OUTSIDE: "Remove ../ from the URI, or copy the target of a symbolic link into the folder.",
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
    *(_row(code, one.severity, one.reason, one.fix, one.source) for code, one in CODES.items()),
)

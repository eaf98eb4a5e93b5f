"""Every rule of ``mtool validate``, one small function each, in one table.

A rule is given what its scope says and yields what it finds; it never raises. Codes are stable: a new rule
takes a new one, and a code that is no longer used is never used again. To add a rule, write its function
with its row above it, in the file of its subject or of its label kind, and add it to RULES there.
"""

from manifest_tools.verbs.validate.rules import objects
from manifest_tools.verbs.validate.rules.file import (
    attributes,
    class_tables,
    repeated_pictures,
    several_files,
    size_and_end,
    sources,
)
from manifest_tools.verbs.validate.rules.job import (
    channel_labels,
    channels,
    hyperparameters,
    hyperparameters_and_data,
    record_files,
    request_channels,
    request_settings,
)
from manifest_tools.verbs.validate.rules.line import (
    boxes,
    class_names,
    cuboids,
    entities,
    label,
    metadata,
    readable,
    segmentation,
    sequences,
    source,
    verification,
)
from manifest_tools.verbs.validate.rules.rekognition import data_set, lines
from manifest_tools.verbs.validate.rules.rule import Rule, Scope

# MT1xx: the file, its lines, what they point to. MT2xx: label and metadata. MT3xx: files as a whole.
# MT4xx: the objects that lines point to. MT5xx: channels of a job. MT6xx: hyperparameters and requests.
# MT7xx: Rekognition. MT8xx: .rec and .lst.
_SUBJECTS = (
    readable,
    source,
    metadata,
    label,
    class_names,
    boxes,
    segmentation,
    entities,
    cuboids,
    sequences,
    verification,
    size_and_end,
    sources,
    attributes,
    class_tables,
    repeated_pictures,
    several_files,
    objects,
    channels,
    channel_labels,
    hyperparameters,
    hyperparameters_and_data,
    request_channels,
    request_settings,
    lines,
    data_set,
    record_files,
)

RULES: tuple[Rule, ...] = tuple(
    sorted((row for subject in _SUBJECTS for row in subject.RULES), key=lambda row: row.code)
)


def of_scope(scope: Scope, purpose: str = "") -> tuple[Rule, ...]:
    """Return the rules of one scope that hold for a purpose, in the order of the table."""
    return tuple(rule for rule in RULES if rule.scope == scope and _holds(rule, purpose))


def _holds(rule: Rule, purpose: str) -> bool:
    return purpose not in rule.never_for and (not rule.purposes or purpose in rule.purposes)

"""Rules of hyperparameters: the algorithm has them, accepts their values, and uses them."""

from collections.abc import Iterator
from functools import partial

from manifest_tools import algorithms
from manifest_tools.algorithms.findings import FindingKind, HyperparameterFinding
from manifest_tools.base.problem import Finding, Severity
from manifest_tools.base.text import path
from manifest_tools.verbs.validate.preflight.inputs import ALGORITHM_OF, TRAINING, PreflightInput
from manifest_tools.verbs.validate.preflight.settings import (
    hyperparameters,
    input_channels,
    settings,
    training_request,
)
from manifest_tools.verbs.validate.rules.job_examples import with_hyperparameters
from manifest_tools.verbs.validate.rules.references import (
    CREATE_TRAINING_JOB,
    GUIDE_ISSUES,
    HYPERPARAMETERS,
    SAGEMAKER_ISSUES,
)
from manifest_tools.verbs.validate.rules.rule import rule

# The number of the known failure that a finding is, by its kind and its hyperparameter; "" stands for any.
_KNOWN_FAILURES = {
    ("missing", ""): 40,
    ("value", ""): 38,
    ("algorithm", "image_shape"): 39,
    ("contradiction", "use_weighted_loss"): 6,
    ("contradiction", "image_shape"): 47,
    ("contradiction", "mini_batch_size"): 23,
    ("contradiction", "resize"): 25,
}

# What the rows of this file have in common.
_rule = partial(rule, scope="job", keeps=with_hyperparameters, purposes=TRAINING)


@_rule(
    "MT601",
    "error",
    breaks=lambda: with_hyperparameters(num_classes=""),
    fix="Set it; the message says the value that the manifests show (known failure 40).",
    source=HYPERPARAMETERS,
)
def nothing_is_missing(job: PreflightInput) -> Iterator[Finding]:
    """Every hyperparameter that the algorithm needs is set."""
    return _findings(job, "missing", "error")


@_rule(
    "MT602",
    "error",
    breaks=lambda: with_hyperparameters(learning_rat="0.1"),
    keeps=lambda: with_hyperparameters(learning_rate="0.1"),
    fix="Spell it as on the algorithm's page.",
    source=HYPERPARAMETERS,
)
def every_name_is_known(job: PreflightInput) -> Iterator[Finding]:
    """Every hyperparameter is one that the algorithm has."""
    return _findings(job, "unknown", "error")


@_rule(
    "MT603",
    "error",
    breaks=lambda: with_hyperparameters(augmentation_type="crop_color_transformation"),
    keeps=lambda: with_hyperparameters(augmentation_type="crop_color_transform"),
    fix="Set a value that the message names; only the container checks it, too late (known failure 38).",
    source=HYPERPARAMETERS,
)
def every_value_is_taken(job: PreflightInput) -> Iterator[Finding]:
    """Every hyperparameter has a value that the algorithm accepts."""
    return _findings(job, "value", "error")


@_rule(
    "MT604",
    "error",
    breaks=lambda: with_hyperparameters(image_shape="300"),
    keeps=lambda: with_hyperparameters(image_shape="3,224,224"),
    fix="Write it in the form of this algorithm, or use the image of the other one (known failure 39).",
    source=f"{GUIDE_ISSUES}44",
)
def none_is_of_another_algorithm(job: PreflightInput) -> Iterator[Finding]:
    """No hyperparameter, and no form of its value, belongs to another algorithm."""
    return _findings(job, "algorithm", "error")


@_rule(
    "MT605",
    "warning",
    breaks=lambda: with_hyperparameters(beta_1="0.9"),
    keeps=lambda: with_hyperparameters(beta_1="0.9", optimizer="adam"),
    fix="Leave it out, or set the hyperparameter that it is used with.",
    source=HYPERPARAMETERS,
)
def none_is_ignored(job: PreflightInput) -> Iterator[Finding]:
    """No hyperparameter is ignored because of how the others are set."""
    return _findings(job, "ignored", "warning")


@_rule(
    "MT606",
    "error",
    breaks=lambda: with_hyperparameters(use_weighted_loss="1"),
    fix="Change one of the two hyperparameters.",
    source=HYPERPARAMETERS,
)
def none_contradicts_another(job: PreflightInput) -> Iterator[Finding]:
    """No two hyperparameters contradict one another."""
    return _findings(job, "contradiction", "error")


@_rule(
    "MT607",
    "warning",
    breaks=lambda: with_hyperparameters(image_shape="1,224,224"),
    keeps=lambda: with_hyperparameters(image_shape="3,224,224"),
    fix="Check that it is meant (known failures 6 and 47).",
    source=f"{SAGEMAKER_ISSUES}302",
)
def none_is_doubtful_beside_another(job: PreflightInput) -> Iterator[Finding]:
    """Every hyperparameter makes sense with the others, and nobody saw them fail together."""
    return _findings(job, "contradiction", "warning")


@_rule(
    "MT608",
    "error",
    breaks=lambda: with_hyperparameters(**{"x" * 257: "1"}),
    keeps=lambda: with_hyperparameters(lr_scheduler_step="10,20"),
    fix="Shorten the name or the value.",
    source=CREATE_TRAINING_JOB,
)
def they_fit_into_a_request(job: PreflightInput) -> Iterator[Finding]:
    """There are at most 100 hyperparameters, with names and values that fit into a request."""
    for severity in ("error", "warning"):
        yield from _findings(job, "limit", severity)


def _findings(job: PreflightInput, kind: FindingKind, severity: Severity) -> Iterator[Finding]:
    """Yield the findings of one kind and severity; a job without any hyperparameter has none."""
    values = hyperparameters(job.preflight)
    if not values:
        return
    for one in algorithms.hyperparameter_findings(values, ALGORITHM_OF[job.preflight.purpose], _context(job)):
        if one.kind == kind and one.severity == severity:
            yield Finding(path(one.name) if one.name else "", _message(one, job), file=file_of(job))


def _context(job: PreflightInput) -> algorithms.JobContext:
    """Return the channels, input mode and machines of the job; manifests come in Pipe mode in any case."""
    channels = [str(one.get("ChannelName")) for one in input_channels(job.preflight)]
    resources = training_request(job.preflight).get("ResourceConfig")
    count = resources.get("InstanceCount") if isinstance(resources, dict) else None
    mode = "Pipe" if any(one.record_file is None for one in job.channels) else None
    return algorithms.JobContext(channels, mode, count if isinstance(count, int) else None)


def _message(one: HyperparameterFinding, job: PreflightInput) -> str:
    row = _KNOWN_FAILURES.get((one.kind, one.name)) or _KNOWN_FAILURES.get((one.kind, ""))
    wanted = settings(job)
    value = wanted.hyperparameters.get(one.name) if wanted and one.kind == "missing" else None
    advice = f"; type -p {one.name}={value}" if value is not None else ""
    return f"{one.message.rstrip('.')}{advice}{f' (known failure {row})' if row else ''}"


def file_of(job: PreflightInput) -> str:
    """Return the file that a finding about all of the job is reported for."""
    return job.channels[0].name if job.channels else ""


RULES = (
    nothing_is_missing,
    every_name_is_known,
    every_value_is_taken,
    none_is_of_another_algorithm,
    none_is_ignored,
    none_contradicts_another,
    none_is_doubtful_beside_another,
    they_fit_into_a_request,
)

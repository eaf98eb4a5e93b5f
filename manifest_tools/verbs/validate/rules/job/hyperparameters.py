"""Whether hyperparameters are ones that the algorithm takes."""

from collections.abc import Callable, Iterator

from manifest_tools import algorithms
from manifest_tools.algorithms.findings import HyperparameterFinding, Kind
from manifest_tools.base.problem import Finding, Severity
from manifest_tools.base.text import path
from manifest_tools.verbs.validate.preflight.inputs import ALGORITHM_OF, TRAINING, PreflightInput
from manifest_tools.verbs.validate.preflight.settings import (
    hyperparameters,
    input_channels,
    settings,
    training_request,
)
from manifest_tools.verbs.validate.rules.job_examples import told
from manifest_tools.verbs.validate.rules.rule import Rule, rule

_GUIDE = "https://docs.aws.amazon.com/sagemaker/latest/dg/"
_PAGE = f"{_GUIDE}IC-Hyperparameter.html"
_ISSUES = "https://github.com/aws/amazon-sagemaker-examples/issues/"

# Which row of the known failures a finding is, by the kind and the hyperparameter; empty for any.
_ROWS = {
    ("missing", ""): 40,
    ("value", ""): 38,
    ("algorithm", "image_shape"): 39,
    ("contradiction", "use_weighted_loss"): 6,
    ("contradiction", "image_shape"): 47,
    ("contradiction", "mini_batch_size"): 23,
    ("contradiction", "resize"): 25,
}


def _lint(kind: Kind, severity: Severity) -> Callable[[PreflightInput], Iterator[Finding]]:
    """Return the check of one kind of finding; it needs some hyperparameters to look at."""

    def check(job: PreflightInput) -> Iterator[Finding]:
        values = hyperparameters(job.preflight)
        if not values:
            return
        name = ALGORITHM_OF[job.preflight.purpose]
        for one in algorithms.lint(values, name, _job(job)):
            if one.kind == kind and one.severity == severity:
                yield Finding(path(one.name) if one.name else "", _said(one, job), file=file_of(job))

    return check


def _job(job: PreflightInput) -> algorithms.JobContext:
    """Return what algorithms.lint should know: manifests come in Pipe mode, whatever else is told."""
    channels = [str(one.get("ChannelName")) for one in input_channels(job.preflight)]
    resources = training_request(job.preflight).get("ResourceConfig")
    count = resources.get("InstanceCount") if isinstance(resources, dict) else None
    mode = "Pipe" if any(one.record_file is None for one in job.channels) else None
    return algorithms.JobContext(channels, mode, count if isinstance(count, int) else None)


def _said(one: HyperparameterFinding, job: PreflightInput) -> str:
    row = _ROWS.get((one.kind, one.name)) or _ROWS.get((one.kind, ""))
    wanted = settings(job)
    value = wanted.hyperparameters.get(one.name) if wanted and one.kind == "missing" else None
    advice = f"; type -p {one.name}={value}" if value is not None else ""
    return f"{one.message.rstrip('.')}{advice}{f' (known failure {row})' if row else ''}"


def file_of(job: PreflightInput) -> str:
    """Return the file that a finding about all of the job is reported for."""
    return job.channels[0].name if job.channels else ""


def nothing_is_missing(job: PreflightInput) -> Iterator[Finding]:
    """Every hyperparameter that the algorithm needs is set."""
    return _lint("missing", "error")(job)


def every_name_is_known(job: PreflightInput) -> Iterator[Finding]:
    """A hyperparameter is one of the algorithm's."""
    return _lint("unknown", "error")(job)


def every_value_is_taken(job: PreflightInput) -> Iterator[Finding]:
    """A hyperparameter has a value that the algorithm takes."""
    return _lint("value", "error")(job)


def none_is_of_another_algorithm(job: PreflightInput) -> Iterator[Finding]:
    """A hyperparameter, and the form of its value, is not of another algorithm."""
    return _lint("algorithm", "error")(job)


def none_is_ignored(job: PreflightInput) -> Iterator[Finding]:
    """A hyperparameter that is set is used with the others that are."""
    return _lint("ignored", "warning")(job)


def none_contradicts_another(job: PreflightInput) -> Iterator[Finding]:
    """Two hyperparameters do not contradict one another."""
    return _lint("contradiction", "error")(job)


def none_is_doubtful_beside_another(job: PreflightInput) -> Iterator[Finding]:
    """A hyperparameter makes sense beside the others, and has not been seen to fail with them."""
    return _lint("contradiction", "warning")(job)


def they_fit_into_a_request(job: PreflightInput) -> Iterator[Finding]:
    """There are at most 100 hyperparameters, with names and values as long as a request takes."""
    for severity in ("error", "warning"):
        yield from _lint("limit", severity)(job)


RULES: tuple[Rule, ...] = (
    rule(
        "MT601",
        "error",
        "job",
        nothing_is_missing,
        breaks=told(num_classes=""),
        keeps=told(),
        fix="Set it; the manifests say what to (known failure 40).",
        source=_PAGE,
        purposes=TRAINING,
    ),
    rule(
        "MT602",
        "error",
        "job",
        every_name_is_known,
        breaks=told(learning_rat="0.1"),
        keeps=told(learning_rate="0.1"),
        fix="Spell it as the algorithm's page does.",
        source=_PAGE,
        purposes=TRAINING,
    ),
    rule(
        "MT603",
        "error",
        "job",
        every_value_is_taken,
        breaks=told(augmentation_type="crop_color_transformation"),
        keeps=told(augmentation_type="crop_color_transform"),
        fix="Take a value that the message names; the container checks it too late (known failure 38).",
        source=_PAGE,
        purposes=TRAINING,
    ),
    rule(
        "MT604",
        "error",
        "job",
        none_is_of_another_algorithm,
        breaks=told(image_shape="300"),
        keeps=told(image_shape="3,224,224"),
        fix="Write it in the form of this algorithm, or take the other one's image (known failure 39).",
        source="https://github.com/awsdocs/amazon-sagemaker-developer-guide/issues/44",
        purposes=TRAINING,
    ),
    rule(
        "MT605",
        "warning",
        "job",
        none_is_ignored,
        breaks=told(beta_1="0.9"),
        keeps=told(beta_1="0.9", optimizer="adam"),
        fix="Leave it out, or set what it is used with.",
        source=_PAGE,
        purposes=TRAINING,
    ),
    rule(
        "MT606",
        "error",
        "job",
        none_contradicts_another,
        breaks=told(use_weighted_loss="1"),
        keeps=told(),
        fix="Change one of the two.",
        source=_PAGE,
        purposes=TRAINING,
    ),
    rule(
        "MT607",
        "warning",
        "job",
        none_is_doubtful_beside_another,
        breaks=told(image_shape="1,224,224"),
        keeps=told(image_shape="3,224,224"),
        fix="See that it is meant (known failures 6 and 47).",
        source=f"{_ISSUES}302",
        purposes=TRAINING,
    ),
    rule(
        "MT608",
        "error",
        "job",
        they_fit_into_a_request,
        breaks=told(**{"x" * 257: "1"}),
        keeps=told(lr_scheduler_step="10,20"),
        fix="Make it shorter.",
        source="https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html",
        purposes=TRAINING,
    ),
)

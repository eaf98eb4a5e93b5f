"""Training jobs as frozen values: everything that can be set, checked when they are made.

No call is made here. What is wrong raises Refused; ``warnings`` returns what looks like a mistake.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from manifest_tools.algorithms import Algorithm, HyperparameterFinding, JobContext, hyperparameter_findings
from manifest_tools.base.errors import Refused
from manifest_tools.base.text import shown
from trainers.sagemaker.requests.channels import MODEL, Channel, input_of
from trainers.sagemaker.requests.images import image_uri
from trainers.sagemaker.requests.instances import InstanceType, for_training
from trainers.sagemaker.requests.limits import (
    check_environment,
    check_ids,
    check_key,
    check_role,
    check_s3,
    check_tags,
    check_whole,
)
from trainers.sagemaker.requests.names import check_name

HOUR = 3600
LONGEST_RUN = 28 * 24 * HOUR
USUAL_VOLUME = 50

# The tag that carries ``ClassTable.digest``: a tag's value is too short for the table, and has no commas.
CLASSES_TAG = "mtool:classes-sha256"

_LIST_OF_CLASSES = "label-format="


@dataclass(frozen=True, slots=True)
class Compute:
    """The machines of a training job."""

    instance_type: str
    """What they are."""

    count: int = 1
    """How many there are."""

    volume: int | None = None
    """The disk of each, in GB. None is 50, or the machine's own disk, beside which there can be no other."""

    volume_key: str | None = None
    """The KMS key of these disks; None for a machine with a disk of its own, which is always encrypted."""

    def check(self, algorithm: Algorithm) -> InstanceType:
        """Return the type, taken apart; raises Refused where the algorithm cannot train on this."""
        check_whole("instance count", self.count, 1, 1_000)
        machine = for_training(self.instance_type, algorithm, self.count)
        check_key("volume key", self.volume_key)
        if machine.own_disk and (self.volume is not None or self.volume_key is not None):
            raise Refused(
                f"{machine} has a disk of its own, always encrypted: leave volume and volume key out"
            )
        if self.volume is not None:
            check_whole("volume", self.volume, 1, 16_384)
        return machine


@dataclass(frozen=True, slots=True)
class Vpc:
    """The private network in which containers run."""

    subnets: tuple[str, ...]
    """IDs, one or more."""

    security_groups: tuple[str, ...]
    """IDs, one or more."""

    def __post_init__(self) -> None:
        check_ids("subnets", self.subnets, 16)
        check_ids("security groups", self.security_groups, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What a training job and the trials of a tuning job have in common.

    An earlier model to begin from is a channel, ``model_channel``.
    """

    algorithm: Algorithm
    """The built-in algorithm."""

    region: str
    """Where it runs."""

    role: str
    """The ARN of the role that it runs as."""

    channels: tuple[Channel, ...]
    """Where its data is."""

    output: str
    """The prefix in S3 under which the model goes."""

    compute: Compute
    """The machines."""

    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    """Those that are set, as texts (``hyperparameter_texts``)."""

    max_run: int = HOUR
    """Seconds of running after which it is stopped."""

    max_wait: int | None = None
    """Seconds of waiting and running after which a job on spot machines is stopped; None for other
    machines."""

    checkpoints: str | None = None
    """The prefix in S3 from which it goes on when a spot machine was taken away."""

    output_key: str | None = None
    """The KMS key that encrypts what it writes."""

    vpc: Vpc | None = None
    """The private network; None for none."""

    network_isolation: bool = False
    """Whether the container has no network at all."""

    encrypt_traffic: bool = False
    """Whether the machines encrypt what they send each other."""

    retries: int | None = None
    """How often it begins again after failures of SageMaker itself."""

    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables for the container."""

    def __post_init__(self) -> None:
        image_uri(self.algorithm.name, self.region)
        check_role(self.role, self.region)
        input_of(self.channels, self.algorithm)
        _check_label_format(self)
        check_s3("output", self.output)
        check_key("output key", self.output_key)
        self.compute.check(self.algorithm)
        check_environment(self.environment, 48)
        _check_times(self)

    @property
    def image(self) -> str:
        """The URI of the algorithm's image."""
        return image_uri(self.algorithm.name, self.region)

    @property
    def mode(self) -> str:
        """The input mode of the data: File or Pipe."""
        return next(one.mode for one in self.channels if one.name != MODEL)

    def findings(self, varied: Mapping[str, str]) -> list[HyperparameterFinding]:
        """Return what is wrong with the hyperparameters and, over them, those that are varied."""
        names = tuple(one.name for one in self.channels)
        known = JobContext(channels=names, mode=self.mode, instances=self.compute.count)
        return list(hyperparameter_findings({**self.hyperparameters, **varied}, self.algorithm.name, known))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob(Training):
    """One training job. Raises Refused for what the service, or the container, would not take."""

    name: str
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        Training.__post_init__(self)
        check_name("training job", self.name)
        check_tags(self.tags)
        check_hyperparameters(self)


def check_hyperparameters(training: Training, varied: Mapping[str, str] | None = None) -> None:
    """Raise Refused with all errors of the hyperparameters, and of ``varied`` over them, on one line."""
    for name, value in training.hyperparameters.items():
        if not (name.isprintable() and value.isprintable()):
            raise Refused(f"hyperparameter {shown(name)}: expected one line of text, found {shown(value)}")
    errors = [one.message for one in training.findings(varied or {}) if one.severity == "error"]
    if errors:
        raise Refused("; ".join(dict.fromkeys(errors)))


def warnings(job: TrainingJob) -> list[str]:
    """Return what is allowed and yet looks like a mistake, to show with the plan."""
    return [one.message for one in job.findings({}) if one.severity == "warning"]


def hyperparameter_texts(
    values: Mapping[str, str | bool | int | float], algorithm: Algorithm
) -> dict[str, str]:
    """Return hyperparameters as the texts that the algorithm reads; texts stay as they are.

    >>> from manifest_tools.algorithms import algorithm
    >>> chosen = algorithm("image-classification")
    >>> hyperparameter_texts({"early_stopping": True, "multi_label": True, "epochs": 2}, chosen)
    {'early_stopping': 'True', 'multi_label': '1', 'epochs': '2'}
    """
    return dict(_spellings(values, algorithm))


def _spellings(
    values: Mapping[str, str | bool | int | float], algorithm: Algorithm
) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        one = algorithm.find(name)
        digits = one is not None and one.choices == ("0", "1")
        yield name, str(int(value)) if isinstance(value, bool) and digits else str(value)


def _check_label_format(training: Training) -> None:
    """Raise Refused for a list of classes read as a class, or a class as a list: the job would learn
    nonsense silently.
    """
    lists = [one.name for one in training.channels if _LIST_OF_CLASSES in one.content_type]
    if lists and training.hyperparameters.get("multi_label") != "1":
        raise Refused(f"channel {lists[0]}: label-format is for lists of classes; set multi_label=1")
    formats = {one.content_type for one in training.channels if one.name != MODEL and one.attributes}
    if len(formats) > 1:
        raise Refused(f"channels: expected one content type, found {' and '.join(sorted(formats))}")


def _check_times(training: Training) -> None:
    check_whole("max run (seconds)", training.max_run, 1, LONGEST_RUN)
    if training.retries is not None:
        check_whole("retries", training.retries, 1, 30)
    if training.checkpoints is not None:
        check_s3("checkpoints", training.checkpoints)
    if training.max_wait is None:
        return
    check_whole("max wait (seconds)", training.max_wait, training.max_run, LONGEST_RUN)
    if training.checkpoints is None:
        raise Refused(
            "spot: a machine that is taken away begins again from nothing; name a place for checkpoints"
        )

"""What the stand-in has: jobs, models and endpoints, with the service's own fields, states and refusals."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

Body = dict[str, Any]

ENDED = {"Completed", "Failed", "Stopped"}


class Fault(Exception):
    """A refusal, as the service answers it."""

    def __init__(self, code: str, message: str, status: int = 400, **more: Any) -> None:
        super().__init__(code, message)
        self.code, self.message, self.status, self.more = code, message, status, more


def not_found(message: str) -> Fault:
    return Fault("ValidationException", message)


THROTTLED = Fault("ThrottlingException", "Rate exceeded")


@dataclass(frozen=True)
class Step:
    """One state of a job: ``log`` is written when it is entered, ``more`` are fields that it then has.

    ``does`` is called with the job then, to lay its artifact into S3, say.
    """

    status: str
    secondary: str = ""
    reason: str = ""
    log: Sequence[str] = ()
    more: Body = field(default_factory=dict)
    does: "Callable[[Thing], None] | None" = None


@dataclass(frozen=True)
class Resource:
    """One kind: the fields of its requests and answers, and a request for ``put`` to start from."""

    kind: str
    name: str
    arn: str
    words: str
    status: str = ""
    summaries: str = ""
    end: str = ""
    body: Body = field(default_factory=dict)
    missing: str = "Requested resource not found."
    missing_code: str = "ValidationException"
    double: str = 'Cannot create already existing {words} "{arn}".'
    double_code: str = "ValidationException"
    needs: tuple[tuple[str, Callable[[Body], Iterator[str]]], ...] = ()

    def unknown(self, name: str, arn: str) -> Fault:
        return Fault(self.missing_code, self.missing.format(name=name, arn=arn))

    def twice(self, arn: str) -> tuple[str, str]:
        return self.double_code, self.double.format(words=self.words, arn=arn)


@dataclass
class Thing:
    """One job, model or endpoint."""

    resource: Resource
    name: str
    body: Body
    arn: str
    created: float
    step: Step = Step("")
    steps: deque[Step] = field(default_factory=deque)
    passed: list[Step] = field(default_factory=list)
    trials: list[Body] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        return self.step.status in ENDED

    @property
    def modified(self) -> float:
        return self.created + 60 * max(0, len(self.passed) - 1)

    @property
    def stream(self) -> tuple[str, str]:
        """The log group, and the stream in it, that it writes to."""
        if self.resource.kind == "Endpoint":
            return f"/aws/sagemaker/Endpoints/{self.name}", "AllTraffic/i-0abc"
        return f"/aws/sagemaker/{self.resource.kind}s", f"{self.name}/algo-1-1700000000"

    def take(self) -> Step:
        self.step = self.steps.popleft()
        self.passed.append(self.step)
        return self.step

    def matches(self, asked: Body) -> bool:
        """Say whether a list's conditions are met."""
        return (
            asked.get("NameContains", "") in self.name
            and asked.get("StatusEquals") in (None, self.step.status)
            and self.created >= asked.get("CreationTimeAfter", 0)
            and self.created <= asked.get("CreationTimeBefore", self.created)
            and self.modified >= asked.get("LastModifiedTimeAfter", 0)
        )

    def summary(self) -> Body:
        """Return what a list says of it."""
        description: Body = {
            self.resource.name: self.name,
            f"{self.resource.kind}Arn": self.arn,
            "CreationTime": self.created,
            "LastModifiedTime": self.modified,
        }
        if self.resource.status:
            description[self.resource.status] = self.step.status
        if self.resource.kind == "TrainingJob":
            description["SecondaryStatus"] = self.step.secondary or self.step.status
        if self.resource.end and self.ended:
            description[self.resource.end] = self.modified
        if self.resource.kind == "HyperParameterTuningJob":
            description |= {
                "TrainingJobStatusCounters": {},
                "ObjectiveStatusCounters": {},
                "Strategy": "Bayesian",
            }
        return description

    def described(self) -> Body:
        """Return what Describe says of it: the request that made it, and how it goes."""
        description = {key: value for key, value in self.body.items() if key != "Tags"} | self.summary()
        if self.step.reason:
            description["FailureReason"] = self.step.reason
        if self.resource.kind == "TrainingJob":
            description |= self._of_training()
        return description | self.step.more

    def _of_training(self) -> Body:
        description: Body = {"SecondaryStatusTransitions": []}
        for at, step in enumerate(self.passed):
            state = step.secondary or step.status
            moment = self.created + 60 * at
            description["SecondaryStatusTransitions"].append({"Status": state, "StartTime": moment})
            if state == "Training":
                description.setdefault("TrainingStartTime", moment)
        if self.step.status == "Completed":
            folder = self.body["OutputDataConfig"]["S3OutputPath"].rstrip("/")
            description["ModelArtifacts"] = {"S3ModelArtifacts": f"{folder}/{self.name}/output/model.tar.gz"}
        return description


_ROLE = "arn:aws:iam::111122223333:role/SageMakerRole"
_IMAGE = "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"


def _channel(name: str) -> Body:
    source = {
        "S3DataType": "AugmentedManifestFile",
        "S3Uri": f"s3://bucket/{name}.manifest",
        "S3DataDistributionType": "FullyReplicated",
        "AttributeNames": ["source-ref", "lab3-job"],
    }
    return {
        "ChannelName": name,
        "DataSource": {"S3DataSource": source},
        "ContentType": "application/x-recordio",
        "RecordWrapperType": "RecordIO",
        "InputMode": "Pipe",
    }


_TRAINING: Body = {
    "AlgorithmSpecification": {"TrainingImage": _IMAGE, "TrainingInputMode": "Pipe"},
    "RoleArn": _ROLE,
    "HyperParameters": {"num_classes": "2", "num_training_samples": "89", "epochs": "2"},
    "InputDataConfig": [_channel("train"), _channel("validation")],
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/output"},
    "ResourceConfig": {"InstanceType": "ml.p3.2xlarge", "InstanceCount": 1, "VolumeSizeInGB": 50},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
}

_TRANSFORM: Body = {
    "ModelName": "a-model",
    "TransformInput": {
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/pictures/"}}
    },
    "TransformOutput": {"S3OutputPath": "s3://bucket/answers"},
    "TransformResources": {"InstanceType": "ml.c5.xlarge", "InstanceCount": 1},
}

_VARIANT: Body = {
    "VariantName": "AllTraffic",
    "ModelName": "a-model",
    "InitialInstanceCount": 1,
    "InstanceType": "ml.m5.large",
}

RESOURCES = {
    one.kind: one
    for one in (
        Resource(
            "TrainingJob",
            "TrainingJobName",
            "training-job",
            "training job",
            status="TrainingJobStatus",
            summaries="TrainingJobSummaries",
            end="TrainingEndTime",
            body=_TRAINING,
            double="Training job names must be unique within an AWS account and region, and a training job"
            " with this name already exists ({arn})",
            double_code="ResourceInUse",
        ),
        Resource(
            "HyperParameterTuningJob",
            "HyperParameterTuningJobName",
            "hyper-parameter-tuning-job",
            "hyperparameter tuning job",
            status="HyperParameterTuningJobStatus",
            summaries="HyperParameterTuningJobSummaries",
            end="HyperParameterTuningEndTime",
            missing="Amazon SageMaker can't find a tuning job with the name {name}.",
            missing_code="ResourceNotFound",
            double="A hyperparameter tuning job with this name already exists ({arn})",
            double_code="ResourceInUse",
        ),
        Resource(
            "TransformJob",
            "TransformJobName",
            "transform-job",
            "transform job",
            status="TransformJobStatus",
            summaries="TransformJobSummaries",
            end="TransformEndTime",
            body=_TRANSFORM,
            missing="Could not find requested job with name: {name}",
            double="Job name must be unique within an AWS account and region, and a job with this name"
            " already exists ({arn})",
            double_code="ResourceInUse",
            needs=(("Model", lambda body: iter([body["ModelName"]])),),
        ),
        Resource(
            "Model",
            "ModelName",
            "model",
            "model",
            summaries="Models",
            body={"PrimaryContainer": {"Image": _IMAGE}, "ExecutionRoleArn": _ROLE},
            missing='Could not find model "{arn}".',
        ),
        Resource(
            "EndpointConfig",
            "EndpointConfigName",
            "endpoint-config",
            "endpoint configuration",
            summaries="EndpointConfigs",
            body={"ProductionVariants": [_VARIANT]},
            missing='Could not find endpoint configuration "{arn}".',
            needs=(("Model", lambda body: (one["ModelName"] for one in body["ProductionVariants"])),),
        ),
        Resource(
            "Endpoint",
            "EndpointName",
            "endpoint",
            "endpoint",
            status="EndpointStatus",
            summaries="Endpoints",
            body={"EndpointConfigName": "a-config"},
            missing='Could not find endpoint "{arn}".',
            needs=(("EndpointConfig", lambda body: iter([body["EndpointConfigName"]])),),
        ),
    )
}

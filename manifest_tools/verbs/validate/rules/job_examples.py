"""Files, hyperparameters and requests of a good job, with what the example of a rule changes in them."""

from typing import Any

from manifest_tools.verbs.validate.rules.examples import labelled, line, lines, several, single
from manifest_tools.verbs.validate.rules.rule import Example

PICTURES = tuple(f"s3://lab3-rawdata/IMG_{number:04}.JPG" for number in range(1, 7))
TRAIN = lines(single(0, PICTURES[0]), single(1, PICTURES[1], "LH"))
VALIDATION = lines(single(0, PICTURES[2]), single(1, PICTURES[3], "LH"))
GOOD = Example((TRAIN, VALIDATION))
FAILED = line(PICTURES[4]) | {"hand-metadata": {"failure-reason": "expired", "retry-count": 1}}

_GOOD_HYPERPARAMETERS = {"num_classes": "2", "num_training_samples": "2", "mini_batch_size": "2"}


def with_train_lines(*more: dict[str, Any]) -> Example:
    """Return the good files with more lines in train."""
    return Example((TRAIN + lines(*more), VALIDATION))


def train_and(*validation: dict[str, Any]) -> Example:
    """Return the good file for training, and one of these lines for validation."""
    return Example((TRAIN, lines(*validation)))


def multi_label_files(*lists: list[int]) -> tuple[str, str]:
    """Return two files of pictures with these lists of classes."""
    named = {str(index): f"tag {index}" for index in range(3)}
    part = lines(*(several(one, named, PICTURES[at]) for at, one in enumerate(lists)))
    return part, part


def boxed(count: int, ref: str = PICTURES[0]) -> dict[str, Any]:
    """Return a line of a picture with this number of boxes."""
    box = {"class_id": 0, "left": 1, "top": 1, "width": 30, "height": 40}
    label = {"image_size": [{"width": 640, "height": 480, "depth": 3}], "annotations": [box] * count}
    metadata: dict[str, Any] = {
        "objects": [{"confidence": 1}] * count,
        "class-map": {"0": "dog"} if count else {},
    }
    return labelled("boxes", label, "object-detection", ref, **metadata)


def with_hyperparameters(**values: str) -> Example:
    """Return the good files with good hyperparameters, except for some; an empty value leaves one out."""
    changed = {name: value for name, value in (_GOOD_HYPERPARAMETERS | values).items() if value}
    return Example((TRAIN, VALIDATION), hyperparameters=changed)


def channel(name: str, **changes: Any) -> dict[str, Any]:
    """Return a channel of a request; None leaves a field out."""
    source = {
        "S3DataType": "AugmentedManifestFile",
        "S3Uri": f"s3://lab3-manifests/{name}.manifest",
        "S3DataDistributionType": "FullyReplicated",
        "AttributeNames": ["source-ref", "hand"],
    }
    source |= {key: changes.pop(key) for key in list(changes) if key in source}
    usual = {
        "ChannelName": name,
        "DataSource": {"S3DataSource": source},
        "ContentType": "application/x-recordio",
        "RecordWrapperType": "RecordIO",
        "InputMode": "Pipe",
        "ShuffleConfig": {"Seed": 1},
    }
    return {key: value for key, value in (usual | changes).items() if value is not None}


def request(*channels: dict[str, Any], image: str = "image-classification", **changes: Any) -> dict[str, Any]:
    """Return a request of CreateTrainingJob."""
    usual: dict[str, Any] = {
        "TrainingJobName": "hands-1",
        "AlgorithmSpecification": {
            "TrainingImage": f"811284229777.dkr.ecr.us-east-1.amazonaws.com/{image}:1",
            "TrainingInputMode": "Pipe",
        },
        "HyperParameters": _GOOD_HYPERPARAMETERS,
        "InputDataConfig": list(channels) or [channel("train"), channel("validation")],
        "ResourceConfig": {"InstanceType": "ml.p3.2xlarge", "InstanceCount": 1},
    }
    return usual | changes


def with_request(*channels: dict[str, Any], **changes: Any) -> Example:
    """Return the good files with a request, which may be changed in its own fields."""
    return Example(GOOD.files, request=request(*channels, **changes))


def with_request_channels(**changes: Any) -> Example:
    """Return the good files with a request whose channels are changed."""
    return with_request(channel("train", **changes), channel("validation", **changes))

"""Training jobs of hands that tests plan and launch, and their data."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manifest_tools.io.sinks import Published
from tests.trainers.sagemaker.labs import IC, ROLE
from trainers.sagemaker import Compute, create
from trainers.sagemaker.training.launch import launch
from trainers.sagemaker.training.plan import TrainingPlan, TrainingSettings, plan_training

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


OUTPUT = "s3://lab3-models/hands"


PLACE = f"{OUTPUT}/hands-1"


def hand(at: int, index: int | None = None, ref: str = "") -> dict[str, Any]:
    """Return a line of one class: right and left hands in turn."""
    label = at % 2 if index is None else index
    metadata = {
        "class-name": ("RH", "LH", "third")[label],
        "confidence": 0.9,
        "type": "groundtruth/image-classification",
        "job-name": "labeling-job/hand",
        "human-annotated": "yes",
        "creation-date": "2024-03-04T09:13:21.264616",
    }
    return {"source-ref": ref or f"s3://lab3-rawdata/{at}.jpg", "hand": label, "hand-metadata": metadata}


def tags(at: int, *indices: int) -> dict[str, Any]:
    """Return a line of several classes, as Ground Truth writes it."""
    metadata = {
        "class-map": {str(index): f"class-{index}" for index in indices},
        "confidence-map": {str(index): 0.9 for index in indices},
        "type": "groundtruth/image-classification-multilabel",
        "job-name": "labeling-job/tags",
        "human-annotated": "yes",
        "creation-date": "2024-03-04T09:13:21.264616",
    }
    return {"source-ref": f"s3://lab3-rawdata/{at}.jpg", "tags": list(indices), "tags-metadata": metadata}


def text(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def parts(folder: Path, rows: list[dict[str, Any]], train: int) -> dict[str, str]:
    """Write two manifests, and return them by channel."""
    data = {}
    for name, some in (("train", rows[:train]), ("validation", rows[train:])):
        (folder / f"{name}.manifest").write_text(text(*some))
        data[name] = str(folder / f"{name}.manifest")
    return data


def hands(folder: Path, train: int = 40, validation: int = 36) -> dict[str, str]:
    return parts(folder, [hand(at) for at in range(train + validation)], train)


def settings(data: dict[str, str], **other: Any) -> TrainingSettings:
    given: dict[str, Any] = {
        "name": "hands-1",
        "algorithm": IC,
        "data": data,
        "output": OUTPUT,
        "region": "us-east-1",
        "role": ROLE,
        "compute": Compute("ml.p3.2xlarge"),
    }
    return TrainingSettings(**{**given, **other})


def planned(data: dict[str, str], **other: Any) -> TrainingPlan:
    return plan_training(settings(data, **other))


def launched(found: TrainingPlan) -> tuple[Published, ...]:
    return launch(create(found.job), found.uploads, found.training.output_key)


def values(found: TrainingPlan) -> dict[str, str]:
    return dict(found.training.hyperparameters)


def keys(s3: "S3Client") -> list[str]:
    return [one["Key"] for one in s3.list_objects_v2(Bucket="lab3-models").get("Contents", ())]

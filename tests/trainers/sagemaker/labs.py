"""Requests that people make, as values: the workshop's labs, and one of each kind; golden/ has the dicts."""

from typing import Any

from manifest_tools.algorithms import algorithm
from trainers.sagemaker import (
    Channel,
    Choice,
    Compute,
    Endpoint,
    EndpointConfig,
    Instances,
    Model,
    Range,
    Serverless,
    TrainingJob,
    TransformJob,
    TuningJob,
    Vpc,
    hyperparameter_texts,
    image_channels,
    manifest_channels,
    model_channel,
    recordio_channels,
)
from trainers.sagemaker.requests.requests import Value
from trainers.sagemaker.requests.training_job import Training

ROLE = "arn:aws:iam::111122223333:role/SageMakerRole"
IC = algorithm("image-classification")
SEG = algorithm("semantic-segmentation")
OD = algorithm("object-detection")

BIRDS = {name: f"s3://example-bucket/birds/{name}.manifest" for name in ("train", "validation")}
MODEL = "s3://example-bucket/birds/output/birds-20240301-1/output/model.tar.gz"
SHORT = {"num_classes": "5", "num_training_samples": "800", "num_layers": "18", "use_pretrained_model": "1"}


def training_job(**other: Any) -> TrainingJob:
    """Return a job on an augmented manifest, with other fields than the usual ones."""
    return TrainingJob(**{"name": "birds-20240301-1", **usual(), **other})


def training(**other: Any) -> Training:
    return Training(**{**usual(), **other})


def usual() -> dict[str, Any]:
    return {
        "algorithm": IC,
        "region": "us-east-1",
        "role": ROLE,
        "channels": manifest_channels(IC, BIRDS, ["source-ref", "species"], shuffle_seed=1234),
        "output": "s3://example-bucket/birds/output",
        "compute": Compute("ml.p3.2xlarge"),
        "hyperparameters": SHORT,
    }


def transform_job(**other: Any) -> TransformJob:
    fields: dict[str, Any] = {
        "name": "birds-bt-1",
        "algorithm": IC,
        "model": "birds-1",
        "input": "s3://example-bucket/birds/test/",
        "output": "s3://example-bucket/birds/bt-out",
        "instance_type": "ml.c5.xlarge",
    }
    return TransformJob(**{**fields, **other})


def first_lab() -> TrainingJob:
    """Caltech-256 as RecordIO, fine-tuned."""
    values: dict[str, str | bool | int | float] = {
        "num_classes": 257,
        "num_training_samples": 15420,
        "num_layers": 18,
        "use_pretrained_model": True,
        "image_shape": "3,224,224",
        "mini_batch_size": 128,
        "epochs": 2,
        "learning_rate": 0.01,
    }
    files = {
        "train": "s3://example-bucket/caltech/train/",
        "validation": "s3://example-bucket/caltech/validation/",
    }
    return training_job(
        name="lab1-20240301-120000",
        channels=recordio_channels(IC, files),
        output="s3://example-bucket/caltech/output",
        compute=Compute("ml.p2.xlarge", volume=50),
        hyperparameters=hyperparameter_texts(values, IC),
    )


def second_lab() -> TrainingJob:
    """Pascal VOC's pictures and masks; 1,464 are its training pictures with masks."""
    values: dict[str, str | bool | int | float] = {
        "backbone": "resnet-50",
        "algorithm": "fcn",
        "use_pretrained_model": True,
        "crop_size": 240,
        "num_classes": 21,
        "num_training_samples": 1464,
        "epochs": 20,
        "learning_rate": 0.0001,
        "optimizer": "rmsprop",
        "lr_scheduler": "poly",
        "mini_batch_size": 16,
        "validation_mini_batch_size": 16,
        "early_stopping": True,
        "early_stopping_min_epochs": 15,
        "early_stopping_patience": 2,
    }
    names = ("train", "validation", "train_annotation", "validation_annotation")
    return training_job(
        name="lab2-20240301-120000",
        algorithm=SEG,
        channels=image_channels(SEG, {name: f"s3://example-bucket/voc/{name}/" for name in names}),
        output="s3://example-bucket/voc/output",
        hyperparameters=hyperparameter_texts(values, SEG),
    )


LEARNING_RATE = Range("learning_rate", "0.001", "0.1", "Logarithmic")
MINI_BATCH_SIZE = Range("mini_batch_size", "8", "64")


def tuning_job(**other: Any) -> TuningJob:
    fields: dict[str, Any] = {
        "name": "birds-hpo-1",
        "training": training(),
        "ranges": (LEARNING_RATE, MINI_BATCH_SIZE),
        "max_jobs": 20,
        "parallel": 2,
    }
    return TuningJob(**{**fields, **other})


def tuning_with_all() -> TuningJob:
    ranges = (LEARNING_RATE, MINI_BATCH_SIZE, Choice("optimizer", ("sgd", "adam")))
    limits = {"early_stopping": True, "max_total": 86400, "seed": 1}
    common = training(max_wait=7200, checkpoints="s3://example-bucket/birds/ckpt/birds-hpo-1")
    return tuning_job(ranges=ranges, training=common, tags={"project": "birds"}, **limits)


def everything() -> TrainingJob:
    """A job with all that can be set."""
    return training_job(
        compute=Compute("ml.p3.8xlarge", 2, 200, "alias/birds"),
        hyperparameters={**SHORT, "kv_store": "dist_sync"},
        max_run=7200,
        max_wait=14400,
        checkpoints="s3://example-bucket/birds/ckpt/birds-20240301-1",
        output_key="arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        vpc=Vpc(("subnet-0abc", "subnet-0def"), ("sg-0123",)),
        network_isolation=True,
        encrypt_traffic=True,
        retries=2,
        environment={"OMP_NUM_THREADS": "4"},
        tags={"project": "birds", "mtool:classes-sha256": "0" * 64},
    )


def multi_label() -> TrainingJob:
    channels = manifest_channels(IC, BIRDS, ["source-ref", "species"], multi_label=True)
    return training_job(channels=channels, hyperparameters={**SHORT, "multi_label": "1"})


def spot() -> TrainingJob:
    """Spot machines, checkpoints, retries and a tag."""
    more = {"image_shape": "3,224,224", "resize": "256", "mini_batch_size": "32", "epochs": "30"}
    return training_job(
        compute=Compute("ml.p3.2xlarge", volume=50),
        hyperparameters={**SHORT, **more, "learning_rate": "0.01", "lr_scheduler_step": "10,20"},
        max_run=7200,
        max_wait=14400,
        checkpoints="s3://example-bucket/birds/ckpt/birds-20240301-1",
        retries=2,
        tags={"project": "birds"},
    )


def lists() -> TrainingJob:
    names = ("train", "validation", "train_lst", "validation_lst")
    channels = image_channels(IC, {name: f"s3://example-bucket/birds/{name}/" for name in names})
    return training_job(channels=channels, hyperparameters={**SHORT, "resize": "256"})


def incremental() -> TrainingJob:
    channels: tuple[Channel, ...] = (*usual()["channels"], model_channel(MODEL))
    return training_job(
        channels=channels, hyperparameters={"num_classes": "5", "num_training_samples": "800"}
    )


def boxes() -> TrainingJob:
    return training_job(
        algorithm=OD,
        channels=manifest_channels(OD, BIRDS, ["source-ref", "boxes"]),
        hyperparameters={"num_classes": "3", "num_training_samples": "800", "label_width": "380"},
    )


def masks() -> TrainingJob:
    return training_job(
        algorithm=SEG,
        channels=manifest_channels(SEG, BIRDS, ["source-ref", "birds-ref"]),
        hyperparameters={"num_classes": "3", "num_training_samples": "800"},
    )


def model() -> Model:
    return Model(name="birds-1", algorithm=IC, region="us-east-1", role=ROLE, data=MODEL)


def endpoint_config(serving: Instances | Serverless) -> EndpointConfig:
    return EndpointConfig(name="birds-1", algorithm=IC, model="birds-1", serving=serving)


# The name of a file in golden/, and what its request is made of.
GOLDEN: dict[str, Value] = {
    "first-lab": first_lab(),
    "second-lab": second_lab(),
    "single-label": training_job(),
    "multi-label": multi_label(),
    "lists": lists(),
    "boxes": boxes(),
    "masks": masks(),
    "spot": spot(),
    "incremental": incremental(),
    "everything": everything(),
    "tuning": tuning_job(),
    "tuning-with-all": tuning_with_all(),
    "model": model(),
    "endpoint-config": endpoint_config(Instances("ml.m5.large")),
    "endpoint-config-serverless": endpoint_config(Serverless(4096, 10)),
    "endpoint": Endpoint(name="birds-1", config="birds-1"),
    "transform": transform_job(concurrent=16),
}

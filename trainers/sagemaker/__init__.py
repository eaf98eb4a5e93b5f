"""SageMaker's built-in algorithms: jobs and endpoints as checked values, and the requests that make them.

    from trainers.sagemaker import Compute, TrainingJob, create, manifest_channels

    job = TrainingJob(name="birds-1", algorithm=algorithm("image-classification"), ...)
    operation, body = create(job)

Nothing here asks AWS anything: a value that can be made is a request that the service takes.
"""

from trainers.ranges import Choice, Range
from trainers.sagemaker.requests.channels import (
    Channel,
    image_channels,
    manifest_channels,
    model_channel,
    recordio_channels,
)
from trainers.sagemaker.requests.endpoint import (
    Endpoint,
    EndpointConfig,
    Instances,
    Model,
    Serverless,
    TransformJob,
)
from trainers.sagemaker.requests.images import image_uri
from trainers.sagemaker.requests.names import job_name
from trainers.sagemaker.requests.requests import Request, create
from trainers.sagemaker.requests.training_job import (
    CLASSES_TAG,
    Compute,
    Training,
    TrainingJob,
    Vpc,
    hyperparameter_texts,
)
from trainers.sagemaker.requests.tuning_job import TuningJob

__all__ = [
    "CLASSES_TAG",
    "Channel",
    "Choice",
    "Compute",
    "Endpoint",
    "EndpointConfig",
    "Instances",
    "Model",
    "Range",
    "Request",
    "Serverless",
    "Training",
    "TrainingJob",
    "TransformJob",
    "TuningJob",
    "Vpc",
    "create",
    "image_channels",
    "image_uri",
    "job_name",
    "manifest_channels",
    "model_channel",
    "recordio_channels",
    "hyperparameter_texts",
]

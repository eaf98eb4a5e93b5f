"""Requests of SageMaker's API, made from values by pure functions; no other module builds any.

A function has the name of boto3's method, and returns what that method takes. What a value leaves open is
left out of the request, so that the service's own default holds.
"""

from typing import Any, NamedTuple

from trainers.ranges import Choice, Range
from trainers.sagemaker.requests.channels import MODEL, Channel
from trainers.sagemaker.requests.endpoint import Endpoint, EndpointConfig, Instances, Model, TransformJob
from trainers.sagemaker.requests.instances import instance_type
from trainers.sagemaker.requests.training_job import USUAL_VOLUME, Compute, Training, TrainingJob, Vpc
from trainers.sagemaker.requests.tuning_job import TuningJob

Body = dict[str, Any]

CHECKPOINT_FOLDER = "/opt/ml/checkpoints/"
VARIANT = "AllTraffic"

Value = TrainingJob | TuningJob | Model | EndpointConfig | Endpoint | TransformJob


class Request(NamedTuple):
    """A call that is not yet made: boto3's name of the operation, and what it takes."""

    operation: str
    body: Body


def create(value: Value) -> Request:
    """Return the request that creates the thing that the value describes."""
    match value:
        case TrainingJob():
            return Request("create_training_job", create_training_job(value))
        case TuningJob():
            return Request("create_hyper_parameter_tuning_job", create_hyper_parameter_tuning_job(value))
        case Model():
            return Request("create_model", create_model(value))
        case EndpointConfig():
            return Request("create_endpoint_config", create_endpoint_config(value))
        case Endpoint():
            return Request("create_endpoint", create_endpoint(value))
        case TransformJob():
            return Request("create_transform_job", create_transform_job(value))


def create_training_job(job: TrainingJob) -> Body:
    """Return what ``create_training_job`` takes."""
    body = {
        "TrainingJobName": job.name,
        "HyperParameters": dict(job.hyperparameters),
        **_training(job),
        "Tags": _tags(job),
    }
    return _without_empty(body)


def create_hyper_parameter_tuning_job(job: TuningJob) -> Body:
    """Return what ``create_hyper_parameter_tuning_job`` takes; every trial is billed as a training job."""
    body = {
        "HyperParameterTuningJobName": job.name,
        "HyperParameterTuningJobConfig": _tuning_config(job),
        "TrainingJobDefinition": _without_empty(
            {"StaticHyperParameters": dict(job.training.hyperparameters), **_training(job.training)}
        ),
        "Tags": _tags(job),
    }
    return _without_empty(body)


def create_model(model: Model) -> Body:
    """Return what ``create_model`` takes."""
    container = {
        "Image": model.image,
        "ModelDataUrl": model.data,
        "Environment": dict(model.environment),
    }
    body = {
        "ModelName": model.name,
        "ExecutionRoleArn": model.role,
        "PrimaryContainer": _without_empty(container),
        "VpcConfig": _vpc(model.vpc),
        "EnableNetworkIsolation": model.network_isolation or None,
        "Tags": _tags(model),
    }
    return _without_empty(body)


def create_endpoint_config(config: EndpointConfig) -> Body:
    """Return what ``create_endpoint_config`` takes: one variant, which has all the traffic."""
    body = {
        "EndpointConfigName": config.name,
        "ProductionVariants": [
            {
                "VariantName": VARIANT,
                "ModelName": config.model,
                **_serving(config),
                "InitialVariantWeight": 1.0,
            }
        ],
        "KmsKeyId": config.volume_key,
        "Tags": _tags(config),
    }
    return _without_empty(body)


def create_endpoint(endpoint: Endpoint) -> Body:
    """Return what ``create_endpoint`` takes."""
    body = {"EndpointName": endpoint.name, "EndpointConfigName": endpoint.config, "Tags": _tags(endpoint)}
    return _without_empty(body)


def create_transform_job(job: TransformJob) -> Body:
    """Return what ``create_transform_job`` takes; each picture is one whole record."""
    source = {"S3DataType": job.data_type, "S3Uri": job.input}
    client = {"InvocationsTimeoutInSeconds": job.timeout, "InvocationsMaxRetries": job.retries}
    output = {
        "S3OutputPath": job.output,
        "Accept": job.accept,
        "AssembleWith": "None",
        "KmsKeyId": job.output_key,
    }
    machines = {
        "InstanceType": job.instance_type,
        "InstanceCount": job.count,
        "VolumeKmsKeyId": job.volume_key,
    }
    body = {
        "TransformJobName": job.name,
        "ModelName": job.model,
        "BatchStrategy": "SingleRecord",
        "MaxPayloadInMB": job.max_payload,
        "MaxConcurrentTransforms": job.concurrent,
        "ModelClientConfig": _without_empty(client),
        "TransformInput": {
            "DataSource": {"S3DataSource": source},
            "ContentType": job.content_type,
            "SplitType": "None",
            "CompressionType": "None",
        },
        "TransformOutput": _without_empty(output),
        "TransformResources": _without_empty(machines),
        "Tags": _tags(job),
    }
    return _without_empty(body)


def _training(training: Training) -> Body:
    """Return what a training job's request and a tuning job's definition have in common."""
    return {
        "AlgorithmSpecification": {"TrainingImage": training.image, "TrainingInputMode": training.mode},
        "RoleArn": training.role,
        "InputDataConfig": [_channel(one) for one in training.channels],
        "OutputDataConfig": _without_empty(
            {"S3OutputPath": training.output, "KmsKeyId": training.output_key}
        ),
        "ResourceConfig": _compute(training.compute),
        "StoppingCondition": _without_empty(
            {"MaxRuntimeInSeconds": training.max_run, "MaxWaitTimeInSeconds": training.max_wait}
        ),
        "EnableManagedSpotTraining": True if training.max_wait is not None else None,
        "CheckpointConfig": _checkpoints(training),
        "RetryStrategy": {"MaximumRetryAttempts": training.retries} if training.retries else None,
        "VpcConfig": _vpc(training.vpc),
        "EnableNetworkIsolation": training.network_isolation or None,
        "EnableInterContainerTrafficEncryption": training.encrypt_traffic or None,
        "Environment": dict(training.environment),
    }


def _channel(channel: Channel) -> Body:
    source = {
        "S3DataType": channel.data_type,
        "S3Uri": channel.uri,
        "S3DataDistributionType": "FullyReplicated",
        "AttributeNames": list(channel.attributes),
    }
    seed = channel.shuffle_seed
    body = {
        "ChannelName": channel.name,
        "DataSource": {"S3DataSource": _without_empty(source)},
        "ContentType": channel.content_type,
        "CompressionType": "None",
        "RecordWrapperType": None if channel.name == MODEL else channel.wrapper,
        "InputMode": channel.mode,
        "ShuffleConfig": None if seed is None else {"Seed": seed},
    }
    return _without_empty(body)


def _compute(compute: Compute) -> Body:
    own_disk = instance_type(compute.instance_type).own_disk
    body = {
        "InstanceType": compute.instance_type,
        "InstanceCount": compute.count,
        "VolumeSizeInGB": None if own_disk else compute.volume or USUAL_VOLUME,
        "VolumeKmsKeyId": compute.volume_key,
    }
    return _without_empty(body)


def _checkpoints(training: Training) -> Body | None:
    if training.checkpoints is None:
        return None
    return {"S3Uri": training.checkpoints, "LocalPath": CHECKPOINT_FOLDER}


def _tuning_config(job: TuningJob) -> Body:
    metric = job.objective
    limits = {
        "MaxNumberOfTrainingJobs": job.max_jobs,
        "MaxParallelTrainingJobs": job.parallel,
        "MaxRuntimeInSeconds": job.max_total,
    }
    body = {
        "Strategy": job.strategy,
        "HyperParameterTuningJobObjective": {"Type": metric.direction, "MetricName": metric.name},
        "ResourceLimits": _without_empty(limits),
        "ParameterRanges": _ranges(job),
        "TrainingJobEarlyStoppingType": "Auto" if job.early_stopping else "Off",
        "RandomSeed": job.seed,
    }
    return _without_empty(body)


def _ranges(job: TuningJob) -> Body:
    kinds: Body = {
        "ContinuousParameterRanges": [],
        "IntegerParameterRanges": [],
        "CategoricalParameterRanges": [],
    }
    for one in job.ranges:
        if isinstance(one, Choice):
            kinds["CategoricalParameterRanges"].append({"Name": one.name, "Values": list(one.values)})
            continue
        found = job.training.algorithm.find(one.name)
        whole = found is not None and found.kind == "int"
        kinds["IntegerParameterRanges" if whole else "ContinuousParameterRanges"].append(_range(one))
    return _without_empty(kinds)


def _range(one: Range) -> Body:
    return {"Name": one.name, "MinValue": one.low, "MaxValue": one.high, "ScalingType": one.scaling}


def _serving(config: EndpointConfig) -> Body:
    serving = config.serving
    if isinstance(serving, Instances):
        return {"InitialInstanceCount": serving.count, "InstanceType": serving.instance_type}
    return {"ServerlessConfig": {"MemorySizeInMB": serving.memory, "MaxConcurrency": serving.concurrency}}


def _vpc(vpc: Vpc | None) -> Body | None:
    if vpc is None:
        return None
    return {"SecurityGroupIds": list(vpc.security_groups), "Subnets": list(vpc.subnets)}


def _tags(value: Value) -> list[dict[str, str]]:
    return [{"Key": key, "Value": text} for key, text in value.tags.items()]


def _without_empty(body: Body) -> Body:
    """Return the fields that are set: None, an empty list and an empty table are not."""
    return {name: value for name, value in body.items() if value is not None and value != [] and value != {}}

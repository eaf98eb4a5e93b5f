"""The actions of IAM that each word of mtool needs, as a table.

Which resource an action takes is from AWS's service authorization reference, "Actions, resources, and
condition keys for Amazon SageMaker AI".
"""

from collections.abc import Mapping, Sequence
from typing import Literal

Word = Literal["train", "tune", "deploy", "predict", "transform", "jobs"]
WORDS: tuple[Word, ...] = ("train", "tune", "deploy", "predict", "transform", "jobs")

# Words with which SageMaker takes on the role, and where the logs of what it does then lie.
LOGS: Mapping[str, str] = {
    "train": "/aws/sagemaker/TrainingJobs",
    "tune": "/aws/sagemaker/TrainingJobs",
    "deploy": "/aws/sagemaker/Endpoints/",
    "transform": "/aws/sagemaker/TransformJobs",
}
READ_PICTURES = ("train", "tune", "transform")

_JOB, _TRIALS = "training-job", "hyper-parameter-tuning-job"
_DESCRIBE = {
    _JOB: ("DescribeTrainingJob",),
    _TRIALS: ("DescribeHyperParameterTuningJob", "ListTrainingJobsForHyperParameterTuningJob"),
    "transform-job": ("DescribeTransformJob",),
    "endpoint": ("DescribeEndpoint",),
    "endpoint-config": ("DescribeEndpointConfig",),
    "model": ("DescribeModel",),
}

# What a word calls, by the kind of thing whose ARN the action takes. What is created is tagged.
CALLS: Mapping[Word, Mapping[str, Sequence[str]]] = {
    "train": {_JOB: ("AddTags", "CreateTrainingJob", "DescribeTrainingJob", "StopTrainingJob")},
    "tune": {
        _TRIALS: (
            *("AddTags", "CreateHyperParameterTuningJob", "StopHyperParameterTuningJob"),
            *_DESCRIBE[_TRIALS],
        ),
        _JOB: _DESCRIBE[_JOB],
    },
    "deploy": {
        "model": ("AddTags", "CreateModel", "DeleteModel", "DescribeModel", "ListTags"),
        "endpoint-config": (
            *("AddTags", "CreateEndpoint", "CreateEndpointConfig", "DeleteEndpointConfig"),
            *("DescribeEndpointConfig", "ListTags"),
        ),
        "endpoint": ("AddTags", "CreateEndpoint", "DeleteEndpoint", "DescribeEndpoint", "ListTags"),
        _JOB: ("DescribeTrainingJob", "ListTags"),
    },
    "predict": {
        "endpoint": ("DescribeEndpoint", "InvokeEndpoint", "ListTags"),
        "endpoint-config": ("DescribeEndpointConfig", "ListTags"),
        "model": ("DescribeModel", "ListTags"),
        _JOB: ("DescribeTrainingJob", "ListTags"),
    },
    "transform": {
        "model": ("AddTags", "CreateModel", "DeleteModel", "DescribeModel", "ListTags"),
        "transform-job": (
            *("AddTags", "CreateTransformJob", "DescribeTransformJob", "ListTags"),
            "StopTransformJob",
        ),
        _JOB: ("DescribeTrainingJob", "ListTags"),
    },
    "jobs": {
        **_DESCRIBE,
        _JOB: ("DescribeTrainingJob", "ListTags", "StopTrainingJob"),
        _TRIALS: ("ListTags", "StopHyperParameterTuningJob", *_DESCRIBE[_TRIALS]),
        "transform-job": ("DescribeTransformJob", "ListTags", "StopTransformJob"),
        "endpoint": ("DescribeEndpoint", "ListTags"),
    },
}

# What takes no ARN at all.
LISTS = (
    "cloudwatch:GetMetricStatistics",
    "sagemaker:ListEndpoints",
    "sagemaker:ListHyperParameterTuningJobs",
    "sagemaker:ListTrainingJobs",
    "sagemaker:ListTransformJobs",
)

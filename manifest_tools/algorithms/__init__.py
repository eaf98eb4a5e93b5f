"""SageMaker's three built-in algorithms for labelled pictures: one file each, and one table of them.

CreateTrainingJob checks no hyperparameter; the container does, when its machine is already paid for.
"""

from collections.abc import Iterator, Mapping

from manifest_tools.algorithms import image_classification, object_detection, semantic_segmentation
from manifest_tools.algorithms.findings import UNKNOWN_JOB, HyperparameterFinding, JobContext, findings
from manifest_tools.algorithms.schema import Algorithm, Hyperparameter, Input, Metric, Only, Tunable
from manifest_tools.base.errors import Refused

__all__ = [
    "ALGORITHMS",
    "Algorithm",
    "HyperparameterFinding",
    "Hyperparameter",
    "Input",
    "JobContext",
    "Metric",
    "Only",
    "Tunable",
    "algorithm",
    "lint",
]

# By the name of the image.
ALGORITHMS: dict[str, Algorithm] = {
    "image-classification": image_classification.ALGORITHM,
    "semantic-segmentation": semantic_segmentation.ALGORITHM,
    "object-detection": object_detection.ALGORITHM,
}


def algorithm(name: str) -> Algorithm:
    """Return the algorithm of an image's name; raises Refused for another name."""
    if name not in ALGORITHMS:
        raise Refused(f"expected one of {', '.join(ALGORITHMS)}, found {name!r:.100}")
    return ALGORITHMS[name]


def hyperparameter_findings(
    values: Mapping[str, str], name: str, job: JobContext = UNKNOWN_JOB
) -> Iterator[HyperparameterFinding]:
    """Yield what is wrong with ``values``, all the hyperparameters of a job with the algorithm ``name``.

    The data is not known here; ``job`` has what is known of the job. Raises Refused for a name that is no
    algorithm's.

    >>> values = {"num_classes": "2", "num_training_samples": "9.5"}
    >>> [one.message for one in hyperparameter_findings(values, "object-detection")]
    ["num_training_samples: expected a whole number from 1, found '9.5'"]
    """
    return findings(values, algorithm(name), ALGORITHMS.values(), job)

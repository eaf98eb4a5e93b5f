"""The model of an earlier job to begin from, and the hyperparameters that both jobs must share."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from manifest_tools.algorithms import Algorithm
from manifest_tools.base.errors import Refused
from manifest_tools.base.text import shown
from trainers.sagemaker.client.client import send
from trainers.sagemaker.requests import resources


@dataclass(frozen=True, slots=True)
class WarmStart:
    """The model of an earlier job, to begin from."""

    uri: str
    """The URI of its model.tar.gz in S3."""

    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    """The earlier job's; empty where only the model is known."""


def find_warm_start(source: str) -> WarmStart:
    """Return the model of a training job, by the job's name, or by the model's URI, for which no call is
    made.

    Raises Refused for a job without a model, and what ``client.send`` raises.
    """
    if source.startswith("s3://"):
        return WarmStart(source)
    if source.endswith(".tar.gz") or "/" in source:
        raise Refused(f"{source}: expected the name of a training job, or s3://.../model.tar.gz")
    job = send(resources.describe("training", source))
    uri = job.get("ModelArtifacts", {}).get("S3ModelArtifacts", "")
    if not uri:
        raise Refused(f"{source}: the job is {job['TrainingJobStatus']} and has no model to begin from")
    return WarmStart(uri, job.get("HyperParameters", {}))


def inherited_hyperparameters(
    model: WarmStart, algorithm: Algorithm, given: Mapping[str, str], found: Mapping[str, str]
) -> dict[str, str]:
    """Return the hyperparameters that the new job takes from the earlier one, because they must be the
    same.

    ``given`` are those that people set, ``found`` those that follow from the data. Raises Refused where
    they differ from the earlier job's: classes, for example, cannot be added.
    """
    taken: dict[str, str] = {}
    for name in algorithm.same_as_model if model.hyperparameters else ():
        one = algorithm.find(name)
        before = model.hyperparameters.get(name, one.default if one is not None else None)
        if before is None:
            continue
        now = given.get(name)
        if now is not None and now.replace(" ", "") != before.replace(" ", ""):
            raise Refused(
                f"{name}={shown(now)}: the earlier model has {before}, which cannot be changed; leave it out"
            )
        if name == "num_classes" and int(found.get(name, "0")) > int(before):
            more = f"the data has {found[name]} classes, and the earlier model {before}"
            raise Refused(f"{name}: {more}; a model learns no new classes: leave --init-from out")
        if now is None and name in model.hyperparameters:
            taken[name] = before
    return taken

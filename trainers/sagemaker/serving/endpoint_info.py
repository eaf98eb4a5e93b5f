"""What is known of an endpoint in service: its class names, and the largest request that it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from manifest_tools.base.errors import Refused
from manifest_tools.groundtruth.classes import ClassTable
from trainers.sagemaker.client import tags
from trainers.sagemaker.client.client import Denied, send
from trainers.sagemaker.requests import resources
from trainers.sagemaker.requests.training_job import CLASSES_TAG
from trainers.sagemaker.serving import class_names

# Bytes of a request (https://docs.aws.amazon.com/general/latest/gr/sagemaker.html); of serverless ones 4 MB.
LARGEST = 6 * 1024 * 1024
LARGEST_SERVERLESS = 4 * 1024 * 1024

_ANSWERS = ("InService", "Updating", "SystemUpdating", "RollingBack", "UpdateRollbackFailed")


@dataclass(frozen=True, slots=True)
class EndpointInfo:
    """What is known of an endpoint in service."""

    name: str
    """Its name."""

    table: ClassTable
    """Its class table; empty where no class has a name."""

    multi_label: bool = False
    """Whether a picture has several classes, or none."""

    largest: int = LARGEST
    """The largest request, in bytes."""

    notes: tuple[str, ...] = ()
    """What is not known of it."""


def find_endpoint(name: str, table: ClassTable | None = None, multi_label: bool = False) -> EndpointInfo:
    """Return what is known of an endpoint; raises NotThere, or Refused where it cannot answer now.

    ``table`` is used in place of its own class table, which its tag leads to, or which is beside its model.
    Without the right to look at it, its classes have no names.
    """
    try:
        description = send(resources.describe("endpoint", name))
    except Denied as error:
        note = f"{name} may not be looked at, so mtool knows of it only what you type: {error}"
        return EndpointInfo(name, table or ClassTable(), multi_label, notes=(note,))
    state = description["EndpointStatus"]
    if state not in _ANSWERS:
        why = f"; {description['FailureReason']}" if "FailureReason" in description else ""
        raise Refused(f"{name}: the endpoint is {state} and cannot answer now{why}; see mtool jobs")
    try:
        return _known(name, description, table, multi_label)
    except Denied as error:
        note = f"the names of its classes may not be looked at: {error}"
        return EndpointInfo(name, table or ClassTable(), multi_label, notes=(note,))


def _known(
    name: str, description: Mapping[str, Any], table: ClassTable | None, multi_label: bool
) -> EndpointInfo:
    config = send(resources.describe("endpoint-config", description["EndpointConfigName"]))
    variants = config["ProductionVariants"]
    known = tags.read_tags(description["EndpointArn"])
    names = class_names.NamedClasses(table)
    if table is None:
        names = class_names.first_of(_places(known, variants), known.get(CLASSES_TAG, ""))
    serverless = any("ServerlessConfig" in one for one in variants)
    nameless = "" if names.table else class_names.NAMELESS
    return EndpointInfo(
        name,
        names.table or ClassTable(),
        multi_label or known.get(tags.MULTI_LABEL) == "1",
        LARGEST_SERVERLESS if serverless else LARGEST,
        tuple(one for one in (names.note, nameless) if one),
    )


def _places(known: Mapping[str, str], variants: list[Mapping[str, Any]]) -> list[str]:
    """Return the URIs that its classes.json may have."""
    places = [known[tags.CLASSES]] if known.get(tags.CLASSES, "").startswith("s3://") else []
    for model in dict.fromkeys(one["ModelName"] for one in variants if "ModelName" in one):
        container = send(resources.describe("model", model)).get("PrimaryContainer", {})
        places += [class_names.beside(container["ModelDataUrl"])] if container.get("ModelDataUrl") else []
    return places

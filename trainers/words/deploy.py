"""``mtool deploy`` as a function."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from manifest_tools.base.arguments import AnyPath, AnyPaths, as_text, as_texts
from manifest_tools.base.errors import Refused
from manifest_tools.io.sinks import Published, check_key
from trainers.sagemaker.client.client import region
from trainers.sagemaker.client.retry import Notify, notify_nobody
from trainers.sagemaker.client.tags import read_duration
from trainers.sagemaker.client.upload import delete_uploads
from trainers.sagemaker.requests.endpoint import Instances, Serverless
from trainers.sagemaker.requests.names import job_name
from trainers.sagemaker.requests.training_job import Vpc
from trainers.sagemaker.serving.api_gateway import address
from trainers.sagemaker.serving.deploy import (
    INSTANCE_TYPE,
    DeploymentPlan,
    DeploymentSettings,
    check_names_are_free,
    endpoint_states,
    make_endpoint,
    plan_deployment,
)
from trainers.sagemaker.serving.model_source import ModelSource, find_model_source
from trainers.sagemaker.serving.upload_model import model_places, upload_model
from trainers.words.agreement import check_agreed


@dataclass(frozen=True, slots=True)
class Deployment:
    """An endpoint, the model that it is made of, and where both go in S3."""

    source: ModelSource
    plan: DeploymentPlan
    data: str
    classes: str

    @property
    def name(self) -> str:
        """The name of the endpoint."""
        return self.plan.name


def deploy(
    model: AnyPath,
    *,
    instance_type: str = INSTANCE_TYPE,
    instance_count: int = 1,
    volume_kms_key: str | None = None,
    serverless: bool = False,
    memory: int = 2048,
    concurrency: int = 5,
    subnet: AnyPaths = (),
    security_group: AnyPaths = (),
    api: bool = False,
    api_role: str | None = None,
    public: bool = False,
    name: str | None = None,
    role: str | None = None,
    tag: Mapping[str, str] | None = None,
    remind_after: str | None = None,
    output: str | None = None,
    kms_key: str | None = None,
    force: bool = False,
    no_wait: bool = False,
    every: float = 10,
    dry_run: bool = False,
    yes: bool = False,
) -> Deployment:
    """Put a training job's model, or a model.tar.gz, into service as a SageMaker endpoint.

    Waits until it answers, unless ``no_wait``. With ``api`` an API Gateway is in front of it. It is
    billed until it is deleted, and needs ``yes=True``; ``dry_run`` only plans. Raises Refused where a name is
    taken, EndpointFailed where it does not come into service.
    """
    check_api(api, api_role, public)
    vpc = as_texts(subnet), as_texts(security_group)
    settings = DeploymentSettings(
        serving=Serverless(memory, concurrency) if serverless else Instances(instance_type, instance_count),
        name=name,
        vpc=Vpc(*vpc) if any(vpc) else None,
        volume_key=volume_kms_key,
        tags=tag or {},
        remind_after=read_duration(remind_after) if remind_after else None,
        api_role=api_role,
        public=public,
    )
    if output is None and (kms_key is not None or force):
        raise Refused("kms_key and force are for a local model.tar.gz that goes to output")
    planned = plan(as_text(model), settings, role=role, output=output)
    if dry_run:
        return planned
    check_agreed(yes, f"{planned.name} is billed until it is deleted")
    check_key(kms_key, [output] if output else [])
    carry_out(planned, kms_key=kms_key, force=force)
    if not no_wait:
        for _ in endpoint_states(planned.name, every=every):
            pass
    return planned


def check_api(api: bool, api_role: str | None, public: bool) -> None:
    """Raise Refused for what changes nothing without an API, and for an API without its role."""
    if not api and (api_role or public):
        raise Refused(f"{'--api-role' if api_role else '--public'} is for --api; type both")
    if api and not api_role:
        raise Refused(
            "--api needs a role that trusts apigateway.amazonaws.com and may sagemaker:InvokeEndpoint; type"
            " --api-role ARN (with --dry-run, both its documents are printed)"
        )


def plan(
    model: str,
    settings: DeploymentSettings,
    *,
    role: str | None = None,
    output: str | None = None,
    check_names: bool = True,
) -> Deployment:
    """Return what is to be made. Nothing is made yet.

    ``check_names`` asks SageMaker, and raises Refused where a name is taken; without it, a local model and
    the ARN of a role need no account.
    """
    now = datetime.now(UTC)
    source = find_model_source(model, role)
    name = settings.name or job_name(source.stem, now)
    data, classes = model_places(source, output, name)
    deployment = plan_deployment(source, data, classes, region(), replace(settings, name=name), now)
    if check_names:
        check_names_are_free(deployment)
    return Deployment(source, deployment, data, classes)


def carry_out(
    planned: Deployment,
    *,
    kms_key: str | None = None,
    force: bool = False,
    notify: Notify = notify_nobody,
) -> str:
    """Upload what is on this disk, make the rest, and return the address of the API, or an empty text.

    After a failure nothing of both stays.
    """
    published: tuple[Published, ...] = ()
    if planned.source.local:
        published = upload_model(planned.source, planned.data, planned.classes, kms_key=kms_key, force=force)
    for uploaded in published:
        notify(f"{uploaded.path}: {uploaded.state}")
    made_before = [("upload", lambda: delete_uploads(published))] if published else []
    api = make_endpoint(planned.plan, notify, made_before)
    return address(api, planned.plan.model.region) if api else ""

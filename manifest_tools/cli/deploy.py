"""``mtool deploy``."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared import serving_options as shared
from manifest_tools.cli.shared.confirm import confirm
from manifest_tools.cli.shared.exit_codes import INTERRUPTED
from manifest_tools.cli.shared.job_table import duration_text
from manifest_tools.cli.shared.make_command import typed_names
from manifest_tools.cli.shared.sagemaker_options import pairs
from manifest_tools.cli.shared.screen import note
from manifest_tools.io.sinks import check_key

if TYPE_CHECKING:
    from trainers.sagemaker.requests.training_job import Vpc
    from trainers.sagemaker.serving.deploy import DeploymentPlan, DeploymentSettings
    from trainers.sagemaker.serving.model_source import ModelSource


def deploy(
    context: typer.Context,
    model: Annotated[
        str, typer.Argument(metavar="JOB|MODEL", help="A training job, or a model.tar.gz, here or in S3.")
    ],
    instance_type: Annotated[
        str, typer.Option("--instance-type", metavar="TYPE", help="The machine that answers.")
    ] = "ml.m5.large",
    instance_count: Annotated[
        int, typer.Option("--instance-count", metavar="N", help="How many of them.")
    ] = 1,
    serverless: Annotated[
        bool, typer.Option("--serverless", help="No machine of its own: billed by the request.")
    ] = False,
    memory: Annotated[
        int, typer.Option("--memory", metavar="MB", help="With --serverless: 1024, 2048, ... 6144.")
    ] = 2048,
    concurrency: Annotated[
        int, typer.Option("--concurrency", metavar="N", help="With --serverless: requests at a time.")
    ] = 5,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="URI", help="The prefix in S3 that a local model goes under."),
    ] = None,
    remind_after: Annotated[
        str | None,
        typer.Option("--remind-after", metavar="TIME", help="30m, 2h, 1d: a tag that says when."),
    ] = None,
    api: Annotated[
        bool, typer.Option("--api", help="Put an API Gateway in front of it; needs --api-role.")
    ] = False,
    api_role: Annotated[
        str | None,
        typer.Option("--api-role", metavar="ARN", help="The role with which the API asks the endpoint."),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="With --api: whoever knows the address may ask, at your cost.")
    ] = False,
    name: shared.Name = None,
    role: shared.Role = None,
    subnet: Annotated[
        list[str] | None,
        typer.Option("--subnet", metavar="ID", help="Run in this private network; may be repeated."),
    ] = None,
    security_group: Annotated[
        list[str] | None,
        typer.Option("--security-group", metavar="ID", help="Of the private network; may be repeated."),
    ] = None,
    volume_kms_key: shared.VolumeKey = None,
    kms_key: options.KmsKey = None,
    tag: shared.Tag = None,
    price_per_hour: shared.Price = None,
    dry_run: shared.PrintOnly = False,
    emit: shared.EmitForm = None,
    yes: shared.Yes = False,
    no_wait: shared.NoWait = False,
    every: shared.Every = 10,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Put a model into service.

    Makes a model, an endpoint configuration and an endpoint of one name, which is printed, and waits until
    it answers. What was made is taken back where a later step is refused; an endpoint that fails stays, to be
    looked at. It is billed until it is deleted. A model that mtool trained itself goes onto the built-in
    algorithm's image too, untried.

    \b
    For example:
      mtool deploy birds-20240301-123005 --price-per-hour 0.115
      mtool deploy model/model.tar.gz --output s3://lab3-models/ --serverless
      mtool deploy birds-20240301-123005 --api --api-role arn:aws:iam::111122223333:role/ask --dry-run
    """
    from trainers.sagemaker.client.tags import read_duration
    from trainers.sagemaker.requests.endpoint import Instances, Serverless
    from trainers.sagemaker.serving.deploy import DeploymentSettings

    _check(context, serverless, api, api_role, public)
    _check_upload(model, output, kms_key, force)
    settings = DeploymentSettings(
        serving=Serverless(memory, concurrency) if serverless else Instances(instance_type, instance_count),
        name=name,
        vpc=_vpc(subnet or [], security_group or []),
        volume_key=volume_kms_key,
        tags=pairs("--tag", tag or []),
        remind_after=read_duration(remind_after) if remind_after else None,
        api_role=api_role,
        public=public,
    )
    planned = _plan(model, role, output, settings)
    shared.say(_intention(planned, settings, price_per_hour), quiet and yes)
    if dry_run or emit is not None:
        shared.print_calls(planned.deployment.calls, planned.deployment.model.region, emit)
        if planned.source.local:
            note(f"nothing of that uploads the model: aws s3 cp {planned.source.local} {planned.data}")
        return
    confirm(yes, "put it into service, and be billed until it is deleted?")
    _carry_out(planned, kms_key, force, quiet)
    print(planned.deployment.name, flush=True)
    if not no_wait:
        _wait(planned.deployment.name, every, quiet)
    note(_ending(planned.deployment.name, settings))


_OF_SERVERLESS = ("memory", "concurrency")
_OF_MACHINES = ("instance_type", "instance_count", "volume_kms_key", "price_per_hour")


def _check(context: typer.Context, serverless: bool, api: bool, api_role: str | None, public: bool) -> None:
    """Refuse an option that would change nothing, and an API without the role that it needs."""
    others = _OF_MACHINES if serverless else _OF_SERVERLESS
    for name in (name for name in others if name in typed_names(context)):
        kind = "machines, and a serverless endpoint has none" if serverless else "--serverless"
        raise Refused(f"--{name.replace('_', '-')} is for {kind}; leave it out")
    if not api and (api_role or public):
        raise Refused(f"{'--api-role' if api_role else '--public'} is for --api; type both")
    if api and not api_role:
        raise Refused(
            "--api needs a role that trusts apigateway.amazonaws.com and may sagemaker:InvokeEndpoint; type"
            " --api-role ARN (with --dry-run, both its documents are printed)"
        )


def _check_upload(model: str, output: str | None, kms_key: str | None, force: bool) -> None:
    if output is None and (kms_key is not None or force):
        option = "--force" if force else "--kms-key"
        raise Refused(f"{option} is for a local model.tar.gz that goes to --output; {model} is not uploaded")
    check_key(kms_key, [output] if output else [])


def _vpc(subnets: list[str], groups: list[str]) -> "Vpc | None":
    from trainers.sagemaker.requests.training_job import Vpc

    return Vpc(tuple(subnets), tuple(groups)) if subnets or groups else None


@dataclass(frozen=True, slots=True)
class _Planned:
    """A deployment with what it is made of, and where that goes in S3 first if it is here."""

    source: "ModelSource"
    deployment: "DeploymentPlan"
    data: str
    classes: str


def _plan(model: str, role: str | None, output: str | None, settings: "DeploymentSettings") -> _Planned:
    """Return what is to be made; nothing has been made by then, and what is in the way is refused."""
    from trainers.sagemaker.client.client import region
    from trainers.sagemaker.requests.names import job_name
    from trainers.sagemaker.serving.deploy import check_free, plan_deployment
    from trainers.sagemaker.serving.model_source import find_model_source
    from trainers.sagemaker.serving.upload_model import model_places

    now = datetime.now(UTC)
    source = find_model_source(model, role)
    named = replace(settings, name=settings.name or job_name(source.stem, now))
    data, classes = model_places(source, output, str(named.name))
    deployment = plan_deployment(source, data, classes, region(), named, now)
    check_free(deployment)
    return _Planned(source, deployment, data, classes)


def _intention(planned: _Planned, settings: "DeploymentSettings", prices: list[str] | None) -> list[str]:
    """Return the plan, a line each."""
    from trainers.sagemaker.client.tags import REMIND_AFTER
    from trainers.sagemaker.serving.api_gateway import role_documents

    deployment, source = planned.deployment, planned.source
    said = [f"{source.title} as the endpoint {deployment.name} in {deployment.model.region}"]
    said += [f"served by {deployment.model.image}", _serving(deployment, prices)]
    said += [f"to be uploaded: {planned.data}"] if source.local else []
    said += [f"classes: {planned.classes}"] if planned.classes else []
    if REMIND_AFTER in deployment.endpoint.tags:
        said += [f"mtool jobs --idle reminds of it from {deployment.endpoint.tags[REMIND_AFTER]} on"]
    if deployment.api is not None:
        who = (
            "whoever knows its address may ask, at your cost"
            if settings.public
            else "requests are signed (SigV4)"
        )
        said += [f"an API Gateway in front of it; {who}"]
        said += [
            f"{name} of its role: {json.dumps(one)}" for name, one in role_documents(deployment.api).items()
        ]
    return [*said, *source.remarks]


def _serving(deployment: "DeploymentPlan", prices: list[str] | None) -> str:
    from trainers.sagemaker.requests.endpoint import Serverless

    serving = deployment.config.serving
    if isinstance(serving, Serverless):
        return f"serverless, {serving.memory:,} MB, {serving.concurrency} requests at a time; billed by use"
    each = shared.machines(serving.instance_type, serving.count)
    return f"on {each}, {shared.per_hour(prices, serving.instance_type, serving.count)}"


def _carry_out(planned: _Planned, kms_key: str | None, force: bool, quiet: bool) -> None:
    """Upload what is here, and make the rest; after a failure nothing of both stays."""
    from trainers.sagemaker.serving.api_gateway import address
    from trainers.sagemaker.serving.deploy import make
    from trainers.sagemaker.serving.upload_model import upload_model
    from trainers.sagemaker.training.upload import withdraw

    published = (
        upload_model(planned.source, planned.data, planned.classes, kms_key=kms_key, force=force)
        if planned.source.local
        else ()
    )
    shared.say([f"{one.path}: {one.state}" for one in published], quiet)
    before = [("upload", lambda: withdraw(published))] if published else []
    api = make(planned.deployment, lambda text: shared.say([text], quiet), before)
    if api:
        note(f"POST a picture to {address(api, planned.deployment.model.region)}")


def _wait(name: str, every: float, quiet: bool) -> None:
    """Wait until it answers; after Ctrl-C it goes on, and the exit code is 130."""
    from trainers.sagemaker.serving.deploy import endpoint_states

    try:
        with shared.waiting(name, quiet):
            for state in endpoint_states(name, every=every, notify=lambda text: shared.say([text], quiet)):
                shared.say([f"{name}: {state.status} ({duration_text(state.after)})"], quiet)
    except KeyboardInterrupt:
        note(f"{name} goes on, and bills; once it is in service, to delete it: mtool delete {name}")
        raise typer.Exit(INTERRUPTED) from None


def _ending(name: str, settings: "DeploymentSettings") -> str:
    from trainers.sagemaker.requests.endpoint import Serverless
    from trainers.sagemaker.serving.deploy import still_bills

    if isinstance(settings.serving, Serverless):
        return f"{name} bills each request; to end that: mtool delete {name}"
    return still_bills(name)

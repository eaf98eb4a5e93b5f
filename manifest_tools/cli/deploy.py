"""``mtool deploy``."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.cli.shared import serving_options as shared
from manifest_tools.cli.shared.confirm import confirm
from manifest_tools.cli.shared.exit_codes import INTERRUPTED
from manifest_tools.cli.shared.job_table import duration_text
from manifest_tools.cli.shared.sagemaker_options import pairs
from manifest_tools.cli.shared.screen import note, print_json, warn
from manifest_tools.cli.shared.serving_options import MachineOptions, ServingOptions
from manifest_tools.io.sinks import check_key

if TYPE_CHECKING:
    from trainers.sagemaker.serving.deploy import DeploymentPlan, DeploymentSettings
    from trainers.words.deploy import Deployment


@dataclass(frozen=True, kw_only=True)
class DeployMachineOptions(MachineOptions):
    """What answers, for deploy alone."""

    serverless: Annotated[
        bool, typer.Option("--serverless", help="No machine of its own: billed by the request.")
    ] = False
    memory: Annotated[int, typer.Option(metavar="MB", help="With --serverless: 1024, 2048, ... 6144.")] = 2048
    concurrency: Annotated[int, typer.Option(metavar="N", help="With --serverless: requests at a time.")] = 5
    subnet: Annotated[
        list[str], typer.Option(metavar="ID", help="Run in this private network; may be repeated.")
    ] = field(default_factory=list)
    security_group: Annotated[
        list[str], typer.Option(metavar="ID", help="Of the private network; may be repeated.")
    ] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class ApiOptions(DeployMachineOptions):
    """What is in front of the endpoint."""

    SECTION = "API"

    api: Annotated[
        bool, typer.Option("--api", help="Put an API Gateway in front of it; needs --api-role.")
    ] = False
    api_role: Annotated[
        str | None, typer.Option(metavar="ARN", help="The role with which the API asks the endpoint.")
    ] = None
    public: Annotated[
        bool, typer.Option("--public", help="With --api: whoever knows the address may ask, at your cost.")
    ] = False


@dataclass(frozen=True, kw_only=True)
class DeployOptions(ServingOptions, ApiOptions):
    """The options of deploy."""

    model: Annotated[
        str, typer.Argument(metavar="JOB|MODEL", help="A training job, or a model.tar.gz, here or in S3.")
    ]
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="URI", help="The prefix in S3 that a local model goes under."),
    ] = None
    remind_after: Annotated[
        str | None, typer.Option(metavar="TIME", help="30m, 2h, 1d: when mtool jobs --idle reminds of it.")
    ] = None


def deploy(given: DeployOptions) -> None:
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
    _check(given)
    _check_upload(given)
    planned = _plan(given)
    shared.print_notes(_intention(planned, given), given.asks)
    if given.dry_run or given.emit is not None:
        plan = planned.plan
        shared.print_calls(plan.calls, plan.model.region, given.emit, given.as_json)
        if planned.source.local:
            note(
                "these requests do not upload the model; type first:"
                f" aws s3 cp {planned.source.local} {planned.data}"
            )
        return
    confirm(given.yes, "put it into service, and be billed until it is deleted?")
    url = _carry_out(planned, given)
    name = planned.plan.name
    if not given.as_json:
        print(name, flush=True)
    if not given.no_wait:
        _wait(name, given.every)
    if given.as_json:
        state = "Creating" if given.no_wait else "InService"
        print_json({"endpoint": name, "status": state, "url": url or None})
    warn(_ending(name, given.serverless))


_OF_SERVERLESS = ("memory", "concurrency")
_OF_MACHINES = ("instance_type", "instance_count", "volume_kms_key", "price_per_hour")


def _check(given: DeployOptions) -> None:
    """Refuse an option that would change nothing, and an API without the role that it needs."""
    from trainers.words.deploy import check_api

    others = _OF_MACHINES if given.serverless else _OF_SERVERLESS
    for name in (name for name in others if name in given.typed):
        kind = "machines, and a serverless endpoint has none" if given.serverless else "--serverless"
        raise Refused(f"--{name.replace('_', '-')} is for {kind}; leave it out")
    check_api(given.api, given.api_role, given.public)


def _check_upload(given: DeployOptions) -> None:
    if given.output is None and (given.kms_key is not None or given.force):
        option = "--force" if given.force else "--kms-key"
        raise Refused(
            f"{option} is for a local model.tar.gz that goes to --output; {given.model} is not uploaded"
        )
    check_key(given.kms_key, [given.output] if given.output else [])


def _settings(given: DeployOptions) -> "DeploymentSettings":
    from trainers.sagemaker.client.tags import read_duration
    from trainers.sagemaker.requests.endpoint import Instances, Serverless
    from trainers.sagemaker.requests.training_job import Vpc
    from trainers.sagemaker.serving.deploy import DeploymentSettings

    vpc = tuple(given.subnet), tuple(given.security_group)
    return DeploymentSettings(
        serving=Serverless(given.memory, given.concurrency)
        if given.serverless
        else Instances(given.instance_type, given.instance_count),
        name=given.name,
        vpc=Vpc(*vpc) if any(vpc) else None,
        volume_key=given.volume_kms_key,
        tags=pairs("--tag", given.tag),
        remind_after=read_duration(given.remind_after) if given.remind_after else None,
        api_role=given.api_role,
        public=given.public,
    )


def _plan(given: DeployOptions) -> "Deployment":
    from trainers.words.deploy import plan

    sends = not given.dry_run and given.emit is None
    return plan(given.model, _settings(given), role=given.role, output=given.output, check_names=sends)


def _intention(planned: "Deployment", given: DeployOptions) -> list[str]:
    """Return the plan, a line each."""
    from trainers.sagemaker.client.tags import REMIND_AFTER
    from trainers.sagemaker.serving.api_gateway import role_documents

    deployment, source = planned.plan, planned.source
    lines = [f"{source.title} as the endpoint {deployment.name} in {deployment.model.region}"]
    lines += [f"served by {deployment.model.image}", _serving(deployment, given.price_per_hour)]
    lines += [f"to be uploaded: {planned.data}"] if source.local else []
    lines += [f"classes: {planned.classes}"] if planned.classes else []
    if REMIND_AFTER in deployment.endpoint.tags:
        lines += [f"mtool jobs --idle reminds of it from {deployment.endpoint.tags[REMIND_AFTER]} on"]
    if deployment.api is not None:
        who = "whoever knows its address may ask, at your cost"
        who = who if given.public else "requests are signed (SigV4)"
        documents = role_documents(deployment.api)
        lines += [f"an API Gateway in front of it; {who}"]
        lines += [
            f"the {name} of the API's role has to be: {json.dumps(one)}" for name, one in documents.items()
        ]
    return [*lines, *source.notes]


def _serving(deployment: "DeploymentPlan", prices: list[str]) -> str:
    from trainers.sagemaker.requests.endpoint import Serverless

    serving = deployment.config.serving
    if isinstance(serving, Serverless):
        return f"serverless, {serving.memory:,} MB, {serving.concurrency} requests at a time; billed by use"
    each = shared.machines(serving.instance_type, serving.count)
    return f"on {each}, {shared.per_hour(prices, serving.instance_type, serving.count)}"


def _carry_out(planned: "Deployment", given: DeployOptions) -> str:
    """Upload what is on this disk, and make the rest; after a failure nothing of both stays.

    Returns the address of the API in front of it, or an empty text.
    """
    from trainers.words.deploy import carry_out

    address = carry_out(
        planned, kms_key=given.kms_key, force=given.force, notify=lambda text: shared.print_notes([text])
    )
    if address:
        warn(f"POST a picture to {address}")
    return address


def _wait(name: str, every: float) -> None:
    """Wait until the endpoint answers; after Ctrl-C the endpoint goes on, and the exit code is 130."""
    from trainers.sagemaker.serving.deploy import endpoint_states

    try:
        with shared.waiting(name):
            for state in endpoint_states(name, every=every, notify=lambda text: shared.print_notes([text])):
                shared.print_notes([f"{name}: {state.status} ({duration_text(state.after)})"])
    except KeyboardInterrupt:
        warn(
            f"{name} is still being made, and bills; to delete it once it is in service: mtool delete {name}"
        )
        raise typer.Exit(INTERRUPTED) from None


def _ending(name: str, serverless: bool) -> str:
    from trainers.sagemaker.serving.deploy import still_bills

    return f"{name} bills each request; to end that: mtool delete {name}" if serverless else still_bills(name)

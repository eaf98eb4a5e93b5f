"""``mtool policy``."""

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from manifest_tools.algorithms import ALGORITHMS
from manifest_tools.base.errors import Refused
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.choices import choice
from manifest_tools.cli.shared.screen import note, print_json
from trainers.sagemaker.account.iam_actions import WORDS

if TYPE_CHECKING:
    from trainers.sagemaker.account.policy import Needs


def policy(
    manifests: Annotated[
        list[str] | None, typer.Argument(metavar="MANIFEST", help="Paths, s3:// URIs, or -.")
    ] = None,
    bucket: Annotated[
        list[str] | None,
        typer.Option(metavar="URI", help="Where pictures lie, s3://bucket/prefix; may be repeated."),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "-o", "--output", metavar="URI", help="Where jobs write. [the folder of the manifest in S3]"
        ),
    ] = None,
    for_: Annotated[
        list[str] | None, choice("--for", WORDS, "Allow only this; may be repeated. [all of them]")
    ] = None,
    algorithm: Annotated[
        list[str] | None,
        choice(
            "--algorithm", ALGORITHMS, "What is trained or served; may be repeated. [image-classification]"
        ),
    ] = None,
    role: Annotated[
        str | None, typer.Option(metavar="ARN", help="The role, or its name. [mtool-sagemaker]")
    ] = None,
    account: Annotated[
        str | None, typer.Option(metavar="ID", help="12 digits. [that of --role, or any]")
    ] = None,
    region: Annotated[str | None, typer.Option(metavar="NAME", help="Where jobs run. [AWS_REGION]")] = None,
    kms_key: Annotated[
        str | None, typer.Option(metavar="KEY", help="Allow this key: ID, ARN or alias/NAME.")
    ] = None,
    of: Annotated[Literal["role", "person"] | None, typer.Option(help="Print this policy alone.")] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Print only who may assume the role, its trust document.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all documents as a JSON object.")] = False,
    jobs: options.Jobs = None,
) -> None:
    """Print what IAM has to allow, and no more.

    For the buckets that the manifests name: the policy of the role that SageMaker's jobs assume, its trust
    document, and the policy of who types mtool. Nothing is asked of AWS but manifests in S3.

    \b
    For example:
      mtool policy train.manifest --output s3://lab3-models/hands
      mtool policy train.manifest --output s3://lab3-models/hands --of role > role.json
      mtool policy --bucket s3://lab3-rawdata --output s3://lab3-models --for train --trust > trust.json
    """
    if sum((of is not None, trust, as_json)) > 1:
        raise Refused("--of, --trust and --json are three forms of output; type one of them")
    from trainers.words.policy import policy as policies_for
    from trainers.words.policy import trust as trust_for

    if trust:
        only = trust_for(for_=for_ or WORDS, role=role, account=account, region=region)
        _print_one({"trust": only}, "trust")
        return
    found = policies_for(
        *(manifests or []),
        bucket=bucket or (),
        output=output,
        for_=for_ or WORDS,
        algorithm=algorithm or ("image-classification",),
        role=role,
        account=account,
        region=region,
        kms_key=kms_key,
        jobs=jobs,
    )
    needs, documents = found.needs, found.to_json()
    if needs.account == "*":
        note("the account is not known, so the policies say *; type --account ID, or --role with its ARN")
    if as_json:
        print_json(documents)
    elif of is not None:
        _print_one(documents, of)
    else:
        _print_all(documents, needs)


def _print_one(documents: dict[str, Any], which: str) -> None:
    if documents[which] is None:
        raise Refused("no job runs with what --for allows, so there is no role")
    typer.echo(json.dumps(documents[which], indent=2))


def _print_all(documents: dict[str, Any], needs: "Needs") -> None:
    titles = {
        "role": f"the policy of {needs.role}, the role that jobs assume (--of role):",
        "trust": "who may assume it, its trust document (--trust):",
        "person": "the policy of who types mtool (--of person):",
    }
    for which, title in titles.items():
        if documents[which] is not None:
            note(title)
            typer.echo(json.dumps(documents[which], indent=2))

"""``mtool delete``."""

from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.cli.shared import options
from manifest_tools.cli.shared import serving_options as shared
from manifest_tools.cli.shared.confirm import confirm
from manifest_tools.cli.shared.screen import note, print_json

if TYPE_CHECKING:
    from trainers.sagemaker.serving.delete import EndpointPart, EndpointParts


def delete(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of an endpoint; mtool jobs lists them.")],
    everything: Annotated[
        bool, typer.Option("--all", help="Also a configuration and models that mtool did not make for it.")
    ] = False,
    dry_run: shared.DryRun = False,
    yes: shared.Yes = False,
    every: shared.Every = 10,
    as_json: options.Json = False,
) -> None:
    """Delete an endpoint, and what was made for it.

    The API in front of it, the endpoint, its configuration, its model and its reminder; what it has logged,
    and the model.tar.gz in S3, stay. Also what is left of one that is gone. An endpoint on its way into
    service is waited for.

    \b
    For example:
      mtool delete birds-20240301-123005
      mtool delete birds-20240301-123005 --dry-run
    """
    from trainers.sagemaker.serving.delete import find_parts
    from trainers.words.delete import delete_all

    found = find_parts(name, everything=everything)
    shared.print_notes([_line(found, part) for part in found.parts], not (yes or dry_run))
    shared.print_notes(found.notes)
    if dry_run:
        shared.print_calls(found.calls, found.region, in_object=as_json)
        return
    if not found.calls:
        shared.print_notes(["nothing to delete"])
        if as_json:
            print_json({"endpoint": name, "deleted": []})
        return
    confirm(yes, "delete this for good?", "this deletes for good, and ends the bill")
    if found.changing:
        _wait(found, every)
    delete_all(found, lambda text: shared.print_notes([text]))
    if as_json:
        print_json({"endpoint": name, "deleted": [part.title for part in found.parts if not part.kept]})


def _line(found: "EndpointParts", part: "EndpointPart") -> str:
    state = f" ({found.state})" if part.kind == "endpoint" else ""
    return f"{part.title}{state}: {f'kept: {part.kept}; --all deletes it' if part.kept else 'to be deleted'}"


def _wait(found: "EndpointParts", every: float) -> None:
    """Wait until it can be deleted; an endpoint that has failed can be."""
    from trainers.sagemaker.client.client import NotThere
    from trainers.sagemaker.serving.deploy import EndpointFailed, endpoint_states

    note(f"{found.name} is {found.state} and cannot be deleted yet; waiting until it can")
    try:
        with shared.waiting(found.name):
            for state in endpoint_states(
                found.name, every=every, notify=lambda text: shared.print_notes([text])
            ):
                shared.print_notes([f"{found.name}: {state.status}"])
    except EndpointFailed as failed:
        shared.print_notes([str(failed.reason)])
    except NotThere:
        pass

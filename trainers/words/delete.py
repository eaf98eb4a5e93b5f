"""``mtool delete`` as a function."""

import contextlib

from manifest_tools.base.errors import MtoolError
from trainers.sagemaker.client.client import NotThere
from trainers.sagemaker.client.retry import Notify, notify_nobody
from trainers.sagemaker.serving.delete import EndpointParts, PartsLeft, find_parts
from trainers.sagemaker.serving.delete import delete as delete_part
from trainers.sagemaker.serving.deploy import EndpointFailed, endpoint_states
from trainers.words.agreement import check_agreed


def delete(
    name: str, *, all_: bool = False, dry_run: bool = False, yes: bool = False, every: float = 10
) -> EndpointParts:
    """Delete an endpoint with its API, configuration, model and reminder, and return what it consisted of.

    ``all_`` deletes also a configuration and models that mtool did not make for it. An endpoint on its way
    into service is waited for. Needs ``yes=True``; ``dry_run`` only looks. Raises NotThere where there is
    nothing of the name, PartsLeft for what could not be deleted.
    """
    found = find_parts(name, everything=all_)
    if dry_run or not found.calls:
        return found
    check_agreed(yes, f"{name}: this deletes for good")
    if found.changing:
        with contextlib.suppress(EndpointFailed, NotThere):
            for _ in endpoint_states(name, every=every):
                pass
    delete_all(found)
    return found


def delete_all(found: EndpointParts, notify: Notify = notify_nobody) -> None:
    """Delete each part; when one cannot be deleted, the others still are. Raises PartsLeft."""
    left = []
    for part in (part for part in found.parts if not part.kept):
        try:
            was_there = delete_part(part)
        except MtoolError as error:
            left.append(f"{part.title} ({error})")
            continue
        notify(f"{part.title}: {'deleted' if was_there else 'gone already'}")
    if found.reminder:
        notify(f"reminder of {found.reminder}: gone with the endpoint")
    if left:
        raise PartsLeft(found.name, left)

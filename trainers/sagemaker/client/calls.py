"""Calls of AWS as one list: it is run, printed, written as a script, and undone in reverse."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from manifest_tools.base.errors import MtoolError
from trainers.sagemaker.client.client import NotThere, call_service
from trainers.sagemaker.client.retry import Notify
from trainers.sagemaker.requests.requests import Request

Undo = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a service."""

    service: str
    """boto3's name of the service."""

    operation: str
    """The name of boto3's method."""

    body: dict[str, Any]
    """What the method takes."""

    answer: str = ""
    """The field of the answer that later calls need."""

    takes: str = ""
    """The field of the body that the last such answer goes into."""

    makes: str = ""
    """What people call that which is made; empty where nobody is notified."""

    undo: "Call | None" = None
    """The call that undoes it; it takes the answer that was the last one then."""

    def send(self, found: str = "") -> str:
        """Make the call, and return the last answer that a later call needs: its own, or ``found``.

        Raises what ``client.call_service`` raises.
        """
        body = {**self.body, self.takes: found} if self.takes else self.body
        return str(call_service(self.service, self.operation, body).get(self.answer, found))

    def title(self, found: str) -> str:
        """Return what people call that which was made, with the ID that AWS has given to it."""
        return f"{self.makes} {found}" if self.answer else self.makes


def of_sagemaker(request: Request, makes: str = "", undo: Request | None = None) -> Call:
    """Return the call that sends a request to SageMaker, with the request that undoes it."""
    back = None if undo is None else of_sagemaker(undo)
    return Call("sagemaker", request.operation, request.body, makes=makes, undo=back)


def run_calls(
    calls: Sequence[Call],
    notify: Notify,
    *,
    later: str,
    made_before: Sequence[tuple[str, Undo]] = (),
    was_made: Callable[[], bool] = lambda: False,
) -> str:
    """Make the calls in order, and return the last answer that a later call needs; ``notify`` is given each
    step.

    When a call fails, or is interrupted, what was made is taken back in reverse order, and after it
    ``made_before`` (pairs of what people call it and what undoes it). ``notify`` is given what cannot be
    taken back, with ``later``, the command that deletes it. The last call is the one that bills: where it
    fails, ``was_made`` tells whether it took effect all the same, and then nothing is taken back.
    """
    made: list[tuple[str, Undo]] = [*made_before]
    found, last = "", False
    try:
        for call in calls:
            last = call is calls[-1]
            found = call.send(found)
            if call.undo is not None:
                made.append((call.title(found), _undoing(call.undo, found)))
            if call.makes:
                notify(f"{call.title(found)}: {'made' if call.undo else 'asked for'}")
    except BaseException:
        if not (last and was_made()):
            for title, undo in reversed(made):
                undo_call(title, undo, notify, later)
        raise
    return found


def _undoing(call: Call, found: str) -> Undo:
    return lambda: call.send(found)


def undo_call(title: str, undo: Undo, notify: Notify, later: str) -> None:
    """Undo what was made, and notify of it; nothing is said of what is gone already."""
    try:
        undo()
    except NotThere:
        return
    except MtoolError as error:
        notify(f"{title}: cannot be taken back: {error}; to delete it later: {later}")
    else:
        notify(f"{title}: taken back")

"""Whether a name is in use: asked before anything is made, and after a call without an answer."""

import contextlib
from collections.abc import Sequence

from manifest_tools.base.errors import MtoolError, Refused
from trainers.sagemaker.client.client import NotThere, send
from trainers.sagemaker.client.retry import Notify
from trainers.sagemaker.requests import resources


def check_name_is_free(name: str, kinds: Sequence[str], advice: str) -> None:
    """Raise Refused, with advice, where something of one of the kinds has the name."""
    for kind in kinds:
        with contextlib.suppress(NotThere):
            send(resources.describe(kind, name))
            title = ("an " if kind.startswith("e") else "a ") + resources.KINDS[kind].title
            raise Refused(f"{name}: there is {title} of that name already; {advice}")


def was_made(kind: str, name: str, made_of: str, notify: Notify, advice: str) -> bool:
    """Return whether something was made although no answer came; True where nobody can say.

    It is ours where its field ``made_of`` has its name as well. ``notify`` is then given the advice.
    """
    try:
        if send(resources.describe(kind, name))[made_of] != name:
            return False
    except NotThere:
        return False
    except MtoolError as error:
        notify(f"{resources.KINDS[kind].title} {name}: it may have been made ({error})")
    notify(advice)
    return True

"""Sentences for whoever runs the work, beside its result: what was left out on the way, what to type next."""

import contextlib
from collections.abc import Callable, Iterator

_listeners: list[Callable[[str], None]] = []


def remark(text: str) -> None:
    """Say something that is no result and no error; without a listener nobody hears it."""
    for listener in _listeners:
        listener(text)


@contextlib.contextmanager
def heard_by(listener: Callable[[str], None]) -> Iterator[None]:
    """Give ``listener`` each sentence once until the block ends: a command may open a folder twice.

    >>> with heard_by(print):
    ...     remark("2 links left out")
    ...     remark("2 links left out")
    2 links left out
    """
    said: set[str] = set()

    def once(text: str) -> None:
        if text not in said:
            said.add(text)
            listener(text)

    _listeners.append(once)
    try:
        yield
    finally:
        _listeners.remove(once)

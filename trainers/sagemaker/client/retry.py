"""Asking again while AWS is busy or the network is gone; everything that asks again uses this."""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

from trainers.sagemaker.client.errors import Transient

T = TypeVar("T")
Sleep = Callable[[float], None]
Notify = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Waiting:
    """AWS did not answer as it should, and is asked again after a while."""

    reason: str
    """What it answered, or what broke."""

    seconds: float
    """How long the wait is."""

    def __str__(self) -> str:
        return f"{self.reason}; asking again in {self.seconds:g} s"


def waits(
    ask: Callable[[], T],
    *,
    tries: int = 12,
    first: float = 1.0,
    longest: float = 60.0,
    sleep: Sleep = time.sleep,
) -> Generator[Waiting, None, T]:
    """Yield each wait before it begins, and return what ``ask`` returns in the end.

    A wait is twice as long as the one before, from ``first`` to ``longest`` seconds; with the usual numbers
    eight minutes in all. ``sleep`` stands for time itself. Raises Throttled or Unreachable after so many
    tries, and any other error at once.
    """
    for attempt in range(tries - 1):
        try:
            return ask()
        except Transient as error:
            seconds = min(first * 2.0**attempt, longest)
            yield Waiting(error.reason, seconds)
            sleep(seconds)
    return ask()


def notify_nobody(text: str) -> None:
    """Notify nobody."""


def retry(
    ask: Callable[[], T],
    *,
    notify: Notify = notify_nobody,
    tries: int = 12,
    first: float = 1.0,
    sleep: Sleep = time.sleep,
) -> T:
    """Return what ``ask`` returns in the end; ``notify`` is given each wait in words.

    Raises what ``waits`` does.
    """
    waiting = waits(ask, tries=tries, first=first, sleep=sleep)
    while True:
        try:
            notify(str(next(waiting)))
        except StopIteration as end:
            answer: T = end.value
            return answer

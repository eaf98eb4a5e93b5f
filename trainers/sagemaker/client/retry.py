"""What passes, waited out: AWS is busy, or the network is gone for a while."""

import time
from collections.abc import Callable
from typing import TypeVar

from trainers.sagemaker.client.client import Throttled, Unreachable

T = TypeVar("T")
Sleep = Callable[[float], None]
Notify = Callable[[str], None]


def ignore(text: str) -> None:
    """Tell nobody."""


def retry(
    ask: Callable[[], T],
    *,
    tries: int = 6,
    first: float = 1.0,
    longest: float = 60.0,
    notify: Notify = ignore,
    sleep: Sleep = time.sleep,
) -> T:
    """Return what ``ask`` returns; what passes is asked again, each time after twice the wait, and told.

    Raises Throttled or Unreachable after so many tries, and anything else at once.
    """
    for attempt in range(1, tries):
        try:
            return ask()
        except (Throttled, Unreachable) as error:
            wait = min(first * 2.0 ** (attempt - 1), longest)
            notify(f"{error}; asking again in {wait:g} s")
            sleep(wait)
    return ask()

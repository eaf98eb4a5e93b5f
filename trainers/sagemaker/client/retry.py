"""What passes, waited out: AWS is busy, or the network is gone for a while."""

import time
from collections.abc import Callable
from typing import TypeVar

from trainers.sagemaker.client.client import Throttled, Unreachable

T = TypeVar("T")
Sleep = Callable[[float], None]
Tell = Callable[[str], None]


def silently(text: str) -> None:
    """Tell nobody."""


def patiently(
    ask: Callable[[], T],
    *,
    tries: int = 6,
    first: float = 1.0,
    longest: float = 60.0,
    tell: Tell = silently,
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
            tell(f"{error}; asking again in {wait:g} s")
            sleep(wait)
    return ask()

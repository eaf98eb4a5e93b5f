"""Failures that people reported on the way from a manifest to a model: one table.

``recognise`` finds them in the messages of a job that failed. A cause begins with "Likely" if the sources do
not confirm it.
"""

from manifest_tools.known_failures import jobs, manifests, records
from manifest_tools.known_failures.failure import KnownFailure, match_signs

__all__ = ["FAILURES", "KnownFailure", "recognise"]

# In the order of their rows, from 1.
FAILURES: tuple[KnownFailure, ...] = (*manifests.FAILURES, *records.FAILURES, *jobs.FAILURES)


def recognise(text: str) -> list[KnownFailure]:
    """Return the failures that a FailureReason or a log shows; the one with the longest sign first.

    A sign that is inside a longer one counts for the longer one only.

    >>> [one.row for one in recognise("ClientError: Empty .rec file in train channel")]
    [28]
    """
    words = " ".join(text.split())
    seen = [one for failure in FAILURES for one in match_signs(failure, words)]
    seen.sort(key=lambda one: (-len(one.sign), one.failure.row))
    kept = [
        one
        for at, one in enumerate(seen)
        if not any(other.start <= one.start and one.end <= other.end for other in seen[:at])
    ]
    return list(dict.fromkeys(one.failure for one in kept))

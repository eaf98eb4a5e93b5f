"""Failures that people met on the way from a manifest to a model, each as a frozen value; one table.

``recognise`` finds them in the words of a job that failed. Where the sources do not say what the cause was,
the cause begins with "Likely".
"""

from manifest_tools.known_failures import jobs, manifests, records
from manifest_tools.known_failures.failure import KnownFailure, sightings

__all__ = ["FAILURES", "KnownFailure", "recognise"]

# By row, from 1: a row keeps its number.
FAILURES: tuple[KnownFailure, ...] = (*manifests.FAILURES, *records.FAILURES, *jobs.FAILURES)


def recognise(text: str) -> list[KnownFailure]:
    """Return the failures that a FailureReason, or a log, shows; the one with the most words first.

    Words that are part of a longer sign count for that one only.

    >>> [one.row for one in recognise("ClientError: Empty .rec file in train channel")]
    [28]
    """
    said = " ".join(text.split())
    seen = [one for failure in FAILURES for one in sightings(failure, said)]
    seen.sort(key=lambda one: (-len(one.sign), one.failure.row))
    kept = [
        one
        for at, one in enumerate(seen)
        if not any(other.start <= one.start and one.end <= other.end for other in seen[:at])
    ]
    return list(dict.fromkeys(one.failure for one in kept))

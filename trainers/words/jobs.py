"""``mtool jobs`` as a function: the list."""

from collections.abc import Mapping

from manifest_tools.base.arguments import AnyPaths, as_texts
from trainers.sagemaker.account.idle import idle_endpoints
from trainers.sagemaker.account.jobs import KINDS, NEWEST, JobSummary, list_jobs


def jobs(
    *,
    kind: AnyPaths = KINDS,
    all_: bool = False,
    idle: bool = False,
    price_per_hour: Mapping[str, float] | None = None,
) -> list[JobSummary]:
    """Return the jobs and endpoints in SageMaker: all that run, and the newest that have ended.

    ``all_`` lists all that have ended. ``idle`` lists the endpoints that were not asked anything for an hour.
    ``price_per_hour`` has the price of each instance type, under "" that of any other.
    """
    if idle:
        return [one.job for one in idle_endpoints(prices=price_per_hour)]
    return list(list_jobs(as_texts(kind), newest=None if all_ else NEWEST, prices=price_per_hour))

"""What a conversion loses, once somebody has agreed to lose it."""

from collections import Counter
from collections.abc import Sequence

from manifest_tools.base.errors import Refused
from manifest_tools.base.parallel import Jobs
from manifest_tools.formats.table import format_row
from manifest_tools.verbs.convert.loss import WouldLose, lost_of_data_set, lost_of_manifest
from manifest_tools.verbs.convert.plan import ConversionPlan


def agreed_losses(
    plans: Sequence[ConversionPlan], allow_loss: bool, side_car: bool, jobs: Jobs = None
) -> dict[str, int]:
    """Return what the format cannot hold, in words, with how often; nothing where a side-car keeps it.

    Raises WouldLose where nobody has agreed to lose it.
    """
    first = plans[0]
    if side_car and allow_loss:
        raise Refused("--side-car and --allow-loss: the one keeps what the other lets go; type one of them")
    if first.data is not None and side_car:
        raise Refused("--side-car keeps the lines of a manifest, and with --from there is none; leave it out")
    if side_car and first.retried:
        raise Refused("--side-car keeps all lines of a manifest, --retry converts some; type --allow-loss")
    if side_car:
        return {}
    row = format_row("--to", first.to)
    lost: Counter[str] = Counter()
    if first.data is not None:
        lost.update(lost_of_data_set(first.data, row))
    for planned in plans:
        if planned.source is not None:
            lost.update(lost_of_manifest(planned.source, planned.attribute, row, jobs))
    if lost and not allow_loss:
        places = ", ".join(dict.fromkeys(planned.manifest for planned in plans))
        raise WouldLose(places, first.to, lost, first.data is None)
    return dict(lost)

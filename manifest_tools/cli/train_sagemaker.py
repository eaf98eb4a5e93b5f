"""``mtool train --trainer builtin``: a training job in SageMaker, from the plan to the model."""

from typing import TYPE_CHECKING, Any

from manifest_tools.cli.shared.follow import epochs_of, watch
from manifest_tools.cli.shared.plan_table import price_of, show_plan
from manifest_tools.cli.shared.sagemaker_options import JobOptions
from manifest_tools.cli.shared.sagemaker_plan import (
    launch_or_print,
    plan_or_explain,
    training_settings,
    will_follow,
)
from manifest_tools.cli.shared.screen import clean, note, print_json, warn

if TYPE_CHECKING:
    from trainers.sagemaker.training.follow import JobEnd


def train(given: JobOptions, model: str, early_stopping: bool) -> None:
    """Show the plan, start the job once the person agrees, follow it, and fetch its model."""
    from trainers.sagemaker.requests.requests import create
    from trainers.sagemaker.training.fetch import check_outputs_are_free
    from trainers.sagemaker.training.follow import how_to_go_on

    if given.attach is not None:
        _follow(given.attach, given, model)
        return
    if will_follow(given):
        check_outputs_are_free(model, given.force)
    extra = {"early_stopping": "True"} if early_stopping else {}
    planned = plan_or_explain(training_settings(given, extra))
    request = create(planned.job)
    show_plan(planned, given)
    if launch_or_print(request, given, planned, how_to_go_on(planned.name)):
        _follow(planned.name, given, model)


def _follow(name: str, given: JobOptions, model: str) -> None:
    """Follow the job to its end, and fetch what it made."""
    from trainers.sagemaker.client.client import send
    from trainers.sagemaker.client.errors import Transient
    from trainers.sagemaker.requests import resources
    from trainers.sagemaker.training.fetch import check_outputs_are_free
    from trainers.sagemaker.training.follow import check_ended_well, follow, how_to_go_on

    check_outputs_are_free(model, given.force)
    try:
        epochs = epochs_of(send(resources.describe("training", name)))
        events = follow(name, price_per_hour=price_of(given), every=given.every)
        end = watch(name, events, epochs=epochs)
    except Transient:
        warn(how_to_go_on(name))
        raise
    check_ended_well(end)
    _fetch(end, given, model)


def _fetch(end: "JobEnd", given: JobOptions, model: str) -> None:
    """Fetch the model of a job that is over, and print how good it is."""
    from manifest_tools.base.errors import MtoolError
    from manifest_tools.groundtruth.classes import classes_from
    from trainers.sagemaker.training.fetch import fetch

    classes = classes_from(given.classes) if given.attach else None
    try:
        fetched = fetch(end.description, model, classes=classes, force=given.force)
    except (MtoolError, OSError):
        again = f"mtool train --trainer builtin --attach {end.name}"
        warn(f"{end.name} has left {end.artifact}; to fetch it: {again}")
        raise
    if given.as_json:
        print_json(_report(end, model))
    else:
        print(_summary(end, model))
    for published in fetched.published:
        note(f"{clean(published.path)}: {published.state}")
    if fetched.note:
        warn(fetched.note)


def _report(end: "JobEnd", model: str) -> dict[str, Any]:
    return {
        "job": end.name,
        "status": end.status,
        "artifact": end.artifact,
        "billed_seconds": end.billed,
        "metrics": _metrics(end),
        "output": model,
    }


def _metrics(end: "JobEnd") -> dict[str, float]:
    found = end.description.get("FinalMetricDataList", ())
    return {one["MetricName"]: one["Value"] for one in sorted(found, key=lambda one: str(one["MetricName"]))}


def _summary(end: "JobEnd", model: str) -> str:
    """Return the last line: the figures of the validation part, and where the model is."""
    figures = ", ".join(f"{clean(name)} {value:.3f}" for name, value in _metrics(end).items())
    return f"{end.name}: {figures or 'no figures'}; the model is in {clean(model)}"

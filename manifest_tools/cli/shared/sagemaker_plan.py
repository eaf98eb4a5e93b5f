"""What ``train`` and ``tune`` share on the way from what was typed to a job in SageMaker."""

import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from manifest_tools.base.errors import Refused
from manifest_tools.cli.shared.confirm import confirm
from manifest_tools.cli.shared.plan_table import SHOWN
from manifest_tools.cli.shared.sagemaker_options import JobOptions, pairs, seconds
from manifest_tools.cli.shared.screen import clean, note, print_json, warn

if TYPE_CHECKING:
    from trainers.sagemaker import Request
    from trainers.sagemaker.training.plan import TrainingPlan, TrainingSettings

_LONGEST_WAIT = 28 * 86_400


def training_settings(
    given: JobOptions,
    more: dict[str, str],
    varied: dict[str, str] | None = None,
    longest_name: int | None = None,
) -> "TrainingSettings":
    """Return what was typed, as the library takes it.

    ``more`` are hyperparameters that have options of their own. ``varied`` is what a tuning job varies, see
    ``TrainingSettings``. ``longest_name`` is for a kind of job with shorter names.
    """
    from manifest_tools.algorithms import algorithm
    from manifest_tools.groundtruth.classes import classes_from
    from manifest_tools.verbs.validate.preflight.preflight import read_hyperparameters
    from trainers.sagemaker.client.client import region, role_arn
    from trainers.sagemaker.requests.training_job import Compute, Vpc
    from trainers.sagemaker.training.plan import TrainingSettings
    from trainers.sagemaker.training.warm_start import find_warm_start

    chosen = algorithm(given.algorithm)
    place = region()
    output = _output(given)
    name = given.job_name or _usual_name(given, longest_name)
    vpc = (tuple(given.subnet), tuple(given.security_group))
    if any(vpc) != all(vpc):
        raise Refused("--subnet and --security-group go together; type both")
    return TrainingSettings(
        name=name,
        algorithm=chosen,
        input_format=given.input_,
        data=_data(given),
        output=output,
        region=place,
        role=role_arn(given.role or os.environ.get("MTOOL_ROLE") or os.environ.get("SAGEMAKER_ROLE")),
        compute=Compute(given.instance_type, given.instance_count, given.volume, given.volume_kms_key),
        hyperparameters=more | read_hyperparameters(given.params, given.p),
        varied=varied or {},
        label_attribute=given.label_attribute,
        classes=classes_from(given.classes),
        seed=_seed(given),
        preflight=not given.no_preflight,
        warm_start=find_warm_start(given.init_from) if given.init_from else None,
        max_run=seconds("--max-run", given.max_run),
        max_wait=_max_wait(given),
        checkpoints=_checkpoints(given, output, name),
        output_key=given.kms_key,
        vpc=Vpc(*vpc) if any(vpc) else None,
        retries=given.retries,
        tags=pairs("--tag", given.tag),
        jobs=given.jobs,
    )


def _data(given: JobOptions) -> dict[str, str]:
    """Return a path or URI for each channel."""
    from trainers.sagemaker.client.upload import check_in_s3

    data = {"train": given.train_manifest, "validation": given.validation_manifest}
    more = pairs("--channel", given.channel)
    for name in more:
        if name in data:
            said = "TRAIN" if name == "train" else "VALIDATION"
            raise Refused(f"--channel {name}: {said}, the argument, says that already; leave it out")
    if given.input_ == "augmented-manifest":
        for name in data.values():
            if name in ("train.manifest", "validation.manifest") and not os.path.exists(name):
                raise Refused(f"{name}: not in this folder; type `mtool split output.manifest`, or name two")
            check_in_s3(name)
    return data | more


def _output(given: JobOptions) -> str:
    """Return the prefix in S3: what was typed, or the folder of the manifest."""
    if "output" in given.typed:
        if not given.output.startswith("s3://"):
            raise Refused(
                f"--output {given.output}: expected s3://bucket/prefix, where the job writes;"
                " --model FOLDER is where the model goes in the end"
            )
        return given.output
    if given.train_manifest.startswith("s3://"):
        return given.train_manifest[: given.train_manifest.rfind("/")]
    raise Refused("where do jobs write? type --output s3://bucket/prefix")


def _usual_name(given: JobOptions, longest: int | None) -> str:
    from trainers.sagemaker.requests.names import LONGEST, job_name

    stem = given.train_manifest.rstrip("/").rsplit("/", 1)[-1].partition(".")[0]
    return job_name(stem or "train", datetime.now(UTC), longest or LONGEST)


def _seed(given: JobOptions) -> int:
    if "seed" in given.typed and given.input_ != "augmented-manifest":
        raise Refused("--seed shuffles an augmented manifest; files are read in their order: leave it out")
    return given.seed


def _max_wait(given: JobOptions) -> int | None:
    if not given.spot:
        if given.max_wait is not None:
            raise Refused("--max-wait goes with --spot; type both")
        return None
    if given.max_wait is not None:
        return seconds("--max-wait", given.max_wait)
    return min(2 * seconds("--max-run", given.max_run), _LONGEST_WAIT)


def _checkpoints(given: JobOptions, output: str, name: str) -> str | None:
    """Return where checkpoints go: under a name of their own, for SageMaker restores an old prefix
    silently.
    """
    if given.checkpoints is not None or not given.spot:
        return given.checkpoints
    return f"{output.rstrip('/')}/{name}/checkpoints"


def plan_or_explain(settings: "TrainingSettings") -> "TrainingPlan":
    """Return the plan; where the data has errors that the job would fail with, print them first."""
    from trainers.sagemaker.training.data_check import Unfit
    from trainers.sagemaker.training.plan import plan_training

    try:
        return plan_training(settings)
    except Unfit as error:
        for problem in error.problems[:SHOWN]:
            warn(str(problem))
        if len(error.problems) > SHOWN:
            warn(f"and {len(error.problems) - SHOWN:,} more; mtool validate shows all")
        raise


def will_follow(given: JobOptions) -> bool:
    """Return whether the job is started and followed; raises Refused for two forms of the request at once."""
    if given.emit is not None and given.dry_run:
        raise Refused("--emit and --dry-run both print the request; type one of them")
    if given.emit is not None and given.as_json:
        raise Refused("--emit and --json are two forms of output; type one of them")
    return given.emit is None and not given.dry_run and not given.no_wait


def launch_or_print(
    request: "Request", given: JobOptions, planned: "TrainingPlan", how_to_go_on: str
) -> bool:
    """Start the job once the person agrees, or print its request; return whether it is to be followed."""
    from trainers.sagemaker.training.launch import launch

    if given.emit is not None or given.dry_run:
        _print_request(request, given, planned)
        return False
    confirm(given.yes)
    for published in launch(request, planned.uploads, planned.training.output_key):
        note(f"{clean(published.path)}: {published.state}")
    if not given.no_wait:
        return True
    if given.as_json:
        print_json({"job": planned.name, "status": "InProgress"})
    else:
        print(planned.name)
    note(how_to_go_on)
    return False


def _print_request(request: "Request", given: JobOptions, planned: "TrainingPlan") -> None:
    """Print the request: as JSON, or as a script that sends it, with what has to be uploaded before."""
    from trainers.sagemaker.client.calls import of_sagemaker
    from trainers.sagemaker.client.scripts import as_script

    if given.emit is None:
        print(json.dumps(request.body, indent=2))
        return
    text = as_script(
        given.emit,
        [of_sagemaker(request)],
        region=planned.training.region,
        uploads=planned.uploads,
        kms_key=planned.training.output_key,
    )
    print(text, end="")

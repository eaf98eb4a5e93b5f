"""What to type against a known failure: one command line for each check that would have found it."""

import shlex
from dataclasses import dataclass, field

from manifest_tools.known_failures import KnownFailure

_VALIDATE = "mtool validate {manifests} --for {purpose}{parameters}"
_OBJECTS = "mtool validate {manifests} --for {purpose} --objects"
_REQUEST = "mtool train {manifests} --trainer builtin{launch} --dry-run"
_BOXES = "mtool validate {manifests} --for object-detection"
_RECORDS = "mtool convert {train} --to recordio -o train --allow-loss"
_TRANSFORM = "mtool transform {job} s3://BUCKET/PICTURES/ -o s3://BUCKET/ANSWERS/"

# By the first check of a failure.
_COMMANDS = {
    "ATTR_MISSING": _VALIDATE,
    "WRAP_NONE": _REQUEST,
    "CTYPE": _REQUEST,
    "HP_WLOSS": "mtool train {manifests} --trainer builtin{launch} -p use_weighted_loss=0 --dry-run",
    "IMG_NOSUP": "mtool convert {train} --to folder -o by-class --allow-loss",
    "NUM_SAMPLES": _OBJECTS,
    "KEY_CHARS": "mtool validate {manifests}",
    "JSON_PYREPR": "mtool validate {manifests}",
    "TYPE_VIDEO": _BOXES,
    "S3_EMPTY": "aws s3 ls {train_uri}",
    "S3_DENIED": "mtool policy {manifests}",
    "LINE_FAILED": "mtool filter {train} --labelled -o labelled.manifest",
    "PAIR_ORPHAN": "mtool validate {manifests}",
    "NAME_REF": "aws sagemaker create-labeling-job help",
    "OD_LWIDTH": _BOXES,
    "BT_AUG": _TRANSFORM,
    "LST_FORMAT": _RECORDS,
    "LST_WIDTH": _RECORDS,
    "BATCH_GT_DATA": _VALIDATE,  # which says how large a batch may be
    "LST_CHANNEL": "mtool train {manifests} --trainer builtin{launch} --input lst --dry-run",
    "IMG_SMALL": _OBJECTS,
    "REC_EMPTY": _RECORDS,
    "IMG_BAD": _OBJECTS,
    "REC_FLAG": _RECORDS,
    "OD_VECTOR": _BOXES,
    "LABEL_F32": "mtool validate {manifests}",
    "REC_META": _RECORDS,
    "REC_FRAME": _RECORDS,
    "HP_ENUM": _VALIDATE,
    "HP_ALGO": "mtool validate {manifests} --for object-detection -p image_shape=512",
    "HP_REQ": _VALIDATE,
    "INC_MISMATCH": "mtool jobs show {job} --json",
    "QUOTA": "aws service-quotas list-service-quotas --service-code sagemaker",
    "SPOT_PAIR": "mtool train {manifests} --trainer builtin{launch} --spot --dry-run",
    "SPOT_HPO": "mtool jobs show {job} --json",
    "CLASS_TABLE": "mtool validate {manifests}",
    "HP_CHANNELS": "mtool train {manifests} --trainer builtin{launch} -p image_shape=3,224,224 --dry-run",
    "INF_SIZE": _TRANSFORM,
    "BT_STRATEGY": _TRANSFORM,
    "INF_CTYPE": "mtool deploy {job}",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known of a job, for the command lines of ``command``."""

    job: str = "JOB"
    """Its name."""

    manifests: tuple[str, ...] = ("train.manifest", "validation.manifest")
    """Its train and validation manifest."""

    purpose: str = "builtin"
    """What ``mtool validate --for`` calls its algorithm."""

    hyperparameters: dict[str, str] = field(default_factory=dict)
    """As texts, by name."""

    role: str = ""
    """The ARN of its role; empty where it is not known."""

    output: str = ""
    """Its output prefix in S3; empty where it is not known."""


def command(failure: KnownFailure, setting: Setting) -> str:
    """Return what to type, quoted for a shell: names of jobs and objects come from other people.

    >>> from manifest_tools.known_failures import FAILURES
    >>> command(FAILURES[13], Setting(manifests=("s3://b/my train.manifest",)))
    "mtool policy 's3://b/my train.manifest'"
    """
    manifests = setting.manifests or Setting().manifests
    parameters = (f"{name}={value}" for name, value in sorted(setting.hyperparameters.items()))
    first = shlex.quote(manifests[0])
    return _COMMANDS[failure.checks[0]].format(
        manifests=" ".join(map(shlex.quote, manifests)),
        train=first,
        train_uri=first if first.startswith(("s3://", "'s3://")) else "s3://BUCKET/PREFIX",
        job=shlex.quote(setting.job),
        purpose=setting.purpose,
        launch="".join(
            f" {option} {shlex.quote(value)}"
            for option, value in (("--role", setting.role), ("-o", setting.output))
            if value
        ),
        parameters="".join(f" -p {shlex.quote(one)}" for one in parameters),
    )

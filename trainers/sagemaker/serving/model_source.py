"""The model that is to be served: of a training job, or a model.tar.gz here or in S3."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifest_tools.algorithms import ALGORITHMS, Algorithm, algorithm
from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.text import shown
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.io import s3
from trainers.bad_model import BadModel
from trainers.model_archive import ARCHIVE, CARD, read_archive, read_card
from trainers.sagemaker.client import tags
from trainers.sagemaker.client.client import Denied, role_arn, send
from trainers.sagemaker.requests import resources
from trainers.sagemaker.requests.training_job import CLASSES_TAG
from trainers.sagemaker.serving import class_names

# The files without which the built-in image classification serves nothing.
_GRAPH = "image-classification-symbol.json"
_WEIGHTS = re.compile(r"image-classification-\d{4}\.params")
_TIME = re.compile(r"-\d{8}-\d{6}$")

UNTRIED = (
    "mtool trained this model itself; its files have the names and the form that the built-in algorithm's"
    " image reads, but it is untried there"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSource:
    """A model that can be served, and all that is known of it."""

    title: str
    """What people call it."""

    stem: str
    """What an endpoint of it is named after."""

    algorithm: Algorithm
    """The built-in algorithm whose image serves it."""

    role: str
    """The ARN of the role that it runs as."""

    data: str = ""
    """Its URI in S3; empty for a file on this disk."""

    local: str = ""
    """Its path on this disk; empty for one in S3."""

    table: ClassTable | None = None
    """Its class table; None where it is not known."""

    classes: str = ""
    """The URI of its classes.json in S3; or empty."""

    multi_label: bool = False
    """Whether a picture has several classes, or none."""

    notes: tuple[str, ...] = ()
    """What a person should know of it."""


def find_model_source(name: str, role: str | None = None) -> ModelSource:
    """Return the model of a training job, or of a model.tar.gz by its path or S3 URI.

    ``role`` is what it runs as, in place of the job's own or of MTOOL_ROLE. Raises NotThere, Refused or
    BadModel for what cannot be served, and what the client raises.
    """
    if name.endswith((".tar.gz", ".tgz")) or "/" in name:
        return _from_archive(name, role)
    return _from_job(name, role)


def _from_job(name: str, role: str | None) -> ModelSource:
    description = send(resources.describe("training", name))
    data = description.get("ModelArtifacts", {}).get("S3ModelArtifacts", "")
    state = description["TrainingJobStatus"]
    if not data or state in ("InProgress", "Stopping", "Failed"):
        go_on = "mtool doctor" if state == "Failed" else "mtool jobs show"
        raise Refused(f"{name}: the job is {state} and has no model to serve; type: {go_on} {name}")
    chosen = _algorithm(name, description.get("AlgorithmSpecification", {}).get("TrainingImage", ""))
    known, note = _tags(description)
    names = class_names.of_job(description, known)
    return ModelSource(
        title=f"the model of {name}",
        stem=_TIME.sub("", name),
        algorithm=chosen,
        role=role_arn(role) if role else description["RoleArn"],
        data=data,
        table=names.table,
        classes=names.uri,
        multi_label=description.get("HyperParameters", {}).get("multi_label") == "1",
        notes=tuple(one for one in (note, names.note, _unnamed(names.table), _unread(chosen)) if one),
    )


def _tags(description: Mapping[str, Any]) -> tuple[dict[str, str], str]:
    """Return the job's tags, and a note where they cannot be read: its class table is then not checked."""
    try:
        return tags.read_tags(description["TrainingJobArn"]), ""
    except Denied as error:
        return {}, f"the job's tags cannot be read, so its class table is not checked: {error}"


def _algorithm(name: str, image: str) -> Algorithm:
    repository = image.rpartition("/")[2].partition(":")[0].partition("@")[0]
    if repository not in ALGORITHMS:
        raise Refused(
            f"{name}: expected a job of {', '.join(ALGORITHMS)}; found one of the image {shown(image)}, which"
            " mtool does not know how to serve"
        )
    return algorithm(repository)


def _unnamed(table: ClassTable | None) -> str:
    return (
        ""
        if table
        else "no classes.json is beside its manifests; to name the classes, type predict --classes FILE"
    )


def _unread(chosen: Algorithm) -> str:
    plain = chosen.name == "image-classification"
    return "" if plain else f"mtool predict does not read what {chosen.name} answers"


def _from_archive(path: str, role: str | None) -> ModelSource:
    """Return the model of an archive, which is read once to see whether the image would find its files."""
    files = _files(path)
    if _GRAPH not in files or not any(map(_WEIGHTS.fullmatch, files)):
        raise BadModel(
            path,
            f"expected {_GRAPH} and image-classification-NNNN.params in it, as image-classification has"
            " them; other algorithms' models are deployed from their job: mtool deploy JOB",
        )
    card = _card(path, files)
    remote = path.startswith("s3://")
    table = ClassTable.from_json(card) if card else None
    names = (
        class_names.first_of([class_names.beside(path)])
        if remote and not table
        else class_names.NamedClasses()
    )
    return ModelSource(
        title=path,
        stem=_stem(path),
        algorithm=algorithm("image-classification"),
        role=role_arn(role),
        data=path if remote else "",
        local="" if remote else path,
        table=table or names.table,
        classes=names.uri,
        multi_label=card.get("multi-label") is True,
        notes=(UNTRIED,) if card.get("trainer") == "gluon" else (),
    )


def _files(path: str) -> dict[str, bytes]:
    if path.startswith("s3://"):
        with s3.open_stream(path) as stream:
            return read_archive(path, stream)
    if not Path(path).is_file():
        raise Refused(f"{path}: expected a training job's name, or a model.tar.gz; there is no such file")
    with Path(path).open("rb") as file:
        return read_archive(path, file)


def _card(path: str, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the classes.json inside, which models of mtool have; empty for those of the built-in
    algorithm.
    """
    if CARD not in files:
        return {}
    card = read_card(path, files[CARD])
    try:
        ClassTable.from_json(card)
    except BadData as error:
        raise BadModel(path, f"{CARD} cannot be read ({error})") from error
    return card if isinstance(card, dict) else {"classes": card}


def _stem(path: str) -> str:
    """Return what an endpoint of the file is named after: the file's name, or its folder's for a
    model.tar.gz.

    >>> _stem("birds/model.tar.gz"), _stem("birds.tar.gz"), _stem("model.tar.gz")
    ('birds', 'birds', 'model')
    """
    parts = path.removeprefix("s3://").split("/")
    last = parts[-1].removesuffix(".tar.gz").removesuffix(".tgz")
    return parts[-2] if parts[-1] == ARCHIVE and len(parts) > 1 and parts[-2].strip(".") else last


def class_tags(source: ModelSource, classes: str) -> dict[str, str]:
    """Return the tags about the model's classes; ``classes`` is the URI of its classes.json."""
    found = {tags.CLASSES: classes} if classes and tags.fits(classes) else {}
    found |= {CLASSES_TAG: source.table.digest} if source.table else {}
    return found | ({tags.MULTI_LABEL: "1"} if source.multi_label else {})

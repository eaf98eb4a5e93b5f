"""The model of a finished job, copied into a folder where ``mtool evaluate`` and ``predict`` find it."""

import json
import re
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.io import s3
from manifest_tools.io.sinks import Publication, Published, check_free, publishing
from trainers.model_archive import ARCHIVE, Model, inside, name_classes, read_archive, write_model
from trainers.sagemaker.client.upload import CLASSES, job_prefix
from trainers.tar_file import Gunzip

IMAGE_CLASSIFICATION = "image-classification"
_SIDES = re.compile(r"3, ?(\d+), ?\1", re.ASCII)
_USUAL_SHAPE, _USUAL_LAYERS = "3,224,224", "152"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was written into the folder."""

    published: tuple[Published, ...]
    """The files."""

    note: str = ""
    """What the model cannot be used for; or empty."""


def check_outputs_are_free(output: str, force: bool) -> None:
    """Raise Exists for a folder with a model in it, before the job is billed."""
    if not force:
        check_free(inside(output, ARCHIVE), "--model")


def fetch(
    description: Mapping[str, Any], output: str, *, classes: ClassTable | None = None, force: bool = False
) -> Fetched:
    """Copy the model of a described training job into ``output``, a folder or a prefix in S3.

    The model itself has no class names: they are those that were uploaded for the job, or ``classes``.
    Models of other algorithms are copied as they are. Raises Refused for a job without a model, Exists for
    a folder with another one.
    """
    name = description["TrainingJobName"]
    uri = description.get("ModelArtifacts", {}).get("S3ModelArtifacts", "")
    if not uri:
        raise Refused(f"{name} has left no model; type: mtool doctor {name}")
    card, note = _card(description, classes)
    if why := _why_not_readable(description):
        return Fetched(
            _as_it_is(uri, output, force), f"{name}: {why}, so mtool evaluate and predict cannot use it"
        )
    with s3.open_stream(uri) as stream:
        model = _model(description, card, read_archive(uri, stream))
    with _publishing(output, force) as publication:
        write_model(model, publication.open(inside(output, ARCHIVE)))
    return Fetched(tuple(publication.published), note)


def _publishing(output: str, force: bool) -> AbstractContextManager[Publication]:
    return publishing(force=force, options={inside(output, ARCHIVE): "--model"})


def _why_not_readable(description: Mapping[str, Any]) -> str:
    """Return why a model cannot be used on this machine; empty where it can."""
    image = description["AlgorithmSpecification"].get("TrainingImage", "")
    if f"/{IMAGE_CLASSIFICATION}:" not in image:
        return "not a model of image classification"
    return "" if _side(description) else "it does not take square pictures with three colours"


def _side(description: Mapping[str, Any]) -> int:
    """Return the side of the pictures that the model takes, in pixels; 0 where they are not square."""
    match = _SIDES.fullmatch(description.get("HyperParameters", {}).get("image_shape", _USUAL_SHAPE))
    return int(match[1]) if match else 0


def _model(description: Mapping[str, Any], card: dict[str, Any], files: dict[str, bytes]) -> Model:
    values = description["HyperParameters"]
    return Model(
        predictor="builtin",
        network=f"resnet{values.get('num_layers', _USUAL_LAYERS)}",
        image_size=_side(description),
        table=name_classes(ClassTable.from_json(card), int(values["num_classes"])),
        multi_label=values.get("multi_label") == "1",
        attribute=str(card.get("label-attribute") or "label"),
        files=files,
    )


def _card(description: Mapping[str, Any], classes: ClassTable | None) -> tuple[dict[str, Any], str]:
    """Return what the classes.json of the job says, and a note where there is none."""
    if classes is not None:
        return classes.to_json(), ""
    # A trial's table is that of its tuning job.
    name = description.get("TuningJobArn", description["TrainingJobName"]).rpartition("/")[2]
    uri = f"{job_prefix(description['OutputDataConfig']['S3OutputPath'], name)}/{CLASSES}"
    try:
        card = json.loads(s3.read(uri))
        table = ClassTable.from_json(card)
    except s3.NotThere:
        return {}, f"{uri}: not there, so classes are called by their numbers; type --classes FILE"
    except (ValueError, RecursionError) as error:
        raise BadData(f"{uri}: expected a class table; found {error}") from error
    if card.get("sha256", table.digest) != table.digest:
        raise BadData(
            f"{uri}: somebody has changed the classes in it (their hash differs); type --classes FILE"
            " with the model's own"
        )
    return card, ""


def _as_it_is(uri: str, output: str, force: bool) -> tuple[Published, ...]:
    """Copy the archive. It is compressed anew: its files stay equal, its bytes may change."""
    with _publishing(output, force) as publication, s3.open_stream(uri) as stream:
        shutil.copyfileobj(Gunzip(uri, stream), publication.open(inside(output, ARCHIVE)), 1 << 20)
    return tuple(publication.published)

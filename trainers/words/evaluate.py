"""``mtool evaluate`` as a function."""

from dataclasses import dataclass, replace

from manifest_tools.base.arguments import AnyPath, AnyPaths, as_text, as_texts
from manifest_tools.base.parallel import Jobs
from manifest_tools.base.problem import Problem
from manifest_tools.groundtruth.classes import ClassTable, classes_from
from trainers.evaluation import evaluate as measure
from trainers.metrics import Metrics
from trainers.model_archive import is_nameless, read_model
from trainers.prepare import ReadPictures, against_model, read_pictures, temporary_records


@dataclass(frozen=True, slots=True)
class Evaluated:
    """How good a model is on the pictures of a manifest."""

    metrics: Metrics
    table: ClassTable
    """The classes of the model; the manifest names those that it has no names for."""

    problems: tuple[Problem, ...]
    """Why pictures had to be left out."""


def evaluate(
    manifest: AnyPath = "validation.manifest",
    model: AnyPath = "model",
    *,
    images: AnyPaths = (),
    label_attribute: str | None = None,
    classes: ClassTable | AnyPath | None = None,
    jobs: Jobs = None,
    read: ReadPictures | None = None,
) -> Evaluated:
    """Return how good a model is on the pictures of a manifest: the figures of each class, and the confusion.

    ``read`` reads the pictures, as ``read_pictures`` does. Raises ClassConflict for a class that the model
    does not know, Refused where no picture can be had, BadModel for a model that cannot be used.
    """
    trained = read_model(as_text(model), classes_from(classes))
    with temporary_records() as place:
        planned = against_model(
            as_text(manifest),
            trained,
            as_text(model),
            place,
            images=as_texts(images),
            label_attribute=label_attribute,
        )
        if is_nameless(trained.table):
            trained = replace(trained, table=planned.table)
        data, problems = (read or read_pictures(jobs))(planned)
        return Evaluated(measure(trained, data), trained.table, problems)

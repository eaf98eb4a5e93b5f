"""From manifests to data sets: what ``convert`` makes, made once and used again while nothing changes."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from manifest_tools.base.errors import Refused
from manifest_tools.base.parallel import Jobs, Progress, no_progress
from manifest_tools.base.problem import Problem
from manifest_tools.groundtruth.classes import ClassConflict, ClassTable
from manifest_tools.groundtruth.examples import Examples, read_examples
from manifest_tools.verbs.convert.convert import carry_out, is_current, plan
from manifest_tools.verbs.convert.pictures import Fetch
from manifest_tools.verbs.convert.plan import ConversionPlan
from trainers.dataset import Dataset, from_records
from trainers.model_archive import Model

# Beside the model: pictures as the network sees them.
CACHE = "data"

_HOW_MANY = {False: "one class", True: "several classes"}


@dataclass(frozen=True, slots=True)
class Pair:
    """The labelled lines of a training and a validation manifest, which agree on their classes."""

    train: Examples
    validation: Examples
    table: ClassTable


def read_pair(
    train: str, validation: str, label_attribute: str | None = None, classes: ClassTable | None = None
) -> Pair:
    """Return the labelled lines of both; raises ClassConflict where their class tables disagree."""
    first = read_examples(train, label_attribute, classes=classes)
    second = read_against(validation, label_attribute, first.table, train)
    if first.multi_label != second.multi_label:
        told, other = (_HOW_MANY[several] for several in (first.multi_label, second.multi_label))
        raise Refused(f"{train} has {told} a picture, and {validation} has {other}")
    return Pair(first, second, second.table)


def read_against(manifest: str, label_attribute: str | None, table: ClassTable, owner: str) -> Examples:
    """Return the labelled lines of ``manifest``, in the class table that ``owner`` has as well."""
    try:
        return read_examples(manifest, label_attribute, classes=table)
    except ClassConflict as conflict:
        raise ClassConflict(f"{manifest} and {owner} disagree: {conflict}") from conflict


def plan_records(
    manifest: str, output: str, side: int, examples: Examples, table: ClassTable, images: Sequence[str]
) -> ConversionPlan:
    """Return how the pictures of a manifest become ``output``.rec, squares of ``side`` pixels."""
    return plan(
        manifest,
        "recordio",
        output,
        images=images,
        label_attribute=examples.attribute.name,
        resize=side,
        square=True,
        classes=table,
    )


def plan_pair(
    pair: Pair, train: str, validation: str, model: str, side: int, images: Sequence[str]
) -> tuple[ConversionPlan, ConversionPlan]:
    """Return the plans of both manifests, whose records will lie beside the model.

    Raises Refused for a model in S3: records are read from this disk, see ``records_place``.
    """
    if model.startswith("s3://"):
        raise Refused(f"{model}: expected a folder on this disk; type: aws s3 cp --recursive, afterwards")
    folder = os.path.join(model, CACHE)
    return (
        plan_records(train, os.path.join(folder, "train"), side, pair.train, pair.table, images),
        plan_records(
            validation, os.path.join(folder, "validation"), side, pair.validation, pair.table, images
        ),
    )


def dataset(
    planned: ConversionPlan,
    *,
    jobs: Jobs = None,
    fetch: Fetch | None = None,
    progress: Progress = no_progress,
) -> tuple[Dataset, tuple[Problem, ...]]:
    """Return the data set of a plan, and what was wrong with pictures that are not in it.

    Records that are there already and were made of the same things are used as they are.
    """
    problems: tuple[Problem, ...] = ()
    if not is_current(planned):
        os.makedirs(planned.folder, exist_ok=True)
        # Ours to replace: it was made from other lines, or in another way.
        problems = carry_out(planned, jobs=jobs, force=True, fetch=fetch, progress=progress).problems
    examples, side = planned.examples, planned.recipe.shorter
    return from_records(f"{planned.output}.rec", side, examples.table, examples.attribute.name), problems


def against_model(
    manifest: str,
    model: Model,
    model_path: str,
    place: str,
    *,
    images: Sequence[str] = (),
    label_attribute: str | None = None,
) -> ConversionPlan:
    """Return the plan of a manifest's pictures for a model, which must know all of its classes.

    The records that training left beside the model are used where they still fit; others go to ``place``.
    """
    examples = read_against(manifest, label_attribute, model.table, "the model")
    if examples.table != model.table:
        known = dict(model.table.names)
        strange = ", ".join(name for index, name in examples.table.names if index not in known)
        raise ClassConflict(f"{manifest} has classes that the model does not know: {strange}")
    if examples.multi_label != model.multi_label:
        told, answered = (_HOW_MANY[several] for several in (examples.multi_label, model.multi_label))
        raise Refused(f"{manifest} has {told} a picture, and the model answers {answered}")
    folder = model_path if os.path.isdir(model_path) else os.path.dirname(model_path)
    beside = os.path.join(folder, CACHE, "validation")
    planned = plan_records(manifest, beside, model.image_size, examples, model.table, images)
    return planned if is_current(planned) else replace(planned, output=place)


@contextmanager
def records_place(model: str) -> Iterator[str]:
    """Yield the folder for a model's records: its own, or for a model in S3 one that is then removed."""
    if model.startswith("s3://"):
        with tempfile.TemporaryDirectory(prefix="mtool-") as folder:
            yield folder
    else:
        yield model


@contextmanager
def passing() -> Iterator[str]:
    """Yield a name for records that are needed for a moment, in a folder that is then removed."""
    with tempfile.TemporaryDirectory(prefix="mtool-") as folder:
        yield os.path.join(folder, "evaluate")

"""From manifests to data sets: records as ``convert`` makes them, used again while nothing changes."""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from manifest_tools.base.errors import Refused
from manifest_tools.base.parallel import Jobs, Progress, no_progress
from manifest_tools.base.problem import Problem
from manifest_tools.base.text import listed
from manifest_tools.formats.table import LabelsNotHeld
from manifest_tools.groundtruth.classes import ClassConflict, ClassTable
from manifest_tools.groundtruth.conflict_policy import ConflictPolicy
from manifest_tools.images.shrink import Recipe
from manifest_tools.verbs.convert.carry_out import carry_out
from manifest_tools.verbs.convert.missing_pictures import fetcher, missing
from manifest_tools.verbs.convert.opening import Fetch
from manifest_tools.verbs.convert.plan import ConversionPlan, plan, plan_each
from manifest_tools.verbs.convert.report import is_current
from trainers.dataset import Dataset, from_records
from trainers.model_archive import Model, is_nameless

# The folder beside the model with the pictures as the network takes them.
CACHE = "data"

# The output of a plan that is not carried out.
_NOWHERE = "nowhere"

_HOW_MANY = {False: "one class", True: "several classes"}


@dataclass(frozen=True, slots=True)
class PlannedPair:
    """A training and a validation manifest, each read once, which agree on their classes.

    What becomes of their pictures is open until the side is known: see ``records_of_pair``.
    """

    train: ConversionPlan
    validation: ConversionPlan

    @property
    def table(self) -> ClassTable:
        """The classes of both."""
        return self.validation.table

    @property
    def counts(self) -> tuple[int, int]:
        """How many labelled lines each has."""
        return self.train.count, self.validation.count

    def in_both(self) -> int:
        """Return how many lines of the validation manifest name a picture of the training manifest."""
        learnt = {picture.ref for picture in self.train.lines}
        return sum(picture.ref in learnt for picture in self.validation.lines)


def read_pair(
    train: str,
    validation: str,
    label_attribute: str | None = None,
    classes: ClassTable | None = None,
    images: Sequence[str] = (),
    conflicts: ConflictPolicy = "drop",
) -> PlannedPair:
    """Return both manifests, read.

    ``conflicts`` says what becomes of lines of one picture with different classes. Raises ClassConflict where
    the classes of the manifests disagree, Refused where one has several classes a picture and the other has
    one, or where labels are boxes or masks, BadData for such lines with ``error``.
    """
    with _class_labels():
        first, second = plan_each(
            [train, validation],
            "recordio",
            [_NOWHERE, _NOWHERE],
            images=images,
            label_attribute=label_attribute,
            pass_through=True,
            classes=classes,
            conflicts=conflicts,
        )
    return PlannedPair(first, second)


def plan_against(
    manifest: str, label_attribute: str | None, images: Sequence[str], table: ClassTable, owner: str
) -> ConversionPlan:
    """Return the lines of a manifest, in the class table of ``owner``, and where their pictures lie.

    Nothing will be written. Raises ClassConflict where the manifest disagrees with that table, Refused
    where its labels are boxes or masks.
    """
    try:
        with _class_labels():
            return plan(
                manifest,
                "recordio",
                _NOWHERE,
                images=images,
                label_attribute=label_attribute,
                pass_through=True,
                classes=table,
                conflicts="keep",  # lines that are compared are remembered, so the manifest is read once
            )
    except ClassConflict as conflict:
        # The cause without the advice to type `mtool validate`, which does not know the table of the owner.
        why = conflict.__cause__ or conflict
        raise ClassConflict(f"{manifest} and {owner} disagree: {why}") from conflict


@contextmanager
def _class_labels() -> Iterator[None]:
    """Say about labels that records cannot hold what a classifier learns: nobody typed a format."""
    try:
        yield
    except LabelsNotHeld as error:
        raise Refused(
            f"{error.labels}, but a classifier on this machine learns classes of whole pictures;"
            " for boxes or masks, type `mtool train --trainer builtin --algorithm NAME`"
        ) from error


def records_of(planned: ConversionPlan, output: str, side: int) -> ConversionPlan:
    """Return how the pictures of a plan become ``output``.rec, squares of ``side`` pixels."""
    return replace(planned, output=output, recipe=Recipe(side, square=True))


def records_of_pair(pair: PlannedPair, model: str, side: int) -> tuple[ConversionPlan, ConversionPlan]:
    """Return how the pictures of both manifests become records beside the model.

    Raises Refused for a model in S3: records are read from this disk, see ``records_place``.
    """
    if model.startswith("s3://"):
        raise Refused(f"{model}: expected a folder on this disk; type: aws s3 cp --recursive, afterwards")
    folder = os.path.join(model, CACHE)
    return (
        records_of(pair.train, os.path.join(folder, "train"), side),
        records_of(pair.validation, os.path.join(folder, "validation"), side),
    )


def _check_label_count(planned: ConversionPlan, manifest: str, several: bool, other: str) -> None:
    """Raise Refused where one has one class a picture, and the other several."""
    if planned.multi_label != several:
        first, second = (_HOW_MANY[each] for each in (planned.multi_label, several))
        raise Refused(f"{manifest} has {first} a picture, and {other} {second}")


def dataset(
    planned: ConversionPlan,
    *,
    jobs: Jobs = None,
    fetch: Fetch | None = None,
    progress: Progress = no_progress,
) -> tuple[Dataset, tuple[Problem, ...]]:
    """Return the data set of a plan, and a problem for each picture that is not in it.

    Records that are there already, and were made from the same lines and pictures, are used as they are.
    """
    problems: tuple[Problem, ...] = ()
    if not is_current(planned):
        os.makedirs(planned.folder, exist_ok=True)
        # The file was made by an earlier run, from other lines or in another way: it may be replaced.
        problems = carry_out(planned, jobs=jobs, force=True, fetch=fetch, progress=progress).problems
    rec, side = f"{planned.output}.rec", planned.recipe.shorter
    return from_records(rec, side, planned.table, planned.attribute.name), problems


def against_model(
    manifest: str,
    model: Model,
    model_path: str,
    place: str,
    *,
    images: Sequence[str] = (),
    label_attribute: str | None = None,
) -> ConversionPlan:
    """Return the plan of a manifest's pictures for a model.

    The records that training left beside the model are used where they still fit; others go to ``place``.
    Raises ClassConflict for a class that the model does not know, Refused where one of them has several
    classes a picture and the other has one.
    """
    planned = plan_against(manifest, label_attribute, images, model.table, "the model")
    known = range(model.table.num_classes) if is_nameless(model.table) else dict(model.table.names)
    if strange := ", ".join(name for index, name in planned.table.names if index not in known):
        its = listed(model.table.labels)
        raise ClassConflict(
            f"{manifest} has classes that the model does not know: {strange}; its classes: {its}"
        )
    _check_label_count(planned, manifest, model.multi_label, "the model predicts")
    folder = model_path if os.path.isdir(model_path) else os.path.dirname(model_path)
    beside = records_of(planned, os.path.join(folder, CACHE, "validation"), model.image_size)
    return beside if is_current(beside) else replace(beside, output=place)


@contextmanager
def records_place(model: str) -> Iterator[str]:
    """Yield the folder for a model's records: its own, or for a model in S3 a temporary one."""
    if model.startswith("s3://"):
        with tempfile.TemporaryDirectory(prefix="mtool-") as folder:
            yield folder
    else:
        yield model


@contextmanager
def temporary_records() -> Iterator[str]:
    """Yield a name for records, in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="mtool-") as folder:
        yield os.path.join(folder, "evaluate")


ReadPictures = Callable[[ConversionPlan], tuple[Dataset, tuple[Problem, ...]]]
"""Reads the pictures of a plan: the data set, and a problem for each picture that is not in it."""


def read_pictures(jobs: Jobs = None, progress: Progress = no_progress) -> ReadPictures:
    """Return what reads the pictures of a plan, here or from S3, and says nothing.

    What it returns raises Refused where no picture at all can be had.
    """

    def read(planned: ConversionPlan) -> tuple[Dataset, tuple[Problem, ...]]:
        fetch = fetcher(planned)
        missing(planned, fetch is not None)
        return dataset(planned, jobs=jobs, fetch=fetch, progress=progress)

    return read

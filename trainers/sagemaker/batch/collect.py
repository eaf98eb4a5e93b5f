"""The answers of a transform job, collected into a manifest as one more label.

A line stays as it is, byte for byte; a label attribute and its metadata are added at its end, in the form
of Ground Truth's automated labels. So every word that reads manifests reads the answers too.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from manifest_tools.base.errors import Refused
from manifest_tools.base.parallel import run
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.io import s3
from manifest_tools.io.s3uri import parse
from manifest_tools.io.sinks import Publication
from trainers.predicted_lines import (
    ATTRIBUTE,
    ManifestLine,
    lines_of_pictures,
    of_manifest,
    predicted_label,
    with_label,
)
from trainers.prediction import Prediction
from trainers.sagemaker.batch.picture_list import prefix_of_list
from trainers.sagemaker.client import tags
from trainers.sagemaker.client.client import pages, send
from trainers.sagemaker.requests import resources
from trainers.sagemaker.requests.requests import Request
from trainers.sagemaker.requests.training_job import CLASSES_TAG
from trainers.sagemaker.serving import class_names
from trainers.sagemaker.serving.read_answers import prediction, read_answer

_AT_ONCE = 16
_OUT = ".out"


@dataclass(frozen=True, slots=True)
class Answers:
    """Where a transform job's answers are in S3, and what they mean."""

    job: str
    """The name of the job."""

    state: str
    """Its state."""

    prefix: str
    """The prefix of its pictures."""

    listed: bool
    """The pictures were named one by one."""

    output: str
    """The prefix of the answers, without a slash at its end."""

    table: ClassTable
    """The class table; empty where no class has a name."""

    multi_label: bool
    """Whether a picture has several classes, or none."""

    ended: datetime
    """When the job ended, in UTC."""

    notes: tuple[str, ...] = ()
    """What a person should know of them."""


def find_answers(name: str, table: ClassTable | None = None) -> Answers:
    """Return what is known of a transform job's answers.

    ``table`` is used in place of the job's own classes.json. Raises NotThere, or Refused for a job that is
    not over.
    """
    description = send(resources.describe("transform", name))
    state = description["TransformJobStatus"]
    if state in resources.KINDS["transform"].live:
        raise Refused(f"{name}: the job is {state}; type, once it is over: mtool transform {name} --collect")
    source = description["TransformInput"]["DataSource"]["S3DataSource"]
    listed = source["S3DataType"] == "ManifestFile"
    known = tags.read_tags(description["TransformJobArn"])
    names = class_names.NamedClasses(table)
    if table is None and tags.CLASSES in known:
        names = class_names.first_of([known[tags.CLASSES]], known.get(CLASSES_TAG, ""))
    nameless = "" if names.table else class_names.NAMELESS
    return Answers(
        name,
        state,
        prefix_of_list(source["S3Uri"]) if listed else source["S3Uri"],
        listed,
        description["TransformOutput"]["S3OutputPath"].rstrip("/"),
        names.table or ClassTable(),
        known.get(tags.MULTI_LABEL) == "1",
        _ended(description),
        tuple(one for one in (names.note, nameless) if one),
    )


def _ended(description: dict[str, Any]) -> datetime:
    moment: datetime = description.get("TransformEndTime") or description["CreationTime"]
    return moment.astimezone(UTC)


@dataclass(slots=True)
class Collected:
    """How many pictures have their answer."""

    answered: int = 0
    """Pictures with an answer."""

    unanswered: int = 0
    """Pictures without one."""

    missing: list[str] = field(default_factory=list)
    """The first few pictures without an answer."""


def lines_of(answers: Answers, manifest: str | None, attribute: str) -> Iterator[ManifestLine]:
    """Return the lines that the answers go into: a manifest's own, or a new one for each of the job's
    pictures.

    Raises Refused for a job that read a list of pictures, where its manifest is not given.
    """
    if manifest is not None:
        return of_manifest(manifest, attribute)
    if answers.listed:
        raise Refused(
            f"{answers.job}: the job read the pictures of a manifest; type --manifest with that file"
        )
    return of_prefix(answers.prefix)


def of_prefix(prefix: str) -> Iterator[ManifestLine]:
    """Yield a line for each object under a prefix, in order of keys; raises as ``call_service`` does."""
    bucket, _, key = prefix.removeprefix("s3://").partition("/")
    for page in pages(Request("list_objects_v2", {"Bucket": bucket, "Prefix": key}), "s3"):
        for one in page.get("Contents", ()):
            if not one["Key"].endswith("/"):
                uri = f"s3://{bucket}/{one['Key']}"
                yield from lines_of_pictures([uri])


def collect(
    answers: Answers,
    lines: Iterable[ManifestLine],
    publication: Publication,
    path: str,
    attribute: str = ATTRIBUTE,
) -> Collected:
    """Write every line to ``path``, with its answer where there is one. Raises NoAnswer, and what ``io.s3``
    raises.
    """
    found = Collected()
    stream = publication.open(path)
    reader = _AnswerReader(answers)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for ref, line, answer in run(partial(_answered, reader, answers), lines, pool, 4 * _AT_ONCE):
            if answer is None:
                stream.write(line)
                _count_missing(found, ref)
            else:
                found.answered += 1
                stream.write(with_label(line, attribute, label(answer, answers)))
    return found


def _count_missing(found: Collected, ref: str) -> None:
    if ref:
        found.unanswered += 1
        found.missing += [ref] if len(found.missing) < 5 else []


def _answered(
    reader: "_AnswerReader", answers: Answers, item: ManifestLine
) -> tuple[str, bytes, Prediction | None]:
    ref, line = item
    data = reader.read(ref) if ref else None
    if data is None:
        return ref, line, None
    return ref, line, prediction(ref, read_answer(data), answers.table, answers.multi_label)


class _AnswerReader:
    """Reads the answer about a picture, wherever the service has put it."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._way: Callable[[Answers, str], str] | None = None

    def read(self, ref: str) -> bytes | None:
        for way in [self._way] if self._way else _WAYS:
            try:
                data = s3.read(f"{way(self._answers, ref)}{_OUT}")
            except s3.NotThere as error:
                if error.what == "bucket":
                    raise
                continue
            self._way = way
            return data
        return None


def _below(answers: Answers, ref: str) -> str:
    """Return the place of an answer: what follows the prefix of the pictures, under the output."""
    folder = answers.prefix.rpartition("/")[0] + "/"
    return f"{answers.output}/{ref.removeprefix(folder)}"


def _whole_key(answers: Answers, ref: str) -> str:
    return f"{answers.output}/{ref.removeprefix('s3://').partition('/')[2]}"


def _last_folder(answers: Answers, ref: str) -> str:
    """Return the place of an answer below the last folder of the prefix, as the API's own page shows it."""
    folder = answers.prefix.rstrip("/").rpartition("/")
    return f"{answers.output}/{ref.removeprefix(folder[0] + '/')}"


# AWS's pages show several; the first is what the service was seen to do.
_WAYS = (_below, _last_folder, _whole_key)


def label(answer: Prediction, answers: Answers) -> tuple[Any, dict[str, Any]]:
    """Return the label and the metadata of an answer, in Ground Truth's form."""
    job = f"transform-job/{answers.job}"
    return predicted_label(answer, answers.table, answers.multi_label, job, answers.ended)


def check_prefix(uri: str) -> None:
    """Raise Refused for pictures that are not a prefix in S3."""
    try:
        parse(f"{uri.rstrip('/')}/x")
    except ValueError as error:
        raise Refused(f"pictures: expected a prefix in S3, such as s3://bucket/pictures/; {error}") from error

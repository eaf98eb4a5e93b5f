"""What Label Studio says of one task, in its full export or in JSON-MIN, as values.

Of several people's answers the last counts that was not skipped, or one that is marked as the truth; where
nobody has answered, the last of a model.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from manifest_tools.formats.label_studio_config import Family

Number = int | float

# ---- what a file says ----


class ImageSize(msgspec.Struct, omit_defaults=True, gc=False):
    """The size of a picture, as Ground Truth has it beside boxes."""

    width: Number | None = None
    height: Number | None = None
    depth: int | None = None


class GroundTruth(msgspec.Struct, rename="kebab", omit_defaults=True):
    """What a manifest says of a picture and Label Studio has no field for; in the data of a task."""

    line: int | None = None
    label_attribute: str | None = None
    job_name: str | None = None
    human_annotated: str | None = None
    creation_date: str | None = None
    image_size: ImageSize | None = None
    confidence: dict[str, Number] | None = None
    """By class; the confidence of a box stands at the box."""


class Value(msgspec.Struct, omit_defaults=True):
    """A region in percent of the picture, or choices."""

    x: Number | None = None
    y: Number | None = None
    width: Number | None = None
    height: Number | None = None
    rotation: Number | None = None
    points: list[tuple[Number, Number]] | None = None
    closed: bool | None = None
    rectanglelabels: list[str] | None = None
    polygonlabels: list[str] | None = None
    labels: list[str] | None = None
    choices: list[Any] | None = None

    def names(self) -> list[str]:
        """Return the classes of a region."""
        return self.rectanglelabels or self.polygonlabels or self.labels or []


class Result(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A part of an answer."""

    id: str | int | None = None
    from_name: str = ""
    to_name: str = ""
    type: str = ""
    original_width: Number | None = None
    original_height: Number | None = None
    image_rotation: Number | None = None
    value: Value | None = None
    score: Number | None = None


class Answer(msgspec.Struct, omit_defaults=True):
    """What a person or a model says of a task."""

    result: list[Result] = []
    was_cancelled: bool | None = None
    ground_truth: bool | None = None
    created_at: str | None = None
    updated_at: str | None = None
    model_version: str | None = None
    score: Number | None = None


class Task(msgspec.Struct, omit_defaults=True):
    """A picture and the answers to it; predictions may be only their numbers."""

    id: int | str | None = None
    data: dict[str, msgspec.Raw] | None = None
    annotations: list[Answer] | None = None
    completions: list[Answer] | None = None
    predictions: list[msgspec.Raw] | None = None


class MinRegion(Value, kw_only=True):
    """A region of JSON-MIN, which has the size of the picture beside it."""

    original_width: Number | None = None
    original_height: Number | None = None


# ---- what it means ----

_Data = dict[str, msgspec.Raw]
_task = msgspec.json.Decoder(Task)
_data = msgspec.json.Decoder(_Data)
_answer = msgspec.json.Decoder(Answer)
_text = msgspec.json.Decoder(str)
_date = msgspec.json.Decoder(str | None)
_ground_truth = msgspec.json.Decoder(GroundTruth)
_min_value = msgspec.json.Decoder(str | MinRegion | list[str | MinRegion])

LOCAL_FILES = "/data/local-files/"
"""Where Label Studio serves files of its disk."""

GROUND_TRUTH = "ground_truth"
"""Where a task has what a manifest says of its picture."""

# What JSON-MIN has beside the data of a task and the answers.
_MIN_KEYS = frozenset(
    ("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement", GROUND_TRUTH)
)


@dataclass(slots=True)
class TaskRead:
    """A task, with the answer that counts."""

    id: str
    data: _Data
    answer: Answer | None
    by_model: bool = False
    further: int = 0
    """Answers of other people."""

    skipped: int = 0
    min_keys: tuple[str, ...] = ()
    """Of JSON-MIN, what may be an answer: who reads says which are the data of the task."""

    def text(self, key: str) -> str | None:
        """Return what the data of the task have, where it is a text."""
        try:
            return _text.decode(self.data[key])
        except (KeyError, msgspec.ValidationError):
            return None

    def ground_truth(self) -> GroundTruth:
        """Return what the manifest said that the task was made of; raises msgspec's errors for nonsense."""
        return _ground_truth.decode(self.data.get(GROUND_TRUTH, b"{}"))


def read_task(item: bytes) -> TaskRead:
    """Return a task of either export; raises msgspec's errors, UnicodeDecodeError or RecursionError else.

    What is not decoded here is decoded later, so that all of it is to be UTF-8.
    """
    str(item, "utf-8")
    task = _task.decode(item)
    if task.data is None:
        return _min_task(_data.decode(item))
    people = [*(task.annotations or ()), *(task.completions or ())]
    usable = [one for one in people if not one.was_cancelled]
    read = TaskRead(str(task.id), task.data, None, skipped=len(people) - len(usable))
    if usable:
        read.answer = next((one for one in reversed(usable) if one.ground_truth), usable[-1])
        read.further = len(usable) - 1
    elif by_models := [raw for raw in task.predictions or () if bytes(raw)[:1] == b"{"]:
        read.answer, read.by_model = _answer.decode(by_models[-1]), True
    return read


def _min_task(record: _Data) -> TaskRead:
    """Return a record of JSON-MIN, in which answers stand beside the data, under the names of controls."""
    keys = tuple(key for key in record if key not in _MIN_KEYS)
    answered = "annotation_id" in record and bytes(record["annotation_id"]) != b"null"
    created, updated = (_date.decode(record.get(key, b"null")) for key in ("created_at", "updated_at"))
    answer = Answer(created_at=created, updated_at=updated) if answered else None
    return TaskRead(bytes(record.get("id", b"")).decode(), record, answer, min_keys=keys)


def min_results(task: TaskRead, key: str) -> list[Result]:
    """Return what a record of JSON-MIN has under a key as results; none where it is no answer."""
    try:
        found = _min_value.decode(task.data[key])
    except msgspec.ValidationError:
        return []
    values = found if isinstance(found, list) else [found]
    return [_min_result(key, value) for value in values]


def _min_result(key: str, value: str | MinRegion) -> Result:
    if isinstance(value, str):
        return Result(from_name=key, type="choices", value=Value(choices=[value]))
    kind = "choices" if value.choices else "rectanglelabels" if value.points is None else "polygonlabels"
    return Result(
        from_name=key,
        type=kind,
        original_width=value.original_width,
        original_height=value.original_height,
        value=value,
    )


# ---- results ----

_FAMILIES: dict[str, Family] = {
    "choices": "choices",
    "rectanglelabels": "regions",
    "polygonlabels": "regions",
    "labels": "regions",
}
_LOST = {
    "brushlabels": "brush masks",
    "brush": "brush masks",
    "keypointlabels": "keypoints",
    "ellipselabels": "ellipses",
    "relation": "relations between regions",
}
_SHAPES = frozenset(("rectangle", "polygon"))  # which come beside the `labels` of the same region


def family_of(result: Result) -> Family | None:
    """Return what a result gives a picture; None for what a manifest of pictures cannot hold."""
    if result.value is None or (result.type == "labels" and not _is_region(result.value)):
        return None
    return _FAMILIES.get(result.type)


def lost_as(result: Result) -> str | None:
    """Return what to call a result that is of no family; None where another one says the same."""
    if result.type in _SHAPES:
        return None
    return _LOST.get(result.type, f"results of type {result.type[:40] or 'unknown'}")


def _is_region(value: Value) -> bool:
    return value.points is not None or value.width is not None


def choices_of(results: Iterable[Result]) -> Iterator[str]:
    """Yield the classes that were chosen; of classes within others the last."""
    for result in results:
        for choice in (result.value.choices if result.value else None) or ():
            name = choice[-1] if isinstance(choice, list) and choice else choice
            if not isinstance(name, str):
                raise ValueError("expected the names of choices, found another value")
            yield name

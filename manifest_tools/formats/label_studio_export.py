"""An export of Label Studio: what its tasks say under the name of each control, found in one pass."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.text import listed
from manifest_tools.formats.label_studio_config import Config, Family, config_beside
from manifest_tools.formats.label_studio_tasks import (
    GROUND_TRUTH,
    GroundTruth,
    Result,
    TaskRead,
    choices_of,
    family_of,
    lost_as,
    min_results,
    read_task,
)
from manifest_tools.formats.safe_names import PICTURE_ENDINGS
from manifest_tools.groundtruth.rows import reason
from manifest_tools.io.json_items import array_items
from manifest_tools.io.sources import Source, open_bytes

ENDINGS = (".label-studio.json", ".json")


@dataclass(slots=True)
class Asked:
    """What a file says under the name of a control."""

    family: Family
    names: dict[str, None] = field(default_factory=dict)
    results: int = 0
    most: int = 0
    """The most classes that were chosen for a picture."""

    lost: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class TaskFile:
    """A file of tasks."""

    part: str
    source: Source
    config: Config | None
    image_key: str = ""
    asked: dict[tuple[str, Family], Asked] = field(default_factory=dict)
    attributes: dict[str, None] = field(default_factory=dict)
    """Label attributes of the manifests that tasks were made of."""

    lost: dict[str, int] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)

    def tasks(self) -> Iterator[tuple[int, TaskRead]]:
        """Yield every task with its number in the file; of JSON-MIN the last record of each task."""
        before: TaskRead | None = None
        number = 0
        for item in array_items(self.source.name, self.source.chunks(_CHUNK)):
            task = self._task(number + 1, item)
            if before is not None and not (task.min_keys and task.id and task.id == before.id):
                yield number, before
            elif before is not None:
                task.further = before.further + 1
                number -= 1
            number += 1
            before = task
        if before is not None:
            yield number, before

    def _task(self, number: int, item: bytes) -> TaskRead:
        try:
            return read_task(item)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise self.bad(number, f"expected a task of Label Studio; {reason(item[:100], error)}") from error

    def results(self, task: TaskRead) -> Sequence[Result]:
        """Return the results of the answer that counts; of JSON-MIN what controls have given."""
        if task.answer is None:
            return ()
        if not task.min_keys:
            return task.answer.result
        known = {control.name for control in self.config.controls} if self.config else None
        keys = (key for key in task.min_keys if key != self.image_key and (known is None or key in known))
        return [result for key in keys for result in min_results(task, key)]

    def bad(self, number: int, why: str) -> BadData:
        """Return an error about a task."""
        return BadData(f"{self.source.name}: task {number:,}: {why}")


_CHUNK = 1 << 20


def files_of(place: str) -> list[tuple[str, str]]:
    """Return the parts of a place with their files."""
    folder = Path(place)
    if place == "-" or place.startswith("s3://") or not folder.is_dir():
        return [("", place)]
    found = [path for path in sorted(folder.glob("*.json")) if path.name != "classes.json"]
    if not found:
        raise Refused(f"{place}: expected files of tasks in this folder, found no *.json")
    return [(path.name.removesuffix(".json").removesuffix(".label-studio"), str(path)) for path in found]


def survey(part: str, path: str) -> TaskFile:
    """Return what a file has, after one pass."""
    file = TaskFile(part, open_bytes(path), config_beside(path, ENDINGS))
    file.image_key = file.config.image_key if file.config else ""
    count = 0
    for number, task in file.tasks():
        count += 1
        file.image_key = file.image_key or _image_key(file, number, task)
        count_in(file.lost, "answers of further people", task.further)
        count_in(file.states, _state(task))
        if attribute := ground_truth_of(file, number, task).label_attribute:
            file.attributes[attribute] = None
        _ask(file, number, task)
    if not count and not part:  # one of several may be without a picture
        raise BadData(f"{path}: expected tasks, found none")
    return file


def _state(task: TaskRead) -> str:
    if task.answer is None:
        return "skipped" if task.skipped else "unanswered"
    return "answered by a model" if task.by_model else "answered"


def _ask(file: TaskFile, number: int, task: TaskRead) -> None:
    """Note what the answer to a task says under the name of each control."""
    chosen: dict[str, set[str]] = {}
    for result in file.results(task):
        family = family_of(result)
        if family is None:
            if what := lost_as(result):
                count_in(file.lost, what)
            continue
        asked = file.asked.setdefault((result.from_name, family), Asked(family))
        asked.results += 1
        if family == "choices":
            names = _chosen(file, number, [result])
            chosen.setdefault(result.from_name, set()).update(names)
            asked.names |= dict.fromkeys(names)
            asked.most = max(asked.most, len(chosen[result.from_name]))
        else:
            _ask_region(result, asked)


def _ask_region(result: Result, asked: Asked) -> None:
    names = result.value.names() if result.value else []
    if not names:
        count_in(asked.lost, "regions without a class")
        return
    asked.names[names[0]] = None
    count_in(asked.lost, "further classes of a region", len(names) - 1)
    count_in(asked.lost, "rotations of boxes", bool(result.value and result.value.rotation))


def _chosen(file: TaskFile, number: int, results: Iterable[Result]) -> list[str]:
    try:
        return list(dict.fromkeys(choices_of(results)))
    except ValueError as error:
        raise file.bad(number, str(error)) from error


def count_in(counts: dict[str, int], what: str, more: int = 1) -> None:
    """Count something that may have been counted before; nothing where there is none of it."""
    if more:
        counts[what] = counts.get(what, 0) + more


def _image_key(file: TaskFile, number: int, task: TaskRead) -> str:
    """Return where a task has its picture: ``image``, or the only text that names one."""
    texts = {key: text for key in task.data if (text := task.text(key)) is not None}
    if "image" in texts:
        return "image"
    named = [key for key, text in texts.items() if urlsplit(text).path.lower().endswith(PICTURE_ENDINGS)]
    if len(named) != 1:
        raise file.bad(
            number,
            f"expected a picture in its data, as image, found {listed(sorted(texts)) or 'no text'}; put the"
            f" project's labelling config beside the file, as NAME.config.xml",
        )
    return named[0]


def ground_truth_of(file: TaskFile, number: int, task: TaskRead) -> GroundTruth:
    """Return what the manifest said that a task was made of; raises BadData for nonsense."""
    try:
        return task.ground_truth()
    except (msgspec.MsgspecError, RecursionError) as error:
        raise file.bad(number, f"{GROUND_TRUTH}: {error}") from error

"""The file of a run that is not over, from which ``train --resume`` goes on.

It is one line of JSON, then the best weights so far, then the state of the learner, both in the format of the
framework. It may come from anywhere: nothing in it is run, every length is checked, and the framework checks
what is its own.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.text import shown
from manifest_tools.io.sinks import publishing
from trainers.events import Checkpoint, Epoch, history_row, merit

STATE = "training.state"
_MOST_HEAD = 64 << 20  # bytes; 100,000 epochs have 20 MB
_MOST_BYTES = 8 << 30  # the largest network here has 240 MB, and an optimizer twice that


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A run after some of its epochs."""

    made_from: Mapping[str, Any]
    """What the bytes of its model depend on."""

    epochs: Sequence[Epoch]
    """Those that are over, one at least."""

    best: Checkpoint
    learner: bytes
    """The state of the learner after the last of them."""


def write_unfinished(folder: str, run: Unfinished) -> None:
    """Write a run whole, in place of what was written after an earlier epoch."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    body = run.best.weights + run.learner
    head = {
        "made_from": run.made_from,
        "epochs": [history_row(epoch) for epoch in run.epochs],
        "weights": len(run.best.weights),
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    with publishing(force=True) as publication:
        stream = publication.open(str(Path(folder) / STATE))
        stream.write(json.dumps(head).encode() + b"\n")
        stream.write(body)


def is_unfinished(folder: str) -> bool:
    """Say whether a run that is not over has left its file in a folder."""
    return not folder.startswith("s3://") and (Path(folder) / STATE).is_file()


def nothing_unfinished(folder: str) -> Refused:
    """Return the error for a folder without an unfinished run."""
    return Refused(f"--resume: no unfinished run is in {folder}; leave --resume out to begin one")


def remove_unfinished(folder: str) -> None:
    """Remove the file of a run that is over."""
    if is_unfinished(folder):
        (Path(folder) / STATE).unlink()


def read_unfinished(folder: str, made_from: Mapping[str, Any]) -> Unfinished:
    """Return the run in a folder, which has to be of the very data and configuration of ``made_from``.

    Raises Refused where there is none or another one, BadData for a damaged file.
    """
    place = Path(folder) / STATE
    if not is_unfinished(folder):
        raise nothing_unfinished(folder)
    with place.open("rb") as stream:
        if place.stat().st_size > _MOST_BYTES:
            raise _damaged(place, f"more than {_MOST_BYTES:,} bytes")
        head = _head(place, stream.readline(_MOST_HEAD))
        if others := _differences(head.made_from, made_from):
            raise Refused(
                f"{place}: the run there differs: {'; '.join(others)}. Type what was typed then, or --force"
                " without --resume to begin anew"
            )
        return _run(place, head, stream)


@dataclass(frozen=True, slots=True)
class _EpochRow:
    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float


@dataclass(frozen=True, slots=True)
class _Head:
    made_from: dict[str, Any]
    epochs: list[_EpochRow]
    weights: int
    sha256: str


def _head(place: Path, line: bytes) -> _Head:
    import msgspec

    try:
        head = msgspec.json.decode(line, type=_Head)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise _damaged(place, str(error)) from error
    if not head.epochs or [row.epoch for row in head.epochs] != list(range(1, len(head.epochs) + 1)):
        raise _damaged(place, "epochs that do not count from 1")
    return head


def _run(place: Path, head: _Head, stream: BinaryIO) -> Unfinished:
    body = stream.read()
    if hashlib.sha256(body).hexdigest() != head.sha256 or not 0 <= head.weights <= len(body):
        raise _damaged(place, "other bytes than were written")
    total = head.made_from["config"]["epochs"]  # as in the run that goes on
    epochs = [Epoch(**asdict(row), epochs=total, seconds=0.0) for row in head.epochs]
    best = max(epochs, key=merit)
    weights, learner = body[: head.weights], body[head.weights :]
    return Unfinished(
        head.made_from, epochs, Checkpoint(best.epoch, best.validation_accuracy, weights), learner
    )


def _damaged(place: Path, found: str) -> BadData:
    return BadData(f"{place}: damaged: {found}; type --force without --resume to begin anew")


# What people call the entries of what a model was made from.
_NAMES = {
    "made_by": "the version of mtool",
    "trainer": "--trainer",
    "train": "training pictures",
    "validation": "validation pictures",
    "classes": "classes",
    "init_from": "initial weights",
}


def _differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Return what differs, a few words each."""
    config = found.get("config")
    old: Mapping[str, Any] = config if isinstance(config, dict) else {}
    changed = [
        f"{name} {shown(old.get(name))}, now {shown(value)}"
        for name, value in wanted["config"].items()
        if old.get(name) != value
    ]
    return [*changed, *(f"other {text}" for key, text in _NAMES.items() if found.get(key) != wanted[key])]

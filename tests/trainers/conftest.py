"""Pictures of parts that have a left and a right, drawn small; data sets and folders of them."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from manifest_tools.groundtruth.classes import ClassTable
from trainers import Dataset, TrainConfig, from_arrays, train
from trainers.epochs import run_epochs
from trainers.events import Event, Note
from trainers.frameworks import Framework
from trainers.pixels import Pixels
from trainers.prepare import dataset, read_pair, records_of_pair

HANDS = ClassTable(((0, "RH"), (1, "LH")))


def part(random: np.random.Generator, left: bool, side: int = 32) -> Pixels:
    """Return an L of a random colour on a random ground; a left one is a right one mirrored."""
    picture = np.full((side, side, 3), random.integers(150, 256, 3), np.uint8)
    picture[:] -= random.integers(0, 8, picture.shape, np.uint8)
    top, middle = random.integers(2, 6), side // 3 + random.integers(-2, 3)
    colour = random.integers(0, 90, 3)
    picture[top : side - 4, middle : middle + 4] = colour
    picture[side - 8 : side - 4, middle : middle + side // 3] = colour
    return picture[:, ::-1] if left else picture


def parts(count: int, seed: int = 0, side: int = 32) -> tuple[Pixels, Any]:
    """Return ``count`` parts, right and left in turn, and their classes."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    return np.stack([part(random, bool(label), side) for label in labels]), labels


def fit(framework: Framework, train: Dataset, validation: Dataset, config: TrainConfig) -> Iterator[Event]:
    """Yield what happens in a run; its first event says where the weights come from."""
    learner = framework.learner(train, config)
    yield Note(learner.origin)
    yield from run_epochs(train, validation, config, learner)


@pytest.fixture
def hands() -> Callable[..., Dataset]:
    """Return ``hands(count, seed)``: a data set of right and left parts."""

    def make(count: int, seed: int = 0) -> Dataset:
        return from_arrays(*parts(count, seed), HANDS)

    return make


@pytest.fixture
def quick() -> Callable[..., TrainConfig]:
    """Return ``quick(epochs=2)``: a configuration for pictures of 32 pixels."""

    def make(**changes: Any) -> TrainConfig:
        return TrainConfig(**{"epochs": 2, "batch_size": 8, "image_size": 32, **changes})

    return make


def line(name: str, label: int, class_name: str, job: str = "lab3-job") -> str:
    """Return a line as Ground Truth writes it."""
    metadata = {
        "class-name": class_name,
        "confidence": 0.9,
        "type": "groundtruth/image-classification",
        "job-name": f"labeling-job/{job}",
        "human-annotated": "yes",
        "creation-date": "2024-03-04T09:13:21.264616",
    }
    return json.dumps({"source-ref": f"s3://lab3/{name}", job: label, f"{job}-metadata": metadata})


def lay_out(folder: Path) -> None:
    """Write train.manifest and validation.manifest of the pictures in ``folder/raw-data``."""
    (folder / "raw-data").mkdir()
    pictures, labels = parts(48)
    lines = []
    for number, (picture, label) in enumerate(zip(pictures, labels.tolist(), strict=True)):
        name = f"{HANDS.name(label)}-{number:02}.jpg"
        Image.fromarray(picture).save(folder / "raw-data" / name, quality=95)
        lines.append(line(name, label, HANDS.name(label)))
    (folder / "train.manifest").write_text("\n".join(lines[:32]) + "\n")
    (folder / "validation.manifest").write_text("\n".join(lines[32:]) + "\n")


@pytest.fixture
def workshop(in_folder: Path) -> Path:
    """Return the current folder: train.manifest and validation.manifest of ``raw-data/*.jpg``."""
    lay_out(in_folder)
    return in_folder


@pytest.fixture(scope="session")
def trained_once(mxnet: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workshop with a model that has learnt for four epochs; not to be changed."""
    folder = tmp_path_factory.mktemp("trained")
    lay_out(folder)
    manifests = str(folder / "train.manifest"), str(folder / "validation.manifest")
    model, config = str(folder / "model"), TrainConfig(epochs=4, image_size=32)
    plans = records_of_pair(read_pair(*manifests, images=[str(folder / "raw-data")]), model, 32)
    first, second = (dataset(planned)[0] for planned in plans)
    train(first, second, config, model)
    return folder


@pytest.fixture
def trained(trained_once: Path, in_folder: Path) -> Path:
    """Return the current folder: a workshop with a model that has learnt for four epochs."""
    shutil.copytree(trained_once, in_folder, dirs_exist_ok=True)
    return in_folder

"""Croissant: mlcroissant finds nothing wrong with our descriptions, and the pictures that they lead to."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.peers.asking import Run, ask, converted, needs_peers
from tests.peers.trap import CLASSES, PARTS, TRAPS, label_of

pytestmark = needs_peers

FORMATS = ("recordio", "folder", "webdataset", "tfrecord", "parquet", "npy", "coco", "label-studio", "cvat")
OPTIONS = {"npy": ("--resize", "8", "--square"), "recordio": ("--pass-through",)}
NAMED = ("coco", "label-studio", "cvat")


def described(tmp_path: Path, to: str, run: Run) -> dict[str, Any]:
    """Return the records that mlcroissant finds, by the description of an output."""
    options = [] if to in NAMED else ["--images", tmp_path / "raw"]
    converted(run, tmp_path, "single_label", to, *options, "--croissant", *OPTIONS.get(to, ()))
    found = ask("mlcroissant", tmp_path / "ds.croissant.json", cache=tmp_path)
    assert found["errors"] == []
    records: dict[str, Any] = found["records"]
    return records


@pytest.mark.parametrize("to", FORMATS)
def test_a_description_is_valid_and_names_the_classes(tmp_path: Path, to: str, run: Run) -> None:
    records = described(tmp_path, to, run)
    assert {one["index"]: one["name"] for one in records["classes"]} == CLASSES
    assert {one["name"]: one["pictures"] for one in records["splits"]} == {"train": 4, "validation": 2}


def test_a_folder_leads_to_its_pictures(tmp_path: Path, run: Run) -> None:
    records = described(tmp_path, "folder", run)["pictures"]
    found = [[key_of(one["image"]), one["class"]] for one in records]
    assert sorted(found) == sorted([trap.key, trap.one] for trap in TRAPS)


def test_parquet_leads_to_its_pictures(tmp_path: Path, run: Run) -> None:
    records = described(tmp_path, "parquet", run)["pictures"]
    found = [[key_of(one["image"]), CLASSES[one["label"]]] for one in records]
    assert sorted(found) == sorted([trap.key, trap.one] for trap in TRAPS)


def test_archives_lead_to_their_pictures(tmp_path: Path, run: Run) -> None:
    records = described(tmp_path, "webdataset", run)
    found = []
    for part in PARTS:
        labels = {
            one["key"]: json.loads(one["ground_truth"])["class-name"]
            for one in records[f"labels-of-{part}-records"]
        }
        pictures = records[f"pictures-of-{part}-records"]
        found += [[part, key_of(one["image"]), [labels[one["key"]]]] for one in pictures]
    assert sorted(found) == sorted([trap.part, trap.key, label_of(trap, "single_label")] for trap in TRAPS)


def key_of(pixel: list[int]) -> str:
    """Return which picture is of a colour, which a JPEG keeps but for a little."""
    return min(TRAPS, key=lambda trap: sum(abs(a - b) for a, b in zip(pixel, trap.colour, strict=True))).key

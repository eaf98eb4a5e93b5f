"""TFRecord: TensorFlow and panlabel read ours, with the names of the Object Detection API."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.peers.asking import Run, ask, converted, needs_peers, panlabel_finds
from tests.peers.trap import PARTS, Kind, Row, close, expected

pytestmark = needs_peers
KINDS: list[Kind] = ["single_label", "multi_label", "boxes"]


@pytest.mark.parametrize("kind", KINDS)
def test_tensorflow_reads_ours(tmp_path: Path, kind: Kind, run: Run) -> None:
    place = converted(run, tmp_path, kind, "tfrecord", "--images", tmp_path / "raw", "--shard", "3")
    files = sorted(place.glob("*.tfrecord"))
    assert [file.name for file in files] == [
        "train-00000-of-00002.tfrecord",
        "train-00001-of-00002.tfrecord",
        "validation-00000-of-00001.tfrecord",
    ]
    names = names_in(place)
    rows: list[Row] = []
    for file, found in zip(files, ask("tensorflow", *files, cache=tmp_path), strict=True):
        part = file.name.partition("-")[0]
        rows += [[part, digest, label_in(said, kind, names)] for digest, said in found]
        assert all(sorted(said["decoded"][:2]) == sorted(size_in(said)) for _, said in found)
    assert close_if(kind, rows) == close_if(kind, expected(kind))


def test_panlabel_reads_ours(tmp_path: Path, run: Run) -> None:
    place = converted(run, tmp_path, "boxes", "tfrecord", "--images", tmp_path / "raw")
    rows: list[Row] = []
    for part in PARTS:
        rows += panlabel_finds("tfrecord", place / f"{part}.tfrecord", part, tmp_path / "raw")
    assert close(rows) == close(expected("boxes"))


def close_if(kind: Kind, rows: list[Row]) -> list[Row]:
    """Return rows sorted; edges are fractions of 32 bits."""
    return close(rows) if kind == "boxes" else sorted(rows)


def size_in(said: dict[str, Any]) -> list[int]:
    return [said["image/height"], said["image/width"]]


def names_in(place: Path) -> dict[int, str]:
    """Return what the file beside the records calls the numbers of classes."""
    if (place / "labels.txt").exists():
        lines = (line.partition(":") for line in (place / "labels.txt").read_text().splitlines())
        return {int(number): name for number, _, name in lines}
    text = (place / "label_map.pbtxt").read_text()
    return {int(number): name for number, name in re.findall(r'id: (\d+)\s+name: "([^"]*)"', text)}


def label_in(said: dict[str, Any], kind: Kind, names: dict[int, str]) -> list[Any]:
    """Return the label of an example; its texts and its numbers have to say the same."""
    if kind != "boxes":
        texts: list[Any] = said["image/class/text"]
        assert texts == [names[number] for number in said["image/class/label"]]
        return sorted(texts)
    texts = said["image/object/class/text"]
    assert texts == [names[number] for number in said["image/object/class/label"]]
    height, width = size_in(said)
    edges = [said[f"image/object/bbox/{edge}"] for edge in ("xmin", "ymin", "xmax", "ymax")]
    return sorted(
        [name, x * width, y * height, (right - x) * width, (bottom - y) * height]
        for name, x, y, right, bottom in zip(texts, *edges, strict=True)
    )

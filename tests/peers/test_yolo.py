"""YOLO: Datumaro, panlabel and supervision read our boxes, and we read theirs."""

import shutil
from pathlib import Path

import pytest

from tests.peers.asking import Run, ask, converted, needs_peers, panlabel_finds, panlabel_writes, read_back
from tests.peers.trap import PARTS, Row, close, expected, expected_in, in_manifest, in_one_folder, write_trap

pytestmark = needs_peers


@pytest.fixture
def ours(tmp_path: Path, run: Run) -> Path:
    return converted(run, tmp_path, "boxes", "yolo", "--images", tmp_path / "raw")


def test_datumaro_reads_ours(ours: Path, tmp_path: Path) -> None:
    assert close(ask("datumaro", "read", "yolo", ours, cache=tmp_path)) == close(expected("boxes"))


def test_panlabel_reads_ours(tmp_path: Path, run: Run) -> None:
    # It measures pictures as they are stored, so those with an EXIF flag are turned on the way.
    ours = converted(run, tmp_path, "boxes", "yolo", "--images", tmp_path / "raw", "--upright")
    rows: list[Row] = []
    for part, name in (("train", "train"), ("validation", "val")):
        rows += panlabel_finds("yolo", ours, part, ours / "images" / part, "--split", name)
    assert close(rows) == close(expected("boxes", upright=ours / "images" / "train" / "turned.jpg"))


def test_supervision_reads_ours(ours: Path, tmp_path: Path) -> None:
    rows: list[Row] = []
    for part in PARTS:
        places = (ours / "images" / part, ours / "labels" / part, ours / "data.yaml")
        rows += [[part, *row] for row in ask("supervision", "read", "yolo", *places, cache=tmp_path)]
    assert close(rows) == close(expected("boxes"))


@pytest.mark.parametrize("form", ["yolo", "yolo_ultralytics"])
def test_what_datumaro_writes_is_read(tmp_path: Path, form: str, run: Run) -> None:
    write_trap(tmp_path, "boxes")
    theirs = tmp_path / "theirs"
    ask("datumaro", "write", form, "boxes", tmp_path / "trap.json", theirs, cache=tmp_path)
    back = read_back(run, "yolo", theirs, tmp_path / "back")
    rows = [*in_manifest(back / "train.manifest", "train", tmp_path)]
    rows += in_manifest(back / "val.manifest", "validation", tmp_path)
    assert close(rows) == close(expected("boxes"))


def test_what_panlabel_writes_is_read(tmp_path: Path, run: Run) -> None:
    coco = converted(run, tmp_path, "boxes", "coco") / "train.coco.json"
    theirs = panlabel_writes("yolo", coco, tmp_path / "theirs")
    for name in ("front", "back"):  # it writes label files alone
        shutil.copytree(tmp_path / "raw" / name, theirs / "images" / name)
    for name in ("turned.jpg", "nothing.jpg"):
        shutil.copy(tmp_path / "raw" / name, theirs / "images")
    back = read_back(run, "yolo", theirs, tmp_path / "back.manifest")
    assert close(in_manifest(back, "train")) == close(expected_in("train", "boxes"))


def test_what_supervision_writes_is_read(tmp_path: Path, run: Run) -> None:
    write_trap(tmp_path, "boxes")
    theirs = tmp_path / "theirs"
    ask("supervision", "write", "yolo", tmp_path / "trap.json", theirs, cache=tmp_path)
    back = read_back(run, "yolo", theirs, tmp_path / "back.manifest")
    assert close(in_manifest(back, "train")) == close(in_one_folder("boxes"))

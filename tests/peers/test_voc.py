"""Pascal VOC: Datumaro, panlabel and supervision read our boxes, and we read theirs.

VOC counts pixels from 1, as supervision does; Datumaro does when it is told to; panlabel counts from 0.
"""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.peers.asking import Run, ask, converted, needs_peers, panlabel_finds, panlabel_writes, read_back
from tests.peers.trap import Row, expected, expected_in, in_manifest, in_one_folder, write_trap

pytestmark = needs_peers


@pytest.fixture
def ours(tmp_path: Path, run: Run) -> Path:
    return converted(run, tmp_path, "boxes", "voc", "--images", tmp_path / "raw")


def in_no_part(rows: list[Row]) -> list[Row]:
    return sorted(row[-2:] for row in rows)


def test_datumaro_reads_ours(ours: Path, tmp_path: Path) -> None:
    assert ask("datumaro", "read", "voc", ours, cache=tmp_path) == expected("boxes")


def test_panlabel_reads_ours(ours: Path) -> None:
    rows = panlabel_finds("voc", ours, "all", ours / "JPEGImages")
    for row in rows:
        row[-1] = [from_1(box) for box in row[-1]]
    assert in_no_part(rows) == in_no_part(expected("boxes"))


def from_1(box: list[Any]) -> list[Any]:
    """Return a box of which somebody took the first and the last pixel for edges that count from 0."""
    name, left, top, width, height = box
    return [name, left - 1, top - 1, width + 1, height + 1]


def test_supervision_reads_ours(ours: Path, tmp_path: Path) -> None:
    found = ask("supervision", "read", "voc", ours / "JPEGImages", ours / "Annotations", cache=tmp_path)
    assert in_no_part(found) == in_no_part(expected("boxes"))


def test_what_datumaro_writes_is_read(tmp_path: Path, run: Run) -> None:
    write_trap(tmp_path, "boxes")
    theirs = tmp_path / "theirs"
    ask("datumaro", "write", "voc", "boxes", tmp_path / "trap.json", theirs, cache=tmp_path)
    # It writes no annotation for a picture that shows nothing, which may as well not have been looked at.
    back = read_back(run, "voc", theirs, tmp_path / "back", "--allow-loss")
    rows = [*in_manifest(back / "train.manifest", "train", tmp_path)]
    rows += in_manifest(back / "val.manifest", "validation", tmp_path)
    assert sorted(rows) == [row for row in expected("boxes") if row[-1]]


def test_what_panlabel_writes_is_read(tmp_path: Path, run: Run) -> None:
    coco = converted(run, tmp_path, "boxes", "coco") / "train.coco.json"
    theirs = panlabel_writes("voc", coco, tmp_path / "theirs")
    shutil.copytree(
        tmp_path / "raw", theirs / "JPEGImages", dirs_exist_ok=True
    )  # it writes annotations alone
    back = read_back(run, "voc", theirs, tmp_path / "back.manifest", "--allow-loss")
    assert in_manifest(back, "train") == expected_in("train", "boxes")


def test_what_supervision_writes_is_read(tmp_path: Path, run: Run) -> None:
    write_trap(tmp_path, "boxes")
    theirs = tmp_path / "theirs"
    ask("supervision", "write", "voc", tmp_path / "trap.json", theirs, cache=tmp_path)
    back = read_back(run, "voc", theirs, tmp_path / "back.manifest")
    assert in_manifest(back, "train") == in_one_folder("boxes")

"""CVAT for images: Datumaro and panlabel read our XML, and we read theirs."""

import shutil
from pathlib import Path

import pytest

from tests.peers.asking import Run, ask, converted, needs_peers, panlabel_finds, panlabel_writes, read_back
from tests.peers.trap import PARTS, Kind, Row, expected, in_manifest, write_trap

pytestmark = needs_peers
KINDS: list[Kind] = ["boxes", "single_label", "multi_label"]


@pytest.mark.parametrize("kind", KINDS)
def test_datumaro_reads_ours(tmp_path: Path, kind: Kind, run: Run) -> None:
    place, rows = converted(run, tmp_path, kind, "cvat"), []
    for part in PARTS:
        # It calls the part as the file, and finds the pictures beside it.
        shutil.copytree(tmp_path / "raw", tmp_path / part / "images")
        shutil.copy(place / f"{part}.cvat.xml", tmp_path / part / f"{part}.xml")
        rows += ask("datumaro", "read", "cvat", tmp_path / part, cache=tmp_path)
    assert sorted(rows) == expected(kind)


def test_panlabel_reads_ours(tmp_path: Path, run: Run) -> None:
    place = converted(run, tmp_path, "boxes", "cvat")
    rows: list[Row] = []
    for part in PARTS:
        rows += panlabel_finds("cvat", place / f"{part}.cvat.xml", part, tmp_path / "raw")
    assert sorted(rows) == expected("boxes")


@pytest.mark.parametrize("kind", KINDS)
def test_what_datumaro_writes_is_read(tmp_path: Path, kind: Kind, run: Run) -> None:
    write_trap(tmp_path, kind)
    theirs = tmp_path / "theirs"
    which = {"boxes": "boxes", "single_label": "one", "multi_label": "some"}[kind]
    ask("datumaro", "write", "cvat", which, tmp_path / "trap.json", theirs, cache=tmp_path)
    rows: list[Row] = []
    for name, part in (("train", "train"), ("val", "validation")):
        back = read_back(run, "cvat", theirs / f"{name}.xml", tmp_path / f"{part}-back.manifest")
        rows += in_manifest(back, part, theirs / "images")
    assert sorted(rows) == expected(kind)


def test_what_panlabel_writes_is_read(tmp_path: Path, run: Run) -> None:
    ours = converted(run, tmp_path, "boxes", "coco")
    rows: list[Row] = []
    for part in PARTS:
        theirs = panlabel_writes("cvat", ours / f"{part}.coco.json", tmp_path / f"{part}.xml")
        back = read_back(run, "cvat", theirs, tmp_path / f"{part}-back.manifest")
        rows += in_manifest(back, part, tmp_path / "raw")
    assert sorted(rows) == expected("boxes")

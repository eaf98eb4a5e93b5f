"""COCO: pycocotools, Datumaro, panlabel and supervision read ours, and we read theirs."""

import shutil
from pathlib import Path

import pytest

from tests.peers.asking import (
    Run,
    ask,
    converted,
    digest_of,
    needs_peers,
    panlabel_finds,
    panlabel_writes,
    read_back,
)
from tests.peers.trap import PARTS, Kind, Row, expected, in_manifest, in_one_folder, write_trap

pytestmark = needs_peers

KINDS: list[Kind] = ["boxes", "single_label", "multi_label"]


@pytest.mark.parametrize("kind", KINDS)
def test_pycocotools_reads_ours(tmp_path: Path, kind: Kind, run: Run) -> None:
    place = converted(run, tmp_path, kind, "coco")
    rows: list[Row] = []
    for part in PARTS:
        for name, label in ask("pycocotools", place / f"{part}.coco.json", cache=tmp_path):
            rows.append([part, digest_of(tmp_path / "raw" / name), label])
    assert sorted(rows) == expected(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_datumaro_reads_ours(tmp_path: Path, kind: Kind, run: Run) -> None:
    place, laid_out = converted(run, tmp_path, kind, "coco"), tmp_path / "laid-out"
    (laid_out / "annotations").mkdir(parents=True)
    for part in PARTS:
        task = "instances" if kind == "boxes" else "labels"
        shutil.copy(place / f"{part}.coco.json", laid_out / "annotations" / f"{task}_{part}.json")
        shutil.copytree(tmp_path / "raw", laid_out / "images" / part)
    assert ask("datumaro", "read", "coco", laid_out, cache=tmp_path) == expected(kind)


def test_panlabel_reads_ours(tmp_path: Path, run: Run) -> None:
    place = converted(run, tmp_path, "boxes", "coco")
    rows: list[Row] = []
    for part in PARTS:
        rows += panlabel_finds("coco", place / f"{part}.coco.json", part, tmp_path / "raw")
    assert sorted(rows) == expected("boxes")


def test_supervision_reads_ours(tmp_path: Path, run: Run) -> None:
    place = converted(run, tmp_path, "boxes", "coco")
    rows: list[Row] = []
    for part in PARTS:
        found = ask(
            "supervision", "read", "coco", tmp_path / "raw", place / f"{part}.coco.json", cache=tmp_path
        )
        rows += [[part, *row] for row in found]
    assert sorted(rows) == expected("boxes")


@pytest.mark.parametrize("kind", KINDS)
def test_what_datumaro_writes_is_read(tmp_path: Path, kind: Kind, run: Run) -> None:
    write_trap(tmp_path, kind)
    which = {"boxes": "boxes", "single_label": "one", "multi_label": "some"}[kind]
    form = "coco_instances" if kind == "boxes" else "coco_labels"
    ask("datumaro", "write", form, which, tmp_path / "trap.json", tmp_path / "theirs", cache=tmp_path)
    rows: list[Row] = []
    for name, part in (("train", "train"), ("val", "validation")):
        (file,) = (tmp_path / "theirs" / "annotations").glob(f"*_{name}.json")
        back = read_back(run, "coco", file, tmp_path / f"{part}-back.manifest")
        rows += in_manifest(back, part, tmp_path / "theirs" / "images" / name)
    assert sorted(rows) == expected(kind)


def test_what_panlabel_writes_is_read(tmp_path: Path, run: Run) -> None:
    ours = converted(run, tmp_path, "boxes", "coco")
    rows: list[Row] = []
    for part in PARTS:
        theirs = panlabel_writes("coco", ours / f"{part}.coco.json", tmp_path / f"{part}.json")
        back = read_back(run, "coco", theirs, tmp_path / f"{part}-back.manifest")
        rows += in_manifest(back, part, tmp_path / "raw")
    assert sorted(rows) == expected("boxes")


def test_what_supervision_writes_is_read(tmp_path: Path, run: Run) -> None:
    write_trap(tmp_path, "boxes")
    theirs = tmp_path / "theirs"
    ask("supervision", "write", "coco", tmp_path / "trap.json", theirs, cache=tmp_path)
    back = read_back(run, "coco", theirs / "train.json", theirs / "back.manifest")
    assert in_manifest(back, "train", theirs / "images") == in_one_folder("boxes")

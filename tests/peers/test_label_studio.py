"""Label Studio: its own converter and panlabel read our tasks, and we read theirs."""

from pathlib import Path
from urllib.parse import unquote

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
from tests.peers.trap import PARTS, Kind, Row, close, expected, expected_in, in_manifest

pytestmark = needs_peers
KINDS: list[Kind] = ["boxes", "single_label", "multi_label"]


@pytest.mark.parametrize("kind", KINDS)
def test_its_converter_reads_ours(tmp_path: Path, kind: Kind, run: Run) -> None:
    place = converted(run, tmp_path, kind, "label-studio")
    rows: list[Row] = []
    for part in PARTS:
        words = ("read", place / f"{part}.config.xml", place / f"{part}.label-studio.json")
        for name, label in ask("label_studio", *words, cache=tmp_path):
            rows.append([part, digest_of(tmp_path / "raw" / name.removeprefix("s3://raw/")), label])
    exact = kind != "boxes"  # places are per cent of the picture
    assert (sorted(rows) if exact else close(rows)) == (expected(kind) if exact else close(expected(kind)))


def test_panlabel_reads_ours(tmp_path: Path, run: Run) -> None:
    # It knows pictures by the last part of their names, up to a #, and refuses two that are alike.
    place = converted(run, tmp_path, "boxes", "label-studio") / "validation.label-studio.json"
    place.write_text(place.read_text().replace("#", ""))
    (tmp_path / "raw" / "train station #1 50%.png").rename(tmp_path / "raw" / "train station 1 50%.png")
    rows = panlabel_finds("label-studio", place, "validation", tmp_path / "raw")
    assert close(rows) == close(expected_in("validation", "boxes"))


def test_what_its_importer_writes_is_read(tmp_path: Path, run: Run) -> None:
    place = converted(run, tmp_path, "boxes", "coco")
    rows: list[Row] = []
    for part in PARTS:
        theirs = tmp_path / f"{part}.json"
        ask("label_studio", "tasks", place / f"{part}.coco.json", theirs, cache=tmp_path)
        theirs.write_text(unquote(theirs.read_text()))  # it writes keys of S3 as if they were of the web
        back = read_back(run, "label-studio", theirs, tmp_path / f"{part}-back.manifest")
        rows += in_manifest(back, part, tmp_path / "raw")
    assert close(rows) == close(expected("boxes"))


def test_the_coco_that_its_converter_writes_is_read(tmp_path: Path, run: Run) -> None:
    place = converted(run, tmp_path, "boxes", "label-studio")
    rows: list[Row] = []
    for part in PARTS:
        words = ("coco", place / f"{part}.config.xml", place / f"{part}.label-studio.json", tmp_path / part)
        ask("label_studio", *words, cache=tmp_path)
        back = read_back(run, "coco", tmp_path / part / "result.json", tmp_path / f"{part}-back.manifest")
        rows += in_manifest(back, part, tmp_path / "raw")
    assert close(rows) == close(expected("boxes"))


def test_what_panlabel_writes_is_read(tmp_path: Path, run: Run) -> None:
    coco = converted(run, tmp_path, "boxes", "coco") / "validation.coco.json"
    theirs = panlabel_writes("label-studio", coco, tmp_path / "theirs.json")
    back = read_back(run, "label-studio", theirs, tmp_path / "back.manifest")
    found = in_manifest(back, "validation", tmp_path / "raw")
    assert close(found) == close(expected_in("validation", "boxes"))

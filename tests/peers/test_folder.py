"""A folder a class: torchvision's rules, Keras, datasets, Datumaro and supervision, and theirs read here."""

import os
from pathlib import Path

import pytest

from tests.peers.asking import Run, ask, converted, digest_of, needs_peers, read_back
from tests.peers.trap import (
    CLASSES,
    PARTS,
    Row,
    expected,
    expected_in,
    in_manifest,
    in_one_folder,
    write_trap,
)


@pytest.fixture
def ours(tmp_path: Path, run: Run) -> Path:
    return converted(run, tmp_path, "single_label", "folder", "--images", tmp_path / "raw")


def image_folder(place: Path) -> tuple[list[str], list[tuple[str, int]]]:
    """Return what torchvision's ImageFolder(place, allow_empty=True) has as ``classes`` and ``samples``.

    Its documentation: classes are the names of the folders, sorted; samples are the files below each, sorted,
    that end as pictures do.
    """
    classes = sorted(entry.name for entry in os.scandir(place) if entry.is_dir())
    endings = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
    samples = [
        (os.path.join(root, name), index)
        for index, folder in enumerate(classes)
        for root, _, names in sorted(os.walk(place / folder, followlinks=True))
        for name in sorted(names)
        if name.lower().endswith(endings)
    ]
    return classes, samples


def test_torchvisions_rules_find_ours(ours: Path) -> None:
    rows: list[Row] = []
    for part in PARTS:
        classes, samples = image_folder(ours / part)
        assert classes == sorted(CLASSES.values())
        rows += [[part, digest_of(Path(path)), [classes[index]]] for path, index in samples]
    assert sorted(rows) == expected("single_label")


@needs_peers
def test_keras_reads_ours(ours: Path, tmp_path: Path) -> None:
    rows: list[Row] = []
    for part in PARTS:
        found = ask("keras", ours / part, cache=tmp_path)
        assert found["names"] == sorted(CLASSES.values())
        rows += [[part, digest_of(Path(path)), [name]] for path, name in found["rows"]]
    assert sorted(rows) == expected("single_label")


@needs_peers
@pytest.mark.parametrize("metadata", [True, False], ids=["by the metadata", "by the folders"])
def test_datasets_reads_ours(ours: Path, metadata: bool, tmp_path: Path) -> None:
    if not metadata:
        for part in PARTS:
            (ours / part / "metadata.jsonl").unlink()
    assert ask("datasets", "folder", ours, cache=tmp_path) == expected("single_label")


@needs_peers
def test_datumaro_reads_ours(ours: Path, tmp_path: Path) -> None:
    # It refuses a part with an empty folder, without which a class would be missing, so the training part
    # alone; and one with a file that is no picture.
    (ours / "train" / "metadata.jsonl").unlink()
    found = ask("datumaro", "read", "imagenet", ours / "train", cache=tmp_path)
    assert [["train", *row[1:]] for row in found] == expected_in("train", "single_label")


@needs_peers
def test_supervision_reads_ours(ours: Path, tmp_path: Path) -> None:
    rows: list[Row] = []
    for part in PARTS:
        rows += [[part, *row] for row in ask("supervision", "folder", ours / part, cache=tmp_path)]
    assert sorted(rows) == expected("single_label")


@needs_peers
def test_what_datumaro_writes_is_read(tmp_path: Path, run: Run) -> None:
    write_trap(tmp_path, "single_label")
    theirs = tmp_path / "theirs"
    words = ("write", "imagenet_with_subset_dirs", "one", tmp_path / "trap.json", theirs)
    ask("datumaro", *words, cache=tmp_path)
    rows: list[Row] = []
    for name, part in (("train", "train"), ("val", "validation")):
        back = read_back(run, "folder", theirs / name, theirs / f"{part}.manifest")
        rows += in_manifest(back, part)
    assert sorted(rows) == expected("single_label")


@needs_peers
def test_what_supervision_writes_is_read(tmp_path: Path, run: Run) -> None:
    write_trap(tmp_path, "single_label")
    theirs = tmp_path / "theirs"
    ask("supervision", "write_folder", tmp_path / "trap.json", theirs, cache=tmp_path)
    back = read_back(run, "folder", theirs, tmp_path / "theirs.manifest")
    assert in_manifest(back, "train") == in_one_folder("single_label")

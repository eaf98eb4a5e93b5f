"""WebDataset: webdataset and Hugging Face's datasets read our tars, and we read webdataset's shards."""

from pathlib import Path
from typing import Any

import pytest

from tests.peers.asking import Run, ask, converted, needs_peers, read_back
from tests.peers.trap import CLASSES, PARTS, Kind, Row, expected, expected_in, in_manifest, write_trap

pytestmark = needs_peers
KINDS: list[Kind] = ["single_label", "multi_label", "boxes"]


def label_in(said: dict[str, Any], kind: Kind) -> list[Any]:
    """Return the label of a sample: by its .cls where it has one class, else by its .json."""
    if kind == "single_label":
        return [CLASSES[said["cls"]]]
    if kind == "multi_label":
        return sorted(said["class-names"])
    places = ("left", "top", "width", "height")
    return sorted([box["class-name"], *(box[place] for place in places)] for box in said["boxes"])


@pytest.mark.parametrize("shard", [(), ("--shard", "2")], ids=["whole", "in shards"])
@pytest.mark.parametrize("kind", KINDS)
def test_webdataset_reads_ours(tmp_path: Path, kind: Kind, shard: tuple[str, ...], run: Run) -> None:
    place = converted(run, tmp_path, kind, "webdataset", "--images", tmp_path / "raw", *shard)
    rows: list[Row] = []
    for part in PARTS:
        tars = sorted(place.glob(f"{part}*.tar"))
        assert len(tars) == (2 if shard and part == "train" else 1)
        for tar in tars:
            found = ask("webdataset", "read", tar, cache=tmp_path)
            rows += [[part, digest, label_in(said, kind)] for digest, said in found]
    assert sorted(rows) == expected(kind)


def test_datasets_reads_ours(tmp_path: Path, run: Run) -> None:
    place = converted(run, tmp_path, "single_label", "webdataset", "--images", tmp_path / "raw")
    # It refuses JPEGs and PNGs in one tar, whoever wrote it: the training part has JPEGs alone.
    found = ask("datasets", "webdataset", place / "train.tar", cache=tmp_path)
    rows = [["train", digest, [CLASSES[index]]] for digest, index in found]
    assert sorted(rows) == expected_in("train", "single_label")


def test_what_webdataset_writes_is_read(tmp_path: Path, run: Run) -> None:
    write_trap(tmp_path, "single_label")
    (tmp_path / "theirs").mkdir()
    ask("webdataset", "write", tmp_path / "trap.json", tmp_path / "theirs", cache=tmp_path)
    names = tmp_path / "names.txt"
    names.write_text("".join(f"{name}\n" for name in CLASSES.values()))
    rows: list[Row] = []
    for tar in sorted((tmp_path / "theirs").glob("*.tar")):
        back = read_back(run, "webdataset", tar, tmp_path / f"{tar.name}.manifest", "--classes", names)
        rows += in_manifest(back, tar.name.partition("-")[0])
    assert sorted(rows) == expected("single_label")

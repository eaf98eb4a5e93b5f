"""Parquet: Hugging Face's datasets and polars read ours, and we read what datasets writes."""

from pathlib import Path
from typing import Any

import pytest

from tests.peers.asking import Run, ask, converted, needs_peers, read_back
from tests.peers.trap import CLASSES, PARTS, Kind, Row, expected, in_manifest, write_trap

pytestmark = needs_peers
KINDS: list[Kind] = ["single_label", "multi_label", "boxes"]


@pytest.mark.parametrize("shard", [(), ("--shard", "2")], ids=["whole", "in shards"])
@pytest.mark.parametrize("kind", KINDS)
def test_datasets_reads_ours(tmp_path: Path, kind: Kind, shard: tuple[str, ...], run: Run) -> None:
    place = converted(run, tmp_path, kind, "parquet", "--images", tmp_path / "raw", *shard)
    assert len(list(place.glob("data/train*.parquet"))) == (2 if shard else 1)
    assert ask("datasets", "parquet", place, cache=tmp_path) == expected(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_polars_reads_ours(tmp_path: Path, kind: Kind, run: Run) -> None:
    place = converted(run, tmp_path, kind, "parquet", "--images", tmp_path / "raw")
    rows: list[Row] = []
    for part in PARTS:
        (file,) = place.glob(f"data/{part}*.parquet")
        found = ask("polars", file, cache=tmp_path)
        rows += [[part, digest, sorted(map(named, label))] for digest, label in found]
    assert sorted(rows) == expected(kind)


def named(label: Any) -> Any:
    """Return the class of an index, or a box that begins with the class."""
    return [CLASSES[label[0]], *label[1:]] if isinstance(label, list) else CLASSES[label]


@pytest.mark.parametrize("kind", KINDS)
def test_what_datasets_writes_is_read(tmp_path: Path, kind: Kind, run: Run) -> None:
    write_trap(tmp_path, kind)
    (tmp_path / "theirs").mkdir()
    which = {"single_label": "one", "multi_label": "some", "boxes": "boxes"}[kind]
    ask("datasets", "write", which, tmp_path / "trap.json", tmp_path / "theirs", cache=tmp_path)
    rows: list[Row] = []
    for part in PARTS:
        back = tmp_path / f"{part}-back.manifest"
        rows += in_manifest(read_back(run, "parquet", tmp_path / "theirs" / f"{part}.parquet", back), part)
    assert sorted(rows) == expected(kind)

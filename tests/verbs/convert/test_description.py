import hashlib
import json
from pathlib import Path

import pytest

from manifest_tools.base.errors import Refused
from manifest_tools.formats.open_manifest import open_manifest
from manifest_tools.verbs.convert.convert import convert
from tests.pictures import jpeg, row, write_manifest


@pytest.fixture
def manifest(in_folder: Path) -> str:
    """A manifest of four pictures, which lie in ./raw."""
    (in_folder / "raw").mkdir()
    for number in range(4):
        (in_folder / "raw" / f"{number}.jpg").write_bytes(jpeg(40 * number))
    return write_manifest(in_folder / "train.manifest", [row(f"{n}.jpg", n % 2) for n in range(4)])


@pytest.mark.parametrize("to", ["recordio", "parquet", "coco", "webdataset"])
def test_a_description_has_the_hash_of_every_file(manifest: str, to: str) -> None:
    done = convert(manifest, to, "out/ds", images=["raw"], croissant=True)
    described = json.loads(Path("out/ds.croissant.json").read_text())
    hashes = {one["contentUrl"]: one["sha256"] for one in described["distribution"] if "sha256" in one}
    reports = {"out/ds.croissant.json", "out/ds.json"}
    others = {output.path for output in done.outputs} - reports
    assert {f"out/{name}" for name in hashes} == others
    for name, digest in hashes.items():
        assert hashlib.sha256(Path("out", name).read_bytes()).hexdigest() == digest


def test_a_description_counts_what_is_in_the_output(manifest: str) -> None:
    Path("raw/1.jpg").unlink()
    convert([manifest, manifest.replace("train", "train")], "folder", "ds", images=["raw"], croissant=True)
    described = json.loads(Path("ds.croissant.json").read_text())
    assert described["description"].startswith("6 pictures in train, train-2")


def test_a_description_of_objects_in_s3_is_refused_before_any_work(manifest: str) -> None:
    with pytest.raises(Refused, match="--croissant: has the SHA-256 of every file"):
        convert(manifest, "coco", "s3://bucket/ds", croissant=True)


@pytest.mark.parametrize(
    ("to", "name"),
    [("recordio", "ds.rec"), ("parquet", "ds.parquet"), ("coco", "ds.coco.json"), ("webdataset", "ds.tar")],
)
def test_what_was_written_stands_where_a_manifest_is_named(manifest: str, to: str, name: str) -> None:
    convert(manifest, to, "ds", images=["raw"])
    source = open_manifest(name)
    lines = [json.loads(line) for block in source.blocks() for line in block.read().splitlines()]
    assert len(lines) == 4
    if to != "coco":
        again = convert(name, "folder", "by-class")
        assert (again.pictures, again.problems) == (4, ())

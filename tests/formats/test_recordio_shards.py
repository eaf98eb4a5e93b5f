"""A conversion that is cut into shards: each with its index and its list, and merged the one file again."""

import json
from pathlib import Path
from typing import Any

import pytest

from manifest_tools.base.errors import Exists
from manifest_tools.verbs.convert.convert import convert
from manifest_tools.verbs.convert.from_format import convert_from
from manifest_tools.verbs.rec.merge import rec_merge
from manifest_tools.verbs.rec.verify import rec_verify
from tests.pictures import jpeg, row, write_manifest

ENDINGS = (".rec", ".idx", ".lst")


@pytest.fixture
def manifest(in_folder: Path) -> str:
    """Return a manifest of seven pictures in two classes, which lie in ./raw."""
    (in_folder / "raw").mkdir()
    for number in range(7):
        (in_folder / "raw" / f"{number}.jpg").write_bytes(jpeg(30 * number))
    return write_manifest(in_folder / "train.manifest", [row(f"{n}.jpg", n % 2) for n in range(7)])


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_shards_merged_are_the_one_file(manifest: str, jobs: int) -> None:
    convert(manifest, "recordio", "whole", images=["raw"], resize=20)
    done = convert(manifest, "recordio", "ds/cut", images=["raw"], resize=20, shard=3, jobs=jobs)
    names = [f"ds/cut-{at:06}" for at in range(3)]
    assert {one.path for one in done.outputs} >= {name + ending for name in names for ending in ENDINGS}
    for name in names:
        found = rec_verify(f"{name}.rec", decode=True, jobs=1)
        assert (found.problems, len(found.compared)) == ([], 2)
    rec_merge(*(f"{name}.rec" for name in names), output="again.rec")
    for ending in ENDINGS:
        assert Path(f"again{ending}").read_bytes() == Path(f"whole{ending}").read_bytes()


def test_the_report_has_the_size_of_each_file(manifest: str) -> None:
    convert(manifest, "recordio", "ds/cut", images=["raw"], shard=3)
    files = json.loads(Path("ds/cut.json").read_text())["files"]
    assert len(files) == 9
    assert all(Path("ds", name).stat().st_size == size for name, size in files.items())


def test_the_same_again_is_unchanged_and_another_is_refused(manifest: str) -> None:
    convert(manifest, "recordio", "cut", images=["raw"], shard=3)
    again = convert(manifest, "recordio", "cut", images=["raw"], shard=3)
    assert {one.state for one in again.outputs} == {"unchanged"}
    with pytest.raises(Exists):
        convert(manifest, "recordio", "cut", images=["raw"], shard=3, quality=50)


def test_the_shards_are_read_as_one_data_set(manifest: str) -> None:
    convert(manifest, "recordio", "ds/cut", images=["raw"], shard=3, pass_through=True)
    done = convert_from("ds/cut", "recordio", "back.manifest")
    assert (done.pictures, dict(done.table.names)) == (7, {0: "RH", 1: "LH"})


def test_mxnet_reads_a_shard_by_its_own_index(manifest: str, mxnet: Any) -> None:
    convert(manifest, "recordio", "cut", images=["raw"], shard=3, pass_through=True)
    reader = mxnet.recordio.MXIndexedRecordIO("cut-000001.idx", "cut-000001.rec", "r")
    assert reader.keys == [4, 5, 6]
    header, picture = mxnet.recordio.unpack(reader.read_idx(6))
    assert (header.id, header.label, picture) == (6, 1, jpeg(150))
    reader.close()

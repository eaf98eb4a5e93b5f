"""TFRecord: TensorFlow reads ours, with the names that its Object Detection API has."""

from pathlib import Path

import pytest

from tests.peers.asking import Run, ask, converted, needs_peers
from tests.peers.trap import Kind, expected

pytestmark = needs_peers


@pytest.mark.parametrize(
    ("kind", "shards"), [("boxes", ()), ("single_label", ("--shard", 2)), ("multi_label", ())]
)
def test_tensorflow_reads_ours(tmp_path: Path, kind: Kind, shards: tuple[object, ...], run: Run) -> None:
    place = converted(run, tmp_path, kind, "tfrecord", "--images", f"s3://raw={tmp_path / 'raw'}", *shards)
    files = sorted(place.glob("*.tfrecord"))  # in one question: TensorFlow takes seconds to start
    assert len(files) == (3 if shards else 2)
    found = ask("tensorflow", "boxes" if kind == "boxes" else "classes", *files, cache=tmp_path)
    assert sorted(found) == sorted(row[1:] for row in expected(kind))

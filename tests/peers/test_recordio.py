"""RecordIO: MXNet reads ours by the index."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.peers.asking import Run, converted
from tests.peers.trap import CLASSES, PARTS, Kind, Row, expected


@pytest.mark.parametrize("kind", ["single_label", "multi_label"])
def test_mxnet_reads_ours(tmp_path: Path, kind: Kind, run: Run, mxnet: Any) -> None:
    place = converted(run, tmp_path, kind, "recordio", "--images", tmp_path / "raw", "--pass-through")
    rows: list[Row] = []
    for part in PARTS:
        reader = mxnet.recordio.MXIndexedRecordIO(str(place / f"{part}.idx"), str(place / f"{part}.rec"), "r")
        for key in reader.keys:
            header, picture = mxnet.recordio.unpack(reader.read_idx(key))
            rows.append([part, hashlib.sha256(picture).hexdigest(), names_of(header.label)])
        reader.close()
    assert sorted(rows) == expected(kind)


def names_of(label: Any) -> list[str]:
    """Return the class of an index, or the classes that a vector has a 1 for."""
    vector = getattr(label, "tolist", lambda: label)()
    if not isinstance(vector, list):
        return [CLASSES[int(vector)]]
    return sorted(CLASSES[index] for index, there in enumerate(vector) if there)

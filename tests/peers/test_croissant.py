"""Croissant: mlcroissant finds no error, and reads classes and pictures by our description."""

import json
from pathlib import Path

import pytest

from manifest_tools.formats.croissant import Description, croissant, described_file
from manifest_tools.groundtruth.classes import class_table
from tests.peers.asking import Run, ask, converted, needs_peers
from tests.peers.trap import CLASSES, PARTS, TRAPS, Kind

pytestmark = needs_peers

SIZES = sorted(sorted(trap.size) for trap in TRAPS)


def describe(folder: Path, kind: Kind, form: str) -> Path:
    files = [
        path
        for path in sorted((folder / "ds").rglob("*"))
        if path.suffix in (".tar", ".parquet", ".tfrecord")
    ]
    described = [described_file(path.relative_to(folder).as_posix(), str(path)) for path in files]
    parts: dict[str, int] = {part: sum(trap.part == part for trap in TRAPS) for part in PARTS}
    inside = "ds" if form == "folder" else ""
    data = Description("hats", form, kind, class_table(CLASSES.items()), parts, described, inside)
    (folder / "ds.croissant.json").write_text(json.dumps(croissant(data)))
    return folder / "ds.croissant.json"


@pytest.mark.parametrize(
    ("form", "kind", "record_sets"),
    [
        ("parquet", "single_label", ["pictures"]),
        ("parquet", "boxes", ["pictures"]),
        ("webdataset", "multi_label", ["pictures-of-train-records", "pictures-of-validation-records"]),
        ("folder", "single_label", ["pictures"]),
        ("tfrecord", "boxes", []),
    ],
)
def test_mlcroissant_reads_ours(
    tmp_path: Path, form: str, kind: Kind, record_sets: list[str], run: Run
) -> None:
    converted(run, tmp_path, kind, form, "--images", f"s3://raw={tmp_path / 'raw'}")
    found = ask("mlcroissant", describe(tmp_path, kind, form), "classes", *record_sets, cache=tmp_path)
    assert found["errors"] == []
    assert [tuple(row.values()) for row in found["classes"]] == list(CLASSES.items())
    pictures = [row[f"{name}/image"] for name in record_sets for row in found[name]]
    assert sorted(map(sorted, pictures)) == (SIZES if record_sets else [])

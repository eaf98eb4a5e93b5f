import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from manifest_tools.formats.croissant import DescribedFile, Description, croissant, described_file
from manifest_tools.groundtruth.classes import ClassTable

TABLE = ClassTable(((0, 'a "b"'), (3, "é")))
TARS = [DescribedFile(f"ds/{name}.tar", 10, "0" * 64) for name in ("train-000000", "train-000001", "val")]


def described(format: str = "recordio", **fields: Any) -> dict[str, Any]:
    parts = {"train": 4, "val": 2}
    return croissant(
        Description("ds", format, fields.pop("label_kind", "single_label"), TABLE, parts, **fields)
    )


def ids(value: Any) -> list[str]:
    """Return the identifiers that are given, not those that are referred to."""
    if isinstance(value, list):
        return [name for one in value for name in ids(one)]
    if not isinstance(value, dict):
        return []
    own = [value["@id"]] if "@id" in value and "@type" in value else []
    return own + [name for key, one in value.items() if key != "@context" for name in ids(one)]


def test_a_file_has_its_size_and_hash(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    found = described_file("a b.rec", str(tmp_path / "x"))
    assert found == DescribedFile("a b.rec", 3, hashlib.sha256(b"abc").hexdigest())
    (file,) = described(files=[found])["distribution"]
    assert (file["contentUrl"], file["contentSize"], file["sha256"]) == ("a b.rec", "3 B", found.sha256)


def test_the_classes_are_an_enumeration_in_the_order_of_their_indices() -> None:
    classes, splits = described(files=[])["recordSet"]
    assert classes["data"] == [
        {"classes/index": 0, "classes/name": 'a "b"'},
        {"classes/index": 3, "classes/name": "é"},
    ]
    assert classes["dataType"] == splits["dataType"] == "sc:Enumeration"
    assert [row["splits/pictures"] for row in splits["data"]] == [4, 2]


@pytest.mark.parametrize("label_kind", ["single_label", "multi_label", "boxes"])
@pytest.mark.parametrize("format", ["recordio", "parquet", "webdataset", "folder", "npy"])
def test_every_identifier_is_given_once_and_the_text_is_json(format: str, label_kind: Any) -> None:
    found = described(format, label_kind=label_kind, files=TARS, folder="ds" if format == "folder" else "")
    assert len(set(ids(found))) == len(ids(found)) > 0
    assert json.loads(json.dumps(found)) == found


def test_a_part_has_its_own_tars() -> None:
    sets = {one["name"]: one for one in described("webdataset", files=TARS)["distribution"]}
    assert sets["pictures-of-train"]["containedIn"] == [{"@id": "file-1"}, {"@id": "file-2"}]
    assert sets["labels-of-val"]["containedIn"] == [{"@id": "file-3"}]


def test_nothing_is_said_of_a_licence_unless_it_is_given() -> None:
    assert "license" not in described(files=[])
    assert described(files=[], licence="CC-BY-4.0")["license"] == "CC-BY-4.0"


def test_files_of_parquet_are_named_and_not_taken_for_patterns() -> None:
    file = DescribedFile("ds/data/a[1]*.parquet", 1, "0" * 64)
    (files,) = described("parquet", files=[file])["distribution"][1:]
    assert files["includes"] == ["ds/data/a[[]1][*].parquet"]

import json
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from manifest_tools.base.errors import BadData
from manifest_tools.io.recordio import MAGIC, ImageRecord, frame
from manifest_tools.verbs.rec.list_records import rec_list
from tests.record_files import PICTURES, image_records, write_rec

if TYPE_CHECKING:
    from typer.testing import Result


def test_a_record_is_listed_by_its_headers(tmp_path: Path) -> None:
    path = write_rec(tmp_path / "a.rec", image_records(3, first=7))
    second = list(rec_list(path))[1]
    assert (second.number, second.id, second.labels, second.name) == (2, 8, (1.0,), "kind1/IMG_8.JPG")
    assert (second.format, second.width, second.height, second.size) == ("JPEG", 31, 20, len(PICTURES[1]))
    assert Path(path).read_bytes()[second.offset :].startswith(MAGIC)


def test_records_of_any_origin_are_listed(tmp_path: Path) -> None:
    records = [
        ImageRecord(0, (5.0, 9.0), b"", vector=True),
        ImageRecord(1, (2.0, 5.0, 0.0, 0.25, 0.25, 0.5, 0.75), PICTURES[0] + MAGIC * 3, vector=True),
        ImageRecord(2, (0.0,), b"<html>"),
    ]
    path = Path(write_rec(tmp_path / "a.rec", records, names=None))
    path.write_bytes(path.read_bytes() + frame(b"bare"))
    listed = list(rec_list(path))
    assert [one.labels for one in listed] == [*(one.labels for one in records), ()]
    assert [one.format for one in listed] == ["", "JPEG", "", ""]
    assert [bool(one.found) for one in listed] == [True, False, True, True]
    assert listed[3].id is None


def test_the_first_records_need_no_more_of_the_file(tmp_path: Path) -> None:
    path = Path(write_rec(tmp_path / "a.rec", image_records(3)))
    path.write_bytes(path.read_bytes() + b"damage")
    assert len(list(rec_list(path, limit=3))) == 3
    found = rec_list(path)
    assert len(list(islice(found, 3))) == 3
    with pytest.raises(BadData, match="mtool rec repair"):
        next(found)


def test_mxnet_finds_the_same_numbers_and_labels(tmp_path: Path, mxnet: Any) -> None:
    labels = [(1.0,), (0.0, 1.0, 1.0), (2.0, 5.0, 0.0, 0.25, 0.25, 0.5, 0.75)]
    path = str(tmp_path / "a.rec")
    writer = mxnet.recordio.MXRecordIO(path, "w")
    for at, values in enumerate(labels):
        header = mxnet.recordio.IRHeader(0, list(values) if len(values) > 1 else values[0], 10 + at, 0)
        writer.write(pack_in(mxnet, header, PICTURES[at] + MAGIC))
    writer.close()
    assert [(one.id, one.labels) for one in rec_list(path)] == [
        (10 + at, values) for at, values in enumerate(labels)
    ]


def pack_in(mxnet: Any, header: Any, picture: bytes) -> bytes:
    """Return what MXNet packs; it calls NumPy's tostring()."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        packed: bytes = mxnet.recordio.pack(header, picture)
        return packed


def test_the_command_prints_a_table_of_the_first(run: "Callable[..., Result]", in_folder: Path) -> None:
    write_rec(Path("a.rec"), image_records(30))
    lines = run("rec", "list", "a.rec").stdout.splitlines()
    assert lines[0].split() == ["record", "id", "labels", "bytes", "picture", "size", "name"]
    assert len(lines) == 22
    assert "more than 20" in lines[-1]
    assert len(run("rec", "list", "a.rec", "--limit", 25).stdout.splitlines()) == 26
    assert len(run("rec", "list", "a.rec", "--limit", 30).stdout.splitlines()) == 31


def test_a_program_gets_an_object_a_record(run: "Callable[..., Result]", in_folder: Path) -> None:
    write_rec(Path("a.rec"), image_records(30))
    shown = [json.loads(line) for line in run("rec", "list", "a.rec", "--json").stdout.splitlines()]
    assert len(shown) == 30
    assert shown[4]["labels"] == [1.0]
    write_rec(Path("b.rec"), [ImageRecord(0, (float("nan"), 1.0), PICTURES[0], vector=True)], names=None)
    assert json.loads(run("rec", "list", "b.rec", "--json").stdout)["labels"] == ["nan", 1.0]
    assert shown[0]["id"] == 0

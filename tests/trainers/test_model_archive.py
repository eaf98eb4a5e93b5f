import gzip
import io
import json
import os
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from manifest_tools.base.errors import MtoolError
from manifest_tools.groundtruth.classes import ClassTable
from trainers.bad_model import BadModel
from trainers.model_archive import ARCHIVE, CARD, Model, read_archive, read_model, write_model

MODEL = Model(
    predictor="gluon",
    network="small",
    image_size=64,
    table=ClassTable(((0, "RH"), (1, "LH"))),
    multi_label=False,
    attribute="lab3-labeling-job",
    files={"image-classification-0007.params": b"weights", "model-shapes.json": b"[]"},
)


def packed(model: Model = MODEL) -> bytes:
    plain = io.BytesIO()
    write_model(model, plain)
    return gzip.compress(plain.getvalue(), mtime=0)


def archive(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for member, data in members:
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, size
    return info


def test_what_was_written_is_read(tmp_path: Path) -> None:
    (tmp_path / ARCHIVE).write_bytes(packed())
    assert read_model(str(tmp_path)) == read_model(str(tmp_path / ARCHIVE)) == MODEL


def test_an_unpacked_archive_is_read_as_well(tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(packed())) as tar:
        tar.extractall(tmp_path, filter="data")
    assert read_model(str(tmp_path)) == MODEL


def test_the_same_model_gives_the_same_bytes_whatever_the_order_of_its_files() -> None:
    turned = replace(MODEL, files=dict(reversed(list(MODEL.files.items()))))
    assert packed(turned) == packed()


def test_the_card_holds_the_class_table_with_its_hash() -> None:
    assert MODEL.card()["classes"] == {"0": "RH", "1": "LH"}
    assert MODEL.card()["sha256"] == MODEL.table.digest


HOSTILE = [
    pytest.param(member("../../evil.params"), "leads out of the archive", id="a path that leads out"),
    pytest.param(
        member("/etc/cron.d/evil"), "found no classes.json", id="an absolute path becomes a plain name"
    ),
    pytest.param(
        member("a.params", tarfile.SYMTYPE, "/etc/passwd"),
        "'a.params' in it is a link",
        id="a link to the disk",
    ),
    pytest.param(member("a.params", tarfile.SYMTYPE, "classes.json"), "is a link", id="a link inside"),
    pytest.param(member("a.params", tarfile.SYMTYPE, "../b"), "is a link", id="a link out"),
    pytest.param(member("a.params", tarfile.LNKTYPE, "classes.json"), "is a hard link", id="a hard link"),
    pytest.param(member("a.params", tarfile.CHRTYPE), "is a device", id="a device"),
    pytest.param(member("a.params", tarfile.FIFOTYPE), "is a pipe", id="a pipe"),
]


@pytest.mark.parametrize(("evil", "reason"), HOSTILE)
def test_hostile_archives_are_refused_and_nothing_is_written(
    in_folder: Path, evil: tarfile.TarInfo, reason: str
) -> None:
    (in_folder / "evil.tar.gz").write_bytes(archive((evil, b"")))
    with pytest.raises(BadModel, match=reason):
        read_model("evil.tar.gz")
    assert [file.name for file in in_folder.iterdir()] == ["evil.tar.gz"]


def test_a_bomb_goes_off_at_the_limit() -> None:
    bomb = archive((member("a.params", size=1 << 20), bytes(1 << 20)))
    assert len(bomb) < 1 << 12
    with pytest.raises(BadModel, match="more bytes than a model has"):
        read_archive("bomb", io.BytesIO(bomb), max_bytes=1 << 16)


def test_a_member_that_promises_more_than_there_is_is_refused() -> None:
    plain = tarfile.TarInfo("a.params")
    plain.size = 1 << 40
    with pytest.raises(BadModel, match="gzipped tar"):
        read_archive("liar", io.BytesIO(gzip.compress(plain.tobuf() + bytes(1 << 10))))


def test_a_sparse_file_which_unpacks_from_nothing_is_refused() -> None:
    sparse = tarfile.TarInfo("a.params")
    sparse.pax_headers = {
        "GNU.sparse.size": str(1 << 40),
        "GNU.sparse.map": "0,1",
        "GNU.sparse.numblocks": "1",
    }
    data = archive((sparse, b""))
    with pytest.raises(BadModel):
        read_archive("sparse", io.BytesIO(data))


def test_more_files_than_a_model_has_are_refused() -> None:
    many = archive(*((member(f"{number}.json"), b"") for number in range(9)))
    with pytest.raises(BadModel, match="at most 8 files in it, found more"):
        read_archive("many", io.BytesIO(many), max_members=8)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda data: data[: len(data) // 2], id="cut in half"),
        pytest.param(lambda data: b"not gzip at all", id="no gzip"),
        pytest.param(lambda data: gzip.compress(b"no tar" * 200), id="gzip of something else"),
        pytest.param(lambda data: data[:30] + bytes([data[30] ^ 255]) + data[31:], id="a byte turned"),
        pytest.param(lambda data: b"", id="empty"),
    ],
)
def test_a_damaged_archive_is_a_bad_model(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    (tmp_path / ARCHIVE).write_bytes(spoil(packed()))
    with pytest.raises(BadModel):
        read_model(str(tmp_path))


@pytest.mark.parametrize(
    "card",
    [
        pytest.param(b"{", id="no JSON"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"{}", id="nothing in it"),
        pytest.param(json.dumps({**MODEL.card(), "classes": 7}).encode(), id="classes that are none"),
        pytest.param(json.dumps({**MODEL.card(), "trainer": 7}).encode(), id="a trainer that is a number"),
        pytest.param(json.dumps({**MODEL.card(), "input": {"side": 10**9}}).encode(), id="an absurd side"),
        pytest.param(json.dumps({**MODEL.card(), "input": {"side": "x"}}).encode(), id="a side in letters"),
        pytest.param(json.dumps({**MODEL.card(), "input": {"side": True}}).encode(), id="side: true"),
        pytest.param(b"[" * 100_000, id="nested without end"),
    ],
)
def test_a_card_that_is_none_is_a_bad_model(tmp_path: Path, card: bytes) -> None:
    (tmp_path / CARD).write_bytes(card)
    with pytest.raises(MtoolError):
        read_model(str(tmp_path))


def test_a_card_larger_than_any_class_table_is_not_parsed(tmp_path: Path) -> None:
    (tmp_path / CARD).write_bytes(json.dumps(MODEL.card()).encode() + b" " * (16 << 20))
    with pytest.raises(BadModel, match="at most 16,777,216 bytes"):
        read_model(str(tmp_path))


def test_where_there_is_no_model_the_message_says_how_to_make_one(in_folder: Path) -> None:
    with pytest.raises(MtoolError, match="type `mtool train` first"):
        read_model("model")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a pipe with a name")
def test_a_pipe_in_a_models_folder_is_not_waited_for(in_folder: Path) -> None:
    Path("classes.json").write_text(json.dumps(MODEL.card()))
    os.mkfifo("other.json")
    assert read_model(".").table == MODEL.table

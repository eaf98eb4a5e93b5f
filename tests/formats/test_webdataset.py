import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.formats import webdataset
from manifest_tools.formats.protocol import Files, ReadOptions
from manifest_tools.groundtruth.annotations import DataSet, Picture, StreamedPictures
from manifest_tools.groundtruth.classes import ClassConflict, ClassTable
from manifest_tools.io.sinks import publishing
from manifest_tools.io.tar_members import END, member_header, members, padding
from tests.data_sets import data_sets
from tests.ground_truth import boxes, write
from tests.pictures import jpeg, row, write_manifest
from tests.write_options import for_packing

if TYPE_CHECKING:
    from typer.testing import Result

Run = Callable[..., "Result"]
TABLE = ClassTable(((0, "RH"), (2, "LH")))


def written(data: DataSet, output: Path, shard: int | None = None) -> list[Path]:
    """Write a data set, and return the files."""
    with publishing(force=True) as publication:
        sink = Files(publication, str(output), ".tar")
        webdataset.write(data, sink, for_packing(data, encoded, shard=shard))
    return sorted(Path(one.path) for one in publication.published)


def encoded(picture: Picture) -> bytes:
    return jpeg(picture.number % 250)


def single(*refs: str) -> DataSet:
    pictures = [Picture(number, ref, classes=(2 * (number % 2),)) for number, ref in enumerate(refs, 1)]
    return DataSet(TABLE, "single_label", {"": StreamedPictures(pictures.copy)})


def tar(path: Path, *files: tuple[str, bytes]) -> str:
    with tarfile.open(path, "w") as archive:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return str(path)


def read(place: object, **options: Any) -> DataSet:
    return webdataset.read(str(place), ReadOptions(**options))


def comparable(data: DataSet) -> dict[str, list[str]]:
    """Return every picture as text but for where its bytes are, which are compared as well."""
    return {part: [_comparable(one) for one in pictures] for part, pictures in data.parts.items()}


def _comparable(one: Picture) -> str:
    said = (one.ref, one.size, one.depth, one.classes, one.confidences, one.boxes, one.provenance)
    return repr((*said, encoded(one) if one.content is None else one.content()))


@given(data_sets("single_label", "multi_label", "boxes"))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_there_and_back_is_the_same_data_set(tmp_path: Path, data: DataSet) -> None:
    shown = {index for part in data.parts.values() for one in part for index in one.classes} | {
        box.class_index for part in data.parts.values() for one in part for box in one.boxes
    }
    for shard in (None, 2):
        for old in tmp_path.rglob("*.tar"):
            old.unlink()
        written(data, tmp_path / "ds", shard)
        back = read(tmp_path if len(data.parts) == 1 else tmp_path / "ds", classes=data.table)
        assert list(comparable(back).values()) == list(comparable(data).values())
        assert (back.table, back.label_kind, back.attribute) == (data.table, data.label_kind, data.attribute)
        alone = read(tmp_path if len(data.parts) == 1 else tmp_path / "ds")
        assert dict(alone.table.names) == {index: data.table.name(index) for index in shown}


def test_the_members_are_those_that_the_field_expects_and_the_same_bytes_every_time(tmp_path: Path) -> None:
    data = single("s3://raw/a.b/photo 1.jpg", "s3://raw/ü#%.jpg")
    (path,) = written(data, tmp_path / "ds")
    first = path.read_bytes()
    with tarfile.open(path) as archive:
        found = archive.getmembers()
        names = [one.name for one in found]
        assert names == [
            f"{key}.{ending}" for key in ("00000001", "00000002") for ending in ("jpg", "cls", "json")
        ]
        assert {
            (one.mode, one.mtime, one.uid, one.gid, one.uname, one.pax_headers == {}) for one in found
        } == {(0o644, 0, 0, 0, "", True)}
        text = archive.extractfile("00000001.json")
        assert text is not None
        assert json.load(text) == {
            "source-ref": "s3://raw/a.b/photo 1.jpg",
            "label-attribute": "label",
            "label": 2,
            "class-name": "LH",
        }
    (again,) = written(data, tmp_path / "other")
    assert again.read_bytes() == first


def test_pieces_of_any_size_make_the_same_file(tmp_path: Path) -> None:
    data = single(*(f"s3://raw/{number}.jpg" for number in range(10)))
    contents = set()
    for piece in (1, 4, 100):
        with publishing() as publication:
            sink = Files(publication, str(tmp_path / f"ds{piece}"), ".tar")
            webdataset.write(data, sink, for_packing(data, encoded, piece=piece))
        contents.add((tmp_path / f"ds{piece}.tar").read_bytes())
    assert len(contents) == 1


@pytest.mark.filterwarnings("ignore")
def test_webdataset_s_own_reader_finds_the_same_pictures_and_classes(tmp_path: Path) -> None:
    import webdataset as theirs

    data = single(*(f"s3://raw/{'x' * 200}/{number}.a.jpg" for number in range(5)))
    paths = written(data, tmp_path / "ds", shard=2)
    assert [path.name for path in paths] == ["ds-000000.tar", "ds-000001.tar", "ds-000002.tar"]
    urls = f"{tmp_path}/ds-{{000000..000002}}.tar"
    found = list(theirs.WebDataset(urls, shardshuffle=False, empty_check=False).decode())
    assert [one["__key__"] for one in found] == [f"{number:08}" for number in range(1, 6)]
    assert [one["cls"] for one in found] == [2, 0, 2, 0, 2]
    assert [one["json"]["source-ref"] for one in found] == [one.ref for one in data.parts[""]]
    raw = list(theirs.WebDataset(urls, shardshuffle=False, empty_check=False))
    assert [one["jpg"] for one in raw] == [encoded(one) for one in data.parts[""]]


@pytest.mark.filterwarnings("ignore")
def test_what_webdataset_writes_is_read(tmp_path: Path) -> None:
    import webdataset as theirs

    with theirs.ShardWriter(f"{tmp_path}/theirs-%06d.tar", maxcount=2, verbose=0) as sink:
        for number in range(5):
            key = f"{'long/' * 40}{number}"
            sink.write({"__key__": key, "jpg": jpeg(number), "cls": number % 2, "json": {"caption": "x"}})
    data = read(f"{tmp_path}/theirs-{{000000..000002}}.tar")
    found = list(data.parts[""])
    assert [one.classes for one in found] == [(0,), (1,), (0,), (1,), (0,)]
    assert [one.content and one.content() for one in found] == [jpeg(number) for number in range(5)]
    assert [one.key for one in found] == [f"{'long/' * 40}{number}" for number in range(5)]
    assert data.table.names == ((0, "class 0"), (1, "class 1"))
    assert data.lost == {"KEY.json": 5}


def test_classes_by_name_are_numbered_as_sorted_or_as_was_told(tmp_path: Path) -> None:
    place = tar(
        tmp_path / "a.tar",
        ("./a.jpg", jpeg(1)),
        ("./a.cls", b"dog\n"),
        ("./b.JPG", jpeg(2)),
        ("./b.cls", b"ant"),
        ("./c.png", b"..."),
        ("./d.txt", b"a caption"),
    )
    data = read(place)
    assert data.table.names == ((0, "ant"), (1, "dog"))
    assert [(one.key, one.ref, one.classes) for one in data.parts[""]] == [
        ("a", "a.jpg", (1,)),
        ("b", "b.JPG", (0,)),
        ("c", "c.png", ()),
    ]
    assert data.lost == {"KEY.txt": 1, "samples without a picture": 1}
    told = read(place, classes=ClassTable(((0, "dog"), (1, "ant"))), source_prefix="s3://b/x/")
    assert [(one.ref, one.classes) for one in told.parts[""]][:2] == [
        ("s3://b/x/a.jpg", (0,)),
        ("s3://b/x/b.JPG", (1,)),
    ]


def test_names_decide_over_indices_and_a_class_that_was_not_told_is_refused(tmp_path: Path) -> None:
    (path,) = written(single("s3://raw/1.jpg", "s3://raw/2.jpg"), tmp_path / "ds")
    data = read(path, classes=ClassTable(((0, "LH"), (1, "RH"))))
    assert [one.classes for one in data.parts[""]] == [(0,), (1,)]
    with pytest.raises(BadData, match="does not list the class 'LH'"):
        read(path, classes=ClassTable(((0, "RH"),)))


def test_two_tables_in_one_data_set_are_refused(tmp_path: Path) -> None:
    texts = [
        json.dumps({"label-attribute": "label", "label": 0, "class-name": name}).encode() for name in "ab"
    ]
    place = tar(
        tmp_path / "a.tar", ("1.jpg", b"1"), ("1.json", texts[0]), ("2.jpg", b"2"), ("2.json", texts[1])
    )
    with pytest.raises(ClassConflict, match="class 0 has two names"):
        read(place)


def plain(*files: tuple[str, bytes]) -> bytes:
    return b"".join(member_header(name, len(data)) + data + padding(len(data)) for name, data in files) + END


def special(kind: bytes, **fields: Any) -> bytes:
    info = tarfile.TarInfo("1.jpg")
    info.type = kind
    for name, value in fields.items():
        setattr(info, name, value)
    return info.tobuf(tarfile.GNU_FORMAT) + END


def pax(**values: str) -> bytes:
    info = tarfile.TarInfo("1.jpg")
    info.pax_headers = values
    return info.tobuf(tarfile.PAX_FORMAT) + END


HOSTILE = {
    "no tar": (b"x" * 2000, "expected a tar, found another file"),
    "too short": (b"x", "found 1 byte"),
    "empty": (b"", "found 0 bytes"),
    "gzip": (b"\x1f\x8b" + bytes(600), "compressed with gzip"),
    "nothing in it": (END, "expected pictures"),
    "a size that lies": (special(b"0", size=10**9), "1,000,000,000 bytes, and the archive ends before"),
    "a size in binary": (special(b"0", size=1 << 60), "the archive ends before"),
    "a size by PAX that lies": (pax(size="99999"), "99,999 bytes, and the archive ends before"),
    "a size by PAX that is none": (pax(size="x"), "damaged header"),
    "a negative size by PAX": (pax(size="-5"), "damaged header"),
    "cut off": (plain(("1.jpg", b"x" * 600))[:900], "cut off"),
    "a torn header": (plain(("1.jpg", b"x" * 512))[:1124], "found 100 bytes at its end: cut off"),
    "a symbolic link": (special(b"2", linkname="/etc/passwd"), "which is a link"),
    "a hard link": (special(b"1", linkname="2.jpg"), "which is a link"),
    "a device": (special(b"3"), "which is a device"),
    "a sparse file": (special(b"S"), "which is a sparse file"),
    "a sparse file by PAX": (pax(**{"GNU.sparse.major": "1"}), "found a sparse file"),
    "an unknown type": (special(b"Z"), "of the type 'Z'"),
    "a huge header before another": (special(b"x", size=1 << 30), "at most 1,048,576 bytes"),
    "an absolute name": (plain(("/etc/1.jpg", b"x")), "expected names below a folder, found '/etc/1.jpg'"),
    "a way upwards": (plain(("a/../../1.jpg", b"x")), "expected names below a folder"),
    "a drive": (plain(("C:1.jpg", b"x")), "expected names below a folder"),
    "two of one name": (plain(("1.jpg", b"x"), ("1.jpg", b"y")), "found two"),
    "no JSON": (plain(("1.jpg", b"x"), ("1.json", b"{")), "'1.json': expected JSON"),
    "a long class": (plain(("1.jpg", b"x"), ("1.cls", b"9" * 5000)), "at most 4,096 bytes"),
    "a class that is no text": (plain(("1.jpg", b"x"), ("1.cls", b"\xff")), "expected a class in UTF-8"),
    "two classes": (
        plain(("1.jpg", b"x"), ("1.cls", b"1"), ("1.json", b'{"label-attribute":"a","label":2}')),
        "expected the class 2, as KEY.json has it, found '1'",
    ),
    "an index that is none": (
        plain(("1.jpg", b"x"), ("1.json", b'{"label-attribute":"a","label":-1}')),
        "expected class indices from 0",
    ),
    "two kinds": (
        plain(
            ("1.jpg", b"x"),
            ("1.json", b'{"label-attribute":"a","label":0}'),
            ("2.jpg", b"x"),
            ("2.json", b'{"label-attribute":"a","boxes":[]}'),
        ),
        "labels of one kind",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_tar_gives_a_sentence(tmp_path: Path, name: str) -> None:
    data, message = HOSTILE[name]
    (tmp_path / "a.tar").write_bytes(data)
    with pytest.raises(BadData) as caught:
        read(tmp_path / "a.tar")
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_deeply_nested_json_is_somebody_else_s(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(plain(("1.jpg", b"x"), ("1.json", b"[" * 100_000 + b"]" * 100_000)))
    assert read(tmp_path / "a.tar").lost == {"KEY.json": 1}


@pytest.mark.parametrize("place", ["nowhere.tar", "nowhere", "a-{0..2}.tar", "b-*.tar", "s3://b/a.tar", "."])
def test_a_place_without_a_tar_is_refused(in_folder: Path, place: str) -> None:
    tar(in_folder / "a-1.tar", ("1.jpg", b"x"))
    (in_folder / "a-1.tar").rename(in_folder / "a-1.tar.bak")
    with pytest.raises(Refused, match="expected a tar file"):
        read(place)


def test_parts_are_the_names_without_their_numbers(tmp_path: Path) -> None:
    for name in ("train-000000", "train-000001", "val"):
        tar(tmp_path / f"{name}.tar", ("1.jpg", b"x"))
    assert {part: len(list(found)) for part, found in read(tmp_path).parts.items()} == {"train": 2, "val": 1}
    assert len(list(read(tmp_path / "train").parts[""])) == 2
    assert len(list(read(tmp_path / "train-*.tar").parts[""])) == 2


def test_links_and_folders_are_told_apart(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        (tmp_path / "inside").mkdir()
        (tmp_path / "inside" / "1.jpg").write_bytes(jpeg(1))
        archive.add(tmp_path / "inside", "inside")
    with open(tmp_path / "a.tar", "rb") as file:
        assert [one.name for one in members(file, "a.tar")] == ["inside/1.jpg"]


def test_a_picture_s_place_is_read_when_it_is_wanted_and_not_before(tmp_path: Path) -> None:
    place = tar(tmp_path / "a.tar", ("1.jpg", jpeg(7)))
    (one,) = read(place).parts[""]
    Path(place).write_bytes(b"")
    with pytest.raises(Exception, match="changed while it was read"):
        one.content and one.content()


# ---- through the command ----


def test_a_manifest_becomes_tars_and_comes_back(in_folder: Path, run: Run) -> None:
    (in_folder / "raw").mkdir()
    for number in range(5):
        (in_folder / "raw" / f"{number}.jpg").write_bytes(jpeg(number))
    manifest = write_manifest(in_folder / "train.manifest", [row(f"{n}.jpg", n % 2) for n in range(5)])
    result = run("convert", manifest, "--to", "webdataset", "-o", "ds", "--images", "raw", "-j", "2")
    assert (result.exit_code, result.stdout) == (0, "")
    back = read("ds.tar")
    assert [one.ref for one in back.parts[""]] == [f"s3://raw/{number}.jpg" for number in range(5)]
    assert run("convert", "--from", "webdataset", "ds.tar", "-o", "back.manifest").exit_code == 0
    assert len(Path("back.manifest").read_bytes().splitlines()) == 5


def test_boxes_and_pictures_without_one_are_packed(in_folder: Path, run: Run) -> None:
    (in_folder / "raw").mkdir()
    for number in range(2):
        (in_folder / "raw" / f"{number}.jpg").write_bytes(jpeg(number, (640, 480)))
    write(in_folder / "m", boxes(0, ("RH", 0.9), ("LH", 0.2)), boxes(1))
    result = run("convert", "m", "--to", "webdataset", "-o", "ds", "--images", "raw")
    assert (result.exit_code, result.stdout) == (0, "")
    assert [len(one.boxes) for one in read("ds.tar").parts[""]] == [2, 0]

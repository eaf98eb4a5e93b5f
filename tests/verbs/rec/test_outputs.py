"""What merge, shard, reindex and repair write: the same records, and an index and a list that fit."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from manifest_tools.base.errors import BadData, Exists, Refused
from manifest_tools.io.recordio import MAGIC, ImageRecord, frame, pack, read_records, unpack
from manifest_tools.verbs.rec.merge import rec_merge
from manifest_tools.verbs.rec.reindex import rec_reindex
from manifest_tools.verbs.rec.repair import rec_repair
from manifest_tools.verbs.rec.shard import rec_shard
from manifest_tools.verbs.rec.verify import rec_verify
from tests.record_files import PICTURES, image_records, write_rec

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

# Hypothesis and a temporary folder get along where every example writes the files anew.
once_more = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30
)


def records(path: Path | str) -> list[ImageRecord]:
    with open(path, "rb") as stream:
        return [unpack(payload) for payload in read_records(stream, str(path))]


def three(path: Path) -> list[bytes]:
    """Return the bytes of a .rec, its index and its list."""
    return [path.with_suffix(ending).read_bytes() for ending in (".rec", ".idx", ".lst")]


def is_sound(path: Path | str) -> bool:
    """Say whether framing, index and list of a file agree."""
    found = rec_verify(path, jobs=1)
    return not found.problems and len(found.compared) == 2


@once_more
@given(st.integers(1, 12), st.data(), st.booleans())
def test_merging_the_shards_of_a_file_gives_the_file(
    in_folder: Path, count: int, data: st.DataObject, magic: bool
) -> None:
    made = [
        ImageRecord(one.id, one.labels, one.picture + MAGIC * (magic and one.id % 2))
        for one in image_records(count, first=5)
    ]
    path = Path(write_rec(in_folder / "a.rec", made))
    shards = data.draw(st.integers(1, count))
    done = rec_shard(path, shards, in_folder / "shards", force=True)
    sizes = [records for _, records in done.shards]
    assert (sum(sizes), max(sizes) - min(sizes) <= 1) == (count, True)
    assert all(is_sound(name) for name, _ in done.shards)
    if shards > 1:
        rec_merge(*(name for name, _ in done.shards), output=in_folder / "again.rec", force=True)
        assert three(in_folder / "again.rec") == three(path)


def test_shards_are_named_in_order_and_may_be_many(tmp_path: Path) -> None:
    path = write_rec(tmp_path / "a.rec", image_records(400))
    done = rec_shard(path, 400, tmp_path / "out")
    assert [Path(name).name for name, _ in done.shards[:2]] == [
        "a-00000-of-00400.rec",
        "a-00001-of-00400.rec",
    ]
    assert len(list((tmp_path / "out").iterdir())) == 1200
    again = rec_shard(path, 400, tmp_path / "out")
    assert {one.state for one in again.outputs} == {"unchanged"}


@pytest.mark.parametrize("shards", [0, 4, 100_000])
def test_more_shards_than_records_are_refused(tmp_path: Path, shards: int) -> None:
    with pytest.raises(Refused, match="expected"):
        rec_shard(write_rec(tmp_path / "a.rec", image_records(3)), shards)
    assert len(list(tmp_path.iterdir())) == 3


def test_equal_numbers_are_refused_or_counted_anew(tmp_path: Path) -> None:
    one = write_rec(tmp_path / "a.rec", image_records(3))
    other = write_rec(tmp_path / "b.rec", image_records(3, first=2))
    target = tmp_path / "all.rec"
    with pytest.raises(Refused, match=r"2 records share .* such as 2, .* type --renumber"):
        rec_merge(one, other, output=target)
    assert not target.exists()
    done = rec_merge(one, other, output=target, renumber=True)
    assert done.records == 6
    assert [found.id for found in records(target)] == list(range(6))
    assert [found.picture for found in records(target)] == [
        found.picture for found in [*records(one), *records(other)]
    ]
    assert is_sound(target)
    assert target.with_suffix(".lst").read_text().splitlines()[3] == "3\t0.000000\tkind0/IMG_2.JPG"


def test_a_new_number_that_is_the_magic_is_framed_in_parts(tmp_path: Path) -> None:
    magic = int.from_bytes(MAGIC, "little")
    made = [ImageRecord(magic, (0.0,), PICTURES[0]), ImageRecord(1, (0.0,), PICTURES[1])]
    one = write_rec(tmp_path / "a.rec", made)
    other = write_rec(tmp_path / "b.rec", made[:1])
    rec_merge(one, other, output=tmp_path / "c.rec", renumber=True)
    assert [found.id for found in records(tmp_path / "c.rec")] == [0, 1, 2]
    assert is_sound(tmp_path / "c.rec")
    assert is_sound(one)


def test_where_a_file_has_no_list_the_whole_has_none(tmp_path: Path) -> None:
    one = write_rec(tmp_path / "a.rec", image_records(3))
    other = write_rec(tmp_path / "b.rec", image_records(3, first=3), names=None)
    done = rec_merge(one, other, output=tmp_path / "all.rec")
    assert done.without_list == (other,)
    assert not (tmp_path / "all.lst").exists()
    assert (tmp_path / "all.idx").exists()


def test_records_that_no_list_names_are_counted(tmp_path: Path) -> None:
    one = write_rec(tmp_path / "a.rec", image_records(3))
    other = write_rec(tmp_path / "b.rec", image_records(3, first=3))
    (tmp_path / "b.lst").write_text("4\t1\tx.jpg")
    assert rec_merge(one, other, output=tmp_path / "all.rec").unlisted == 2
    assert (tmp_path / "all.lst").read_text().splitlines()[3:] == ["4\t1\tx.jpg"]


def test_records_of_another_kind_are_merged_and_counted(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.rec").write_bytes(frame(b"bare") + frame(b""))
    rec_merge(tmp_path / "a.rec", tmp_path / "b.rec", output=tmp_path / "c.rec")
    assert (tmp_path / "c.rec").read_bytes() == (frame(b"bare") + frame(b"")) * 2
    assert (tmp_path / "c.idx").read_text() == "0\t0\n1\t12\n2\t20\n3\t32\n"


def test_a_damaged_file_is_not_merged_nor_dealt_out(tmp_path: Path) -> None:
    path = Path(write_rec(tmp_path / "a.rec", image_records(3)))
    path.write_bytes(path.read_bytes()[:-5])
    other = write_rec(tmp_path / "b.rec", image_records(3, first=3))
    for work in (
        lambda: rec_merge(other, path, output=tmp_path / "c.rec"),
        lambda: rec_shard(path, 2),
        lambda: rec_reindex(path, force=True),
    ):
        with pytest.raises(BadData, match=r"damaged at byte .*; mtool rec repair"):
            work()
    assert len(list(tmp_path.iterdir())) == 6


def test_an_output_is_no_input_and_one_file_is_nothing_to_merge(tmp_path: Path) -> None:
    one = write_rec(tmp_path / "a.rec", image_records(3))
    other = write_rec(tmp_path / "b.rec", image_records(3, first=3))
    with pytest.raises(Refused, match="its own input"):
        rec_merge(one, other, output=one, force=True)
    with pytest.raises(Refused, match="two .rec files or more"):
        rec_merge(one, output=tmp_path / "c.rec")
    with pytest.raises(Exists):
        rec_merge(one, other, output=write_rec(tmp_path / "c.rec", image_records(1)))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("merge a.rec b.rec -o -", "found standard output"),
        ("repair torn.rec -o -", "found standard output"),
        ("repair torn.rec --kms-key x", "leave --kms-key out"),
        ("reindex a.rec --kms-key x", "leave --kms-key out"),
        ("shard a.rec --shards 2 --kms-key x", "leave --kms-key out"),
        ("merge a.rec b.rec --kms-key x", "leave --kms-key out"),
    ],
)
def test_what_cannot_be_is_refused_before_the_work(
    run: "Callable[..., Result]", in_folder: Path, words: str, message: str
) -> None:
    for name, first in (("a", 0), ("b", 3)):
        write_rec(Path(f"{name}.rec"), image_records(3, first=first), names=None)
    Path("torn.rec").write_bytes(Path("a.rec").read_bytes()[:-5])
    before = sorted(in_folder.iterdir())
    done = run("rec", *words.split())
    assert (done.exit_code, message in done.stderr) == (2, True), done.output
    assert sorted(in_folder.iterdir()) == before


def test_an_index_goes_to_standard_output_alone(run: "Callable[..., Result]", in_folder: Path) -> None:
    write_rec(Path("a.rec"), image_records(2))
    assert run("rec", "reindex", "a.rec", "-o", "-", "--json").stdout == Path("a.idx").read_text()


def test_an_index_is_made_anew(tmp_path: Path) -> None:
    path = Path(write_rec(tmp_path / "a.rec", image_records(5, first=7)))
    right = path.with_suffix(".idx").read_bytes()
    path.with_suffix(".idx").write_bytes(b"7\t0\n")
    with pytest.raises(Exists):
        rec_reindex(path)
    assert rec_reindex(path, force=True).keys == "id"
    assert path.with_suffix(".idx").read_bytes() == right
    rec_reindex(path, tmp_path / "n.idx", keys="count")
    counted = [row.split(b"\t") for row in (tmp_path / "n.idx").read_bytes().splitlines()]
    assert [key for key, _ in counted] == [b"0", b"1", b"2", b"3", b"4"]
    assert [at for _, at in counted] == [row.split(b"\t")[1] for row in right.splitlines()]


def test_numbers_that_repeat_are_no_keys(tmp_path: Path) -> None:
    made = [*image_records(2), *image_records(2)]
    path = write_rec(tmp_path / "a.rec", made, index=False)
    with pytest.raises(Refused, match=r"have the number 0; type --keys count"):
        rec_reindex(path, keys="id")
    assert rec_reindex(path).keys == "count"
    (tmp_path / "b.rec").write_bytes(frame(b"bare"))
    with pytest.raises(Refused, match="1 record too short for a number"):
        rec_reindex(tmp_path / "b.rec", keys="id")


@once_more
@given(st.integers(2, 6), st.data())
def test_a_torn_file_is_cut_at_its_last_whole_record(
    in_folder: Path, count: int, data: st.DataObject
) -> None:
    path = Path(write_rec(in_folder / "a.rec", image_records(count)))
    whole = path.read_bytes()
    ends = [len(b"".join(frame(pack(one)) for one in image_records(at))) for at in range(count + 1)]
    cut = data.draw(st.integers(ends[1], ends[-1] - 1))
    path.write_bytes(whole[:cut])
    last = max(end for end in ends if end <= cut)
    done = rec_repair(path, in_folder / "b.rec", force=True, jobs=1)
    assert (done.records, done.cut_bytes) == (ends.index(last), cut - last)
    if cut > last:
        assert (in_folder / "b.rec").read_bytes() == whole[:last]
        assert is_sound(in_folder / "b.rec")
    assert path.read_bytes() == whole[:cut]


def spoilt(path: Path) -> list[ImageRecord]:
    """Write six records, of which the second's framing and the fourth's picture are damaged."""
    made = image_records(6)
    framed = [frame(pack(one)) for one in made]
    framed[1] = b"\xff" * len(framed[1])
    made[3] = ImageRecord(3, (0.0,), PICTURES[3][:200])
    framed[3] = frame(pack(made[3]))
    write_rec(path, made)
    path.write_bytes(b"".join(framed))
    return made


def test_damage_in_the_middle_is_cut_out(tmp_path: Path) -> None:
    path = tmp_path / "a.rec"
    made = spoilt(path)
    done = rec_repair(path)
    assert records(tmp_path / "a-repaired.rec") == [made[0], *made[2:]]
    assert [(one.records_before, one.end - one.offset) for one in done.cuts] == [
        (1, len(frame(pack(image_records(6)[1]))))
    ]
    assert is_sound(tmp_path / "a-repaired.rec")


@pytest.mark.parametrize("jobs", [1, 2])
def test_pictures_that_cannot_be_decoded_are_left_out_where_asked(tmp_path: Path, jobs: int) -> None:
    path = tmp_path / "a.rec"
    made = spoilt(path)
    done = rec_repair(path, tmp_path / "b.rec", decode=True, jobs=jobs)
    assert (done.records, done.left_out, [one.line for one in done.problems]) == (4, 1, [3])
    assert records(tmp_path / "b.rec") == [made[0], made[2], *made[4:]]
    assert not rec_verify(tmp_path / "b.rec", decode=True).problems


def test_a_file_is_repaired_in_its_place_with_force_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.rec"
    made = spoilt(path)
    before = three(path)
    with pytest.raises(Exists):
        rec_repair(path, path)
    assert three(path) == before
    assert rec_repair(path, path, dry_run=True).records == 5
    assert three(path) == before
    rec_repair(path, path, force=True)
    assert records(path) == [made[0], *made[2:]]
    assert is_sound(path)


def test_what_is_whole_is_not_written_again(tmp_path: Path) -> None:
    path = write_rec(tmp_path / "a.rec", image_records(3))
    assert rec_repair(path, decode=True).outputs == ()
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("data", [b"", b"damage", MAGIC])
def test_what_has_no_whole_record_cannot_be_repaired(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.rec"
    path.write_bytes(data)
    with pytest.raises(BadData, match="no record is whole"):
        rec_repair(path)


def test_mxnet_reads_what_was_merged_dealt_out_and_mended(tmp_path: Path, mxnet: Any) -> None:
    one, other = spoilt(tmp_path / "a.rec"), image_records(4, first=10)
    mended = rec_repair(tmp_path / "a.rec", tmp_path / "mended.rec", decode=True).outputs[0].path
    merged = tmp_path / "merged.rec"
    rec_merge(mended, write_rec(tmp_path / "b.rec", other), output=merged)
    kept = [one[0], one[2], *one[4:], *other]
    files = [(str(merged), kept)]
    files += [(name, kept[4 * at : 4 * at + 4]) for at, (name, _) in enumerate(rec_shard(merged, 2).shards)]
    rec_reindex(merged, tmp_path / "again.idx")
    assert (tmp_path / "again.idx").read_bytes() == merged.with_suffix(".idx").read_bytes()
    for name, expected in files:
        reader = mxnet.recordio.MXIndexedRecordIO(name.removesuffix("rec") + "idx", name, "r")
        assert reader.keys == [record.id for record in expected]
        for record in reversed(expected):
            header, picture = mxnet.recordio.unpack(reader.read_idx(record.id))
            assert (header.id, header.label, picture) == (record.id, record.labels[0], record.picture)
        reader.close()


def test_files_in_s3_are_read_and_written_there(
    s3: "S3Client", run: "Callable[..., Result]", in_folder: Path
) -> None:
    s3.create_bucket(Bucket="lab3")
    for name, first in (("a", 0), ("b", 3)):
        write_rec(Path(f"{name}.rec"), image_records(3, first=first), names=None)
        s3.upload_file(f"{name}.rec", "lab3", f"{name}.rec")
    here = run("rec", "merge", "a.rec", "b.rec", "-o", "all.rec")
    there = run("rec", "merge", "s3://lab3/a.rec", "s3://lab3/b.rec", "-o", "s3://lab3/all.rec")
    assert (here.exit_code, there.exit_code) == (0, 0), there.output
    for ending in ("rec", "idx"):
        body = s3.get_object(Bucket="lab3", Key=f"all.{ending}")["Body"].read()
        assert body == Path(f"all.{ending}").read_bytes()
    assert run("rec", "extract", "s3://lab3/all.rec", "-o", "out").exit_code == 0
    assert run("rec", "extract", "s3://lab3/all.rec").exit_code == 2

import gzip
import io
import json
import os
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import InvalidLine, MtoolError, Refused
from manifest_tools.groundtruth.pipe_mode.lines import in_order, shuffled
from manifest_tools.groundtruth.pipe_mode.payloads import NoObject, payloads
from manifest_tools.io.recordio import MAGIC, frame, read_records
from manifest_tools.io.sources import Source
from manifest_tools.verbs.pipe.pipe import pipe, read_pipe, records
from tests.ground_truth import FAILED, UNLABELLED, chopped, line, multi, write
from tests.json_lines import keys, spaces, values
from tests.objects import encoded, plain, turned
from tests.pictures import jpeg

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NAMES = ("source-ref", "kind")
PICTURE = jpeg(1)


def picture(uri: str) -> bytes:
    """A picture for any URI, with the magic of RecordIO behind its end."""
    return PICTURE + MAGIC + uri.encode()


def sent(path: Path | str) -> list[bytes]:
    return list(read_records(io.BytesIO(Path(path).read_bytes()), str(path)))


@pytest.fixture
def manifest(in_folder: Path) -> str:
    """Four lines and a blank one."""
    return write(in_folder / "a.manifest", line(0), line(1, 1), b"", line(2, 2), line(3, 0))


def test_a_line_becomes_a_record_for_each_attribute_in_the_order_told(manifest: str) -> None:
    done = pipe(manifest, "out", attribute=("kind", "source-ref"), fetch=picture)
    label = ["0", "1", "2", "0"]
    expected = [part for n in range(4) for part in (label[n].encode(), picture(f"s3://raw/{n}.jpg"))]
    assert sent("out") == expected
    assert Path("out").read_bytes() == b"".join(map(frame, expected))
    assert (done.lines, done.records, done.size) == (4, 8, Path("out").stat().st_size)


def test_unless_told_the_picture_and_the_only_label_are_sent(manifest: str) -> None:
    assert pipe(manifest, "out", fetch=picture).attributes == NAMES
    assert [len(sent("out")), sent("out")[1]] == [8, b"0"]


def test_the_text_of_a_manifest_without_pictures_is_sent_as_it_is(in_folder: Path) -> None:
    text = {
        "source": "Fast “delivery”\n",
        "mood": 1,
        "mood-metadata": {"type": "groundtruth/text-classification"},
    }
    write(in_folder / "t", json.dumps(text).encode())
    pipe("t", "out")
    assert sent("out") == ["Fast “delivery”\n".encode(), b"1"]


def test_several_labels_and_none_told_are_listed(sample: Path) -> None:
    with pytest.raises(Refused, match="found 'hand', 'finish'; type --attribute source-ref --attribute hand"):
        pipe(str(sample / "good" / "chained-two-attributes.manifest"))


def test_no_label_and_none_told_is_refused_with_the_keys(corpus: Path) -> None:
    with pytest.raises(Refused, match="found none; its keys are source-ref"):
        pipe(str(corpus / "input-only.manifest"))


@given(st.lists(st.tuples(spaces, keys, spaces, values, spaces), max_size=4), values, spaces, st.booleans())
def test_a_value_is_sent_as_it_is_spelt(
    others: list[tuple[str, ...]], value: str, space: str, first: bool
) -> None:
    pairs = [f"{a}{key}{b}:{c}{d}" for a, key, b, c, d in others]
    mine = f'"\\u006cabel" :{space}{value}{space}'
    row = ("{" + ",".join([mine, *pairs] if first else [*pairs, mine]) + "}\n").encode()
    expected = json.loads(value) if value.startswith('"') else value
    if value == "null":
        with pytest.raises(ValueError, match="null"):
            payloads(row, ("label",), picture)
    else:
        assert payloads(row, ("label",), picture) == [expected.encode()]


@pytest.mark.parametrize(
    ("row", "names", "reason"),
    [
        pytest.param(
            line(1), ("Source-Ref", "kind"), "found 'source-ref'; type --attribute source-ref", id="case"
        ),
        pytest.param(line(1), ("source-ref", "kinds"), "found 'kind'; type --attribute kind", id="spelling"),
        pytest.param(
            line(1), ("source-ref", "mood"), "found 'source-ref', 'kind', 'kind-metadata'", id="none"
        ),
        pytest.param(
            FAILED, NAMES, "found an object whose labeling failed; .*filter --labelled", id="failed"
        ),
        pytest.param(UNLABELLED, NAMES, "found 'source-ref'; .*filter --labelled", id="unlabelled"),
        pytest.param(b'{"source-ref":"s3://b/k","kind":null}', NAMES, "'kind' is null", id="a null"),
        pytest.param(
            b'{"source-ref":5,"kind":1}', NAMES, "expected an s3:// URI, found '5'", id="a number for a URI"
        ),
        pytest.param(b'{"kind":1', NAMES, "not JSON", id="cut off"),
        pytest.param(b"[1]", NAMES, "expected object, found array", id="an array"),
        pytest.param(b'{"source-ref":"s3://b/\xff","kind":1}', NAMES, "not UTF-8|not JSON", id="not UTF-8"),
        pytest.param(
            b'{"source-ref":"s3://b/k","kind":' + b"[" * 10**5, NAMES, "nested too deeply", id="deep"
        ),
        pytest.param(b"{}", NAMES, "found nothing", id="an empty object"),
    ],
)
def test_a_line_that_lacks_an_attribute_is_named_before_a_byte_is_written(
    in_folder: Path, row: bytes, names: tuple[str, ...], reason: str
) -> None:
    path = write(in_folder / "m", json.dumps(dict.fromkeys(names, "x")).encode(), b"", row)
    with pytest.raises(InvalidLine, match=f"m:3: .*{reason}") as found:
        pipe(path, "out", attribute=names, fetch=picture)
    assert "\n" not in str(found.value)
    assert [one.name for one in in_folder.iterdir()] == ["m"]


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        pytest.param(("a", "b", "a"), "named twice", id="one twice"),
        pytest.param(tuple(map(str, range(17))), "1 to 16 names, found 17", id="too many"),
        pytest.param(("",), "1 to 256 characters, found 0", id="an empty name"),
        pytest.param(("x" * 257,), "1 to 256 characters, found 257", id="a long name"),
    ],
)
def test_names_that_the_service_would_not_take_are_refused(
    manifest: str, names: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        pipe(manifest, attribute=names)


def test_a_name_that_no_key_can_have_is_refused(manifest: str) -> None:
    with pytest.raises(Refused, match="no attribute can be called"):
        pipe(manifest, attribute=('a"b',))


def test_a_manifest_without_lines_is_nothing_to_send(in_folder: Path) -> None:
    with pytest.raises(MtoolError, match="empty file|expected lines"):
        pipe(write(in_folder / "m", b"", b""), "out", attribute=NAMES)


def test_an_object_that_is_not_there_is_named_with_its_line(manifest: str, in_folder: Path) -> None:
    (in_folder / "raw").mkdir()
    for number in (0, 1, 3):
        (in_folder / "raw" / f"{number}.jpg").write_bytes(b"x")
    advice = "`mtool validate .*a.manifest --objects --decode --images raw` lists every such object"
    with pytest.raises(InvalidLine, match=f"a.manifest:4: expected .*2.jpg, found no such file; {advice}"):
        pipe(manifest, "out", images=["raw"])
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(PICTURE[:-2], "cut off after", id="a JPEG cut off"),
        pytest.param(
            encoded(plain(), "PNG")[:-20] + bytes(20), "the checksum of its chunk", id="a damaged PNG"
        ),
    ],
)
def test_a_broken_picture_is_not_sent(manifest: str, data: bytes, why: str) -> None:
    broken = {"s3://raw/2.jpg": data}
    with pytest.raises(NoObject, match=f"a.manifest:4: s3://raw/2.jpg: a .* file.*{why}.*--objects --decode"):
        pipe(manifest, "out", fetch=lambda uri: broken.get(uri, PICTURE))
    assert not Path("out").exists()


def test_pictures_stored_turned_are_sent_as_they_are_and_counted(manifest: str) -> None:
    data = turned(6)
    done = pipe(manifest, "out", fetch=lambda uri: data if "1" in uri else PICTURE)
    assert (done.turned, sent("out")[2]) == (1, data)


def test_objects_are_found_where_images_says_or_beside_the_manifest(in_folder: Path) -> None:
    (in_folder / "raw").mkdir()
    (in_folder / "raw" / "0.jpg").write_bytes(jpeg(1))
    (in_folder / "here.jpg").write_bytes(jpeg(2))
    here = line(1).replace(b"s3://raw/1.jpg", b"here.jpg")
    write(in_folder / "m", line(0), here)
    pipe("m", "out", images=["s3://raw=raw"])
    assert sent("out") == [jpeg(1), b"0", jpeg(2), b"0"]


def test_a_mask_is_sent_as_its_object_too(in_folder: Path) -> None:
    write(in_folder / "m", b'{"source-ref":"s3://b/1.jpg","mask-ref":"s3://b/1.png"}')
    pipe("m", "out", attribute=("source-ref", "mask-ref"), fetch=picture)
    assert sent("out") == [picture("s3://b/1.jpg"), picture("s3://b/1.png")]


def test_a_bare_folder_stands_for_the_deepest_folder_that_all_lines_share(in_folder: Path) -> None:
    refs = ("deep/a/1.jpg", "deep/b/2.jpg", "deep/a/3.jpg")
    for ref in refs:
        place = in_folder / "raw" / ref.removeprefix("deep/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(ref.encode())
    write(in_folder / "m", *(b'{"source-ref":"s3://b/%s"}' % ref.encode() for ref in refs))
    pipe("m", "out", attribute=("source-ref",), images=["raw"])
    assert sent("out") == [ref.encode() for ref in refs]


def test_without_pictures_and_credentials_it_says_what_to_type(
    manifest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(Refused, match="objects of s3://raw are not on this disk, .* --images ./raw-data"):
        pipe(manifest, "out")


def test_objects_come_from_s3_and_the_stream_goes_there(s3: "S3Client", in_folder: Path) -> None:
    s3.create_bucket(Bucket="raw")
    rows = [line(number, number % 3) for number in range(40)]
    for number in range(40):
        s3.put_object(Bucket="raw", Key=f"{number}.jpg", Body=picture(str(number)))
    s3.put_object(Bucket="raw", Key="m.manifest", Body=b"\n".join(rows))
    pipe("s3://raw/m.manifest", "s3://raw/stream")
    got = list(read_records(io.BytesIO(s3.get_object(Bucket="raw", Key="stream")["Body"].read())))
    assert got[0::2] == [picture(str(number)) for number in range(40)]
    assert got[1::2] == [str(number % 3).encode() for number in range(40)]
    pipe("s3://raw/m.manifest", "mixed", shuffle=True, seed=5)
    assert sent("mixed") != got and sorted(sent("mixed")) == sorted(got)


def test_an_object_that_s3_lacks_is_named_with_its_line(s3: "S3Client", manifest: str) -> None:
    s3.create_bucket(Bucket="raw")
    with pytest.raises(InvalidLine, match=r"a.manifest:1: s3://raw/0.jpg: S3 has no such object"):
        pipe(manifest, "out")


rows_of_any_kind = st.lists(
    st.sampled_from([line(1), line(2, pad=300), b"", b"  ", multi(3, RH=0.5)]), min_size=1
)


@given(rows_of_any_kind, st.integers(0, 9), st.integers(1, 900), st.sampled_from([b"\n", b"\r\n", b""]))
def test_shuffled_lines_are_all_the_lines_in_an_order_that_only_the_seed_decides(
    tmp_path_factory: pytest.TempPathFactory, rows: list[bytes], seed: int, step: int, end: bytes
) -> None:
    path = Path(write(tmp_path_factory.mktemp("shuffle") / "m", *rows, end=end))
    cut = chopped(path, step)
    plain_order = list(in_order(cut))
    assert plain_order == [(n, row) for n, row in enumerate(lines_with_ends(path), 1) if row.strip()]
    starts = offsets(path)
    mixed = list(shuffled(cut, starts, seed))
    assert sorted(mixed) == plain_order
    assert mixed == list(shuffled(Source(str(path), str(path), path.stat().st_size), starts, seed))


def lines_with_ends(path: Path) -> list[bytes]:
    return io.BytesIO(path.read_bytes()).readlines()


def offsets(path: Path) -> Any:
    import numpy as np

    lengths = [0, *map(len, lines_with_ends(path))]
    return np.cumsum(lengths[:-1], dtype=np.int64)


def test_a_shuffle_is_the_same_for_any_number_of_workers_and_another_for_another_seed(
    in_folder: Path,
) -> None:
    path = write(in_folder / "m", *(line(number, number % 3, pad=200_000) for number in range(60)))
    for name, seed, jobs in (("one", 1, 1), ("two", 1, 2), ("other", 2, 1)):
        pipe(path, name, shuffle=True, seed=seed, jobs=jobs, fetch=picture)
    pipe(path, "plain", fetch=picture)
    assert Path("one").read_bytes() == Path("two").read_bytes() != Path("other").read_bytes()
    assert sorted(sent("one")) == sorted(sent("other")) == sorted(sent("plain"))
    pairs = list(zip(sent("one")[0::2], sent("one")[1::2], strict=True))
    assert pairs != sorted(pairs) and set(pairs) == set(
        zip(sent("plain")[0::2], sent("plain")[1::2], strict=True)
    )


def test_a_compressed_manifest_is_read_and_a_compressed_stream_written(in_folder: Path) -> None:
    Path("m.gz").write_bytes(gzip.compress(line(1) + b"\n" + line(2)))
    pipe("m.gz", "out", fetch=picture)
    pipe("m.gz", "out.gz", fetch=picture)
    assert gzip.decompress(Path("out.gz").read_bytes()) == Path("out").read_bytes()


def test_the_stream_of_the_project_s_own_pictures_is_read_back_as_samples(
    sample: Path, in_folder: Path
) -> None:
    rows = [row for row in (sample / "output.manifest").read_bytes().splitlines() if b'"class-name"' in row]
    names = ("source-ref", "lab#-labeling-job")
    pipe(write(in_folder / "m", *rows), "out", attribute=names, images=[str(sample / "images")])
    with open("out", "rb") as stream:
        found = list(read_pipe(stream, names, "class-index", 2))
    assert len(found) == len(rows) == 120
    for one, row in zip(found, map(json.loads, rows), strict=True):
        assert one.label == (row["lab#-labeling-job"],)
        assert one.picture == (sample / "images" / row["source-ref"].rpartition("/")[2]).read_bytes()


@pytest.mark.parametrize(
    ("name", "label", "label_format", "samples"),
    [
        ("workshop-train.manifest", "lab#-labeling-job", "class-index", 55),
        ("workshop-validation-lab1.manifest", "lab1-labeling-job", "class-index", 14),
        ("boxes-with-empty-rows.manifest", None, "boxes", 32),
        ("boxes-yolov5-sample.manifest", None, "boxes", 100),
    ],
)
def test_real_manifests_are_read_back_as_samples(
    corpus: Path, in_folder: Path, name: str, label: str | None, label_format: Any, samples: int
) -> None:
    attributes = () if label is None else ("source-ref", label)
    done = pipe(str(corpus / name), "out", attribute=attributes, fetch=picture)
    with open("out", "rb") as stream:
        found = list(read_pipe(stream, done.attributes, label_format))
    assert len(found) == done.lines == samples
    assert found[0].picture.startswith(PICTURE + MAGIC + b"s3://")


def test_records_are_made_of_lines_without_any_file() -> None:
    lines = [(1, line(1)), (7, multi(2, RH=0.9, LH=0.2))]
    found = list(records(lines, NAMES, picture))
    assert found == [picture("s3://raw/1.jpg"), b"0", picture("s3://raw/2.jpg"), b"[0, 1]"]
    with pytest.raises(InvalidLine, match="m:7: expected the attribute 'mood'"):
        list(records(lines[1:], ("source-ref", "mood"), picture, "m"))


@pytest.fixture
def fifo(in_folder: Path) -> str:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no FIFO on this system")
    os.mkfifo("train_0")
    return "train_0"


def reading(path: str, what: Callable[[Any], bytes]) -> tuple[threading.Thread, list[bytes]]:
    """Start a thread that opens a FIFO and keeps what it reads."""
    got: list[bytes] = []

    def work() -> None:
        with open(path, "rb", buffering=0) as stream:
            got.append(what(stream))

    thread = threading.Thread(target=work)
    thread.start()
    return thread, got


def test_a_fifo_is_written_as_it_is(manifest: str, fifo: str, in_folder: Path) -> None:
    thread, got = reading(fifo, lambda stream: b"".join(iter(lambda: stream.read(7), b"")))
    done = pipe(manifest, fifo, fetch=picture)
    thread.join(10)
    pipe(manifest, "file", fetch=picture)
    assert got == [Path("file").read_bytes()]
    assert (done.reader_left, done.published) == (False, ())
    assert sorted(one.name for one in in_folder.iterdir()) == ["a.manifest", "file", "train_0"]


def test_a_reader_that_goes_away_ends_it_quietly(manifest: str, fifo: str) -> None:
    def large(uri: str) -> bytes:
        return random.Random(uri).randbytes(1 << 20)  # more than a pipe holds

    thread, got = reading(fifo, lambda stream: stream.read(100))
    done = pipe(manifest, fifo, fetch=large)
    thread.join(10)
    assert (done.reader_left, done.lines) == (True, 0)
    assert got[0] == frame(large("s3://raw/0.jpg"))[: len(got[0])]


def test_mxnet_reads_the_stream(manifest: str, mxnet: Any) -> None:
    pipe(manifest, "out", fetch=picture)
    reader = mxnet.recordio.MXRecordIO("out", "r")
    found = [reader.read() for _ in range(9)]
    reader.close()
    labels = [b"0", b"1", b"2", b"0"]
    assert found == [p for n in range(4) for p in (picture(f"s3://raw/{n}.jpg"), labels[n])] + [None]


def test_a_dry_run_looks_at_the_lines_and_writes_nothing(manifest: str, in_folder: Path) -> None:
    done = pipe(manifest, "out", dry_run=True)
    assert (done.expected, done.lines) == (4, 0)
    assert [one.name for one in in_folder.iterdir()] == ["a.manifest"]


def test_the_same_stream_again_is_unchanged_and_another_is_refused(manifest: str) -> None:
    assert [pipe(manifest, "out", fetch=picture).published[0].state for _ in range(2)] == [
        "written",
        "unchanged",
    ]
    with pytest.raises(Refused, match="exists already"):
        pipe(manifest, "out", shuffle=True, seed=1, fetch=picture)
    with pytest.raises(Refused, match="its own input"):
        pipe(manifest, manifest, fetch=picture, force=True)

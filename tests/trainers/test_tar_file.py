"""Archives are read as tarfile reads them, and refused within moments where they lie."""

import gzip
import io
import tarfile
import time
import zlib
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trainers.bad_model import BadModel
from trainers.model_archive import read_archive
from trainers.tar_file import Gunzip

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "GNU": tarfile.GNU_FORMAT, "PAX": tarfile.PAX_FORMAT}
SECONDS = 2.0  # on a busy machine; a crafted archive took half an hour before


def info(name: str, size: int = 0) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.size = size
    return made


def tar(files: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in files.items():
            archive.addfile(info(name, len(data)), io.BytesIO(data))
    return out.getvalue()


def read(data: bytes) -> dict[str, bytes]:
    return read_archive("a.tar.gz", io.BytesIO(gzip.compress(data, 1)))


def answer(packed: bytes) -> dict[str, bytes] | BadModel:
    """Return the files of an archive or the refusal; fails where neither comes soon."""
    begun = time.process_time()
    try:
        return read_archive("a.tar.gz", io.BytesIO(packed))
    except BadModel as refused:
        assert len(str(refused).splitlines()) == 1
        return refused
    finally:
        assert time.process_time() - begun < SECONDS


names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=60)
contents = st.dictionaries(names.filter(lambda name: name != ".."), st.binary(max_size=1500), max_size=5)


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
@settings(deadline=None)
@given(
    files=contents, folder=st.sampled_from(["", "model/", "/opt/ml/model/", "./", "f" * 90 + "/", "d/" * 150])
)
def test_every_form_that_tarfile_writes_is_read(form: int, files: dict[str, bytes], folder: str) -> None:
    try:
        written = tar({folder + name: data for name, data in files.items()}, form)
    except ValueError:  # ustar has no room for the name
        return
    assert read(written) == files


def test_folders_and_the_notes_of_other_programs_are_passed_over() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", pax_headers={"comment": "git's"}) as archive:
        folder = info("model")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        noted = info("model/a.params", 3)
        noted.pax_headers = {"LIBARCHIVE.xattr.com.apple.x": "MQ==", "mtime": "1.5"}
        archive.addfile(noted, io.BytesIO(b"abc"))
    assert read(out.getvalue()) == {"a.params": b"abc"}


def test_an_archive_in_several_gzip_members_and_with_zeros_behind_is_read() -> None:
    data = tar({"a.params": b"abc" * 1000})
    packed = gzip.compress(data[:700]) + gzip.compress(b"") + gzip.compress(data[700:]) + bytes(512)
    assert read_archive("a.tar.gz", io.BytesIO(packed)) == {"a.params": b"abc" * 1000}


def extension(kind: bytes, content: bytes, size: int | None = None) -> bytes:
    header = info("x", len(content) if size is None else size)
    header.type = kind
    return header.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % 512)


def record(key: bytes, value: bytes) -> bytes:
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest) + 1
    while len(b"%d" % length) + len(rest) != length:
        length += 1
    return b"%d" % length + rest


END = bytes(1024)
ENDLESS_NAME = b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * (1 << 22)
HOSTILE: dict[str, Callable[[], bytes]] = {
    "a chain of PAX headers": lambda: gzip.compress(extension(b"x", record(b"path", b"a")) * 50_000),
    "a PAX header of many records": lambda: gzip.compress(extension(b"x", b"6 a=b\n" * 500_000)),
    "a PAX header that is one number": lambda: gzip.compress(extension(b"x", b"9" * 500_000)),
    "a PAX record longer than its header": lambda: gzip.compress(extension(b"x", b"99 path=a\n") + END),
    "a PAX record of no bytes": lambda: gzip.compress(extension(b"x", b"0 path=a\n") + END),
    "a size in letters": lambda: gzip.compress(
        extension(b"x", record(b"size", b"many")) + info("a").tobuf() + END
    ),
    "a size of 20 digits": lambda: gzip.compress(
        extension(b"x", record(b"size", b"9" * 20)) + info("a").tobuf() + END
    ),
    "a name of a megabyte": lambda: gzip.compress(extension(b"L", b"n" * (1 << 20 | 1)) + END),
    "a header of an exabyte": lambda: gzip.compress(extension(b"L", b"", size=1 << 60)),
    "a file of an exabyte": lambda: gzip.compress(info("a", 1 << 60).tobuf(tarfile.GNU_FORMAT)),
    "a gzip header without end": lambda: ENDLESS_NAME,
    "gzip members without content": lambda: gzip.compress(b"") * 200_000,
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_a_crafted_archive_is_refused_within_moments(hostile: Callable[[], bytes]) -> None:
    assert isinstance(answer(hostile()), BadModel)


def test_what_unpacks_to_more_than_200_times_its_size_is_refused() -> None:
    packer = zlib.compressobj(9, wbits=31)
    million = bytes(1 << 20)
    packed = b"".join(packer.compress(million) for _ in range(100)) + packer.flush()
    copied = 0
    with pytest.raises(BadModel, match="more than 200 times its size"):
        stream = Gunzip("bomb", io.BytesIO(packed))
        while part := stream.read(1 << 20):
            copied += len(part)
    assert copied <= 65 << 20


def test_damage_behind_the_last_file_is_found() -> None:
    packed = gzip.compress(tar({"a.params": b"abc"}))
    assert isinstance(answer(packed), dict)
    assert isinstance(answer(packed[:-1]), BadModel)
    assert isinstance(answer(packed[:-8] + bytes(4) + packed[-4:]), BadModel)


SEEDS = [tar({"model/a.params": b"w" * 700, "classes.json": b"{}"}, form) for form in FORMATS.values()]
SEEDS.append(tar({"n" * 200: b"long"}, tarfile.GNU_FORMAT))
SEEDS.append(tar({"ü" * 120: b"long"}, tarfile.PAX_FORMAT))


def with_checksum(data: bytes) -> bytes:
    """Return a tar file whose first header has the right checksum again: mutations get further."""
    total = sum(data[:148]) + 256 + sum(data[156:512])
    return data[:148] + b"%06o\0 " % total + data[156:]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    data = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, min(len(data), 2048)))
        end = at + draw(st.integers(0, 12))
        put = draw(
            st.one_of(st.binary(max_size=12), st.just(data[:512]), st.just(b"9" * 11), st.just(bytes(512)))
        )
        data = data[:at] + put + data[end:]
    return with_checksum(data) if draw(st.booleans()) else data


@settings(deadline=None, max_examples=400)
@given(mutated())
@example(SEEDS[0][:600])
def test_every_mutation_is_files_or_a_refusal(data: bytes) -> None:
    answer(gzip.compress(data, 1))


@settings(deadline=None)
@given(st.data())
def test_every_mutation_of_the_gzip_file_is_files_or_a_refusal(data: st.DataObject) -> None:
    packed = gzip.compress(SEEDS[0])
    at = data.draw(st.integers(0, len(packed)))
    put = data.draw(st.binary(max_size=8))
    answer(packed[:at] + put + packed[at + data.draw(st.integers(0, 8)) :])

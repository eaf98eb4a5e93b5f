"""What was fetched is kept, and taken again only while S3 says that it is the same."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from manifest_tools.base.errors import MtoolError, Refused
from manifest_tools.io import s3 as our
from manifest_tools.io.s3_cache import ObjectCache, object_cache
from tests.scripted_s3 import Answers, a_server, refusing, speak

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "lab3-raw"
URI = f"s3://{BUCKET}/left/a b.JPG"
MOST = 1000
posix = pytest.mark.skipif(os.name != "posix", reason="needs links")


@pytest.fixture
def bucket(s3: "S3Client") -> "S3Client":
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="left/a b.JPG", Body=b"old")
    return s3


@pytest.fixture
def cache(tmp_path: Path) -> ObjectCache:
    return object_cache(str(tmp_path / "kept"))


@pytest.fixture
def speaking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answers], None]]:
    with a_server() as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        yield speak


def files(cache: ObjectCache) -> list[Path]:
    return [path for path in Path(cache.folder).rglob("*") if path.is_file()]


def test_bytes_come_once_and_then_one_question_a_read(
    speaking: Callable[[Answers], None], cache: ObjectCache
) -> None:
    answers = Answers({"GET": [(200, {"ETag": '"e1"'}, b"old"), (304, {}, b"")]})
    speaking(answers)
    assert [cache.read(URI, MOST) for _ in range(3)] == [b"old"] * 3
    assert [headers.get("If-None-Match") for headers in answers.headers] == [None, '"e1"', '"e1"']


def test_a_changed_object_is_fetched_anew_and_replaces_the_old_one(
    bucket: "S3Client", cache: ObjectCache
) -> None:
    assert cache.read(URI, MOST) == b"old"
    bucket.put_object(Bucket=BUCKET, Key="left/a b.JPG", Body=b"new")
    assert cache.read(URI, MOST) == cache.read(URI, MOST) == b"new"
    assert len(files(cache)) == 1


def test_an_object_that_is_gone_is_not_taken_from_what_is_kept(
    bucket: "S3Client", cache: ObjectCache
) -> None:
    cache.read(URI, MOST)
    bucket.delete_object(Bucket=BUCKET, Key="left/a b.JPG")
    with pytest.raises(our.NotThere):
        cache.read(URI, MOST)


def test_what_is_too_large_is_not_kept(bucket: "S3Client", cache: ObjectCache) -> None:
    assert cache.read(URI, 1) == b"ol"
    assert files(cache) == []


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(b""), id="emptied"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-1]), id="cut"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-1] + b"X"), id="changed"),
        pytest.param(lambda path: path.write_bytes(b"[[[[" * 9999), id="no head"),
        pytest.param(
            lambda path: path.write_bytes(path.read_bytes().replace(b"left", b"lift")), id="of another object"
        ),
    ],
)
def test_what_is_not_whole_is_fetched_anew(
    bucket: "S3Client", cache: ObjectCache, damage: Callable[[Path], None]
) -> None:
    cache.read(URI, MOST)
    (kept,) = files(cache)
    damage(kept)
    assert cache.read(URI, MOST) == b"old"
    (again,) = files(cache)
    assert again.read_bytes().endswith(b"\nold")


@pytest.mark.parametrize(
    "key", ["../../out.jpg", "/etc/passwd", "a\nb", "x" * 1000, "..", "ü/日本", "\ud800"]
)
def test_no_key_leads_out_of_the_folder(
    speaking: Callable[[Answers], None], tmp_path: Path, cache: ObjectCache, key: str
) -> None:
    path = Path(cache._path(f"s3://{BUCKET}/{key}"))
    assert path.parent.parent == Path(cache.folder)
    assert path.name.isalnum()


@posix
def test_a_link_in_its_place_is_neither_read_nor_written_through(
    bucket: "S3Client", tmp_path: Path, cache: ObjectCache
) -> None:
    cache.read(URI, MOST)
    (kept,) = files(cache)
    (tmp_path / "outside").write_bytes(kept.read_bytes())
    kept.unlink()
    kept.symlink_to(tmp_path / "outside")
    before = (tmp_path / "outside").read_bytes()
    bucket.put_object(Bucket=BUCKET, Key="left/a b.JPG", Body=b"new")
    assert cache.read(URI, MOST) == b"new"
    assert (tmp_path / "outside").read_bytes() == before
    assert not kept.is_symlink()


@posix
def test_a_folder_that_leads_elsewhere_is_not_written_into(
    bucket: "S3Client", tmp_path: Path, cache: ObjectCache
) -> None:
    (tmp_path / "outside").mkdir()
    Path(cache.folder).mkdir()
    Path(cache._path(URI)).parent.symlink_to(tmp_path / "outside")
    with pytest.raises(Refused, match="leads elsewhere"):
        cache.read(URI, MOST)
    assert list((tmp_path / "outside").iterdir()) == []


def test_threads_and_processes_share_it(bucket: "S3Client", cache: ObjectCache) -> None:
    sent = pickle.loads(pickle.dumps(cache))
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(lambda _: sent.read(URI, MOST), range(40))) == {b"old"}
    assert len(files(cache)) == 1


def test_what_killed_processes_left_is_removed(cache: ObjectCache) -> None:
    program = "from manifest_tools.base.local_files import process_prefix; print(process_prefix())"
    gone = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    left = Path(cache.folder, "new", f"{gone.stdout.strip()}abc")
    left.parent.mkdir(parents=True)
    left.touch()
    assert object_cache(cache.folder) == cache
    assert not left.exists()


def test_a_place_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/1.jpg").touch()
    for name, words in (
        ("s3://lab3/cache", "on this disk"),
        (str(tmp_path / "file"), "found a file"),
        (str(tmp_path / "pictures"), "found other files"),
    ):
        with pytest.raises(Refused, match=words):
            object_cache(name)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_said(bucket: "S3Client", tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(MtoolError, match="cannot be written"):
        object_cache(str(tmp_path / "kept")).read(URI, MOST)


def test_a_cache_that_nothing_is_read_from_is_not_made(tmp_path: Path) -> None:
    object_cache(str(tmp_path / "kept"))
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_s3_is_that_of_s3(speaking: Callable[[Answers], None], cache: ObjectCache) -> None:
    speaking(Answers({"GET": [refusing(403, "AccessDenied")]}))
    with pytest.raises(our.Denied):
        cache.read(URI, MOST)

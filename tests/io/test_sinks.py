import gzip
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import Exists, MtoolError, Refused
from manifest_tools.io.sinks import Published, publishing

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def publish(outputs: dict[str, bytes], *, force: bool = False, sync: bool = False) -> list[Published]:
    with publishing(force=force, sync=sync) as publication:
        for name, content in outputs.items():
            publication.open(name).write(content)
    return publication.published


def there() -> dict[str, bytes]:
    """Return every file in the current folder, hidden ones too."""
    return {name: Path(name).read_bytes() for name in sorted(os.listdir()) if Path(name).is_file()}


names = st.sampled_from(["a", "b.manifest", "c.json"])
bodies = st.sampled_from([b"", b"one", b"two", b"other"])


@given(st.dictionaries(names, bodies), st.dictionaries(names, bodies, min_size=1), st.booleans())
def test_all_appear_or_nothing_changes(old: dict[str, bytes], new: dict[str, bytes], force: bool) -> None:
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            for name, content in old.items():
                Path(name).write_bytes(content)
            clash = [name for name in new if name in old and old[name] != new[name]]
            if clash and not force:
                with pytest.raises(Exists) as raised:
                    publish(new)
                assert raised.value.paths == tuple(clash)
                assert there() == old
            else:
                states = {one.path: one.state for one in publish(new, force=force)}
                assert there() == old | new
                same = {name for name in new if old.get(name) == new[name]}
                assert states == {name: "unchanged" if name in same else "written" for name in new}
        finally:
            os.chdir(before)


class Stop(BaseException):
    """Something that nobody foresaw."""


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(ValueError("no"), id="an error"),
        pytest.param(KeyboardInterrupt(), id="Ctrl-C"),
        pytest.param(SystemExit(3), id="an exit"),
        pytest.param(Stop(), id="anything"),
    ],
)
@pytest.mark.parametrize("name", ["a", "a.gz"])
def test_a_failure_leaves_everything_as_it_was(in_folder: Path, failure: BaseException, name: str) -> None:
    Path(name).write_bytes(b"old")
    with pytest.raises(type(failure)), publishing(force=True) as publication:
        publication.open(name).write(b"new" * 1_000_000)
        publication.open("b").write(b"new")
        raise failure
    assert there() == {name: b"old"}


def test_exists_names_every_output_that_would_change(in_folder: Path) -> None:
    for name in ("a", "b", "c"):
        Path(name).write_bytes(b"old")
    with pytest.raises(Exists) as raised:
        publish({"a": b"new", "b": b"old", "c": b"new", "d": b"new"})
    assert raised.value.paths == ("a", "c")
    assert str(raised.value).startswith("a, c: exist already")
    assert "--force" in str(raised.value)
    assert raised.value.exit_code == 2
    assert "d" not in there()


@pytest.mark.parametrize("force", [False, True])
def test_an_output_that_would_be_the_same_is_not_touched(in_folder: Path, force: bool) -> None:
    Path("a").write_bytes(b"same")
    os.utime("a", ns=(1, 1))
    before = os.stat("a")
    assert publish({"a": b"same"}, force=force) == [Published("a", "unchanged")]
    after = os.stat("a")
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


@pytest.mark.parametrize("sync", [False, True])
def test_mode_and_links_survive(in_folder: Path, sync: bool) -> None:
    Path("target").write_bytes(b"old")
    Path("target").chmod(0o640)
    Path("link").symlink_to("target")
    assert publish({"link": b"new"}, force=True, sync=sync) == [Published("link", "written")]
    assert Path("link").is_symlink()
    assert there() == {"link": b"new", "target": b"new"}
    assert Path("target").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("a", "a", id="the same name"),
        pytest.param("a", "./a", id="another spelling"),
        pytest.param("a", "folder/../a", id="a way round"),
        pytest.param("a", "link", id="a link to it"),
        pytest.param("-", "-", id="standard output"),
    ],
)
def test_two_outputs_of_one_place_are_refused(in_folder: Path, one: str, other: str) -> None:
    Path("folder").mkdir()
    Path("link").symlink_to("a")
    with pytest.raises(Refused, match="two outputs would be this file"), publishing() as publication:
        publication.open(one)
        publication.open(other)
    assert there() == {}


def test_an_output_that_was_dropped_is_as_if_it_had_never_been(in_folder: Path) -> None:
    with publishing() as publication:
        publication.open("a").write(b"first")
        publication.open("b").write(b"b")
        publication.drop("a")
        publication.open("a").write(b"second")
    assert there() == {"a": b"second", "b": b"b"}


def test_what_other_processes_write_by_name_is_published(in_folder: Path) -> None:
    with publishing() as publication:
        publication.open("a")
        temporary = publication.temporary("a")
        assert temporary is not None
        Path(temporary).write_bytes(b"from elsewhere")
    assert there() == {"a": b"from elsewhere"}


@pytest.mark.parametrize("name", ["-", "a.gz", os.devnull, "nobody opened this"])
def test_where_there_is_no_plain_file_there_is_none_to_write_by_name(in_folder: Path, name: str) -> None:
    with publishing() as publication:
        if name != "nobody opened this":
            publication.open(name)
        assert publication.temporary(name) is None


def test_gzip_is_written_by_name_and_has_neither_time_nor_name_in_it(in_folder: Path) -> None:
    publish({"a.manifest.gz": b"{}\n" * 1000})
    publish({"b.manifest.gz": b"{}\n" * 1000})
    assert gzip.decompress(Path("a.manifest.gz").read_bytes()) == b"{}\n" * 1000
    assert Path("a.manifest.gz").read_bytes() == Path("b.manifest.gz").read_bytes()
    assert Path("a.manifest.gz").read_bytes()[3:8] == bytes(5)  # RFC 1952: flags, and the time
    assert publish({"a.manifest.gz": b"{}\n" * 1000}) == [Published("a.manifest.gz", "unchanged")]


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_a_pipe_is_written_into_and_not_replaced(in_folder: Path) -> None:
    reader, writer = os.pipe()
    assert publish({f"/dev/fd/{writer}": b"through"}) == []
    os.close(writer)
    assert os.read(reader, 100) == b"through"
    os.close(reader)


def test_a_device_may_take_two_outputs(in_folder: Path) -> None:
    with publishing() as publication:
        publication.open(os.devnull).write(b"one")
        publication.open(os.devnull).write(b"two")
    assert there() == {}


def test_standard_output_is_written_at_once_and_is_no_output_to_publish(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert publish({"-": b"data\n"}) == []
    sys.stdout.flush()
    assert capfdbinary.readouterr().out == b"data\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("folder", "found a folder", id="a folder"),
        pytest.param("new/", "found a folder", id="a folder that is not there"),
        pytest.param("folder/file/b", "found a file", id="below a file"),
        pytest.param("s3://bucket", "expected a key", id="a bucket without key"),
        pytest.param("s3://bucket/", "expected a key", id="a bucket with a slash"),
        pytest.param("", "found a folder", id="no name"),
    ],
)
def test_an_output_that_cannot_be_is_said_in_one_line(in_folder: Path, name: str, message: str) -> None:
    Path("folder").mkdir()
    Path("folder/file").touch()
    with pytest.raises(MtoolError, match=message) as raised, publishing() as publication:
        publication.open("a")
        publication.open(name)
    assert "\n" not in str(raised.value)
    assert [path.name for path in in_folder.rglob("*")] == ["folder", "file"]


def test_where_one_cannot_take_its_place_it_says_what_changed_before(in_folder: Path) -> None:
    with (
        pytest.raises(
            MtoolError,
            match="b: could not be written: Is a directory; outputs that were written before it: a$",
        ),
        publishing(force=True) as publication,
    ):
        for name in ("a", "b", "c"):
            publication.open(name).write(b"new")
        Path("b").mkdir()
    assert there() == {"a": b"new"}


class TestS3:
    @pytest.fixture
    def bucket(self, s3: "S3Client") -> "S3Client":
        s3.create_bucket(Bucket="lab3-rawdata")
        return s3

    def objects(self, s3: "S3Client") -> dict[str, bytes]:
        listed = s3.list_objects_v2(Bucket="lab3-rawdata").get("Contents", [])
        return {
            one["Key"]: s3.get_object(Bucket="lab3-rawdata", Key=one["Key"])["Body"].read() for one in listed
        }

    def test_an_object_appears_whole(self, bucket: "S3Client", in_folder: Path) -> None:
        states = publish({"s3://lab3-rawdata/out/a": b"new", "local": b"new"})
        assert [one.state for one in states] == ["written", "written"]
        assert self.objects(bucket) == {"out/a": b"new"}
        assert there() == {"local": b"new"}

    def test_two_outputs_of_one_object_are_refused(self, bucket: "S3Client") -> None:
        with pytest.raises(Refused, match="two outputs would be this file"), publishing() as publication:
            publication.open("s3://lab3-rawdata/a")
            publication.open("s3://lab3-rawdata/a")
        assert self.objects(bucket) == {}

    def test_compression_goes_by_name_there_too(self, bucket: "S3Client") -> None:
        publish({"s3://lab3-rawdata/a.gz": b"{}\n"})
        assert gzip.decompress(self.objects(bucket)["a.gz"]) == b"{}\n"

    def test_another_object_is_refused_and_the_same_unchanged(
        self, bucket: "S3Client", in_folder: Path
    ) -> None:
        bucket.put_object(Bucket="lab3-rawdata", Key="a", Body=b"old")
        assert publish({"s3://lab3-rawdata/a": b"old"}) == [Published("s3://lab3-rawdata/a", "unchanged")]
        with pytest.raises(Exists, match="s3://lab3-rawdata/a: exists already"):
            publish({"local": b"new", "s3://lab3-rawdata/a": b"new"})
        assert (self.objects(bucket), there()) == ({"a": b"old"}, {})
        publish({"s3://lab3-rawdata/a": b"new"}, force=True)
        assert self.objects(bucket) == {"a": b"new"}

    def test_a_failure_uploads_nothing(self, bucket: "S3Client") -> None:
        with pytest.raises(ValueError, match="no"), publishing() as publication:
            publication.open("s3://lab3-rawdata/a").write(b"new")
            raise ValueError("no")
        assert self.objects(bucket) == {}

    def test_no_spool_is_left_behind(
        self, bucket: "S3Client", in_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(in_folder))
        publish({"s3://lab3-rawdata/a": b"new"})
        publish({"s3://lab3-rawdata/a": b"new"})
        with pytest.raises(Exists):
            publish({"s3://lab3-rawdata/a": b"other"})
        assert there() == {}

    KEY = "arn:aws:kms:us-east-1:111122223333:key/0d4a1b2c-0000-4000-8000-000000000000"

    def encrypted(self, s3: "S3Client", key: str) -> str | None:
        return s3.head_object(Bucket="lab3-rawdata", Key=key).get("SSEKMSKeyId")

    def test_a_key_encrypts_every_object_and_no_file(self, bucket: "S3Client", in_folder: Path) -> None:
        with publishing(kms_key=self.KEY) as publication:
            for name in ("s3://lab3-rawdata/a", "s3://lab3-rawdata/b.gz", "local"):
                publication.open(name).write(b"new")
        assert [self.encrypted(bucket, key) for key in ("a", "b.gz")] == [self.KEY, self.KEY]
        assert there() == {"local": b"new"}

    def test_the_same_bytes_with_another_key_are_written_again(self, bucket: "S3Client") -> None:
        bucket.put_object(Bucket="lab3-rawdata", Key="a", Body=b"same", ContentType="a/b")
        states = []
        for _ in range(2):
            with publishing(kms_key=self.KEY) as publication:
                publication.open("s3://lab3-rawdata/a").write(b"same")
            states += [one.state for one in publication.published]
        assert states == ["written", "unchanged"]
        assert self.encrypted(bucket, "a") == self.KEY
        assert bucket.head_object(Bucket="lab3-rawdata", Key="a")["ContentType"] == "a/b"

    def test_what_is_replaced_keeps_its_own_key(self, bucket: "S3Client") -> None:
        bucket.put_object(
            Bucket="lab3-rawdata",
            Key="a",
            Body=b"old",
            ServerSideEncryption="aws:kms",
            SSEKMSKeyId=self.KEY,
            Metadata={"lab": "3"},
        )
        publish({"s3://lab3-rawdata/a": b"new"}, force=True)
        assert self.encrypted(bucket, "a") == self.KEY
        assert bucket.head_object(Bucket="lab3-rawdata", Key="a")["Metadata"] == {"lab": "3"}

    def test_a_key_with_which_nothing_would_be_encrypted_is_refused(self, in_folder: Path) -> None:
        with (
            pytest.raises(Refused, match="encrypts objects in S3, and a is not in S3"),
            publishing(kms_key="k") as p,
        ):
            p.open("a").write(b"new")
        assert there() == {}

    def test_a_key_is_no_matter_where_nothing_is_written(self) -> None:
        with publishing(kms_key="k") as publication:
            pass
        assert publication.published == []

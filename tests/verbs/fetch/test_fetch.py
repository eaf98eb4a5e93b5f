import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import InvalidLine, MtoolError, Refused
from manifest_tools.images.paths import image_paths, place_for
from manifest_tools.images.unusable import Unusable
from manifest_tools.verbs.fetch.fetch import fetch
from tests.ground_truth import mask, write
from tests.scripted_s3 import Answers, a_server, refusing, speak

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PICTURES = {"left/1.jpg": b"one", "left/2.jpg": b"two, longer", "right/3.jpg": b""}


def rows(*uris: str) -> list[bytes]:
    return [json.dumps({"source-ref": uri, "pad": n}).encode() for n, uri in enumerate(uris)]


def files(folder: Path | str) -> dict[str, bytes]:
    found = (path for path in Path(folder).rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.fixture
def raw(s3: "S3Client") -> "S3Client":
    """Return a client of an S3 with the pictures in the bucket raw."""
    s3.create_bucket(Bucket="raw")
    for key, body in PICTURES.items():
        s3.put_object(Bucket="raw", Key=key, Body=body)
    return s3


@pytest.fixture
def manifest(in_folder: Path) -> str:
    return write(in_folder / "a.manifest", *rows(*(f"s3://raw/{key}" for key in PICTURES)))


@pytest.mark.usefixtures("raw")
def test_the_pictures_are_where_images_finds_them(manifest: str) -> None:
    done = fetch(manifest, output=Path("pictures"))
    assert files("pictures") == PICTURES
    assert (done.objects, done.fetched, done.fetched_bytes, done.here, done.states) == (3, 3, 14, 0, {})
    uris = [f"s3://raw/{key}" for key in PICTURES]
    found = [image_paths(done.images, uris).find(uri) for uri in uris]
    assert [Path(path).read_bytes() for path in found] == [*PICTURES.values()]


@pytest.mark.usefixtures("raw")
def test_what_is_here_is_not_fetched_again(manifest: str) -> None:
    fetch(manifest)
    before = {path: os.stat(path).st_mtime_ns for path in Path("images").rglob("*.jpg")}
    Path("images/left/2.jpg").unlink()
    done = fetch(manifest)
    assert (done.fetched, done.here, files("images")) == (1, 2, PICTURES)
    same = [path for path in before if os.stat(path).st_mtime_ns == before[path]]
    assert len(same) == 2


@pytest.mark.usefixtures("raw")
def test_a_picture_of_several_lines_and_manifests_is_fetched_once(manifest: str, in_folder: Path) -> None:
    other = write(in_folder / "b", *rows("s3://raw/left/1.jpg", "s3://raw/left/1.jpg", "here.jpg"))
    done = fetch(other, manifest)
    assert (done.objects, done.fetched, done.on_disk) == (3, 3, 1)


def test_several_buckets_have_a_folder_each(raw: "S3Client", manifest: str, in_folder: Path) -> None:
    raw.create_bucket(Bucket="more")
    raw.put_object(Bucket="more", Key="left/1.jpg", Body=b"another")
    other = write(in_folder / "b", *rows("s3://more/left/1.jpg"))
    done = fetch(manifest, other, output="out")
    assert files("out") == {f"raw/{key}": body for key, body in PICTURES.items()} | {
        "more/left/1.jpg": b"another"
    }
    assert done.images == ("s3://raw=out/raw", "s3://more=out/more")
    assert image_paths(done.images, []).find("s3://more/left/1.jpg") == os.path.realpath(
        "out/more/left/1.jpg"
    )


def test_masks_come_along_when_they_are_asked_for(raw: "S3Client", in_folder: Path) -> None:
    row = json.loads(mask(1, "RH")) | {"source-ref": "s3://raw/left/1.jpg", "kind-ref": "s3://raw/mask.png"}
    raw.put_object(Bucket="raw", Key="mask.png", Body=b"mask")
    path = write(in_folder / "a", json.dumps(row).encode())
    assert fetch(path).objects == 1
    assert fetch(path, masks=True).fetched == 1
    assert files("images")["mask.png"] == b"mask"


def test_what_s3_has_not_is_a_fault_with_its_line(raw: "S3Client", manifest: str) -> None:
    raw.delete_object(Bucket="raw", Key="left/2.jpg")
    done = fetch(manifest)
    assert (done.fetched, done.states) == (2, {"not there": 1})
    assert [str(fault) for fault in done.faults] == [
        f"{manifest}:2: s3://raw/left/2.jpg: S3 has no such object; check the name and the AWS account"
    ]


def test_a_bucket_that_is_not_there_stops_the_work(raw: "S3Client", in_folder: Path) -> None:
    path = write(in_folder / "a", *rows("s3://no-such-bucket/1.jpg"))
    with pytest.raises(MtoolError, match="S3 has no such bucket"):
        fetch(path)
    assert not Path("images").exists()
    done = fetch(path, write(in_folder / "b", *rows("s3://raw/left/1.jpg")))
    assert (done.fetched, done.states) == (1, {"not there": 1})


def test_a_dry_run_says_how_many_there_are_and_how_large(raw: "S3Client", manifest: str) -> None:
    done = fetch(manifest, dry_run=True)
    assert (done.wanted, done.wanted_bytes, done.fetched) == (3, 14, 0)
    assert not Path("images").exists()


@pytest.mark.parametrize("mine", [b"mine", b"eno"], ids=["of another size", "of the same size"])
@pytest.mark.usefixtures("raw")
def test_a_file_with_other_content_is_replaced_only_by_force(manifest: str, mine: bytes) -> None:
    place = Path("images/left/1.jpg")
    place.parent.mkdir(parents=True)
    place.write_bytes(mine)
    with pytest.raises(Refused, match=r"images/left/1.jpg: exists already, with other content than in S3; "):
        fetch(manifest)
    assert files("images") == {"left/1.jpg": mine}
    assert fetch(manifest, force=True).fetched == 3
    assert files("images") == PICTURES


def test_of_an_object_in_parts_the_size_decides(raw: "S3Client", in_folder: Path) -> None:
    begun = raw.create_multipart_upload(Bucket="raw", Key="big")["UploadId"]
    sent = raw.upload_part(Bucket="raw", Key="big", UploadId=begun, PartNumber=1, Body=b"x" * 10)
    parts = {"Parts": [{"PartNumber": 1, "ETag": sent["ETag"]}]}
    raw.complete_multipart_upload(
        Bucket="raw",
        Key="big",
        UploadId=begun,
        MultipartUpload=parts,  # type: ignore[arg-type]
    )
    path = write(in_folder / "a", *rows("s3://raw/big"))
    fetch(path)
    Path("images/big").write_bytes(b"y" * 10)
    assert fetch(path).here == 1


HOSTILE = [
    pytest.param("s3://raw/../../outside.jpg", "expected a path below", id="upwards"),
    pytest.param("s3://raw/./1.jpg", "expected a path below", id="a dot"),
    pytest.param("s3://raw//etc/passwd", "expected a path below", id="from the root"),
    pytest.param("s3://raw/a\\..\\b.jpg", "expected a path below", id="backslashes"),
    pytest.param("s3://raw/a\0b.jpg", "expected a path below", id="a zero byte"),
    pytest.param(f"s3://raw/{'x' * 256}", "no file can have a name of 256 bytes", id="a long name"),
    pytest.param(f"s3://raw/{'é' * 128}", "no file can have a name of 256 bytes", id="a long name in bytes"),
    pytest.param(f"s3://raw/{'x/' * 3000}y", "no file can have a name of 6,001", id="a long path"),
    pytest.param("s3://raw/folder/", "found a folder's", id="a folder"),
    pytest.param("s3://raw", "expected a key after", id="no key"),
    pytest.param("s3://", "expected a bucket", id="no bucket"),
    pytest.param("s3://../1.jpg", "no bucket is called ..", id="a bucket upwards"),
    pytest.param("s3://raw/left/link/x.jpg", "a link leads out of", id="a link"),
]


@pytest.mark.parametrize(("uri", "why"), HOSTILE)
def test_no_name_leaves_the_folder(raw: "S3Client", in_folder: Path, uri: str, why: str) -> None:
    (in_folder / "elsewhere").mkdir()
    (in_folder / "images" / "left").mkdir(parents=True)
    (in_folder / "images" / "left" / "link").symlink_to(in_folder / "elsewhere")
    key = uri.removeprefix("s3://raw/")
    if 0 < len(key) < 1024 and "\0" not in key and uri.startswith("s3://raw/"):
        raw.put_object(Bucket="raw", Key=key, Body=b"evil")
    path = write(in_folder / "a", *rows(uri, "s3://raw/left/1.jpg"))
    done = fetch(path)
    assert (done.fetched, sum(done.states.values())) == (1, 1)
    assert why in str(done.faults[0])
    assert [name for name, data in files(in_folder).items() if data == b"evil"] == []
    assert [name for name in files("images") if not name.endswith("left/1.jpg")] == []


def test_two_objects_never_become_one_file(raw: "S3Client", in_folder: Path) -> None:
    raw.put_object(Bucket="raw", Key="left//1.jpg", Body=b"other")
    path = write(in_folder / "a", *rows("s3://raw/left/1.jpg", "s3://raw/left//1.jpg"))
    done = fetch(path)
    assert files("images") == {"left/1.jpg": b"one"}
    assert str(done.faults[0]).endswith("another object of these lines would be the same file")


def test_names_that_differ_by_case_alone_are_counted(raw: "S3Client", in_folder: Path) -> None:
    raw.put_object(Bucket="raw", Key="left/1.JPG", Body=b"other")
    path = write(in_folder / "a", *rows("s3://raw/left/1.jpg", "s3://raw/left/1.JPG"))
    done = fetch(path)
    assert (done.fetched, done.same_letters) == (2, 1)


def test_a_file_in_the_way_of_a_folder_is_a_fault(raw: "S3Client", in_folder: Path) -> None:
    raw.put_object(Bucket="raw", Key="left", Body=b"a file")
    done = fetch(write(in_folder / "a", *rows("s3://raw/left", "s3://raw/left/1.jpg")), concurrency=1)
    assert (done.fetched, done.states) == (1, {"unusable": 1})


def test_a_placeholder_says_what_to_type_before_anything_is_asked(in_folder: Path) -> None:
    path = write(in_folder / "a", *rows("s3://lab#-rawdata/1.jpg"))
    with pytest.raises(Refused, match="lab# is a placeholder; type mtool rewrite --lab ID first"):
        fetch(path)


def test_without_credentials_it_says_what_to_set(manifest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(MtoolError, match="there are no AWS credentials; set AWS_PROFILE, or") as raised:
        fetch(manifest)
    assert raised.value.exit_code == 3


def test_lines_without_a_picture_in_s3_need_no_account(in_folder: Path) -> None:
    done = fetch(write(in_folder / "a", *rows("here.jpg"), b'{"source": "text"}', b""))
    assert (done.objects, done.on_disk, done.fetched) == (0, 1, 0)


def test_a_line_that_is_no_json_is_named(in_folder: Path) -> None:
    with pytest.raises(InvalidLine, match=":2: not JSON"):
        fetch(write(in_folder / "a", *rows("s3://raw/1.jpg"), b"{"))
    with pytest.raises(InvalidLine, match=":1: expected str"):
        fetch(write(in_folder / "a", b'{"source-ref": 1}'))


@pytest.fixture
def speaking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answers], None]]:
    with a_server() as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        yield speak


def page(*keys: str, more: bool = False) -> tuple[int, dict[str, str], bytes]:
    """Return the answer to a listing of three bytes an object."""
    contents = "".join(
        f'<Contents><Key>{key}</Key><Size>3</Size><ETag>"{hashlib.md5(b"one").hexdigest()}"</ETag></Contents>'
        for key in keys
    )
    token = (
        f"<IsTruncated>true</IsTruncated><NextContinuationToken>{keys[0]}</NextContinuationToken>"
        if more
        else ""
    )
    return 200, {}, f"<ListBucketResult>{token}{contents}</ListBucketResult>".encode()


BROKEN = (200, {"Content-Length": "3"}, b"o")
WHOLE: tuple[int, dict[str, str], bytes] = (200, {}, b"one")


def test_a_body_that_breaks_off_is_fetched_again(
    speaking: Callable[[Answers], None], in_folder: Path
) -> None:
    answers = Answers({"GET": [page("1.jpg"), BROKEN, WHOLE]})
    speaking(answers)
    done = fetch(write(in_folder / "a", *rows("s3://raw/1.jpg")))
    assert (done.fetched, len(answers.asked), files("images")) == (1, 3, {"1.jpg": b"one"})


def test_after_a_connection_that_stays_broken_the_same_call_goes_on(
    speaking: Callable[[Answers], None], in_folder: Path
) -> None:
    path = write(in_folder / "a", *rows("s3://raw/1.jpg", "s3://raw/2.jpg"))
    listing = page("1.jpg", "2.jpg")
    speaking(Answers({"GET": [listing, WHOLE, BROKEN]}))
    with pytest.raises(MtoolError, match=r"2\.jpg: the connection broke off .*; try again$"):
        fetch(path, concurrency=1)
    assert files("images") == {"1.jpg": b"one"}
    answers = Answers({"GET": [listing, WHOLE]})
    speaking(answers)
    done = fetch(path, concurrency=1)
    assert (done.fetched, done.here, len(answers.asked)) == (1, 1, 2)
    assert files("images") == {"1.jpg": b"one", "2.jpg": b"one"}


def test_who_may_not_list_asks_for_each_object(speaking: Callable[[Answers], None], in_folder: Path) -> None:
    answers = Answers({"GET": [refusing(403, "AccessDenied"), WHOLE], "HEAD": [(200, {}, b"one")]})
    speaking(answers)
    assert fetch(write(in_folder / "a", *rows("s3://raw/1.jpg"))).fetched == 1
    assert [asked.split("?")[0] for asked in answers.asked] == [
        "GET /raw",
        "HEAD /raw/1.jpg",
        "GET /raw/1.jpg",
    ]


def test_a_bucket_full_of_other_objects_is_not_listed_to_its_end(
    speaking: Callable[[Answers], None], in_folder: Path
) -> None:
    path = write(in_folder / "a", *rows("s3://raw/1.jpg", "s3://raw/9.jpg"))
    pages = [page(f"2-{n}.jpg", more=True) for n in range(11)]
    answers = Answers({"GET": [*pages, WHOLE], "HEAD": [(200, {}, b"one")]})
    speaking(answers)
    assert fetch(path, concurrency=1).fetched == 2
    assert [asked.split(" ")[0] for asked in answers.asked] == ["GET"] * 11 + ["HEAD"] * 2 + ["GET"] * 2


def test_what_kms_encrypts_is_known_by_its_size(speaking: Callable[[Answers], None], in_folder: Path) -> None:
    Path("images").mkdir()
    Path("images/1.jpg").write_bytes(b"own")
    head = (200, {"x-amz-server-side-encryption": "aws:kms"}, b"one")
    speaking(Answers({"GET": [page("1.jpg")], "HEAD": [head]}))
    assert fetch(write(in_folder / "a", *rows("s3://raw/1.jpg"))).here == 1


KILLED = """
import os, sys
from manifest_tools.io import s3
import manifest_tools.verbs.fetch.fetch as module

def killed(items, total, what):
    for number, item in enumerate(items):
        yield item
        if number == 1:
            os.kill(os.getpid(), 9)

module.fetch(sys.argv[1], concurrency=1, transfer=killed)
"""


def test_after_a_kill_the_same_call_goes_on(raw: "S3Client", in_folder: Path) -> None:
    keys = {f"{n:02}.jpg": bytes(100) for n in range(30)}
    for key, body in keys.items():
        raw.put_object(Bucket="raw", Key=key, Body=body)
    path = write(in_folder / "a", *rows(*(f"s3://raw/{key}" for key in keys)))
    ended = subprocess.run([sys.executable, "-c", KILLED, path])
    assert ended.returncode == -9
    whole = {name: data for name, data in files("images").items() if name.endswith(".jpg")}
    assert 1 < len(whole) < 30
    assert set(whole.values()) == {bytes(100)}
    done = fetch(path)
    assert (done.fetched, done.here) == (30 - len(whole), len(whole))
    assert {name: data for name, data in files("images").items() if name.endswith(".jpg")} == keys


keys = st.text(st.sampled_from("ab./\\é \0"), max_size=12)


@given(keys)
def test_every_key_has_a_place_below_the_folder_or_none(key: str) -> None:
    with TemporaryDirectory() as folder:
        folder = os.path.realpath(folder)
        try:
            place = place_for(folder, key)
        except Unusable:
            return
        assert place.startswith(folder + os.sep)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        Path(place).write_bytes(b"x")
        assert image_paths([f"s3://raw={folder}"], []).find(f"s3://raw/{key}") == place

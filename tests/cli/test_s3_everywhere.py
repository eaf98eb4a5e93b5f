"""Every word reads from S3 and writes there: the same bytes as here, whole or not at all."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ground_truth import FAILED, UNLABELLED, line
from tests.pictures import jpeg

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

Run = Callable[..., "Result"]

BUCKET = "lab3-rawdata"
HERE = f"s3://{BUCKET}"
KEY = "arn:aws:kms:us-east-1:111122223333:key/0d4a1b2c-0000-4000-8000-000000000000"

PICTURES = {f"{n}.jpg": jpeg(20 * n) for n in range(1, 9)}
MANIFEST = b"".join(line(n, n % 2) + b"\n" for n in range(1, 9))
OTHER = b"".join(line(n, n % 2) + b"\n" for n in (8, 9)) + FAILED + b"\n" + UNLABELLED + b"\n"
BROKEN = MANIFEST.replace(b"s3://raw/1", b"s3://s3://raw/1").rstrip(b"\n")


@pytest.fixture
def manifests(in_folder: Path) -> dict[str, bytes]:
    """Return the manifests of the current folder, which has a folder ``out`` as well."""
    Path("out").mkdir()
    made = {"a.manifest": MANIFEST, "b.manifest": OTHER, "broken.manifest": BROKEN}
    for name, data in made.items():
        Path(name).write_bytes(data)
    return made


@pytest.fixture
def bucket(s3: "S3Client", manifests: dict[str, bytes]) -> "S3Client":
    """Return a client of an S3 with the same manifests as the current folder."""
    s3.create_bucket(Bucket=BUCKET)
    for name, data in manifests.items():
        s3.put_object(Bucket=BUCKET, Key=name, Body=data)
    return s3


@pytest.fixture
def pictures(bucket: "S3Client") -> "S3Client":
    """Return a client of an S3 with the manifests, and with the pictures that they name."""
    bucket.create_bucket(Bucket="raw")
    for name, data in PICTURES.items():
        bucket.put_object(Bucket="raw", Key=name, Body=data)
    return bucket


def objects(s3: "S3Client") -> dict[str, bytes]:
    """Return what lies in the bucket."""
    listed = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return {one["Key"]: s3.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read() for one in listed}


def files() -> dict[str, bytes]:
    """Return what lies in the current folder."""
    found = (path for path in Path().rglob("*") if path.is_file())
    return {path.as_posix(): path.read_bytes() for path in found}


# What one types; @ stands for this folder, and for the bucket. The first words are the command's own.
READING = [
    "validate @a.manifest @b.manifest",
    "validate @a.manifest --objects",
    "stats @a.manifest",
    "stats @a.manifest --json",
    "diff @a.manifest @b.manifest",
    "diff @a.manifest --textconv",
    "pipe @a.manifest --dry-run",
    "convert @a.manifest --to recordio --allow-loss -o @out/all --dry-run",
    "rewrite @a.manifest --rename-class RH=right --dry-run",
    "filter @a.manifest --class RH -o @out/kept --dry-run",
    "merge @a.manifest @b.manifest -o @out/all --dry-run",
]

WRITING = [
    "validate @broken.manifest --fix",
    "rewrite @a.manifest @b.manifest --move s3://raw=s3://cooked",
    "rewrite @a.manifest --rename-class RH=right -o @out/new.manifest",
    "rewrite @a.manifest --rename-class RH=right -o @out/new.manifest.gz",
    "filter @b.manifest --class RH -o @out/kept.manifest --rejects @out/rest.manifest",
    "split @a.manifest -o @out",
    "split @a.manifest -o @out/ --ratio 0.5 --seed 3",
    "merge @a.manifest @b.manifest -o @out/all.manifest --rejects @out/rest.manifest",
    "convert @a.manifest --to recordio --allow-loss -o @out/all",
    "convert @a.manifest --to recordio --allow-loss -o @out/all --pass-through",
    "pipe @a.manifest -o @out/a.pipe",
    "pipe @a.manifest -o @out/a.pipe --shuffle --seed 7",
]


def typed(text: str, place: str) -> list[str]:
    return [word.replace("@", place) for word in text.split()]


@pytest.mark.parametrize("text", READING, ids=str)
def test_a_manifest_in_s3_says_what_the_same_one_says_here(pictures: "S3Client", run: Run, text: str) -> None:
    before = objects(pictures)
    here = run(*typed(text, ""))
    there = run(*typed(text, f"{HERE}/"))
    assert there.exit_code == here.exit_code in (0, 1)
    # Tables are as wide as the names in them.
    assert there.stdout.replace(f"{HERE}/", "").split() == here.stdout.split()
    assert there.stderr.replace(f"{HERE}/", "").split() == here.stderr.split()
    assert objects(pictures) == before


@pytest.mark.parametrize("text", WRITING, ids=str)
def test_what_goes_to_s3_is_what_would_be_written_here(pictures: "S3Client", run: Run, text: str) -> None:
    here = run(*typed(text, ""))
    there = run(*typed(text, f"{HERE}/"))
    assert (there.exit_code, here.exit_code) == (0, 0), there.output
    expected = {name.removeprefix("./"): data for name, data in files().items()}
    found = objects(pictures)
    reports = {name for name in expected if name.endswith("split.json")}
    assert found.keys() == expected.keys()
    assert {name: found[name] for name in found.keys() - reports} == {
        name: expected[name] for name in expected.keys() - reports
    }
    for name in reports:  # it names its input
        assert found[name].replace(f"{HERE}/".encode(), b"") == expected[name]


@pytest.mark.parametrize("text", WRITING, ids=str)
def test_the_same_again_is_unchanged_or_refused(pictures: "S3Client", run: Run, text: str) -> None:
    run(*typed(text, f"{HERE}/"))
    before = objects(pictures)
    again = run(*typed(text, f"{HERE}/"))
    assert again.exit_code == 0, again.output
    assert objects(pictures) == before


@pytest.mark.parametrize("text", WRITING, ids=str)
def test_kms_key_encrypts_every_output(pictures: "S3Client", run: Run, text: str) -> None:
    before = objects(pictures)
    done = run(*typed(text, f"{HERE}/"), "--kms-key", KEY)
    assert done.exit_code == 0, done.output
    made = [name for name, data in objects(pictures).items() if before.get(name) != data]
    assert made
    for name in made:
        head = pictures.head_object(Bucket=BUCKET, Key=name)
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", KEY)


@pytest.mark.parametrize("text", WRITING, ids=str)
@pytest.mark.usefixtures("manifests")
def test_kms_key_without_an_output_in_s3_is_refused_before_any_work(run: Run, text: str) -> None:
    before = files()
    done = run(*typed(text, ""), "--kms-key", KEY)
    assert (done.exit_code, done.stdout) == (2, "")
    last = done.stderr.splitlines()[-1]
    assert last.startswith("mtool: --kms-key encrypts objects in S3, and ")
    assert last.endswith(" is not in S3; leave --kms-key out")
    assert files() == before


@pytest.mark.parametrize(
    "key", ["", "a b", "k\n", "ключ", "x" * 2049], ids=["none", "blank", "line", "other", "long"]
)
def test_what_cannot_be_a_key_is_refused(bucket: "S3Client", run: Run, key: str) -> None:
    before = objects(bucket)
    done = run("rewrite", f"{HERE}/a.manifest", "--rename-class", "RH=right", "--kms-key", key)
    assert done.exit_code == 2
    assert "expected a KMS key's ID, ARN or alias/NAME" in done.stderr
    assert objects(bucket) == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            "convert @a.manifest --to recordio --allow-loss", "type -o NAME", id="convert without a place"
        ),
        pytest.param("split @a.manifest", "type -o FOLDER", id="split without a place"),
        pytest.param("filter @a.manifest --class RH -o @a.manifest", "its own input", id="over its input"),
        pytest.param(
            "merge @a.manifest @b.manifest -o @b.manifest", "its own input", id="merge over an input"
        ),
        pytest.param(
            "rewrite @a.manifest @b.manifest --lab x -o @c", "-o takes one manifest", id="two into one"
        ),
        pytest.param("stats @", "expected a key after s3://bucket/", id="a bucket alone"),
        pytest.param(
            "rewrite @a.manifest --rename-class RH=r -o s3://lab3-rawdata",
            "expected a key",
            id="into a bucket alone",
        ),
    ],
)
def test_what_cannot_mean_anything_is_refused_in_one_line(
    bucket: "S3Client", run: Run, text: str, words: str
) -> None:
    before = objects(bucket), files()
    done = run(*typed(text, f"{HERE}/"))
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr.splitlines()[-1]
    assert (objects(bucket), files()) == before


@pytest.mark.parametrize("text", [t for t in READING if "--objects" not in t], ids=str)
def test_a_manifest_that_is_not_there_is_one_line(bucket: "S3Client", run: Run, text: str) -> None:
    done = run(*typed(text.replace("@a.", "@none."), f"{HERE}/"))
    assert done.exit_code == 3
    assert not done.stdout or "error" in json.loads(done.stdout)
    assert done.stderr.splitlines()[-1].startswith(f"mtool: {HERE}/none.manifest: S3 has no such object")


@pytest.mark.parametrize("text", [t for t in WRITING if " -o " in t], ids=str)
def test_a_bucket_that_is_not_there_is_one_line_and_nothing_is_written(
    pictures: "S3Client", run: Run, text: str
) -> None:
    before = objects(pictures)
    done = run(*typed(text.replace("@out", "s3://no-such-bucket/out"), f"{HERE}/"))
    assert done.exit_code == 3
    assert "S3 has no such bucket" in done.stderr.splitlines()[-1]
    assert objects(pictures) == before


def test_a_rewrite_in_place_keeps_encryption_type_and_metadata(bucket: "S3Client", run: Run) -> None:
    bucket.put_object(
        Bucket=BUCKET,
        Key="a.manifest",
        Body=MANIFEST,
        ContentType="application/jsonlines",
        CacheControl="no-store",
        Metadata={"lab": "3"},
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=KEY,
    )
    assert run("rewrite", f"{HERE}/a.manifest", "--rename-class", "RH=right").exit_code == 0
    head = bucket.head_object(Bucket=BUCKET, Key="a.manifest")
    assert head["ContentType"] == "application/jsonlines"
    assert head["CacheControl"] == "no-store"
    assert head["Metadata"] == {"lab": "3"}
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", KEY)
    assert b'"right"' in objects(bucket)["a.manifest"]


def test_a_versioned_bucket_keeps_the_old_version(bucket: "S3Client", run: Run) -> None:
    bucket.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    old = bucket.put_object(Bucket=BUCKET, Key="a.manifest", Body=MANIFEST)["VersionId"]
    assert run("rewrite", f"{HERE}/a.manifest", "--rename-class", "RH=right").exit_code == 0
    assert run("rewrite", f"{HERE}/a.manifest", "--rename-class", "RH=right").exit_code == 2
    versions = bucket.list_object_versions(Bucket=BUCKET, Prefix="a.manifest")["Versions"]
    made = [one["VersionId"] for one in versions if one["VersionId"] != "null"]
    assert len(made) == 2  # the one put, the one rewritten; what changes nothing writes none
    kept = bucket.get_object(Bucket=BUCKET, Key="a.manifest", VersionId=old)["Body"].read()
    assert kept == MANIFEST


class Meddler:
    """An executor that puts another object in the manifest's place before it does its first task."""

    def __init__(self, s3: "S3Client", data: bytes) -> None:
        self.s3, self.data = s3, data

    def submit(self, task: Callable[..., object], *arguments: object) -> object:
        from concurrent.futures import Future

        if self.data:
            self.s3.put_object(Bucket=BUCKET, Key="big.manifest", Body=self.data)
            self.data = b""
        future: Future[object] = Future()
        try:
            future.set_result(task(*arguments))
        except BaseException as error:
            future.set_exception(error)
        return future


BIG = b"".join(line(n, n % 2, pad=999_000) + b"\n" for n in range(10))  # three blocks


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(BIG.replace(b'"kind": 1', b'"kind": 0'), id="as long as before"),
        pytest.param(MANIFEST, id="shorter"),
        pytest.param(BIG + MANIFEST, id="longer"),
    ],
)
def test_two_versions_of_a_manifest_are_never_mixed(bucket: "S3Client", data: bytes) -> None:
    from manifest_tools import MtoolError, stats

    bucket.put_object(Bucket=BUCKET, Key="big.manifest", Body=BIG)
    meddler = Meddler(bucket, data)
    with pytest.raises(MtoolError) as raised:
        stats(f"{HERE}/big.manifest", jobs=meddler)  # type: ignore[arg-type]
    assert str(raised.value) == (
        f"{HERE}/big.manifest: was changed while it was read; run the same command again"
    )


def test_a_manifest_that_stays_the_same_is_read_by_ranges(bucket: "S3Client") -> None:
    from manifest_tools import stats

    bucket.put_object(Bucket=BUCKET, Key="big.manifest", Body=BIG)
    meddler = Meddler(bucket, BIG)  # the same bytes once more: the same ETag
    assert stats(f"{HERE}/big.manifest", jobs=meddler).lines == 10  # type: ignore[arg-type]


def test_a_rewrite_does_not_undo_what_somebody_else_wrote(bucket: "S3Client") -> None:
    from manifest_tools import MtoolError, rewrite
    from manifest_tools.edits.rename import RenameClass

    bucket.put_object(Bucket=BUCKET, Key="big.manifest", Body=BIG)
    meddler = Meddler(bucket, MANIFEST)
    edits = [RenameClass("RH", "right", None)]
    with pytest.raises(MtoolError, match="was changed while it was read"):
        rewrite(f"{HERE}/big.manifest", edits=edits, jobs=meddler)  # type: ignore[arg-type]
    assert objects(bucket)["big.manifest"] == MANIFEST


FOLDERS = ["convert @a.manifest --to folder --allow-loss -o @out/all"]


@pytest.mark.parametrize("text", FOLDERS, ids=str)
def test_a_folder_goes_to_s3_whole_with_its_report(pictures: "S3Client", run: Run, text: str) -> None:
    here = run(*typed(text, ""))
    there = run(*typed(text, f"{HERE}/"))
    assert (there.exit_code, here.exit_code) == (0, 0), there.output
    found = {name: data for name, data in objects(pictures).items() if not name.endswith("/")}
    assert found == {name.removeprefix("./"): data for name, data in files().items()}
    again = run(*typed(text, f"{HERE}/"))
    assert again.exit_code == 2
    assert run(*typed(text, f"{HERE}/"), "--force").exit_code == 0
    assert {name: data for name, data in objects(pictures).items() if not name.endswith("/")} == found


def test_a_resumed_conversion_removes_what_a_killed_one_left_in_s3(pictures: "S3Client", run: Run) -> None:
    pictures.create_multipart_upload(Bucket=BUCKET, Key="out/all.rec")
    done = run(*typed("convert @a.manifest --to recordio --allow-loss -o @out/all --resume", f"{HERE}/"))
    assert done.exit_code == 0, done.output
    assert "Uploads" not in pictures.list_multipart_uploads(Bucket=BUCKET)

"""Conversions on a Dask cluster of two processes, one of which is killed: the bytes are those of -j 1."""

import os
import signal
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from manifest_tools.base.errors import Refused
from manifest_tools.verbs.convert.convert import convert
from tests.pictures import jpeg, row, write_manifest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

distributed: Any = pytest.importorskip("distributed")

COUNT = 200
IMAGES = ["s3://raw=raw"]


@pytest.fixture
def manifest(in_folder: Path) -> str:
    """A manifest of pictures in ./raw, of which the sixth is not there."""
    (in_folder / "raw").mkdir()
    for number in range(COUNT):
        if number != 5:
            (in_folder / "raw" / f"{number}.jpg").write_bytes(jpeg(number, (80, 60)))
    return write_manifest(in_folder / "a.manifest", [row(f"{n}.jpg", n % 2) for n in range(COUNT)])


@pytest.fixture
def two_workers(in_folder: Path) -> Iterator[Any]:
    """A cluster of two processes, which see the environment as it is now."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Dask's own parts say of each other
        cluster = distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
        )
        with cluster:
            yield cluster


def killing(cluster: Any, after: int) -> Any:
    """Return a progress that kills a worker when so many pictures are done."""

    def progress(items: Any, total: int | None, what: str) -> Iterator[Any]:
        for number, item in enumerate(items):
            if number == after:
                with distributed.Client(cluster, set_as_default=False) as client:
                    found = client.run(os.getpid)
                os.kill(min(found.values()), signal.SIGKILL)
            yield item

    return progress


@pytest.mark.filterwarnings("ignore")  # what Dask says of a worker that is gone
def test_a_worker_that_is_killed_changes_no_byte(manifest: str, two_workers: Any) -> None:
    ways: dict[str, dict[str, Any]] = {
        "rec": {"to": "recordio"},
        "tars": {"to": "webdataset", "shard": 30},
        "folder": {"to": "folder"},
    }
    for name, way in ways.items():
        options: dict[str, Any] = {"images": IMAGES, "allow_loss": True, **way}
        one = convert(manifest, output=f"one-{name}", jobs=1, **options)
        address = two_workers.scheduler_address
        many = convert(
            manifest, output=f"many-{name}", dask=address, progress=killing(two_workers, 40), **options
        )
        assert (one.pictures, one.problems) == (many.pictures, many.problems)
        assert files(f"one-{name}") == files(f"many-{name}")
    assert not list(Path().glob(".*mtool*"))


def files(name: str) -> dict[str, bytes]:
    """Return the files of an output by their names without that of the output, but for the report."""
    found = (path for place in Path().glob(f"{name}*") for path in (place, *place.rglob("*")))
    return {
        str(path).removeprefix(name): path.read_bytes()
        for path in found
        if path.is_file() and str(path) != f"{name}.json"
    }


@pytest.mark.filterwarnings("ignore")
def test_pieces_meet_in_s3_and_are_joined_there(
    manifest: str, s3: "S3Client", request: pytest.FixtureRequest
) -> None:
    s3.create_bucket(Bucket="out")
    workers = request.getfixturevalue("two_workers")  # after the address of S3 is set
    options: dict[str, Any] = {"images": IMAGES, "allow_loss": True}
    convert(manifest, "recordio", "one", jobs=1, **options)
    done = convert(
        manifest,
        "recordio",
        "s3://out/sets/many",
        dask=workers.scheduler_address,
        progress=killing(workers, 40),
        **options,
    )
    assert done.pictures == COUNT - 1
    keys = {found["Key"] for found in s3.list_objects_v2(Bucket="out")["Contents"]}
    assert keys == {f"sets/many.{ending}" for ending in ("rec", "idx", "lst", "json")} | (
        {key for key in keys if "classes" in key}
    )
    for ending in ("rec", "idx", "lst"):
        found = s3.get_object(Bucket="out", Key=f"sets/many.{ending}")["Body"].read()
        assert found == Path(f"one.{ending}").read_bytes()


def test_a_cluster_of_this_machine_needs_no_address(manifest: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        convert(manifest, "recordio", "many", images=IMAGES, allow_loss=True, dask="local")
    convert(manifest, "recordio", "one", images=IMAGES, allow_loss=True, jobs=1)
    assert Path("many.rec").read_bytes() == Path("one.rec").read_bytes()


def test_what_is_no_cluster_is_refused(manifest: str) -> None:
    with pytest.raises(Refused, match="--dask nowhere: expected tcp://HOST:PORT"):
        convert(manifest, "recordio", "many", images=IMAGES, allow_loss=True, dask="nowhere")
    with pytest.raises(Refused, match="--dask: coco opens no picture"):
        convert(manifest, "coco", "many", allow_loss=True, dask="local")

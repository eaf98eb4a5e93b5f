import warnings
from pathlib import Path

import pytest

from manifest_tools import split


def test_a_dask_client_splits_as_this_process_does(tmp_path: Path, sample: Path) -> None:
    distributed = pytest.importorskip("distributed")
    line = (sample / "output.manifest").read_bytes().splitlines(keepends=True)[0]
    manifest = tmp_path / "many.manifest"
    # Over one block, or there is nothing to share out.
    manifest.write_bytes(
        b"".join(line.replace(b"IMG_0001", f"IMG_{number:06d}".encode()) for number in range(20_000))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Dask's own parts say of each other
        cluster = distributed.LocalCluster(
            n_workers=1, processes=False, protocol="tcp://", host="127.0.0.1", dashboard_address=None
        )
        with cluster, distributed.Client(cluster) as client:
            split(str(manifest), str(tmp_path / "dask"), jobs=client.get_executor())
    split(str(manifest), str(tmp_path / "one"), jobs=1)
    for name in ("train.manifest", "validation.manifest", "split.json"):
        assert (tmp_path / "dask" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manifest_tools.io.recordio import ImageRecord, read_records, unpack
from manifest_tools.verbs.convert.convert import convert
from tests.pictures import jpeg, row, write_manifest

# As `mtool` itself does not: MXNet 1.9.1 asks for numpy.bool while it is imported.
IM2REC = (
    "import runpy, sys, numpy; numpy.bool = bool; sys.argv = sys.argv[1:];"
    " from trainers.gluon.system_libraries import lend_missing; lend_missing();"
    " runpy.run_path(sys.argv[0], run_name='__main__')"
)


@pytest.fixture
def parts(in_folder: Path) -> str:
    """A manifest of six pictures in two classes, which lie in ./raw."""
    (in_folder / "raw").mkdir()
    for number in range(6):
        (in_folder / "raw" / f"{number}.jpg").write_bytes(jpeg(40 * number))
    return write_manifest(in_folder / "train.manifest", [row(f"{n}.jpg", n % 2) for n in range(6)])


def records(path: str) -> list[ImageRecord]:
    with open(path, "rb") as stream:
        return [unpack(payload) for payload in read_records(stream, path)]


def test_mxnet_reads_the_records_by_key(parts: str, mxnet: Any) -> None:
    convert(parts, "recordio", "out", images=["raw"], resize=32)
    reader = mxnet.recordio.MXIndexedRecordIO("out.idx", "out.rec", "r")
    for number in (4, 1, 6):
        header, picture = mxnet.recordio.unpack(reader.read_idx(number))
        assert (header.id, header.label, header.flag) == (number, (number - 1) % 2, 0)
        assert picture == records("out.rec")[number - 1].picture
    reader.close()


def test_mxnet_s_iterator_sees_pictures_and_labels(parts: str, mxnet: Any) -> None:
    convert(parts, "recordio", "out", images=["raw"], resize=32, quality=100)
    found = mxnet.io.ImageRecordIter(
        path_imgrec="out.rec",
        path_imgidx="out.idx",
        data_shape=(3, 32, 32),
        batch_size=6,
        preprocess_threads=1,
    )
    batch = next(found)
    assert batch.label[0].asnumpy().tolist() == [0, 1, 0, 1, 0, 1]
    shades = batch.data[0].asnumpy()[:, 0].mean(axis=(1, 2))
    assert np.abs(shades - 40 * np.arange(6)).max() < 4


def test_mxnet_s_iterator_sees_label_vectors(parts: str, in_folder: Path, mxnet: Any) -> None:
    rows = [row("0.jpg", [0, 2]), row("1.jpg", [1])]
    convert(write_manifest(in_folder / "m.manifest", rows), "recordio", "out", images=["raw"], resize=32)
    found = mxnet.io.ImageRecordIter(
        path_imgrec="out.rec", data_shape=(3, 32, 32), label_width=3, batch_size=2, preprocess_threads=1
    )
    assert next(found).label[0].asnumpy().tolist() == [[1, 0, 1], [0, 1, 0]]


def test_gluon_s_dataset_reads_the_records(parts: str, mxnet: Any) -> None:
    convert(parts, "recordio", "out", images=["raw"], resize=32)
    data = mxnet.gluon.data.vision.ImageRecordDataset("out.rec")
    assert [(data[n][0].shape, data[n][1]) for n in range(len(data))] == [
        ((32, 48, 3), n % 2) for n in range(6)
    ]


def test_passed_through_the_file_is_byte_for_byte_im2rec_s(parts: str, in_folder: Path, mxnet: Any) -> None:
    pytest.importorskip("cv2")
    convert(parts, "recordio", "ours", images=["raw"], pass_through=True)
    (in_folder / "theirs.lst").write_bytes(Path("ours.lst").read_bytes())
    script = Path(mxnet.__file__).parent / "tools" / "im2rec.py"
    command = [sys.executable, "-c", IM2REC, str(script), "--pass-through", "theirs", "raw"]
    subprocess.run(command, check=True, capture_output=True)
    for ending in ("rec", "idx"):
        assert digest(f"ours.{ending}") == digest(f"theirs.{ending}")


def digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()

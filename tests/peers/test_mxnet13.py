"""The exported networks in MXNet 1.3.1, the generation of SageMaker's built-in algorithm.

AWS's container itself is not at hand; this is the library inside it. Its interpreter is named by
``MTOOL_MXNET13_PYTHON``. To make one (it declares an old NumPy, hence ``--no-deps``):

    python3.11 -m venv .venv-mxnet13
    .venv-mxnet13/bin/pip install "numpy<2" requests "graphviz<0.9"
    .venv-mxnet13/bin/pip install --no-deps mxnet==1.3.1
    MTOOL_MXNET13_PYTHON=.venv-mxnet13/bin/python pytest tests/peers
"""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from manifest_tools.groundtruth.classes import ClassTable
from trainers import TrainConfig, from_arrays
from trainers.gluon.export import export, predictor, save_weights
from trainers.gluon.mxnet_import import load_mxnet
from trainers.gluon.networks import build, initialize
from trainers.pixels import Pixels
from trainers.registry import TRAINERS

OLD = os.environ.get("MTOOL_MXNET13_PYTHON", "")
ASK = Path(__file__).parent / "ask_mxnet13.py"

pytestmark = pytest.mark.skipif(not OLD, reason="MTOOL_MXNET13_PYTHON names no interpreter with MXNet 1.3.1")

TABLE = ClassTable(((0, "RH"), (1, "LH"), (2, "neither")))
SIDE = 64

# Fifty layers and more of drawn weights: rounding adds up to 6e-5, and to less than 1e-5 in the others.
DEEP = ("resnet50_v2", "resnet101_v2", "resnet152_v2")


def write_model(folder: Path, network: str, multi_label: bool) -> None:
    """Write a network with drawn weights, the pictures that it is asked, and what it said."""
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (8, SIDE, SIDE, 3), np.uint8)
    labels = random.integers(0, 2, (8, 3)) if multi_label else np.arange(8) % 3
    data, config = from_arrays(pictures, labels, TABLE), TrainConfig(network=network, image_size=SIDE)
    model = export(settled(network, pictures), 1, config, data)
    for name, content in model.files.items():
        (folder / name).write_bytes(content)
    np.save(folder / "pictures.npy", pictures)
    np.save(folder / "said.npy", predictor(model)(pictures))


def settled(network: str, pictures: Pixels) -> bytes:
    """Return weights that have seen the pictures often enough to be unsure about them.

    Before that, deep networks say 0 and 1, which are equal in any version.
    """
    mx = load_mxnet()
    mx.random.seed(0)
    net = build(mx, network, TABLE.num_classes)
    initialize(mx, net)
    pixels = mx.nd.array(pictures.transpose(0, 3, 1, 2), dtype=np.float32)
    for _ in range(30):  # of which each moves the means of batch normalisation by a tenth
        with mx.autograd.record():
            scores = net(pixels)
        scores.backward()
    return save_weights(mx, net)


@pytest.mark.parametrize("multi_label", [False, True], ids=["one label", "several labels"])
@pytest.mark.parametrize("network", [network.name for network in TRAINERS["gluon"].networks])
def test_mxnet_13_says_what_mxnet_19_says(tmp_path: Path, network: str, multi_label: bool) -> None:
    write_model(tmp_path, network, multi_label)
    asked = subprocess.run([OLD, str(ASK), str(tmp_path)], capture_output=True, text=True, check=False)
    assert asked.returncode == 0, asked.stderr[-2000:]
    assert asked.stdout.split()[-1] == "1.3.1"
    ours, theirs = np.load(tmp_path / "said.npy"), np.load(tmp_path / "said-1.3.npy")
    assert ours.shape == theirs.shape == (8, 3)
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-4 if network in DEEP else 1e-5)
    assert 1e-3 < ours.mean() < 0.999

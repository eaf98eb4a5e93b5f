"""A model of the built-in algorithm answers here as its own graph does."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from manifest_tools.base.errors import Refused
from manifest_tools.groundtruth.classes import ClassTable
from tests.trainers.sagemaker.model_archives import STEM, files, network, weights
from trainers.bad_model import BadModel
from trainers.frameworks import load_predictor, load_trainer
from trainers.gluon.builtin_weights import with_gluons_names
from trainers.gluon.mxnet_import import load_mxnet
from trainers.gluon.networks import build, initialize
from trainers.gluon.weights import take
from trainers.model_archive import Model
from trainers.mxnet_files.graph import SYMBOL, Graph, for_prediction, read_graph, to_json
from trainers.mxnet_files.params import read_params

pytestmark = pytest.mark.usefixtures("mxnet")

HANDS = ClassTable(((0, "RH"), (1, "LH")))


def model(**other: Any) -> Model:
    several = other.get("multi_label", False)
    fields = {"multi_label": False, "files": files(several=several), **other}
    return Model(
        predictor="builtin", network="resnet18", image_size=32, table=HANDS, attribute="hand", **fields
    )


def pictures(count: int) -> Any:
    return np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), np.uint8)


@pytest.mark.parametrize("several", [False, True], ids=["one class a picture", "several classes"])
def test_it_answers_as_its_graph_does_in_a_module(several: bool) -> None:
    mx = load_mxnet()
    graph = network(mx, 2, several=several)
    shown = np.ascontiguousarray(pictures(3).transpose(0, 3, 1, 2), dtype=np.float32)
    module = mx.mod.Module(graph, label_names=None)
    module.bind([("data", shown.shape)], for_training=False)
    arrays = weights(mx, graph, 32)
    split = [{n[4:]: a for n, a in arrays.items() if n.startswith(kind)} for kind in ("arg:", "aux:")]
    module.set_params(*split, allow_missing=True)
    expected = module.predict(mx.io.NDArrayIter(shown, batch_size=3)).asnumpy()

    ask = load_predictor(model(multi_label=several))
    assert ask(pictures(3)) == pytest.approx(expected, abs=1e-6)
    assert several or expected.sum(axis=1) == pytest.approx(1)


def plain_graph() -> Graph:
    return for_prediction(read_graph(SYMBOL, files()[SYMBOL]))


def test_what_only_training_needs_is_gone() -> None:
    nodes = plain_graph().nodes
    operators = [node.operator for node in nodes]
    assert "_copy" not in operators and "SoftmaxOutput" not in operators
    assert operators[-1] == "softmax"
    assert not [node for node in nodes if node.name.endswith("_label")]


def test_a_graph_is_made_plain_once() -> None:
    once = plain_graph()
    assert for_prediction(once) == once == read_graph(SYMBOL, to_json(once).encode())


@pytest.mark.parametrize(
    "symbol",
    [
        b"",
        b"[]",
        b"{}",
        b'{"nodes": [{}], "heads": []}',
        b'{"nodes": [{"op": "_copy", "name": "x", "inputs": []}], "heads": [[0, 0]]}',
    ],
    ids=["nothing", "a list", "no nodes", "a node of nothing", "a copy of nothing"],
)
def test_what_is_no_graph_is_refused(symbol: bytes) -> None:
    with pytest.raises(BadModel, match=f"^{SYMBOL}: "):
        load_predictor(model(files={**files(), SYMBOL: symbol}))


def test_a_graph_with_a_custom_operator_is_refused() -> None:
    members = files()
    symbol = members[SYMBOL].replace(b'"Flatten"', b'"Custom"')
    with pytest.raises(BadModel, match="refused: unknown operator 'Custom'"):
        load_predictor(model(files={**members, SYMBOL: symbol}))


def test_a_network_of_16_bits_predicts_in_32() -> None:
    members = files()
    copied = b'"op": "_copy", \n      "name": "id", '
    assert copied in members[SYMBOL]
    cast = b'"op": "Cast", "name": "id", "attrs": {"dtype": "float16"}, '
    halves = {**members, SYMBOL: members[SYMBOL].replace(copied, cast)}
    assert load_predictor(model(files=halves))(pictures(3)).shape == (3, 2)


def test_a_model_without_a_graph_is_refused() -> None:
    with pytest.raises(BadModel, match="expected image-classification-symbol.json"):
        load_predictor(model(files={}))


@pytest.mark.parametrize(("layers", "fit"), [(18, "all but one"), (50, "all")])
def test_its_weights_are_those_of_gluons_network(layers: int, fit: str) -> None:
    """Gluon's 18 layers have no convolution beside the first unit; 50 layers predict the same."""
    mx = load_mxnet()
    members = files(2, 64, layers=layers)
    net = build(mx, f"resnet{layers}_v2", 2)
    initialize(mx, net)
    net(mx.nd.zeros((1, 3, 64, 64)))
    arrays = read_params("w", members[f"{STEM}-0002.params"])
    taken, left = take(mx, net, with_gluons_names(arrays))
    assert left == []
    assert len(arrays) - taken == (1 if fit == "all but one" else 0)
    if fit == "all":
        pixels = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
        ask = load_predictor(replace(model(files=members), image_size=64))
        scores = net(mx.nd.array(pixels.transpose(0, 3, 1, 2), dtype=np.float32))
        assert mx.nd.softmax(scores).asnumpy() == pytest.approx(ask(pixels), abs=1e-2)


def test_it_does_not_train_here() -> None:
    with pytest.raises(Refused, match="mtool train --trainer builtin"):
        load_trainer("builtin")

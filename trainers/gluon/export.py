"""A trained network as the files of the built-in algorithm, and the predictor of such files.

The graph takes pixels of 0 to 255 and ends in probabilities. It is written so that MXNet 1.3, the
built-in algorithm's generation, reads it too.
"""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trainers.bad_model import BadModel
from trainers.config import TrainConfig
from trainers.dataset import Dataset, Probabilities
from trainers.frameworks import Predict
from trainers.gluon.mxnet_import import load_mxnet
from trainers.gluon.networks import build
from trainers.model_archive import Model
from trainers.pixels import Pixels

SYMBOL = "image-classification-symbol.json"
SHAPES = "model-shapes.json"

# Attributes that 1.9 writes and 1.3 does not know, all at their defaults.
_NEWER = {"Pooling": ("layout",)}

# The operators of our networks. Others can hold a pointer into memory (_Native, _NDArray) or call
# Python (Custom), and a model may come from anywhere.
_OPERATORS = frozenset(
    {
        "null",
        "Activation",
        "BatchNorm",
        "Convolution",
        "Flatten",
        "FullyConnected",
        "Pooling",
        "clip",
        "elemwise_add",
        "sigmoid",
        "softmax",
    }
)


def params_name(epoch: int) -> str:
    """Return the name of the weights file of an epoch, which counts from 1."""
    return f"image-classification-{epoch:04d}.params"


def export(weights: bytes, epoch: int, config: TrainConfig, data: Dataset) -> Model:
    """Return the model with the weights of one epoch."""
    shape = [1, 3, config.image_size, config.image_size]
    return Model(
        predictor="gluon",
        network=config.network,
        image_size=config.image_size,
        table=data.table,
        multi_label=data.multi_label,
        attribute=data.attribute,
        files={
            params_name(epoch): weights,
            SYMBOL: _symbol(config.network, data.table.num_classes, data.multi_label).encode(),
            SHAPES: json.dumps([{"name": "data", "shape": shape}]).encode() + b"\n",
        },
    )


def _symbol(network: str, classes: int, multi_label: bool) -> str:
    mx = load_mxnet()
    with mx.name.NameManager():  # counts operators from 0 again
        scores = build(mx, network, classes)(mx.sym.var("data"))
    if multi_label:
        return for_mxnet_13(mx.sym.sigmoid(scores, name="sigmoid").tojson())
    return for_mxnet_13(mx.sym.softmax(scores, name="softmax").tojson())


def for_mxnet_13(symbol: str) -> str:
    """Return a graph without what MXNet 1.3 does not know, and without hints for training.

    The hints (``__init__``, ``__lr_mult__``…) name objects of this process: other bytes every time.
    """
    graph = json.loads(symbol)
    for node in graph["nodes"]:
        attributes = node.pop("attrs", {})
        newer = _NEWER.get(node["op"], ())
        kept = {k: v for k, v in attributes.items() if k not in newer and not k.startswith("__")}
        node.update({"attrs": kept} if kept else {})
    return json.dumps(graph, indent=1) + "\n"


def save_weights(mx: Any, net: Any) -> bytes:
    """Return the weights of a network in MXNet's file format, under the names that its graph uses."""
    graph = net(mx.sym.var("data"))
    states = set(graph.list_auxiliary_states())
    arrays = {
        f"{'aux' if name in states else 'arg'}:{name}": parameter.data()
        for name, parameter in sorted(net.collect_params().items())
    }
    with tempfile.TemporaryDirectory(prefix="mtool-") as folder:
        file = Path(folder) / "weights.params"
        mx.nd.save(str(file), arrays)
        return file.read_bytes()


def load_weights(mx: Any, source: str, data: bytes) -> Mapping[str, Any]:
    """Return the arrays of a .params file by name; raises BadModel, naming ``source``, for another file."""
    try:
        arrays = mx.nd.load_frombuffer(data)
    except mx.base.MXNetError as error:
        raise BadModel(source, "expected weights in MXNet's .params format") from error
    if not isinstance(arrays, dict):
        raise BadModel(source, "expected weights with names, found a list without")
    return arrays


def predictor(model: Model) -> Predict:
    """Return the function that predicts with a model; raises BadModel where graph and weights do not fit."""
    mx = load_mxnet()
    net = _block(mx, model)

    def predict(pictures: Pixels) -> Probabilities:
        channels_first = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2), dtype=np.float32)
        try:
            probabilities: Probabilities = net(mx.nd.array(channels_first)).asnumpy()
        except (mx.base.MXNetError, AssertionError, ValueError) as error:
            raise _misfit(error) from error
        expected = (len(pictures), model.table.num_classes)
        if probabilities.shape != expected:
            raise BadModel(SYMBOL, f"expected {expected[1]:,} probabilities, found {probabilities.shape[1:]}")
        return probabilities

    return predict


def _block(mx: Any, model: Model) -> Any:
    weights = sorted(name for name in model.files if name.endswith(".params"))
    if SYMBOL not in model.files or not weights:
        raise BadModel(model.network, f"expected {SYMBOL} and a .params file in it")
    symbol = _checked(model.files[SYMBOL])
    arrays = load_weights(mx, weights[-1], model.files[weights[-1]])
    try:
        block = mx.gluon.SymbolBlock(mx.sym.load_json(symbol), mx.sym.var("data", dtype="float32"))
        block.collect_params().load_dict(dict(arrays), mx.cpu(), ignore_extra=True)
    except (mx.base.MXNetError, AssertionError, ValueError) as error:
        raise _misfit(error) from error
    return block


def _misfit(error: Exception) -> BadModel:
    """Return the error for a graph that does not fit its weights; the last line of MXNet's text says why."""
    reason = str(error).strip().rpartition("\n")[2]
    return BadModel(SYMBOL, f"graph and weights do not fit ({reason})")


def _checked(symbol: bytes) -> str:
    """Return the graph as text; raises BadModel for one with other operators than our networks have."""
    try:
        text = symbol.decode()
        graph = json.loads(text)
        operators = {node["op"] for node in graph["nodes"]}
        unknown = sorted(operators - _OPERATORS)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadModel(SYMBOL, "expected an MXNet graph") from error
    if unknown:
        raise BadModel(SYMBOL, f"refused: unknown operators {', '.join(map(str, unknown))}")
    if operators <= {"null"} or graph.get("heads") == []:  # MXNet reads such a graph, and crashes later
        raise BadModel(SYMBOL, "expected an MXNet graph with an output")
    return text

"""A trained network as the files of the built-in algorithm, and the predictor of such files.

The graph takes pixels of 0 to 255 and ends in probabilities. It is written so that MXNet 1.3, the
built-in algorithm's generation, reads it too.
"""

import json
from typing import Any

import numpy as np

from trainers.bad_model import BadModel
from trainers.config import TrainConfig
from trainers.dataset import Dataset, Probabilities
from trainers.frameworks import Predict
from trainers.gluon.mxnet_import import load_mxnet
from trainers.gluon.networks import build
from trainers.model_archive import Model
from trainers.mxnet_files.graph import DATA, SYMBOL, to_json
from trainers.mxnet_files.network import SHAPES, TrainedNetwork, read_network
from trainers.mxnet_files.params import write_params
from trainers.pixels import Pixels

# Attributes that 1.9 writes and 1.3 does not know, all at their defaults.
_NEWER = {"Pooling": ("layout",)}


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
    return write_params(
        {
            f"{'aux' if name in states else 'arg'}:{name}": parameter.data().asnumpy()
            for name, parameter in sorted(net.collect_params().items())
        }
    )


def predictor(model: Model) -> Predict:
    """Return the function that predicts with a model; raises BadModel where graph and weights do not fit."""
    network = read_network(model.network, model.files, model.image_size)
    if network.classes != model.table.num_classes:
        expected = f"expected {model.table.num_classes:,} probabilities, one a class"
        raise BadModel(SYMBOL, f"{expected}; found {network.classes:,}")
    mx = load_mxnet()
    net = _block(mx, network)

    def predict(pictures: Pixels) -> Probabilities:
        channels_first = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2), dtype=np.float32)
        try:
            probabilities: Probabilities = net(mx.nd.array(channels_first)).asnumpy()
        except (mx.base.MXNetError, AssertionError, ValueError) as error:
            raise _misfit(error) from error
        if not np.isfinite(probabilities).all():
            raise BadModel(SYMBOL, "expected probabilities, found that some are infinite or no numbers")
        return probabilities

    return predict


def _block(mx: Any, network: TrainedNetwork) -> Any:
    arrays = {name: mx.nd.array(array) for name, array in network.weights.items()}
    try:
        symbol = mx.sym.load_json(to_json(network.graph))
        block = mx.gluon.SymbolBlock(symbol, mx.sym.var(DATA, dtype="float32"))
        block.collect_params().load_dict(arrays, mx.cpu())
    except (mx.base.MXNetError, AssertionError, ValueError) as error:
        raise _misfit(error) from error
    return block


def _misfit(error: Exception) -> BadModel:
    """Return the error for a graph that MXNet does not take; the last line of its text says why."""
    reason = str(error).strip().rpartition("\n")[2]
    return BadModel(SYMBOL, f"graph and weights do not fit ({reason})")

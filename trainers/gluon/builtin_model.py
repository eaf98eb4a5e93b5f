"""The predictor for a model of SageMaker's built-in image classification, with MXNet.

Such a model is trained in SageMaker (``trainers.sagemaker``). Its graph is MXNet's ResNet example: pixels of
0 to 255 as input, batch normalisation first, and at the end a training output that needs a label. AWS does
not publish what it does with a picture before the graph, so probabilities may differ a little from an
endpoint's.
"""

import json
from dataclasses import replace
from typing import Any

from trainers.bad_model import BadModel
from trainers.frameworks import Predict
from trainers.gluon.export import SYMBOL
from trainers.gluon.export import predictor as gluon_predictor
from trainers.model_archive import Model

# Training outputs, and the operators that predict the same.
_OUTPUTS = {"SoftmaxOutput": "softmax", "LogisticRegressionOutput": "sigmoid"}


def predictor(model: Model) -> Predict:
    """Return the function that predicts with a model; raises BadModel where it cannot be used."""
    if SYMBOL not in model.files:
        raise BadModel(model.network, f"expected {SYMBOL} in it")
    symbol = for_prediction(model.files[SYMBOL])
    return gluon_predictor(replace(model, files={**model.files, SYMBOL: symbol}))


def for_prediction(symbol: bytes) -> bytes:
    """Return a graph without what only training needs: copies, the label, and the loss at the end.

    Raises BadModel for a file that is no MXNet graph.
    """
    try:
        graph = json.loads(symbol)
        return json.dumps(_plain(graph)).encode()
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise BadModel(SYMBOL, "expected an MXNet graph") from error


def _plain(graph: dict[str, Any]) -> dict[str, Any]:
    """Return the graph with the nodes that prediction needs, numbered anew."""
    moved: dict[int, int] = {}
    nodes: list[dict[str, Any]] = []
    for at, node in enumerate(graph["nodes"]):
        operator, inputs = node["op"], node["inputs"]
        if operator == "_copy":
            moved[at] = moved[inputs[0][0]]
            continue
        if operator == "null" and node["name"].endswith("_label"):
            continue
        if operator in _OUTPUTS:
            node = {"op": _OUTPUTS[operator], "name": node["name"], "inputs": inputs[:1]}
        moved[at] = len(nodes)
        nodes.append({**node, "inputs": [[moved[one[0]], *one[1:]] for one in node["inputs"]]})
    return {
        "nodes": nodes,
        "arg_nodes": [at for at, node in enumerate(nodes) if node["op"] == "null"],
        "heads": [[moved[one[0]], *one[1:]] for one in graph["heads"]],
        "attrs": graph.get("attrs", {}),
    }

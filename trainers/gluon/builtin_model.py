"""A model of SageMaker's built-in image classification, asked on this machine with MXNet.

It trains in SageMaker only (``trainers.sagemaker``). Its graph is MXNet's ResNet example: pixels of 0
to 255 in, a batch normalisation first, and at the end a training output that asks for a label. What AWS does
with a picture before the graph is not published, so answers may differ a little from an endpoint's.
"""

import json
from dataclasses import replace
from typing import Any

from trainers.frameworks import Predict
from trainers.gluon.export import SYMBOL
from trainers.gluon.export import predictor as answers
from trainers.model_archive import BadModel, Model

# A training output, and what it answers when nobody trains.
_OUTPUTS = {"SoftmaxOutput": "softmax", "LogisticRegressionOutput": "sigmoid"}


def predictor(model: Model) -> Predict:
    """Return a function from pictures (n, side, side, RGB) to probabilities (n, classes)."""
    if SYMBOL not in model.files:
        raise BadModel(model.network, f"expected {SYMBOL} in it")
    symbol = for_answers(model.files[SYMBOL])
    return answers(replace(model, files={**model.files, SYMBOL: symbol}))


def for_answers(symbol: bytes) -> bytes:
    """Return the graph without what only training needs: copies, the label, and the loss at the end.

    Raises BadModel for what is no MXNet graph.
    """
    try:
        graph = json.loads(symbol)
        return json.dumps(_plain(graph)).encode()
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise BadModel(SYMBOL, "expected an MXNet graph") from error


def _plain(graph: dict[str, Any]) -> dict[str, Any]:
    """Return the graph with the nodes that are wanted, numbered anew."""
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

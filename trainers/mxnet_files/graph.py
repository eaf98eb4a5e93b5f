"""A graph in MXNet's JSON format, as a value: its nodes, each after the nodes that it takes.

What passes has the operators of ``operators.OPERATORS`` alone, with known attributes and as many inputs as
they take. What is only said for training (``__init__``, ``__lr_mult__``) is left out.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from manifest_tools.base.text import shown
from trainers.bad_model import BadModel
from trainers.mxnet_files.operators import OPERATORS, Value

SYMBOL = "image-classification-symbol.json"
DATA = "data"  # the name of the node that stands for the pictures

_MOST_BYTES = 4 << 20  # the graph of resnet152_v2 has 180,000
_MOST_NODES = 10_000
_LONGEST_NAME = 256
_NODE_KEYS = {"op", "name", "attrs", "attr", "param", "inputs", "backward_source_id"}
_WRITTEN_BY = 10901  # MXNet 1.9.1

# Inputs that come from other operators; all others are weights.
_COMPUTED = ("data", "left", "right")
# Hints for training; a weight has them as well, with its name in front.
_HINTS = ("ctx_group", "force_mirroring", "lr_mult", "mirror_stage", "wd_mult")
# Training outputs, and the operators that predict the same.
_PREDICTING = {"SoftmaxOutput": "softmax", "LogisticRegressionOutput": "sigmoid"}
# What hands its input on: the network computes in 32 bits.
_HANDS_ON = ("_copy", "Cast")


@dataclass(frozen=True, slots=True)
class Node:
    """An operator with its inputs, or an input of the network: pictures or weights."""

    operator: str
    """A key of ``operators.OPERATORS``; ``null`` for an input of the network."""

    name: str
    """Its name; of weights, the name that their file has after ``arg:`` or ``aux:``."""

    inputs: tuple[int, ...] = ()
    """Indices of the nodes whose output it takes, each lower than its own."""

    attributes: tuple[tuple[str, Value], ...] = ()
    """The attributes that the file has, by name."""

    def value(self, name: str) -> Any:
        """Return an attribute, or its default."""
        return dict(self.attributes).get(name, OPERATORS[self.operator].defaults.get(name))


@dataclass(frozen=True, slots=True)
class Graph:
    """A network: nodes in the order in which they can be computed."""

    nodes: tuple[Node, ...]
    """The nodes."""

    head: int
    """The index of the node whose output is the network's."""


def read_graph(source: str, data: bytes) -> Graph:
    """Return the graph in a JSON file of MXNet's; raises BadModel, naming ``source`` and node, for others."""
    document = _document(source, data)
    nodes = _list(source, document.get("nodes"), "nodes", _MOST_NODES)
    found: list[Node] = []
    for at, node in enumerate(nodes):
        found.append(_node(f"{source}: node {at}", node, found))
    heads = _list(source, document.get("heads"), "heads", 1)
    head = _entry(f"{source}: heads", heads[0], len(found))
    names = [node.name for node in found if node.operator == "null"]
    if found[head].operator == "null" or DATA not in names:
        raise BadModel(source, f"expected an MXNet graph from an input named {DATA} to an output")
    if len(set(names)) < len(names):
        raise BadModel(source, "expected an MXNet graph whose inputs have different names")
    return Graph(tuple(found), head)


def for_prediction(graph: Graph) -> Graph:
    """Return the graph without what only training needs: copies, the label, and the loss at the end."""
    nodes = [_predicting(node) for node in graph.nodes]
    needed = {graph.head}
    for at in range(graph.head, -1, -1):
        needed |= set(nodes[at].inputs) if at in needed else set()
    moved: dict[int, int] = {}
    kept: list[Node] = []
    for at in sorted(needed):
        if nodes[at].operator in _HANDS_ON:
            moved[at] = moved[nodes[at].inputs[0]]
        else:
            moved[at] = len(kept)
            kept.append(replace(nodes[at], inputs=tuple(moved[each] for each in nodes[at].inputs)))
    return Graph(tuple(kept), moved[graph.head])


def _predicting(node: Node) -> Node:
    """Return the operator that predicts what a training output learns."""
    if node.operator not in _PREDICTING:
        return node
    return Node(_PREDICTING[node.operator], node.name, node.inputs[:1])


def to_json(graph: Graph) -> str:
    """Return a graph as MXNet reads it."""
    return json.dumps(
        {
            "nodes": [_written(node) for node in graph.nodes],
            "arg_nodes": [at for at, node in enumerate(graph.nodes) if node.operator == "null"],
            "heads": [[graph.head, 0, 0]],
            "attrs": {"mxnet_version": ["int", _WRITTEN_BY]},
        },
        ensure_ascii=False,  # MXNet does not know \u
    )


def _written(node: Node) -> dict[str, Any]:
    attributes = {name: str(value) for name, value in node.attributes}
    inputs = [[each, 0, 0] for each in node.inputs]
    return {"op": node.operator, "name": node.name, "attrs": attributes, "inputs": inputs}


def _document(source: str, data: bytes) -> dict[str, Any]:
    if len(data) > _MOST_BYTES:
        raise BadModel(
            source, f"expected an MXNet graph of at most {_MOST_BYTES:,} bytes, found {len(data):,}"
        )
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadModel(source, "expected an MXNet graph, found no JSON") from error
    if not isinstance(document, dict):
        raise BadModel(source, f"expected an MXNet graph, found {shown(document)}")
    return document


def _list(source: str, value: Any, what: str, most: int) -> list[Any]:
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        count = f"{len(value):,}" if isinstance(value, list) else shown(value)
        wanted = "1" if most == 1 else f"1 to {most:,}"
        raise BadModel(source, f"expected an MXNet graph with {wanted} {what}, found {count}")
    return value


def _node(place: str, value: Any, before: Sequence[Node]) -> Node:
    if not isinstance(value, dict) or not value.keys() <= _NODE_KEYS:
        strange = shown(value) if not isinstance(value, dict) else shown(min(value.keys() - _NODE_KEYS))
        raise BadModel(place, f"expected op, name, attrs and inputs, found {strange}")
    operator, name = value.get("op"), value.get("name")
    if not isinstance(operator, str) or operator not in OPERATORS:
        raise BadModel(place, f"refused: unknown operator {shown(operator)}")
    if not isinstance(name, str) or not name.isprintable() or not 1 <= len(name) <= _LONGEST_NAME:
        raise BadModel(
            place, f"expected a name of 1 to {_LONGEST_NAME} printable characters, found {shown(name)}"
        )
    node = Node(operator, name, _inputs(place, value, before), tuple(_attributes(place, operator, value)))
    _check_inputs(place, node, before)
    return node


def _inputs(place: str, value: Mapping[str, Any], before: Sequence[Node]) -> tuple[int, ...]:
    inputs = value.get("inputs")
    if not isinstance(inputs, list):
        raise BadModel(place, f"expected a list of inputs, found {shown(inputs)}")
    return tuple(_entry(place, each, len(before)) for each in inputs)


def _entry(place: str, value: Any, nodes: int) -> int:
    """Return the node of ``[node, output, version]``; an old file has no version."""
    numbers = value if isinstance(value, list) else []
    if not 2 <= len(numbers) <= 3 or not all(type(each) is int and each >= 0 for each in numbers):
        raise BadModel(place, "expected an output as [node, output, version]")
    if numbers[0] >= nodes or numbers[1] != 0:
        raise BadModel(
            place,
            f"expected output 0 of one of the {nodes:,} nodes before it,"
            f" found output {shown(numbers[1])} of node {shown(numbers[0])}",
        )
    return int(numbers[0])


def _attributes(place: str, operator: str, value: Mapping[str, Any]) -> Iterator[tuple[str, Value]]:
    """Yield the attributes of a node, which older versions of MXNet kept under other names."""
    texts: dict[str, Any] = {}
    for key in ("param", "attr", "attrs"):
        some = value.get(key, {})
        if not isinstance(some, dict) or not all(isinstance(text, str) for text in some.values()):
            raise BadModel(place, f"expected texts by name in {key}")
        texts |= some
    known = OPERATORS[operator]
    for name in sorted(texts):
        if operator == "null" or name.startswith("__") or name.endswith(_HINTS):
            continue
        if name not in known.attributes:
            raise BadModel(place, f"refused: {operator} with the unknown attribute {shown(name)}")
        try:
            yield name, known.attributes[name](texts[name])
        except ValueError as error:
            expected = f"expected {name} of {operator} to be {error}"
            raise BadModel(place, f"{expected}, found {shown(texts[name])}") from error
    for name in known.required:
        if name not in texts:
            raise BadModel(place, f"expected {name} of {operator}, found none")


def _check_inputs(place: str, node: Node, before: Sequence[Node]) -> None:
    names = OPERATORS[node.operator].inputs
    names = names[:-1] if node.value("no_bias") else names
    if len(node.inputs) != len(names):
        raise BadModel(place, f"expected {len(names)} inputs of {node.operator}, found {len(node.inputs)}")
    for name, at in zip(names, node.inputs, strict=True):
        computed = before[at].operator != "null" or before[at].name == DATA
        if computed != (name in _COMPUTED):
            wanted = "the output of another node" if name in _COMPUTED else "weights"
            raise BadModel(
                place, f"expected {wanted} as {name} of {node.operator}, found {shown(before[at].name)}"
            )

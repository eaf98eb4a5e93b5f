"""A trained network from the files of its model: graph and weights, which fit."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from manifest_tools.base.text import shown
from trainers.bad_model import BadModel
from trainers.mxnet_files.graph import DATA, SYMBOL, Graph, for_prediction, read_graph
from trainers.mxnet_files.params import Array, read_params
from trainers.mxnet_files.shapes import output_shape

SHAPES = "model-shapes.json"

_LARGEST = 4_096  # pixels
_MOST_SHAPES = 1 << 16  # bytes


@dataclass(frozen=True, slots=True)
class TrainedNetwork:
    """A network that predicts: its graph takes pixels of 0 to 255, and ends in a number a class.

    AWS does not publish what the built-in algorithm does with a picture before its graph, so probabilities
    may differ a little from an endpoint's.
    """

    graph: Graph
    """The graph, without what only training needs."""

    weights: Mapping[str, Array]
    """The weights of the graph's inputs by name."""

    classes: int
    """How many numbers it ends in."""

    @property
    def layers(self) -> int:
        """How many layers with weights stand one after the other, as ResNets are called by."""
        names = [node.name for node in self.graph.nodes if node.operator in ("Convolution", "FullyConnected")]
        return sum(not name.endswith("_sc") for name in names)  # a shortcut stands beside them

    @property
    def multi_label(self) -> bool:
        """Whether each class has a probability of its own; else those of all classes sum to 1."""
        return self.graph.nodes[self.graph.head].operator == "sigmoid"


def picture_side(source: str, files: Mapping[str, bytes]) -> int:
    """Return the side of the pictures that a model takes, in pixels, as its model-shapes.json says.

    Raises BadModel, naming ``source``, where there is no such file, or where pictures are not square.
    """
    try:
        if len(files[SHAPES]) > _MOST_SHAPES:
            raise ValueError("too large")
        (shape,) = (each["shape"] for each in json.loads(files[SHAPES]) if each["name"] == DATA)
        _, channels, height, width = shape
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        expected = f'expected {SHAPES} in it, such as [{{"name": "data", "shape": [1, 3, 224, 224]}}]'
        raise BadModel(source, expected) from error
    if channels != 3 or height != width or type(height) is not int or not 1 <= height <= _LARGEST:
        found = f"{shown(channels)} colours, {shown(height)} x {shown(width)}"
        raise BadModel(
            source, f"expected square pictures with 3 colours, of {_LARGEST:,} pixels at most; found {found}"
        )
    return height


def weights_file(source: str, files: Mapping[str, bytes]) -> str:
    """Return the name of a model's weights, of several the last; raises BadModel where there are none."""
    names = [name for name in files if name.endswith(".params")]
    if SYMBOL not in files or not names:
        raise BadModel(source, f"expected {SYMBOL} and a .params file in it")
    return max(names)


def read_network(source: str, files: Mapping[str, bytes], side: int) -> TrainedNetwork:
    """Return the network in the files of a model that takes pictures of ``side`` pixels a side.

    Raises BadModel, naming ``source`` or one of the files, where they make no network.
    """
    name = weights_file(source, files)
    graph = for_prediction(read_graph(SYMBOL, files[SYMBOL]))
    arrays = read_params(name, files[name])
    named = {each.removeprefix("arg:").removeprefix("aux:"): array for each, array in arrays.items()}
    shape = output_shape(SYMBOL, graph, named, side)
    if len(shape) != 1:
        raise BadModel(SYMBOL, f"expected a number a class at its end, found the shape {shape}")
    needed = {node.name for node in graph.nodes if node.operator == "null"}
    return TrainedNetwork(graph, {each: named[each] for each in named.keys() & needed}, shape[0])

"""The shape of what every node of a graph computes: whether weights fit, and what a picture costs."""

import math
from collections.abc import Mapping

from trainers.bad_model import BadModel
from trainers.mxnet_files.graph import DATA, Graph, Node
from trainers.mxnet_files.params import Array

Shape = tuple[int, ...]
"""Shape of what a node computes for one picture: ``(channels, height, width)`` or ``(values,)``."""

# Bounds for what a picture costs: a hostile graph would take all memory, or compute for days. Networks of
# this generation keep 24 numbers for each pixel of the picture, and resnet152 takes 300,000 steps for it.
_NUMBERS = 1 << 22
_NUMBERS_A_PIXEL = 48
_STEPS = 1 << 36
_STEPS_A_PIXEL = 1 << 20
_STEPS_A_NUMBER = 64  # to read and write it, compared with a multiplication


def output_shape(source: str, graph: Graph, weights: Mapping[str, Array], side: int) -> Shape:
    """Return the shape of what a graph computes for a picture of ``side`` pixels a side.

    Raises BadModel, naming ``source`` and node, where weights are missing or do not fit, or where a picture
    costs more memory or time than networks for pictures take.
    """
    shapes: list[Shape] = []
    steps = 0
    for at, node in enumerate(graph.nodes):
        place = f"{source}: node {at}, {node.name}"
        if node.operator == "null":
            shapes.append(_given(place, node, weights, side))
            continue
        inputs = [shapes[each] for each in node.inputs]
        shape = _computed(place, node, inputs)
        steps += math.prod(shape) * (_STEPS_A_NUMBER + _added(node, inputs))
        if math.prod(shape) > max(_NUMBERS, _NUMBERS_A_PIXEL * side**2):
            raise BadModel(place, f"refused: it keeps {math.prod(shape):,} numbers of a picture")
        if steps > max(_STEPS, _STEPS_A_PIXEL * side**2):
            raise BadModel(place, "refused: it computes longer for a picture than a network does")
        shapes.append(shape)
    return shapes[graph.head]


def _given(place: str, node: Node, weights: Mapping[str, Array], side: int) -> Shape:
    if node.name == DATA:
        return 3, side, side
    if node.name not in weights:
        raise BadModel(place, "graph and weights do not fit: expected weights of this name, found none")
    return weights[node.name].shape


def _computed(place: str, node: Node, inputs: list[Shape]) -> Shape:
    """Return the shape of what an operator computes."""
    data = inputs[0]
    match node.operator:
        case "BatchNorm":
            _fit(place, inputs[1:], [(data[0],)] * 4)
            return data
        case "Convolution":
            return _convolution(place, node, inputs)
        case "Pooling":
            return _pooling(place, node, data)
        case "Flatten":
            return (math.prod(data),)
        case "FullyConnected":
            hidden = node.value("num_hidden")
            _fit(place, inputs[1:], [(hidden, math.prod(data)), (hidden,)][: len(inputs) - 1])
            return (hidden,)
        case "elemwise_add" if inputs[1] != data:
            raise BadModel(place, f"expected two inputs of one shape, found {data} and {inputs[1]}")
        case "softmax" if len(data) != 1:
            raise BadModel(place, f"expected a number a class as input, found the shape {data}")
    return data


def _added(node: Node, inputs: list[Shape]) -> int:
    """Return how many numbers an operator adds up for each number of its output."""
    if node.operator in ("Convolution", "FullyConnected"):
        return math.prod(inputs[1][1:])
    if node.operator == "Pooling":
        return math.prod(inputs[0][1:] if node.value("global_pool") else node.value("kernel"))
    return 0


def _fit(place: str, found: list[Shape], expected: list[Shape]) -> None:
    for one, other in zip(found, expected, strict=True):
        if one != other:
            raise BadModel(
                place, f"graph and weights do not fit: expected weights of the shape {other}, found {one}"
            )


def _convolution(place: str, node: Node, inputs: list[Shape]) -> Shape:
    channels, height, width = _picture(place, inputs[0])
    filters, groups, kernel = node.value("num_filter"), node.value("num_group"), node.value("kernel")
    if channels % groups or filters % groups:
        raise BadModel(
            place, f"expected groups that divide {channels} and {filters} channels, found {groups}"
        )
    shapes: list[Shape] = [(filters, channels // groups, *kernel), (filters,)]
    _fit(place, inputs[1:], shapes[: len(inputs) - 1])
    windows = zip(
        (height, width), kernel, node.value("stride"), node.value("pad"), node.value("dilate"), strict=True
    )
    return filters, *(
        _steps(place, size, 1 + dilate * (kernel - 1), stride, pad)
        for size, kernel, stride, pad, dilate in windows
    )


def _pooling(place: str, node: Node, data: Shape) -> Shape:
    channels, *sizes = _picture(place, data)
    if node.value("global_pool"):
        return channels, 1, 1
    kernel, pads = node.value("kernel"), node.value("pad")
    if kernel is None or any(pad >= size for pad, size in zip(pads, kernel, strict=True)):
        raise BadModel(place, "expected a kernel of Pooling that is larger than its pad")
    full = node.value("pooling_convention") == "full"
    windows = zip(sizes, kernel, node.value("stride"), pads, strict=True)
    return channels, *(_steps(place, *window, full=full) for window in windows)


def _picture(place: str, data: Shape) -> Shape:
    if len(data) != 3:
        raise BadModel(place, f"expected channels, height and width as input, found the shape {data}")
    return data


def _steps(place: str, size: int, window: int, stride: int, pad: int, *, full: bool = False) -> int:
    """Return how often a window fits into a padded edge; ``full`` counts one that stands over the end."""
    room = size + 2 * pad - window
    if room < 0:
        raise BadModel(
            place, f"expected pictures of {window:,} pixels or more here, found {size + 2 * pad:,}"
        )
    return 1 + (-(-room // stride) if full else room // stride)

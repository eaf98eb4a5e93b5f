"""A model.tar.gz as the built-in image classification leaves it: MXNet's graph for training, and weights."""

import io
import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from trainers.gluon.mxnet_import import load_mxnet

STEM = "image-classification"


def network(mx: Any, classes: int, *, several: bool = False) -> Any:
    """Return a graph of the form of the built-in's: a copy, a normalisation, layers, a training output."""
    data = mx.sym.identity(mx.sym.var("data"), name="id")
    found = mx.sym.BatchNorm(data, name="bn_data", fix_gamma=True, eps=2e-5)
    found = mx.sym.Convolution(found, name="conv0", num_filter=4, kernel=(3, 3), stride=(2, 2), no_bias=True)
    found = mx.sym.Activation(found, name="relu0", act_type="relu")
    found = mx.sym.Pooling(found, name="pool1", global_pool=True, kernel=(7, 7), pool_type="avg")
    found = mx.sym.FullyConnected(mx.sym.Flatten(found), name="fc", num_hidden=classes)
    if several:
        return mx.sym.LogisticRegressionOutput(found, name="softmax")
    return mx.sym.SoftmaxOutput(found, name="softmax")


UNITS = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3)}


def resnet(mx: Any, layers: int, classes: int) -> Any:
    """Return the graph of MXNet's ResNet example, which the built-in algorithm trains."""
    deep = layers >= 50

    def convolution(data: Any, name: str, filters: int, size: int, step: int, pad: int) -> Any:
        window = {"kernel": (size, size), "stride": (step, step), "pad": (pad, pad)}
        return mx.sym.Convolution(data, name=name, num_filter=filters, no_bias=True, workspace=256, **window)

    def normalised(data: Any, name: str) -> Any:
        data = mx.sym.BatchNorm(data, name=name, fix_gamma=False, eps=2e-5, momentum=0.9)
        return mx.sym.Activation(data, name=name.replace("bn", "relu"), act_type="relu")

    def unit(data: Any, name: str, filters: int, step: int, first: bool) -> Any:
        one = normalised(data, f"{name}_bn1")
        windows = ((1, 1, 0), (3, step, 1), (1, 1, 0)) if deep else ((3, step, 1), (3, 1, 1))
        found = one
        for number, (size, stride, pad) in enumerate(windows, 1):
            found = found if number == 1 else normalised(found, f"{name}_bn{number}")
            few = filters // 4 if deep and number < 3 else filters
            found = convolution(found, f"{name}_conv{number}", few, size, stride, pad)
        return found + (convolution(one, f"{name}_sc", filters, 1, step, 0) if first else data)

    found = mx.sym.identity(mx.sym.var("data"), name="id")
    found = mx.sym.BatchNorm(found, name="bn_data", fix_gamma=True, eps=2e-5, momentum=0.9)
    found = normalised(convolution(found, "conv0", 64, 7, 2, 3), "bn0")
    found = mx.sym.Pooling(found, kernel=(3, 3), stride=(2, 2), pad=(1, 1), pool_type="max")
    for stage, units in enumerate(UNITS[layers], 1):
        for number in range(1, units + 1):
            filters = (256 if deep else 64) << (stage - 1)
            step = 2 if stage > 1 and number == 1 else 1
            found = unit(found, f"stage{stage}_unit{number}", filters, step, number == 1)
    found = mx.sym.Pooling(normalised(found, "bn1"), global_pool=True, kernel=(7, 7), pool_type="avg")
    found = mx.sym.FullyConnected(mx.sym.Flatten(found), name="fc1", num_hidden=classes)
    return mx.sym.SoftmaxOutput(found, name="softmax")


def weights(mx: Any, graph: Any, side: int) -> dict[str, Any]:
    """Return weights by their names in a .params file; the label is none."""
    mx.random.seed(7)
    arguments, _, states = graph.infer_shape(data=(1, 3, side, side))
    found = {}
    for name, shape in zip(graph.list_arguments(), arguments, strict=True):
        if name != "data" and not name.endswith("_label"):
            found[f"arg:{name}"] = mx.nd.random.normal(shape=shape)
    for name, shape in zip(graph.list_auxiliary_states(), states, strict=True):
        found[f"aux:{name}"] = mx.nd.ones(shape) * (100 if name.endswith("var") else 3)
    return found


def files(
    classes: int = 2, side: int = 32, *, several: bool = False, layers: int | None = None
) -> dict[str, bytes]:
    """Return the three files of an archive by name; with ``layers`` of a whole ResNet."""
    mx = load_mxnet()
    with mx.name.NameManager():
        graph = resnet(mx, layers, classes) if layers else network(mx, classes, several=several)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "w.params"
        mx.nd.save(str(path), weights(mx, graph, side))
        saved = path.read_bytes()
    return {
        f"{STEM}-0002.params": saved,
        f"{STEM}-symbol.json": graph.tojson().encode(),
        "model-shapes.json": json.dumps([{"name": "data", "shape": [1, 3, side, side]}]).encode(),
    }


def archive(members: dict[str, bytes]) -> bytes:
    """Return the files as a gzipped tar."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()

"""Graph and weights of a model are read without MXNet; what passes is what MXNet computes."""

import json
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.trainers.sagemaker.model_archives import files, weights
from trainers.bad_model import BadModel
from trainers.gluon.mxnet_import import load_mxnet
from trainers.gluon.networks import NETWORKS, build, initialize
from trainers.mxnet_files.graph import SYMBOL, Graph, for_prediction, read_graph, to_json
from trainers.mxnet_files.network import read_network
from trainers.mxnet_files.shapes import output_shape

pytestmark = pytest.mark.usefixtures("mxnet")

SIDE = 32
SECONDS = 1.0


@cache
def builtin_files() -> dict[str, bytes]:
    return files(2, SIDE)


@pytest.fixture
def builtin() -> dict[str, bytes]:
    """Return the files of a model of the built-in algorithm; not to be changed."""
    return builtin_files()


def read(graph: dict[str, Any], members: dict[str, bytes]) -> Any:
    return read_network("model", {**members, SYMBOL: json.dumps(graph).encode()}, SIDE)


def node(graph: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in graph["nodes"] if each["name"] == name)


def change(name: str, /, **attributes: str) -> Callable[[dict[str, Any]], None]:
    def apply(graph: dict[str, Any]) -> None:
        node(graph, name).setdefault("attrs", {}).update(attributes)

    return apply


def replace(name: str, /, **fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda graph: node(graph, name).update(fields)


def heads(*value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda graph: graph.update(heads=list(value))


HOSTILE: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "a head beyond a node's outputs": (heads([16, 7, 0]), "heads: expected output 0 .* found output 7"),
    "a head beyond the nodes": (heads([99, 0, 0]), "found output 0 of node 99"),
    "a head before the nodes": (heads([-1, 0, 0]), "expected an output as"),
    "two heads": (heads([16, 0, 0], [8, 0, 0]), "with 1 heads, found 2"),
    "no head": (heads(), "with 1 heads, found 0"),
    "a head that is an input": (heads([0, 0, 0]), "from an input named data to an output"),
    "the mean of a normalisation as input": (replace("relu0", inputs=[[8, 1, 0]]), "found output 1 of node"),
    "a node that takes itself": (replace("relu0", inputs=[[9, 0, 0]]), "nodes before it"),
    "a node without inputs": (replace("relu0", inputs=[]), "expected 1 inputs of Activation, found 0"),
    "a number for inputs": (replace("relu0", inputs=7), "expected a list of inputs"),
    "a subgraph": (replace("relu0", subgraphs=[{"nodes": []}]), "found 'subgraphs'"),
    "a subgraph among the attributes": (change("relu0", subgraph="{}"), "unknown attribute 'subgraph'"),
    "a gigantic padding": (change("conv0", pad="(9999, 9999)"), "expected pad of Convolution to be a pair"),
    "a padding that fills memory": (change("conv0", pad="(8000, 8000)"), "numbers of a picture"),
    "a stride of nothing": (change("conv0", stride="(0, 0)"), "expected stride of Convolution"),
    "a kernel larger than the picture": (change("conv0", dilate="(99, 99)"), "expected pictures of 199 pix"),
    "a filter more than there are weights": (change("conv0", num_filter="5"), "do not fit: expected weights"),
    "groups that do not divide": (change("conv0", num_group="3"), "groups that divide"),
    "an attribute that runs over": (change("fc", num_hidden="9" * 400), "expected num_hidden"),
    "an attribute that is a list": (replace("fc", attrs={"num_hidden": [2]}), "expected texts by name"),
    "a name with a control character": (replace("fc", name="a\0b"), "printable characters"),
    "weights without data": (replace("conv0_weight", name="other"), "expected weights of this name"),
    "one name for two inputs": (replace("conv0_weight", name="fc_weight"), "different names"),
    "weights that are computed": (replace("fc", inputs=[[11, 0], [9, 0], [13, 0]]), "expected weights as"),
    "weights in the place of data": (replace("relu0", inputs=[[7, 0]]), "output of another node as data"),
    "an operator that is a list": (replace("fc", op=["null"]), "unknown operator an array"),
    "a window of nothing": (
        change("pool1", global_pool="False", kernel="(1, 1)", pad="(1, 1)"),
        "larger than",
    ),
    "an end that is a picture": (heads([9, 0, 0]), "expected a number a class at its end"),
}


@pytest.mark.parametrize(("spoil", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_a_graph_that_lies_is_refused(
    builtin: dict[str, bytes], spoil: Callable[[dict[str, Any]], None], reason: str
) -> None:
    graph = json.loads(builtin[SYMBOL])
    spoil(graph)
    with pytest.raises(BadModel, match=reason) as refused:
        read(graph, builtin)
    assert len(str(refused.value)) < 400


def test_a_graph_that_computes_for_days_is_refused() -> None:
    nodes: list[dict[str, Any]] = [{"op": "null", "name": "data", "inputs": []}]
    for at in range(9_999):
        nodes.append({"op": "elemwise_add", "name": f"add{at}", "inputs": [[at, 0, 0], [at, 0, 0]]})
    graph = read_graph(SYMBOL, json.dumps({"nodes": nodes, "heads": [[9_999, 0, 0]]}).encode())
    with pytest.raises(BadModel, match="computes longer"):
        output_shape(SYMBOL, graph, {}, 4096)
    nodes.append({"op": "Flatten", "name": "last", "inputs": [[0, 0, 0]]})
    with pytest.raises(BadModel, match="1 to 10,000 nodes, found 10,001"):
        read_graph(SYMBOL, json.dumps({"nodes": nodes, "heads": [[10_000, 0, 0]]}).encode())


def test_a_graph_as_older_versions_write_it_is_read(builtin: dict[str, bytes]) -> None:
    graph = json.loads(builtin[SYMBOL])
    now = read(graph, builtin).graph
    for each in graph["nodes"]:
        attributes = each.pop("attrs", {})
        each |= {"attr": {"__ctx_group__": "dev1", "lr_mult": "2"}, "param": attributes}
        each |= {"backward_source_id": -1, "inputs": [one[:2] for one in each["inputs"]]}
    assert read({"nodes": graph["nodes"], "heads": [[16, 0]]}, builtin).graph == now


@pytest.mark.parametrize("name", NETWORKS)
def test_our_own_networks_pass_whole_and_have_their_classes(name: str) -> None:
    mx = load_mxnet()
    net = build(mx, name, 5)
    initialize(mx, net)
    scores = net(mx.sym.var("data"))
    inferred = scores.infer_shape(data=(1, 3, 64, 64))
    names = [*scores.list_arguments(), *scores.list_auxiliary_states()]
    arrays = {
        each: np.empty(shape, np.float32)
        for each, shape in zip(names, inferred[0] + inferred[2], strict=True)
    }
    graph = read_graph(SYMBOL, scores.tojson().encode())
    assert output_shape(SYMBOL, graph, arrays, 64) == (5,)
    again = mx.sym.load_json(to_json(graph))
    assert again.infer_shape(data=(1, 3, 64, 64)) == inferred
    assert read_graph(SYMBOL, again.tojson().encode()) == graph


def pair(lowest: int, highest: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(lowest, highest), st.integers(lowest, highest))


WINDOWS = {"kernel": pair(1, 4), "stride": pair(1, 3), "pad": pair(0, 2)}


@settings(deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(
    convolution=st.fixed_dictionaries(
        {**WINDOWS, "dilate": pair(1, 3), "num_group": st.sampled_from([1, 3])}
    ),
    pooling=st.fixed_dictionaries({**WINDOWS, "pooling_convention": st.sampled_from(["valid", "full"])}),
    bias=st.booleans(),
    side=st.integers(1, 20),
)
def test_shapes_are_those_that_mxnet_infers(
    convolution: dict[str, Any], pooling: dict[str, Any], bias: bool, side: int
) -> None:
    mx = load_mxnet()
    data = mx.sym.Convolution(mx.sym.var("data"), num_filter=6, no_bias=not bias, name="c", **convolution)
    symbol = mx.sym.Pooling(data, pool_type="max", name="p", **pooling)
    try:
        given, (expected,), _ = symbol.infer_shape(data=(1, 3, side, side))
    except mx.base.MXNetError:
        expected = None
    graph = read_graph(SYMBOL, symbol.tojson().encode())
    kernel = convolution["kernel"]
    arrays = {"c_weight": np.empty((6, 3 // convolution["num_group"], *kernel), np.float32)}
    arrays["c_bias"] = np.empty(6, np.float32)
    try:
        assert (1, *output_shape(SYMBOL, graph, arrays, side)) == expected
    except BadModel:
        assert expected is None or any(p >= k for p, k in zip(pooling["pad"], pooling["kernel"], strict=True))


PIECES: list[Any] = [
    None,
    True,
    -1,
    0,
    1,
    7,
    2**70,
    1.5,
    "",
    "x",
    "(3, 3)",
    "(1, 1)",
    "False",
    "null",
    [],
    {},
]


@st.composite
def mutated(draw: st.DrawFn, graph: dict[str, Any]) -> dict[str, Any]:
    """Draw a graph with some of its values replaced."""
    document: dict[str, Any] = json.loads(json.dumps(graph))
    for _ in range(draw(st.integers(1, 3))):
        place: Any = document
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            assume(keys)
            key = draw(st.sampled_from(keys))
            if not isinstance(place[key], dict | list) or not place[key] or draw(st.integers(0, 9)) == 0:
                break
            place = place[key]
        place[key] = draw(st.one_of(st.sampled_from(PIECES), st.integers(0, 20), st.just(place[keys[0]])))
    return document


def computed(graph: Graph, arrays: dict[str, Any]) -> Any:
    """Return what MXNet computes with a graph that passed."""
    mx = load_mxnet()
    block = mx.gluon.SymbolBlock(mx.sym.load_json(to_json(graph)), mx.sym.var("data", dtype="float32"))
    block.collect_params().load_dict({name: mx.nd.array(each) for name, each in arrays.items()}, mx.cpu())
    return block(mx.nd.ones((2, 3, SIDE, SIDE))).asnumpy()


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.filter_too_much])
@given(data=st.data())
def test_every_mutation_of_a_graph_is_refused_or_computed_by_mxnet(data: st.DataObject) -> None:
    members = builtin_files()
    graph = data.draw(mutated(json.loads(members[SYMBOL])))
    begun = time.process_time()
    try:
        network = read(graph, members)
    except BadModel as refused:
        assert len(str(refused).splitlines()) == 1
        return
    finally:
        assert time.process_time() - begun < SECONDS
    assert computed(network.graph, dict(network.weights)).shape == (2, network.classes)


def test_a_graph_for_prediction_keeps_what_it_needs_alone(builtin: dict[str, bytes]) -> None:
    whole = read_graph(SYMBOL, builtin[SYMBOL])
    graph = for_prediction(whole)
    assert {one.name for one in whole.nodes} - {one.name for one in graph.nodes} == {"id", "softmax_label"}
    mx = load_mxnet()
    names = {one.name for one in graph.nodes if one.operator == "null"} - {"data"}
    assert names == {name[4:] for name in weights(mx, mx.sym.load_json(builtin[SYMBOL].decode()), SIDE)}

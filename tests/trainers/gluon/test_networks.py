import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trainers.gluon as GLUON
from manifest_tools.base.errors import MtoolError, Refused
from manifest_tools.groundtruth.classes import ClassTable
from tests.trainers.conftest import fit
from trainers import Dataset, TrainConfig
from trainers.bad_model import BadModel
from trainers.config import check_config
from trainers.events import Checkpoint, Epoch, Event, Note, Stopped
from trainers.gluon import networks
from trainers.gluon.gluon_learner import OPTIMIZERS
from trainers.gluon.mxnet_import import load_mxnet
from trainers.gluon.weights import take
from trainers.model_archive import Model
from trainers.mxnet_files.graph import SYMBOL
from trainers.mxnet_files.network import SHAPES
from trainers.mxnet_files.params import read_params, write_params
from trainers.registry import TRAINERS

ROW = TRAINERS["gluon"]

pytestmark = pytest.mark.usefixtures("mxnet")

Hands = Callable[..., Dataset]
Quick = Callable[..., TrainConfig]


def learn(data: Dataset, config: TrainConfig) -> Model:
    """Return the best model of a short training on eight pictures."""
    best = [event for event in fit(GLUON, data, data, config) if isinstance(event, Checkpoint)][-1]
    return GLUON.export(best.weights, best.epoch, config, data)


def params(model: Model) -> bytes:
    return next(data for name, data in model.files.items() if name.endswith(".params"))


@pytest.mark.parametrize("network", [network.name for network in ROW.networks])
def test_every_network_learns_one_epoch_on_eight_pictures_and_exports(
    network: str, hands: Hands, quick: Quick
) -> None:
    data = hands(8)
    model = learn(data, quick(network=network, epochs=1))
    assert set(model.files) == {"image-classification-0001.params", SYMBOL, SHAPES}
    assert json.loads(model.files[SHAPES]) == [{"name": "data", "shape": [1, 3, 32, 32]}]
    predicted = GLUON.predictor(model)(data.read(np.arange(8)))
    assert predicted.shape == (8, 2)
    assert predicted.sum(axis=1) == pytest.approx(np.ones(8), abs=1e-5)


def test_the_table_knows_the_very_networks_that_gluon_has() -> None:
    assert tuple(networks.NETWORKS) == tuple(network.name for network in ROW.networks)
    assert {name for name, (zoo, _) in networks.NETWORKS.items() if zoo} == {
        network.name for network in ROW.networks if network.pretrained
    }


def test_the_table_knows_the_very_optimizers_that_gluon_has() -> None:
    assert tuple(OPTIMIZERS) == tuple(ROW.optimizers)


@pytest.mark.parametrize("network", ["small", "mobilenetv2"])
def test_the_exported_network_is_the_one_that_was_trained(network: str, hands: Hands, quick: Quick) -> None:
    mx = load_mxnet()
    data, config = hands(8), quick(network=network, epochs=1, learning_rate=1e-5)
    model = learn(data, config)
    net = networks.build(mx, network, 2)
    networks.initialize(mx, net)
    pixels = mx.nd.array(data.read(np.arange(8)).transpose(0, 3, 1, 2), dtype=np.float32)
    net(pixels)
    taken, left = take(mx, net, mx.nd.load_frombuffer(params(model)))
    assert not left
    predicted = GLUON.predictor(model)(data.read(np.arange(8)))
    assert predicted == pytest.approx(mx.nd.softmax(net(pixels)).asnumpy(), abs=1e-6)


def test_the_network_normalises_plain_pixels_itself(hands: Hands, quick: Quick) -> None:
    mx = load_mxnet()
    net = networks.build(mx, "small", 2)
    networks.initialize(mx, net)
    pixels = hands(4).read(np.arange(4)).transpose(0, 3, 1, 2).astype(np.float32)
    mean, deviation = (np.array(values).reshape(1, 3, 1, 1) for values in (networks.MEAN, networks.DEVIATION))
    assert net[0](mx.nd.array(pixels)).asnumpy() == pytest.approx((pixels - mean) / deviation, abs=1e-4)


def test_training_leaves_the_normalisation_as_it_is(hands: Hands, quick: Quick) -> None:
    arrays = load_mxnet().nd.load_frombuffer(params(learn(hands(8), quick(learning_rate=0.1))))
    assert arrays["aux:input0_running_mean"].asnumpy() == pytest.approx(networks.MEAN)
    assert arrays["aux:input0_running_var"].asnumpy() == pytest.approx(np.square(networks.DEVIATION))
    assert arrays["arg:input0_gamma"].asnumpy().tolist() == [1, 1, 1]
    assert arrays["arg:input0_beta"].asnumpy().tolist() == [0, 0, 0]


def test_the_graph_has_nothing_that_mxnet_13_does_not_know(hands: Hands, quick: Quick) -> None:
    nodes = json.loads(learn(hands(8), quick(network="resnet18_v2", epochs=1)).files[SYMBOL])["nodes"]
    assert not [node for node in nodes if node["op"] == "Pooling" and "layout" in node["attrs"]]
    assert not [node for node in nodes if any(key.startswith("__") for key in node.get("attrs", {}))]


@pytest.mark.parametrize("optimizer", ["adam", "nag", "rmsprop", "sgd"])
def test_every_optimizer_lowers_the_loss(optimizer: str, hands: Hands, quick: Quick) -> None:
    config = quick(optimizer=optimizer, epochs=8, learning_rate=1e-3)
    epochs = [event for event in fit(GLUON, hands(16), hands(8), config) if isinstance(event, Epoch)]
    assert epochs[-1].train_loss < epochs[0].train_loss


@pytest.mark.parametrize("network", ["small", "resnet18_v2"])
def test_one_seed_gives_one_result_to_the_byte(network: str, hands: Hands, quick: Quick) -> None:
    config = quick(network=network, augment=True, mirror=True, seed=7)
    one, two = (learn(hands(12), config) for _ in range(2))
    assert one.files == two.files


def test_another_seed_gives_another_result(hands: Hands, quick: Quick) -> None:
    one, two = (learn(hands(12), quick(seed=seed)) for seed in (0, 1))
    assert params(one) != params(two)


def test_a_rate_at_which_the_loss_explodes_stops_and_says_so(hands: Hands, quick: Quick) -> None:
    events = list(fit(GLUON, hands(8), hands(8), quick(optimizer="sgd", learning_rate=100, epochs=9)))
    assert isinstance(events[-1], Stopped)
    assert events[-1].why == "loss"


@pytest.fixture
def learnt(hands: Hands, quick: Quick) -> Model:
    """Return a small network that has learnt right from left for six epochs."""
    return learn(hands(32), quick(epochs=6))


def test_a_run_from_weights_of_its_own_kind_takes_them_all(
    in_folder: Path, learnt: Model, hands: Hands, quick: Quick
) -> None:
    Path("old.params").write_bytes(params(learnt))
    events = list(
        fit(GLUON, hands(32), hands(8), quick(init_from="old.params", epochs=1, learning_rate=1e-6))
    )
    assert events[0] == Note("initial weights from old.params: 10 of 10 fit")
    fresh = list(fit(GLUON, hands(32), hands(8), quick(epochs=1, learning_rate=1e-6)))
    assert accuracy(events) > 0.9 > accuracy(fresh)


def accuracy(events: list[Event]) -> float:
    return next(event.train_accuracy for event in events if isinstance(event, Epoch))


def test_weights_for_other_classes_are_taken_but_for_the_last_layer(
    in_folder: Path, learnt: Model, hands: Hands, quick: Quick
) -> None:
    mx = load_mxnet()
    net = networks.build(mx, "small", 5)
    networks.initialize(mx, net)
    net(mx.nd.zeros((1, 3, 32, 32)))
    taken, left = take(mx, net, mx.nd.load_frombuffer(params(learnt)))
    assert (taken, left) == (8, ["small0_dense0_weight", "small0_dense0_bias"])


@pytest.mark.parametrize("network", ["small", "resnet18_v2", "mobilenetv2"])
def test_weights_under_gluons_own_names_fit_as_well(in_folder: Path, network: str) -> None:
    mx = load_mxnet()
    source, target = (networks.build(mx, network, 2) for _ in range(2))
    for net in (source, target):
        networks.initialize(mx, net)
        net(mx.nd.zeros((1, 3, 32, 32)))
    source[1].save_parameters("zoo.params")
    taken, left = take(mx, target, mx.nd.load("zoo.params"))
    assert (taken, left) == (len(source[1].collect_params().keys()), [])
    pixels = mx.nd.random.uniform(0, 255, (2, 3, 32, 32))
    assert source(pixels).asnumpy().tolist() == target(pixels).asnumpy().tolist()


def test_weights_of_which_none_fits_are_an_error(
    in_folder: Path, learnt: Model, hands: Hands, quick: Quick
) -> None:
    Path("small.params").write_bytes(params(learnt))
    with pytest.raises(MtoolError, match="none of its weights fits mlp"):
        list(fit(GLUON, hands(8), hands(8), quick(network="mlp", init_from="small.params")))


@pytest.mark.parametrize("data", [b"", b"nothing", b"\x12\x01" + bytes(30)], ids=["empty", "text", "cut off"])
def test_a_file_that_holds_no_weights_is_refused(
    in_folder: Path, data: bytes, hands: Hands, quick: Quick
) -> None:
    Path("old.params").write_bytes(data)
    with pytest.raises(BadModel, match=r"old.params: expected weights"):
        list(fit(GLUON, hands(8), hands(8), quick(init_from="old.params")))


def test_pretrained_weights_that_cannot_be_had_are_an_honest_line(
    in_folder: Path, monkeypatch: pytest.MonkeyPatch, hands: Hands, quick: Quick
) -> None:
    monkeypatch.setenv("MXNET_HOME", str(in_folder))
    monkeypatch.setenv("MXNET_GLUON_REPO", "http://127.0.0.1:9/")
    with pytest.raises(MtoolError, match=r"resnet18_v2-a81db45f.params is not in .* and cannot be fetched"):
        list(fit(GLUON, hands(8), hands(8), quick(network="resnet18_v2", pretrained=True)))


@pytest.mark.parametrize("network", ["small", "mlp"])
def test_networks_that_nobody_has_trained_have_no_pretrained_weights(network: str, quick: Quick) -> None:
    with pytest.raises(Refused, match="there are no ImageNet weights of"):
        check_config(quick(network=network, pretrained=True), ROW)


def graph(operator: str) -> bytes:
    data = {"op": "null", "name": "data", "inputs": []}
    nodes = [data, {"op": operator, "name": "x", "inputs": []}]
    return json.dumps({"nodes": nodes, "heads": [[1, 0]]}).encode()


@pytest.mark.parametrize(
    ("symbol", "reason"),
    [
        pytest.param(graph("Custom"), "unknown operator 'Custom'", id="an operator that runs Python"),
        pytest.param(graph("_Native"), "unknown operator '_Native'", id="an operator that holds a pointer"),
        pytest.param(b"{}", "expected an MXNet graph", id="no graph"),
        pytest.param(b"\xff", "expected an MXNet graph", id="no text"),
        pytest.param(b"[" * 100_000, "expected an MXNet graph", id="nested without end"),
        pytest.param(
            b'{"nodes": [], "arg_nodes": [], "heads": []}',
            "expected an MXNet graph with 1 to 10,000 nodes, found 0",
            id="no nodes",
        ),
        pytest.param(graph("null"), "expected an MXNet graph .* to an output", id="no operators"),
        pytest.param(
            graph("softmax"), "node 1: expected 1 inputs of softmax, found 0", id="a graph without arguments"
        ),
    ],
)
def test_a_graph_that_is_not_one_of_ours_is_refused(learnt: Model, symbol: bytes, reason: str) -> None:
    files = {**learnt.files, SYMBOL: symbol}
    spoilt = Model("gluon", "small", 32, learnt.table, False, "label", files)
    with pytest.raises(BadModel, match=reason):
        GLUON.predictor(spoilt)


def test_weights_that_are_cut_off_are_refused(learnt: Model) -> None:
    name = next(name for name in learnt.files if name.endswith(".params"))
    files = {**learnt.files, name: params(learnt)[:1000]}
    with pytest.raises(BadModel, match="expected weights"):
        GLUON.predictor(Model("gluon", "small", 32, learnt.table, False, "label", files))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(
            {"image_size": 1}, "expected pictures of 2 pixels", id="pictures too small for the network"
        ),
        pytest.param({"table": ClassTable(((0, "a"), (4, "b")))}, "expected 5 probabilities", id="classes"),
    ],
)
def test_a_model_at_odds_with_itself_is_refused(learnt: Model, change: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadModel, match=reason):
        GLUON.predictor(replace(learnt, **change))


def test_a_model_whose_answers_are_no_numbers_is_refused_when_it_is_asked(learnt: Model) -> None:
    name = next(name for name in learnt.files if name.endswith(".params"))
    weights = {each: np.full_like(array, np.nan) for each, array in read_params(name, params(learnt)).items()}
    spoilt = replace(learnt, files={**learnt.files, name: write_params(weights)})
    with pytest.raises(BadModel, match="infinite or no numbers"):
        GLUON.predictor(spoilt)(np.zeros((2, 32, 32, 3), np.uint8))

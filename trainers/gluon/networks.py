"""The networks by name: Gluon blocks from ``(pictures, 3, side, side)``, 0 to 255, to a score a class."""

from collections.abc import Callable
from typing import Any

# Of ImageNet's pictures, RGB from 0 to 255; the pretrained networks were trained with these.
MEAN = (123.675, 116.28, 103.53)
DEVIATION = (58.395, 57.12, 57.375)

# How the names in the first block of every network begin: the normalisation, which is never trained.
FIXED = "input0_"

_CHANNELS = (16, 32, 64, 64)


def small(mx: Any, classes: int) -> Any:
    """Return four convolutions and one dense layer: for hundreds of pictures, in seconds.

    It has no batch normalisation, which wants larger batches than small data sets fill.
    """
    nn = mx.gluon.nn
    net = nn.HybridSequential(prefix="small0_")
    with net.name_scope():
        for channels in _CHANNELS:
            net.add(nn.Conv2D(channels, 3, padding=1, activation="relu"), nn.MaxPool2D())
        net.add(nn.Flatten(), nn.Dense(classes))
    return net


def mlp(mx: Any, classes: int) -> Any:
    """Return the workshop's network: Flatten, Dense 128 relu, Dense 64 relu, Dense classes."""
    nn = mx.gluon.nn
    net = nn.HybridSequential(prefix="mlp0_")
    with net.name_scope():
        net.add(
            nn.Flatten(),
            nn.Dense(128, activation="relu"),
            nn.Dense(64, activation="relu"),
            nn.Dense(classes),
        )
    return net


def _zoo(zoo_name: str, prefix: str) -> Callable[[Any, int], Any]:
    """Return a maker of a model zoo network; ``prefix`` is what a fresh process would call it."""

    def make(mx: Any, classes: int) -> Any:
        vision = mx.gluon.model_zoo.vision
        return vision.get_model(zoo_name, classes=classes, prefix=prefix)

    return make


# Name -> (name in the model zoo or "", function that makes it).
NETWORKS: dict[str, tuple[str, Callable[[Any, int], Any]]] = {
    "small": ("", small),
    "mlp": ("", mlp),
    **{
        f"resnet{layers}_v2": (f"resnet{layers}_v2", _zoo(f"resnet{layers}_v2", "resnetv20_"))
        for layers in (18, 34, 50, 101, 152)
    },
    "mobilenetv2": ("mobilenetv2_1.0", _zoo("mobilenetv2_1.0", "mobilenetv20_")),
}


def build(mx: Any, name: str, classes: int) -> Any:
    """Return a network with its own normalisation in front; its weights are not set yet.

    Equal arguments give equal parameter names, however many networks this process has built.
    """
    net = mx.gluon.nn.HybridSequential(prefix="")
    net.add(_normalise(mx), NETWORKS[name][1](mx, classes))
    return net


def _normalise(mx: Any) -> Any:
    """Return a block that subtracts the mean and divides by the deviation, channel by channel.

    It is part of the network, so that an exported model takes plain pixels, and nobody can prepare them
    wrongly. It is a batch normalisation that never learns, because MXNet infers the shapes of its arrays from
    the picture; of constants it would not.
    """
    return mx.gluon.nn.BatchNorm(
        center=False, scale=False, use_global_stats=True, in_channels=3, prefix=FIXED
    )


def initialize(mx: Any, net: Any) -> None:
    """Draw the weights of a network from MXNet's random numbers, and set its normalisation."""
    net.initialize(mx.init.Xavier(rnd_type="gaussian", factor_type="in", magnitude=2))
    net[0].running_mean.set_data(mx.nd.array(MEAN))
    net[0].running_var.set_data(mx.nd.array(DEVIATION) ** 2)


def zoo_name(name: str) -> str:
    """Return the name of a network in MXNet's model zoo, or nothing where it is not there."""
    return NETWORKS[name][0]

"""The operators of our networks and of the built-in algorithm: inputs, outputs, attributes.

Others can hold a pointer into memory (``_Native``, ``_NDArray``) or call Python (``Custom``), and a model may
come from anywhere. An attribute is a text in MXNet's files; here it is a value within bounds.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Value = bool | int | float | str | tuple[int, ...] | None
"""The value of an attribute; None stands for MXNet's None."""

Parse = Callable[[str], Value]
"""Text of an attribute -> its value; raises ValueError, with what was expected, for another text."""

_MOST = 1 << 24  # of a number; more channels than any weights have
_WINDOW = 1 << 13  # of the size, step or edge of a window, in pixels
_NUMBER = re.compile(r"-?[0-9]{1,9}L?")  # Python 2 wrote 3L
_PAIR = re.compile(r"[(\[] ?([0-9]{1,5})L?, ?([0-9]{1,5})L?,? ?[)\]]")


@dataclass(frozen=True, slots=True)
class Operator:
    """What is known of an operator; each has one output."""

    inputs: tuple[str, ...]
    """What its inputs are called, in order; weights after data."""

    attributes: Mapping[str, Parse] = field(default_factory=dict)
    """The attributes that it may have, each with the function that reads it."""

    defaults: Mapping[str, Value] = field(default_factory=dict)
    """The values of attributes that are not there."""

    required: tuple[str, ...] = ()
    """The attributes that it must have."""


def _flag(text: str) -> bool:
    if text not in ("True", "False", "1", "0", "true", "false"):
        raise ValueError("True or False")
    return text in ("True", "1", "true")


def _whole(lowest: int, highest: int = _MOST) -> Parse:
    def parse(text: str) -> int:
        number = int(text.rstrip("L")) if _NUMBER.fullmatch(text) else lowest - 1
        if not lowest <= number <= highest:
            raise ValueError(f"a number from {lowest:,} to {highest:,}")
        return number

    return parse


def _pair(lowest: int) -> Parse:
    def parse(text: str) -> tuple[int, ...]:
        match = _PAIR.fullmatch(text)
        pair = (int(match[1]), int(match[2])) if match else (-1, -1)
        if not lowest <= min(pair) <= max(pair) <= _WINDOW:
            raise ValueError(f"a pair of numbers from {lowest:,} to {_WINDOW:,}")
        return pair

    return parse


def _float(lowest: float, highest: float) -> Parse:
    def parse(text: str) -> float:
        try:
            number = float(text) if len(text) <= 40 else math.nan
        except ValueError:
            number = math.nan
        if not lowest <= number <= highest:
            raise ValueError(f"a number from {lowest:,} to {highest:,}")
        return number

    return parse


def _one_of(*texts: str) -> Parse:
    def parse(text: str) -> Value:
        if text not in texts:
            raise ValueError(" or ".join(texts))
        return None if text == "None" else text

    return parse


_SPEED = {  # attributes that change how fast it is, and nothing else
    "cudnn_off": _flag,
    "cudnn_tune": _one_of("None", "off", "limited_workspace", "fastest"),
    "workspace": _whole(0),
}
_PLAIN = Operator(("data",))
_LOSS = {
    "grad_scale": _float(-1e9, 1e9),
    "ignore_label": _float(-1e9, 1e9),
    "multi_output": _one_of("False"),
    "use_ignore": _flag,
    "preserve_shape": _one_of("False"),
    "normalization": _one_of("null", "batch", "valid"),
    "out_grad": _flag,
    "smooth_alpha": _float(0, 1),
}

OPERATORS: dict[str, Operator] = {
    "null": Operator(()),
    "Activation": Operator(
        ("data",),
        {"act_type": _one_of("relu", "sigmoid", "softrelu", "softsign", "tanh")},
        required=("act_type",),
    ),
    "BatchNorm": Operator(
        ("data", "gamma", "beta", "mean", "variance"),
        {
            "axis": _whole(1, 1),
            "cudnn_off": _flag,
            "eps": _float(1e-9, 1),
            "fix_gamma": _flag,
            "momentum": _float(0, 1),
            "output_mean_var": _one_of("False"),
            "use_global_stats": _flag,
        },
        {"eps": 1e-3, "fix_gamma": True},
    ),
    "Convolution": Operator(
        ("data", "weight", "bias"),
        {
            **_SPEED,
            "dilate": _pair(1),
            "kernel": _pair(1),
            "layout": _one_of("NCHW", "None"),
            "no_bias": _flag,
            "num_filter": _whole(1),
            "num_group": _whole(1),
            "pad": _pair(0),
            "stride": _pair(1),
        },
        {"dilate": (1, 1), "no_bias": False, "num_group": 1, "pad": (0, 0), "stride": (1, 1)},
        ("kernel", "num_filter"),
    ),
    "Flatten": _PLAIN,
    "FullyConnected": Operator(
        ("data", "weight", "bias"),
        {"flatten": _one_of("True"), "no_bias": _flag, "num_hidden": _whole(1)},
        {"no_bias": False},
        ("num_hidden",),
    ),
    "Pooling": Operator(
        ("data",),
        {
            "count_include_pad": _flag,
            "cudnn_off": _flag,
            "global_pool": _flag,
            "kernel": _pair(1),
            "layout": _one_of("NCHW", "None"),
            "pad": _pair(0),
            "pool_type": _one_of("max", "avg"),
            "pooling_convention": _one_of("valid", "full"),
            "stride": _pair(1),
        },
        {
            "count_include_pad": True,
            "global_pool": False,
            "pad": (0, 0),
            "pool_type": "max",
            "pooling_convention": "valid",
            "stride": (1, 1),
        },
    ),
    "clip": Operator(
        ("data",), {"a_min": _float(-1e9, 1e9), "a_max": _float(-1e9, 1e9)}, required=("a_min", "a_max")
    ),
    "elemwise_add": Operator(("left", "right")),
    "sigmoid": _PLAIN,
    "softmax": Operator(
        ("data",),
        {
            "axis": _one_of("-1", "1"),
            "temperature": _one_of("None", "1", "1.0"),
            "dtype": _one_of("None"),
            "use_length": _one_of("False"),
        },
    ),
    # What only training needs.
    "_copy": _PLAIN,
    "Cast": Operator(("data",), {"dtype": _one_of("float16", "float32")}),
    "LogisticRegressionOutput": Operator(("data", "label"), {"grad_scale": _LOSS["grad_scale"]}),
    "SoftmaxOutput": Operator(("data", "label"), _LOSS),
}

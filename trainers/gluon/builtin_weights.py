"""Weights of SageMaker's built-in image classification under the names of Gluon's ResNets.

Both are the same networks: ResNets of the second version. The built-in algorithm calls its layers as MXNet's
example does, by stage and unit; Gluon counts the layers of a stage.
"""

import re
from collections.abc import Iterator, Mapping

import numpy as np

from trainers.gluon.networks import DEVIATION, MEAN
from trainers.mxnet_files.params import Array

_UNIT = re.compile(r"stage([0-9]{1,2})_unit([0-9]{1,3})_conv1_weight")
_FIRST_AND_LAST = {
    "bn_data": "batchnorm0",
    "conv0": "conv0",
    "bn0": "batchnorm1",
    "bn1": "batchnorm2",
    "fc1": "dense0",
}
_FIELDS = {
    "weight": "weight",
    "bias": "bias",
    "gamma": "gamma",
    "beta": "beta",
    "moving_mean": "running_mean",
    "moving_var": "running_var",
}


def with_gluons_names(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return the weights of a model of the built-in algorithm under Gluon's names; others keep their own.

    Its first normalisation is moved: the networks here get pictures that are normalised already.
    """
    plain = {name.removeprefix("arg:").removeprefix("aux:"): array for name, array in arrays.items()}
    moved = {
        f"resnetv20_{ours}_{field}": plain.pop(f"{theirs}_{named}")
        for theirs, ours in (*_FIRST_AND_LAST.items(), *_units(plain))
        for named, field in _FIELDS.items()
        if f"{theirs}_{named}" in plain
    }
    for field, change in (("running_mean", _moved_mean), ("running_var", _moved_variance)):
        name = f"resnetv20_batchnorm0_{field}"
        if name in moved and moved[name].shape == (3,):
            moved[name] = change(moved[name])
    return moved | plain


def _units(plain: Mapping[str, Array]) -> Iterator[tuple[str, str]]:
    """Yield each layer of the units by its name in the example and by Gluon's, in Gluon's order."""
    units = sorted((int(match[1]), int(match[2])) for match in map(_UNIT.fullmatch, plain) if match)
    # Of three convolutions; else Gluon's first stage has no convolution beside its units.
    deep = "stage1_unit1_conv3_weight" in plain
    counts: dict[tuple[int, str], int] = {}
    for stage, unit in units:
        layers = ["bn1", "conv1", "bn2", "conv2", *(["bn3", "conv3"] if deep else [])]
        layers += ["sc"] if unit == 1 and (stage > 1 or deep) else []
        for layer in layers:
            kind = "batchnorm" if layer.startswith("bn") else "conv"
            count = counts[stage, kind] = counts.get((stage, kind), -1) + 1
            yield f"stage{stage}_unit{unit}_{layer}", f"stage{stage}_{kind}{count}"


def _moved_mean(mean: Array) -> Array:
    moved: Array = (mean - np.array(MEAN, np.float32)) / np.array(DEVIATION, np.float32)
    return moved


def _moved_variance(variance: Array) -> Array:
    moved: Array = variance / np.square(np.array(DEVIATION, np.float32))
    return moved

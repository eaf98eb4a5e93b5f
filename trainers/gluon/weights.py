"""Initial weights: drawn from the seed, from the model zoo, or from a file, as far as they fit."""

import contextlib
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from manifest_tools.base.errors import MtoolError
from manifest_tools.io import s3
from trainers.bad_model import BadModel
from trainers.config import TrainConfig
from trainers.gluon.builtin_weights import with_gluons_names
from trainers.gluon.networks import FIXED, initialize, zoo_name
from trainers.model_archive import MAX_BYTES, is_model, read_model
from trainers.mxnet_files.network import weights_file
from trainers.mxnet_files.params import Array, read_params
from trainers.registry import BUILTIN

# MXNet counts the networks of a process in their names: resnetv20_ and resnetv21_ are the same network.
_COUNTED = re.compile(r"^([a-z]*?v\d|[a-z]+)\d+_(?=[a-z])")


def drawn_weights(mx: Any, net: Any, side: int) -> None:
    """Draw the weights of a network for pictures of a side."""
    initialize(mx, net)
    # Shapes are known only after a picture has gone through once.
    net(mx.nd.zeros((1, 3, side, side)))


def initial_weights(mx: Any, net: Any, config: TrainConfig) -> str:
    """Set the weights of a network, and return where they come from.

    Raises MtoolError for weights that cannot be had, or of which none fits.
    """
    drawn_weights(mx, net, config.image_size)
    source, arrays = _given(mx, config)
    if not source:
        return "training from scratch: neither --pretrained nor --init-from was given"
    taken, left = take(mx, net, arrays)
    if not taken:
        raise MtoolError(
            f"{source}: none of its weights fits {config.network}; expected weights of the same network"
        )
    total = taken + len(left)
    # In Gluon's 18 and 34 layers, stage 1 adds its input as it is; in the built-in algorithm's it does not.
    spare = sorted(name for name in arrays if re.fullmatch(r"stage\d+_unit\d+_sc_weight", name))
    drawn, dropped = _which("drawn from the seed", left), _which("no place for", spare)
    return f"initial weights from {source}: {taken} of {total} fit{drawn}{dropped}"


def _which(what: str, names: list[str]) -> str:
    return f"; {what}: {', '.join(names[:3])}{', …' if len(names) > 3 else ''}" if names else ""


def _given(mx: Any, config: TrainConfig) -> tuple[str, Mapping[str, Array]]:
    if config.pretrained:
        path = _from_zoo(mx, config.network)
        return path, read_params(path, Path(path).read_bytes())
    if config.init_from:
        return config.init_from, _read(config.init_from)
    return "", {}


def _from_zoo(mx: Any, network: str) -> str:
    """Return the file with the weights of the model zoo, which MXNet fetches once and checks by SHA-1."""
    store = mx.gluon.model_zoo.model_store
    name = zoo_name(network)
    folder = Path(mx.base.data_dir()) / "models"
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # MXNet prints there
            return str(store.get_model_file(name, root=str(folder)))
    except (OSError, RuntimeError, ValueError) as error:
        file = f"{name}-{store.short_hash(name)}.params"
        raise MtoolError(
            f"--pretrained: {file} is not in {folder} and cannot be fetched; "
            "put it there, or type --init-from FILE.params"
        ) from error


def _read(path: str) -> Mapping[str, Array]:
    """Return the weights in a .params file, a model.tar.gz or a folder with one; the files may be in S3."""
    if is_model(path):
        model = read_model(path)
        name = weights_file(path, model.files)
        arrays = read_params(f"{path}: {name}", model.files[name])
        return with_gluons_names(arrays) if model.predictor == BUILTIN else arrays
    remote = path.startswith("s3://")
    if (size := s3.size(path) if remote else Path(path).stat().st_size) > MAX_BYTES:
        raise BadModel(path, f"expected weights of at most {MAX_BYTES:,} bytes, found {size:,}")
    return read_params(path, s3.read(path) if remote else Path(path).read_bytes())


def take(mx: Any, net: Any, arrays: Mapping[str, Any]) -> tuple[int, list[str]]:
    """Copy the arrays that fit by name and shape; return how many, and the names of the others.

    A file's names may be those of an export (``arg:resnetv20_conv0_weight``), with any counter, or
    those of ``save_parameters`` (``features.1.weight``).
    """
    named = {_plain(name): array for name, array in arrays.items()}
    # The first block normalises; the second is the network whose names a file has.
    structural = {p.name: name for name, p in net[1]._collect_params_with_prefix().items()}
    taken, left = 0, []
    for name, parameter in net.collect_params().items():
        if name.startswith(FIXED):
            continue
        array = named.get(_plain(name), named.get(structural.get(name, "")))
        if array is None or array.shape != parameter.shape:
            left.append(name)
            continue
        parameter.set_data(mx.nd.array(array, dtype=np.float32))
        taken += 1
    return taken, left


def _plain(name: str) -> str:
    """Return the name of a parameter without its prefix in a file and without the count of its network.

    >>> _plain("arg:resnetv23_stage1_conv0_weight")
    'resnetv2_stage1_conv0_weight'
    >>> _plain("features.1.weight")
    'features.1.weight'
    """
    return _COUNTED.sub(r"\1_", re.sub(r"^(arg|aux):", "", name))

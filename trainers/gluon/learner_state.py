"""The state of a Gluon network between two epochs, in MXNet's file format for weights.

MXNet's own ``save_states`` pickles, and a pickle that somebody else made can do anything.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from trainers.bad_model import BadModel
from trainers.mxnet_files.params import read_params, write_params

# The file format has floats of 32 bits alone: a count of steps is written as two numbers below this.
_BASE = 1 << 16
_STEPS = "steps"


def save_state(net: Any, optimizer: Any) -> bytes:
    """Return weights, the optimizer's arrays and its count of steps."""
    arrays = {name: array.asnumpy() for name, array in _arrays(net, optimizer)}
    return write_params(arrays | {_STEPS: np.array(divmod(optimizer.optimizer.num_update, _BASE))})


def load_state(mx: Any, net: Any, optimizer: Any, state: bytes) -> None:
    """Give a network and its optimizer, which has taken a step, a state; raises BadModel where it misfits."""
    found = read_params("its state", state)
    wanted = dict(_arrays(net, optimizer))
    shapes = {name: array.shape for name, array in wanted.items()} | {_STEPS: (2,)}
    if {name: array.shape for name, array in found.items()} != shapes:
        raise BadModel("its state", "expected the arrays of this network and this optimizer, found others")
    for name, array in wanted.items():
        array[:] = mx.nd.array(found[name], dtype=np.float32)
    high, low = found[_STEPS].tolist()
    if not (0 <= high < _BASE and 0 <= low < _BASE):
        raise BadModel("its state", f"expected a count of steps, found {high:g} and {low:g}")
    _set_steps(optimizer, int(high) * _BASE + int(low))


def _arrays(net: Any, optimizer: Any) -> Iterator[tuple[str, Any]]:
    """Yield the arrays of the network and of the optimizer, each by a name of its own."""
    for name, parameter in sorted(net.collect_params().items()):
        yield f"weight:{name}", parameter.data()
    for index, state in sorted(_updater(optimizer).states.items()):
        parts = state if isinstance(state, list | tuple) else [state]
        for number, part in enumerate(parts):
            yield f"optimizer:{index}:{number}", part


def _set_steps(optimizer: Any, steps: int) -> None:
    counts = optimizer.optimizer._index_update_count
    counts.update(dict.fromkeys(_updater(optimizer).states, steps))
    optimizer.optimizer.num_update = steps


def _updater(optimizer: Any) -> Any:
    (updater,) = optimizer._updaters  # one for each device, and there is one
    return updater

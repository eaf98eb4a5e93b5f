"""Ask a model in MXNet 1.3.1 about pictures; runs in that library's environment, without ours.

python ask_mxnet13.py FOLDER    reads pictures.npy, writes said-1.3.npy, prints the version
"""

import json
import sys
from pathlib import Path

import numpy as np


def main(folder: Path) -> None:
    """Load the three files as a model server does: by ``model-shapes.json`` and Module."""
    import mxnet as mx  # here, for pytest looks into this file without having it

    pictures = np.load(folder / "pictures.npy").transpose(0, 3, 1, 2).astype(np.float32)
    shapes = json.loads((folder / "model-shapes.json").read_text())
    assert shapes[0]["shape"][1:] == list(pictures.shape[1:])
    symbol = mx.sym.load(str(folder / "image-classification-symbol.json"))
    module = mx.mod.Module(symbol, label_names=None, context=mx.cpu())
    module.bind([(shapes[0]["name"], pictures.shape)], for_training=False)
    arrays = mx.nd.load(str(folder / "image-classification-0001.params"))
    kinds: dict[str, dict[str, object]] = {"arg": {}, "aux": {}}
    for name, array in arrays.items():
        kind, _, plain = name.partition(":")
        kinds[kind][plain] = array
    module.set_params(kinds["arg"], kinds["aux"])
    module.forward(mx.io.DataBatch([mx.nd.array(pictures)]), is_train=False)
    np.save(folder / "said-1.3.npy", module.get_outputs()[0].asnumpy())
    print(mx.__version__)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

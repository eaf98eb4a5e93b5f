"""The one way into MXNet 1.9.1, which is older than the libraries that it finds around it."""

import importlib
import importlib.util
import warnings
from typing import Any

from manifest_tools.base.errors import NotInstalled


def load_mxnet() -> Any:
    """Return the module ``mxnet``; raises NotInstalled when it is absent.

    MXNet 1.9.1 reads ``numpy.bool`` once, while it is imported, and NumPy took that name away in
    1.24: it is lent for this moment. Its own array() asks ``scipy.sparse.csr`` about every argument,
    a name that SciPy warns about; without SciPy it asks nothing, and we hand it no sparse matrices.
    """
    if importlib.util.find_spec("mxnet") is None:
        raise NotInstalled("mxnet", "gluon", "training with Gluon")
    import numpy

    lent = "bool" not in vars(numpy)
    if lent:
        vars(numpy)["bool"] = bool
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mxnet = importlib.import_module("mxnet")
            importlib.import_module("mxnet.gluon.model_zoo.vision")
    finally:
        if lent:
            del vars(numpy)["bool"]
    mxnet.ndarray.utils.spsp = None
    return mxnet

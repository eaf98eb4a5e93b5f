"""The only place that imports MXNet 1.9.1, which is older than the libraries beside it."""

import importlib
import importlib.util
import warnings
from typing import Any

from manifest_tools.base.errors import MtoolError, NotInstalled
from trainers.gluon.system_libraries import lend_missing, what_to_install


def load_mxnet() -> Any:
    """Return the module ``mxnet``; raises NotInstalled without it, MtoolError where it cannot be loaded.

    MXNet 1.9.1 reads ``numpy.bool`` once, while it is imported, and NumPy 1.24 removed that name: it is set
    for this moment. Its array() compares every argument with ``scipy.sparse.csr``, a name that SciPy warns
    about. Without SciPy it does not, and we give it no sparse matrices.
    """
    if importlib.util.find_spec("mxnet") is None:
        raise NotInstalled("mxnet", "gluon", "training with Gluon")
    import numpy

    added = "bool" not in vars(numpy)
    if added:
        vars(numpy)["bool"] = bool
    try:
        mxnet = _imported()
    finally:
        if added:
            del vars(numpy)["bool"]
    mxnet.ndarray.utils.spsp = None
    return mxnet


def _imported() -> Any:
    lend_missing()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mxnet = importlib.import_module("mxnet")
            importlib.import_module("mxnet.gluon.model_zoo.vision")
    except OSError as error:
        if command := what_to_install(error):
            raise MtoolError(f"MXNet cannot be loaded: {error}; type: {command}") from error
        raise
    return mxnet

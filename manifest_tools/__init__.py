"""Reads, checks and rewrites SageMaker Ground Truth manifests, and converts them.

Every word of the command line is a function here, under the same name:

    import manifest_tools

    manifest_tools.split("output.manifest", seed=0)

Nothing is imported before it is asked for, so ``import manifest_tools`` costs next to nothing.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from manifest_tools.convert import convert
    from manifest_tools.errors import BadData, InvalidLine, MtoolError, Refused
    from manifest_tools.filter import filter
    from manifest_tools.rewrite import rewrite
    from manifest_tools.split import split
    from manifest_tools.stats import stats
    from manifest_tools.validate import validate

__all__ = [
    "BadData",
    "InvalidLine",
    "MtoolError",
    "Refused",
    "convert",
    "filter",
    "rewrite",
    "split",
    "stats",
    "validate",
]

__version__ = "0.1.0"

_ERRORS = ("BadData", "InvalidLine", "MtoolError", "Refused")
_VERBS = ("convert", "filter", "rewrite", "split", "stats", "validate")


class _Package(ModuleType):
    """Keeps ``manifest_tools.split`` the function, although ``split.py`` is a module of that name.

    Importing a module sets it as an attribute of its package; a verb's is set to its function instead.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _VERBS and isinstance(value, ModuleType):
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name in _ERRORS:
        return getattr(import_module("manifest_tools.errors"), name)
    if name in _VERBS:
        return getattr(import_module(f"manifest_tools.{name}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

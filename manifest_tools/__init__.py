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
    from manifest_tools.classes import ClassTable as ClassTable
    from manifest_tools.comparing.difference import Diff as Diff
    from manifest_tools.conditions import Conditions as Conditions
    from manifest_tools.convert import convert as convert
    from manifest_tools.diff import diff as diff
    from manifest_tools.edits import FromLab as FromLab
    from manifest_tools.edits import Move as Move
    from manifest_tools.edits import Placeholder as Placeholder
    from manifest_tools.edits import RenameAttribute as RenameAttribute
    from manifest_tools.edits import RenameClass as RenameClass
    from manifest_tools.errors import BadData as BadData
    from manifest_tools.errors import InvalidLine as InvalidLine
    from manifest_tools.errors import MtoolError as MtoolError
    from manifest_tools.errors import Refused as Refused
    from manifest_tools.explain import explain as explain
    from manifest_tools.filter import Filtered as Filtered
    from manifest_tools.filter import filter as filter
    from manifest_tools.fix import Fixed as Fixed
    from manifest_tools.fix import fix as fix
    from manifest_tools.labels import read_examples as read_examples
    from manifest_tools.merge import merge as merge
    from manifest_tools.merging.report import Merged as Merged
    from manifest_tools.objects import check_objects as check_objects
    from manifest_tools.pipe import Piped as Piped
    from manifest_tools.pipe import pipe as pipe
    from manifest_tools.problem import Problem as Problem
    from manifest_tools.rewrite import Rewritten as Rewritten
    from manifest_tools.rewrite import rewrite as rewrite
    from manifest_tools.rules.job import Preflight as Preflight
    from manifest_tools.samples import NotASample as NotASample
    from manifest_tools.samples import Sample as Sample
    from manifest_tools.samples import read_pipe as read_pipe
    from manifest_tools.split import Split as Split
    from manifest_tools.split import split as split
    from manifest_tools.stats import stats as stats
    from manifest_tools.validate import validate as validate

__version__ = "0.1.0"

# Every public name and the module that it lives in.
_HOMES = {
    "BadData": "errors",
    "ClassTable": "classes",
    "Conditions": "conditions",
    "Diff": "comparing.difference",
    "Filtered": "filter",
    "Fixed": "fix",
    "FromLab": "edits",
    "InvalidLine": "errors",
    "Move": "edits",
    "Merged": "merging.report",
    "MtoolError": "errors",
    "NotASample": "samples",
    "Piped": "pipe",
    "Placeholder": "edits",
    "Preflight": "rules.job",
    "Problem": "problem",
    "Refused": "errors",
    "RenameAttribute": "edits",
    "RenameClass": "edits",
    "Rewritten": "rewrite",
    "Sample": "samples",
    "Split": "split",
    "check_objects": "objects",
    "read_examples": "labels",
    "read_pipe": "samples",
}
_VERBS = (
    "convert",
    "diff",
    "explain",
    "filter",
    "fix",
    "merge",
    "pipe",
    "rewrite",
    "split",
    "stats",
    "validate",
)


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
    home = name if name in _VERBS else _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"manifest_tools.{home}"), name)


def __dir__() -> list[str]:
    return sorted([*_HOMES, *_VERBS, "__version__"])

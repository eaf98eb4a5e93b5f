"""Reads, checks and rewrites SageMaker Ground Truth manifests, and converts them.

Every word of the command line is a function here, under the same name:

    import manifest_tools

    manifest_tools.split("output.manifest", seed=0)

Nothing is imported before it is asked for, so ``import manifest_tools`` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from manifest_tools.base.version import __version__ as __version__

if TYPE_CHECKING:
    from manifest_tools.base.errors import BadData as BadData
    from manifest_tools.base.errors import InvalidLine as InvalidLine
    from manifest_tools.base.errors import MtoolError as MtoolError
    from manifest_tools.base.errors import Refused as Refused
    from manifest_tools.base.problem import Problem as Problem
    from manifest_tools.edits.rename import FromLab as FromLab
    from manifest_tools.edits.rename import Move as Move
    from manifest_tools.edits.rename import Placeholder as Placeholder
    from manifest_tools.edits.rename import RenameAttribute as RenameAttribute
    from manifest_tools.edits.rename import RenameClass as RenameClass
    from manifest_tools.formats.open_manifest import read_examples as read_examples
    from manifest_tools.groundtruth.classes import ClassTable as ClassTable
    from manifest_tools.groundtruth.pipe_mode.samples import NotASample as NotASample
    from manifest_tools.groundtruth.pipe_mode.samples import Sample as Sample
    from manifest_tools.groundtruth.pipe_mode.samples import read_pipe as read_pipe
    from manifest_tools.verbs.convert.convert import convert as convert
    from manifest_tools.verbs.convert.from_format import convert_from as convert_from
    from manifest_tools.verbs.diff.diff import diff as diff
    from manifest_tools.verbs.diff.report import Diff as Diff
    from manifest_tools.verbs.filter.filter import Filtered as Filtered
    from manifest_tools.verbs.filter.filter import filter as filter
    from manifest_tools.verbs.look.look import Look as Look
    from manifest_tools.verbs.look.look import look as look
    from manifest_tools.verbs.merge.merge import merge as merge
    from manifest_tools.verbs.merge.report import Merged as Merged
    from manifest_tools.verbs.pipe.pipe import Piped as Piped
    from manifest_tools.verbs.pipe.pipe import pipe as pipe
    from manifest_tools.verbs.rewrite.report import Rewritten as Rewritten
    from manifest_tools.verbs.rewrite.rewrite import rewrite as rewrite
    from manifest_tools.verbs.split.report import Split as Split
    from manifest_tools.verbs.split.split import split as split
    from manifest_tools.verbs.stats.stats import stats as stats
    from manifest_tools.verbs.validate.explain import explain as explain
    from manifest_tools.verbs.validate.fix import Fixed as Fixed
    from manifest_tools.verbs.validate.fix import fix as fix
    from manifest_tools.verbs.validate.objects import check_objects as check_objects
    from manifest_tools.verbs.validate.preflight.inputs import Preflight as Preflight
    from manifest_tools.verbs.validate.validate import validate as validate

# Every public name, by the module that it lives in.
_HOMES = {
    "base.errors": ("BadData", "InvalidLine", "MtoolError", "Refused"),
    "base.problem": ("Problem",),
    "edits.rename": ("FromLab", "Move", "Placeholder", "RenameAttribute", "RenameClass"),
    "groundtruth.classes": ("ClassTable",),
    "formats.open_manifest": ("read_examples",),
    "groundtruth.pipe_mode.samples": ("NotASample", "Sample", "read_pipe"),
    "verbs.convert.convert": ("convert",),
    "verbs.convert.from_format": ("convert_from",),
    "verbs.diff.diff": ("diff",),
    "verbs.diff.report": ("Diff",),
    "verbs.filter.filter": ("Filtered", "filter"),
    "verbs.look.look": ("Look", "look"),
    "verbs.merge.merge": ("merge",),
    "verbs.merge.report": ("Merged",),
    "verbs.pipe.pipe": ("Piped", "pipe"),
    "verbs.rewrite.report": ("Rewritten",),
    "verbs.rewrite.rewrite": ("rewrite",),
    "verbs.split.report": ("Split",),
    "verbs.split.split": ("split",),
    "verbs.stats.stats": ("stats",),
    "verbs.validate.explain": ("explain",),
    "verbs.validate.fix": ("Fixed", "fix"),
    "verbs.validate.objects": ("check_objects",),
    "verbs.validate.preflight.inputs": ("Preflight",),
    "verbs.validate.validate": ("validate",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [*_HOME_OF]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*_HOME_OF, "__version__"])

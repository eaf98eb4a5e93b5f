"""Reads, checks and rewrites SageMaker Ground Truth manifests, converts them, and trains classifiers on them.

Every word of the command line is a function here, under the same name:

    import manifest_tools

    manifest_tools.split("output.manifest", seed=0)

It takes what the word takes, under the names of its options, with an underscore behind those that Python
keeps for itself (``class_``, ``for_``, ``from_``, ``all_``). A path is a str or a ``pathlib.Path``, an option
that repeats is one value or several, and NAME=VALUE is a dict. It prints nothing, and returns what became of
it. What is billed, or deletes for good, needs ``yes=True``.

Look:
    validate        Finds every problem of every line.
    explain         Says what a code of validate means.
    stats           Says what is in a manifest: attributes, classes, confidences, who labelled, when.
    look            Gathers what a page of manifests shows: counts, and pictures with their labels.
    look_page       Makes that page: one HTML file.
    look_sheets     Makes contact sheets of it instead: PNG, a page each.
    diff            Says how two manifests differ.

Change:
    rewrite         Changes lab ID, bucket, attribute and class names, and no other byte.
    filter          Keeps the lines that meet all conditions.
    split           Divides a manifest into train and validation, stratified by class.
    merge           Makes several manifests one: one line a picture.
    fix             Fixes the problems that have one right answer.

Data sets:
    convert         Converts manifests and their pictures to RecordIO, a folder a class, or COCO.
    convert_from    Makes a manifest of a data set in another format.
    rec_list        Lists the records of a RecordIO file, by their headers.
    rec_verify      Finds what is wrong with one, and with its index and list.
    rec_extract     Writes its pictures into a folder, with a list of their labels.
    rec_merge       Makes several of them one, by concatenation.
    rec_shard       Deals its records out to several files.
    rec_reindex     Makes its index anew.
    rec_repair      Cuts out of it what is no whole record.
    fetch           Copies the pictures that manifests name from S3 to this disk.
    pipe            Writes the record stream that Pipe mode would send.
    read_pipe       Reads such a stream again, sample by sample.
    read_examples   Reads a manifest as columns: pictures, classes, boxes and the like.
    check_objects   Finds what is wrong with the objects that manifests name.

Learn:
    train           Fine-tunes a classifier on two manifests, here.
    tune            Finds the parameters that give the best model, here.
    evaluate        Says how good a model is on the pictures of a manifest.
    predict         Says class and probability of pictures.

SageMaker:
    deploy          Puts a model into service as an endpoint.
    delete          Deletes an endpoint, and what was made for it.
    transform       Asks a model about many pictures in S3 by a transform job.
    jobs            Lists what is in SageMaker.
    doctor          Says why a job failed, and what to do.
    policy          Says what IAM has to allow, and no more.

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
    from manifest_tools.verbs.fetch.fetch import Fetched as Fetched
    from manifest_tools.verbs.fetch.fetch import fetch as fetch
    from manifest_tools.verbs.filter.filter import Filtered as Filtered
    from manifest_tools.verbs.filter.filter import filter as filter
    from manifest_tools.verbs.look.look import Look as Look
    from manifest_tools.verbs.look.look import look as look
    from manifest_tools.verbs.look.report import look_page as look_page
    from manifest_tools.verbs.look.report import look_sheets as look_sheets
    from manifest_tools.verbs.merge.merge import merge as merge
    from manifest_tools.verbs.merge.report import Merged as Merged
    from manifest_tools.verbs.pipe.pipe import Piped as Piped
    from manifest_tools.verbs.pipe.pipe import pipe as pipe
    from manifest_tools.verbs.rec.extract import Extracted as Extracted
    from manifest_tools.verbs.rec.extract import rec_extract as rec_extract
    from manifest_tools.verbs.rec.list_records import rec_list as rec_list
    from manifest_tools.verbs.rec.merge import Joined as Joined
    from manifest_tools.verbs.rec.merge import rec_merge as rec_merge
    from manifest_tools.verbs.rec.reindex import Reindexed as Reindexed
    from manifest_tools.verbs.rec.reindex import rec_reindex as rec_reindex
    from manifest_tools.verbs.rec.repair import Repaired as Repaired
    from manifest_tools.verbs.rec.repair import rec_repair as rec_repair
    from manifest_tools.verbs.rec.shard import Sharded as Sharded
    from manifest_tools.verbs.rec.shard import rec_shard as rec_shard
    from manifest_tools.verbs.rec.verify import Verified as Verified
    from manifest_tools.verbs.rec.verify import rec_verify as rec_verify
    from manifest_tools.verbs.rewrite.report import Rewritten as Rewritten
    from manifest_tools.verbs.rewrite.rewrite import rewrite as rewrite
    from manifest_tools.verbs.split.report import Split as Split
    from manifest_tools.verbs.split.split import split as split
    from manifest_tools.verbs.stats.stats import stats as stats
    from manifest_tools.verbs.validate.check import validate as validate
    from manifest_tools.verbs.validate.explain import explain as explain
    from manifest_tools.verbs.validate.fix import Fixed as Fixed
    from manifest_tools.verbs.validate.fix import fix as fix
    from manifest_tools.verbs.validate.objects import check_objects as check_objects
    from manifest_tools.verbs.validate.validate import Report as Report
    from trainers.sagemaker.account.doctor import Examination as Examination
    from trainers.sagemaker.account.jobs import JobSummary as JobSummary
    from trainers.training import Result as Result
    from trainers.tuning import Tuned as Tuned
    from trainers.words.delete import delete as delete
    from trainers.words.deploy import Deployment as Deployment
    from trainers.words.deploy import deploy as deploy
    from trainers.words.doctor import doctor as doctor
    from trainers.words.evaluate import Evaluated as Evaluated
    from trainers.words.evaluate import evaluate as evaluate
    from trainers.words.jobs import jobs as jobs
    from trainers.words.policy import Policies as Policies
    from trainers.words.policy import policy as policy
    from trainers.words.predict import Predicted as Predicted
    from trainers.words.predict import predict as predict
    from trainers.words.train import train as train
    from trainers.words.transform import Transformed as Transformed
    from trainers.words.transform import transform as transform
    from trainers.words.tune import tune as tune

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
    "verbs.fetch.fetch": ("Fetched", "fetch"),
    "verbs.filter.filter": ("Filtered", "filter"),
    "verbs.look.look": ("Look", "look"),
    "verbs.look.report": ("look_page", "look_sheets"),
    "verbs.merge.merge": ("merge",),
    "verbs.merge.report": ("Merged",),
    "verbs.pipe.pipe": ("Piped", "pipe"),
    "verbs.rec.extract": ("Extracted", "rec_extract"),
    "verbs.rec.list_records": ("rec_list",),
    "verbs.rec.merge": ("Joined", "rec_merge"),
    "verbs.rec.reindex": ("Reindexed", "rec_reindex"),
    "verbs.rec.repair": ("Repaired", "rec_repair"),
    "verbs.rec.shard": ("Sharded", "rec_shard"),
    "verbs.rec.verify": ("Verified", "rec_verify"),
    "verbs.rewrite.report": ("Rewritten",),
    "verbs.rewrite.rewrite": ("rewrite",),
    "verbs.split.report": ("Split",),
    "verbs.split.split": ("split",),
    "verbs.stats.stats": ("stats",),
    "verbs.validate.check": ("validate",),
    "verbs.validate.explain": ("explain",),
    "verbs.validate.fix": ("Fixed", "fix"),
    "verbs.validate.objects": ("check_objects",),
    "verbs.validate.validate": ("Report",),
}
# The words that learn, predict or ask SageMaker: this table alone names what is above, and imports it when
# it is asked for.
_ABOVE = {
    "trainers.sagemaker.account.doctor": ("Examination",),
    "trainers.sagemaker.account.jobs": ("JobSummary",),
    "trainers.words.delete": ("delete",),
    "trainers.words.deploy": ("Deployment", "deploy"),
    "trainers.words.doctor": ("doctor",),
    "trainers.words.evaluate": ("Evaluated", "evaluate"),
    "trainers.words.jobs": ("jobs",),
    "trainers.words.policy": ("Policies", "policy"),
    "trainers.words.predict": ("Predicted", "predict"),
    "trainers.training": ("Result",),
    "trainers.tuning": ("Tuned",),
    "trainers.words.train": ("train",),
    "trainers.words.transform": ("Transformed", "transform"),
    "trainers.words.tune": ("tune",),
}
_HOME_OF = {name: f"{__name__}.{home}" for home, names in _HOMES.items() for name in names}
_HOME_OF |= {name: home for home, names in _ABOVE.items() for name in names}

__all__ = [*_HOME_OF]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted([*_HOME_OF, "__version__"])

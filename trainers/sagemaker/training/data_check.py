"""What the data of a job shows before anything is billed: problems, settings that follow, class names."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from manifest_tools.algorithms import Algorithm
from manifest_tools.base.errors import Refused
from manifest_tools.base.parallel import Jobs
from manifest_tools.base.problem import Problem
from manifest_tools.base.text import counted
from manifest_tools.groundtruth.classes import ClassTable, agree
from manifest_tools.groundtruth.examples import whole_table
from manifest_tools.groundtruth.label_kinds import label_kind
from manifest_tools.io.sources import Source
from manifest_tools.verbs.validate.preflight.inputs import ALGORITHM_OF, PreflightInput
from manifest_tools.verbs.validate.preflight.preflight import Preflight, Settings, settings
from manifest_tools.verbs.validate.preflight.settings import list_format, observed_classes
from manifest_tools.verbs.validate.rules import of_scope
from manifest_tools.verbs.validate.validate import job_problems, validate

# What `validate --for` calls each built-in algorithm.
_PURPOSE_OF = {algorithm: purpose for purpose, algorithm in ALGORITHM_OF.items()}

_BATCHES = ("mini_batch_size", "validation_mini_batch_size")


class Unfit(Refused):
    """Data that a job would fail with, or learn nothing from; ``problems`` are all that was found."""

    def __init__(self, manifests: Sequence[str], problems: Sequence[Problem]) -> None:
        errors = sum(one.severity == "error" for one in problems)
        names = " and ".join(manifests)
        super().__init__(
            f"{names}: the job would fail with {counted(errors, 'error')} in the data; fix"
            f" {'it' if errors == 1 else 'them'}, or type --no-preflight"
        )
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class DataCheck:
    """What was found in the train and the validation part of a job."""

    job: PreflightInput
    """What the rules of the preflight look at, file by file."""

    settings: Settings
    """What the job should be started with."""

    of_lines: tuple[Problem, ...]
    """Problems of lines and files, without those of the job."""

    table: ClassTable | None
    """The class table of all parts, None where the data has no names (.rec, .lst)."""

    @property
    def samples(self) -> tuple[int, ...]:
        """How many samples each part has, the part for training first."""
        return tuple(channel.samples for channel in self.job.channels[:2])

    def problems(self, hyperparameters: Mapping[str, str]) -> list[Problem]:
        """Return all problems of a job with these hyperparameters."""
        preflight = Preflight(self.job.preflight.purpose, hyperparameters)
        return [*self.of_lines, *job_problems(replace(self.job, preflight=preflight))]


def check_data(
    manifests: Sequence[str | Source],
    algorithm: Algorithm,
    attribute: str | None = None,
    classes: ClassTable | None = None,
    jobs: Jobs = None,
) -> DataCheck:
    """Return what the files of a job show; the first is for training. Reads every line, once.

    ``classes`` names what no line shows. Raises Refused for a file that is not there, Unfit where nothing
    can be learnt or it is not clear which label to learn, ClassConflict where two names or files disagree.
    """
    purpose = _PURPOSE_OF[algorithm.name]
    report = validate(*manifests, label_attribute=attribute, preflight=Preflight(purpose), jobs=jobs)
    codes = {rule.code for rule in of_scope("job", purpose)}
    of_lines = tuple(problem for problem in report if problem.code not in codes)
    job = report.preflight_input
    assert job is not None  # there is one, since a preflight was asked for
    wanted = settings(job)
    manifest_without_label = job.attribute is None and not (wanted and wanted.record_file)
    if wanted is None or not wanted.num_training_samples or manifest_without_label:
        raise Unfit([channel.name for channel in job.channels], [*of_lines, *job_problems(job)])
    return DataCheck(job, wanted, of_lines, classes if wanted.record_file else _class_table(job, classes))


def _class_table(job: PreflightInput, given: ClassTable | None) -> ClassTable | None:
    """Return the class table that all files agree on; the one given where labels show no classes."""
    attribute, form = job.names[-1], list_format(job)
    tables = {}
    for facts in job.files:
        types = facts.types(attribute)
        if types and not any(label_kind(name).has_classes for name in types):
            return given
        channel = next(one for one in job.channels if one.name == facts.name)
        names = dict.fromkeys(() if given is None else given.names) | channel.class_names
        tables[facts.name] = whole_table(facts.name, names, set(observed_classes(channel, form)))
    return agree(tables)


def derived(found: DataCheck, algorithm: Algorithm, given: Mapping[str, str]) -> dict[str, str]:
    """Return the hyperparameters that follow from the data; ``given`` are those that are set, or varied.

    What is no other than the algorithm's own default is left out.
    """
    values = found.settings.hyperparameters
    if found.table is not None:
        values["num_classes"] = str(max(int(values.get("num_classes", "0")), found.table.num_classes))
    if values.get("multi_label") == "0":
        del values["multi_label"]
    width = algorithm.find("label_width")
    if width is not None and int(values.get("label_width", "0")) <= int(width.default or "0"):
        values.pop("label_width", None)
    values |= {name: str(most) for name, default, most in _batches(found, algorithm) if default > most}
    return {name: value for name, value in values.items() if name not in given and value != "0"}


def check_batches(found: DataCheck, algorithm: Algorithm, values: Mapping[str, str]) -> None:
    """Raise Refused for a mini batch that a part of the data cannot fill; drop no metric without a word."""
    for name, _, most in _batches(found, algorithm):
        given = values.get(name, "")
        if not (given.isascii() and given.isdecimal()) or int(given) <= most:
            continue
        train, checked = found.samples[0], found.samples[-1]
        if most == train and train <= checked:
            why = f"more than the {train:,} lines for training, so the job would fail"
        else:
            why = f"more than the {checked:,} lines for validation, so no batch is full and no metric appears"
        raise Refused(f"{name}={given} is {why}; type -p {name}={most}")


def _batches(found: DataCheck, algorithm: Algorithm) -> Iterator[tuple[str, int, int]]:
    """Yield the hyperparameters that are batches: name, default, and the most that the data can fill."""
    train, checked = found.samples[0], found.samples[-1]
    apart = algorithm.find(_BATCHES[1]) is not None
    for name in _BATCHES:
        one = algorithm.find(name)
        if one is not None:
            most = checked if name == _BATCHES[1] else train if apart else min(train, checked)
            yield name, int(one.default or "1"), most

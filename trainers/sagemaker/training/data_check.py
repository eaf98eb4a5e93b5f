"""What the data of a job shows before anything is billed: problems, settings that follow, class names."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from manifest_tools.algorithms import Algorithm
from manifest_tools.base.errors import Refused
from manifest_tools.base.parallel import Jobs
from manifest_tools.base.problem import Problem
from manifest_tools.groundtruth.classes import ClassTable, agree
from manifest_tools.groundtruth.line_columns import read_lines
from manifest_tools.groundtruth.survey import label_attribute
from manifest_tools.io.sources import decompressed, open_source
from manifest_tools.verbs.validate.preflight.inputs import PreflightInput
from manifest_tools.verbs.validate.preflight.preflight import Preflight, Settings, settings
from manifest_tools.verbs.validate.rules import of_scope
from manifest_tools.verbs.validate.validate import validate

# What `validate --for` calls an algorithm, where it has a word of its own.
PURPOSES = {"image-classification": "builtin"}

_BATCHES = ("mini_batch_size", "validation_mini_batch_size")


class Unfit(Refused):
    """Data that a job would fail with, or learn nothing from; ``problems`` are all that was found."""

    def __init__(self, manifests: Sequence[str], problems: Sequence[Problem]) -> None:
        errors = sum(one.severity == "error" for one in problems)
        names = " and ".join(manifests)
        super().__init__(
            f"{names}: {errors:,} error{'' if errors == 1 else 's'} that the job would fail with;"
            " mend them, or type --no-preflight"
        )
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class DataCheck:
    """What was found in the train and the validation part of a job."""

    job: PreflightInput
    settings: Settings
    of_lines: tuple[Problem, ...]
    """Problems of lines and files, without those of the job as a whole."""

    table: ClassTable | None
    """The class table of all parts, None where the data has no names (.rec, .lst)."""

    @property
    def samples(self) -> tuple[int, ...]:
        """How much can be learnt from, and checked with."""
        return tuple(channel.samples for channel in self.job.channels[:2])

    def problems(self, hyperparameters: Mapping[str, str]) -> list[Problem]:
        """Return all problems of a job with these hyperparameters."""
        purpose = self.job.preflight.purpose
        told = replace(self.job, preflight=Preflight(purpose, hyperparameters))
        return [*self.of_lines, *_job_problems(told)]


def check_data(
    manifests: Sequence[str],
    algorithm: Algorithm,
    attribute: str | None = None,
    classes: ClassTable | None = None,
    jobs: Jobs = None,
) -> DataCheck:
    """Return what the files of a job show; the first is for training. Reads every line.

    ``classes`` names what no line shows. Raises Refused for a file that is not there, or where it is not
    clear which label is meant; Unfit where nothing can be learnt from.
    """
    purpose = PURPOSES.get(algorithm.name, algorithm.name)
    report = validate(
        *manifests, label_attribute_name=attribute, preflight=Preflight(purpose), together=True, jobs=jobs
    )
    ours = {rule.code for rule in of_scope("job", purpose)}
    found = tuple(problem for problem in report if problem.code not in ours)
    job = report.preflight_input
    wanted = settings(job) if job is not None else None
    if job is None or wanted is None or not wanted.num_training_samples:
        raise Unfit(manifests, [*found, *(_job_problems(job) if job is not None else ())])
    if wanted.record_file is None and job.attribute is None:
        raise Unfit(manifests, [*found, *_job_problems(job)])
    table = classes if wanted.record_file is not None else _table(manifests, job.names[-1], classes, jobs)
    return DataCheck(job, wanted, found, table)


def _job_problems(job: PreflightInput) -> Iterator[Problem]:
    for rule in of_scope("job", job.preflight.purpose):
        for found in rule.check(job):
            yield Problem(rule.code, rule.severity, found.file, found.line, found.path, found.message)


def _table(
    manifests: Sequence[str], attribute: str, classes: ClassTable | None, jobs: Jobs
) -> ClassTable | None:
    """Return the class table that all manifests agree on."""
    tables = {}
    for name in manifests:
        source = decompressed(open_source(name))
        chosen = label_attribute(source, attribute, jobs)
        if not chosen.kind.has_classes:
            return classes
        tables[name] = read_lines(source, chosen, classes or ClassTable(), jobs).table
    return agree(tables)


def derived(found: DataCheck, algorithm: Algorithm, told: Mapping[str, str]) -> dict[str, str]:
    """Return the hyperparameters that follow from the data; ``told`` are those that are set, or varied.

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
    return {name: value for name, value in values.items() if name not in told and value != "0"}


def check_batches(found: DataCheck, algorithm: Algorithm, values: Mapping[str, str]) -> None:
    """Raise Refused for a mini batch that a part of the data cannot fill; drop no metric without a word."""
    for name, _, most in _batches(found, algorithm):
        given = values.get(name, "")
        if not (given.isascii() and given.isdecimal()) or int(given) <= most:
            continue
        train, checked = found.samples[0], found.samples[-1]
        if most == train and train <= checked:
            why = f"there are {train:,} lines to train from, and the job would fail"
        else:
            why = f"the validation part has {checked:,} lines, so no batch is full and no metric would appear"
        raise Refused(f"{name}={given}: {why}; type -p {name}={most}")


def _batches(found: DataCheck, algorithm: Algorithm) -> Iterator[tuple[str, int, int]]:
    """Yield the hyperparameters that are batches: name, default, and the most that the data can fill."""
    train, checked = found.samples[0], found.samples[-1]
    apart = algorithm.find(_BATCHES[1]) is not None
    for name in _BATCHES:
        one = algorithm.find(name)
        if one is not None:
            most = checked if name == _BATCHES[1] else train if apart else min(train, checked)
            yield name, int(one.default or "1"), most

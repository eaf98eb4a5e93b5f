"""Every problem of a job's hyperparameters that can be seen without its data."""

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from manifest_tools.algorithms.relations import contradictions
from manifest_tools.algorithms.schema import Algorithm, Hyperparameter
from manifest_tools.algorithms.values import accepts, problem
from manifest_tools.base.text import shown

# HyperParameterKey and HyperParameterValue of CreateTrainingJob. The API's model allows 2,500 characters for
# a value, the reference page 256: a value between them is a warning.
MOST_ENTRIES = 100
LONGEST_KEY = 256
SURE_VALUE = 256
LONGEST_VALUE = 2500

FindingKind = Literal["unknown", "missing", "value", "algorithm", "ignored", "contradiction", "limit"]


@dataclass(frozen=True, slots=True)
class HyperparameterFinding:
    """Something wrong with a hyperparameter, or with all of them together."""

    kind: FindingKind
    """Stable: an ``unknown`` name, one that is ``missing``, a ``value`` that is not accepted, a name or value
    of another ``algorithm``, one that is ``ignored`` because of the others, a ``contradiction`` of two, a
    ``limit`` of the service."""
    severity: Literal["error", "warning"]
    name: str
    """The hyperparameter; empty for all of them together."""
    message: str


@dataclass(frozen=True, slots=True)
class JobContext:
    """What is known of the job besides its hyperparameters."""

    channels: Collection[str] = ()
    """The names of its channels."""
    mode: str | None = None
    """``Pipe`` or ``File``; None where it is not known."""
    instances: int | None = None
    """The number of machines; None where it is not known."""


UNKNOWN_JOB = JobContext()


def findings(
    values: Mapping[str, str],
    algorithm: Algorithm,
    others: Collection[Algorithm],
    job: JobContext = UNKNOWN_JOB,
) -> Iterator[HyperparameterFinding]:
    """Yield what is wrong with ``values``, which are all the hyperparameters of a job.

    ``others`` are the algorithms that a value may have been meant for. A name that begins with an underscore
    belongs to SageMaker (tuning jobs set some) and is not checked.
    """
    yield from _limits(values)
    for name, value in values.items():
        one = algorithm.find(name)
        if one is not None:
            yield from _value(one, value, others)
        elif not name.startswith("_"):
            yield _unknown(name, algorithm, others)
    yield from _missing(values, algorithm)
    yield from _ignored(values, algorithm, job)
    for name, severity, message in contradictions(values, algorithm, job.mode):
        yield HyperparameterFinding("contradiction", severity, name, message)


def _limits(values: Mapping[str, str]) -> Iterator[HyperparameterFinding]:
    if len(values) > MOST_ENTRIES:
        message = f"expected at most {MOST_ENTRIES} hyperparameters, found {len(values):,}"
        yield HyperparameterFinding("limit", "error", "", message)
    for name, value in values.items():
        if len(name) > LONGEST_KEY:
            message = f"expected a name of at most {LONGEST_KEY} characters, found {len(name):,}"
            yield HyperparameterFinding("limit", "error", name, f"{shown(name)}: {message}")
        if len(value) > SURE_VALUE:
            sure = len(value) > LONGEST_VALUE
            limit = f"at most {LONGEST_VALUE if sure else SURE_VALUE:,} characters, found {len(value):,}"
            doubt = (
                "" if sure else f" (the documentation's limit; the service's model allows {LONGEST_VALUE:,})"
            )
            message = f"{shown(name)}: expected {limit}{doubt}"
            yield HyperparameterFinding("limit", "error" if sure else "warning", name, message)


def _value(one: Hyperparameter, value: str, others: Collection[Algorithm]) -> Iterator[HyperparameterFinding]:
    message = problem(one, value)
    if message is None:
        return
    for other in others:
        twin = other.find(one.name)
        if twin is not None and _differ_in_form(one, twin) and accepts(twin, value):
            yield HyperparameterFinding(
                "algorithm", "error", one.name, f"{message}; that is the form of {other.name}"
            )
            return
    yield HyperparameterFinding("value", "error", one.name, message)


def _differ_in_form(one: Hyperparameter, twin: Hyperparameter) -> bool:
    """Return whether two of one name have different forms, and not only different limits."""
    return one.kind != twin.kind or one.choices != twin.choices


def _unknown(name: str, algorithm: Algorithm, others: Collection[Algorithm]) -> HyperparameterFinding:
    text = f"{algorithm.name} has no hyperparameter {shown(name)}"
    owners = [other.name for other in others if other is not algorithm and other.find(name)]
    if owners:
        return HyperparameterFinding(
            "algorithm", "error", name, f"{text}; it belongs to {' and '.join(owners)}"
        )
    names = [one.name for one in algorithm.hyperparameters]
    folded = name.strip().lower().replace("-", "_")
    near = difflib.get_close_matches(folded, names, 1, 0.7)
    return HyperparameterFinding(
        "unknown", "error", name, text + (f"; did you mean {near[0]}?" if near else "")
    )


def _missing(values: Mapping[str, str], algorithm: Algorithm) -> Iterator[HyperparameterFinding]:
    for one in algorithm.hyperparameters:
        if one.required and one.name not in values:
            yield HyperparameterFinding(
                "missing",
                "error",
                one.name,
                f"{algorithm.name} needs {one.name}: {one.reason[0].lower()}{one.reason[1:]}",
            )


def _ignored(
    values: Mapping[str, str], algorithm: Algorithm, job: JobContext
) -> Iterator[HyperparameterFinding]:
    for name in values:
        one = algorithm.find(name)
        why = None if one is None else _why_ignored(one, values, algorithm, job)
        if why is not None:
            yield HyperparameterFinding("ignored", "warning", name, f"{name} has no effect: {why}")


def _why_ignored(
    one: Hyperparameter, values: Mapping[str, str], algorithm: Algorithm, job: JobContext
) -> str | None:
    if one.only is not None:
        other = algorithm.find(one.only.name)
        there = values.get(one.only.name, other.default if other is not None else None)
        if not there:
            return f"it is used only with {one.only}, which is not set"
        if one.only.values and there not in one.only.values:
            how = "" if one.only.name in values else " (the default)"
            return f"it is used only with {one.only}, and {one.only.name} is {shown(there)}{how}"
    if one.name == "use_pretrained_model" and algorithm.pretrained_ignored_with_model:
        return "the first weights come from the channel model" if "model" in job.channels else None
    if one.name == "kv_store" and job.instances == 1:
        return "it is for several machines, and the job has one"
    return None

"""Why a job failed: its reason and its log, compared with the known failures."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from manifest_tools.known_failures import KnownFailure, recognise
from trainers.sagemaker.account.advice import Setting, command
from trainers.sagemaker.account.jobs import find_job
from trainers.sagemaker.client.client import Denied, pages
from trainers.sagemaker.requests import resources
from trainers.sagemaker.training.log_lines import Fault, read_line
from trainers.sagemaker.training.log_streams import last_lines

_LINES = 2_000  # of the log of each machine, from its end: a failure is what it says last
_LOGGED = ("training", "transform", "endpoint")


@dataclass(frozen=True, slots=True)
class RecognisedFailure:
    """A known failure that was recognised."""

    failure: KnownFailure
    """The row of the table of known failures."""

    where: str
    """Where it was recognised: the reason, or a line of the log."""

    command: str
    """The command line to type against it."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What is known of a job, or of a text."""

    recognised: tuple[RecognisedFailure, ...]
    """The known failures that were recognised."""

    name: str = ""
    """The name of the job; empty for a text."""

    kind: str = ""
    """Its kind, such as "training"; empty for a text."""

    state: str = ""
    """Its state; empty for a text."""

    reason: str = ""
    """The failure reason, in SageMaker's words; empty where nothing failed."""

    ending: str = ""
    """What ended a job that ran well until then, a time limit say; or empty."""

    faults: tuple[str, ...] = ()
    """The last lines of the log that speak of errors."""

    note: str = ""
    """Why the log could not be read; or empty."""

    @property
    def unexplained(self) -> bool:
        """Whether something failed, and no known failure explains it."""
        return not self.recognised and not self.ending and (not self.name or self.state == "Failed")


# By the state that a job ended in, of those that are no failure.
_ENDINGS = {
    "MaxRuntimeExceeded": "it ran as long as it was allowed to, and what it had by then is kept; type the"
    " same command with a longer --max-run",
    "MaxWaitTimeExceeded": "spot machines did not come, or not for long enough; type the same command"
    " with a longer --max-wait, or without --spot",
    "Stopped": "somebody stopped it",
    "Interrupted": "its spot machines were taken away; it goes on when others come",
}


def examine(name: str) -> Examination:
    """Return why a job or an endpoint failed; raises NotThere, and what ``client.send`` raises."""
    job, description = find_job(name)
    state = description.get("SecondaryStatus", job.state)
    reason = _reason(job.kind, name, description)
    lines: list[str] = []
    note = ""
    if job.kind in _LOGGED:
        try:
            lines = [line.text for line in last_lines(job.kind, name, _LINES)]
        except Denied as error:
            note = f"the log could not be read: {error}"
    failed = job.state == "Failed"
    setting = _setting(name, description)
    return Examination(
        recognise_all({"its reason": reason, "its log": "\n".join(lines)}, setting) if failed else (),
        name,
        job.kind,
        job.state,
        reason,
        "" if failed else _ENDINGS.get(state, _ENDINGS.get(job.state, "")),
        tuple(_faults(lines)) if failed else (),
        note,
    )


def examine_text(text: str) -> Examination:
    """Return the known failures that a message or a log shows."""
    return Examination(recognise_all({"the text": text}, Setting()), faults=tuple(_faults(text.splitlines())))


def recognise_all(texts: Mapping[str, str], setting: Setting) -> tuple[RecognisedFailure, ...]:
    """Return the known failures that the texts show, each once. A text is named by where it is from.

    >>> found = recognise_all({"the text": "Empty .rec file in train channel"}, Setting())
    >>> [(one.failure.row, one.command) for one in found]
    [(28, 'mtool convert train.manifest --to recordio -o train --allow-loss')]
    """
    found: dict[int, RecognisedFailure] = {}
    for where, text in texts.items():
        for failure in recognise(text):
            found.setdefault(failure.row, RecognisedFailure(failure, where, command(failure, setting)))
    return tuple(found.values())


def _reason(kind: str, name: str, description: Mapping[str, Any]) -> str:
    """Return the failure reason; for a tuning job with that of a failed trial, which says more."""
    reason = str(description.get("FailureReason", ""))
    if kind != "tuning":
        return reason
    for page in pages(resources.trials(name)):
        for trial in page["TrainingJobSummaries"]:
            if trial["TrainingJobStatus"] == "Failed":
                why = trial.get("FailureReason", "no reason was given")
                return f"{reason} ({trial['TrainingJobName']}: {why})".strip()
    return reason


def _faults(lines: Iterable[str], most: int = 5) -> list[str]:
    """Return the last lines that speak of an error, each once."""
    found = [event.text for line in lines for event in read_line(line) if isinstance(event, Fault)]
    return list(dict.fromkeys(found))[-most:]


_PURPOSES = {"object-detection": "object-detection", "semantic-segmentation": "semantic-segmentation"}


def _setting(name: str, description: Mapping[str, Any]) -> Setting:
    """Return what the job's description tells for a command line."""
    image = description.get("AlgorithmSpecification", {}).get("TrainingImage", "")
    algorithm = image.rpartition("/")[2].partition(":")[0]
    sources = (
        channel.get("DataSource", {}).get("S3DataSource", {})
        for channel in description.get("InputDataConfig") or ()
        if channel.get("ChannelName") in ("train", "validation")
    )
    manifests = tuple(one["S3Uri"] for one in sources if one.get("S3DataType") == "AugmentedManifestFile")
    hyperparameters = {
        key: value for key, value in description.get("HyperParameters", {}).items() if not key.startswith("_")
    }
    usual = Setting()
    return Setting(
        name,
        manifests or usual.manifests,
        _PURPOSES.get(algorithm, usual.purpose),
        hyperparameters,
        description.get("RoleArn", ""),
        description.get("OutputDataConfig", {}).get("S3OutputPath", ""),
    )

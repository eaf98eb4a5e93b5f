"""The lines of a job's log in CloudWatch: all of them, the last ones, or the new ones each time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from manifest_tools.base.errors import Refused
from trainers.sagemaker.client.client import NotThere, call_service, pages
from trainers.sagemaker.requests.requests import Request

# The log group of a kind; an endpoint has one of its own. A stream begins with the job's name.
_GROUPS = {
    "training": "/aws/sagemaker/TrainingJobs",
    "transform": "/aws/sagemaker/TransformJobs",
    "endpoint": "/aws/sagemaker/Endpoints/{name}",
}


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a log."""

    text: str
    """The line, without its end."""

    when: datetime
    """When it was written."""

    stream: str
    """The stream that it is from; each machine of a job has one."""


def group(kind: str, name: str) -> str:
    """Return the log group; raises Refused for a kind that writes no log.

    >>> group("endpoint", "birds")
    '/aws/sagemaker/Endpoints/birds'
    """
    if kind not in _GROUPS:
        raise Refused(f"{name}: a {kind} job writes no log of its own; its training jobs do: mtool jobs show")
    return _GROUPS[kind].format(name=name)


def streams(kind: str, name: str) -> list[str]:
    """Return the streams that there are by now; none before the machines have started."""
    body = {"logGroupName": group(kind, name)}
    if kind != "endpoint":
        body["logStreamNamePrefix"] = f"{name}/"
    request = Request("describe_log_streams", body)
    try:
        return [one["logStreamName"] for page in pages(request, "logs") for one in page["logStreams"]]
    except NotThere:
        return []


class Tail:
    """A log that grows: each call of ``new_lines`` returns what came since, of all machines, by time."""

    def __init__(self, kind: str, name: str) -> None:
        self.kind, self.name = kind, name
        self._tokens: dict[str, str] = {}

    def new_lines(self) -> list[LogLine]:
        """Return the lines that came since the last call; after an error nothing is lost."""
        found: list[LogLine] = []
        tokens = dict(self._tokens)
        for stream in streams(self.kind, self.name):
            found += _events(self.kind, self.name, stream, tokens)
        self._tokens = tokens
        return sorted(found, key=lambda line: line.when)


def _events(kind: str, name: str, stream: str, tokens: dict[str, str]) -> Iterator[LogLine]:
    """Yield what a stream has after its token, and store the token for the next time."""
    body: dict[str, Any] = {"logGroupName": group(kind, name), "logStreamName": stream}
    while True:
        token = tokens.get(stream)
        more = {"nextToken": token} if token else {"startFromHead": True}
        answer = call_service("logs", "get_log_events", body | more)
        yield from (_line(event, stream) for event in answer["events"])
        tokens[stream] = answer["nextForwardToken"]
        if tokens[stream] == token:  # CloudWatch's way to say that this is all
            return


def all_lines(kind: str, name: str) -> Iterator[LogLine]:
    """Yield the whole log as it is now, page by page, one machine after the other."""
    for stream in streams(kind, name):
        yield from _events(kind, name, stream, {})


def last_lines(kind: str, name: str, most: int) -> list[LogLine]:
    """Return the last lines, at most so many of each machine, by time."""
    found: list[LogLine] = []
    for stream in streams(kind, name):
        found += _last_of(kind, name, stream, most)
    return sorted(found, key=lambda line: line.when)


def _last_of(kind: str, name: str, stream: str, most: int) -> list[LogLine]:
    body: dict[str, Any] = {"logGroupName": group(kind, name), "logStreamName": stream}
    lines: list[LogLine] = []
    token = ""
    while len(lines) < most:
        more = {"nextToken": token} if token else {"startFromHead": False}
        size = {"limit": min(most - len(lines), 10_000)}
        answer = call_service("logs", "get_log_events", body | more | size)
        lines = [_line(event, stream) for event in answer["events"]] + lines
        if answer["nextBackwardToken"] == token:
            break
        token = answer["nextBackwardToken"]
    return lines


def _line(event: dict[str, Any], stream: str) -> LogLine:
    when = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
    return LogLine(event["message"].rstrip("\r\n"), when, stream)

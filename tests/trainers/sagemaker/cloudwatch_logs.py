"""The three calls of CloudWatch Logs that read, with its tokens: the forward one repeats at the end."""

from typing import Any

from tests.trainers.sagemaker.resources import Fault

Body = dict[str, Any]

START = 1_700_000_000_000  # milliseconds; each line comes a second after the one before


class Logs:
    """Log groups, their streams, and the lines in each; ``page`` is how many lines an answer has at most."""

    def __init__(self) -> None:
        self.groups: dict[str, dict[str, list[Body]]] = {}
        self.page = 100
        self._lines = 0

    def write(self, group: str, stream: str, message: str) -> None:
        events = self.groups.setdefault(group, {}).setdefault(stream, [])
        moment = START + 1000 * self._lines
        self._lines += 1
        events.append({"timestamp": moment, "message": message, "ingestionTime": moment})

    def receive(self, operation: str, body: Body) -> Body:
        streams = self.groups.get(body["logGroupName"])
        if streams is None:
            raise Fault("ResourceNotFoundException", "The specified log group does not exist.")
        if operation == "DescribeLogStreams":
            return self._describe(streams, body)
        if operation == "GetLogEvents":
            return self._get(streams, body)
        if operation == "FilterLogEvents":
            return self._filter(streams, body)
        raise Fault("UnknownOperationException", f"the stand-in has no {operation}")

    def _describe(self, streams: dict[str, list[Body]], body: Body) -> Body:
        names = sorted(name for name in streams if name.startswith(body.get("logStreamNamePrefix", "")))
        first, size = int(body.get("nextToken", "0")), body.get("limit", 50)
        more = {"nextToken": str(first + size)} if first + size < len(names) else {}
        return {"logStreams": [{"logStreamName": name} for name in names[first : first + size]], **more}

    def _get(self, streams: dict[str, list[Body]], body: Body) -> Body:
        if body["logStreamName"] not in streams:
            raise Fault("ResourceNotFoundException", "The specified log stream does not exist.")
        events = streams[body["logStreamName"]]
        size = min(body.get("limit", self.page), self.page)
        way, _, at = body.get("nextToken", "").partition("/")
        if way == "f" or (not way and body.get("startFromHead")):
            first = int(at or 0)
        else:
            first = max(0, (int(at) if at else len(events)) - size)
        last = int(at) if way == "b" else min(first + size, len(events))
        tokens = {"nextForwardToken": f"f/{last}", "nextBackwardToken": f"b/{first}"}
        return {"events": events[first:last], **tokens}

    def _filter(self, streams: dict[str, list[Body]], body: Body) -> Body:
        wanted = body.get("logStreamNames")
        prefix = body.get("logStreamNamePrefix", "")
        found = [
            {**event, "logStreamName": name}
            for name, events in streams.items()
            if name.startswith(prefix) and (wanted is None or name in wanted)
            for event in events
            if _in_time(event, body) and _says(event["message"], body.get("filterPattern", ""))
        ]
        found.sort(key=lambda event: event["timestamp"])
        first, size = int(body.get("nextToken", "0")), min(body.get("limit", self.page), self.page)
        more = {"nextToken": str(first + size)} if first + size < len(found) else {}
        return {"events": found[first : first + size], "searchedLogStreams": [], **more}


def _in_time(event: Body, body: Body) -> bool:
    return bool(body.get("startTime", 0) <= event["timestamp"] < body.get("endTime", float("inf")))


def _says(message: str, pattern: str) -> bool:
    """Go by the patterns that are words: all of them, or with ``?`` before each any of them."""
    terms = pattern.split()
    if terms and all(term.startswith("?") for term in terms):
        return any(term[1:].strip('"') in message for term in terms)
    return pattern.strip('"') in message

"""A SageMaker of our own on this machine: its API over HTTP, and jobs that go by a script.

    sagemaker.script(Step("InProgress", "Training", log=["Epoch[0] Train-accuracy=0.5"]), Step("Completed"))
    ...                                                   # what is tested makes the job, follows it
    sagemaker.sent("CreateTrainingJob")[0]["RoleArn"]     # what it asked for

A job takes the next step of its script each time that it is described, and stays at the last one. What is
asked is held against botocore's model of the service; what breaks it is answered with a ValidationException,
and is in ``invalid``, where the fixture looks at the end of a test. Names, texts and codes of refusals are
the service's own, as far as they are known. moto has S3, STS and CloudWatch's metrics.
"""

import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import unquote

from botocore import xform_name
from botocore.validate import ParamValidator, ValidationErrors

from tests.trainers.sagemaker import cloudwatch_logs
from tests.trainers.sagemaker.resources import RESOURCES, Fault, Resource, Step, Thing, not_found
from tests.trainers.sagemaker.service_model import problems
from tests.trainers.sagemaker.service_model import service as service_model

ACCOUNT = "111122223333"
LARGEST_PAYLOAD = 6 * 1024 * 1024

Body = dict[str, Any]
Responder = Callable[[str, str, bytes], bytes]

# X-Amz-Target begins with the first; botocore has its model under the second.
_TARGETS = {"SageMaker": "sagemaker", "Logs_20140328": "logs"}

_SCRIPTS: dict[str, tuple[Step, ...]] = {
    "TrainingJob": (
        Step("InProgress", "Starting"),
        Step("InProgress", "Downloading"),
        Step("InProgress", "Training"),
        Step("InProgress", "Uploading"),
        Step("Completed", "Completed"),
    ),
    "HyperParameterTuningJob": (Step("InProgress"), Step("Completed")),
    "TransformJob": (Step("InProgress"), Step("Completed")),
    "Endpoint": (Step("Creating"), Step("InService")),
}


class Request(NamedTuple):
    """One request that came in."""

    operation: str
    body: Body


class SageMaker:
    """The stand-in; ``url`` is where it listens, from ``start`` to ``stop``."""

    def __init__(self, region: str = "us-east-1") -> None:
        self.region = region
        self.requests: list[Request] = []
        self.invalid: list[str] = []
        self.things: dict[str, dict[str, Thing]] = {kind: {} for kind in RESOURCES}
        self.logs = cloudwatch_logs.Logs()
        self.responder: Responder = lambda name, content_type, body: b"[0.25, 0.75]"
        self._scripts: dict[tuple[str, str], tuple[Step, ...]] = {}
        self._answers: dict[str, deque[Fault | Body]] = defaultdict(deque)
        self._lock = threading.RLock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def jobs(self) -> dict[str, Thing]:
        """The training jobs by name; the other kinds are in ``things``."""
        return self.things["TrainingJob"]

    @property
    def endpoints(self) -> dict[str, Thing]:
        return self.things["Endpoint"]

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def script(self, *steps: Step, name: str = "*", kind: str = "TrainingJob") -> None:
        """Say what the job called ``name``, or every new one of the kind, goes through from here."""
        with self._lock:
            self._scripts[kind, name] = steps
            if name in self.things[kind]:
                self._enter(self.things[kind][name], steps)

    def answer(self, operation: str, *answers: Fault | Body) -> None:
        """Give these answers to the next requests of an operation, one each, in place of its own."""
        with self._lock:
            self._answers[operation].extend(answers)

    def put(
        self, kind: str, name: str, *steps: Step, created: float | None = None, body: Body | None = None
    ) -> Thing:
        """Have a job, model or endpoint there that nobody asked for in this test."""
        resource = RESOURCES[kind]
        with self._lock:
            request = {resource.name: name, **resource.body, **(body or {})}
            return self._make(resource, request, steps, time.time() if created is None else created)

    def sent(self, operation: str) -> list[Body]:
        """Return the bodies of the requests of one operation, in order."""
        return [body for asked, body in self.requests if asked == operation]

    def receive(self, service: str, operation: str, body: Body) -> Body:
        """Answer one request; raises Fault where the service would refuse."""
        with self._lock:
            self.requests.append(Request(operation, body))
            if wrong := _problems(service, operation, body):
                self.invalid.append(f"{operation}: {'; '.join(wrong)}")
                raise Fault("ValidationException", f"{len(wrong)} validation error detected: {wrong[0]}")
            if self._answers[operation]:
                given = self._answers[operation].popleft()
                if isinstance(given, Fault):
                    raise given
                return given
            return self._own(service, operation, body)

    def _own(self, service: str, operation: str, body: Body) -> Body:
        if service == "logs":
            return self.logs.receive(operation, body)
        if operation == "InvokeEndpoint":
            return self._invoke(body)
        for verb in ("Create", "Describe", "Stop", "Delete", "Update", "List"):
            kind = operation.removeprefix(verb)
            if operation.startswith(verb) and (resource := RESOURCES.get(kind) or _listed(kind)):
                return {**getattr(self, f"_{verb.lower()}")(resource, body)}
        if operation in ("AddTags", "ListTags"):
            return self._tags(operation, body)
        if operation == "ListTrainingJobsForHyperParameterTuningJob":
            return self._trials(body)
        raise Fault("UnknownOperationException", f"the stand-in has no {operation}")

    def _create(self, resource: Resource, body: Body) -> Body:
        name = body[resource.name]
        if name in self.things[resource.kind]:
            raise Fault(*resource.twice(self._arn(resource, name)))
        for other, field in resource.needs:
            for needed in field(body):
                self._thing(RESOURCES[other], needed)
        self._make(resource, body, (), time.time())
        return {f"{resource.kind}Arn": self._arn(resource, name)}

    def _make(self, resource: Resource, body: Body, steps: Sequence[Step], created: float) -> Thing:
        name, kind = body[resource.name], resource.kind
        thing = Thing(resource, name, body, self._arn(resource, name), created)
        self.things[kind][name] = thing
        scripted = self._scripts.get((kind, name)) or self._scripts.get((kind, "*"))
        self._enter(thing, tuple(steps) or scripted or _SCRIPTS.get(kind, (Step(""),)))
        return thing

    def _enter(self, thing: Thing, steps: Sequence[Step]) -> None:
        thing.steps = deque(steps)
        self._next(thing)

    def _next(self, thing: Thing) -> None:
        step = thing.take()
        for line in step.log:
            self.logs.write(*thing.stream, line)
        if step.does is not None:
            step.does(thing)

    def _describe(self, resource: Resource, body: Body) -> Body:
        thing = self._thing(resource, body[resource.name])
        description = thing.described()
        if resource.kind == "Endpoint":
            config = self.things["EndpointConfig"].get(thing.body["EndpointConfigName"])
            description["ProductionVariants"] = [
                {
                    "VariantName": variant["VariantName"],
                    "CurrentInstanceCount": variant.get("InitialInstanceCount", 0),
                }
                for variant in (config.body["ProductionVariants"] if config else ())
            ]
        if thing.steps:
            self._next(thing)
        return description

    def _stop(self, resource: Resource, body: Body) -> Body:
        thing = self._thing(resource, body[resource.name])
        if thing.ended:
            state = thing.step.status
            raise Fault(
                "ValidationException",
                f"The request was rejected because the {resource.words} is in status {state}.",
            )
        self._enter(thing, (Step("Stopping", "Stopping"), Step("Stopped", "Stopped")))
        return {}

    def _delete(self, resource: Resource, body: Body) -> Body:
        self._thing(resource, body[resource.name])
        del self.things[resource.kind][body[resource.name]]
        return {}

    def _update(self, resource: Resource, body: Body) -> Body:
        thing = self._thing(resource, body[resource.name])
        thing.body = {**thing.body, **body}
        self._enter(thing, (Step("Updating"), Step("InService")))
        return {f"{resource.kind}Arn": thing.arn}

    def _list(self, resource: Resource, body: Body) -> Body:
        found = [thing for thing in self.things[resource.kind].values() if thing.matches(body)]
        ascending = body.get("SortOrder", "Descending") == "Ascending"
        found.sort(key=lambda thing: (thing.created, thing.name), reverse=not ascending)
        return _page(resource.summaries, [thing.summary() for thing in found], body)

    def _trials(self, body: Body) -> Body:
        tuning = self._thing(RESOURCES["HyperParameterTuningJob"], body["HyperParameterTuningJobName"])
        wanted = body.get("StatusEquals")
        trials = [one for one in tuning.trials if wanted in (None, one["TrainingJobStatus"])]
        return _page("TrainingJobSummaries", trials, body)

    def _tags(self, operation: str, body: Body) -> Body:
        things = [one for kind in self.things.values() for one in kind.values()]
        thing = next((one for one in things if one.arn == body["ResourceArn"]), None)
        if thing is None:
            raise not_found(f"Could not find {body['ResourceArn']}.")
        if operation == "AddTags":
            thing.body["Tags"] = [*thing.body.get("Tags", ()), *body["Tags"]]
        return {"Tags": thing.body.get("Tags", [])}

    def _invoke(self, body: Body) -> Body:
        name, payload = body["EndpointName"], body["Body"]
        if name not in self.endpoints:
            raise Fault("ValidationError", f"Endpoint {name} of account {ACCOUNT} not found.")
        if len(payload) > LARGEST_PAYLOAD:
            raise Fault("", f"HTTP content length exceeded {LARGEST_PAYLOAD} bytes.", 413)
        return {"Body": self.responder(name, body.get("ContentType", ""), payload)}

    def _thing(self, resource: Resource, name: str) -> Thing:
        if name not in self.things[resource.kind]:
            raise resource.unknown(name, self._arn(resource, name))
        return self.things[resource.kind][name]

    def _arn(self, resource: Resource, name: str) -> str:
        return f"arn:aws:sagemaker:{self.region}:{ACCOUNT}:{resource.arn}/{name.lower()}"


def _problems(service: str, operation: str, body: Body) -> list[str]:
    """Return what botocore's model says against a request."""
    if service == "sagemaker":
        return problems(xform_name(operation), body)
    shape = service_model(service).operation_model(operation).input_shape
    report = ParamValidator().validate(body, shape) if shape else ValidationErrors()
    return [report.generate_report()] if report.has_errors() else []


def _listed(plural: str) -> Resource | None:
    return next((one for one in RESOURCES.values() if plural == f"{one.kind}s"), None)


def _page(key: str, rows: list[Body], body: Body) -> Body:
    """Return one page of a list, ten rows where nothing else is asked for, as the service does."""
    first, size = int(body.get("NextToken", "0")), body.get("MaxResults", 10)
    more = {"NextToken": str(first + size)} if first + size < len(rows) else {}
    return {key: rows[first : first + size], **more}


def _handler(sagemaker: SageMaker) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or the body waits 40 ms for the acknowledgement of the headers

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                self._answer(200, "application/json", self._ask(data))
            except Fault as fault:
                self._refuse(fault)

        def _ask(self, data: bytes) -> bytes:
            target = self.headers.get("X-Amz-Target")
            if target is None:
                return self._invoke(data)
            prefix, _, operation = target.partition(".")
            body = sagemaker.receive(_TARGETS[prefix], operation, json.loads(data or b"{}"))
            return json.dumps(body).encode()

        def _invoke(self, data: bytes) -> bytes:
            body: Body = {"EndpointName": unquote(self.path.split("/")[2]), "Body": data}
            for header, field in (("Content-Type", "ContentType"), ("Accept", "Accept")):
                if header in self.headers:
                    body[field] = self.headers[header]
            answer: bytes = sagemaker.receive("sagemaker-runtime", "InvokeEndpoint", body)["Body"]
            return answer

        def _refuse(self, fault: Fault) -> None:
            body = {"__type": fault.code, "message": fault.message, "Message": fault.message, **fault.more}
            self._answer(fault.status, "application/x-amz-json-1.1", json.dumps(body).encode(), fault.code)

        def _answer(self, status: int, content_type: str, body: bytes, error: str = "") -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            if error:
                self.send_header("x-amzn-ErrorType", error)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: a test's output is its own."""

    return Handler

"""An API Gateway of our own on this machine: what making, finding and deleting a REST API needs, and no more.

What is asked is held against botocore's model; what breaks it is in ``invalid``, where the fixture looks.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.validate import ParamValidator

from tests.trainers.sagemaker.resources import Fault
from tests.trainers.sagemaker.service_model import service

Body = dict[str, Any]


class ApiGateway:
    """The stand-in; ``apis`` has what is there by ID, ``faults`` what an operation's next request gets."""

    def __init__(self) -> None:
        self.apis: dict[str, Body] = {}
        self.requests: list[tuple[str, Body]] = []
        self.faults: dict[str, Fault] = {}
        self.invalid: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def sent(self, operation: str) -> list[Body]:
        return [body for asked, body in self.requests if asked == operation]

    def receive(self, operation: str, body: Body) -> Body:
        """Answer one request; raises Fault where the service would refuse."""
        self.requests.append((operation, body))
        shape = service("apigateway").operation_model(operation).input_shape
        assert shape is not None
        report = ParamValidator().validate(body, shape)
        if report.has_errors():
            self.invalid.append(f"{operation}: {report.generate_report()}")
            raise Fault("BadRequestException", "Invalid request")
        if operation in self.faults:
            raise self.faults.pop(operation)
        answer: Body = getattr(self, f"_{operation}")(body)
        return answer

    def _ImportRestApi(self, body: Body) -> Body:
        document = json.loads(body["body"])
        key = f"api{len(self.requests)}"
        self.apis[key] = {
            "id": key,
            "name": document["info"]["title"],
            "description": document["info"]["description"],
            "document": document,
            "stages": [],
        }
        return {"id": key, "name": document["info"]["title"]}

    def _CreateDeployment(self, body: Body) -> Body:
        self._api(body)["stages"].append(body["stageName"])
        return {"id": "deployment"}

    def _GetRestApis(self, body: Body) -> Body:
        first = int(body.get("position", "0"))
        rows = list(self.apis.values())
        shown = [{key: one[key] for key in ("id", "name", "description")} for one in rows[first : first + 2]]
        more = {"position": str(first + 2)} if first + 2 < len(rows) else {}
        return {"item": shown, **more}

    def _DeleteRestApi(self, body: Body) -> Body:
        del self.apis[self._api(body)["id"]]
        return {}

    def _api(self, body: Body) -> Body:
        if body["restApiId"] not in self.apis:
            raise Fault("NotFoundException", "Invalid API identifier specified", 404)
        return self.apis[body["restApiId"]]


def _handler(gateway: ApiGateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or the body waits 40 ms for the acknowledgement of the headers

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path.endswith("/deployments"):
                self._answer("CreateDeployment", {"restApiId": self._id(), **json.loads(data)}, 201)
            else:
                query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
                query.pop("mode")
                warned = query.pop("failonwarnings") == "true"
                asked = {"body": data, "failOnWarnings": warned, "parameters": query}
                self._answer("ImportRestApi", asked, 201)

        def do_GET(self) -> None:
            query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
            self._answer("GetRestApis", dict(query), 200)

        def do_DELETE(self) -> None:
            self._answer("DeleteRestApi", {"restApiId": self._id()}, 202)

        def _id(self) -> str:
            return urlsplit(self.path).path.split("/")[2]

        def _answer(self, operation: str, asked: Body, status: int) -> None:
            try:
                self._send(status, json.dumps(gateway.receive(operation, asked)).encode())
            except Fault as fault:
                self._send(fault.status, json.dumps({"message": fault.message}).encode(), fault.code)

        def _send(self, status: int, body: bytes, error: str = "") -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if error:
                self.send_header("x-amzn-ErrorType", error)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: a test's output is its own."""

    return Handler


@pytest.fixture
def api_gateway(account_guard: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiGateway]:
    """Return an API Gateway with nothing in it, and fail a test that asked it what it would not take."""
    server = ApiGateway()
    server.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_API_GATEWAY", server.url)
    yield server
    server.stop()
    assert server.invalid == []

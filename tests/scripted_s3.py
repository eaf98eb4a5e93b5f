"""An S3 that answers as it was told: moto cannot be made to refuse in all the ways in which S3 does."""

import os
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""


@dataclass
class Answers:
    """What the next server says to each request, and what it was asked: "PUT /bucket/key?..."."""

    by_method: dict[str, list[Answer]]
    asked: list[str] = field(default_factory=list)
    signed: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)

    def next(self, method: str, path: str) -> Answer:
        self.asked.append(f"{method} {path}")
        answers = self.by_method[method]
        return answers.pop(0) if len(answers) > 1 else answers[0]


class Speaker(BaseHTTPRequestHandler):
    """Answers as told."""

    protocol_version = "HTTP/1.1"  # the first to know "Expect: 100-continue", which boto3 sends
    disable_nagle_algorithm = True  # or the body waits 40 ms for the acknowledgement of the headers
    answers: Answers

    def do_GET(self) -> None:
        self.read_what_was_sent()
        self.answers.signed.append(self.headers.get("Authorization", ""))
        self.answers.headers.append(dict(self.headers.items()))
        self.answers.ports.append(self.client_address[1])
        status, headers, body = self.answers.next(self.command, self.path)
        self.close_connection = "Content-Length" in headers  # so that a body can break off
        self.send_response(status)
        usual = {"Content-Length": str(len(body))}
        if self.close_connection:
            usual["Connection"] = "close"  # or the next request may go into what is being closed
        for name, value in {**usual, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)
        if headers.get("Connection") == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())

    def read_what_was_sent(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Transfer-Encoding") == "chunked":
            while length := int(self.rfile.readline(), 16):
                self.rfile.read(length + len("\r\n"))
            self.rfile.readline()

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        # boto3 hangs up on the other parts of an upload once one has failed.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def speak(answers: Answers) -> None:
    """Let the server say this from now on."""
    Speaker.answers = answers


@contextmanager
def a_server() -> Iterator[str]:
    """Yield the address of a server, which says what `speak` was given."""
    with Server(("127.0.0.1", 0), Speaker) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def refusing(status: int, code: str, more: str = "") -> Answer:
    body = f"<Error><Code>{code}</Code><Message>S3's words.</Message>{more}</Error>"
    return status, {"Content-Type": "application/xml"}, body.encode()

"""A real server of ``look --serve`` for a test, and requests to it."""

import contextlib
import http.client
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from manifest_tools.verbs.look.look import read
from manifest_tools.verbs.look.serve.serve import Server, server


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


@dataclass(slots=True)
class Served:
    """A server that runs, and somebody who has its token."""

    server: Server
    port: int
    token: str
    marks: Path
    cookie: str = ""

    def ask(self, method: str, path: str, body: Any = None, **headers: str | None) -> Answer:
        """Return the answer to a request; a header that is None is left out, ``_`` stands for ``-``."""
        usual: dict[str, str | None] = {"Host": f"127.0.0.1:{self.port}", "Cookie": self.cookie}
        if method == "POST":
            usual |= {"Origin": f"http://127.0.0.1:{self.port}", "Content-Type": "application/json"}
        given = usual | {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in given.items():
                if value is not None:
                    connection.putheader(name, value)
            if data is not None:
                connection.putheader("Content-Length", str(len(data)))
            connection.endheaders(data)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())

    def lines(self, query: str = "") -> Any:
        """Return what the API says of lines."""
        return self.ask("GET", f"/api/lines?{query}").json

    def mark(self, line: int, mark: str, part: int = 0, attribute: str = "part", **more: Any) -> Answer:
        """Return the answer to a mark; ``class_`` is its class."""
        more = {name.removesuffix("_"): value for name, value in more.items()}
        value = {"part": part, "line": line, "attribute": attribute, "mark": mark, **more}
        return self.ask("POST", "/api/marks", value)


@contextlib.contextmanager
def serving(*manifests: str, images: str, marks: Path, **options: Any) -> Iterator[Served]:
    """Yield a server of manifests that runs, with a cookie for it."""
    looked = read(manifests, images=[images], jobs=1, **options)
    made = server(looked, str(marks), reasons={})
    thread = threading.Thread(target=made.run)
    thread.start()
    address = urlsplit(made.address)
    assert address.port is not None
    found = Served(made, address.port, address.query.removeprefix("token="), marks)
    try:
        found.cookie = found.ask("GET", f"/?token={found.token}").headers["set-cookie"].partition(";")[0]
        yield found
    finally:
        made.stop()
        thread.join()

"""Serves the page of ``look`` on this machine, to whoever has its token, until Ctrl-C."""

import contextlib
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifest_tools.base.errors import NotInstalled, Refused
from manifest_tools.verbs.look.look import Looked
from manifest_tools.verbs.look.report import served_page
from manifest_tools.verbs.look.serve.mark_book import MarkBook


@dataclass(slots=True)
class Server:
    """A server that has its port, and has not begun."""

    address: str
    """Where the page is, with the token: whoever has it may see and mark."""

    book: MarkBook
    _socket: socket.socket
    _uvicorn: Any

    def run(self) -> None:
        """Answer requests until Ctrl-C, or until ``stop`` is called from another thread."""
        with contextlib.suppress(KeyboardInterrupt), self._socket:
            self._uvicorn.run(sockets=[self._socket])

    def stop(self) -> None:
        """Let ``run`` return."""
        self._uvicorn.should_exit = True


def server(looked: Looked, marks: str, *, port: int = 0, reasons: dict[str, str]) -> Server:
    """Return a server for manifests that were read, which appends to the file ``marks``.

    ``reasons`` say what each code of a problem means. Raises NotInstalled without the extra ``serve``,
    Refused for a port that is taken, BadData for a file that has no marks.
    """
    try:
        import starlette  # noqa: F401
        import uvicorn
    except ImportError as error:
        raise NotInstalled("starlette and uvicorn", "serve", "look --serve") from error
    from manifest_tools.verbs.look.serve.application import API, MARKS, Application
    from manifest_tools.verbs.look.serve.guard import Guard
    from manifest_tools.verbs.look.serve.matching import Matching
    from manifest_tools.verbs.look.serve.picture_store import PictureStore

    book = MarkBook(marks, looked)
    book.marks()
    page = served_page(looked, API, MARKS, reasons)
    application = Application(looked, page, book, Matching(looked), PictureStore(looked)).asgi()
    listening = _listen(port)
    port = listening.getsockname()[1]
    token = secrets.token_urlsafe(24)
    config = uvicorn.Config(
        Guard(application, token, port),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
    )
    return Server(f"http://127.0.0.1:{port}/?token={token}", book, listening, uvicorn.Server(config))


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen()  # a browser may come before the server runs, and waits
    except OSError as error:
        listening.close()
        raise Refused(f"--port {port}: {(error.strerror or str(error)).lower()}; type another one") from error
    return listening


def marks_beside(manifests: list[str]) -> str:
    """Return the usual file of marks: beside a manifest that is here, of its name; else in this folder.

    >>> marks_beside(["data/train.manifest"]), marks_beside(["s3://b/x.manifest.gz"])
    ('data/train.marks.jsonl', 'x.marks.jsonl')
    """
    if len(manifests) != 1:
        return "marks.jsonl"
    path = Path(manifests[0].removeprefix("s3://"))
    name = path.name.removesuffix(".gz").removesuffix(".manifest")
    here = path.parent if not manifests[0].startswith("s3://") else Path()
    return str(here / f"{'standard-input' if name == '-' else name}.marks.jsonl")

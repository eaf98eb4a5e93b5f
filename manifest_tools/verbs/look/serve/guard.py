"""What every request must show before it is heard, and the headers that every answer has.

The address that is printed has a token; it becomes a cookie that no script can read and no other site sends.
A name that leads to this machine (DNS rebinding), a form of another site, and other methods are turned away.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""An answer may have others of the same names in their place."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Lets the requests through that have the token."""

    app: ASGIApp
    token: str
    port: int

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names under which this server may be asked."""
        return f"127.0.0.1:{self.port}", f"localhost:{self.port}"

    @property
    def cookie(self) -> str:
        """The name of the cookie; browsers do not tell the ports of a machine apart."""
        return f"mtool-look-{self.port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let the application do so."""
        if scope["type"] != "http":
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                more = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message["headers"], *(one for one in more if one[0] not in given)]
            await send(message)

        answer = self._refusal(Request(scope)) or self.app
        await answer(scope, receive, send_with_headers)

    def _refusal(self, request: Request) -> Response | None:
        host = request.headers.get("host", "")
        if host not in self.hosts:
            return _say(421, "this server answers on this machine alone")
        if request.method not in ("GET", "POST"):
            return _say(405, "this server knows GET and POST alone")
        if request.method == "GET" and request.url.path == "/" and "token" in request.query_params:
            return self._admission(request)
        if not self._is_right(request.cookies.get(self.cookie, "")):
            return _say(403, "open the address that mtool has printed, with its token")
        if request.method == "POST":
            if request.headers.get("origin") != f"http://{host}":
                return _say(403, "another site has no say here")
            if request.headers.get("content-type", "").partition(";")[0] != "application/json":
                return _say(415, "expected JSON")
        return None

    def _admission(self, request: Request) -> Response:
        if not self._is_right(request.query_params["token"]):
            return _say(403, "that is not the token of this server; open the address that mtool has printed")
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self.cookie, self.token, httponly=True, samesite="strict", path="/")
        return answer

    def _is_right(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self.token.encode())


def _say(status: int, text: str) -> Response:
    return PlainTextResponse(f"{text}\n", status)

"""The page of ``look`` and what it asks for, as an ASGI application; ``guard`` stands before it."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from manifest_tools.base.errors import MtoolError
from manifest_tools.groundtruth.label_kinds import LabelKind, label_kind
from manifest_tools.groundtruth.marks import classes_on
from manifest_tools.images.unusable import MISSING, Unusable
from manifest_tools.pages.gallery import card_to_json
from manifest_tools.pages.render import policy
from manifest_tools.verbs.look.choose import Place
from manifest_tools.verbs.look.look import Looked
from manifest_tools.verbs.look.serve.mark_book import MarkBook, mark_to_json
from manifest_tools.verbs.look.serve.matching import MOST, Matching, wanted
from manifest_tools.verbs.look.serve.picture_store import SIDES, PictureStore

API, MARKS = "api/lines", "api/marks"

_LARGEST = 1 << 16  # bytes of what a page may send


@dataclass(slots=True)
class Application:
    """What is behind the addresses."""

    looked: Looked
    page: str
    book: MarkBook
    matching: Matching
    pictures: PictureStore

    def asgi(self) -> Starlette:
        """Return the application."""
        routes = [
            Route("/", self.index, methods=["GET"]),
            Route(f"/{API}", self.lines, methods=["GET"]),
            Route(f"/{MARKS}", self.marks, methods=["GET"]),
            Route(f"/{MARKS}", self.mark, methods=["POST"]),
            Route("/picture/{size}/{part:int}/{at:int}", self.picture, methods=["GET"]),
        ]
        handlers: dict[Any, Callable[[Request, Exception], Response | Awaitable[Response]]] = {
            ValueError: _refused,
            RecursionError: _refused,
            MtoolError: _failed,
        }
        return Starlette(routes=routes, exception_handlers=handlers)

    def index(self, request: Request) -> Response:
        """Answer with the page."""
        headers = {"Content-Security-Policy": f"{policy(served=True)}; frame-ancestors 'none'"}
        return HTMLResponse(self.page, headers=headers)

    def lines(self, request: Request) -> Response:
        """Answer with the cards that a filter lets through, from ``offset`` on."""
        self._check_unchanged()
        if self.looked.fetch is not None:
            self.looked.fetch.failed = ""  # somebody may have logged in again
        query = request.query_params
        what, marks = wanted(query), self.book.marks()
        offset, count = int(query.get("offset", "0")), int(query.get("count", "60"))
        if not (0 <= offset < 2**62 and 0 <= count <= MOST):
            raise ValueError(f"expected count to be at most {MOST}, and offset no less than 0")
        marked = [mark.source for mark in marks.by_line.values() if what.mark in ("any", mark.mark)]
        total, places = self.matching.page(what, marked, offset, count)
        return JSONResponse({"total": total, "cards": [self.card(place) for place in places]})

    def _check_unchanged(self) -> None:
        """Raise MtoolError where a manifest was changed, so that lines are elsewhere; S3 says so itself."""
        for index in self.looked.indices:
            if index.source.stamp is not None:
                index.source.check_unchanged()

    def card(self, place: Place) -> dict[str, Any]:
        """Return the card of a line with the addresses of its pictures, and with its marks."""
        made, marks = self.looked.card(place), self.book.marks()
        card = made.card
        if made.ref:
            why = self._missing(place, made.ref)
            address = "/".join(map(str, place))
            card = (
                replace(card, missing=why)
                if why
                else replace(card, picture=f"picture/small/{address}", large=f"picture/large/{address}")
            )
        found = card_to_json(card)
        for label, (attribute, row) in zip(found["labels"], self.book.labels(place), strict=True):
            kind = label_kind(attribute.type)
            label["takes"] = _takes(kind) if row.label is not None else ""
            mark = marks.by_line.get((row.source_ref or row.source or "", attribute.name))
            if mark is not None:
                agrees = mark.agreement(classes_on(kind, row))
                label["mark"] = mark_to_json(mark) | {"agreement": agrees}
        return found

    def _missing(self, place: Place, ref: str) -> str:
        paths = self.looked.paths[place[0]]
        try:
            if paths.covers(ref):
                paths.find(ref)
                return ""
            return "" if self.looked.can_fetch(place[0], ref) else "not on this disk"
        except Unusable as why:
            return why.message

    def picture(self, request: Request) -> Response:
        """Answer with the picture of a line: no address leads to a file."""
        size, part, at = (request.path_params[name] for name in ("size", "part", "at"))
        indices = self.looked.indices
        if size not in SIDES or part >= len(indices) or at >= len(indices[part].lines):
            return PlainTextResponse("no such picture\n", 404)
        self._check_unchanged()
        try:
            return Response(self.pictures.jpeg((part, at), size), media_type="image/jpeg")
        except Unusable as why:
            return PlainTextResponse(f"{why.message}\n", 404 if why.code == MISSING else 422)

    def marks(self, request: Request) -> Response:
        """Answer with how many marks there are, and what to type next."""
        return JSONResponse(self.book.summary())

    async def mark(self, request: Request) -> Response:
        """Keep a mark; answer with the card, the mark that it replaces, and the summary."""
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LARGEST:
                return PlainTextResponse(f"expected at most {_LARGEST:,} bytes\n", 413)
        value = json.loads(bytes(body))
        if not isinstance(value, dict):
            raise ValueError("expected a mark, a JSON object")
        return JSONResponse(await run_in_threadpool(self._marked, value))

    def _marked(self, value: dict[str, Any]) -> dict[str, Any]:
        self._check_unchanged()
        place, before = self.book.add(value)
        replaced = {"mark": "cleared"} if before is None else mark_to_json(before)
        return {"card": self.card(place), "before": replaced, "marks": self.book.summary()}


def _takes(kind: LabelKind) -> str:
    """Return how many classes a mark can give a label: "one", "many", or "" for none."""
    if not kind.is_classification:
        return ""
    return "many" if kind.multi_label else "one"


def _refused(request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{str(error)[:500]}\n", 400)


def _failed(request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", 500)

"""A server on this machine that speaks as much of S3 as a reader asks: objects, ranges, and a listing.

All objects have the same bytes, so that it costs next to nothing beside the client. ``python -m
benchmarks.s3_server PORT OBJECTS BYTES`` serves from one process; several share a port.
"""

import asyncio
import hashlib
import random
import socket
import sys
from urllib.parse import parse_qs, unquote, urlsplit

BUCKET = "pictures"
_PAGE = 1000
_DATE = "Sat, 28 Nov 2026 07:00:00 GMT"


def key_of(number: int) -> str:
    """Return the key of an object."""
    return f"raw/{number:07}.jpg"


class Speaker(asyncio.Protocol):
    """Answers GET and HEAD."""

    def __init__(self, objects: int, body: bytes) -> None:
        self.objects, self.body = objects, body
        self.etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
        self.waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember whom to answer."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole; none of them has a body."""
        self.waiting += data
        while b"\r\n\r\n" in self.waiting:
            request, _, self.waiting = self.waiting.partition(b"\r\n\r\n")
            self.answer(request)

    def answer(self, request: bytes) -> None:
        """Answer one request."""
        method, target, _ = request[: request.index(b"\r\n")].decode().split(" ")
        url = urlsplit(target)
        if url.path.strip("/") == BUCKET:
            self.send(b"200 OK", self.listing(parse_qs(url.query)), "application/xml")
            return
        unquote(url.path)
        total = len(self.body)
        more = f'ETag: "{self.etag}"\r\nLast-Modified: {_DATE}\r\nAccept-Ranges: bytes\r\n'
        status = b"200 OK"
        if b"\r\nrange:" in request.lower():
            status = b"206 Partial Content"
            more += f"Content-Range: bytes 0-{total - 1}/{total}\r\n"
        self.send(status, b"" if method == "HEAD" else self.body, "image/jpeg", more, total)

    def send(self, status: bytes, body: bytes, kind: str, more: str = "", length: int | None = None) -> None:
        """Write an answer."""
        head = (
            f"Content-Type: {kind}\r\nContent-Length: {len(body) if length is None else length}\r\n{more}\r\n"
        )
        self.transport.writelines([b"HTTP/1.1 ", status, b"\r\n", head.encode(), body])

    def listing(self, query: dict[str, list[str]]) -> bytes:
        """Return a page of the listing; the token is the number of the next object."""
        start = int(query.get("continuation-token", ["0"])[0])
        end = min(start + _PAGE, self.objects)
        rows = "".join(
            f"<Contents><Key>{key_of(n)}</Key><LastModified>2026-11-28T07:00:00.000Z</LastModified>"
            f"<ETag>&quot;{self.etag}&quot;</ETag><Size>{len(self.body)}</Size></Contents>"
            for n in range(start, end)
        )
        more = end < self.objects
        token = f"<NextContinuationToken>{end}</NextContinuationToken>" if more else ""
        return (
            f'<?xml version="1.0"?><ListBucketResult><Name>{BUCKET}</Name><Prefix>raw/</Prefix>'
            f"<KeyCount>{end - start}</KeyCount><IsTruncated>{str(more).lower()}</IsTruncated>"
            f"{token}{rows}</ListBucketResult>"
        ).encode()


async def serve(port: int, objects: int, length: int) -> None:
    """Serve until the process ends."""
    body = random.Random(0).randbytes(length)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind(("127.0.0.1", port))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Speaker(objects, body), sock=listener, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(*map(int, sys.argv[1:4])))

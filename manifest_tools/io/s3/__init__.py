"""Reads and writes S3 objects. ``client`` alone imports boto3, when the first request is to be made.

Every error is an MtoolError of one line that says what to set or type, see ``client``.
"""

from manifest_tools.io.s3.client import have_credentials
from manifest_tools.io.s3.joining import concatenate
from manifest_tools.io.s3.multipart import ObjectStream
from manifest_tools.io.s3.objects import (
    Listed,
    Object,
    download,
    exists,
    find,
    first_bytes,
    head,
    listed,
    open_stream,
    read,
    read_range,
    read_unless,
    size,
)
from manifest_tools.io.s3.removal import remove
from manifest_tools.io.s3.unfinished import Leftover, abort, leftovers
from manifest_tools.io.s3.uploads import put, upload
from manifest_tools.io.s3_errors import Denied, NotThere

__all__ = [
    "Denied",
    "Leftover",
    "Listed",
    "NotThere",
    "Object",
    "ObjectStream",
    "abort",
    "concatenate",
    "download",
    "exists",
    "find",
    "first_bytes",
    "have_credentials",
    "head",
    "leftovers",
    "listed",
    "open_stream",
    "put",
    "read",
    "read_range",
    "read_unless",
    "remove",
    "size",
    "upload",
]

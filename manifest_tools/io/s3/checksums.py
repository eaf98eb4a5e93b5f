"""Bytes that came, compared with what S3 says of them: their length, and a checksum where it tells one."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from manifest_tools.io.s3.client import Damaged

_MD5 = re.compile(r"[0-9a-f]{32}")
_DIRECTORY_BUCKET = "--x-s3"  # the ETags of these are random


def md5_of(bucket: str, etag: str, answer: Mapping[str, Any]) -> str:
    """Return the MD5 that the ETag of an object is, in hexadecimal digits; empty where it is none.

    It is none of what came in parts, of what KMS or a key of the customer's encrypts, and in directory
    buckets. ``answer`` says how the object is encrypted, as an answer of S3 or ``Object.settings`` does.

    >>> md5_of("lab3", '"900150983cd24fb0d6963f7d28e17f72"', {"ServerSideEncryption": "AES256"})
    '900150983cd24fb0d6963f7d28e17f72'
    >>> md5_of("lab3", '"900150983cd24fb0d6963f7d28e17f72-2"', {})
    ''
    """
    etag = etag.strip('"')
    encrypted = "kms" in str(answer.get("ServerSideEncryption", "")) or answer.get("SSECustomerAlgorithm")
    is_md5 = _MD5.fullmatch(etag) and not encrypted and not bucket.endswith(_DIRECTORY_BUCKET)
    return etag if is_md5 else ""


@dataclass(slots=True)
class Check:
    """What a whole body has to be; told of its bytes as they come."""

    length: int
    """Bytes; -1 where S3 does not tell."""

    md5: str
    """In hexadecimal digits; empty where S3 does not tell, or boto3 compares another checksum."""

    _seen: int = 0
    _digest: Any = field(default_factory=lambda: hashlib.md5(usedforsecurity=False))

    def update(self, data: bytes) -> bytes:
        """Take the next bytes, and return them."""
        self._seen += len(data)
        if self.md5:
            self._digest.update(data)
        return data

    def finish(self) -> None:
        """Raise Damaged where the bytes are not those of the object."""
        if self.length not in (-1, self._seen):
            raise Damaged(f"expected {self.length:,} bytes, got {self._seen:,}")
        if self.md5 and self._digest.hexdigest() != self.md5:
            raise Damaged(f"expected bytes with the MD5 {self.md5}, got {self._digest.hexdigest()}")


def check_of(bucket: str, answer: Mapping[str, Any]) -> Check:
    """Return what the body of an answer to GET has to be; boto3 compares the checksums that it can."""
    compared = hasattr(answer["Body"], "checksum")
    md5 = "" if compared else md5_of(bucket, answer.get("ETag", ""), answer)
    return Check(answer.get("ContentLength", -1), md5)

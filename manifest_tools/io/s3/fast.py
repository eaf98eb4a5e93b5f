"""The same requests through obstore, the extra ``fast``: more of them at a time than boto3 manages.

Whatever obstore cannot do, or answers otherwise than expected, is asked again through boto3, which also says
what is wrong: so every function here returns what it got, or nothing. Credentials, region and endpoint are
boto3's. ``MTOOL_S3=boto3`` leaves obstore alone.
"""

import functools
import hashlib
import os
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from manifest_tools.io.s3.checksums import md5_of
from manifest_tools.io.s3.client import aws_variables, client, credentials, once
from manifest_tools.io.s3uri import S3Uri

if TYPE_CHECKING:
    from obstore.store import S3Store

_AWS = (".amazonaws.com", ".amazonaws.com.cn")
_MINUTES = 14  # of credentials; obstore asks for others five before their end, and boto3 renews ten before
_HOPELESS = 8  # failures one after the other, after which a bucket is boto3's
_TRIES = 3  # of a request, before boto3 goes on trying

_failures: Counter[str] = Counter()
_forked = False


def _note_fork() -> None:
    global _forked
    _forked = _forked or bool(_store.cache_info().currsize)


if hasattr(os, "register_at_fork"):
    # The threads that do obstore's work do not survive a fork: a request of the child would wait for ever.
    os.register_at_fork(after_in_child=_note_fork)


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of an object, and which version they are of."""

    data: bytes
    etag: str


class Unchanged:
    """An answer without bytes: the object still has the ETag that was named."""


def get(name: S3Uri, most: int | None = None, etag: str = "") -> Content | Unchanged | None:
    """Return an object, whole and compared with its MD5; None where boto3 has to be asked.

    Only an object of at most ``most`` bytes, and with another ETag than ``etag``.
    """
    if not _is_for(name):
        return None
    import obstore
    from obstore.exceptions import BaseError, NotModifiedError

    try:
        answer = obstore.get(once(_store, name.bucket, aws_variables()), name.key, options=_unless(etag))
        if most is not None and answer.meta["size"] > most:
            return None
        data, found = bytes(answer.bytes()), answer.meta["e_tag"] or ""
    except NotModifiedError:
        return Unchanged()
    except FileNotFoundError:
        return None
    except (BaseError, OSError, ValueError):
        _failures[name.bucket] += 1
        return None
    if len(data) != answer.meta["size"] or not _is_md5(name.bucket, found, data):
        _failures[name.bucket] += 1  # KMS encrypts it, or it was damaged
        return None
    _failures.pop(name.bucket, None)
    return Content(data, found)


def put(name: S3Uri, data: bytes) -> bool:
    """Write an object in one request, and return whether it is there; otherwise boto3 has to be asked."""
    if not _is_for(name):
        return False
    import obstore
    from obstore.exceptions import BaseError

    try:
        obstore.put(once(_store, name.bucket, aws_variables()), name.key, data, use_multipart=False)
    except (BaseError, OSError, ValueError):
        _failures[name.bucket] += 1
        return False
    _failures.pop(name.bucket, None)
    return True


def is_used() -> bool:
    """Return whether obstore is installed, and nobody said to leave it alone."""
    return os.environ.get("MTOOL_S3") != "boto3" and not _forked and _is_installed()


def forget() -> None:
    """Forget which buckets are boto3's."""
    _failures.clear()


def is_plain(key: str) -> bool:
    """Return whether a key is the same for obstore, which takes it for a path.

    >>> [is_plain(key) for key in ("a b/c#%.jpg", "a//b", "a/", "/a", "a/../b", "a/./b", "")]
    [True, False, False, False, False, False, False]
    """
    return key.isprintable() and not any(part in ("", ".", "..") for part in key.split("/"))


def _is_for(name: S3Uri) -> bool:
    return is_used() and is_plain(name.key) and _failures[name.bucket] < _HOPELESS


@functools.cache
def _is_installed() -> bool:
    return find_spec("obstore") is not None


def _unless(etag: str) -> Any:
    return {"if_none_match": etag} if etag else None


def _is_md5(bucket: str, etag: str, data: bytes) -> bool:
    md5 = md5_of(bucket, etag, {})
    return not md5 or hashlib.md5(data, usedforsecurity=False).hexdigest() == md5


@functools.lru_cache(maxsize=16)
def _store(bucket: str, settings: tuple[str | None, ...]) -> "S3Store":
    from obstore.store import S3Store

    meta = client().meta
    options: dict[str, Any] = {}
    if not (urlsplit(meta.endpoint_url).hostname or "").endswith(_AWS):
        options["endpoint"] = meta.endpoint_url
    tries = min(_TRIES, meta.config.retries.get("total_max_attempts", _TRIES))  # type: ignore[attr-defined]
    return S3Store(
        bucket,
        region=meta.region_name,
        credential_provider=_credentials,
        client_options={"allow_http": meta.endpoint_url.startswith("http://")},
        retry_config={"max_retries": tries - 1},
        **options,
    )


def _credentials() -> Any:
    key, secret, token = credentials()
    return {
        "access_key_id": key,
        "secret_access_key": secret,
        "token": token,
        "expires_at": datetime.now(UTC) + timedelta(minutes=_MINUTES),
    }

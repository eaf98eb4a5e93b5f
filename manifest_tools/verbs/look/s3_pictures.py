"""Fetches from S3 the pictures that are shown and are not on this disk; they are not kept."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

from manifest_tools.base.errors import MtoolError
from manifest_tools.images.paths import ImagePaths, read_file
from manifest_tools.images.unusable import MAX_BYTES, MISSING, TOO_LARGE, Unusable
from manifest_tools.io.s3_errors import Denied, NotThere, is_of_one_object

_AT_ONCE = 16  # threads: they wait more than they work


@dataclass
class S3Pictures:
    """S3, until it fails as a whole: a page without some pictures is better than none, and than waiting."""

    failed: str = ""
    """Why S3 is not asked any more; empty as long as it is."""

    @cached_property
    def is_allowed(self) -> bool:
        """Whether there are credentials to ask with."""
        from manifest_tools.io import s3

        return s3.have_credentials()

    def read(self, uri: str) -> bytes:
        """Return the bytes of an object; raises Unusable for whatever stands in the way."""
        from manifest_tools.io import s3

        if self.failed:
            raise Unusable(MISSING, self.failed)
        try:
            data = s3.read(uri, MAX_BYTES)
        except MtoolError as error:
            if not (isinstance(error, NotThere | Denied) or is_of_one_object(error)):
                self.failed = str(error)
            raise Unusable(MISSING, str(error)) from error
        if len(data) > MAX_BYTES:
            raise Unusable(TOO_LARGE, f"expected at most {MAX_BYTES:,} bytes, found more")
        return data

    def threads(self) -> ThreadPoolExecutor:
        """Return threads to fetch in."""
        return ThreadPoolExecutor(_AT_ONCE)


def is_elsewhere(paths: ImagePaths, ref: str) -> bool:
    """Say whether a picture is in S3, and nobody has said where it would be on this disk."""
    return ref.startswith("s3://") and not paths.covers(ref)


def picture_bytes(paths: ImagePaths, ref: str, fetch: S3Pictures | None) -> bytes:
    """Return the bytes of a picture of this disk, or fetched; raises Unusable."""
    if not is_elsewhere(paths, ref):
        return read_file(paths.find(ref))
    if fetch is None:
        raise Unusable(MISSING, "not on this disk")
    return fetch.read(ref)

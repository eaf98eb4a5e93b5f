"""What S3 says of many objects: from listings, which cost one request for a thousand of them."""

import os
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.errors import MtoolError
from manifest_tools.base.hashing import hash_texts
from manifest_tools.io import s3
from manifest_tools.io.s3_errors import is_of_one_object
from manifest_tools.verbs.fetch.references import Keys, References

UNKNOWN = -1
_FEW_PAGES = 10
_WORTH = 20  # objects that are wanted for each request; a listing that finds fewer costs more than asking


@dataclass(slots=True)
class Listing:
    """Size and MD5 of the objects, as far as a listing says them: 24 bytes an object."""

    sizes: NDArray[np.int64]
    """``(objects,)``: bytes, or UNKNOWN."""

    md5: NDArray[np.uint8]
    """``(objects, 16)``: the MD5 of the bytes; zeros where S3 does not tell."""

    whole: set[str] = field(default_factory=set)
    """The buckets of which everything was listed: what is not known there does not exist."""

    def md5_of(self, at: int) -> str:
        """Return the MD5 of an object in hexadecimal digits, or an empty text."""
        digest = self.md5[at].tobytes()
        return digest.hex() if any(digest) else ""


def read_listing(references: References) -> Listing:
    """Return what listings say of the objects; where they may not be read, nothing is known of them."""
    count = references.objects
    listing = Listing(np.full(count, UNKNOWN, np.int64), np.zeros((count, 16), np.uint8))
    order = np.argsort(references.hashes)
    ordered = references.hashes[order]
    for bucket, keys in references.buckets.items():
        try:
            if _read_bucket(bucket, keys, listing, order, ordered):
                listing.whole.add(bucket)
        except s3.NotThere:
            if len(references.buckets) == 1:
                raise
            listing.whole.add(bucket)  # nothing is there
        except MtoolError as error:
            # Reading objects needs no right to list them, and a name that is none is of some lines alone.
            if not (isinstance(error, s3.Denied) or is_of_one_object(error)):
                raise
    return listing


def _read_bucket(
    bucket: str, keys: Keys, listing: Listing, order: NDArray[np.int64], ordered: NDArray[np.uint64]
) -> bool:
    """Read the listing of a bucket; return whether it was worth reading to the end."""
    most = _FEW_PAGES + keys.count // _WORTH
    for number, page in enumerate(s3.listed(bucket, _common(keys), keys.lowest[:-1])):
        if number == most:
            return False
        if page:
            found = hash_texts([f"s3://{bucket}/{one.key}" for one in page])
            places = np.searchsorted(ordered, found).clip(max=len(ordered) - 1)
            for one, at in zip(page, np.where(ordered[places] == found, order[places], -1), strict=True):
                if at >= 0:
                    listing.sizes[at] = one.size
                    listing.md5[at] = np.frombuffer(_digest(one.etag), np.uint8)
            if page[-1].key > keys.highest:
                break
    return True


def _common(keys: Keys) -> str:
    return os.path.commonprefix([keys.lowest, keys.highest])


def _digest(etag: str) -> bytes:
    """Return the MD5 that an ETag is; zeros for one of an object that came in parts.

    >>> _digest("9e107d9d372bb6826bd81d3542a419d6").hex(), any(_digest("9e107d9d372bb6826bd81d3542a419d6-2"))
    ('9e107d9d372bb6826bd81d3542a419d6', False)
    """
    try:
        digest = bytes.fromhex(etag)
    except ValueError:
        digest = b""
    return digest if len(digest) == 16 else bytes(16)

"""Splits and joins ``s3://bucket/key``; does not ask AWS.

Manifests are full of bucket names that S3 would refuse (``lab#-rawdata``, ``$BUCKET``), and every command
must keep them. So ``parse`` checks the form of a URI only, and ``bucket_problem`` checks the name.
"""

import re
from dataclasses import dataclass

_SCHEME = "s3://"
_LONGEST_SHOWN = 100  # characters of a wrong text that a message repeats

# The rules of general purpose buckets in Amazon S3's user guide, "bucket naming rules". Reserved
# endings (-s3alias, --x-s3) are left out: S3 itself gives such names, and they work in a URI.
_SHORTEST, _LONGEST = 3, 63
_STRANGE = re.compile(r"[^a-z0-9.-]")
_ADDRESS = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+")
_RESERVED = ("xn--", "sthree-", "amzn-s3-demo-")


@dataclass(frozen=True, slots=True)
class S3Uri:
    """The name of an object in S3; ``str`` returns exactly the text that was parsed.

    >>> str(S3Uri("lab3-rawdata", "left/IMG 1.JPG"))
    's3://lab3-rawdata/left/IMG 1.JPG'
    """

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"{_SCHEME}{self.bucket}/{self.key}"


def parse(text: str) -> S3Uri:
    """Return bucket and key of an object's URI.

    The bucket ends at the first slash; the key is the rest, unchanged. Nothing is unquoted or normalized,
    because ``a//b``, ``a/../b`` and ``a%20b`` are three different objects to S3. Raises ValueError that
    says what was expected and what was found.

    >>> parse("s3://lab3-rawdata/left/IMG_0085.JPG")
    S3Uri(bucket='lab3-rawdata', key='left/IMG_0085.JPG')
    >>> parse("lab3-rawdata/IMG_0085.JPG")
    Traceback (most recent call last):
    ValueError: expected s3://bucket/key, found 'lab3-rawdata/IMG_0085.JPG'
    """
    bucket, _, key = text.removeprefix(_SCHEME).partition("/")
    if not text.startswith(_SCHEME):
        raise ValueError(f"expected s3://bucket/key, found {_shown(text)}")
    if not bucket:
        raise ValueError(f"expected a bucket after s3://, found {_shown(text)}")
    if not key:
        raise ValueError(f"expected a key after s3://bucket/, found {_shown(text)}")
    return S3Uri(bucket, key)


def bucket_problem(name: str) -> str | None:
    """Return why no bucket can have this name, or None when one can.

    Buckets older than 2018 in us-east-1 may break these rules (capitals, ``_``, 255 characters). So a name
    that was found in a manifest gets a warning, and only a name that is about to be made is refused.

    >>> bucket_problem("lab#-rawdata")
    "it contains '#'; a bucket's name has only a-z, 0-9, '-' and '.'"
    """
    if not _SHORTEST <= len(name) <= _LONGEST:
        return f"a bucket's name has {_SHORTEST} to {_LONGEST} characters, not {len(name)}"
    if strange := _STRANGE.search(name):
        return f"it contains {strange[0]!r}; a bucket's name has only a-z, 0-9, '-' and '.'"
    if name[0] in ".-" or name[-1] in ".-":
        return "a bucket's name begins and ends with a letter or a digit"
    if ".." in name:
        return "it contains two dots in a row"
    if _ADDRESS.fullmatch(name):
        return "a bucket's name cannot look like an IP address"
    if name.startswith(_RESERVED):
        return f"S3 reserves names that begin with {', '.join(_RESERVED)}"
    return None


def _shown(text: str) -> str:
    """Return a text in quotes for a message: on one line, without control characters, not too long."""
    return repr(text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + "...")

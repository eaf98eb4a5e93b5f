"""``s3://bucket/key`` taken apart and joined; there is no AWS in here.

Manifests are full of buckets that could never be (``lab#-rawdata``, ``$BUCKET``), and every command
must carry them through. So reading a URI asks for its form alone, and whether S3 would take the
bucket's name is a question of its own.
"""

import re
from dataclasses import dataclass

_SCHEME = "s3://"
_SHOWN = 100  # characters of a wrong text that a message repeats

# The rules of general purpose buckets in Amazon S3's user guide, "bucket naming rules". Reserved
# endings (-s3alias, --x-s3) are left out: S3 itself gives such names, and they work in a URI.
_SHORTEST, _LONGEST = 3, 63
_STRANGE = re.compile(r"[^a-z0-9.-]")
_ADDRESS = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+")
_RESERVED = ("xn--", "sthree-", "amzn-s3-demo-")


@dataclass(frozen=True, slots=True)
class S3Uri:
    """The name of an object in S3; its text is the very text that was parsed.

    >>> str(S3Uri("lab3-rawdata", "left/IMG 1.JPG"))
    's3://lab3-rawdata/left/IMG 1.JPG'
    """

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"{_SCHEME}{self.bucket}/{self.key}"


def parse(text: str) -> S3Uri:
    """Take the URI of an object apart.

    The bucket ends at the first slash and the key is all the rest, as it stands: nothing is
    unquoted or tidied, for to S3 ``a//b``, ``a/../b`` and ``a%20b`` are three other objects.
    Raises ValueError saying what was expected and what was found.

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
    """Say why no bucket can have this name, or None where one can.

    Buckets older than 2018 in us-east-1 may break these rules (capitals, ``_``, 255 characters),
    so this is a warning about a URI that was found, and a refusal only of a name about to be made.

    >>> bucket_problem("lab#-rawdata")
    "'#' is in it; a bucket's name has only a-z, 0-9, '-' and '.'"
    """
    if not _SHORTEST <= len(name) <= _LONGEST:
        return f"a bucket's name has {_SHORTEST} to {_LONGEST} characters, not {len(name)}"
    if strange := _STRANGE.search(name):
        return f"{strange[0]!r} is in it; a bucket's name has only a-z, 0-9, '-' and '.'"
    if name[0] in ".-" or name[-1] in ".-":
        return "a bucket's name begins and ends with a letter or a digit"
    if ".." in name:
        return "two dots in a row are in it"
    if _ADDRESS.fullmatch(name):
        return "a bucket's name cannot look like an IP address"
    if name.startswith(_RESERVED):
        return f"S3 keeps names that begin with {', '.join(_RESERVED)} for itself"
    return None


def _shown(text: str) -> str:
    """Quote a hostile text for a message: on one line, without escapes, and not too long."""
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "...")

"""Checks of what SageMaker's API takes: each raises Refused with one line that says what was expected.

The limits are those of the service's model (botocore's service-2.json). The service itself refuses most of
them when it is called, and some only while the job runs.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import shown
from manifest_tools.io.s3uri import bucket_problem
from trainers.sagemaker.requests.images import partition

_ROLE = re.compile(r"arn:(aws[a-z-]*):iam::\d{12}:role/[a-zA-Z_0-9+=,.@\-_/]+", re.ASCII)
_KEY = re.compile(r"[a-zA-Z0-9:/_-]+", re.ASCII)
_ID = re.compile(r"[-0-9a-zA-Z]+", re.ASCII)
_VARIABLE = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_OLD_BUCKET = re.compile(r"[A-Za-z0-9._-]{3,255}", re.ASCII)  # of us-east-1, before 2018

_LONGEST_URI = 1024
_LONGEST_ARN = 2048
_MOST_TAGS = 50
_LONGEST_VARIABLE = 512


def check_whole(what: str, value: int, low: int, high: int) -> None:
    """Raise Refused for a number outside ``low`` to ``high``."""
    if not low <= value <= high:
        raise Refused(f"{what}: expected {low:,} to {high:,}, found {value:,}")


def check_text(what: str, value: str, longest: int) -> None:
    """Raise Refused for a text that is empty, too long, or not on one line."""
    if not value or len(value) > longest or not value.isprintable():
        raise Refused(f"{what}: expected 1 to {longest:,} characters on one line, found {shown(value)}")


def check_role(arn: str, region: str) -> None:
    """Raise Refused for what is no role's ARN, or for a role in another partition than the region's."""
    match = _ROLE.fullmatch(arn)
    if match is None or len(arn) > _LONGEST_ARN:
        form = "arn:aws:iam::ACCOUNT:role/NAME, the account 12 digits"
        raise Refused(f"role: expected {form}, found {shown(arn)}")
    if match[1] != partition(region):
        raise Refused(f"role: expected one of {partition(region)}, where {region} is; found {shown(arn)}")


def check_s3(what: str, uri: str) -> None:
    """Raise Refused for what is no bucket, prefix or object in S3."""
    bucket = uri.removeprefix("s3://").partition("/")[0]
    if not uri.startswith("s3://") or not uri.isprintable() or not bucket:
        raise Refused(f"{what}: expected s3://bucket/key, found {shown(uri)}")
    if len(uri) > _LONGEST_URI:
        raise Refused(f"{what}: expected at most {_LONGEST_URI:,} characters, found {len(uri):,}")
    problem = bucket_problem(bucket)
    if problem is not None and not _OLD_BUCKET.fullmatch(bucket):
        raise Refused(f"{what}: no bucket is called {shown(bucket)}: {problem}")


def check_key(what: str, key: str | None) -> None:
    """Raise Refused for what cannot be a KMS key: its ID, its ARN, or an alias."""
    if key is not None and (not _KEY.fullmatch(key) or len(key) > _LONGEST_ARN):
        raise Refused(f"{what}: expected a KMS key's ID, ARN or alias/NAME, found {shown(key)}")


def check_ids(what: str, ids: Sequence[str], most: int) -> None:
    """Raise Refused for no ID at all, for more than ``most``, or for what cannot be one."""
    if not 1 <= len(ids) <= most:
        raise Refused(f"{what}: expected 1 to {most}, found {len(ids):,}")
    for one in ids:
        if not _ID.fullmatch(one) or len(one) > 32:
            raise Refused(f"{what}: expected letters, digits and hyphens, found {shown(one)}")


def check_tags(tags: Mapping[str, str]) -> None:
    """Raise Refused for tags that the service would not take, such as those with a comma."""
    check_whole("tags", len(tags), 0, _MOST_TAGS)
    for key, value in tags.items():
        if not 1 <= len(key) <= 128 or not _taggable(key) or key.lower().startswith("aws:"):
            form = "1 to 128 letters, digits, blanks and _.:/=+-@, not beginning with aws:"
            raise Refused(f"tag: expected a key of {form}; found {shown(key)}")
        if len(value) > 256 or not _taggable(value):
            form = "at most 256 letters, digits, blanks and _.:/=+-@ (no commas)"
            raise Refused(f"tag {shown(key)}: expected {form}; found {shown(value)}")


def _taggable(text: str) -> bool:
    """Return whether a tag may have these characters; of white space only blanks."""
    return all(one in "_.:/=+-@" or unicodedata.category(one)[:1] in "LN" or one == " " for one in text)


def check_environment(variables: Mapping[str, str], most: int) -> None:
    """Raise Refused for environment variables that the service would not take."""
    check_whole("environment variables", len(variables), 0, most)
    for name, value in variables.items():
        if not _VARIABLE.fullmatch(name) or len(name) > _LONGEST_VARIABLE:
            raise Refused(f"environment: expected a name of letters, digits and _, found {shown(name)}")
        if len(value) > _LONGEST_VARIABLE or not value.isprintable():
            form = f"at most {_LONGEST_VARIABLE} characters on one line"
            raise Refused(f"environment variable {name[:60]}: expected {form}, found {shown(value)}")

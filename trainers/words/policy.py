"""``mtool policy`` as a function."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from manifest_tools.base.arguments import AnyPath, AnyPaths, as_text, as_texts
from manifest_tools.base.errors import Refused
from manifest_tools.base.parallel import Jobs
from trainers.sagemaker.account.iam_actions import WORDS
from trainers.sagemaker.account.policy import (
    USUAL_ROLE,
    Needs,
    person_policy,
    role_policy,
    trust_document,
)
from trainers.sagemaker.account.prefixes import prefixes, with_typed
from trainers.sagemaker.client.client import region as usual_region

_ANY_REGION = "us-east-1"  # a trust document has none in it

# The words that write under --output, or read what was written there.
_WRITING = ("train", "tune", "deploy", "transform")


@dataclass(frozen=True, slots=True)
class Policies:
    """What IAM has to allow."""

    needs: Needs
    role: Mapping[str, Any] | None
    """The policy of the role that jobs assume; None where no job runs."""

    trust: Mapping[str, Any] | None
    """Who may assume it."""

    person: Mapping[str, Any]
    """The policy of who types mtool."""

    def to_json(self) -> dict[str, Any]:
        """Return the documents by what they are for."""
        return {"role": self.role, "trust": self.trust, "person": self.person}


def policy(
    *manifests: AnyPath,
    bucket: AnyPaths = (),
    output: str | None = None,
    for_: AnyPaths = WORDS,
    algorithm: AnyPaths = ("image-classification",),
    role: str | None = None,
    account: str | None = None,
    region: str | None = None,
    kms_key: str | None = None,
    jobs: Jobs = None,
) -> Policies:
    """Return the least IAM policies for the buckets that manifests name, and the trust document.

    Raises Refused where nothing says which buckets, or where jobs write.
    """
    names, words, buckets = tuple(map(as_text, manifests)), as_texts(for_), as_texts(bucket)
    if not names and not buckets:
        raise Refused("which buckets? type manifests that name them, or --bucket s3://bucket/prefix")
    needs = Needs(
        region=region or usual_region(),
        pictures=with_typed(buckets, prefixes(names, jobs)),
        manifests=[name for name in names if name.startswith("s3://")],
        output=output or _beside(names, words),
        words=[word for word in WORDS if word in words],
        algorithms=as_texts(algorithm),
        role=role or USUAL_ROLE,
        account=account or _account(role or ""),
        kms_key=kms_key,
    )
    jobs_role = role_policy(needs)
    trust = None if jobs_role is None else trust_document(needs)
    return Policies(needs, jobs_role, trust, person_policy(needs))


def trust(
    *,
    for_: AnyPaths = WORDS,
    role: str | None = None,
    account: str | None = None,
    region: str | None = None,
) -> Mapping[str, Any] | None:
    """Return who may assume the role, which no bucket changes; None where no job runs."""
    words = as_texts(for_)
    needs = Needs(
        region=region or _ANY_REGION,
        pictures={},
        manifests=[],
        output=None,
        words=[word for word in WORDS if word in words],
        algorithms=(),
        role=role or USUAL_ROLE,
        account=account or _account(role or ""),
        kms_key=None,
    )
    return trust_document(needs) if needs.assumes else None


def _beside(manifests: Sequence[str], words: Sequence[str]) -> str | None:
    """Return the folder of the first manifest in S3; None where nothing is written."""
    first = next((name for name in manifests if name.startswith("s3://")), None)
    if first is not None:
        return first[: first.rfind("/") + 1]
    if any(word in _WRITING for word in words):
        raise Refused("where do jobs write? type --output s3://bucket/prefix")
    return None


def _account(role: str) -> str:
    parts = role.split(":")
    return parts[4] if role.startswith("arn:") and len(parts) > 4 else "*"

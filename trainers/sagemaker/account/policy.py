"""The least that IAM has to allow: for the role that jobs assume, and for the person who types mtool.

What the role needs is from "How to use SageMaker AI execution roles" in SageMaker's developer guide; what a
person needs, from ``iam_actions``.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import shown
from trainers.sagemaker.account.iam_actions import CALLS, LISTS, LOGS, READ_PICTURES, WORDS, Word
from trainers.sagemaker.account.prefixes import MOST, narrowed
from trainers.sagemaker.requests.images import ACCOUNTS, image_uri, partition
from trainers.sagemaker.requests.limits import check_key, check_role, check_s3

Document = dict[str, Any]

LONGEST = 6_144  # characters of a managed policy; IAM counts no white space
SERVICE = "sagemaker.amazonaws.com"  # in every partition
USUAL_ROLE = "mtool-sagemaker"

# A policy's text may have these characters only (IAM's API, the pattern of PolicyDocument).
_STRANGE = re.compile(r"[^\x20-\xff]+")
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_ROLE_NAME = re.compile(r"[a-zA-Z0-9+=,.@_-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What is to be allowed.

    Raises Refused for what IAM, S3 or SageMaker would not take.
    """

    region: str
    """The region that jobs run in."""

    pictures: Mapping[str, Sequence[str]]
    """The prefixes of the pictures, by bucket."""

    manifests: Sequence[str] = ()
    """The URIs of manifests in S3."""

    output: str | None = None
    """The prefix under which models, answers and uploaded manifests go."""

    words: Sequence[Word] = WORDS
    """The words of mtool that are to be allowed."""

    algorithms: Sequence[str] = ("image-classification",)
    """The built-in algorithms that are trained or served."""

    role: str = USUAL_ROLE
    """The name of the role that jobs assume."""

    account: str = "*"
    """12 digits; ``*`` where it is not known, which means no other account in practice: jobs are one's
    own."""

    kms_key: str | None = None
    """The key that encrypts what is written."""

    def __post_init__(self) -> None:
        for name in self.algorithms:
            image_uri(name, self.region)
        for uri in (*self.manifests, *(f"s3://{bucket}/" for bucket in self.pictures)):
            check_s3("policy", uri)
        if self.output is not None:
            check_s3("output", self.output)
        if self.account != "*" and not _ACCOUNT.fullmatch(self.account):
            raise Refused(f"account: expected 12 digits, found {shown(self.account)}")
        check_key("KMS key", self.kms_key)
        _check_role(self)

    @property
    def assumes(self) -> tuple[Word, ...]:
        """The words with which SageMaker takes on the role."""
        return tuple(word for word in self.words if word in LOGS)

    def arn(self, service: str, resource: str, account: str | None = None) -> str:
        """Return an ARN in the partition and region."""
        owner = self.account if account is None else account
        return f"arn:{partition(self.region)}:{service}:{self.region}:{owner}:{resource}"

    @property
    def role_arn(self) -> str:
        """The ARN of the role; a name alone is that of a role of the account."""
        if self.role.startswith("arn:"):
            return self.role
        return f"arn:{partition(self.region)}:iam::{self.account}:role/{self.role}"


def _check_role(needs: Needs) -> None:
    if needs.role.startswith("arn:"):
        check_role(needs.role, needs.region)
    elif not _ROLE_NAME.fullmatch(needs.role):
        raise Refused(f"role: expected a role's name or ARN, found {shown(needs.role)}")


def trust_document(needs: Needs) -> Document:
    """Return the document that says who may assume the role: SageMaker, for this account alone where it is
    known.
    """
    statement: Document = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"}
    if needs.account != "*":
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": needs.account}}
    return {"Version": "2012-10-17", "Statement": [statement]}


def role_policy(needs: Needs) -> Document | None:
    """Return what the role has to allow; None where no word makes SageMaker assume one."""
    if not needs.assumes:
        return None
    return _short_enough(needs, "the role", _of_the_role)


def person_policy(needs: Needs) -> Document:
    """Return what the person who types mtool has to be allowed."""
    return _short_enough(needs, "the person", _of_the_person)


def length(document: Document) -> int:
    """Return the characters of a policy as IAM counts them: without white space."""
    return len(json.dumps(document, separators=(",", ":")))


def _short_enough(needs: Needs, whose: str, statements: Any) -> Document:
    """Return the policy with as many prefixes a bucket as IAM has room for."""
    for most in range(MOST, 0, -1):
        fewer = replace(needs, pictures=narrowed(needs.pictures, most))
        document = {"Version": "2012-10-17", "Statement": list(statements(fewer))}
        if length(document) <= LONGEST:
            return document
    raise Refused(
        f"the policy of {whose}: expected at most {LONGEST:,} characters, found {length(document):,} for"
        f" {len(needs.pictures):,} buckets; type fewer manifests, or --for WORD, and attach several policies"
    )


def _of_the_role(needs: Needs) -> Iterator[Document]:
    yield from _objects(needs, needs.assumes, ["s3:PutObject"])
    repositories = [
        needs.arn("ecr", f"repository/{name}", ACCOUNTS[needs.region])
        for name in sorted(set(needs.algorithms))
    ]
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    yield _allow("PullImage", pull, repositories)
    yield _allow("LogIn", ["ecr:GetAuthorizationToken"], ["*"])
    write = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    yield _allow("WriteLogs", write, _log_groups(needs))
    namespaces = {"StringLike": {"cloudwatch:namespace": ["/aws/sagemaker/*", "aws/sagemaker/*"]}}
    yield _allow("WriteMetrics", ["cloudwatch:PutMetricData"], ["*"], namespaces)
    if needs.kms_key is not None:
        use = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"]
        yield from _key(needs, needs.kms_key, use)


def _of_the_person(needs: Needs) -> Iterator[Document]:
    yield from _objects(needs, needs.words, ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject"])
    yield from _calls(needs)
    if needs.assumes:
        passed = {"StringEquals": {"iam:PassedToService": SERVICE}}
        yield _allow("PassRole", ["iam:PassRole"], [needs.role_arn], passed)
    if "jobs" in needs.words:
        yield _allow("List", list(LISTS), ["*"])
    if groups := _log_groups(needs):
        yield _allow("ReadLogs", ["logs:DescribeLogStreams", "logs:GetLogEvents"], groups)
    if needs.kms_key is not None:
        yield from _key(needs, needs.kms_key, ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"])


def _calls(needs: Needs) -> Iterator[Document]:
    """Yield one statement for each kind of thing that the words work on."""
    actions: dict[str, set[str]] = {}
    for word in needs.words:
        for kind, names in CALLS[word].items():
            actions.setdefault(kind, set()).update(names)
    for kind in sorted(actions):
        title = "".join(part.capitalize() for part in kind.split("-"))
        called = [f"sagemaker:{name}" for name in sorted(actions[kind])]
        yield _allow(title, called, [needs.arn("sagemaker", f"{kind}/*")])


def _objects(needs: Needs, words: Sequence[str], write: list[str]) -> Iterator[Document]:
    """Yield what is allowed in S3: read pictures and manifests, read and write the output, list both."""
    read: dict[str, list[str]] = {}
    if any(word in (*READ_PICTURES, "predict") for word in words):
        for bucket, found in needs.pictures.items():
            read.setdefault(bucket, []).extend(f"{_quoted(prefix)}*" for prefix in found)
    if any(word in READ_PICTURES for word in words):
        for uri in needs.manifests:
            bucket, _, key = uri.removeprefix("s3://").partition("/")
            read.setdefault(bucket, []).append(_quoted(key))
    written: dict[str, list[str]] = {}
    if needs.output is not None and any(word != "jobs" for word in words):
        bucket, _, prefix = needs.output.removeprefix("s3://").partition("/")
        slash = "/" if prefix and not prefix.endswith("/") else ""
        written = {bucket: [f"{_quoted(prefix)}{slash}*"]}
    both = {
        bucket: sorted({*read.get(bucket, ()), *written.get(bucket, ())}) for bucket in {**read, **written}
    }
    if both:
        yield _allow("Read", ["s3:GetObject"], _object_arns(needs, both))
    if written and any(word in LOGS for word in words):
        yield _allow("Write", write, _object_arns(needs, written))
    for number, bucket in enumerate(sorted(both)):
        yield _list(needs, f"List{number}", bucket, both[bucket])


def _list(needs: Needs, title: str, bucket: str, patterns: Sequence[str]) -> Document:
    """Return the right to list; a list of a whole bucket may have no prefix, so it has no condition."""
    limit = None if "*" in patterns else {"StringLike": {"s3:prefix": list(patterns)}}
    return _allow(title, ["s3:ListBucket"], [f"arn:{partition(needs.region)}:s3:::{bucket}"], limit)


def _object_arns(needs: Needs, patterns: Mapping[str, Sequence[str]]) -> list[str]:
    start = f"arn:{partition(needs.region)}:s3:::"
    return [f"{start}{bucket}/{pattern}" for bucket in sorted(patterns) for pattern in patterns[bucket]]


def _quoted(key: str) -> str:
    """Return a key as a pattern that matches it alone; signs that no policy can have become ``*``.

    >>> _quoted("50% (*)/what?/$x/"), _quoted("снимки/1.jpg")
    ('50% (${*})/what${?}/${$}x/', '*/1.jpg')
    """
    return _STRANGE.sub("*", re.sub(r"[*?$]", r"${\g<0>}", key))


def _log_groups(needs: Needs) -> list[str]:
    """Return the log groups of the words, with their streams; ``jobs`` reads all of them."""
    names = set(LOGS.values()) if "jobs" in needs.words else {LOGS[word] for word in needs.assumes}
    return [needs.arn("logs", f"log-group:{name}*") for name in sorted(names)]


def _key(needs: Needs, key: str, use: list[str]) -> Iterator[Document]:
    """Yield the use of a KMS key, and its grant for disks; an alias is a condition, for it is no ARN of a
    key.
    """
    name = key.rpartition(":")[2]
    alias = name if name.startswith("alias/") else ""
    condition = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": [alias]}} if alias else {}
    arn = key if key.startswith("arn:") and not alias else needs.arn("kms", f"key/{'*' if alias else name}")
    yield _allow("UseKey", use, [arn], condition)
    grant = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    yield _allow("GrantKey", ["kms:CreateGrant"], [arn], {**condition, **grant})


def _allow(
    title: str, actions: list[str], resources: list[str], condition: Document | None = None
) -> Document:
    statement = {"Sid": title, "Effect": "Allow", "Action": actions, "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})

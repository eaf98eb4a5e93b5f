import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import pytest

from manifest_tools.base.errors import Refused
from tests.trainers.sagemaker.iam import actions, allows, statements
from trainers.sagemaker.account.iam_actions import CALLS, LISTS, WORDS, Word
from trainers.sagemaker.account.policy import (
    LONGEST,
    Document,
    Needs,
    length,
    person_policy,
    role_policy,
    trust_document,
)
from trainers.sagemaker.account.prefixes import MOST
from trainers.sagemaker.requests.images import ACCOUNTS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ACCOUNT = "111122223333"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/0d4a1b2c-0000-4000-8000-000000000000"
OUTPUT = "s3://lab3-models/hands"
MANIFEST = "s3://lab3-parts/hands/train.manifest"

# Actions that take no ARN (AWS's service authorization reference).
WITHOUT_ARN = {"ecr:GetAuthorizationToken", "cloudwatch:PutMetricData", *LISTS}


def needs(**given: Any) -> Needs:
    usual: dict[str, Any] = {
        "region": "us-east-1",
        "pictures": {"lab3-rawdata": ("left/", "right/")},
        "manifests": (MANIFEST,),
        "output": OUTPUT,
        "account": ACCOUNT,
    }
    return Needs(**{**usual, **given})


ODD = {"lab3-rawdata": ("a*b/", "c?/", "$x/", 'q"\\/', "снимки/")}


def both(needed: Needs) -> Iterator[Document]:
    if (role := role_policy(needed)) is not None:
        yield role
    yield person_policy(needed)


class TestTheRole:
    def test_it_reads_what_the_manifests_name_and_nothing_beside_it(self) -> None:
        role = role_policy(needs())
        read = "s3:GetObject"
        assert allows(role, read, "arn:aws:s3:::lab3-rawdata/left/1.jpg")
        assert allows(role, read, "arn:aws:s3:::lab3-parts/hands/train.manifest")
        assert allows(role, read, "arn:aws:s3:::lab3-models/hands/job/output/model.tar.gz")
        for key in ("lab3-rawdata/leftovers/1.jpg", "lab3-rawdata/1.jpg", "lab3-parts/hands/other.manifest"):
            assert not allows(role, read, f"arn:aws:s3:::{key}")

    def test_it_writes_under_the_output_alone(self) -> None:
        role = role_policy(needs())
        assert allows(role, "s3:PutObject", "arn:aws:s3:::lab3-models/hands/job/output/model.tar.gz")
        for key in ("lab3-rawdata/left/1.jpg", "lab3-parts/hands/train.manifest", "lab3-models/hands2/x"):
            assert not allows(role, "s3:PutObject", f"arn:aws:s3:::{key}")

    def test_it_lists_the_prefixes_alone(self) -> None:
        role = role_policy(needs())
        bucket = "arn:aws:s3:::lab3-rawdata"
        assert allows(role, "s3:ListBucket", bucket, s3__prefix="left/")
        assert allows(role, "s3:ListBucket", bucket, s3__prefix="left/2024")
        assert not allows(role, "s3:ListBucket", bucket, s3__prefix="")
        assert not allows(role, "s3:ListBucket", bucket)
        parts = "arn:aws:s3:::lab3-parts"
        assert allows(role, "s3:ListBucket", parts, s3__prefix="hands/train.manifest")

    def test_a_whole_bucket_is_listed_without_a_condition(self) -> None:
        role = role_policy(needs(pictures={"lab3-rawdata": ("",)}))
        assert allows(role, "s3:ListBucket", "arn:aws:s3:::lab3-rawdata")

    @pytest.mark.parametrize("region", ACCOUNTS)
    def test_it_pulls_the_algorithm_s_image_from_the_account_of_the_region(self, region: str) -> None:
        role = role_policy(needs(region=region, algorithms=("object-detection",)))
        pulled = [one["Resource"] for one in statements(role) if "ecr:BatchGetImage" in one["Action"]]
        assert [resource.split(":")[3:] for resource in pulled[0]] == [
            [region, ACCOUNTS[region], "repository/object-detection"]
        ]

    @pytest.mark.parametrize(
        ("words", "groups"),
        [
            (("train",), ["TrainingJobs*"]),
            (("tune",), ["TrainingJobs*"]),
            (("deploy",), ["Endpoints/*"]),
            (("transform",), ["TransformJobs*"]),
            (("train", "deploy"), ["Endpoints/*", "TrainingJobs*"]),
        ],
    )
    def test_it_writes_the_logs_of_what_runs(self, words: tuple[Word, ...], groups: list[str]) -> None:
        (logs,) = [one for one in statements(role_policy(needs(words=words))) if one["Sid"] == "WriteLogs"]
        start = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/sagemaker/"
        assert logs["Resource"] == [f"{start}{group}" for group in groups]

    def test_a_deployed_model_needs_no_pictures(self) -> None:
        role = role_policy(needs(words=("deploy",)))
        assert allows(role, "s3:GetObject", "arn:aws:s3:::lab3-models/hands/model.tar.gz")
        assert not allows(role, "s3:GetObject", "arn:aws:s3:::lab3-rawdata/left/1.jpg")

    @pytest.mark.parametrize("words", [("predict",), ("jobs",), ("jobs", "predict")])
    def test_nothing_runs_for_predict_and_jobs_so_there_is_no_role(self, words: tuple[Word, ...]) -> None:
        assert role_policy(needs(words=words)) is None

    def test_metrics_go_to_sagemaker_s_own_namespaces(self) -> None:
        role = role_policy(needs())
        for name, right in (("/aws/sagemaker/TrainingJobs", True), ("AWS/Billing", False)):
            assert allows(role, "cloudwatch:PutMetricData", "*", cloudwatch__namespace=name) == right


class TestThePerson:
    @pytest.mark.parametrize(
        ("word", "action", "resource"),
        [
            ("train", "sagemaker:CreateTrainingJob", "training-job/hands"),
            ("train", "sagemaker:AddTags", "training-job/hands"),
            ("tune", "sagemaker:CreateHyperParameterTuningJob", "hyper-parameter-tuning-job/hands"),
            ("tune", "sagemaker:DescribeTrainingJob", "training-job/hands-001"),
            ("deploy", "sagemaker:CreateModel", "model/hands"),
            ("deploy", "sagemaker:CreateEndpoint", "endpoint/hands"),
            ("deploy", "sagemaker:CreateEndpoint", "endpoint-config/hands"),
            ("deploy", "sagemaker:DeleteEndpoint", "endpoint/hands"),
            ("predict", "sagemaker:InvokeEndpoint", "endpoint/hands"),
            ("transform", "sagemaker:CreateTransformJob", "transform-job/hands"),
            ("jobs", "sagemaker:StopTrainingJob", "training-job/hands"),
            ("jobs", "sagemaker:ListTags", "endpoint/hands"),
        ],
    )
    def test_each_word_may_do_its_work_in_this_account_and_region(
        self, word: Word, action: str, resource: str
    ) -> None:
        policy = person_policy(needs(words=(word,)))
        assert allows(policy, action, f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:{resource}")
        assert not allows(policy, action, f"arn:aws:sagemaker:us-east-1:999922223333:{resource}")
        assert not allows(policy, action, f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:{resource}")

    @pytest.mark.parametrize("word", WORDS)
    def test_no_word_may_do_another_one_s_work(self, word: Word) -> None:
        called = {f"sagemaker:{name}" for names in CALLS[word].values() for name in names}
        lists = {one for one in LISTS if one.startswith("sagemaker:")} if word == "jobs" else set()
        found = {one for one in actions(person_policy(needs(words=(word,)))) if one.startswith("sagemaker:")}
        assert found == called | lists

    def test_the_role_alone_is_passed_and_to_sagemaker_alone(self) -> None:
        policy = person_policy(needs(role="hands"))
        arn, other = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("hands", "admin"))
        to = "sagemaker.amazonaws.com"
        assert allows(policy, "iam:PassRole", arn, iam__PassedToService=to)
        assert not allows(policy, "iam:PassRole", other, iam__PassedToService=to)
        assert not allows(policy, "iam:PassRole", arn, iam__PassedToService="ec2.amazonaws.com")
        assert not allows(policy, "iam:PassRole", arn)

    @pytest.mark.parametrize("word", ["predict", "jobs"])
    def test_where_no_role_is_assumed_none_is_passed_and_nothing_written(self, word: Word) -> None:
        found = actions(person_policy(needs(words=(word,))))
        assert not {"iam:PassRole", "s3:PutObject"} & found

    def test_predict_reads_the_class_table_beside_the_model(self) -> None:
        policy = person_policy(needs(words=("predict",)))
        assert allows(policy, "s3:GetObject", "arn:aws:s3:::lab3-models/hands/job/classes.json")

    def test_jobs_touch_no_object(self) -> None:
        assert not [one for one in actions(person_policy(needs(words=("jobs",)))) if one.startswith("s3:")]

    def test_logs_are_read_and_not_written(self) -> None:
        found = {one for one in actions(person_policy(needs())) if one.startswith("logs:")}
        assert found == {"logs:DescribeLogStreams", "logs:GetLogEvents"}

    def test_manifests_are_uploaded_under_the_output(self) -> None:
        policy = person_policy(needs(words=("train",)))
        for action in ("s3:PutObject", "s3:AbortMultipartUpload", "s3:GetObject"):
            assert allows(policy, action, "arn:aws:s3:::lab3-models/hands/train.manifest")


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({}, id="as usual"),
        pytest.param({"kms_key": KEY}, id="with a key"),
        pytest.param({"kms_key": "alias/lab3"}, id="with an alias"),
        pytest.param({"region": "cn-north-1"}, id="in China"),
        pytest.param({"region": "us-gov-west-1", "account": "*"}, id="in GovCloud"),
        pytest.param({"pictures": ODD}, id="odd keys"),
        pytest.param({"role": f"arn:aws:iam::{ACCOUNT}:role/path/hands"}, id="a role's ARN"),
        *(pytest.param({"words": (word,)}, id=word) for word in WORDS),
    ],
)
class TestEveryDocument:
    def test_no_star_stands_where_an_arn_is_possible(self, given: dict[str, Any]) -> None:
        for document in both(needs(**given)):
            for one in statements(document):
                assert one["Effect"] == "Allow"
                assert not any("*" in action for action in one["Action"])
                if "*" in one["Resource"]:
                    assert set(one["Action"]) <= WITHOUT_ARN
                else:
                    assert all(resource.startswith("arn:aws") for resource in one["Resource"])

    def test_every_arn_is_of_the_region_s_partition(self, given: dict[str, Any]) -> None:
        needed = needs(**given)
        partition = {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(needed.region.rsplit("-", 2)[0], "aws")
        arns = [one for document in both(needed) for each in statements(document) for one in each["Resource"]]
        assert {one.split(":")[1] for one in arns if one != "*"} == {partition}

    def test_iam_takes_it(self, given: dict[str, Any], s3: "S3Client") -> None:
        shape = botocore.session.get_session().get_service_model("iam").shape_for("policyDocumentType")
        characters = re.compile(shape.metadata["pattern"].encode().decode("unicode_escape"))
        iam = boto3.session.Session().client("iam")
        needed = needs(**given)
        for number, document in enumerate(both(needed)):
            text = json.dumps(document)
            assert characters.fullmatch(text)
            assert all(ord(one) < 256 for one in json.dumps(document, ensure_ascii=False))
            iam.create_policy(PolicyName=f"policy{number}", PolicyDocument=text)
        trust = json.dumps(trust_document(needed))
        iam.create_role(RoleName="hands", AssumeRolePolicyDocument=trust)

    def test_it_is_short_enough_and_the_same_each_time(self, given: dict[str, Any]) -> None:
        first, again = list(both(needs(**given))), list(both(needs(**given)))
        assert json.dumps(first) == json.dumps(again)
        assert all(length(document) <= LONGEST for document in first)

    def test_its_statements_have_names_of_their_own(self, given: dict[str, Any]) -> None:
        for document in both(needs(**given)):
            names = [one["Sid"] for one in statements(document)]
            assert len(set(names)) == len(names)
            assert all(re.fullmatch("[A-Za-z0-9]+", name) for name in names)


def test_sagemaker_s_own_model_has_every_call() -> None:
    session = botocore.session.get_session()
    known = {*session.get_service_model("sagemaker").operation_names, "InvokeEndpoint"}
    called = {name for word in CALLS.values() for names in word.values() for name in names}
    listed = {name.removeprefix("sagemaker:") for name in LISTS if name.startswith("sagemaker:")}
    assert called | listed <= known


def test_many_buckets_have_wider_prefixes_before_they_are_too_many() -> None:
    def some(buckets: int) -> dict[str, tuple[str, ...]]:
        folders = tuple(f"a-rather-long-folder-{number}/" for number in range(MOST))
        return {f"lab3-rawdata-{number:03}": folders for number in range(buckets)}

    role = role_policy(needs(pictures=some(8)))
    assert allows(role, "s3:GetObject", "arn:aws:s3:::lab3-rawdata-000/a-rather-long-folder-0/1.jpg")
    assert length(role or {}) <= LONGEST
    with pytest.raises(Refused, match=r"expected at most 6,144 characters, found [\d,]+ for 200 buckets"):
        role_policy(needs(pictures=some(200)))


class TestTrust:
    def test_sagemaker_alone_may_assume_the_role_and_for_this_account(self) -> None:
        (one,) = trust_document(needs())["Statement"]
        assert one["Principal"] == {"Service": "sagemaker.amazonaws.com"}
        assert one["Action"] == "sts:AssumeRole"
        assert one["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}

    def test_an_unknown_account_is_no_condition(self) -> None:
        (one,) = trust_document(needs(account="*"))["Statement"]
        assert "Condition" not in one


class TestKey:
    USE = ("kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey")

    @pytest.mark.parametrize("key", [KEY, KEY.rpartition("/")[2]], ids=["an ARN", "an ID"])
    def test_it_is_used_by_its_arn(self, key: str) -> None:
        needed = needs(kms_key=key)
        for document in both(needed):
            assert all(allows(document, action, KEY) for action in self.USE)
            assert not allows(document, "kms:Decrypt", KEY.replace("0d4a", "1d4a"))

    @pytest.mark.parametrize("key", ["alias/lab3", f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/lab3"])
    def test_an_alias_is_a_condition(self, key: str) -> None:
        role = role_policy(needs(kms_key=key))
        assert allows(role, "kms:Decrypt", KEY, kms__ResourceAliases="alias/lab3")
        assert not allows(role, "kms:Decrypt", KEY, kms__ResourceAliases="alias/lab4")
        assert not allows(role, "kms:Decrypt", KEY)

    def test_a_grant_is_for_aws_alone(self) -> None:
        role = role_policy(needs(kms_key=KEY))
        assert allows(role, "kms:CreateGrant", KEY, kms__GrantIsForAWSResource="true")
        assert not allows(role, "kms:CreateGrant", KEY)

    def test_without_a_key_there_is_no_word_of_kms(self) -> None:
        assert "kms:" not in json.dumps(list(both(needs())))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param({"region": "mars-1"}, "the region mars-1 has no image-classification", id="no region"),
        pytest.param({"algorithms": ("xgboost",)}, "expected one of image-classification", id="no algorithm"),
        pytest.param({"pictures": {"a*": ("",)}}, "no bucket is called 'a*'", id="a star for a bucket"),
        pytest.param({"pictures": {"a\nb": ("",)}}, "expected s3://bucket/key", id="a line for a bucket"),
        pytest.param({"pictures": {"${aws:username}": ("",)}}, "no bucket is called", id="a variable"),
        pytest.param({"output": "models"}, "output: expected s3://bucket/key", id="no place"),
        pytest.param({"account": "12"}, "account: expected 12 digits", id="no account"),
        pytest.param({"role": "a*"}, "expected a role's name or ARN", id="a star for a role"),
        pytest.param({"role": "arn:aws:iam::1:user/me"}, "role: expected arn:aws:iam", id="a user"),
        pytest.param(
            {"role": f"arn:aws-cn:iam::{ACCOUNT}:role/x"}, "role: expected one of aws", id="elsewhere"
        ),
        pytest.param({"kms_key": "*"}, "expected a KMS key's ID, ARN or alias", id="a star for a key"),
    ],
)
def test_what_could_open_more_than_was_meant_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused) as raised:
        needs(**given)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.trainers.sagemaker.iam import actions, allows
from trainers.sagemaker.account.policy import Needs, person_policy, role_policy, trust_document

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

    Run = Callable[..., Result]

ACCOUNT = "111122223333"
OUTPUT = "s3://lab3-models/hands"
MANIFEST = "s3://lab3-parts/hands/train.manifest"

Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def policy(in_folder: Path, run: "Run") -> Typed:
    """Return ``policy("a.manifest", ...)``: exit code, standard output and error of mtool policy."""
    Path("a.manifest").write_text('{"source-ref": "s3://raw-data/left/1.jpg"}\n')

    def type_words(*words: str) -> tuple[int, str, str]:
        done = run("policy", *words)
        return done.exit_code, done.stdout, done.stderr.removeprefix("mtool: ")

    return type_words


ASKED = ("a.manifest", "--output", OUTPUT, "--account", ACCOUNT)


class TestTheWord:
    def test_it_prints_all_three_documents(self, policy: Typed) -> None:
        code, out, said = policy(*ASKED)
        assert code == 0
        documents = [json.loads(f"{{{one}") for one in re.split(r"^\{", out, flags=re.MULTILINE)[1:]]
        wanted = Needs(region="us-east-1", pictures={"raw-data": ("left/",)}, output=OUTPUT, account=ACCOUNT)
        assert documents == [role_policy(wanted), trust_document(wanted), person_policy(wanted)]
        assert said.splitlines() == [
            "the policy of mtool-sagemaker, the role that jobs assume (--of role):",
            "who may assume it, its trust document (--trust):",
            "the policy of who types mtool (--of person):",
        ]

    def test_one_document_alone_is_a_file_for_iam(self, policy: Typed) -> None:
        documents = json.loads(policy(*ASKED, "--json")[1])
        assert json.loads(policy(*ASKED, "--trust", "-q")[1]) == documents["trust"]
        assert json.loads(policy(*ASKED, "--of", "role", "-q")[1]) == documents["role"]
        assert json.loads(policy(*ASKED, "--of", "person", "-q")[1]) == documents["person"]

    def test_only_what_was_asked_for_is_allowed(self, policy: Typed) -> None:
        documents = json.loads(policy("a.manifest", "--for", "predict", "--for", "jobs", "--json", "-q")[1])
        assert (documents["role"], documents["trust"]) == (None, None)
        assert "sagemaker:CreateTrainingJob" not in actions(documents["person"])
        assert {"sagemaker:InvokeEndpoint", "sagemaker:ListTrainingJobs"} <= actions(documents["person"])

    def test_a_manifest_in_s3_says_where_jobs_write(self, policy: Typed, s3: "S3Client") -> None:
        s3.create_bucket(Bucket="lab3-parts")
        s3.put_object(Bucket="lab3-parts", Key="hands/train.manifest", Body=Path("a.manifest").read_bytes())
        documents = json.loads(policy(MANIFEST, "--json", "-q")[1])
        assert allows(documents["role"], "s3:PutObject", "arn:aws:s3:::lab3-parts/hands/job/model.tar.gz")
        assert allows(documents["role"], "s3:GetObject", "arn:aws:s3:::lab3-parts/hands/train.manifest")

    def test_buckets_do_without_a_manifest(self, policy: Typed) -> None:
        documents = json.loads(policy("--bucket", "s3://raw-data", "--output", OUTPUT, "--json", "-q")[1])
        assert allows(documents["role"], "s3:GetObject", "arn:aws:s3:::raw-data/x/1.jpg")

    def test_the_account_is_the_role_s(self, policy: Typed) -> None:
        role = f"arn:aws:iam::{ACCOUNT}:role/hands"
        code, out, said = policy("a.manifest", "--output", OUTPUT, "--role", role, "--json")
        assert (code, said) == (0, "")
        assert ACCOUNT in json.dumps(json.loads(out)["trust"])

    def test_an_unknown_account_is_said(self, policy: Typed) -> None:
        said = policy("a.manifest", "--output", OUTPUT, "--json")[2]
        assert (
            said
            == "the account is not known, so the policies say *; type --account ID, or --role with its ARN\n"
        )

    def test_the_trust_document_needs_no_bucket(self, policy: Typed) -> None:
        code, out, said = policy("--trust", "--account", ACCOUNT)
        assert (code, said) == (0, "")
        assert out == policy(*ASKED, "--trust")[1]

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            pytest.param((), "which buckets?", id="nothing"),
            pytest.param(("a.manifest",), "where do jobs write?", id="no output"),
            pytest.param((*ASKED, "--trust", "--of", "role"), "three forms of output", id="two forms"),
            pytest.param((*ASKED, "--for", "jobs", "--trust"), "so there is no role", id="no role"),
            pytest.param(("none.manifest", "--output", OUTPUT), "no such file", id="no file"),
            pytest.param(
                ("--bucket", "raw-data", "--output", OUTPUT), "--bucket: expected s3://", id="no URI"
            ),
            pytest.param((*ASKED, "--region", "mars-1"), "the region mars-1 has no", id="no region"),
        ],
    )
    def test_what_it_cannot_answer_is_refused(
        self, policy: Typed, words: tuple[str, ...], message: str
    ) -> None:
        code, out, said = policy(*words)
        assert (code, out) == (2, "")
        assert message in said

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trainers.sagemaker.api_gateway import ApiGateway, api_gateway
from tests.trainers.sagemaker.labs import endpoint_config, model
from tests.trainers.sagemaker.served_models import API_ROLE
from tests.trainers.sagemaker.stand_in import SageMaker
from trainers.sagemaker import Endpoint, Instances, create
from trainers.sagemaker.client.calls import Call, of_sagemaker
from trainers.sagemaker.client.scripts import as_json, as_script
from trainers.sagemaker.serving.api_gateway import Api, calls, definition

__all__ = ["api_gateway"]  # a fixture

if TYPE_CHECKING:
    pass

API = Api(name="birds-1", region="us-east-1", role=API_ROLE)
VALUES = (model(), endpoint_config(Instances("ml.m5.large")), Endpoint(name="birds-1", config="birds-1"))
CALLS = (*(of_sagemaker(create(value)) for value in VALUES), *calls(API))

# Words that mean something to Python, to a shell, or to both.
HOSTILE = ["'; touch owned; '", '"""', "$(touch owned)", "`touch owned`", "\\", "\n", "\u2028", "{0}", "EOF"]


def test_as_json_every_request_is_whole() -> None:
    rows = json.loads(as_json(CALLS))
    assert [row["operation"] for row in rows] == [call.operation for call in CALLS]
    assert rows[0]["request"] == create(model()).body
    assert rows[3]["request"]["body"] == definition(API)
    assert rows[4]["request"] == {"stageName": "v1", "restApiId": "(from the answer before)"}


def test_the_script_of_boto3_makes_all_of_it(
    sagemaker: SageMaker,
    api_gateway: ApiGateway,
    tmp_path: Path,
) -> None:
    file = tmp_path / "make.py"
    file.write_text(as_script("boto3", CALLS, region="us-east-1"))
    done = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert sagemaker.sent("CreateModel") == [create(model()).body]
    assert list(sagemaker.endpoints) == ["birds-1"]
    (made,) = api_gateway.apis.values()
    assert made["stages"] == ["v1"]
    assert made["document"] == definition(API)


FAKE_AWS = """#!{python}
import json, sys
words = sys.argv[1:]
document = json.load(sys.stdin) if "--body" in words else None
with open({log!r}, "a") as log:
    log.write(json.dumps([words, document]) + "\\n")
if "import-rest-api" in words:
    print("a1b2")
"""


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the log of a program called ``aws``, a line of JSON a call."""
    program, log = tmp_path / "aws", tmp_path / "log"
    program.write_text(FAKE_AWS.format(python=sys.executable, log=str(log)))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return log


def test_the_shell_s_script_makes_all_of_it(aws: Path) -> None:
    words = ["sh", "-c", as_script("cli", CALLS, region="us-east-1")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    message = [json.loads(line) for line in aws.read_text().splitlines()]
    assert [words[1] for words, _ in message] == [
        "create-model",
        "create-endpoint-config",
        "create-endpoint",
        "import-rest-api",
        "create-deployment",
    ]
    assert json.loads(message[0][0][message[0][0].index("--cli-input-json") + 1]) == create(model()).body
    assert message[3][1] == definition(API)
    assert "--fail-on-warnings" in message[3][0]
    assert message[4][0][-2:] == ["--rest-api-id", "a1b2"]


@given(texts=st.lists(st.sampled_from(HOSTILE) | st.text(max_size=9), max_size=3))
def test_what_is_in_a_request_is_only_ever_text(texts: list[str]) -> None:
    call = Call("sagemaker", "create_model", {"ModelName": "".join(texts), "Tags": texts})
    namespace: dict[str, object] = {}
    head, _, _ = as_script("boto3", [call, call], region="us-east-1").partition('found = ""')
    exec(head.replace("import boto3", ""), namespace)
    assert namespace["CALLS"] == [["sagemaker", "create_model", call.body, "", ""]] * 2

"""What is emitted is run: the script by Python, the command line by a shell; what arrives is compared."""

import ast
import json
import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trainers.sagemaker.labs import GOLDEN
from trainers.sagemaker import create
from trainers.sagemaker.client.scripts import as_boto3, as_cli

# Names that would break out of a string, a comment, a quotation or a format, if they could.
HOSTILE = [
    "'; touch pwned; '",
    '"); import os; os.system("touch pwned"); ("',
    '""" + __import__("os").system("touch pwned") + """',
    "$(touch pwned) `touch pwned` $HOME !! \\",
    "{operation} {request} {0} %s %(x)s",
    "a\nb\rc\x00\u2028\u202e\ud800\U0001f426",
    "\\'\\\"\\n",
]


class Recorder(HTTPServer):
    """An AWS that says yes, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked: list[tuple[str, Any]] = []


class Answer(BaseHTTPRequestHandler):
    server: Recorder

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.headers["X-Amz-Target"], json.loads(body)))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.end_headers()
        self.wfile.write(b'{"TrainingJobArn": "arn:aws:sagemaker:us-east-1:111122223333:training-job/birds"}')

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def assigned(script: str) -> Any:
    """Return what a script calls REQUEST, read and not run."""
    (value,) = [node.value for node in ast.parse(script).body if isinstance(node, ast.Assign)][:1]
    return ast.literal_eval(value)


def test_the_script_sends_the_request(recorder: Recorder, tmp_path: Path) -> None:
    operation, body = create(GOLDEN["everything"])
    script = tmp_path / "send.py"
    script.write_text(as_boto3(operation, body, region="us-east-1"), "utf-8")
    environment = {**os.environ, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{recorder.server_port}"}
    done = subprocess.run([sys.executable, str(script)], env=environment, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert recorder.asked == [("SageMaker.CreateTrainingJob", body)]
    assert json.loads(done.stdout)["TrainingJobArn"].endswith("training-job/birds")


def test_the_command_line_is_one_command_for_a_shell(tmp_path: Path) -> None:
    """A stand-in for ``aws`` writes down its arguments; the shell is a real one."""
    aws = tmp_path / "aws"
    aws.write_text(
        f"#!{sys.executable}\nimport json, sys\njson.dump(sys.argv[1:], open('asked', 'w'))\n", "utf-8"
    )
    aws.chmod(0o755)
    body = {"TrainingJobName": "birds", "HyperParameters": dict(zip("abcdefg", HOSTILE, strict=True))}
    line = as_cli("create_training_job", body, region="us-east-1")
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-c", line], cwd=tmp_path, env=environment, check=True, timeout=60)
    *words, given = json.loads((tmp_path / "asked").read_text("utf-8"))
    assert words == ["sagemaker", "create-training-job", "--region", "us-east-1", "--cli-input-json"]
    assert json.loads(given) == body
    assert sorted(path.name for path in tmp_path.iterdir()) == ["asked", "aws"]


@pytest.mark.parametrize("name", GOLDEN)
def test_every_golden_request_comes_through_both(name: str) -> None:
    operation, body = create(GOLDEN[name])
    assert assigned(as_boto3(operation, body)) == body
    *words, sent = shlex.split(as_cli(operation, body))
    assert words == ["aws", "sagemaker", operation.replace("_", "-"), "--cli-input-json"]
    assert json.loads(sent) == body


texts = (
    st.text() | st.sampled_from(HOSTILE) | st.text(st.characters(categories=["Cs", "Cf", "Zl", "Zp", "Cc"]))
)
values = st.recursive(
    texts | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(texts, values, max_size=4), texts)
def test_nothing_in_a_request_is_more_than_text(body: dict[str, Any], region: str) -> None:
    script = as_boto3("create_training_job", body, region=region)
    assert script.isascii()
    tree = ast.parse(script)
    assert assigned(script) == body
    kinds = [type(node).__name__ for node in tree.body]
    assert kinds == ["Expr", "Import", "Import", "Assign", "Assign", "Assign", "Expr", "Expr"]
    assert ast.unparse(tree.body[4]) == f"client = boto3.client('sagemaker', region_name={region!r})"


@given(st.dictionaries(texts, values, max_size=4), texts)
def test_nothing_in_a_request_is_more_than_one_word(body: dict[str, Any], region: str) -> None:
    words = shlex.split(as_cli("create_training_job", body, region=region))
    assert words[:5] == ["aws", "sagemaker", "create-training-job", "--region", region]
    # Two halves of a character side by side become one on the way, as they do in what boto3 sends.
    assert json.loads(words[6]) == json.loads(json.dumps(body)) and len(words) == 7


def test_a_script_reads_like_json() -> None:
    script = as_boto3("stop_training_job", {"A": "bird's", "B": [1, True, None], "C": {}, "D": []})
    assert 'REQUEST = {\n    "A": "bird\'s",\n    "B": [\n        1,\n        True,\n' in script
    assert '    "C": {},\n    "D": [],\n}\n\nclient = boto3.client(\'sagemaker\')\n' in script


def test_another_service_can_be_asked() -> None:
    assert "boto3.client('apigatewayv2')" in as_boto3("create_api", {}, service="apigatewayv2")
    assert as_cli("create_api", {}, service="apigatewayv2").startswith(
        "aws apigatewayv2 create-api --cli-input"
    )


@pytest.mark.parametrize("operation", ["", "create-job", "a;b", "a.b", "a b", "_a", "a(", "a\n"])
def test_an_operation_is_a_name(operation: str) -> None:
    for emit in (as_boto3, as_cli):
        with pytest.raises(ValueError, match="expected the name of a method"):
            emit(operation, {})
        with pytest.raises(ValueError, match="expected the name of a service"):
            emit("create_api", {}, service="a b")


def test_what_json_cannot_hold_is_a_mistake_of_ours() -> None:
    for emit in (as_boto3, as_cli):
        with pytest.raises(TypeError):
            emit("create_api", {"a": b""})

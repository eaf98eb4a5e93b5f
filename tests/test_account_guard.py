"""The guard in conftest.py, watched by running tests of its own under it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAD = """
import os, socket, urllib.request
import pytest

def test_it(tmp_path):
"""


def outcome(folder: Path, body: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run one test under a copy of our conftest.py, in a folder of its own."""
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    (folder / "test_it.py").write_text(HEAD + lines)
    (folder / "conftest.py").write_bytes(Path(__file__).with_name("conftest.py").read_bytes())
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("body", "reached"),
    [
        pytest.param("socket.create_connection(('192.0.2.1', 443), 1)", "192.0.2.1", id="IPv4"),
        pytest.param(
            "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 443))", "2001:db8::1", id="IPv6"
        ),
        pytest.param(
            "socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('192.0.2.1', 53))",
            "192.0.2.1",
            id="a datagram",
        ),
        pytest.param("socket.gethostbyname('example.invalid')", "example.invalid", id="a name"),
        pytest.param(
            "urllib.request.urlopen('http://169.254.169.254/latest')",
            "169.254.169.254",
            id="a machine's metadata",
        ),
        pytest.param(
            "import boto3\n"
            "os.environ.pop('AWS_ENDPOINT_URL')\n"
            "boto3.session.Session().client('s3').list_buckets()",
            "amazonaws.com",
            id="AWS itself",
        ),
        pytest.param(
            "with pytest.raises(OSError):\n    socket.create_connection(('192.0.2.1', 443), 1)",
            "192.0.2.1",
            id="one that does not mind being refused",
        ),
    ],
)
def test_a_test_that_would_reach_elsewhere_fails(tmp_path: Path, body: str, reached: str) -> None:
    done = outcome(tmp_path, body)
    assert done.returncode == 1
    assert "the account guard: the test would reach" in done.stdout
    assert reached in done.stdout
    assert "1 failed" in done.stdout


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            "server = socket.create_server(('127.0.0.1', 0))\n"
            "socket.create_connection(server.getsockname()).close()\n"
            "server.close()",
            id="a server on this machine",
        ),
        pytest.param("a, b = socket.socketpair(); a.close(); b.close()", id="a pair of sockets"),
        pytest.param("socket.getaddrinfo('localhost', 80)", id="this machine's name"),
    ],
)
def test_this_machine_may_be_reached(tmp_path: Path, body: str) -> None:
    done = outcome(tmp_path, body)
    assert (done.returncode, done.stderr) == (0, "")


def test_nobodys_account_is_in_the_environment(tmp_path: Path) -> None:
    body = """
import boto3
assert 'AWS_PROFILE' not in os.environ and 'AWS_ENDPOINT_URL_S3' not in os.environ
assert 'https_proxy' not in os.environ
assert boto3.session.Session().get_credentials().access_key == 'testing'
with pytest.raises(Exception, match='Could not connect to the endpoint URL: "http://127.0.0.1'):
    boto3.session.Session().client('s3').list_buckets()
"""
    done = outcome(
        tmp_path,
        body,
        AWS_PROFILE="somebody",
        AWS_ACCESS_KEY_ID="real",
        AWS_ENDPOINT_URL_S3="https://192.0.2.1",
        https_proxy="http://192.0.2.1:3128",
    )
    assert done.returncode == 0, done.stdout

"""Fixtures for all tests: the account guard, a local S3 and SageMaker, the samples and the corpus."""

import importlib.util
import ipaddress
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from playwright.sync_api import Browser
    from typer.testing import Result

    from tests.trainers.sagemaker.stand_in import SageMaker

REPOSITORY = Path(__file__).parent.parent

# How long an example takes is the machine's business, which has others to do.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

# What would lead a test to somebody's account, or its loopback requests through a proxy.
STRANGERS = ("AWS_", "MTOOL_IMAGES", "MTOOL_S3", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "BOTO_CONFIG")

# Where names and addresses stand among the arguments of the audit events of Python's sockets.
ADDRESSES: dict[str, Callable[..., Any]] = {
    "socket.connect": lambda _, address: address[0] if isinstance(address, tuple) else None,
    "socket.sendto": lambda _, address: address[0] if isinstance(address, tuple) else None,
    "socket.sendmsg": lambda _, address: address[0] if isinstance(address, tuple) else None,
    "socket.getaddrinfo": lambda host, *_: host,
    "socket.gethostbyname": lambda host: host,
    "socket.gethostbyaddr": lambda host: host,
}

# botocore's own variables, one a service; AWS_ENDPOINT_URL stays with moto, or closed.
SAGEMAKER_SERVICES = ("SAGEMAKER", "SAGEMAKER_RUNTIME", "CLOUDWATCH_LOGS")

_reached: list[str] = []


def _is_this_machine(host: Any) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if not isinstance(name, str) or name in ("", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _guard(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse, and remember, what would leave this machine; an audit hook cannot be removed again."""
    if event in ADDRESSES and not _is_this_machine(host := ADDRESSES[event](*arguments)):
        _reached.append(f"{event} {host!r}")
        raise PermissionError(f"the account guard: a test would reach {host!r}")


sys.addaudithook(_guard)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Fail a test that would have reached elsewhere, also when it did not mind being refused."""
    _reached.clear()
    try:
        yield
    finally:
        if _reached:
            pytest.fail(f"the account guard: the test would reach {', '.join(_reached)}")


@pytest.fixture(scope="session", autouse=True)
def account_guard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give tests, and the processes they start, dummy credentials and an endpoint that is closed."""
    nowhere = tmp_path_factory.mktemp("no-aws")
    with pytest.MonkeyPatch.context() as environment, socket.socket() as closed:
        for name in [name for name in os.environ if name.upper().startswith(STRANGERS)]:
            environment.delenv(name)
        # Bound and never listening: it refuses, and nobody else can come to listen there.
        closed.bind(("127.0.0.1", 0))
        for name, value in {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_CONFIG_FILE": str(nowhere / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(nowhere / "credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
            "MTOOL_S3": "boto3",  # so that it is known what is asked; tests of obstore take it away
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{closed.getsockname()[1]}",
        }.items():
            environment.setenv(name, value)
        yield


@pytest.fixture(scope="session", autouse=True)
def service_models() -> Iterator[None]:
    """Let all sessions of botocore share what they read: SageMaker's model alone takes half a second."""
    from botocore.loaders import Loader

    unpatched = Loader.__init__
    shared: dict[object, object] = {}

    def initialize(loader: Any, *args: Any, **options: Any) -> None:
        unpatched(loader, *args, **options)
        loader._cache = shared

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Loader, "__init__", initialize)
        yield


@pytest.fixture(scope="session")
def moto_endpoint(account_guard: None) -> Iterator[str]:
    """Return the address of moto's server, one for each process of pytest."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def moto_client(moto_endpoint: str) -> "S3Client":
    """Return a client of moto's S3; a new one for each test would take as long as the test."""
    import boto3

    return boto3.session.Session().client("s3", endpoint_url=moto_endpoint)


@pytest.fixture
def s3(moto_endpoint: str, moto_client: "S3Client", monkeypatch: pytest.MonkeyPatch) -> "S3Client":
    """Return a client of an empty S3 over HTTP, where ``AWS_ENDPOINT_URL`` now leads as well."""
    with urlopen(Request(f"{moto_endpoint}/moto-api/reset", method="POST")):
        monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
    return moto_client


@pytest.fixture
def sagemaker(account_guard: None, monkeypatch: pytest.MonkeyPatch) -> "Iterator[SageMaker]":
    """Return a stand-in for SageMaker; a test that asked it what the service would not take fails.

    A test that means to do so clears ``sagemaker.invalid``. S3, STS and CloudWatch's metrics are with moto:
    take the fixture ``s3`` as well.
    """
    from tests.trainers.sagemaker.stand_in import SageMaker

    server = SageMaker()
    server.start()
    for service in SAGEMAKER_SERVICES:
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", server.url)
    yield server
    server.stop()
    assert server.invalid == []


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Return the folder of real manifests, which are not ours to copy into the project."""
    folder = Path(os.environ.get("MTOOL_CORPUS") or REPOSITORY.parent / "shared" / "corpus")
    if not folder.is_dir():
        pytest.skip(f"no corpus of real manifests at {folder}; set MTOOL_CORPUS")
    return folder


@pytest.fixture(scope="session")
def cases() -> Path:
    """Return the folder of inputs from the field that once went wrong, which are not ours to copy either."""
    folder = Path(os.environ.get("MTOOL_CASES") or REPOSITORY.parent / "shared" / "cases")
    if not folder.is_dir():
        pytest.skip(f"no cases from the field at {folder}; set MTOOL_CASES")
    return folder


@pytest.fixture(scope="session")
def sample() -> Path:
    """Return the folder ``sample_manifests``."""
    return REPOSITORY / "sample_manifests"


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Return the system's Chromium; one for each module, for its driver keeps an event loop running."""
    from tests.browser import chromium

    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def mxnet() -> Any:
    """Return the module; who asks MXNet, learns or predicts with it, is skipped without the extra gluon."""
    if importlib.util.find_spec("mxnet") is None:
        pytest.skip("MXNet is not installed: the extra gluon")
    from trainers.gluon.mxnet_import import load_mxnet

    return load_mxnet()


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run() -> Callable[..., "Result"]:
    """Return ``run("split", "a.manifest", input=b"")``: mtool in this process, as typed.

    The result has ``exit_code``, and ``stdout`` and ``stderr`` apart; what mtool did not foresee
    is raised, so that no crash passes for an exit code.
    """
    from typer.testing import CliRunner

    from manifest_tools.cli.app import app

    def invoke(*words: object, input: str | bytes | None = None) -> "Result":
        typed = [str(word) for word in words]
        return CliRunner().invoke(app, typed, input=input, prog_name="mtool", catch_exceptions=False)

    return invoke

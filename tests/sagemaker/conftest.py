"""The stand-in for SageMaker, where botocore's own variables lead: only these services reach it."""

from collections.abc import Iterator

import pytest

from tests.sagemaker.stand_in import SageMaker

# botocore's own variables, one a service; AWS_ENDPOINT_URL stays with moto, or closed.
SERVICES = ("SAGEMAKER", "SAGEMAKER_RUNTIME", "CLOUDWATCH_LOGS")


@pytest.fixture
def sagemaker(account_guard: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[SageMaker]:
    """Return a SageMaker with nothing in it, and fail a test that asked it what the service would not take.

    A test that means to do so clears ``sagemaker.invalid``. S3, STS and CloudWatch's metrics are with moto:
    take the fixture ``s3`` as well.
    """
    server = SageMaker()
    server.start()
    for service in SERVICES:
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", server.url)
    yield server
    server.stop()
    assert server.invalid == []

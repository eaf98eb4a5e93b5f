from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import Refused
from tests.trainers.sagemaker.labs import IC, ROLE, endpoint_config, model, transform_job
from tests.trainers.sagemaker.service_model import problems
from trainers.sagemaker import Endpoint, EndpointConfig, Instances, Serverless, create


@pytest.mark.parametrize(
    ("other", "message"),
    [
        pytest.param({"name": "a_b"}, "name of the model", id="a name with an underscore"),
        pytest.param({"region": "ap-southeast-7"}, "has no image-classification", id="a region without it"),
        pytest.param({"role": "me"}, "role: expected arn", id="no ARN"),
        pytest.param(
            {"role": ROLE.replace("aws:", "aws-cn:")}, "expected one of aws,", id="a role elsewhere"
        ),
        pytest.param({"data": "model.tar.gz"}, "model: expected s3://", id="a local model"),
        pytest.param({"data": "s3://example-bucket/model/"}, "expected s3://.../model.tar.gz", id="a folder"),
        pytest.param({"tags": {"a": ","}}, "no commas", id="a tag with a comma"),
        pytest.param({"environment": {"a-b": ""}}, "environment: expected", id="a variable"),
    ],
)
def test_a_model_that_would_fail_is_refused(other: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused) as refused:
        replace(model(), **other)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("memory", "concurrency", "message"),
    [
        pytest.param(
            3000, 1, "memory: expected 1024, 2048, 3072, 4096, 5120, 6144 MB, found 3,000", id="between"
        ),
        pytest.param(8192, 1, "found 8,192", id="too much"),
        pytest.param(1024, 0, "concurrency: expected 1 to 200", id="nobody at a time"),
        pytest.param(1024, 201, "concurrency: expected 1 to 200", id="too many"),
    ],
)
def test_serverless_has_limits(memory: int, concurrency: int, message: str) -> None:
    with pytest.raises(Refused) as refused:
        Serverless(memory, concurrency)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("serving", "key", "message"),
    [
        pytest.param(Instances("ml.c6g.large"), None, "an ARM", id="an ARM"),
        pytest.param(Instances("ml.g5.xlarge"), "k", "disk of its own", id="a key for a machine's own disk"),
        pytest.param(Serverless(), "k", "a serverless endpoint has no volume", id="a key for no disk"),
        pytest.param(Instances("ml.m5.large"), "a key", "volume key: expected a KMS key's", id="no key"),
    ],
)
def test_a_configuration_that_would_fail_is_refused(
    serving: Instances | Serverless, key: str | None, message: str
) -> None:
    with pytest.raises(Refused) as refused:
        EndpointConfig(name="a", algorithm=IC, model="a", serving=serving, volume_key=key)
    assert message in str(refused.value)


def test_an_endpoint_has_a_machine_at_least() -> None:
    with pytest.raises(Refused, match="instance count: expected 1 to 1,000, found 0"):
        Instances("ml.m5.large", 0)


@pytest.mark.parametrize("other", [{"name": "a.b"}, {"config": ""}, {"tags": {"a\n": ""}}])
def test_an_endpoint_that_would_fail_is_refused(other: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        Endpoint(**{"name": "a", "config": "a", **other})


@pytest.mark.parametrize(
    ("other", "message"),
    [
        pytest.param(
            {"concurrent": 17}, "expected at most 100 MB, found 17 times 6 MB", id="too much at once"
        ),
        pytest.param({"max_payload": 101}, "max payload (MB): expected 1 to 100", id="too large"),
        pytest.param({"concurrent": 0}, "concurrent transforms: expected 1 to", id="nothing at once"),
        pytest.param(
            {"instance_type": "ml.t2.medium"}, "image-classification transforms on", id="no such type here"
        ),
        pytest.param({"count": 0}, "instance count", id="no machine"),
        pytest.param({"input": "pictures/"}, "input: expected s3://", id="local pictures"),
        pytest.param({"timeout": 3601}, "timeout (seconds): expected 1 to 3,600", id="too patient"),
        pytest.param({"retries": 4}, "retries: expected 0 to 3", id="too stubborn"),
        pytest.param({"accept": ""}, "accept: expected 1 to 256", id="accepts nothing"),
        pytest.param(
            {"instance_type": "ml.g5.xlarge", "volume_key": "k"}, "disk of its own", id="a key too many"
        ),
    ],
)
def test_a_transform_job_that_would_fail_is_refused(other: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused) as refused:
        transform_job(**other)
    assert message in str(refused.value)


texts = st.text(max_size=40)
keys = st.none() | st.text("ab:/_-", max_size=9) | texts
tags = st.dictionaries(texts, texts, max_size=2)
types = st.sampled_from(["ml.m5.large", "ml.c5.xlarge", "ml.g5.xlarge", "ml.p3.2xlarge", "ml.p3dn.24xlarge"])
few = st.none() | st.integers(-1, 60)
places = st.builds("s3://example-bucket/{}".format, texts) | texts

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "model": st.builds(
        lambda **other: replace(model(), **other),
        data=st.builds("s3://{}/{}.tar.gz".format, st.just("example-bucket") | texts, texts),
        environment=st.dictionaries(st.from_regex(r"[A-Z_]{0,5}", fullmatch=True) | texts, texts, max_size=2),
        network_isolation=st.booleans(),
        tags=tags,
    ),
    "configuration": st.builds(
        lambda serving, key, tags: replace(endpoint_config(serving), volume_key=key, tags=tags),
        st.builds(Instances, types, st.integers(-1, 1001))
        | st.builds(Serverless, st.just(2048), st.integers(0, 201)),
        keys,
        tags,
    ),
    "endpoint": st.builds(
        Endpoint, name=st.text("aB0-", max_size=65), config=st.text("aB0-", max_size=65), tags=tags
    ),
    "transform": st.builds(
        transform_job,
        input=places,
        instance_type=types,
        count=st.integers(-1, 1001),
        data_type=st.sampled_from(["S3Prefix", "ManifestFile"]),
        content_type=st.just("image/jpeg") | texts,
        accept=st.none() | texts,
        concurrent=few,
        max_payload=st.integers(0, 101),
        timeout=few,
        retries=few,
        output_key=keys,
        volume_key=keys,
        tags=tags,
    ),
}


@pytest.mark.parametrize("what", VALUES)
@given(data=st.data())
def test_everything_that_can_be_made_is_a_request_that_the_service_takes(
    what: str, data: st.DataObject
) -> None:
    try:
        value = data.draw(VALUES[what])
    except Refused as refused:
        assert str(refused).isprintable()
    else:
        assert problems(*create(value)) == []

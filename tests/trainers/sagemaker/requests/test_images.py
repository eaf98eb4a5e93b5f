"""trainers/sagemaker/images.py; the name test_images.py is taken."""

from typing import Any

import botocore.session
import pytest
from botocore.loaders import Loader
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.algorithms import ALGORITHMS
from manifest_tools.base.errors import Refused
from trainers.sagemaker.requests.images import ACCOUNTS, image_uri, near, partition

PARTITIONS: Any = Loader().load_data("partitions")
SUFFIXES = {one["id"]: one["outputs"]["dnsSuffix"] for one in PARTITIONS["partitions"]}


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("region", ACCOUNTS)
def test_the_host_is_of_the_region_and_its_partition_as_botocore_knows_it(name: str, region: str) -> None:
    named = botocore.session.get_session().get_partition_for_region(region)
    assert partition(region) == named
    suffix = SUFFIXES[named]
    host, _, image = image_uri(name, region).partition("/")
    assert (host, image) == (f"{ACCOUNTS[region]}.dkr.ecr.{region}.{suffix}", f"{name}:1")


def test_accounts_are_of_twelve_digits_and_no_two_regions_share_one() -> None:
    assert {len(one) for one in ACCOUNTS.values() if one.isdecimal()} == {12}
    assert len(set(ACCOUNTS.values())) == len(ACCOUNTS) == 37


@pytest.mark.parametrize(
    ("region", "message"),
    [
        pytest.param(
            "ap-southeast-7", "near it: ap-southeast-1, ap-southeast-2", id="the same corner of the world"
        ),
        pytest.param("us-esat-1", "near it: us-west-1, us-east-1;", id="a slip of the pen"),
        pytest.param("mx-central-1", "near it: us-east-1, us-west-2, eu-west-1", id="nothing near"),
        pytest.param("eu-nowhere-9", "near it: eu-central-1", id="the same continent"),
        pytest.param("us-iso-west-1", "near it: us-iso-east-1;", id="the same partition, not the public one"),
        pytest.param("", "the region '' has no", id="empty"),
        pytest.param("us-east-1\x1b[2J", r"'us-east-1\\x1b[2J'", id="terminal escapes are quoted"),
    ],
)
def test_a_region_without_the_algorithm_is_refused_and_near_ones_named(region: str, message: str) -> None:
    with pytest.raises(Refused) as refused:
        image_uri("image-classification", region)
    assert message.replace("\\\\", "\\") in str(refused.value)


@given(st.text(max_size=40))
def test_whatever_is_typed_for_a_region_there_are_regions_to_name(region: str) -> None:
    assert 1 <= len(near(region)) <= 4
    assert set(near(region)) <= set(ACCOUNTS)


def test_an_algorithm_that_is_none_of_ours_is_refused() -> None:
    with pytest.raises(Refused, match="expected one of image-classification"):
        image_uri("xgboost", "us-east-1")

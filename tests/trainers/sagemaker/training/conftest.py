from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def bucket(s3: "S3Client") -> "S3Client":
    s3.create_bucket(Bucket="lab3-models")
    return s3

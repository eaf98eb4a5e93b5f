"""The images of the built-in algorithms: AWS's account in each region, as one table.

The table says where the registry is, and not where machines can be had.
"""

import difflib

from manifest_tools.algorithms import algorithm
from manifest_tools.base.errors import Refused
from manifest_tools.base.text import shown

# The same for all three algorithms: image-classification.json, semantic-segmentation.json and
# object-detection.json of SageMaker's Python SDK 2.257.7 and of sagemaker-core 2.27.0, compared entry by
# entry (https://github.com/aws/sagemaker-python-sdk).
ACCOUNTS = {
    "af-south-1": "455444449433",
    "ap-east-1": "286214385809",
    "ap-northeast-1": "501404015308",
    "ap-northeast-2": "306986355934",
    "ap-northeast-3": "867004704886",
    "ap-south-1": "991648021394",
    "ap-south-2": "628508329040",
    "ap-southeast-1": "475088953585",
    "ap-southeast-2": "544295431143",
    "ap-southeast-3": "951798379941",
    "ap-southeast-4": "106583098589",
    "ca-central-1": "469771592824",
    "ca-west-1": "190319476487",
    "cn-north-1": "390948362332",
    "cn-northwest-1": "387376663083",
    "eu-central-1": "813361260812",
    "eu-central-2": "680994064768",
    "eu-north-1": "669576153137",
    "eu-south-1": "257386234256",
    "eu-south-2": "104374241257",
    "eu-west-1": "685385470294",
    "eu-west-2": "644912444149",
    "eu-west-3": "749696950732",
    "il-central-1": "898809789911",
    "me-central-1": "272398656194",
    "me-south-1": "249704162688",
    "sa-east-1": "855470959533",
    "us-east-1": "811284229777",
    "us-east-2": "825641698319",
    "us-gov-east-1": "237065988967",
    "us-gov-west-1": "226302683700",
    "us-iso-east-1": "490574956308",
    "us-isob-east-1": "765400339828",
    "us-isof-east-1": "108575199400",
    "us-isof-south-1": "124985052026",
    "us-west-1": "632365934929",
    "us-west-2": "433757028032",
}

# Moves never; `latest` does. Training and serving take the same one.
TAG = "1"

# What a region's name begins with -> its partition (the second word of an ARN) and the end of its host names;
# the first that fits. From botocore's endpoints.json.
PARTITIONS = {
    "cn-": ("aws-cn", "amazonaws.com.cn"),
    "us-gov-": ("aws-us-gov", "amazonaws.com"),
    "us-isob-": ("aws-iso-b", "sc2s.sgov.gov"),
    "us-isof-": ("aws-iso-f", "csp.hci.ic.gov"),
    "us-iso-": ("aws-iso", "c2s.ic.gov"),
    "": ("aws", "amazonaws.com"),
}

_FEW = 4  # regions that a message names


def image_uri(name: str, region: str) -> str:
    """Return the image of the algorithm ``name``, for training and for serving.

    Raises Refused for a name that is no algorithm's, or a region without it.

    >>> image_uri("image-classification", "us-east-1")
    '811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1'
    >>> image_uri("image-classification", "ap-southeast-7")
    Traceback (most recent call last):
    manifest_tools.base.errors.Refused: the region ap-southeast-7 has no image-classification; near it: \
ap-southeast-1, ap-southeast-2, ap-southeast-3, ap-southeast-4; set AWS_REGION
    """
    repository = algorithm(name).name
    if region not in ACCOUNTS:
        few = ", ".join(near(region))
        raise Refused(f"the region {_plain(region)} has no {repository}; near it: {few}; set AWS_REGION")
    return f"{ACCOUNTS[region]}.dkr.ecr.{region}.{_of(region)[1]}/{repository}:{TAG}"


def partition(region: str) -> str:
    """Return the partition that a region's ARNs name.

    >>> partition("eu-west-1"), partition("cn-north-1")
    ('aws', 'aws-cn')
    """
    return _of(region)[0]


def near(region: str) -> list[str]:
    """Return some regions that have the algorithms: in the same part of the world, or with a similar name."""
    place, _, _ = region.rpartition("-")
    start = f"{region.partition('-')[0]}-"
    continent = [one for one in ACCOUNTS if one.startswith(start) and _of(one) == _of(region)]
    ways = (
        [one for one in ACCOUNTS if place and one.startswith(f"{place}-")],
        difflib.get_close_matches(region[:30], continent, 2, 0.85),
        continent,
        ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1"],
    )
    return next(found for found in ways if found)[:_FEW]


def _of(region: str) -> tuple[str, str]:
    return next(found for start, found in PARTITIONS.items() if region.startswith(start))


def _plain(region: str) -> str:
    """Return a region as it is; quoted where it is no name of a region."""
    return region if region.isascii() and region.replace("-", "").isalnum() else shown(region)

"""What deploy, predict and transform start from: trained jobs, archives, pictures; and where they go."""

import gzip
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

from manifest_tools.groundtruth.classes import ClassTable
from tests.trainers.sagemaker.resources import Step, Thing
from tests.trainers.sagemaker.stand_in import SageMaker

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "lab3-models"
ROLE = "arn:aws:iam::111122223333:role/SageMakerRole"
API_ROLE = "arn:aws:iam::111122223333:role/ask"
TABLE = ClassTable(((0, "RH"), (1, "LH")))
JOB = "hands-20240301-123005"
FOLDER = f"{JOB}"


def trained(sagemaker: SageMaker, s3: "S3Client | None" = None, **body: Any) -> Thing:
    """Have a training job there that is over; with ``s3`` its classes.json too."""
    settings = {"OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/"}, **body}
    if s3 is not None:
        bucket(s3)
        put(s3, f"{FOLDER}/classes.json", json.dumps(TABLE.to_json()).encode())
    return sagemaker.put("TrainingJob", JOB, Step("Completed", "Completed"), body=settings)


def bucket(s3: "S3Client") -> None:
    if BUCKET not in [one["Name"] for one in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=BUCKET)


def put(s3: "S3Client", key: str, data: bytes) -> str:
    s3.put_object(Bucket=BUCKET, Key=key, Body=data)
    return f"s3://{BUCKET}/{key}"


def objects(s3: "S3Client") -> set[str]:
    return {one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])}


def archive(card: bool = True, names: tuple[str, ...] = ()) -> bytes:
    """Return a model.tar.gz: as mtool's own trainer leaves it, or without its card as the algorithm does."""
    usual = ("image-classification-0007.params", "image-classification-symbol.json", "model-shapes.json")
    files = dict.fromkeys(names or usual, b"weights" * 500)
    if card:
        content = {**TABLE.to_json(), "trainer": "gluon", "multi-label": False}
        files["classes.json"] = json.dumps(content).encode()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return gzip.compress(out.getvalue())


def in_service(sagemaker: SageMaker, name: str, *, serverless: bool = False, **tags: str) -> None:
    """Have an endpoint there with its configuration and its model, all of one name."""
    tag_list = [
        {"Key": key.replace("__", ":").replace("_", "-"), "Value": text} for key, text in tags.items()
    ]
    variant: dict[str, Any] = {"VariantName": "AllTraffic", "ModelName": name}
    variant |= (
        {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}
        if serverless
        else {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    )
    container = {"Image": "image", "ModelDataUrl": f"s3://{BUCKET}/{name}/model.tar.gz"}
    sagemaker.put("Model", name, body={"PrimaryContainer": container, "Tags": tag_list})
    sagemaker.put("EndpointConfig", name, body={"ProductionVariants": [variant], "Tags": tag_list})
    body = {"EndpointConfigName": name, "Tags": tag_list}
    sagemaker.put("Endpoint", name, Step("InService"), body=body)

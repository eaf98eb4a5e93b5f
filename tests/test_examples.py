import json
import pydoc
from pathlib import Path
from typing import Any

import boto3
import pytest

import manifest_tools
import trainers
from examples.lambda_handler import handler
from examples.processing import prepare


def test_the_lambda_handler_reads_from_s3_and_writes_to_it(s3: Any, sample: Path) -> None:
    client = boto3.client("s3")
    client.create_bucket(Bucket="lab3-manifests")
    manifest = (sample / "output.manifest").read_bytes().replace(b"lab#", b"lab3")
    client.put_object(Bucket="lab3-manifests", Key="output.manifest", Body=manifest)
    event = {
        "manifest": "s3://lab3-manifests/output.manifest",
        "output": "s3://lab3-manifests/ready",
        "min_confidence": 0.6,
    }
    answer = handler(event, None)
    assert answer["label_attribute"] == "lab3-labeling-job"
    assert (answer["num_classes"], answer["num_training_samples"]) == (2, 89)
    assert answer["dropped"] == {"below confidence": 9, "failed": 3, "unlabelled": 2}
    for key, lines in (("train", 89), ("validation", 22)):
        body = client.get_object(Bucket="lab3-manifests", Key=f"ready/{key}.manifest")["Body"].read()
        assert len(body.splitlines()) == lines
        assert set(body.splitlines()) <= set(manifest.splitlines())


@pytest.mark.parametrize("package", [manifest_tools, trainers], ids=lambda package: package.__name__)
def test_help_of_a_package_shows_its_public_names(package: Any) -> None:
    text = pydoc.plain(pydoc.render_doc(package))
    assert [name for name in dir(package) if name[0] != "_" and name not in text] == []
    assert set(package.__all__) == {name for name in dir(package) if name[0] != "_"}


def test_the_processing_script_leaves_two_manifests_and_the_counts(sample: Path, tmp_path: Path) -> None:
    parts = prepare(sample / "output.manifest", tmp_path, "lab3")
    assert parts.lines == {"train": 96, "validation": 24}
    assert "RH" in (tmp_path / "stats.csv").read_text()
    assert json.loads((tmp_path / "split.json").read_text())["num_classes"] == 2


def test_the_processing_script_stops_at_an_error(sample: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r":3: error MT\d+ "):
        prepare(sample / "bad" / "class-name-disagrees.manifest", tmp_path, "lab3")

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from manifest_tools.base.errors import MtoolError, Refused
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.verbs.validate.rules.job_examples import boxed
from tests.trainers.sagemaker.labs import OD, SEG
from trainers.sagemaker import CLASSES_TAG, Compute
from trainers.sagemaker.training.data_check import Unfit

if TYPE_CHECKING:
    pass

from tests.trainers.sagemaker.training.jobs import PLACE, hand, hands, parts, planned, settings, tags, values


def test_everything_that_follows_from_the_data(tmp_path: Path) -> None:
    found = planned(hands(tmp_path))
    assert values(found) == {"num_classes": "2", "num_training_samples": "40"}
    assert found.samples == (40, 36)
    assert found.table == ClassTable(((0, "RH"), (1, "LH")))
    assert found.tags == {CLASSES_TAG: found.table.digest}
    for channel in found.training.channels:
        assert channel.attributes == ("source-ref", "hand")
        assert channel.uri == f"{PLACE}/{channel.name}.manifest"
        assert channel.content_type == "application/x-recordio"
    assert [one.target for one in found.uploads] == [
        f"{PLACE}/train.manifest",
        f"{PLACE}/validation.manifest",
        f"{PLACE}/classes.json",
    ]


@pytest.mark.parametrize(
    ("validation", "given", "batch"),
    [
        pytest.param(36, {}, None, id="the default of 32 can be filled, and is left to the algorithm"),
        pytest.param(31, {}, "31", id="31 lines fill a batch of 31"),
        pytest.param(3, {}, "3", id="three lines fill a batch of three"),
        pytest.param(31, {"mini_batch_size": "16"}, "16", id="what is set stays"),
        pytest.param(31, {"mini_batch_size": "31"}, "31", id="exactly full"),
    ],
)
def test_a_batch_that_the_validation_part_can_fill(
    tmp_path: Path, validation: int, given: dict[str, str], batch: str | None
) -> None:
    found = planned(hands(tmp_path, 64, validation), hyperparameters=given)
    assert values(found).get("mini_batch_size") == batch


def test_a_batch_that_the_validation_part_cannot_fill_is_refused(tmp_path: Path) -> None:
    message = "more than the 31 lines for validation, so no batch is full and no metric appears"
    with pytest.raises(Refused, match=rf"mini_batch_size=32 is {message}; type -p mini_batch_size=31"):
        planned(hands(tmp_path, 64, 31), hyperparameters={"mini_batch_size": "32"})


def test_a_batch_larger_than_the_training_part_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="is more than the 8 lines for training, so the job would fail"):
        planned(hands(tmp_path, 8, 16), hyperparameters={"mini_batch_size": "12"})


def test_without_preflight_the_batch_is_one_s_own_affair(tmp_path: Path) -> None:
    found = planned(hands(tmp_path, 64, 31), hyperparameters={"mini_batch_size": "32"}, preflight=False)
    assert values(found)["mini_batch_size"] == "32"


def test_lists_of_classes_are_told_as_ground_truth_writes_them(tmp_path: Path) -> None:
    rows = [tags(at, *((0, 2) if at % 2 else (1,))) for at in range(80)]
    found = planned(parts(tmp_path, rows, 40))
    assert values(found) == {"num_classes": "3", "num_training_samples": "40", "multi_label": "1"}
    assert {one.content_type for one in found.training.channels} == {
        "application/x-recordio; label-format=class-id"
    }
    assert json.loads(found.uploads[-1].content)["multi-label"] is True


def test_lists_that_are_multi_hot_are_told_so(tmp_path: Path) -> None:
    rows = [{**tags(at, 0, 1), "tags": [1, 0, 1, at % 2]} for at in range(80)]
    for row in rows:
        row["tags-metadata"] = {**row["tags-metadata"], "class-map": {}, "confidence-map": {}}
    found = planned(parts(tmp_path, rows, 40), preflight=False)
    assert values(found)["num_classes"] == "4"
    assert {one.content_type for one in found.training.channels} == {"application/x-recordio"}


def test_a_class_table_has_more_classes_than_the_lines_show(tmp_path: Path) -> None:
    table = ClassTable(((0, "RH"), (1, "LH"), (2, "both")))
    found = planned(hands(tmp_path), classes=table)
    assert (values(found)["num_classes"], found.table) == ("3", table)


def test_boxes(tmp_path: Path) -> None:
    rows = [boxed(at % 3 + 1, f"s3://b/{at}.jpg") for at in range(80)]
    found = planned(parts(tmp_path, rows, 40), algorithm=OD)
    assert set(values(found)) == {"num_classes", "num_training_samples"}
    assert found.training.channels[0].attributes == ("source-ref", "boxes")


def test_many_boxes_widen_the_label(tmp_path: Path) -> None:
    rows = [boxed(90 if at == 3 else 1, f"s3://b/{at}.jpg") for at in range(80)]
    assert values(planned(parts(tmp_path, rows, 40), algorithm=OD))["label_width"] == "452"


def test_masks(tmp_path: Path) -> None:
    def mask(at: int) -> dict[str, Any]:
        metadata = {
            "internal-color-map": {
                "0": {"class-name": "BACKGROUND", "hex-color": "#ffffff", "confidence": 0.9},
                "1": {"class-name": "road", "hex-color": "#2acf59", "confidence": 0.9},
            },
            "type": "groundtruth/semantic-segmentation",
            "human-annotated": "yes",
            "creation-date": "2024-03-04T09:13:21.264616",
            "job-name": "labeling-job/mask",
        }
        ref = f"s3://lab3-out/{at}.png"
        return {"source-ref": f"s3://b/{at}.jpg", "mask-ref": ref, "mask-ref-metadata": metadata}

    found = planned(parts(tmp_path, [mask(at) for at in range(60)], 48), algorithm=SEG)
    assert values(found) == {
        "num_classes": "2",
        "num_training_samples": "48",
        "validation_mini_batch_size": "12",
    }
    assert found.table == ClassTable(((0, "BACKGROUND"), (1, "road")))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"region": "mars-1"}, "the region mars-1 has no image-classification", id="a region"),
        pytest.param({"compute": Compute("ml.m5.large")}, "trains on", id="an instance type"),
        pytest.param({"compute": Compute("ml.g4dn.xlarge", volume=9)}, "disk of its own", id="a volume"),
        pytest.param({"role": "SageMakerRole"}, "role: expected arn", id="a role"),
        pytest.param({"name": "a_b"}, "name of the training job", id="a name"),
        pytest.param({"output": "model"}, "output: expected s3://bucket/key", id="an output"),
        pytest.param({"tags": {"a": "b,c"}}, "no commas", id="a tag"),
        pytest.param({"hyperparameters": {"epochs": "0"}}, "epochs: expected", id="a hyperparameter"),
        pytest.param(
            {"hyperparameters": {"epoch": "1"}}, "did you mean epochs", id="a name of a hyperparameter"
        ),
        pytest.param({"input_format": "image"}, "type --input lst", id="pictures without a list"),
        pytest.param({"input_format": "lst", "algorithm": SEG}, "type --input image", id="a list of masks"),
        pytest.param({"input_format": "lst"}, "type --channel train_lst=s3://bucket/prefix", id="no list"),
        pytest.param(
            {"input_format": "recordio", "algorithm": SEG}, "takes no recordio", id="records of masks"
        ),
        pytest.param(
            {"input_format": "recordio"}, "train: expected a .rec file, or its URI", id="no records"
        ),
    ],
)
def test_what_cannot_be_is_refused_before_the_data_is_read(change: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused, match=message):
        settings({"train": "nowhere", "validation": "nowhere"}, **change)


def test_a_manifest_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no such file; name a manifest"):
        planned({"train": str(tmp_path / "a"), "validation": str(tmp_path / "b")})


def test_pictures_on_this_disk_are_not_ours_to_copy(tmp_path: Path) -> None:
    names = ("train", "validation", "train_lst", "validation_lst")
    data = {name: f"{tmp_path}/{name}.lst" if "lst" in name else str(tmp_path) for name in names}
    with pytest.raises(Refused, match="pictures must be in S3"):
        planned(data, input_format="lst")


def test_errors_of_the_data_are_refused_with_all_of_them(tmp_path: Path) -> None:
    data = parts(tmp_path, [*(hand(at) for at in range(40)), {"source-ref": "s3://b/x.jpg"}], 20)
    with pytest.raises(Unfit, match=r"the job would fail with .* in the data; fix it, or type") as caught:
        planned(data)
    assert "MT506" in {one.code for one in caught.value.problems}
    assert planned(data, preflight=False).samples == (20, 20)


def test_a_job_without_any_label_is_refused_even_without_preflight(tmp_path: Path) -> None:
    rows = [{"source-ref": f"s3://b/{at}.jpg"} for at in range(8)]
    with pytest.raises(MtoolError):
        planned(parts(tmp_path, rows, 4), preflight=False)


def test_all_is_told_so_nothing_is_read() -> None:
    """S3 is not there at all here: a look at it would fail."""
    data = {name: f"s3://lab3-data/{name}.manifest" for name in ("train", "validation")}
    given = {"num_classes": "2", "num_training_samples": "9"}
    found = planned(data, hyperparameters=given, label_attribute="hand", preflight=False)
    assert (found.samples, found.uploads, found.tags) == ((), (), {})
    with pytest.raises(MtoolError):
        planned(data, hyperparameters=given, label_attribute="hand")

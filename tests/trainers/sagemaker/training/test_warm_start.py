from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from manifest_tools.base.errors import Refused
from tests.trainers.sagemaker.resources import Step
from tests.trainers.sagemaker.stand_in import SageMaker
from trainers.sagemaker.training.warm_start import WarmStart, find_warm_start

if TYPE_CHECKING:
    pass

from tests.trainers.sagemaker.training.jobs import hand, hands, parts, planned, values


def test_an_earlier_model_by_its_job(tmp_path: Path, sagemaker: SageMaker) -> None:
    given = {"num_classes": "2", "num_training_samples": "10", "num_layers": "18"}
    sagemaker.put("TrainingJob", "earlier-1", Step("Completed"), body={"HyperParameters": given})
    model = find_warm_start("earlier-1")
    assert model.uri == "s3://bucket/output/earlier-1/output/model.tar.gz"
    found = planned(hands(tmp_path), warm_start=model)
    assert values(found) == {"num_classes": "2", "num_training_samples": "40", "num_layers": "18"}
    assert found.training.channels[-1].uri == model.uri


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({"num_layers": "50"}, "num_layers='50': the earlier model has 18", id="other layers"),
        pytest.param({"image_shape": "3,64,64"}, "earlier model has 3,224,224", id="another size"),
        pytest.param({"num_classes": "3"}, "the earlier model has 2", id="given classes"),
    ],
)
def test_an_earlier_model_that_is_another(tmp_path: Path, given: dict[str, str], message: str) -> None:
    model = WarmStart("s3://b/model.tar.gz", {"num_classes": "2", "num_layers": "18"})
    with pytest.raises(Refused, match=message):
        planned(hands(tmp_path), warm_start=model, hyperparameters=given)


def test_an_earlier_model_learns_no_new_classes(tmp_path: Path) -> None:
    rows = [hand(at, at % 3) for at in range(80)]
    model = WarmStart("s3://b/model.tar.gz", {"num_classes": "2"})
    with pytest.raises(Refused, match="the data has 3 classes, and the earlier model 2"):
        planned(parts(tmp_path, rows, 40), warm_start=model)


def test_a_job_without_a_model_is_nothing_to_begin_from(sagemaker: SageMaker) -> None:
    sagemaker.put("TrainingJob", "failed-1", Step("Failed"))
    with pytest.raises(Refused, match="failed-1: the job is Failed and has no model to begin from"):
        find_warm_start("failed-1")
    with pytest.raises(Refused, match="expected the name of a training job"):
        find_warm_start("model/model.tar.gz")

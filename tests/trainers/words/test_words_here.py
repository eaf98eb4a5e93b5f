"""The words that learn and predict on this machine, as functions."""

from pathlib import Path
from typing import Any

import pytest

import manifest_tools
from manifest_tools.base.errors import Refused
from trainers.prediction import Prediction


@pytest.mark.usefixtures("mxnet")
def test_a_model_is_learnt_judged_and_asked_in_three_lines(
    workshop: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    options: dict[str, Any] = {"images": Path("raw-data")}
    result = manifest_tools.train(epochs=2, image_size=32, batch_size=8, seed=1, jobs=1, **options)
    config = result.report["made_from"]["config"]
    assert (config["epochs"], config["seed"], config["batch_size"]) == (2, 1, 8)
    assert Path("model/model.tar.gz").is_file()
    judged = manifest_tools.evaluate("validation.manifest", Path("model"), jobs=1, **options)
    assert judged.metrics.accuracy == result.accuracy
    assert judged.table.labels == ("RH", "LH")
    found = manifest_tools.predict(manifest=workshop / "validation.manifest", **options)
    assert len(found.predictions) == 16
    first = found.predictions[0]
    assert isinstance(first, Prediction)
    assert set(found.names(first)) <= {"RH", "LH"}
    assert found.truth is not None
    (one,) = manifest_tools.predict(*Path("raw-data").glob("*-40.jpg")).predictions
    assert one.picture == "raw-data/RH-40.jpg"
    assert "loss" not in "".join(capfd.readouterr())


@pytest.mark.usefixtures("mxnet")
def test_pictures_of_lines_without_a_label_are_predicted_too(trained: Path) -> None:
    Path("new.manifest").write_text('{"source-ref": "s3://lab3/RH-00.jpg"}\n')
    found = manifest_tools.predict(manifest="new.manifest", images="raw-data")
    assert [one.picture for one in found.predictions] == ["s3://lab3/RH-00.jpg"]


@pytest.mark.usefixtures("mxnet", "workshop")
def test_trials_vary_what_is_asked_for() -> None:
    pytest.importorskip("optuna")
    tuned = manifest_tools.tune(
        choice={"learning_rate": ["0.01", "0.001"]}, max_jobs=2, epochs=1, images="raw-data", jobs=1
    )
    assert len(tuned.trials) == 2
    assert tuned.config.epochs == 1
    assert tuned.config.learning_rate in (0.01, 0.001)


@pytest.mark.usefixtures("mxnet", "trained")
def test_without_pictures_there_is_nothing_to_predict() -> None:
    with pytest.raises(Refused, match="expected pictures, or a manifest"):
        manifest_tools.predict()

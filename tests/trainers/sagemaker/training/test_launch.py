"""From what people set to a job that runs, and from its end to a model that answers here."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from manifest_tools.base.errors import BadData, Exists, MtoolError, Refused
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.io.sinks import Published
from manifest_tools.verbs.validate.rules.job_examples import boxed
from tests.trainers.sagemaker.labs import IC, OD, ROLE, SEG
from tests.trainers.sagemaker.model_archives import archive, files
from tests.trainers.sagemaker.resources import THROTTLED, Fault, Step, Thing
from tests.trainers.sagemaker.stand_in import SageMaker
from trainers.model_archive import read_model
from trainers.sagemaker import CLASSES_TAG, Compute, create
from trainers.sagemaker.client.client import Denied, Taken
from trainers.sagemaker.training.data_check import Unfit
from trainers.sagemaker.training.fetch import check_outputs_are_free, fetch
from trainers.sagemaker.training.launch import launch
from trainers.sagemaker.training.plan import TrainingPlan, TrainingSettings, plan_training
from trainers.sagemaker.training.warm_start import WarmStart, find_warm_start

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

OUTPUT = "s3://lab3-models/hands"
PLACE = f"{OUTPUT}/hands-1"


def hand(at: int, index: int | None = None, ref: str = "") -> dict[str, Any]:
    """Return a line of one class: right and left hands in turn."""
    label = at % 2 if index is None else index
    metadata = {
        "class-name": ("RH", "LH", "third")[label],
        "confidence": 0.9,
        "type": "groundtruth/image-classification",
        "job-name": "labeling-job/hand",
        "human-annotated": "yes",
        "creation-date": "2024-03-04T09:13:21.264616",
    }
    return {"source-ref": ref or f"s3://lab3-rawdata/{at}.jpg", "hand": label, "hand-metadata": metadata}


def tags(at: int, *indices: int) -> dict[str, Any]:
    """Return a line of several classes, as Ground Truth writes it."""
    metadata = {
        "class-map": {str(index): f"class-{index}" for index in indices},
        "confidence-map": {str(index): 0.9 for index in indices},
        "type": "groundtruth/image-classification-multilabel",
        "job-name": "labeling-job/tags",
        "human-annotated": "yes",
        "creation-date": "2024-03-04T09:13:21.264616",
    }
    return {"source-ref": f"s3://lab3-rawdata/{at}.jpg", "tags": list(indices), "tags-metadata": metadata}


def text(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def parts(folder: Path, rows: list[dict[str, Any]], train: int) -> dict[str, str]:
    """Write two manifests, and return them by channel."""
    data = {}
    for name, some in (("train", rows[:train]), ("validation", rows[train:])):
        (folder / f"{name}.manifest").write_text(text(*some))
        data[name] = str(folder / f"{name}.manifest")
    return data


def hands(folder: Path, train: int = 40, validation: int = 36) -> dict[str, str]:
    return parts(folder, [hand(at) for at in range(train + validation)], train)


def settings(data: dict[str, str], **other: Any) -> TrainingSettings:
    given: dict[str, Any] = {
        "name": "hands-1",
        "algorithm": IC,
        "data": data,
        "output": OUTPUT,
        "region": "us-east-1",
        "role": ROLE,
        "compute": Compute("ml.p3.2xlarge"),
    }
    return TrainingSettings(**{**given, **other})


def planned(data: dict[str, str], **other: Any) -> TrainingPlan:
    return plan_training(settings(data, **other))


def launched(found: TrainingPlan) -> tuple[Published, ...]:
    return launch(create(found.job), found.uploads, found.training.output_key)


def values(found: TrainingPlan) -> dict[str, str]:
    return dict(found.training.hyperparameters)


@pytest.fixture
def bucket(s3: "S3Client") -> "S3Client":
    s3.create_bucket(Bucket="lab3-models")
    return s3


def keys(s3: "S3Client") -> list[str]:
    return [one["Key"] for one in s3.list_objects_v2(Bucket="lab3-models").get("Contents", ())]


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


def test_manifests_in_s3_are_used_where_they_are(tmp_path: Path, bucket: "S3Client") -> None:
    data = {}
    for name, path in hands(tmp_path).items():
        bucket.upload_file(path, "lab3-models", f"data/{name}.manifest")
        data[name] = f"s3://lab3-models/data/{name}.manifest"
    found = planned(data)
    assert [one.uri for one in found.training.channels] == list(data.values())
    assert [one.target for one in found.uploads] == [f"{PLACE}/classes.json"]


def test_a_compressed_manifest_is_uploaded_plain(
    tmp_path: Path, bucket: "S3Client", sagemaker: SageMaker
) -> None:
    import gzip

    data = hands(tmp_path)
    plain = Path(data["train"]).read_bytes()
    (tmp_path / "train.manifest.gz").write_bytes(gzip.compress(plain))
    launched(planned({**data, "train": str(tmp_path / "train.manifest.gz")}))
    stored = bucket.get_object(Bucket="lab3-models", Key="hands/hands-1/train.manifest")["Body"].read()
    assert stored == plain


def test_a_rec_file_is_uploaded_and_counted(tmp_path: Path, bucket: "S3Client", sagemaker: SageMaker) -> None:
    from manifest_tools.io.recordio import ImageRecord, frame, pack

    files = {}
    for name in ("train", "validation"):
        pictures = [b"\xff\xd8\xff\xe0" + f"{name} {at}".encode() for at in range(40)]
        records = [frame(pack(ImageRecord(at, (float(at % 3),), data))) for at, data in enumerate(pictures)]
        (tmp_path / f"{name}.rec").write_bytes(b"".join(records))
        files[name] = str(tmp_path / f"{name}.rec")
    found = planned(files, input_format="recordio")
    assert values(found) == {"num_classes": "3", "num_training_samples": "40"}
    assert found.training.mode == "File"
    launched(found)
    assert keys(bucket) == ["hands/hands-1/train.rec", "hands/hands-1/validation.rec"]


def test_a_launch_uploads_and_sends_the_request(
    tmp_path: Path, bucket: "S3Client", sagemaker: SageMaker
) -> None:
    found = planned(hands(tmp_path))
    published = launched(found)
    assert [one.state for one in published] == ["written"] * 3
    assert sagemaker.sent("CreateTrainingJob") == [create(found.job).body]
    stored = json.loads(
        bucket.get_object(Bucket="lab3-models", Key="hands/hands-1/classes.json")["Body"].read()
    )
    assert stored["classes"] == {"0": "RH", "1": "LH"}
    assert (stored["label-attribute"], stored["multi-label"]) == ("hand", False)
    assert sagemaker.jobs["hands-1"].body["Tags"] == [{"Key": CLASSES_TAG, "Value": stored["sha256"]}]


REFUSALS = [
    pytest.param(Fault("ResourceLimitExceeded", "The account-level service limit is 0"), Refused, id="quota"),
    pytest.param(
        Fault("AccessDeniedException", "is not authorized to perform: iam:PassRole"), Denied, id="no right"
    ),
    pytest.param(Fault("ValidationException", "Could not assume role"), Refused, id="the role"),
]


@pytest.mark.parametrize(("fault", "error"), REFUSALS)
def test_a_job_that_is_refused_leaves_nothing_behind(
    tmp_path: Path, bucket: "S3Client", sagemaker: SageMaker, fault: Fault, error: type[MtoolError]
) -> None:
    sagemaker.answer("CreateTrainingJob", fault)
    with pytest.raises(error):
        launched(planned(hands(tmp_path)))
    assert keys(bucket) == []


def test_where_it_is_not_known_whether_the_job_was_made_its_data_stays(
    tmp_path: Path, bucket: "S3Client", sagemaker: SageMaker
) -> None:
    sagemaker.answer("CreateTrainingJob", THROTTLED, THROTTLED, THROTTLED, THROTTLED, THROTTLED)
    with pytest.raises(MtoolError, match="too busy"):
        launched(planned(hands(tmp_path)))
    assert len(keys(bucket)) == 3


def test_a_name_that_is_taken_changes_nothing_of_the_other_job(
    tmp_path: Path, bucket: "S3Client", sagemaker: SageMaker
) -> None:
    launched(planned(hands(tmp_path)))
    before = {key: bucket.get_object(Bucket="lab3-models", Key=key)["ETag"] for key in keys(bucket)}
    with pytest.raises(Taken):
        launched(planned(hands(tmp_path)))
    with pytest.raises(Exists):
        launched(planned(hands(tmp_path, 50, 40)))
    assert {key: bucket.get_object(Bucket="lab3-models", Key=key)["ETag"] for key in keys(bucket)} == before
    assert len(sagemaker.jobs) == 1


def test_an_upload_that_fails_is_taken_back(tmp_path: Path, bucket: "S3Client", sagemaker: SageMaker) -> None:
    found = planned(hands(tmp_path))
    Path(tmp_path / "validation.manifest").unlink()
    with pytest.raises(MtoolError):
        launched(found)
    assert keys(bucket) == []
    assert sagemaker.sent("CreateTrainingJob") == []


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


def put_model(s3: "S3Client", members: dict[str, bytes]) -> Any:
    """Return what a step of a script does: lay the artifact where SageMaker would."""

    def does(thing: Thing) -> None:
        key = f"hands/{thing.name}/output/model.tar.gz"
        s3.put_object(Bucket="lab3-models", Key=key, Body=archive(members))

    return does


def finished(
    tmp_path: Path, s3: "S3Client", sagemaker: SageMaker, members: dict[str, bytes], **other: Any
) -> Any:
    """Launch a job that is over at once, and return its description."""
    from trainers.sagemaker.client.client import send
    from trainers.sagemaker.requests import resources

    sagemaker.script(Step("Completed", does=put_model(s3, members)))
    given = {"image_shape": "3,32,32", "num_layers": "20"}
    launched(planned(hands(tmp_path), hyperparameters=given, **other))
    return send(resources.describe("training", "hands-1"))


@pytest.mark.usefixtures("mxnet")
def test_a_model_is_fetched_with_the_classes_that_were_uploaded(
    tmp_path: Path, bucket: "S3Client", sagemaker: SageMaker
) -> None:
    members = files()
    job = finished(tmp_path, bucket, sagemaker, members)
    fetched = fetch(job, str(tmp_path / "model"))
    assert (fetched.note, [one.state for one in fetched.published]) == ("", ["written"])
    model = read_model(str(tmp_path / "model"))
    assert (model.predictor, model.network, model.image_size) == ("builtin", "resnet20", 32)
    assert (model.table.labels, model.attribute, model.multi_label) == (("RH", "LH"), "hand", False)
    assert model.files == members
    assert [one.state for one in fetch(job, str(tmp_path / "model")).published] == ["unchanged"]


@pytest.mark.usefixtures("mxnet")
def test_a_class_table_that_was_changed_is_not_believed(
    tmp_path: Path, bucket: "S3Client", sagemaker: SageMaker
) -> None:
    job = finished(tmp_path, bucket, sagemaker, files())
    key = "hands/hands-1/classes.json"
    card = bucket.get_object(Bucket="lab3-models", Key=key)["Body"].read().replace(b'"RH"', b'"XX"')
    bucket.put_object(Bucket="lab3-models", Key=key, Body=card)
    with pytest.raises(BadData, match="somebody has changed the classes in it"):
        fetch(job, str(tmp_path / "model"))
    swapped = ClassTable(((0, "right"), (1, "left")))
    fetch(job, str(tmp_path / "model"), classes=swapped)
    assert read_model(str(tmp_path / "model")).table == swapped


@pytest.mark.usefixtures("mxnet")
def test_without_a_class_table_classes_have_numbers(
    tmp_path: Path, bucket: "S3Client", sagemaker: SageMaker
) -> None:
    job = finished(tmp_path, bucket, sagemaker, files())
    bucket.delete_object(Bucket="lab3-models", Key="hands/hands-1/classes.json")
    assert "type --classes FILE" in fetch(job, str(tmp_path / "model")).note
    assert read_model(str(tmp_path / "model")).table.labels == ("class 0", "class 1")


def test_what_is_no_classifier_is_fetched_as_it_is(
    tmp_path: Path, bucket: "S3Client", sagemaker: SageMaker
) -> None:
    import tarfile

    job = finished(tmp_path, bucket, sagemaker, {"model_algo-1": b"weights", "hyperparams.json": b"{}"})
    job["AlgorithmSpecification"]["TrainingImage"] = "1.dkr.ecr.us-east-1.amazonaws.com/object-detection:1"
    assert "not a model of image classification" in fetch(job, str(tmp_path / "model")).note
    with tarfile.open(tmp_path / "model" / "model.tar.gz") as tar:
        assert tar.getnames() == ["model_algo-1", "hyperparams.json"]


@pytest.mark.usefixtures("mxnet")
def test_a_trial_has_the_class_table_of_its_tuning_job(
    tmp_path: Path, bucket: "S3Client", sagemaker: SageMaker
) -> None:
    job = finished(tmp_path, bucket, sagemaker, files())
    job["TuningJobArn"] = "arn:aws:sagemaker:us-east-1:111122223333:hyper-parameter-tuning-job/hands-1"
    job["TrainingJobName"] = "hands-1-004-abc"
    fetch(job, str(tmp_path / "model"))
    assert read_model(str(tmp_path / "model")).table.labels == ("RH", "LH")


def test_a_folder_with_a_model_is_refused_before_the_bill(tmp_path: Path) -> None:
    (tmp_path / "model.tar.gz").write_bytes(b"another")
    with pytest.raises(Refused, match="exists already; type --force to replace it, or --model"):
        check_outputs_are_free(str(tmp_path), force=False)
    check_outputs_are_free(str(tmp_path), force=True)
    check_outputs_are_free(str(tmp_path / "other"), force=False)


def test_a_job_without_a_model_leads_to_the_doctor(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="has left no model; type: mtool doctor hands-1"):
        fetch({"TrainingJobName": "hands-1"}, str(tmp_path))

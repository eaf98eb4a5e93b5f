import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import BadData, InvalidLine, MtoolError, Refused
from manifest_tools.io.sinks import publishing
from tests.trainers.sagemaker.labs import IC, MODEL, ROLE
from tests.trainers.sagemaker.resources import Fault, Step
from tests.trainers.sagemaker.served_models import BUCKET, TABLE, bucket, put
from tests.trainers.sagemaker.service_model import problems
from tests.trainers.sagemaker.stand_in import SageMaker
from trainers.predicted_lines import check_attribute, with_label
from trainers.prediction import Prediction
from trainers.sagemaker.batch.collect import (
    Answers,
    Collected,
    check_prefix,
    collect,
    find_answers,
    label,
    lines_of,
)
from trainers.sagemaker.batch.picture_list import common_prefix, list_place, prefix_of_list, write_list
from trainers.sagemaker.batch.transform import (
    TransformPlan,
    TransformSettings,
    check_names_are_free,
    delete_model,
    plan_transform,
    start_transform,
)
from trainers.sagemaker.serving.model_source import ModelSource

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NOW = datetime(2024, 3, 1, 12, 30, 5, tzinfo=UTC)
SOURCE = ModelSource(
    title="a model",
    stem="hands",
    algorithm=IC,
    role=ROLE,
    data=MODEL,
    table=TABLE,
    classes="s3://b/classes.json",
)
PICTURES = f"s3://{BUCKET}/new/"
OUT = f"s3://{BUCKET}/answers"


def planned(pictures: str = PICTURES, **settings: Any) -> TransformPlan:
    return plan_transform(SOURCE, pictures, OUT, "us-east-1", TransformSettings(**settings), NOW)


@pytest.mark.parametrize(
    ("pictures", "settings"),
    [
        pytest.param(PICTURES, {}, id="a prefix"),
        pytest.param("", {}, id="a list"),
        pytest.param(
            PICTURES,
            {"concurrent": 16, "count": 2, "output_key": "alias/k", "tags": {"a": "b"}},
            id="all of it",
        ),
    ],
)
def test_every_request_is_one_that_the_service_takes(pictures: str, settings: dict[str, Any]) -> None:
    for call in planned(pictures, **settings).calls:
        assert problems(call.operation, call.body) == []


def test_pictures_of_a_manifest_are_a_list_beside_the_answers() -> None:
    source = planned("").calls[1].body["TransformInput"]["DataSource"]["S3DataSource"]
    assert source == {
        "S3DataType": "ManifestFile",
        "S3Uri": f"s3://{BUCKET}/hands-20240301-123005.pictures.json",
    }


def test_a_list_is_never_among_the_answers() -> None:
    assert list_place("s3://b", "a") == "s3://b/a.pictures.json"
    assert list_place("s3://b/c/d/", "a") == "s3://b/c/a.pictures.json"


def test_a_local_model_is_refused_with_what_to_type() -> None:
    with pytest.raises(Refused, match=r"type: aws s3 cp m\.tar\.gz s3://"):
        plan_transform(
            replace(SOURCE, data="", local="m.tar.gz"), PICTURES, OUT, "us-east-1", TransformSettings(), NOW
        )


def test_model_and_job_are_made_and_the_model_taken_back(sagemaker: SageMaker) -> None:
    start_transform(planned(), lambda text: None)
    assert list(sagemaker.things["Model"]) == list(sagemaker.things["TransformJob"]) == [planned().name]
    messages: list[str] = []
    delete_model(planned().name, messages.append)
    delete_model(planned().name, messages.append)
    assert messages == [f"model {planned().name}: taken back"]


def test_without_a_job_there_is_no_model_either(sagemaker: SageMaker) -> None:
    sagemaker.answer("CreateTransformJob", Fault("ResourceLimitExceeded", "0 Instances"))
    undone: list[str] = []
    with pytest.raises(Refused, match="0 Instances"):
        start_transform(planned(), lambda text: None, [("list", lambda: undone.append("list"))])
    assert undone == ["list"]
    assert sagemaker.things["Model"] == {}


def test_a_job_that_was_made_though_no_answer_came_keeps_its_model(sagemaker: SageMaker) -> None:
    sagemaker.put("TransformJob", planned().name, body={"ModelName": planned().name})
    messages: list[str] = []
    undone: list[str] = []
    with pytest.raises(MtoolError):
        start_transform(planned(), messages.append, [("list", lambda: undone.append("list"))])
    assert undone == []
    assert f"mtool jobs stop {planned().name}" in messages[-1]
    assert list(sagemaker.things["Model"]) == [planned().name]


@pytest.mark.parametrize(("kind", "title"), [("TransformJob", "transform job"), ("Model", "model")])
def test_a_name_that_was_used_is_refused_before_anything(sagemaker: SageMaker, kind: str, title: str) -> None:
    sagemaker.put(kind, planned().name)
    with pytest.raises(Refused, match=f"there is a {title} of that name already; take another --name"):
        check_names_are_free(planned())


def test_a_model_that_cannot_be_taken_back_is_said(sagemaker: SageMaker) -> None:
    sagemaker.answer("DeleteModel", Fault("AccessDeniedException", ""))
    messages: list[str] = []
    delete_model("a", messages.append)
    assert "to delete it later: mtool delete a" in messages[0]


def manifest(folder: Path, refs: Sequence[str]) -> str:
    path = folder / "a.manifest"
    path.write_text("".join(json.dumps({"source-ref": ref}) + "\n" for ref in refs))
    return str(path)


def test_a_list_has_every_picture_once_in_order(tmp_path: Path, s3: "S3Client") -> None:
    bucket(s3)
    refs = [f"{PICTURES}b/2.jpg", f"{PICTURES}a/1.jpg", f"{PICTURES}b/2.jpg"]
    place = f"s3://{BUCKET}/list.json"
    (published,) = write_list(manifest(tmp_path, refs), place)
    assert published.state == "written"
    body = s3.get_object(Bucket=BUCKET, Key="list.json")["Body"].read()
    assert json.loads(body) == [{"prefix": PICTURES}, "b/2.jpg", "a/1.jpg"]
    assert prefix_of_list(place) == PICTURES


@pytest.mark.parametrize(
    ("refs", "kind", "message"),
    [
        pytest.param([""], BadData, "no line names a picture", id="no picture"),
        pytest.param(["a.jpg"], InvalidLine, "a.manifest:1: expected a picture in S3", id="a local picture"),
        pytest.param(["s3://one/1.jpg", "s3://two/1.jpg"], BadData, "of one bucket", id="two buckets"),
        pytest.param(["s3://onea/1.jpg", "s3://oneb/1.jpg"], BadData, "of one bucket", id="buckets alike"),
    ],
)
def test_a_list_that_cannot_be(tmp_path: Path, refs: list[str], kind: type[BadData], message: str) -> None:
    with pytest.raises(kind) as bad:
        common_prefix(manifest(tmp_path, refs))
    assert message in str(bad.value)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'["a"]', b'[{"a": 1}]', b"\xff"])
def test_a_list_without_its_prefix(s3: "S3Client", data: bytes) -> None:
    bucket(s3)
    with pytest.raises(BadData, match="expected a list of pictures"):
        prefix_of_list(put(s3, "list.json", data))


ANSWERS = Answers("job", "Completed", PICTURES, False, OUT, TABLE, False, NOW)
LINE = b'{"source-ref": "s3://lab3-models/new/1.jpg", "a": 1.10}\n'


def test_a_label_is_in_ground_truth_s_form() -> None:
    assert label(Prediction("a", (0.25, 0.75), (1,)), ANSWERS) == (
        1,
        {
            "class-name": "LH",
            "confidence": 0.75,
            "type": "groundtruth/image-classification",
            "job-name": "transform-job/job",
            "human-annotated": "no",
            "creation-date": "2024-03-01T12:30:05.000000",
        },
    )


def test_several_labels_have_maps() -> None:
    value, metadata = label(Prediction("a", (0.9, 0.75), (0, 1)), replace(ANSWERS, multi_label=True))
    assert value == [0, 1]
    assert metadata["class-map"] == {"0": "RH", "1": "LH"}
    assert metadata["confidence-map"] == {"0": 0.9, "1": 0.75}
    assert metadata["type"] == "groundtruth/image-classification-multilabel"


@given(value=st.dictionaries(st.text(max_size=5), st.text(max_size=9), min_size=1), name=st.text(max_size=9))
def test_every_byte_of_a_line_stays(value: dict[str, str], name: str) -> None:
    line = json.dumps(value).encode() + b" \r\n"
    found = with_label(line, "predicted", (0, {"class-name": name}))
    assert json.loads(found) == {**value, "predicted": 0, "predicted-metadata": {"class-name": name}}
    assert found.startswith(line[: line.rindex(b"}")])
    assert found.endswith(b"} \r\n")


def test_half_a_surrogate_pair_in_a_name_is_an_escape() -> None:
    assert json.loads(with_label(LINE, "p", (0, {"class-name": "\ud800"})))["p-metadata"] == {
        "class-name": "\ud800"
    }


def joined(answers: Answers, source: str | None, path: Path) -> Collected:
    with publishing() as publication:
        return collect(answers, lines_of(answers, source, "predicted"), publication, str(path))


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("answers/{}.jpg.out", id="what follows the prefix"),
        pytest.param("answers/new/{}.jpg.out", id="with the prefix's last folder"),
    ],
)
def test_answers_are_found_wherever_the_service_puts_them(tmp_path: Path, s3: "S3Client", key: str) -> None:
    bucket(s3)
    for number in range(20):
        put(s3, f"new/{number}.jpg", b"picture")
        put(s3, key.format(number), json.dumps({"prediction": [number / 20, 1 - number / 20]}).encode())
    found = joined(ANSWERS, None, tmp_path / "out.manifest")
    assert (found.answered, found.unanswered) == (20, 0)
    lines = [json.loads(line) for line in (tmp_path / "out.manifest").read_bytes().splitlines()]
    assert [line["source-ref"] for line in lines] == sorted(f"{PICTURES}{n}.jpg" for n in range(20))
    for line in lines:
        share = int(line["source-ref"].rpartition("/")[2].removesuffix(".jpg")) / 20
        assert line["predicted"] == (0 if share >= 0.5 else 1)


def test_lines_without_an_answer_stay_as_they_are(tmp_path: Path, s3: "S3Client") -> None:
    bucket(s3)
    put(s3, "answers/1.jpg.out", b"[0.25, 0.75]")
    other = b'{"source-ref":"s3://lab3-models/new/2.jpg"}\n\n{"a":  1}'
    (tmp_path / "a.manifest").write_bytes(LINE + other)
    found = joined(ANSWERS, str(tmp_path / "a.manifest"), tmp_path / "out.manifest")
    assert found == Collected(1, 1, [f"{PICTURES}2.jpg"])
    data = (tmp_path / "out.manifest").read_bytes()
    assert data.startswith(LINE[:-2] + b', "predicted": 1, ')
    assert data.endswith(b"}\n" + other)


def test_a_label_of_that_name_is_not_written_twice(tmp_path: Path, s3: "S3Client") -> None:
    (tmp_path / "a.manifest").write_bytes(LINE.replace(b'"a"', b'"predicted"'))
    with pytest.raises(Refused, match=r"a\.manifest:1: has predicted already; type --attribute"):
        joined(ANSWERS, str(tmp_path / "a.manifest"), tmp_path / "out.manifest")
    assert not (tmp_path / "out.manifest").exists()


def test_a_line_that_is_no_json(tmp_path: Path, s3: "S3Client") -> None:
    (tmp_path / "a.manifest").write_bytes(LINE + b"{\n")
    with pytest.raises(InvalidLine, match=r"a\.manifest:2: "):
        joined(ANSWERS, str(tmp_path / "a.manifest"), tmp_path / "out.manifest")


def test_a_listed_job_wants_its_manifest() -> None:
    with pytest.raises(Refused, match="type --manifest with that file"):
        lines_of(replace(ANSWERS, listed=True), None, "predicted")


def test_what_is_known_of_a_job(sagemaker: SageMaker, s3: "S3Client") -> None:
    bucket(s3)
    uri = put(s3, "classes.json", json.dumps(TABLE.to_json()).encode())
    tags = [{"Key": "mtool:classes", "Value": uri}, {"Key": "mtool:multi-label", "Value": "1"}]
    sagemaker.put("TransformJob", "job", Step("Completed"), body={"Tags": tags}, created=1_700_000_000)
    found = find_answers("job")
    assert (found.table, found.multi_label, found.listed) == (TABLE, True, False)
    assert (found.prefix, found.output) == ("s3://bucket/pictures/", "s3://bucket/answers")
    assert found.ended.year == 2023


def test_a_job_that_runs_has_no_answers_yet(sagemaker: SageMaker) -> None:
    sagemaker.put("TransformJob", "job", Step("InProgress"))
    with pytest.raises(Refused, match="once it is over: mtool transform job --collect"):
        find_answers("job")


@pytest.mark.parametrize("name", ["", "a b", "source", "x-ref", "x-metadata", "é", "a" * 128])
def test_a_name_that_no_label_can_have(name: str) -> None:
    with pytest.raises(Refused, match="--attribute: expected letters"):
        check_attribute(name)


@pytest.mark.parametrize("uri", ["", "pictures/", "s3://", "https://b/k"])
def test_pictures_that_are_no_prefix(uri: str) -> None:
    with pytest.raises(Refused, match="pictures: expected a prefix in S3"):
        check_prefix(uri)


@pytest.mark.parametrize("uri", ["s3://bucket", "s3://bucket/", "s3://bucket/a", "s3://bucket/a/"])
def test_pictures_that_are(uri: str) -> None:
    check_prefix(uri)

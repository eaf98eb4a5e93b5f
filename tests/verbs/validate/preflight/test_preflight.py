import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from manifest_tools.base.errors import Refused
from manifest_tools.base.problem import Problem
from manifest_tools.groundtruth.pipe_mode.samples import JPEG, read_pipe
from manifest_tools.io.recordio import frame
from manifest_tools.io.sources import open_source
from manifest_tools.known_failures import FAILURES
from manifest_tools.verbs.pipe.pipe import records
from manifest_tools.verbs.validate.preflight.inputs import PURPOSES, TRAINING, PreflightInput
from manifest_tools.verbs.validate.preflight.preflight import (
    PROVEN,
    Preflight,
    Settings,
    prove_stream,
    read_hyperparameters,
    read_request,
    settings,
    smallest,
)
from manifest_tools.verbs.validate.preflight.read_channel import read_channel
from manifest_tools.verbs.validate.preflight.read_label import read_label
from manifest_tools.verbs.validate.rules import RULES
from manifest_tools.verbs.validate.rules.examples import labelled, lines, single
from manifest_tools.verbs.validate.rules.job.hyperparameters_and_data import mirrored
from manifest_tools.verbs.validate.rules.job_examples import (
    FAILED,
    PICTURES,
    TRAIN,
    VALIDATION,
    boxed,
    multi_label_files,
    request,
)
from manifest_tools.verbs.validate.validate import Report, validate
from tests.ground_truth import chopped, counted, manifests
from tests.pictures import jpeg


def report(folder: Path, *parts: str, **options: Any) -> Report:
    names = []
    for name, text in zip(("train", "validation", "test"), parts, strict=False):
        path = folder / f"{name}.manifest"
        path.write_text(text, "utf-8")
        names.append(str(path))
    label = options.pop("label_attribute", None)
    return validate(*names, preflight=Preflight(**({"purpose": "builtin"} | options)), label_attribute=label)


def checked(folder: Path, *parts: str, **options: Any) -> tuple[list[Problem], PreflightInput]:
    found = report(folder, *parts, **options)
    problems = list(found)
    assert found.preflight_input is not None
    return problems, found.preflight_input


def wanted(folder: Path, *parts: str, **options: Any) -> Settings:
    found = settings(checked(folder, *parts, **options)[1])
    assert found is not None
    return found


def mask(index: int, ref: str) -> dict[str, Any]:
    colours = {"0": {"class-name": "BACKGROUND"}, str(index): {"class-name": "road"}}
    shown: dict[str, Any] = {"internal_color_map": colours}
    return labelled("mask-ref", "s3://lab3-out/1.png", "semantic-segmentation", ref, **shown)


def test_the_settings_of_pictures_with_one_class(tmp_path: Path) -> None:
    found = wanted(tmp_path, TRAIN + lines(FAILED), VALIDATION)
    assert found.to_json() == {
        "Algorithm": "image-classification",
        "HyperParameters": {"num_classes": "2", "num_training_samples": "2", "multi_label": "0"},
        "AttributeNames": ["source-ref", "hand"],
        "S3DataType": "AugmentedManifestFile",
        "RecordWrapperType": "RecordIO",
        "ContentType": "application/x-recordio",
        "InputMode": "Pipe",
        "LargestMiniBatchSize": 2,
    }


@pytest.mark.parametrize(
    ("parts", "purpose", "hyperparameters", "content_type"),
    [
        pytest.param(
            multi_label_files([0, 2], [1]),
            "builtin",
            {"num_classes": "3", "num_training_samples": "2", "multi_label": "1"},
            "application/x-recordio; label-format=class-id",
            id="lists of indices, as Ground Truth writes them",
        ),
        pytest.param(
            multi_label_files([1, 0, 1, 0], [0, 0, 0, 1]),
            "builtin",
            {"num_classes": "4", "num_training_samples": "2", "multi_label": "1"},
            "application/x-recordio; label-format=multi-hot",
            id="lists that can only be multi-hot",
        ),
        pytest.param(
            (lines(single(3, PICTURES[0], "x")), VALIDATION),
            "builtin",
            {"num_classes": "4", "num_training_samples": "1", "multi_label": "0"},
            "application/x-recordio",
            id="a gap is a class too",
        ),
        pytest.param(
            (TRAIN, lines(single(5, PICTURES[2], "x"))),
            "builtin",
            {"num_classes": "6", "num_training_samples": "2", "multi_label": "0"},
            "application/x-recordio",
            id="a class of validation alone counts as well",
        ),
        pytest.param(
            (lines(single("1", PICTURES[0], "x")), VALIDATION),
            "builtin",
            {"num_classes": "2", "num_training_samples": "1", "multi_label": "0"},
            "application/x-recordio",
            id="an index as a string is sent without its quotes",
        ),
        pytest.param(
            (lines(boxed(3)), lines(boxed(7, PICTURES[1]))),
            "object-detection",
            {"num_classes": "1", "num_training_samples": "1", "label_width": "37"},
            "application/x-recordio",
            id="boxes, and room for the fullest picture",
        ),
        pytest.param(
            (lines(mask(4, PICTURES[0])), lines(mask(2, PICTURES[1]))),
            "semantic-segmentation",
            {"num_classes": "5", "num_training_samples": "1"},
            "application/x-recordio",
            id="masks, whose classes only the colours tell",
        ),
    ],
)
def test_settings(
    tmp_path: Path, parts: tuple[str, str], purpose: str, hyperparameters: dict[str, str], content_type: str
) -> None:
    found = wanted(tmp_path, *parts, purpose=purpose)
    assert found.hyperparameters == hyperparameters
    assert found.content_type == content_type


@pytest.mark.parametrize("purpose", TRAINING)
def test_a_job_with_the_settings_that_follow_has_no_problem(tmp_path: Path, purpose: str) -> None:
    many = {
        "builtin": [single(at % 2, f"s3://b/{at}.jpg", ("RH", "LH")[at % 2]) for at in range(8)],
        "object-detection": [boxed(at + 1, f"s3://b/{at}.jpg") for at in range(8)],
        "semantic-segmentation": [mask(1, f"s3://b/{at}.jpg") for at in range(8)],
    }[purpose]
    parts = lines(*many[:6]), lines(*many[6:])
    values = wanted(tmp_path, *parts, purpose=purpose).hyperparameters | {"mini_batch_size": "2"}
    if purpose == "semantic-segmentation":
        values["validation_mini_batch_size"] = "2"
    problems, _ = checked(tmp_path, *parts, purpose=purpose, hyperparameters=values)
    assert [one for one in problems if one.code >= "MT5" and one.severity == "error"] == []


def test_rekognition_has_no_settings_of_a_training_job(tmp_path: Path) -> None:
    assert settings(checked(tmp_path, TRAIN, purpose="rekognition")[1]) is None


def test_several_labels_for_several_attributes_are_fine_for_rekognition(tmp_path: Path) -> None:
    usual: dict[str, Any] = {"class_name": "b", "confidence": 1}
    other = labelled("other", 1, "image-classification", **usual)
    both = [other | single(at, PICTURES[at], f"a{at}") for at in range(2)]
    problems, _ = checked(tmp_path, lines(*both), purpose="rekognition")
    assert [one for one in problems if one.code.startswith("MT7")] == []


def test_the_label_that_only_one_attribute_can_be(tmp_path: Path) -> None:
    chained = single(0, PICTURES[0]) | boxed(1, PICTURES[0])
    assert wanted(tmp_path, lines(chained), lines(chained)).attribute_names == ("source-ref", "hand")
    found = wanted(tmp_path, lines(chained), lines(chained), purpose="object-detection")
    assert found.attribute_names == ("source-ref", "boxes")


def test_a_request_says_which_label(tmp_path: Path) -> None:
    two = single(0, PICTURES[0]) | labelled("other", 0, "image-classification", PICTURES[0], class_name="a")
    found = wanted(tmp_path, lines(two), lines(two), request=request())
    assert found.attribute_names == ("source-ref", "hand")


def test_a_file_that_is_no_manifest_is_an_empty_channel(tmp_path: Path) -> None:
    problems, job = checked(tmp_path, TRAIN, "")
    assert {"MT100", "MT502"} <= {one.code for one in problems}
    assert [channel.samples for channel in job.channels] == [2, 0]


OTHER = labelled("other", 1, "image-classification", PICTURES[0], class_name="b", confidence=1)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_preflight_reads_each_manifest_once(tmp_path: Path, purpose: str) -> None:
    sources = []
    for at in range(2):
        (tmp_path / f"{at}.manifest").write_text(TRAIN)
        sources.append(counted(tmp_path / f"{at}.manifest"))
    found = validate(*sources, preflight=Preflight(purpose), jobs=1)
    assert all(problem.file.startswith("counted ") for problem in found)
    assert found.preflight_input is not None
    assert [channel.lines for channel in found.preflight_input.channels] == [2, 2]
    assert [source.passes for source in sources] == [1, 1]


@pytest.mark.parametrize(
    "late",
    [
        pytest.param(single(0, PICTURES[0]), id="the label is not in the head"),
        pytest.param(single(0, PICTURES[0]) | OTHER, id="the head shows one label, and lines below it two"),
    ],
)
def test_a_head_that_misleads_changes_nothing(tmp_path: Path, late: dict[str, Any]) -> None:
    """What a job is sent follows from all lines, and then the manifest is read once more."""
    head = OTHER if late.keys() == single(0).keys() else single(0, PICTURES[0])
    boxes = {key: value for key, value in boxed(1, PICTURES[0]).items() if key != "source-ref"}
    first = {"source-ref": PICTURES[0]} | (boxes if head is OTHER else head)
    path = tmp_path / "train.manifest"
    path.write_text(lines(*[first] * 500, *[first | late] * 3))
    source = counted(path)
    job = validate(source, preflight=Preflight("builtin"), jobs=1)
    assert list(job)
    assert job.preflight_input is not None
    (channel,) = job.preflight_input.channels
    names = ("source-ref", "hand") if head is OTHER else ("source-ref",)
    assert job.preflight_input.names == names
    assert replace(channel, name="", size=0) == replace(read_channel(source, names, "builtin", 1), name="")
    # For all rules, for labels without metadata above the first with it, and for what is sent now.
    assert source.passes - 1 == 3


@pytest.mark.parametrize("name", ['a"b', "a\\b", "source-ref"])
def test_a_label_that_cannot_be_asked_for_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Refused, match="no attribute can be called"):
        list(report(tmp_path, TRAIN, VALIDATION, label_attribute=name))


def test_a_line_that_is_not_utf_8_and_lacks_the_label_is_one_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "train.manifest"
    path.write_bytes(TRAIN.encode() + b'{"source-ref": "s3://b/1.jpg", "hand-metadata": {"x": "\xff"}}\n')
    assert read_channel(open_source(str(path)), ("source-ref", "hand"), "builtin").samples == 2


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_key_that_is_not_utf_8_stops_no_preflight_of_boxes(tmp_path: Path, purpose: str) -> None:
    label = b'{"image_size":[{"width":9,"height":9}],"annotations":[]},"hand-metadata":{}'
    path = tmp_path / "train.manifest"
    path.write_bytes(b'{"source-ref":"s3://b/1.jpg","hand":' + label + b',"\xff":1}\n')
    assert read_channel(open_source(str(path)), ("source-ref", "hand"), purpose).lines == 1


@pytest.mark.parametrize(
    ("values", "size"),
    [
        ({}, (224, 224)),
        ({"image_shape": "3,100,200"}, (200, 100)),
        ({"image_shape": "3,100,200", "resize": "256"}, None),
        ({"image_shape": "300"}, None),
        ({"image_shape": "3,x,9"}, None),
    ],
)
def test_the_smallest_picture(values: dict[str, str], size: tuple[int, int] | None) -> None:
    assert smallest(Preflight("builtin", values)) == size


@hypothesis_settings(deadline=None)
@given(data=manifests(), step=st.integers(1, 400))
def test_a_channel_is_the_same_in_blocks_of_any_size(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, step: int
) -> None:
    path = tmp_path_factory.mktemp("channel") / "a.manifest"
    path.write_bytes(data)
    names = ("source-ref", "kind")
    assert read_channel(chopped(path, step), names, "builtin", 1) == read_channel(
        open_source(str(path)), names, "builtin"
    )


@hypothesis_settings(deadline=None)
@given(data=manifests())
def test_samples_are_those_that_the_pipe_s_reader_reads(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    """The counts of the rules are those of the stream itself, made by ``mtool pipe`` and read back."""
    path = tmp_path_factory.mktemp("stream") / "a.manifest"
    path.write_bytes(data)
    names = ("source-ref", "kind")
    numbered = [(at, line) for at, line in enumerate(data.split(b"\n"), 1) if b'"kind":' in line]
    stream = io.BytesIO(b"".join(map(frame, records(numbered, names, lambda _: JPEG))))
    read = list(read_pipe(stream, names))
    channel = read_channel(open_source(str(path)), names, "builtin")
    assert channel.samples == len(read)
    labels = [sample.label[0] for sample in read if isinstance(sample.label, tuple)]
    assert {index: found.lines for index, found in channel.ids.items()} == {
        index: labels.count(index) for index in labels
    }


@given(st.lists(st.integers(0, 20), max_size=6))
def test_a_list_of_classes_is_read_in_every_way_that_it_can_be(ids: list[int]) -> None:
    label = read_label(json.dumps(ids), "builtin")
    once, hot = len(set(ids)) == len(ids), len(ids) > 1 and set(ids) <= {0, 1}
    assert (label.ids == tuple(ids)) == once
    assert (label.ones == tuple(at for at, one in enumerate(ids) if one)) == hot
    assert bool(label.why) == (not once and not hot)


def test_hyperparameters_of_a_file_and_of_pairs(tmp_path: Path) -> None:
    path = tmp_path / "values.json"
    path.write_text('{"num_classes": 2, "learning_rate": 0.1, "optimizer": "sgd"}')
    found = read_hyperparameters(str(path), ["num_classes=3", "image_shape=3,224,224"])
    expected = {"num_classes": "3", "learning_rate": "0.1", "optimizer": "sgd", "image_shape": "3,224,224"}
    assert found == expected
    assert read_request(str(path)) is None
    assert read_hyperparameters(None, ["a=b=c"]) == {"a": "b=c"}


def test_hyperparameters_of_a_request(tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    path.write_text(json.dumps(request(HyperParameters={"num_classes": "7"})))
    assert read_hyperparameters(str(path), ["epochs=3"]) == {"num_classes": "7", "epochs": "3"}
    assert read_request(str(path)) == request(HyperParameters={"num_classes": "7"})
    tuning = {"TrainingJobDefinition": {"StaticHyperParameters": {"epochs": "2"}}}
    path.write_text(json.dumps(tuning))
    assert read_hyperparameters(str(path)) == {"epochs": "2"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "expected an object"),
        ("{", "not JSON"),
        ("[" * 10**5, "not JSON"),
        ('{"epochs": [1]}', "epochs: expected a text or a number, found an array"),
        ('{"early_stopping": true}', "early_stopping: expected a text or a number, found true"),
    ],
)
def test_a_file_that_holds_no_hyperparameters(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "values.json"
    path.write_text(text)
    with pytest.raises(Refused, match=message):
        read_hyperparameters(str(path))


@pytest.mark.parametrize("pair", ["num_classes", "=2", ""])
def test_a_pair_that_is_none(pair: str) -> None:
    with pytest.raises(Refused, match="expected NAME=VALUE"):
        read_hyperparameters(None, [pair])


def test_a_file_of_hyperparameters_that_is_not_there() -> None:
    with pytest.raises(Refused, match="no such file"):
        read_hyperparameters("nowhere.json")


# What requests are made of, in the right places and in wrong ones.
FIELDS = [
    "AlgorithmSpecification",
    "TrainingImage",
    "TrainingInputMode",
    "InputDataConfig",
    "ChannelName",
    "DataSource",
    "S3DataSource",
    "S3DataType",
    "S3Uri",
    "AttributeNames",
    "ContentType",
    "RecordWrapperType",
    "InputMode",
    "HyperParameters",
    "ResourceConfig",
    "InstanceType",
    "InstanceCount",
    "StoppingCondition",
    "MaxWaitTimeInSeconds",
    "EnableManagedSpotTraining",
    "TrainingJobName",
    "TransformInput",
    "BatchStrategy",
    "TrainingJobDefinition",
    "HyperParameterTuningJobConfig",
    "ParameterRanges",
    "Name",
    "StaticHyperParameters",
    "ShuffleConfig",
]
WORDS = ("train", "model", "Pipe")
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["train", "model", "Pipe"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5),
    max_leaves=12,
)


@pytest.mark.parametrize("purpose", PURPOSES)
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(asked=st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=8))
def test_no_request_breaks_the_rules(
    tmp_path_factory: pytest.TempPathFactory, purpose: str, asked: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("request")
    for problem in report(folder, TRAIN, VALIDATION, purpose=purpose, request=asked):
        assert "\n" not in problem.message


@pytest.mark.parametrize("purpose", PURPOSES)
def test_every_real_file_goes_through_every_preflight(corpus: Path, purpose: str) -> None:
    for path in sorted(corpus.iterdir()):
        if path.suffix in (".manifest", ".jsonl"):
            found = validate(str(path), preflight=Preflight(purpose))
            assert all(problem.message and problem.code for problem in found)
            assert found.preflight_input is not None


def test_a_failed_line_of_a_real_file_is_named(corpus: Path) -> None:
    found = list(validate(str(corpus / "failed-rows.jsonl"), preflight=Preflight("builtin")))
    assert any(one.code in ("MT505", "MT502") for one in found)


@pytest.fixture
def with_pictures(tmp_path: Path, sample: Path) -> tuple[Path, PreflightInput]:
    """A manifest of three pictures of the sample, copied, and the job that it would be trained by."""
    pictures = sorted((sample / "images").glob("*.JPG"))[:3] or sorted((sample / "images").iterdir())[:3]
    for at, picture in enumerate(pictures):
        (tmp_path / f"{at}.jpg").write_bytes(picture.read_bytes())
    text = lines(*(single(at % 2, f"s3://b/{at}.jpg", "RL"[at % 2]) for at in range(3)))
    return tmp_path, checked(tmp_path, text, text)[1]


def stream_problems(folder: Path, job: PreflightInput) -> list[Problem]:
    return list(prove_stream(str(folder / "train.manifest"), job, images=[str(folder)]))


def test_a_stream_with_its_pictures_is_proven(with_pictures: tuple[Path, PreflightInput]) -> None:
    assert stream_problems(*with_pictures) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"<html>", "expected source-ref to be a JPEG or PNG picture", id="no picture"),
        pytest.param(b"", "found nothing", id="an empty picture"),
        pytest.param(None, "no such file", id="a picture that is not there"),
    ],
)
def test_the_line_is_named_whose_picture_cannot_be_sent(
    with_pictures: tuple[Path, PreflightInput], data: bytes | None, message: str
) -> None:
    folder, job = with_pictures
    (folder / "1.jpg").unlink()
    if data is not None:
        (folder / "1.jpg").write_bytes(data)
    (problem,) = stream_problems(folder, job)
    assert (problem.code, problem.line) == (PROVEN, 2)
    assert message in problem.message


def test_lines_without_a_label_are_left_to_the_rules(with_pictures: tuple[Path, PreflightInput]) -> None:
    folder, job = with_pictures
    with (folder / "train.manifest").open("a") as file:
        file.write('{"source-ref": "s3://b/9.jpg"}\nnot json\n\n')
    assert stream_problems(folder, job) == []


def test_masks_are_sent_as_bytes(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(jpeg(7))
    Image.new("L", (60, 40)).save(tmp_path / "1.png")
    line = labelled("mask-ref", "s3://b/1.png", "semantic-segmentation", "s3://b/1.jpg")
    job = checked(tmp_path, lines(line), lines(line), purpose="semantic-segmentation")[1]
    assert stream_problems(tmp_path, job) == []
    (tmp_path / "1.png").write_bytes(jpeg(7))
    (problem,) = stream_problems(tmp_path, job)
    assert "expected a mask, which is a PNG" in problem.message


def test_a_stream_needs_to_know_its_label(tmp_path: Path) -> None:
    two = single(0) | labelled("other", 0, "image-classification", class_name="a")
    job = checked(tmp_path, lines(two), lines(two))[1]
    with pytest.raises(Refused, match="--label-attribute"):
        stream_problems(tmp_path, job)


def test_a_class_beyond_num_classes_is_no_sample(with_pictures: tuple[Path, PreflightInput]) -> None:
    folder, _ = with_pictures
    text = (folder / "train.manifest").read_text()
    job = checked(folder, text, text, hyperparameters={"num_classes": "1"})[1]
    assert [one.line for one in stream_problems(folder, job)] == [2]


CODES = {rule.code: rule for rule in RULES}


@pytest.mark.parametrize("row", FAILURES, ids=lambda row: f"row {row.row}")
def test_every_known_failure_has_a_rule_or_a_reason_why_not(row: Any) -> None:
    assert set(row.codes) <= CODES.keys()
    assert bool(row.codes) != bool(row.why_not)


# Others are found by rules that hold for all manifests.
OURS = [one for one in FAILURES if any(code >= "MT5" for code in one.codes)]


@pytest.mark.parametrize("row", OURS, ids=lambda row: f"row {row.row}")
def test_the_preflight_names_the_row_of_a_known_failure(tmp_path: Path, row: Any) -> None:
    """Some rule of the row says its number: in what it finds in its own example, or in its advice."""
    texts = [f"{CODES[code].fix} {messages_of(tmp_path, CODES[code])}" for code in row.codes if code >= "MT5"]
    assert any(names_row(text, row.row) for text in texts), texts


def messages_of(folder: Path, rule: Any) -> str:
    names, example = [], rule.breaks()
    for name, text in zip(example.names, example.files, strict=False):
        (folder / name).write_bytes(text.encode("utf-8", "surrogateescape"))
        names.append(str(folder / name))
    purpose = rule.purposes[0] if rule.purposes else "builtin"
    preflight = Preflight(purpose, example.hyperparameters, example.request)
    label = example.label_attribute
    found = validate(*names, preflight=preflight, label_attribute=label, codes=[rule.code])
    return " ".join(problem.message for problem in found)


def names_row(text: str, row: int) -> bool:
    inside = re.findall(r"known failures? ([\d, and]+)", text)
    return any(str(row) in re.findall(r"\d+", one) for one in inside)


def test_names_in_camel_case_and_other_languages_are_mirrored_too() -> None:
    assert mirrored(["main-gauche", "main-droite", "pied"]) == [("main-gauche", "main-droite")]
    assert mirrored(["hand_l", "hand_r"]) == [("hand_l", "hand_r")]
    assert mirrored(["left", "alright"]) == []
    assert mirrored(["turn left", "turn right", "left turn"]) == [("turn left", "turn right")]

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.algorithms import ALGORITHMS
from manifest_tools.base.errors import Refused
from manifest_tools.groundtruth.classes import ClassTable
from tests.trainers.sagemaker.labs import BIRDS, IC, ROLE, SEG, SHORT, everything, training_job
from tests.trainers.sagemaker.service_model import problems
from trainers.sagemaker import (
    CLASSES_TAG,
    Compute,
    TrainingJob,
    Vpc,
    create,
    hyperparameter_texts,
    manifest_channels,
)
from trainers.sagemaker.requests.training_job import warnings

CKPT = "s3://example-bucket/ckpt"


@pytest.mark.parametrize(
    ("other", "message"),
    [
        pytest.param({"name": "left_right"}, "name of the training job", id="a name with an underscore"),
        pytest.param(
            {"region": "mx-central-1"}, "no image-classification; near it", id="a region without it"
        ),
        pytest.param(
            {"role": "SageMakerRole"}, "expected arn:aws:iam::ACCOUNT:role/NAME", id="a role's bare name"
        ),
        pytest.param({"role": ROLE.replace(":role/", ":user/")}, "role: expected", id="a user"),
        pytest.param({"role": ROLE + "\n"}, "role: expected", id="a role with a line break"),
        pytest.param(
            {"region": "cn-north-1"}, "expected one of aws-cn, where cn-north-1 is", id="role elsewhere"
        ),
        pytest.param({"channels": ()}, "channel train is missing", id="no channels"),
        pytest.param({"output": "out"}, "output: expected s3://bucket/key", id="a local output"),
        pytest.param({"output_key": ""}, "output key: expected a KMS key's", id="an empty key"),
        pytest.param({"output_key": "my key"}, "output key: expected a KMS key's", id="a key with a blank"),
        pytest.param({"compute": Compute("ml.m5.large")}, "not on m5, which has no GPU", id="a CPU"),
        pytest.param(
            {"compute": Compute("ml.p3.2xlarge", 0)}, "instance count: expected 1 to", id="no machine"
        ),
        pytest.param(
            {"compute": Compute("ml.p3.2xlarge", 1, 0)}, "volume: expected 1 to 16,384", id="no volume"
        ),
        pytest.param({"compute": Compute("ml.g5.xlarge", 1, 50)}, "disk of its own", id="a second disk"),
        pytest.param({"compute": Compute("ml.g5.xlarge", 1, None, "k")}, "disk of its own", id="its key"),
        pytest.param({"max_run": 0}, "max run (seconds): expected 1 to 2,419,200, found 0", id="no time"),
        pytest.param({"max_run": 2419201}, "found 2,419,201", id="more than 28 days"),
        pytest.param({"max_wait": 7200}, "name a place for checkpoints", id="spot without checkpoints"),
        pytest.param(
            {"max_wait": 3599, "checkpoints": CKPT}, "expected 3,600 to 2,419,200, found 3,599", id="row 44"
        ),
        pytest.param({"checkpoints": "/opt/ml"}, "checkpoints: expected s3://", id="checkpoints on a disk"),
        pytest.param({"retries": 0}, "retries: expected 1 to 30", id="no retries"),
        pytest.param({"environment": {"1A": ""}}, "environment: expected a name", id="a variable's name"),
        pytest.param({"environment": {"A": "\n"}}, "environment variable A", id="a variable's lines"),
        pytest.param({"tags": {"a": "RH,LH"}}, "(no commas); found 'RH,LH'", id="the class table as a tag"),
        pytest.param({"tags": {"a": "x" * 257}}, "at most 256 letters", id="a long tag"),
        pytest.param({"tags": {"AWS:a": ""}}, "not beginning with aws:", id="a tag of AWS's"),
        pytest.param({"tags": {"": ""}}, "expected a key of 1 to 128", id="a tag without a key"),
        pytest.param(
            {"tags": {str(i): "" for i in range(51)}}, "tags: expected 0 to 50, found 51", id="51 tags"
        ),
        pytest.param({"hyperparameters": {}}, "needs num_classes", id="no hyperparameters"),
        pytest.param(
            {"hyperparameters": {**SHORT, "num_layer": "18"}},
            "no hyperparameter 'num_layer'; did you mean num_layers",
            id="typo",
        ),
        pytest.param(
            {"hyperparameters": {**SHORT, "epochs": "0", "optimizer": "sdg"}},
            "epochs: expected a whole number from 1, found '0'; optimizer: expected",
            id="all errors at once",
        ),
        pytest.param(
            {"hyperparameters": {**SHORT, "num_training_samples": "20"}},
            "mini_batch_size=32 (the default): expected at most num_training_samples=20",
            id="a batch that cannot be filled",
        ),
        pytest.param(
            {"hyperparameters": {**SHORT, "_a\n": "1"}}, "expected one line", id="a name in two lines"
        ),
        pytest.param(
            {"channels": manifest_channels(IC, BIRDS, ["source-ref", "a"], multi_label=True)},
            "label-format is for lists of classes; set multi_label=1",
            id="lists of classes without multi_label",
        ),
    ],
)
def test_a_job_that_would_fail_is_refused_on_one_line(other: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused) as refused:
        training_job(**other)
    assert message in str(refused.value) and str(refused.value).isprintable()


def test_segmentation_has_one_machine() -> None:
    channels = manifest_channels(SEG, BIRDS, ["source-ref", "mask-ref"])
    with pytest.raises(Refused, match="trains on one machine, not on 2"):
        training_job(algorithm=SEG, channels=channels, compute=Compute("ml.p3.2xlarge", 2))


@pytest.mark.parametrize("groups", [(), ("sg_1",), ("a",) * 6, ("a" * 33,)])
def test_a_network_has_one_to_five_security_groups(groups: tuple[str, ...]) -> None:
    with pytest.raises(Refused, match="security groups: expected"):
        Vpc(("subnet-1",), groups)


def test_a_job_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        training_job().max_run = 10**9  # type: ignore[misc]


def test_a_role_is_of_the_region_s_own_partition() -> None:
    role = ROLE.replace("arn:aws:", "arn:aws-cn:")
    assert training_job(region="cn-north-1", role=role).image.endswith(
        ".amazonaws.com.cn/image-classification:1"
    )


def test_the_digest_of_the_class_table_is_a_tag() -> None:
    table = ClassTable(((0, "right, hand"), (1, "left")))
    assert training_job(tags={CLASSES_TAG: table.digest}).tags[CLASSES_TAG] == table.digest


def test_what_looks_like_a_mistake_is_a_warning_and_no_refusal() -> None:
    job = training_job(hyperparameters={**SHORT, "beta_1": "0.9", "top_k": "5"})
    assert warnings(training_job()) == []
    assert [one.split(":")[0] for one in warnings(job)] == ["beta_1 has no effect", "top_k=5"]


def test_values_are_spelled_as_each_algorithm_reads_them() -> None:
    values = {"use_pretrained_model": True, "early_stopping": False, "learning_rate": 1e-5, "epochs": 3}
    tail = {"learning_rate": "1e-05", "epochs": "3"}
    assert hyperparameter_texts(values, IC) == {
        "use_pretrained_model": "1",
        "early_stopping": "False",
        **tail,
    }
    assert hyperparameter_texts(values, SEG) == {
        "use_pretrained_model": "True",
        "early_stopping": "False",
        **tail,
    }


# Much of what is drawn is sensible, the rest is anything: what is refused proves nothing here.
texts = (
    st.text("ab0-", min_size=1, max_size=9) | st.text("aB0 .:/=+-@_,é", max_size=80) | st.text(max_size=80)
)
numbers = st.integers(-2, 200) | st.integers()
MAYBE: dict[str, st.SearchStrategy[Any]] = {
    "name": st.from_regex(r"[a-zA-Z0-9-]{0,65}", fullmatch=True) | texts,
    "region": st.sampled_from(["us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1", "mx-central-1"]),
    "role": st.builds(
        "arn:aws:iam::123456789012:role/{}".format, st.text("ab+=,.@-_/", min_size=1, max_size=90)
    )
    | texts,
    "output": st.builds("s3://example-bucket/{}".format, texts) | texts,
    "output_key": st.none() | st.text("ab:/_-", max_size=40) | texts,
    "max_run": numbers | st.integers(1, 3_000_000),
    "max_wait": st.none() | st.integers(1, 3_000_000),
    "checkpoints": st.none() | st.builds("s3://example-bucket/{}".format, texts),
    "retries": st.none() | numbers,
    "environment": st.dictionaries(st.from_regex(r"[A-Z_]{0,5}", fullmatch=True) | texts, texts, max_size=3),
    "tags": st.dictionaries(texts, texts, max_size=3),
    "encrypt_traffic": st.booleans(),
    "network_isolation": st.booleans(),
    "compute": st.builds(
        Compute,
        st.sampled_from(["ml.p2.xlarge", "ml.p3.2xlarge", "ml.g5.xlarge", "ml.p3dn.24xlarge", "ml.m5.large"]),
        numbers,
        st.none() | numbers,
        st.none() | st.text("ab:/_-", max_size=20),
    ),
}
SOME_VALUES = st.sampled_from([{}, {"epochs": "2"}, {"learning_rate": "0.1"}, {"_x": "1"}]) | st.dictionaries(
    st.sampled_from(["epochs", "optimizer", "_x", "freeze_layer_pattern", "top_k"]) | texts, texts, max_size=2
)


def made(draw: Any) -> TrainingJob | None:
    """Return a job with some fields drawn at random, or None where it was refused."""
    algorithm = draw(st.sampled_from(list(ALGORITHMS.values())))
    attributes = draw(st.just(["source-ref", "a"]) | st.lists(texts, min_size=2, max_size=3, unique=True))
    values = {"num_classes": "5", "num_training_samples": "800"} | draw(SOME_VALUES)
    some = draw(st.lists(st.sampled_from(list(MAYBE)), max_size=2, unique=True))
    seed = draw(st.none() | st.integers(-1, 2**63))
    try:
        return training_job(
            algorithm=algorithm,
            channels=manifest_channels(algorithm, BIRDS, attributes, shuffle_seed=seed),
            hyperparameters=values,
            **{name: draw(MAYBE[name]) for name in some},
        )
    except Refused as refused:
        assert str(refused).isprintable()
        return None


@given(st.data())
def test_every_job_that_can_be_made_is_a_request_that_the_service_takes(data: st.DataObject) -> None:
    job = made(data.draw)
    if job is not None:
        assert problems(*create(job)) == []


@given(st.sampled_from(list(MAYBE)), st.data())
def test_each_field_alone_is_refused_or_a_request_that_the_service_takes(
    name: str, data: st.DataObject
) -> None:
    try:
        job = replace(everything(), **{name: data.draw(MAYBE[name])})
    except Refused as refused:
        assert str(refused).isprintable()
    else:
        assert problems(*create(job)) == []

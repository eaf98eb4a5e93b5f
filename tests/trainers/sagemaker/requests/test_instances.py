import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.algorithms import ALGORITHMS
from manifest_tools.base.errors import Refused
from tests.trainers.sagemaker.labs import IC, SEG
from tests.trainers.sagemaker.service_model import service
from trainers.sagemaker.requests.instances import (
    ENDPOINT_CPU,
    GPU,
    TRANSFORM_CPU,
    for_endpoint,
    for_training,
    for_transform,
    instance_type,
)


def types(families: dict[str, str]) -> set[str]:
    return {f"ml.{family}.{size}" for family, sizes in families.items() for size in sizes.split()}


def known(shape: str, families: dict[str, str]) -> set[str]:
    """Return the types of the service's own list whose family is in the table."""
    listed: list[str] = service().shape_for(shape).enum  # type: ignore[attr-defined]
    return {one for one in listed if one.split(".")[1] in families}


SERVED = {family: sizes for family, sizes in GPU.items() if family != "p3dn"}


@pytest.mark.parametrize(
    ("shape", "families"),
    [
        pytest.param("TrainingInstanceType", GPU, id="training"),
        pytest.param("ProductionVariantInstanceType", ENDPOINT_CPU | SERVED, id="endpoints"),
        pytest.param("TransformInstanceType", TRANSFORM_CPU | SERVED, id="transform jobs"),
    ],
)
def test_the_tables_have_every_size_that_the_service_has_and_no_other(
    shape: str, families: dict[str, str]
) -> None:
    assert types(families) == known(shape, families)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "ml.m5.large", "trains on g4dn, g5, p2, p3, p3dn, not on m5, which has no GPU", id="a CPU"
        ),
        pytest.param("ml.c6g.large", "not on c6g, whose processor is an ARM", id="an ARM"),
        pytest.param("ml.trn1.2xlarge", "whose processor is no GPU of NVIDIA's", id="Trainium"),
        pytest.param(
            "ml.p5.48xlarge", "trains on g4dn, g5, p2, p3, p3dn, not on p5", id="a GPU that is too new"
        ),
        pytest.param(
            "ml.p3.xlarge", "p3 comes as 2xlarge, 8xlarge, 16xlarge; found xlarge", id="no such size"
        ),
        pytest.param("p3.2xlarge", "found 'p3.2xlarge'; type ml.p3.2xlarge", id="without its ml."),
        pytest.param("ml.p3", "expected ml.FAMILY.SIZE", id="without a size"),
        pytest.param("ml.p3.2xlarge\n", "expected ml.FAMILY.SIZE", id="with a line break"),
    ],
)
def test_what_cannot_train_is_refused_and_what_would_do_is_named(text: str, message: str) -> None:
    with pytest.raises(Refused) as refused:
        for_training(text, IC)
    assert message in str(refused.value)


def test_segmentation_trains_on_one_machine() -> None:
    assert str(for_training("ml.p3.2xlarge", SEG, 1)) == "ml.p3.2xlarge"
    with pytest.raises(Refused, match="semantic-segmentation trains on one machine, not on 2"):
        for_training("ml.p3.2xlarge", SEG, 2)
    assert for_training("ml.p3.2xlarge", IC, 2).family == "p3"


@pytest.mark.parametrize("name", ALGORITHMS)
def test_pictures_are_judged_without_a_gpu_as_well(name: str) -> None:
    algorithm = ALGORITHMS[name]
    for text in ("ml.m5.large", "ml.c5.xlarge", "ml.g4dn.xlarge"):
        assert str(for_endpoint(text, algorithm)) == text
        assert str(for_transform(text, algorithm)) == text


@pytest.mark.parametrize("text", ["ml.t2.medium", "ml.c5.large", "ml.m5d.large"])
def test_an_endpoint_has_types_that_a_transform_job_has_not(text: str) -> None:
    assert str(for_endpoint(text, IC)) == text
    with pytest.raises(Refused):
        for_transform(text, IC)


@pytest.mark.parametrize("text", ["ml.c7g.large", "ml.inf1.xlarge", "ml.p3dn.24xlarge", "ml.g6.xlarge"])
def test_what_cannot_serve_is_refused(text: str) -> None:
    with pytest.raises(Refused, match=f"{text}: image-classification is served on .*, not on"):
        for_endpoint(text, IC)


@given(st.text(max_size=30) | st.from_regex(r"ml\.[a-z0-9-]{1,6}\.[a-z0-9]{1,9}", fullmatch=True))
def test_a_type_is_refused_on_one_line_or_reads_as_it_was_typed(text: str) -> None:
    try:
        assert str(instance_type(text)) == text
        for_training(text, IC)
    except Refused as refused:
        assert str(refused).isprintable()

from datetime import UTC, datetime
from typing import Any

import pytest

from manifest_tools.base.errors import Refused
from tests.trainers.sagemaker.service_model import input_shape, problems, service
from trainers.sagemaker.requests.resources import KINDS, delete, describe, list_newest, stop, tags_of, trials

JOBS = ["training", "tuning", "transform"]
THINGS = ["endpoint", "endpoint-config", "model"]


def output(operation: str) -> Any:
    """Return the fields of an answer."""
    from botocore import xform_name

    found = {xform_name(one): one for one in service().operation_names}
    shape: Any = service().operation_model(found[operation]).output_shape
    return shape.members


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_names_fields_that_the_answers_have(kind: str) -> None:
    found = KINDS[kind]
    one, many = output(found.describe), output(found.list_operation)[found.listed].member.members
    for field in (found.name, found.arn, *filter(None, [found.state])):
        assert field in one and field in many
    assert bool(found.state) is bool(found.live)
    if found.state:
        assert set(found.live) <= set(one[found.state].enum)


@pytest.mark.parametrize("kind", KINDS)
def test_its_requests_are_ones_that_the_service_takes(kind: str) -> None:
    made = [describe(kind, "birds-1"), stop(kind, "birds-1") if kind in JOBS else delete(kind, "birds-1")]
    state = KINDS[kind].live[0] if KINDS[kind].live else ""
    now = datetime(2024, 3, 1, tzinfo=UTC)
    made += [
        list_newest(kind),
        list_newest(kind, contains="a", state=state, created_after=now, token="x", most=500),
    ]
    for operation, body in made:
        assert problems(operation, body) == []
    assert made[3].body["MaxResults"] == 100 and made[3].body["CreationTimeAfter"] == now


@pytest.mark.parametrize("kind", JOBS)
def test_a_job_is_stopped_and_stays_listed(kind: str) -> None:
    with pytest.raises(Refused, match="cannot be deleted, only stopped; type mtool jobs stop birds-1"):
        delete(kind, "birds-1")


@pytest.mark.parametrize("kind", THINGS)
def test_an_endpoint_is_deleted(kind: str) -> None:
    with pytest.raises(Refused, match="are not stopped but deleted; type mtool delete birds-1"):
        stop(kind, "birds-1")


@pytest.mark.parametrize("kind", ["endpoint-config", "model"])
def test_what_has_no_state_is_not_listed_by_it(kind: str) -> None:
    with pytest.raises(Refused, match="has no state to be listed by"):
        list_newest(kind, state="InService")


@pytest.mark.parametrize(("kind", "name"), [("tuning", "a" * 33), ("model", "a/b"), ("endpoint", "")])
def test_a_name_that_none_can_have_is_refused(kind: str, name: str) -> None:
    with pytest.raises(Refused, match=f"name of the {KINDS[kind].title}"):
        describe(kind, name)


def test_the_trials_of_a_tuning_job_and_the_tags_of_anything_can_be_asked_for() -> None:
    arn = "arn:aws:sagemaker:us-east-1:111122223333:training-job/birds-1"
    for request in (
        trials("birds"),
        trials("birds", best_first=True, token="x"),
        tags_of(arn),
        tags_of(arn, token="x"),
    ):
        assert problems(*request) == []
    assert trials("birds", best_first=True).body["SortBy"] == "FinalObjectiveMetricValue"
    assert "HyperParameterTuningJobName" in input_shape(trials("birds").operation).required_members

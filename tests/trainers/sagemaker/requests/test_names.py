from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import Refused
from tests.trainers.sagemaker.service_model import problems
from trainers.sagemaker.requests.names import LONGEST_TUNING_JOB, check_name, job_name

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)


@given(st.text(max_size=90), st.datetimes(timezones=st.just(UTC), min_value=datetime(1000, 1, 1)))
def test_any_stem_makes_a_name_that_the_service_takes(stem: str, now: datetime) -> None:
    name, short = job_name(stem, now), job_name(stem, now, LONGEST_TUNING_JOB)
    check_name("job", name)
    assert problems("stop_training_job", {"TrainingJobName": name}) == []
    assert problems("stop_hyper_parameter_tuning_job", {"HyperParameterTuningJobName": short}) == []


@given(st.text("abc-", max_size=70), st.integers(1, 10**6))
def test_two_seconds_make_two_names(stem: str, seconds: int) -> None:
    assert job_name(stem, NOON) < job_name(stem, NOON + timedelta(seconds=seconds))


def test_the_time_is_utc_wherever_the_clock_hangs() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=9)))
    assert job_name("birds", elsewhere) == job_name("birds", NOON) == "birds-20240301-120000"


def test_a_stem_without_letters_is_called_after_the_tool() -> None:
    assert job_name("鳥!", NOON) == "mtool-20240301-120000"


@given(st.text(max_size=70) | st.from_regex(r"[a-zA-Z0-9-]{0,70}", fullmatch=True))
def test_a_name_is_taken_if_the_service_takes_it(name: str) -> None:
    try:
        check_name("endpoint", name)
        taken = True
    except Refused as refused:
        assert str(refused).isprintable()
        taken = False
    assert taken is (problems("stop_training_job", {"TrainingJobName": name}) == [])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a" * 64, "expected at most 63 characters, found 64"),
        ("left_right", "expected letters and digits, hyphens between them, found 'left_right'"),
        ("-a", "found '-a'"),
        ("", "found ''"),
    ],
)
def test_a_bad_name_is_refused(name: str, message: str) -> None:
    with pytest.raises(Refused) as refused:
        check_name("endpoint", name)
    assert str(refused.value).startswith("name of the endpoint: ") and message in str(refused.value)

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import MtoolError
from trainers.sagemaker.client.client import Denied, Throttled, Unreachable
from trainers.sagemaker.client.retry import Waiting, retry, waits


def failing(times: int, error: MtoolError) -> Callable[[], str]:
    """Return a function that raises so many times, and then answers."""
    left = iter(range(times))

    def ask() -> str:
        if next(left, None) is not None:
            raise error
        return "answer"

    return ask


TRANSIENT = st.sampled_from([Throttled("busy"), Unreachable("gone")])


@given(failures=st.integers(0, 11), error=TRANSIENT)
def test_every_wait_is_twice_the_one_before_and_is_said_before_it_begins(
    failures: int, error: MtoolError
) -> None:
    slept: list[float] = []
    messages: list[str] = []

    def sleep(seconds: float) -> None:
        assert messages[-1] == f"{error}; asking again in {seconds:g} s"
        slept.append(seconds)

    assert retry(failing(failures, error), notify=messages.append, sleep=sleep) == "answer"
    assert slept == [min(2.0**number, 60) for number in range(failures)]


@given(tries=st.integers(1, 6), error=TRANSIENT)
def test_after_so_many_tries_the_error_is_raised(tries: int, error: MtoolError) -> None:
    slept: list[float] = []
    with pytest.raises(type(error)):
        retry(failing(tries, error), tries=tries, sleep=slept.append)
    assert len(slept) == tries - 1


def test_what_does_not_pass_is_raised_at_once() -> None:
    with pytest.raises(Denied):
        retry(failing(1, Denied("s3:GetObject", "no")), sleep=lambda seconds: pytest.fail("it has waited"))


def test_a_wait_is_a_value_for_whoever_follows_a_job() -> None:
    assert list(waits(failing(1, Throttled("busy")), sleep=lambda seconds: None)) == [Waiting("busy", 1.0)]

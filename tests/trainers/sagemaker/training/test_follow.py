from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from manifest_tools.base.errors import MtoolError
from tests.trainers.sagemaker.resources import THROTTLED, Fault, Step
from tests.trainers.sagemaker.stand_in import SageMaker
from trainers.events import Note
from trainers.sagemaker.client.client import NotThere, Throttled
from trainers.sagemaker.client.retry import Waiting
from trainers.sagemaker.training.follow import (
    Cost,
    JobEnd,
    JobEvent,
    Status,
    check_ended_well,
    follow,
    how_to_go_on,
)
from trainers.sagemaker.training.log_lines import Epoch, Figure
from trainers.sagemaker.training.log_streams import LogLine, all_lines, last_lines

T = TypeVar("T")

STARTED = datetime.fromtimestamp(1_700_000_000, UTC)


class Time:
    """A clock that goes on only while somebody sleeps."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> datetime:
        return STARTED + timedelta(seconds=sum(self.slept))

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        assert len(self.slept) < 200, "it would never end"


@pytest.fixture
def time() -> Time:
    return Time()


Follow = Callable[..., list[JobEvent]]


@pytest.fixture
def followed(time: Time) -> Follow:
    def whole(name: str = "a-job", **words: Any) -> list[JobEvent]:
        return list(follow(name, clock=time.now, sleep=time.sleep, **words))

    return whole


def those(kind: type[T], events: list[JobEvent]) -> list[T]:
    return [one for one in events if isinstance(one, kind)]


TRAINED = (
    Step("InProgress", "Starting"),
    Step("InProgress", "Training", log=["Epoch[0] Train-accuracy=0.5", "Epoch[0] Time cost=2.5"]),
    Step("InProgress", "Training", log=["Epoch[0] Validation-accuracy=0.25"]),
    Step("InProgress", "Uploading"),
    Step("Completed", "Completed", log=["the very last line"], more={"BillableTimeInSeconds": 120}),
)


def test_a_job_from_its_start_to_its_end(sagemaker: SageMaker, followed: Follow) -> None:
    sagemaker.put("TrainingJob", "a-job", *TRAINED)
    events = followed()
    assert [one.secondary for one in those(Status, events)] == [
        "Starting",
        "Training",
        "Uploading",
        "Completed",
    ]
    assert [one.text for one in those(LogLine, events)] == [line for step in TRAINED for line in step.log]
    assert those(Epoch, events) == [Epoch(1, (("train:accuracy", 0.5), ("validation:accuracy", 0.25)), 2.5)]
    assert [one.name for one in those(Figure, events)] == ["train:accuracy", "time", "validation:accuracy"]
    end = events[-1]
    assert isinstance(end, JobEnd)
    assert (end.status, end.billed, end.reason) == ("Completed", 120, "")
    assert end.artifact == "s3://bucket/output/a-job/output/model.tar.gz"
    check_ended_well(end)


def test_it_looks_every_so_many_seconds_and_a_last_time_after_the_end(
    sagemaker: SageMaker, followed: Follow, time: Time
) -> None:
    sagemaker.put("TrainingJob", "a-job", Step("InProgress", "Training"), Step("Completed"))
    followed(every=7.0)
    assert time.slept == [7.0, 7.0]


def test_a_job_that_fails_ends_with_its_reason(sagemaker: SageMaker, followed: Follow) -> None:
    sagemaker.put("TrainingJob", "a-job", Step("Failed", "Failed", reason="ClientError:\nno"))
    end = followed()[-1]
    assert isinstance(end, JobEnd)
    with pytest.raises(MtoolError, match="a-job failed: ClientError: no; type: mtool doctor a-job"):
        check_ended_well(end)


def test_a_job_that_was_stopped_did_not_end_well(sagemaker: SageMaker, followed: Follow) -> None:
    sagemaker.put("TrainingJob", "a-job", Step("Stopped", "MaxRuntimeExceeded"))
    end = followed()[-1]
    assert isinstance(end, JobEnd)
    with pytest.raises(MtoolError, match="a-job was stopped .MaxRuntimeExceeded.; type: mtool doctor"):
        check_ended_well(end)


@pytest.mark.parametrize("operation", ["DescribeTrainingJob", "DescribeLogStreams", "GetLogEvents"])
@pytest.mark.parametrize(
    "fault", [THROTTLED, Fault("InternalFailure", "", 500)], ids=["throttled", "out of order"]
)
def test_what_passes_is_waited_out_each_time_longer_and_nothing_is_lost(
    sagemaker: SageMaker, followed: Follow, time: Time, operation: str, fault: Fault
) -> None:
    sagemaker.put("TrainingJob", "a-job", *TRAINED)
    sagemaker.answer(operation, *[fault] * 4)
    events = followed(every=10.0)
    waits = [one.seconds for one in those(Waiting, events)]
    assert waits == [1, 2, 4, 8]
    assert [wait for wait in time.slept if wait != 10] == waits
    assert [one.text for one in those(LogLine, events)] == [line for step in TRAINED for line in step.log]


def test_it_does_not_wait_for_ever(sagemaker: SageMaker, followed: Follow, time: Time) -> None:
    sagemaker.put("TrainingJob", "a-job")
    sagemaker.answer("DescribeTrainingJob", *[THROTTLED] * 50)
    with pytest.raises(Throttled):
        followed()
    assert max(time.slept) == 60
    assert len(time.slept) == 11


def test_a_job_that_there_is_none_of(sagemaker: SageMaker, followed: Follow) -> None:
    with pytest.raises(NotThere, match="there is none of that name in us-east-1"):
        followed("none")


def test_without_the_right_to_read_the_log_the_state_is_followed(
    sagemaker: SageMaker, followed: Follow
) -> None:
    sagemaker.put("TrainingJob", "a-job", *TRAINED)
    sagemaker.answer("DescribeLogStreams", Fault("AccessDeniedException", "no"))
    events = followed()
    (note,) = those(Note, events)
    assert "the log cannot be read" in note.text and "logs:DescribeLogStreams" in note.text
    assert those(LogLine, events) == []
    assert isinstance(events[-1], JobEnd)


def test_the_cost_grows_while_it_runs_and_is_of_what_was_billed_at_the_end(
    sagemaker: SageMaker, followed: Follow
) -> None:
    body = {"ResourceConfig": {"InstanceType": "ml.p3.2xlarge", "InstanceCount": 2, "VolumeSizeInGB": 1}}
    steps = (
        Step("InProgress", "Training"),
        Step("InProgress", "Training"),
        Step("Completed", more={"BillableTimeInSeconds": 1800}),
    )
    sagemaker.put("TrainingJob", "a-job", *steps, created=STARTED.timestamp(), body=body)
    costs = those(Cost, followed(price_per_hour=4.0, every=900.0))
    assert costs == [Cost(0.0, 0.0), Cost(900.0, 2.0), Cost(1800.0, 4.0)]


def test_a_transform_job_is_followed_too(sagemaker: SageMaker, followed: Follow) -> None:
    sagemaker.put("TransformJob", "a-job", Step("InProgress", log=["begun"]), Step("Completed"))
    events = followed(kind="transform")
    assert [one.text for one in those(LogLine, events)] == ["begun"]
    end = events[-1]
    assert isinstance(end, JobEnd)
    assert end.artifact == "s3://bucket/answers"


def test_ctrl_c_sends_no_stop(sagemaker: SageMaker) -> None:
    sagemaker.put("TrainingJob", "a-job", *TRAINED)

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    events: Iterator[JobEvent] = follow("a-job", sleep=interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(events)
    assert sagemaker.sent("StopTrainingJob") == []
    assert not sagemaker.jobs["a-job"].ended


def test_it_says_how_to_go_on() -> None:
    assert "mtool jobs stop a-job" in how_to_go_on("a-job")
    assert "mtool jobs logs a-job --follow" in how_to_go_on("a-job")


@pytest.mark.parametrize("lines", [0, 1, 99, 100, 101, 350])
def test_a_long_log_comes_whole_and_from_its_end(sagemaker: SageMaker, lines: int) -> None:
    written = [f"line {number}" for number in range(lines)]
    sagemaker.put("TrainingJob", "a-job", Step("Completed", log=written))
    assert [line.text for line in all_lines("training", "a-job")] == written
    assert [line.text for line in last_lines("training", "a-job", 150)] == written[-150:]


def test_the_log_of_another_job_whose_name_begins_alike_is_left_alone(sagemaker: SageMaker) -> None:
    sagemaker.put("TrainingJob", "a-job", Step("Completed", log=["mine"]))
    sagemaker.put("TrainingJob", "a-job-2", Step("Completed", log=["another's"]))
    assert [line.text for line in all_lines("training", "a-job")] == ["mine"]

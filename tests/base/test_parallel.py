import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base import errors
from manifest_tools.base.errors import MtoolError
from manifest_tools.base.parallel import cores, run
from manifest_tools.groundtruth.classes import ClassConflict
from manifest_tools.io import s3_errors


def double(number: int) -> int:
    return 2 * number


def process(_: int) -> int:
    return os.getpid()


def fail(number: int) -> int:
    if number == 3:
        raise LookupError("number three")
    return number


@given(st.lists(st.integers(), max_size=20))
def test_results_come_in_the_order_of_the_items(items: list[int]) -> None:
    assert list(run(double, items, 1)) == [2 * item for item in items]


@pytest.mark.parametrize("jobs", [1, 2, 3, None])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
def test_any_number_of_jobs_gives_the_same(jobs: int | None, count: int) -> None:
    assert list(run(double, range(count), jobs)) == [2 * number for number in range(count)]


def test_several_jobs_are_several_processes() -> None:
    assert os.getpid() not in set(run(process, range(8), 2))


@pytest.mark.parametrize(
    ("jobs", "count"), [pytest.param(1, 8, id="one job"), pytest.param(2, 1, id="one item")]
)
def test_little_work_stays_in_this_process(jobs: int, count: int) -> None:
    assert set(run(process, range(count), jobs)) == {os.getpid()}


def test_a_failure_comes_after_the_results_before_it() -> None:
    for jobs in (1, 2):
        results = run(fail, range(8), jobs)
        assert [next(results), next(results), next(results)] == [0, 1, 2]
        with pytest.raises(LookupError, match="number three"):
            next(results)


@pytest.mark.parametrize("jobs", [1, 2])
def test_only_a_few_items_are_under_way_at_a_time(jobs: int) -> None:
    taken = 0

    def counted() -> Iterator[int]:
        nonlocal taken
        for number in range(1000):
            taken += 1
            yield number

    results = run(double, counted(), jobs)
    next(results)
    assert taken <= 2 * jobs + 2
    results.close()  # type: ignore[attr-defined]


def test_threads_will_do() -> None:
    with ThreadPoolExecutor(2) as threads:
        assert list(run(double, range(20), jobs=threads)) == [2 * number for number in range(20)]


def test_an_executor_of_ours_is_left_open() -> None:
    with ThreadPoolExecutor(1) as threads:
        list(run(double, range(3), jobs=threads))
        assert threads.submit(double, 4).result() == 8


def test_there_is_at_least_one_core() -> None:
    assert cores() >= 1


ERRORS = [
    MtoolError("it broke"),
    errors.Refused("no"),
    errors.BadData("bad"),
    errors.NotAManifest("a.manifest", "a picture", "type the manifest"),
    errors.InvalidLine("a.manifest", 3, "not JSON"),
    errors.Exists(["a", "b"]),
    errors.NotInstalled("mxnet", "gluon", "train"),
    s3_errors.NotThere("s3://b/k", "object"),
    s3_errors.Denied("s3://b/k"),
    ClassConflict("class 0 has two names"),
]


def raise_it(number: int) -> int:
    raise ERRORS[number]


@pytest.mark.parametrize("number", range(len(ERRORS)), ids=[type(error).__name__ for error in ERRORS])
def test_an_error_of_ours_comes_out_of_a_worker_as_it_went_in(number: int) -> None:
    expected = ERRORS[number]
    with pytest.raises(type(expected)) as raised:
        list(run(raise_it, [number, number], 2))
    assert str(raised.value) == str(expected)
    assert vars(raised.value) == vars(expected)
    assert raised.value.exit_code == expected.exit_code


def test_every_error_of_ours_is_tried() -> None:
    def below(kind: type[MtoolError]) -> Iterator[type[MtoolError]]:
        yield kind
        for child in kind.__subclasses__():
            yield from below(child)

    core = {
        kind
        for kind in below(MtoolError)
        if kind.__module__
        in ("manifest_tools.base.errors", "manifest_tools.io.s3_errors", "manifest_tools.groundtruth.classes")
    }
    assert core == {type(error) for error in ERRORS}


SLOW = """
import os, sys, time
from manifest_tools.base.parallel import run

def slow(number):
    if number == 0:
        print("ready", flush=True)
    time.sleep(0.2)
    return number

try:
    for _ in run(slow, range(1000), 2):
        pass
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="sends the signal as a terminal does, to the whole group")
def test_ctrl_c_ends_the_workers_without_a_word() -> None:
    import signal

    started = subprocess.Popen(
        [sys.executable, "-c", SLOW],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"
    os.killpg(started.pid, signal.SIGINT)
    output, errors = started.communicate(timeout=20)
    assert (output, errors, started.returncode) == ("interrupted\n", "", 0)
    with pytest.raises(ProcessLookupError):
        os.killpg(started.pid, 0)


def kill(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_a_killed_worker_is_no_mistake_of_ours() -> None:
    with pytest.raises(MtoolError, match="a worker process was killed.*-j 1"):
        list(run(kill, range(8), 2))


@pytest.mark.skipif(not os.path.exists("/proc/self"), reason="needs /proc")
def test_workers_end_when_their_parent_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", ORPHANS], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        workers = [int(number) for number in parent.stdout.readline().split()]
        parent.kill()
    until = time.monotonic() + 20
    while any(os.path.exists(f"/proc/{worker}") for worker in workers) and time.monotonic() < until:
        time.sleep(0.02)
    assert workers
    assert not any(os.path.exists(f"/proc/{worker}") for worker in workers)


ORPHANS = """
import os, time
from manifest_tools.base.parallel import run

def who(number):
    time.sleep(0.2)
    return os.getpid()

pids = run(who, range(20), 2)
print(*{next(pids) for _ in range(4)}, flush=True)
time.sleep(60)
"""

"""Runs a task for many items, in this process, in others, or on other machines; results come in order.

A task is a picklable function of one picklable item. Results come in the order of the items, so a command
writes the same bytes for any number of workers.
"""

import contextlib
import gc
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

from manifest_tools.base.details import detail
from manifest_tools.base.errors import MtoolError

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

Jobs: TypeAlias = "int | Executor | None"
"""Who does the work: a number of processes, an executor, or None for one process a processor."""

T = TypeVar("T")
R = TypeVar("R")


def cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run(
    task: Callable[[T], R], items: Iterable[T], jobs: Jobs = None, ahead: int | None = None
) -> Iterator[R]:
    """Yield ``task(item)`` for every item, in order.

    ``jobs`` is a number of worker processes (None: one a processor), or any ``concurrent.futures``
    executor, such as what a Dask client's ``get_executor()`` returns. With one job, or one item, the work
    is done in this process. At most ``ahead`` items are in work at a time (None: a few for each worker), so
    memory does not grow with the number of items. Raises what ``task`` raises, and MtoolError when a worker
    process was killed.
    """
    source = iter(items)
    first = list(islice(source, 2))
    workers = cores() if jobs is None else jobs
    if workers == 1 or len(first) < 2:
        yield from map(task, chain(first, source))
    elif not isinstance(workers, int):
        yield from _in_order(workers, task, chain(first, source), ahead or 4 * cores())
    else:
        with _new_pool(workers) as pool:
            yield from _in_order(pool, task, chain(first, source), ahead or 2 * workers)


@contextlib.contextmanager
def pool(jobs: Jobs, many: bool) -> Iterator[Jobs]:
    """Yield workers that several calls of ``run`` share; processes start only if there are ``many`` items."""
    workers = cores() if jobs is None else jobs
    if not many or not isinstance(workers, int) or workers == 1:
        yield jobs
    else:
        with _new_pool(workers) as pool:
            yield pool


def _in_order(executor: "Executor", task: Callable[[T], R], items: Iterable[T], ahead: int) -> Iterator[R]:
    from concurrent.futures import BrokenExecutor

    waiting: deque[Future[R]] = deque()
    try:
        for item in items:
            waiting.append(executor.submit(task, item))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenExecutor as error:
        raise MtoolError(
            "a worker process was killed, probably because memory ran out; type -j 1 to use one process"
        ) from error
    finally:
        for future in waiting:
            future.cancel()


def _new_pool(workers: int) -> "Executor":
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # A forked worker starts in a millisecond with every module loaded; forking is not safe on macOS.
    method = "fork" if sys.platform == "linux" else "spawn"
    detail(__name__, "%d worker processes (%s)", workers, method)
    return ProcessPoolExecutor(workers, multiprocessing.get_context(method), initializer=_prepare_worker)


def _prepare_worker() -> None:
    """Leave Ctrl-C to the parent process, end when the parent ends, and spend no time on memory.

    A task makes a list of some ten thousand rows and drops it. It has no reference cycle, but the search
    for one takes as long as the work, so the garbage collector is off.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    gc.freeze()
    gc.disable()
    if sys.platform == "linux":
        _keep_freed_memory()


def _end_with_parent() -> None:
    """End this worker when its parent has ended; a parent that is killed cannot tell its workers."""
    import multiprocessing

    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _keep_freed_memory() -> None:
    """Let glibc keep freed memory for the next block, and not return it to the system.

    Otherwise the system maps and clears the memory again for every block: a third of the time for a million
    lines.
    """
    import ctypes

    trim_threshold, mmap_threshold = -1, -3  # malloc.h
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        for parameter in (trim_threshold, mmap_threshold):
            libc.mallopt(parameter, 64 << 20)


class Progress(Protocol):
    """Yields the items and shows how many are done; ``cli.shared.screen.progress`` is one."""

    def __call__(self, items: Iterable[T], total: int | None, what: str) -> Iterator[T]: ...  # noqa: D102


def no_progress(items: Iterable[T], total: int | None, what: str) -> Iterator[T]:
    """Yield the items and show nothing."""
    yield from items

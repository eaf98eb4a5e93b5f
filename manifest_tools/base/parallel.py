"""The seam between the work and the machines that do it: tasks in, results out, in order.

A task is a picklable function of one picklable item. Results come in the order of the items, whatever
finished first, so the same command gives the same bytes for any number of workers.
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

from manifest_tools.base.errors import MtoolError

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

Jobs: TypeAlias = "int | Executor | None"
"""Who works: so many processes, an executor, or (None) one process a processor."""

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
    executor, such as what a Dask client's ``get_executor()`` returns. With one job, or one item, all
    happens in this process. Only ``ahead`` items are under way at a time, a few if not told, so memory
    does not grow with their number.
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
    """Yield workers for several runs of one command, one after the other; none start but for ``many``."""
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
        raise MtoolError("a worker process was killed; was memory short? type -j 1") from error
    finally:
        for future in waiting:
            future.cancel()


def _new_pool(workers: int) -> "Executor":
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # A forked worker starts in a millisecond and has every module; elsewhere a fresh one is the safe way.
    method = "fork" if sys.platform == "linux" else "spawn"
    return ProcessPoolExecutor(workers, multiprocessing.get_context(method), initializer=_prepare_worker)


def _prepare_worker() -> None:
    """Let Ctrl-C reach the parent alone, and end when it does, however; and spend no time on memory.

    A task makes a list of some ten thousand rows and drops it: there is no cycle to collect in it, but
    looking for one takes as long as the work.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    gc.freeze()
    gc.disable()
    if sys.platform == "linux":
        _keep_freed_memory()


def _end_with_parent() -> None:
    """End this worker once its parent is gone: killed, it could tell nobody that there is no more work."""
    import multiprocessing

    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _keep_freed_memory() -> None:
    """Tell glibc not to give a block's memory back to the system before the next block needs it again.

    Every block would be mapped and cleared anew; on a million lines that is a third of all time.
    """
    import ctypes

    trim_threshold, mmap_threshold = -1, -3  # malloc.h
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        for parameter in (trim_threshold, mmap_threshold):
            libc.mallopt(parameter, 64 << 20)


class Progress(Protocol):
    """Hands items on and shows how far they are; ``cli.screen.progress`` is one."""

    def __call__(self, items: Iterable[T], total: int | None, what: str) -> Iterator[T]: ...  # noqa: D102


def no_progress(items: Iterable[T], total: int | None, what: str) -> Iterator[T]:
    """Hand the items on and show nothing."""
    yield from items

"""Workers on other machines: a Dask cluster that runs already, or one of processes on this machine."""

import contextlib
import warnings
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from manifest_tools.base.details import detail
from manifest_tools.base.errors import MtoolError, NotInstalled, Refused
from manifest_tools.base.parallel import cores

LOCAL = "local"

_CONNECT = 20  # seconds that a scheduler has to answer
_ADDRESSES = ("tcp://", "tls://", "ws://", "wss://", "ucx://")
_AHEAD = 3  # items in work for each thread of the cluster: one done, one in work, one waiting


@dataclass(frozen=True, slots=True)
class Workers:
    """What ``parallel.run`` is given."""

    executor: Executor
    ahead: int
    """Items that are in work at a time."""


@contextlib.contextmanager
def cluster(address: str) -> Iterator[Workers]:
    """Yield the workers of the Dask scheduler at ``address``; ``local`` starts a process for each processor.

    A task whose worker is lost runs again on another. Raises Refused for what is no address, MtoolError for a
    scheduler that does not answer, that has no worker, or whose workers are lost again and again.
    """
    if address != LOCAL and not address.startswith(_ADDRESSES):
        raise Refused(f"--dask {address}: expected tcp://HOST:PORT of a Dask scheduler, or {LOCAL}")
    try:
        import distributed
    except ImportError as error:
        raise NotInstalled("distributed", "dask", "--dask") from error
    dask: Any = distributed
    lost = (dask.KilledWorker, dask.comm.CommClosedError, dask.client.FuturesCancelledError)
    with contextlib.ExitStack() as closing:
        client = closing.enter_context(_client(dask, address, closing))
        threads = sum(client.nthreads().values())
        if not threads:
            raise MtoolError(f"--dask {address}: the scheduler has no workers; type: dask worker {address}")
        detail(__name__, "%s: %d threads of workers", address, threads)
        try:
            yield Workers(client.get_executor(), _AHEAD * threads)
        except lost as error:
            raise MtoolError(
                f"--dask {address}: workers are lost again and again, perhaps for want of memory: {error}"
            ) from error


def _client(dask: Any, address: str, closing: contextlib.ExitStack) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Dask's own parts say of each other
        if address != LOCAL:
            try:
                return dask.Client(address, timeout=_CONNECT, set_as_default=False)
            except (OSError, ValueError) as error:
                raise MtoolError(f"--dask {address}: no Dask scheduler answers there ({error})") from error
        started = dask.LocalCluster(
            n_workers=cores(),
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
        )
        closing.enter_context(started)
        return dask.Client(started, set_as_default=False)

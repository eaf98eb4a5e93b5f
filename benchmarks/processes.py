"""Runs commands as processes of their own and measures wall time, processor time and peak memory."""

import os
import platform
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Figures:
    """What the runs of a command took."""

    wall: float
    """Seconds, the median."""

    processor: float
    """Seconds of all processes, the median."""

    largest: int
    """Bytes of the largest process, at its peak."""

    together: int
    """Bytes of all processes together, at their peak."""


def measure(
    command: Sequence[str], runs: int, folder: Path, shell: bool = False, makes: Sequence[str] = ()
) -> Figures:
    """Run a command ``runs`` times after one warm-up, and return the medians.

    What it ``makes`` in ``folder`` is removed before each run, so none is compared or freed.
    """
    found = []
    for _ in range(runs + 1):
        for name in makes:
            if (folder / name).is_dir():
                shutil.rmtree(folder / name)
            else:
                (folder / name).unlink(missing_ok=True)
        found.append(_run(command, folder, shell))
    found = found[1:]
    return Figures(
        median(f.wall for f in found),
        median(f.processor for f in found),
        max(f.largest for f in found),
        max(f.together for f in found),
    )


def _run(command: Sequence[str], folder: Path, shell: bool) -> Figures:
    before = os.times()
    start = time.perf_counter()
    process = subprocess.Popen(
        " ".join(command) if shell else command,
        cwd=folder,
        shell=shell,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    watch = _Memory(process.pid)
    watch.start()
    _, notes = process.communicate()
    wall = time.perf_counter() - start
    watch.done.set()
    watch.join()
    if process.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {notes.decode()[-500:]}")
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return Figures(wall, spent, watch.largest, watch.together)


class _Memory(threading.Thread):
    """Samples the memory of a process and its children every 20 milliseconds (proportional set size)."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.largest, self.together = pid, 0, 0
        self.done = threading.Event()

    def run(self) -> None:
        """Sample until ``done`` is set."""
        while not self.done.wait(0.02):
            resident = [_resident(pid) for pid in _family(self.pid)]
            self.largest = max([self.largest, *(rss for rss, _ in resident)])
            self.together = max(self.together, sum(pss for _, pss in resident))


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(one for child in children for one in _family(int(child)))]


def _resident(pid: int) -> tuple[int, int]:
    """Return resident and proportional bytes; pages shared by forked workers count once in the second."""
    try:
        fields = dict(
            line.split(":")[:2] for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        )
    except (OSError, ValueError):
        return 0, 0
    return tuple(int(fields[name].split()[0]) * 1024 for name in ("Rss", "Pss"))  # type: ignore[return-value]


def machine() -> str:
    """Return one line about this machine."""
    model = "processor unknown"
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line
        ]
        model = names[0] if names else model
    cores = len(os.sched_getaffinity(0))
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{model}, {cores} cores, {system}"


def mtool(*arguments: str) -> list[str]:
    """Return the command line of this checkout's mtool."""
    return [str(Path(sys.executable).parent / "mtool"), *arguments]


def megabytes(count: int) -> str:
    """Return bytes as text."""
    return f"{count / 1e6:.0f} MB"

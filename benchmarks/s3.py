"""Objects a second out of S3: s5cmd, and what convert reads with, through obstore and through boto3.

A server of our own on this machine stands for S3, so what is measured is the client: requests, signatures,
checksums (s5cmd compares none) and, for all three, a file for each object. ``python -m benchmarks.s3
[OBJECTS] [BYTES]``.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.processes import machine, megabytes
from benchmarks.s3_server import BUCKET, key_of

_SERVERS = 2  # processes
_RUNS = 3
_THREADS = 16  # as convert has

READ = """
import sys
from concurrent.futures import ThreadPoolExecutor
from benchmarks.s3_server import BUCKET, key_of
from manifest_tools.io import s3
from manifest_tools.io.s3 import fast

folder, objects, threads, by = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
assert fast.is_used() == (by == "obstore"), "obstore is not installed"

def read(number):
    data = s3.read(f"s3://{BUCKET}/{key_of(number)}", 40_000_000)
    with open(f"{folder}/{number:07}.jpg", "wb") as file:
        file.write(data)
    return len(data)

with ThreadPoolExecutor(threads) as executor:
    print(sum(executor.map(read, range(objects))))
"""


@contextmanager
def server(objects: int, length: int) -> Iterator[str]:
    """Yield the address of a server with so many objects of so many bytes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "benchmarks.s3_server", str(port), str(objects), str(length)]
    processes = [subprocess.Popen(words) for _ in range(_SERVERS)]
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            time.sleep(0.5)  # the other process of the server
            return
    raise SystemExit("the server did not start")


def commands(folder: str, address: str, objects: int) -> dict[str, Sequence[str]]:
    """Return what is measured, by name; each fills a folder."""
    ours = [sys.executable, "-c", READ, folder, str(objects), str(_THREADS)]
    s5cmd = shutil.which("s5cmd", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    found: dict[str, Sequence[str]] = {}
    if s5cmd:
        found["s5cmd cp"] = [s5cmd, "--endpoint-url", address, "cp", f"s3://{BUCKET}/raw/*", f"{folder}/"]
    return found | {"obstore": [*ours, "obstore"], "boto3": [*ours, "boto3"]}


def seconds(words: Sequence[str], folder: str, address: str, by: str, objects: int) -> float:
    """Return the time of one run, after which the folder is empty again."""
    environment = os.environ | {
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": address,
        "MTOOL_S3": by,
    }
    begun = time.perf_counter()
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    taken = time.perf_counter() - begun
    made = len(os.listdir(folder))
    if done.returncode or made != objects:
        raise SystemExit(f"{words[0]} made {made} of {objects} files: {done.stderr[-500:]}")
    shutil.rmtree(folder)
    os.mkdir(folder)
    return taken


def main() -> None:
    """Print a table."""
    objects = int(sys.argv[1]) if len(sys.argv) > 1 else 6000
    length = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    print(machine())
    print(f"{objects:,} objects of {length:,} bytes, {_RUNS} runs in turn, load {os.getloadavg()[0]:.1f}\n")
    with tempfile.TemporaryDirectory(prefix="mtool-") as place, server(objects, length) as address:
        folder = f"{place}/objects"
        os.mkdir(folder)
        words = commands(folder, address, objects)
        times: dict[str, list[float]] = {name: [] for name in words}
        for _ in range(_RUNS):
            for name, command in words.items():
                times[name].append(seconds(command, folder, address, name, objects))
    first = median(times["s5cmd cp"]) if "s5cmd cp" in times else None
    print(f"{'':12}{'objects/s':>12}{'a second':>12}{'of s5cmd':>10}   (slowest to fastest)")
    for name, found in times.items():
        rate = objects / median(found)
        share = f"{first / median(found):.2f}" if first else "-"
        span = f"{objects / max(found):,.0f} to {objects / min(found):,.0f}"
        print(f"{name:12}{rate:12,.0f}{megabytes(int(rate * length)):>12}{share:>10}   ({span})")
    print(f"\nload afterwards {os.getloadavg()[0]:.1f}; the last object is {key_of(objects - 1)}")


if __name__ == "__main__":
    main()

"""``python -m benchmarks.recordio``: ``mtool convert`` beside MXNet's im2rec.py, as whole processes.

Both shrink the same pictures to the same size, at the same quality, with two workers. Start-up is the
time that the same command takes for one picture; both figures are shown, and the second is taken off.
PSNR compares what stands in the records with a Lanczos shrink of the whole picture.
"""

import importlib.util
import io
import json
import math
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.installation import pip_install
from manifest_tools.base.parallel import run
from manifest_tools.images.shrink import decoder_version, target_size
from manifest_tools.io.recordio import read_records, unpack

DATA = Path(__file__).parent / "data" / "recordio"
SHORTER, QUALITY, WORKERS, REPEATS = 256, 95, 2, 3
DRAWN = 4  # different pictures of a kind; the others are links to them

# MXNet 1.9.1 asks for numpy.bool while it is imported.
IM2REC = (
    "import runpy, sys, numpy; numpy.bool = bool; sys.argv = sys.argv[1:];"
    " from trainers.gluon.system_libraries import lend_missing; lend_missing();"
    " runpy.run_path(sys.argv[0], run_name='__main__')"
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of picture: how it is drawn, and how many of it are converted."""

    name: str
    width: int
    height: int
    noise: float
    quality: int
    count: int
    target: str
    """How much faster than im2rec a scaled decode should be, as the project set itself."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool took: seconds for all pictures, for one, of processors without start-up; and the PSNR."""

    whole: float
    start: float
    cpu: float
    psnr: float

    def shown(self, pictures: int, peer: "Result") -> tuple[str, ...]:
        """Return the cells of its row, for so many pictures behind the first."""
        rate = pictures / (self.whole - self.start)
        ratio = (peer.whole - peer.start) / (self.whole - self.start)
        each = 1000 * self.cpu / pictures
        return (
            f"{self.whole:.2f}",
            f"{self.start:.2f}",
            f"{rate:.1f}",
            f"{ratio:.1f}x",
            f"{each:.1f}",
            f"{peer.cpu / self.cpu:.1f}x",
        )


HEADING = (
    *("pictures", "MB each", "tool", "all s", "start s", "a second", "ratio"),
    *("CPU ms", "ratio", "target", "PSNR dB"),
)
ROW = "{:20}{:>8}  {:7}{:>7}{:>9}{:>10}{:>7}{:>8}{:>7}{:>8}{:>9}"

KINDS = (
    Kind("12 MP, smooth", 4000, 3000, 0.0, 90, 96, "5x"),
    Kind("12 MP, sensor noise", 4000, 3000, 6.0, 93, 64, "3x"),
    Kind("1.2 MP", 1280, 960, 3.0, 86, 480, "2x"),
)


def main() -> None:
    """Draw what is not there yet, run everything, print one table."""
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors, Python", end=" ")
    print(f"{platform.python_version()}; shorter edge {SHORTER}, quality {QUALITY}, {WORKERS} workers")
    print(peer_version())
    print(ROW.format(*HEADING))
    for kind in KINDS:
        folder = drawn(kind)
        size = sum((folder / f"{n}.jpg").stat().st_size for n in range(DRAWN)) / DRAWN / 1e6
        results = measured(kind, folder)
        peer = results.get("im2rec", results["mtool"])
        for tool, result in results.items():
            target = kind.target if tool == "mtool" else ""
            shown = result.shown(kind.count - 1, peer)
            print(
                ROW.format(kind.name, f"{size:.2f}", tool, *shown, target, f"{result.psnr:.2f}"), flush=True
            )


def peer_version() -> str:
    """Say what im2rec decodes with, for its speed is that of OpenCV's libjpeg."""
    if importlib.util.find_spec("mxnet") is None or importlib.util.find_spec("cv2") is None:
        return f"im2rec needs mxnet and opencv; type: {pip_install('dev-gluon')}"
    import cv2

    jpeg = next(line for line in cv2.getBuildInformation().splitlines() if " JPEG:" in line)
    return f"im2rec.py with OpenCV {cv2.__version__} ({' '.join(jpeg.split())}); {decoder_version()}"


def measured(kind: Kind, folder: Path) -> dict[str, Result]:
    """Return for each tool its best times for all pictures and for one, and the PSNR of its records."""
    commands = {"im2rec": im2rec_command, "mtool": mtool_command}
    if importlib.util.find_spec("mxnet") is None or importlib.util.find_spec("cv2") is None:
        del commands["im2rec"]
    times: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for _ in range(REPEATS):
        for tool, command in commands.items():
            for name in ("one", "all"):
                times.setdefault((tool, name), []).append(seconds(command(folder, name)))
    results = {}
    for tool in commands:
        (whole, cpu), (start, start_cpu) = (_best(times[tool, name]) for name in ("all", "one"))
        psnr = psnr_of(folder, folder / tool / "all.rec")
        results[tool] = Result(whole, start, cpu - start_cpu, psnr)
    return results


def _best(times: list[tuple[float, float]]) -> tuple[float, float]:
    return min(wall for wall, _ in times), min(cpu for _, cpu in times)


def seconds(command: Sequence[str]) -> tuple[float, float]:
    """Return how long a command takes by the clock, and in processor time of it and its children."""
    begun = time.perf_counter()
    with open(os.devnull, "wb") as nowhere:
        process = subprocess.Popen(command, stdout=nowhere, stderr=nowhere)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return time.perf_counter() - begun, usage.ru_utime + usage.ru_stime


def mtool_command(folder: Path, name: str) -> list[str]:
    """Return the command line of ``mtool convert``."""
    words = f"convert {folder / name}.manifest --to recordio --images {folder} --force --allow-loss"
    options = f"--resize {SHORTER} --quality {QUALITY} --jobs {WORKERS} -o {folder / 'mtool' / name}"
    return [sys.executable, "-m", "manifest_tools", *words.split(), *options.split()]


def im2rec_command(folder: Path, name: str) -> list[str]:
    """Return the command line of im2rec.py; it takes every .lst that begins with the prefix."""
    spec = importlib.util.find_spec("mxnet")
    assert spec is not None and spec.origin is not None
    script = str(Path(spec.origin).parent / "tools" / "im2rec.py")
    options = f"--resize {SHORTER} --quality {QUALITY} --num-thread {WORKERS}"
    return [
        sys.executable,
        "-c",
        IM2REC,
        script,
        *options.split(),
        str(folder / "im2rec" / name),
        str(folder),
    ]


def drawn(kind: Kind) -> Path:
    """Return the folder with the pictures, lists and manifests of a kind; draws what is missing."""
    folder = DATA / f"{kind.width}x{kind.height}-noise{kind.noise:g}-q{kind.quality}-n{kind.count}"
    if (folder / "all.manifest").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    for tool in ("mtool", "im2rec"):
        (folder / tool).mkdir(parents=True)
    pictures = run(draw, [(kind, seed) for seed in range(DRAWN)], WORKERS)
    for number, picture in enumerate(pictures):
        (folder / f"{number}.jpg").write_bytes(picture)
    for number in range(DRAWN, kind.count):
        os.link(folder / f"{number % DRAWN}.jpg", folder / f"{number}.jpg")
    for name, count in (("one", 1), ("all", kind.count)):
        rows = "".join(f"{number}\t{number % 2}\t{number}.jpg\n" for number in range(count))
        (folder / "im2rec" / f"{name}.lst").write_text(rows)
        (folder / f"{name}.manifest").write_text("".join(map(line, range(count))))
    return folder


def line(number: int) -> str:
    """Return a line of the manifest."""
    metadata = {"class-name": ("RH", "LH")[number % 2], "type": "groundtruth/image-classification"}
    row = {"source-ref": f"s3://bench/{number}.jpg", "part": number % 2, "part-metadata": metadata}
    return json.dumps(row) + "\n"


def draw(what: tuple[Kind, int]) -> bytes:
    """Return a picture: soft colours with structure at every size, some discs with sharp edges, noise."""
    from PIL import Image

    kind, seed = what
    random = np.random.default_rng(seed)
    shape = (kind.height, kind.width, 3)
    pixels = np.zeros(shape, np.float32)
    for cells, share in ((8, 0.5), (64, 0.25), (512, 0.15)):
        pixels += share * _cloud(random, cells, kind)
    y, x = np.mgrid[0 : kind.height, 0 : kind.width].astype(np.float32)
    for _ in range(12):
        centre_x, centre_y = random.uniform(0, kind.width), random.uniform(0, kind.height)
        radius = random.uniform(kind.height / 30, kind.height / 5)
        disc = (x - centre_x) ** 2 + (y - centre_y) ** 2 < radius**2
        pixels[disc] = 0.4 * pixels[disc] + 0.6 * random.integers(0, 256, 3)
    if kind.noise:
        pixels += random.normal(0, kind.noise, shape).astype(np.float32)
    out = io.BytesIO()
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    image.save(out, "JPEG", quality=kind.quality, subsampling="4:2:0")
    return out.getvalue()


def _cloud(random: np.random.Generator, cells: int, kind: Kind) -> NDArray[np.float32]:
    from PIL import Image

    rows = max(2, kind.height * cells // kind.width)
    small = Image.fromarray(random.integers(0, 256, (rows, cells, 3), dtype=np.uint8))
    return np.asarray(small.resize((kind.width, kind.height), Image.Resampling.BICUBIC), np.float32)


def psnr_of(folder: Path, rec: Path) -> float:
    """Return the PSNR of the first records against a Lanczos shrink of the whole pictures."""
    errors = []
    with rec.open("rb") as stream:
        for number, payload in zip(range(DRAWN), read_records(stream, str(rec)), strict=False):
            error = _pixels(unpack(payload).picture) - _reference(folder / f"{number}.jpg")
            errors.append(float((error**2).mean()))
    return 10 * math.log10(255**2 / (sum(errors) / len(errors)))


def _pixels(data: bytes) -> NDArray[np.float32]:
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(data)), np.float32)


def _reference(path: Path) -> NDArray[np.float32]:
    from PIL import Image

    with Image.open(path) as image:
        size = target_size(*image.size, SHORTER)
        return np.asarray(image.resize(size, Image.Resampling.LANCZOS), np.float32)


if __name__ == "__main__":
    main()

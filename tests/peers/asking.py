"""Asks the readers and writers of others, which live in an environment of their own.

``MTOOL_PEERS_PYTHON`` names its interpreter; `make test-peers` makes the environment and sets the name.
"""

import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.peers.trap import Kind, Row, write_trap

if TYPE_CHECKING:
    from typer.testing import Result

Run = Callable[..., "Result"]

PEERS = os.environ.get("MTOOL_PEERS_PYTHON", "")
needs_peers = pytest.mark.skipif(
    not PEERS, reason="MTOOL_PEERS_PYTHON names no interpreter with the readers of others: `make test-peers`"
)

# They are to say less, ask nobody on the network, and leave their caches with the test.
_MANNERS = {
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
    "PYTHONPATH": "",
    "PYTHONWARNINGS": "ignore",
}


def ask(peer: str, *words: object, cache: Path) -> Any:
    """Run ``ask_PEER.py`` with some words, and return the JSON in the last line that it prints."""
    script = Path(__file__).parent / f"ask_{peer}.py"
    said = _run(PEERS, script, *words, cache=cache)
    return json.loads(said.splitlines()[-1])


def run_program(program: str, *words: object, cache: Path) -> str:
    """Run a program of the environment, and return what it prints."""
    return _run(Path(PEERS).parent / program, *words, cache=cache)


def _run(*words: object, cache: Path) -> str:
    typed = [str(word) for word in words]
    manners = os.environ | _MANNERS | {"HOME": str(cache), "HF_HOME": str(cache / "hf")}
    ran = subprocess.run(typed, capture_output=True, text=True, check=False, env=manners, cwd=cache)
    assert ran.returncode == 0, f"{typed}:\n{ran.stdout[-2000:]}\n{ran.stderr[-4000:]}"
    return ran.stdout


def converted(run: Run, folder: Path, kind: Kind, to: str, *options: object) -> Path:
    """Write the trap into a folder, and make ``ds`` of its two manifests there."""
    words = (*write_trap(folder, kind), "--to", to, "-o", folder / "ds", "--allow-loss", *options)
    result = run("convert", *words)
    assert result.exit_code == 0, result.stderr
    return folder / "ds"


def read_back(run: Run, form: str, place: Path, output: Path, *options: object) -> Path:
    """Return the manifest, or the folder of manifests, that a data set becomes here."""
    result = run("convert", "--from", form, place, "-o", output, *options)
    assert result.exit_code == 0, result.stderr
    return output


def panlabel_finds(form: str, place: Path, part: str, pictures: Path, *options: str) -> list[Row]:
    """Return what panlabel finds in a data set whose pictures lie in a folder."""
    said = place.parent / f"panlabel-{part}.json"
    words = ("--from", form, "-i", place, "--to", "ir-json", "-o", said, *options)
    run_program("panlabel", "convert", *words, cache=place.parent)
    found = json.loads(said.read_text())
    names = {category["id"]: category["name"] for category in found["categories"]}
    boxes: dict[int, list[Any]] = {image["id"]: [] for image in found["images"]}
    for one in found["annotations"]:
        left, top, right, bottom = (one["bbox"][edge] for edge in ("xmin", "ymin", "xmax", "ymax"))
        boxes[one["image_id"]].append([names[one["category_id"]], left, top, right - left, bottom - top])
    start = f"{options[-1]}/" if options else ""  # it puts the part that is asked for before the names
    rows = []
    for image in found["images"]:
        name = image["file_name"].removeprefix("s3://raw/").removeprefix(start)
        rows.append([part, digest_of(pictures / name), sorted(boxes[image["id"]])])
    return rows


def panlabel_writes(form: str, coco: Path, place: Path) -> Path:
    """Let panlabel make a data set of a COCO file, and return its place."""
    words = ("--from", "coco", "-i", coco, "--to", form, "-o", place, "--allow-lossy")
    run_program("panlabel", "convert", *words, cache=coco.parent)
    return place


def digest_of(file: Path) -> str:
    """Return what a picture is known by."""
    return hashlib.sha256(file.read_bytes()).hexdigest()

"""The console blocks of pages: commands, each after ``$ ``, and below it all that it printed.

A block stands between ``<!-- console … -->`` and ``<!-- /console -->``. The first one of a page says in which
folder it is run, ``<!-- console in manifest -->``, and those after it go on there. Where a model is trained,
``figures vary`` is said as well: another processor adds in another order, so only the words are compared.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[1]
_SAMPLE = ROOT / "sample_manifests"
_BLOCK = re.compile(
    r"(?P<head><!-- console(?: in (?P<folder>\w+))?(?P<vary> \(figures vary\))? -->\n+```console\n)"
    r"(?P<body>.*?)(?P<foot>```\n+<!-- /console -->)",
    re.DOTALL,
)
_EPOCHS = re.compile(r"(?m)(^epoch \d+ of .*\n)(?:^epoch \d+ of .*\n)+(^epoch \d+ of .*\n)")
# Whether a run is told how long it will take depends on how quick the machine is.
_EPOCH_LINES = re.compile(r"(?m)^(?:epoch \d+ of |about .* an epoch, |\.\.\.$).*\n")
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*(?: (?:s|min|h)\b)?")


def _manifest(folder: Path) -> None:
    """Put a labeling job's manifest there."""
    shutil.copy(_SAMPLE / "output.manifest", folder)


def _pictures(folder: Path) -> None:
    """Put a manifest there, and its pictures."""
    _manifest(folder)
    shutil.copytree(_SAMPLE / "images", folder / "raw-data")


def _classes(folder: Path) -> None:
    """Put pictures there in folders, one for each class."""
    for line in (_SAMPLE / "output.manifest").read_text("utf-8").splitlines():
        if found := re.search(r'"class-name": ?"(.*?)"', line):
            target = folder / "pictures" / found[1]
            target.mkdir(parents=True, exist_ok=True)
            picture = re.findall(r"IMG_\w+\.JPG", line)[0]
            shutil.copy(_SAMPLE / "images" / picture, target)


FOLDERS: dict[str, Callable[[Path], None]] = {
    "manifest": _manifest,
    "pictures": _pictures,
    "classes": _classes,
}


def replayed(page: str) -> str:
    """Return a page with the output of its commands as it is now."""
    with tempfile.TemporaryDirectory() as name:
        return _BLOCK.sub(partial(_block, Path(name)), page)


def learns(page: str) -> bool:
    """Return whether the commands of a page train a model."""
    return any(block["vary"] for block in _BLOCK.finditer(page))


def _block(folder: Path, block: re.Match[str]) -> str:
    if block["folder"]:
        FOLDERS[block["folder"]](folder)
    commands = [line[2:] for line in block["body"].splitlines() if line.startswith("$ ")]
    body = "\n".join(f"$ {command}\n{_output(command, folder)}" for command in commands)
    if block["vary"] and _words(body) == _words(block["body"]):
        body = block["body"]
    return f"{block['head']}{body}{block['foot']}"


def _output(command: str, folder: Path) -> str:
    here = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PATH": here, "COLUMNS": "100", "NO_COLOR": "1"},
    )
    return _EPOCHS.sub(r"\1...\n\2", done.stdout)


def _words(text: str) -> str:
    """Return a console without its figures, the blanks that line them up, and what is said of each epoch."""
    return re.sub(r"[ -]+", " ", _FIGURE.sub("0", _EPOCH_LINES.sub("", text)))

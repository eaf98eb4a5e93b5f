"""What a program reads on standard output is whole or absent, whatever ends the run."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from manifest_tools.cli.app import COMMANDS, command
from tests.hostile import LINE

if TYPE_CHECKING:
    from typer.testing import Result

Run = Callable[..., "Result"]

# A call a word that is refused, interrupted or fails as late as it can: after the first inputs were read.
# good.manifest can be read; bad.manifest has a line that is no JSON, after one that has a problem.
REFUSED: dict[str, tuple[str, ...]] = {
    "validate": ("validate", "bad.manifest", "nowhere.manifest", "--json"),
    "explain": ("explain", "MT110", "MT999", "--json"),
    "stats": ("stats", "good.manifest", "bad.manifest", "--json"),
    "rewrite": ("rewrite", "good.manifest", "bad.manifest", "--lab", "lab3", "-o", "out", "--json"),
    "filter": ("filter", "bad.manifest", "--labelled", "--json"),
    "split": ("split", "bad.manifest", "--json"),
    "merge": ("merge", "good.manifest", "bad.manifest", "--json"),
    "diff": ("diff", "good.manifest", "nowhere.manifest", "--json"),
    "convert": (
        "convert",
        "--from",
        "coco",
        "bad.coco.json",
        "--source-prefix",
        "s3://b/raw",
        "-o",
        "-",
        "--json",
    ),
    "pipe": ("pipe", "bad.manifest", "--json"),
    "rec list": ("rec", "list", "bad.manifest", "--json"),
    **{
        f"rec {word}": ("rec", word, "nowhere.rec", "--json")
        for word in ("verify", "extract", "reindex", "repair")
    },
    "rec merge": ("rec", "merge", "nowhere.rec", "nowhere.rec", "--json"),
    "rec shard": ("rec", "shard", "nowhere.rec", "--shards", "2", "--json"),
    "train": ("train", "--train", "good.manifest", "--validation", "bad.manifest", "--json"),
    "tune": ("tune", "--train", "good.manifest", "--validation", "bad.manifest", "--json"),
    "evaluate": ("evaluate", "good.manifest", "--json"),
    "predict": ("predict", "good.manifest", "--json"),
    "jobs": ("jobs", "--json"),
    "deploy": ("deploy", "birds", "--role", "arn:aws:iam::111122223333:role/r", "--json"),
    "delete": ("delete", "birds", "--json"),
    "transform": ("transform", "birds", "s3://b-1/new/", "-o", "s3://b-1/out/", "--json"),
    "look": ("look", "good.manifest", "nowhere.manifest", "--json"),
    "fetch": ("fetch", "good.manifest", "nowhere.manifest", "--json"),
    "doctor": ("doctor", "birds", "--json"),
    "policy": ("policy", "good.manifest", "bad.manifest", "--output", "s3://b-1/", "--json"),
}

# With the calls above, the words whose standard output is data, so that their report is on standard error.
DATA_ON_STDOUT = ("filter", "merge", "convert", "pipe")


def has_machine_output(word: str) -> bool:
    """Say whether a word has --json or --format."""
    return any({"--json", "--format"} & {*one.opts} for one in command(word).params)


@pytest.fixture
def manifests(in_folder: Path) -> Path:
    """Return the current folder, with a manifest that can be read and one that cannot."""
    Path("good.manifest").write_text(LINE + "\n")
    Path("bad.manifest").write_text(LINE.replace('"RH"', "1") + "\n" + LINE + "\n{\n")
    names = [*(f"{number}.jpg" for number in range(2000)), "../1.jpg"]  # the last leads out of its folder
    images = [{"id": at, "file_name": name, "width": 9, "height": 9} for at, name in enumerate(names)]
    boxes = [{"id": at, "image_id": at, "category_id": 1, "bbox": [1, 1, 2, 2]} for at in range(len(names))]
    value = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "RH"}]}
    Path("bad.coco.json").write_text(json.dumps(value))
    return in_folder


def test_every_word_with_output_for_a_program_is_in_the_table() -> None:
    assert {word for word in COMMANDS if has_machine_output(word)} == set(REFUSED)


@pytest.mark.parametrize("words", REFUSED.values(), ids=REFUSED)
def test_a_run_that_is_refused_late_prints_its_error_alone_for_a_program(
    manifests: Path, run: Run, words: tuple[str, ...]
) -> None:
    result = run(*words)
    assert result.exit_code in (1, 2, 3)
    said, *more = result.stderr.splitlines()
    if words[0] in DATA_ON_STDOUT:
        assert (result.stdout, len(more)) == ("", 1)
        found = json.loads(more[0])["error"]
    else:
        assert more == []
        found = json.loads(result.stdout)["error"]
    assert (f"mtool: {found['message']}", found["code"]) == (said, result.exit_code)


@pytest.mark.parametrize("form", ["json", "sarif", "github"])
def test_no_format_of_validate_is_printed_in_part(manifests: Path, run: Run, form: str) -> None:
    refused = run("validate", "bad.manifest", "nowhere.manifest", "--format", form)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "nowhere.manifest" in refused.stderr
    whole = run("validate", "bad.manifest", "--format", form).stdout
    assert whole.count("MT") > 1


def test_a_person_sees_each_problem_at_once(manifests: Path, run: Run) -> None:
    assert "bad.manifest:3: error MT102" in run("validate", "bad.manifest", "nowhere.manifest").stdout


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize(
    "words",
    [
        ("validate", "bad.manifest", "pipe", "--json"),
        ("validate", "bad.manifest", "pipe", "--format", "sarif"),
        ("stats", "good.manifest", "pipe", "--json"),
    ],
    ids=" ".join,
)
def test_a_run_that_is_ended_prints_no_part_for_a_program(
    manifests: Path, words: tuple[str, ...], ended_by: signal.Signals
) -> None:
    os.mkfifo("pipe")
    program = [sys.executable, "-c", "from manifest_tools.cli.app import main; main()", *words]
    # Unbuffered: what is printed is out at once.
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with open("printed", "wb") as printed:
        started = subprocess.Popen(program, stdout=printed, stderr=subprocess.DEVNULL, env=environment)
    # Opening it waits until mtool reads from it, so the first manifest is done by then.
    with open("pipe", "wb") as pipe:
        pipe.write(LINE.encode())
        pipe.flush()
        started.send_signal(ended_by)
    started.wait(timeout=30)
    assert started.returncode not in (0, 1)
    left = Path("printed").read_bytes()
    assert not left or json.loads(left) == {"error": {"message": "interrupted", "code": 130}}

"""What a command costs before its work begins: nothing heavy is imported until it is needed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = frozenset(
    [
        "PIL",
        "boto3",
        "botocore",
        "concurrent.futures.process",
        "cv2",
        "matplotlib",
        "msgspec",
        "multiprocessing",
        "mxnet",
        "numpy",
        "pandas",
        "rich.console",
        "rich.progress",
        "simplejpeg",
        "sklearn",
        "trainers",
    ]
)
# What reads at speed.
READING = frozenset(["msgspec", "numpy"])

ASK = """
import json, sys
{work}
print()
print(json.dumps(sorted(sys.modules)))
"""
CALL = """
from manifest_tools.cli.app import app
try:
    app({words!r})
except SystemExit as end:
    assert not end.code, end.code
"""


def loaded(work: str, folder: Path) -> frozenset[str]:
    """Return the modules that a fresh interpreter has after ``work``."""
    result = subprocess.run(
        [sys.executable, "-c", ASK.format(work=work)], capture_output=True, text=True, cwd=folder, check=True
    )
    return frozenset(json.loads(result.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "work",
    [
        pytest.param("import manifest_tools", id="the package"),
        pytest.param("import manifest_tools.cli.app", id="the command"),
        pytest.param(
            "import manifest_tools.cli.shared.options, manifest_tools.cli.shared.screen",
            id="what commands share",
        ),
    ],
)
def test_an_import_loads_nothing_heavy(tmp_path: Path, work: str) -> None:
    assert loaded(work, tmp_path) & HEAVY == set()


@pytest.mark.parametrize(
    "word",
    [
        "validate",
        "stats",
        "rewrite",
        "filter",
        "split",
        "convert",
        "rec",
        "train",
        "evaluate",
        "predict",
        "demo",
    ],
)
def test_a_word_loads_nothing_heavy_before_it_is_called(tmp_path: Path, word: str) -> None:
    assert loaded(f"import manifest_tools.cli.{word}", tmp_path) & (HEAVY - {"trainers"}) == set()


@pytest.mark.parametrize("words", [["--version"], ["split", "--help"]], ids=" ".join)
def test_talk_loads_nothing_heavy(tmp_path: Path, words: list[str]) -> None:
    assert loaded(CALL.format(words=words), tmp_path) & HEAVY == set()


@pytest.mark.parametrize(
    "words", [["split", "a.manifest"], ["filter", "a.manifest", "--class", "RH"]], ids=" ".join
)
def test_work_on_a_small_manifest_loads_what_reads_and_nothing_else(tmp_path: Path, words: list[str]) -> None:
    row = {"source-ref": "s3://b/k", "k": 0, "k-metadata": {"class-name": "RH"}}
    (tmp_path / "a.manifest").write_text((json.dumps(row) + "\n") * 3)
    assert loaded(CALL.format(words=words), tmp_path) & HEAVY <= READING

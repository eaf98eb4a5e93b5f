"""What Tab offers, asked as bash, zsh and fish ask it."""

import gzip
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.cli.app import WORDS
from manifest_tools.cli.shared.completion import _offering
from manifest_tools.formats.table import READ, WRITTEN
from manifest_tools.groundtruth.conflict_policy import ConflictPolicy
from manifest_tools.verbs.validate.rules import RULES
from trainers.registry import BUILTIN, TRAINERS

if TYPE_CHECKING:
    from typer.testing import Result

Offered = Callable[..., list[str]]

SHELLS = ("bash", "zsh", "fish")
NETWORKS = sorted(network.name for row in TRAINERS.values() for network in row.networks)


def line(class_name: str, attribute: str = "kind") -> str:
    metadata = {"type": "groundtruth/image-classification", "class-name": class_name, "confidence": 1}
    value = {"source-ref": "s3://b/1.jpg", attribute: 0, f"{attribute}-metadata": metadata}
    return f"{json.dumps(value)}\n"


@pytest.fixture
def offered(run: "Callable[..., Result]", monkeypatch: pytest.MonkeyPatch) -> Offered:
    """Return ``offered("mtool split -")``: what a shell is told after Tab at the end of a line."""

    def ask(typed: str, shell: str = "bash") -> list[str]:
        monkeypatch.setenv("_MTOOL_COMPLETE", f"complete_{shell}")
        monkeypatch.setenv("COMP_WORDS", typed)
        monkeypatch.setenv("COMP_CWORD", str(len(typed.split(" ")) - 1))
        monkeypatch.setenv("_TYPER_COMPLETE_ARGS", typed)
        monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
        done = run()
        assert (done.exit_code, done.stderr) == (0, "")
        if shell == "zsh":
            return re.findall(r'^(?:_arguments .\*: :\(\()?"([^"]*)"', done.stdout, re.MULTILINE)
        return [one.partition("\t")[0] for one in done.stdout.splitlines() if one]

    return ask


@pytest.mark.parametrize("shell", SHELLS)
def test_the_words_are_offered(offered: Offered, shell: str) -> None:
    assert offered("mtool ", shell) == list(WORDS)
    assert offered("mtool spl", shell) == ["split"]


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("train --network ", NETWORKS),
        ("train --trainer gluon --network resnet18", ["resnet18_v2"]),
        ("tune --trainer ", sorted((*TRAINERS, BUILTIN))),
        ("train --optimizer a", ["adam"]),
        ("convert a --to ", sorted(WRITTEN)),
        ("convert a --from ", sorted(READ)),
        ("explain ", sorted(rule.code for rule in RULES)),
        ("validate --ignore MT31", sorted(rule.code for rule in RULES if rule.code.startswith("MT31"))),
        ("validate --select MT110", ["MT110"]),
        ("split --conflicts ", list(get_args(ConflictPolicy))),
        ("jobs ", ["show", "logs", "stop"]),
        ("policy --for tr", ["train", "transform"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("shell", SHELLS)
def test_values_that_are_known_are_offered(
    offered: Offered, shell: str, typed: str, values: list[str]
) -> None:
    assert offered(f"mtool {typed}", shell) == values


@pytest.mark.parametrize("shell", SHELLS)
def test_names_come_from_the_manifests_that_were_typed(in_folder: Path, offered: Offered, shell: str) -> None:
    Path("a.manifest").write_text(line("RH") + line("LH"))
    Path("b.manifest.gz").write_bytes(gzip.compress(line("up", "side").encode()))
    assert offered("mtool filter a.manifest --class ", shell) == ["LH", "RH"]
    assert offered("mtool filter b.manifest.gz --class ", shell) == ["up"]
    assert offered("mtool merge a.manifest b.manifest.gz --label-attribute ", shell) == ["kind", "side"]
    assert offered("mtool stats --label-attribute ", shell) == ["kind"]  # *.manifest of the folder


def test_classes_of_boxes_are_in_the_class_map(in_folder: Path, offered: Offered) -> None:
    metadata = {"type": "groundtruth/object-detection", "class-map": {"0": "dog", "1": "cat"}}
    value = {"source-ref": "s3://b/1.jpg", "boxes": {"annotations": []}, "boxes-metadata": metadata}
    Path("a.manifest").write_text(json.dumps(value))
    assert offered("mtool filter a.manifest --class ") == ["cat", "dog"]


@pytest.mark.parametrize(
    "name", ["$(touch gone)", "`touch gone`", "a b", '\\";touch gone;"', "-rf", "a'b", "a\nb"]
)
@pytest.mark.parametrize("shell", SHELLS)
def test_a_name_that_a_shell_would_take_for_something_else_is_not_offered(
    in_folder: Path, offered: Offered, shell: str, name: str
) -> None:
    Path("a.manifest").write_text(line(name, "kind") + line("RH", f"{name}x"))
    assert offered("mtool filter a.manifest --class ", shell) == ["RH"]
    assert offered("mtool filter a.manifest --label-attribute ", shell) == ["kind"]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
def test_what_is_offered_is_one_word_to_a_shell(name: str) -> None:
    assert all(shlex.split(one) == [name] for one in _offering(lambda _: [name])(None, None, ""))


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xd8\xff\xe0" * 40_000, b"{" * 200_000, b'[]\n1\n{"kind-metadata": 1}\n', b"\x1f\x8b"],
)
@pytest.mark.parametrize("name", ["a.manifest", "a.manifest.gz"])
def test_what_is_no_manifest_offers_nothing_and_says_nothing(
    in_folder: Path, offered: Offered, name: str, content: bytes
) -> None:
    Path(name).write_bytes(content)
    assert offered(f"mtool filter {name} --class ") == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
@pytest.mark.parametrize("name", ["pipe", "nowhere", "folder", "-", "s3://bucket/a.manifest"])
def test_nobody_waits_for_what_is_no_file_here(in_folder: Path, offered: Offered, name: str) -> None:
    os.mkfifo("pipe")
    Path("folder").mkdir()
    assert offered(f"mtool filter {name} --class ") == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_itself_gets_what_it_asks_for(in_folder: Path) -> None:
    Path("a.manifest").write_text(line("RH") + line("LH"))
    Path("mtool").write_text(f'#!/bin/bash\nexec "{sys.executable}" -m manifest_tools "$@"\n')
    Path("mtool").chmod(0o755)
    program = """
PATH=.:$PATH
source <(_MTOOL_COMPLETE=source_bash mtool)
COMP_WORDS=(mtool filter a.manifest --class "") COMP_CWORD=4
_mtool_completion mtool
printf '%s.' "${COMPREPLY[@]}"
"""
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("LH.RH.", "")

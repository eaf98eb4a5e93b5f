import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest

from manifest_tools.base.installation import NAME, pip_install
from tests.conftest import REPOSITORY

PROJECT: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]


def versions(name: str) -> dict[str, str]:
    """Return package: version of a list for pip; nothing but ``name==version`` and comments is in it."""
    lines = (REPOSITORY / name).read_text("utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and line[0] != "#")


def test_the_name_is_that_of_the_distribution() -> None:
    assert PROJECT["name"] == NAME


def test_a_checkout_is_named_by_its_folder() -> None:
    assert pip_install("gluon") == f"pip install -e {shlex.quote(f'{REPOSITORY}[gluon]')}"


def test_a_folder_with_a_space_stays_one_word(tmp_path: Path) -> None:
    checkout = tmp_path / "my work"
    checkout.mkdir()
    (checkout / "pyproject.toml").write_text((REPOSITORY / "pyproject.toml").read_text())
    assert shlex.split(pip_install("plots", checkout)) == ["pip", "install", "-e", f"{checkout}[plots]"]


@pytest.mark.parametrize("neighbour", [None, '[project]\nname = "somebody"\n'])
def test_an_installed_copy_is_named_as_pip_knows_it(tmp_path: Path, neighbour: str | None) -> None:
    if neighbour:
        (tmp_path / "pyproject.toml").write_text(neighbour)
    assert pip_install("gluon", tmp_path) == "pip install 'manifest-tools[gluon]'"


@pytest.mark.parametrize("extra", ["gluon", "plots", "tune", "serve"])
def test_an_extra_that_is_named_exists(extra: str) -> None:
    assert extra in PROJECT["optional-dependencies"]


def test_both_lists_of_versions_agree_but_for_what_mxnet_asks_for() -> None:
    plain, gluon = versions("constraints.txt"), versions("constraints-gluon.txt")
    # pyarrow 26 does not import beside NumPy 1.26.
    assert {name for name in plain if gluon.get(name) != plain[name]} == {"numpy", "pyarrow"}
    assert (plain["numpy"][:2], gluon["numpy"][:2]) == ("2.", "1.")
    assert set(gluon) - set(plain) == {"graphviz", "mxnet", "opencv-python-headless", "setuptools"}

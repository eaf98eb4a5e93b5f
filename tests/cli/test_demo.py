import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from manifest_tools.cli.demo import STEPS


@pytest.mark.usefixtures("mxnet")
def test_the_demo_ends_with_a_model_that_tells_left_from_right(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    done = run("demo", "-o", tmp_path / "demo")
    assert done.exit_code == 0, done.stderr
    for step in STEPS:
        assert f"$ mtool {step}\n" in done.stderr
    figures = json.loads((tmp_path / "demo" / "model" / "metrics.json").read_text())
    assert figures["validation"]["accuracy"] > 0.95
    assert (tmp_path / "demo" / "sheet.png").read_bytes().startswith(b"\x89PNG")


def test_the_demo_does_not_touch_a_folder_with_something_in_it(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "mine").write_text("")
    done = run("demo", "-o", tmp_path)
    assert done.exit_code == 2
    assert (
        done.stderr
        == f"mtool: {tmp_path}: expected an empty or new folder for the demo; type another -o FOLDER\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]

import subprocess
import sys

import pytest

from tests.affected import MOST_IMPORTERS, affected, mirror
from tests.conftest import REPOSITORY
from tests.import_graph import ALL, importers


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param(
            "manifest_tools/cli/split.py", "tests/cli/test_split.py", id="a command has its own tests"
        ),
        pytest.param(
            "manifest_tools/verbs/split/assign.py",
            "tests/verbs/split/test_split.py",
            id="a module is tested with what imports it",
        ),
        pytest.param(
            "manifest_tools/verbs/split/split.py",
            "tests/cli/test_split.py",
            id="a verb is tested with its command, which imports it inside a function",
        ),
        pytest.param(
            "manifest_tools/verbs/split/split.py",
            "tests/verbs/split/test_split_refusals.py",
            id="tests of one module may be several files",
        ),
        pytest.param("manifest_tools/io/s3uri.py", "manifest_tools/io/s3uri.py", id="doctests are tests"),
        pytest.param(
            "tests/scripted_s3.py",
            "tests/io/s3/test_objects.py",
            id="helpers of tests are tested by their users",
        ),
        pytest.param("tests/test_hostile.py", "tests/test_hostile.py", id="a changed test is run"),
    ],
)
def test_a_change_leads_to_these_tests(changed: str, expected: str) -> None:
    assert expected in affected([changed])


def test_a_change_of_prose_leads_to_no_test() -> None:
    assert affected(["README.md", "docs/gone.py"]) == []


def test_a_module_that_everybody_imports_does_not_lead_to_everything() -> None:
    errors = "manifest_tools/base/errors.py"
    assert len(importers(errors)) > MOST_IMPORTERS
    assert "tests/cli/test_split.py" not in affected([errors])


def test_every_path_exists() -> None:
    assert [path for path in affected(ALL) if not (REPOSITORY / path).is_file()] == []


def test_the_start_of_a_name_is_not_the_name() -> None:
    assert "tests/cli/test_s3_everywhere.py" not in mirror("manifest_tools/cli/s.py")


def test_it_runs_as_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.affected", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert all(line.endswith(".py") for line in done.stdout.split())

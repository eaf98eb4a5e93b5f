"""Prints the tests of what a change touches: ``python -m pytest $(python -m tests.affected)``.

The change is what differs from ``main``, committed or not. A changed module is tested by the tests that
mirror it and by those that import it; so is a module that imports it. A module that half the project
imports would lead to nearly all tests: then only its own tests run, and ``make test`` is for the rest.
"""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.import_graph import ALL, files, importers

MOST_IMPORTERS = 12
ALWAYS = "tests/test_arrows.py"


def changed_files(base: str = "main") -> list[str]:
    """Return the files that differ from ``base``, with those that git does not know yet."""
    fork = _git("merge-base", "HEAD", base) or ["HEAD"]
    return [*_git("diff", "--name-only", fork[0]), *_git("ls-files", "--others", "--exclude-standard")]


def _git(*words: str) -> list[str]:
    done = subprocess.run(["git", *words], cwd=REPOSITORY, capture_output=True, text=True)
    return done.stdout.splitlines()


def affected(changed: Iterable[str]) -> list[str]:
    """Return the test files, and the modules with doctests, that a change of these files touches."""
    found = {path for one in changed for path in _tests_of(one)}
    return sorted({ALWAYS, *found}) if found else []


def _tests_of(path: str) -> Iterator[str]:
    if _is_test(path):
        yield path
    elif path in ALL or path in files("tests"):
        yield from (path,) if path in ALL else ()
        yield from mirror(path)
        users = importers(path)
        yield from filter(_is_test, users)
        modules = [one for one in users if one in ALL]
        if len(modules) <= MOST_IMPORTERS:
            yield from (test for one in modules for test in mirror(one))


def mirror(path: str) -> list[str]:
    """Return the tests named after a module: ``test_split*.py`` in the folder of tests that mirrors its own.

    >>> mirror("manifest_tools/base/parallel.py")
    ['tests/base/test_parallel.py']
    """
    module = Path(path)
    inner = module.parent.parts[1:] if module.parts[0] == "manifest_tools" else module.parent.parts
    start = f"{Path('tests', *inner).as_posix()}/test_{module.stem}"
    return [
        test for test in files("tests") if test.removesuffix(".py") == start or test.startswith(f"{start}_")
    ]


def _is_test(path: str) -> bool:
    return path in files("tests") and Path(path).name.startswith("test_")


if __name__ == "__main__":
    tests = affected(changed_files(*sys.argv[1:2]))
    print(os.linesep.join(tests))

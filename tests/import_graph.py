"""The imports of the project, read from its files: which file imports which."""

import ast
from collections.abc import Iterator
from functools import cache

from tests.conftest import REPOSITORY


@cache
def files(*folders: str) -> tuple[str, ...]:
    """Return the Python files below some folders, as paths from the top of the repository, sorted."""
    found = (path for folder in folders for path in (REPOSITORY / folder).rglob("*.py"))
    return tuple(sorted(path.relative_to(REPOSITORY).as_posix() for path in found))


ALL = files("manifest_tools", "trainers")
_FILES = frozenset((*ALL, *files("tests")))


def file_of(name: str) -> str | None:
    """Return the file of a dotted name, which may be of something in a module."""
    for dotted in (name, name.rpartition(".")[0]):
        for ending in (".py", "/__init__.py"):
            if (path := dotted.replace(".", "/") + ending) in _FILES:
                return path
    return None


def _names_imported(tree: ast.AST, path: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: imports are absolute"
            yield from (f"{node.module}.{name.name}" for name in node.names)


@cache
def imports(path: str) -> frozenset[str]:
    """Return what a file imports, at its top or inside a function, as dotted names."""
    return frozenset(_names_imported(ast.parse((REPOSITORY / path).read_text("utf-8")), path))


@cache
def ours(path: str) -> frozenset[str]:
    """Return the files of the project that a file imports."""
    return frozenset(found for name in imports(path) if (found := file_of(name)) and found != path)


def importers(path: str) -> frozenset[str]:
    """Return the files of the project, tests included, that import a file."""
    return frozenset(one for one in _FILES if path in ours(one))

"""Manifests that several files of tests convert, with their pictures in ./raw."""

from pathlib import Path

import pytest

from tests.pictures import jpeg, row, write_manifest


@pytest.fixture
def parts(in_folder: Path) -> str:
    """A manifest of six pictures in two classes, which lie in ./raw."""
    (in_folder / "raw").mkdir()
    for number in range(6):
        (in_folder / "raw" / f"{number}.jpg").write_bytes(jpeg(40 * number))
    return write_manifest(in_folder / "train.manifest", [row(f"{n}.jpg", n % 2) for n in range(6)])


@pytest.fixture
def two(parts: str, in_folder: Path) -> list[str]:
    """The manifest of ``parts`` and another of three pictures, one of a class that only it has."""
    rows = [row("0.jpg", 0), row("5.jpg", 1), row("3.jpg", 2)]
    return [parts, write_manifest(in_folder / "validation.manifest", rows)]

from pathlib import Path

import pytest


@pytest.fixture
def workshop(corpus: Path, in_folder: Path) -> Path:
    """A folder with the workshop's output.manifest."""
    (in_folder / "output.manifest").write_bytes((corpus / "workshop-output.manifest").read_bytes())
    return in_folder

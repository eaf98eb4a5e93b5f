"""How this copy of mtool came here, as far as it decides what to type for more of it."""

import shlex
from pathlib import Path

NAME = "manifest-tools"
"""What pip calls us; the package ``mtool`` on the index is a stranger's."""


def pip_install(extra: str, beside: Path = Path(__file__).parents[2]) -> str:
    """Return the command that adds an extra to the copy of mtool that is running.

    ``beside`` is the folder where our packages lie. A checkout is named by its path, however it came to be
    imported. Elsewhere the name will do, on the index or not: pip keeps the copy that is installed, and adds
    what its extra asks for.
    """
    if _is_checkout(beside):
        return f"pip install -e {shlex.quote(f'{beside}[{extra}]')}"
    return f"pip install {shlex.quote(f'{NAME}[{extra}]')}"


def _is_checkout(folder: Path) -> bool:
    project = folder / "pyproject.toml"
    return project.is_file() and f'name = "{NAME}"' in project.read_text("utf-8")

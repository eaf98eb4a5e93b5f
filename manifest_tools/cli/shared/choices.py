"""The choices of an option, from a table of the library.

Where the library has a Literal, the option's type is that Literal: Typer reads it. This is for tables, and
for options that may be repeated, of which Typer reads no Literal.
"""

from collections.abc import Collection
from typing import Any

import typer

from manifest_tools.base.text import shown


def choice(option: str, names: Collection[str], help: str) -> Any:
    """Return an option whose value is one of the names, which its help lists."""

    def parse(text: str) -> str:
        if text not in names:
            raise ValueError(f"expected one of {', '.join(names)}; found {shown(text)}")
        return text

    def complete(begun: str) -> list[str]:
        return [name for name in names if name.startswith(begun)]

    listed = f"<{'|'.join(names)}>"
    return typer.Option(option, parser=parse, metavar=listed, help=help, autocompletion=complete)

"""Markdown for a pull request, in which nothing that a manifest says can be anything but text."""

from collections.abc import Sequence

from manifest_tools.cli.shared.screen import clean

_LONGEST = 200  # characters of a name


class OwnWords(str):
    """Words of the program. Every other text comes from a manifest, and is shown as code."""


def code(text: str) -> str:
    r"""Return a text as code, so that no mention, link or HTML in it works.

    A bar or a backslash could end the cell of a table, and a backtick the code. A text with one of them
    becomes HTML, with a character reference for every sign that could mean something.

    >>> print(code("s3://raw/<b>@you"), code("a|b`"))
    `s3://raw/<b>@you` <code>a&#124;b&#96;</code>
    """
    text = clean(text)
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    if text.strip() and not any(sign in text for sign in "|\\`"):
        return f"`{text}`"
    safe = [c if c.isalnum() or c == " " or not c.isascii() else f"&#{ord(c)};" for c in text]
    return f"<code>{''.join(safe)}</code>"


def cell(value: object) -> str:
    """Return a value for a table: numbers and the words of the program as they are."""
    if value is None or isinstance(value, OwnWords):
        return str(value or "")
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else code(str(value))


def table(rows: Sequence[Sequence[object]], headers: Sequence[str]) -> str:
    """Return a table, numbers to the right.

    >>> print(table([("RH", 1025)], ("class", "lines")))
    | class | lines |
    | --- | ---: |
    | `RH` | 1,025 |
    """
    rules = ["---:" if _is_numeric([row[at] for row in rows]) else "---" for at in range(len(headers))]
    return "\n".join(map(_line, [headers, rules, *(list(map(cell, row)) for row in rows)]))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _is_numeric(column: Sequence[object]) -> bool:
    return all(isinstance(value, int | float) or value is None for value in column)

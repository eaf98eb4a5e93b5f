"""Cells of a table: texts that no spreadsheet runs as a formula, and that come back as they were.

What a spreadsheet would run gets an apostrophe in front, and so does what has blanks at its ends, which
readers cut off. Such a text gets one more where it has some already, so that one is always taken away again.
"""

import re

# What begins a formula, blanks before it or not; Excel takes the wide forms of the signs as well.
_RUN = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")


def as_cell(text: str) -> str:
    r"""Return a text as it may stand in a cell.

    >>> as_cell("=1+1"), as_cell("'=1+1"), as_cell("it's"), as_cell(" a")
    ("'=1+1", "''=1+1", "it's", "' a")
    """
    return f"'{text}" if _needs_apostrophe(text) else text


def from_cell(cell: str) -> str:
    r"""Return the text of a cell; blanks around a cell that are not guarded are none of it.

    >>> from_cell("'=1+1"), from_cell("=1+1"), from_cell(" a "), from_cell("' a ")
    ('=1+1', '=1+1', 'a', ' a ')
    """
    return cell[1:] if cell.startswith("'") and _needs_apostrophe(cell) else cell.strip()


def _needs_apostrophe(text: str) -> bool:
    rest = text.lstrip("'")
    return rest != rest.strip() or _RUN.match(rest) is not None

"""Texts from outside on a page: what cannot be seen or would turn a line around is written as an escape."""

LONGEST = 200
"""Characters of a text that a page shows; nobody reads the others."""

_IN_NAMES = "\u200c\u200d"  # joiners belong to how some scripts and pictograms are written


def plain(text: str, longest: int = LONGEST) -> str:
    """Return a text for a page: short, and with escapes for control and direction characters.

    >>> plain("RH\\u202e"), plain("a\\nb"), len(plain("x" * 10_000))
    ('RH\\\\u202e', 'a\\\\nb', 200)
    """
    short = text if len(text) <= longest else f"{text[: longest - 1]}…"
    if short.isprintable():
        return short
    return "".join(c if c.isprintable() or c in _IN_NAMES else _escape(c) for c in short)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()

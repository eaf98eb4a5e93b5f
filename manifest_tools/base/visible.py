"""Texts that look like others: the characters that nobody sees, named and shown."""

import re
import unicodedata
from collections.abc import Iterable

# Soft hyphens, joiners, direction marks, odd spaces, the byte-order mark.
_HIDDEN = re.compile(
    "[\u00a0\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u2000-\u200f"
    "\u2028-\u202f\u205f-\u206f\u3000\u3164\ufeff\uffa0]"
)
# These belong to how some scripts and pictograms are written.
_IN_NAMES = "\u200c\u200d\u3000"


def hidden_in_key(key: str) -> str:
    """Name each character of a key that cannot be seen, with its place; empty where there is none.

    >>> hidden_in_key("hand\\u200b"), hidden_in_key("hand size")
    ('U+200B ZERO WIDTH SPACE at position 5', '')
    """
    return _named(key, (at for at, character in enumerate(key) if _is_hidden(character)))


def hidden_in_name(name: str) -> str:
    """Name each character of a class name that cannot be seen, as ``hidden_in_key``; joiners are letters."""
    found = (at for at, character in enumerate(name) if _is_hidden(character) and character not in _IN_NAMES)
    return _named(name, found)


def blank_ends(text: str) -> str:
    """Name the blanks before and after a text, each with its place; empty where there is none.

    >>> blank_ends("cat "), blank_ends("left hand")
    ('U+0020 SPACE at position 4', '')
    """
    first, last = len(text) - len(text.lstrip()), len(text.rstrip())
    return _named(text, (at for at in range(len(text)) if at < first or at >= last))


def _is_hidden(character: str) -> bool:
    return bool(_HIDDEN.match(character)) or not (character.isprintable() or character == " ")


def _named(text: str, positions: Iterable[int]) -> str:
    some = list(positions)
    named = [
        f"U+{ord(text[at]):04X} {unicodedata.name(text[at], 'control character')} at position {at + 1}"
        for at in some[:3]
    ]
    return ", ".join(named) + (f" and {len(some) - 3:,} more" if len(some) > 3 else "")


def visible(text: str) -> str:
    """Return a text for a table: in quotes, with escapes, where something of it cannot be seen.

    Control characters are no reason for quotes: whoever prints the table writes escapes for them.

    >>> visible("cat"), visible("cat "), visible("caf\\u00e9"), visible("cafe\\u0301")
    ('cat', "'cat '", 'café', "'cafe\\\\u0301'")
    """
    plain = unicodedata.normalize("NFC", text)
    if text == plain.strip() and not any(map(_passes_for_blank, text)):
        return text
    return "'" + "".join(map(_escaped, text)) + "'"


def _passes_for_blank(character: str) -> bool:
    return character.isprintable() and _is_hidden(character) and character not in _IN_NAMES


def _escaped(character: str) -> str:
    if _is_hidden(character) or unicodedata.combining(character):
        return character.encode("unicode_escape").decode()
    return character


def folded(text: str) -> str:
    """Return what texts share that differ only in blanks, case, Unicode form or what cannot be seen.

    >>> folded(" Caf\\u00e9") == folded("cafe\\u0301\\u200b")
    True
    """
    seen = "".join(c for c in text if not c.isspace() and not _is_hidden(c))
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", seen).casefold())

"""Text in XML 1.0, both ways: what it cannot hold, how it is escaped, and how strangers' files are read.

A file is read without a DTD, so it has no entities and nothing leads elsewhere; how deep it nests and how
much may stand in one element is limited.
"""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from manifest_tools.base.errors import BadData
from manifest_tools.base.text import shown

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_NOT_HELD = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DEEPEST = 64
_LONGEST = 8 << 20  # bytes without a tag that ends: the parser goes over them again with all that it is given
_LARGEST = 64 << 20  # bytes between two calls of `forget`
_READ = 1 << 16


def is_held(text: str) -> bool:
    r"""Say whether XML 1.0 can hold a text: it has no way to write most control characters.

    >>> is_held("naïve\n"), is_held("\x00"), is_held("\x1b[0m")
    (True, False, False)
    """
    return _NOT_HELD.search(text) is None


def as_attribute(text: str) -> str:
    r"""Return a text as the value of an attribute, its quotes included.

    >>> as_attribute('a "b" & c'), as_attribute("a\nb")
    ('\'a "b" &amp; c\'', '"a&#10;b"')
    """
    return quoteattr(text)


def as_content(text: str) -> str:
    r"""Return a text as it stands between two tags.

    >>> as_content("a < b\r\n")
    'a &lt; b&#13;\n'
    """
    return escape(text, {"\r": "&#13;"})


class XmlEvents:
    """The elements of an XML file as they begin and end; an element has its content when it ends.

    Whoever reads calls ``forget`` where an element is done with: what it had is thrown away. Raises BadData
    for what is no XML, has a DTD, nests too deep, or has too much between two calls.
    """

    def __init__(self, name: str, chunks: Iterable[bytes]) -> None:
        self.name = name
        self._chunks = iter(chunks)
        self._chunk, self._at, self._since, self._silent = b"", 0, 0, 0
        self._open: list[Element] = []

    def __iter__(self) -> Iterator[tuple[str, "Element"]]:
        from xml.etree.ElementTree import ParseError

        from defusedxml import DefusedXmlException
        from defusedxml.ElementTree import iterparse

        try:
            for event, element in iterparse(self, events=("start", "end"), forbid_dtd=True):
                self._silent = 0
                if event == "end":
                    self._open.pop()
                yield event, element
                if event == "start":
                    self._open.append(element)
                if len(self._open) > _DEEPEST:
                    raise BadData(f"{self.name}: expected at most {_DEEPEST} elements in one another")
        except ParseError as error:
            raise BadData(f"{self.name}: expected XML, found {error}") from error
        except DefusedXmlException as error:
            raise BadData(f"{self.name}: expected XML without a DTD, found one; take it out") from error
        except (LookupError, ValueError) as error:  # an encoding that nobody knows
            raise BadData(f"{self.name}: expected XML in UTF-8, found {shown(str(error))}") from error

    def read(self, size: int = _READ) -> bytes:
        """Return the next bytes of the file, for the parser."""
        if self._at >= len(self._chunk):
            self._chunk, self._at = next(self._chunks, b""), 0
        found = self._chunk[self._at : self._at + _READ]
        self._at += len(found)
        self._since += len(found)
        self._silent += len(found)
        if self._silent > _LONGEST:
            raise BadData(
                f"{self.name}: expected tags and texts of at most {_LONGEST >> 20} MB, found a longer one"
            )
        if self._since > _LARGEST:
            raise BadData(f"{self.name}: expected elements of at most {_LARGEST:,} bytes, found a larger one")
        return found

    def forget(self, element: "Element") -> None:
        """Throw away an element that has ended, with what it has."""
        element.clear()
        if self._open:
            self._open[-1].remove(element)
        self._since = 0

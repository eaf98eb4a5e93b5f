"""The repairs that have one right answer, as edits of one line: what ``validate --fix`` does.

Each edit goes through ``spans``, so that nothing else of a line changes.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from manifest_tools.groundtruth.attributes import attributes_of
from manifest_tools.groundtruth.classes import index_of
from manifest_tools.groundtruth.label_kinds import label_kind
from manifest_tools.groundtruth.record import METADATA
from manifest_tools.io.json_paths import spans_at
from manifest_tools.io.json_spans import Edit, Span, decode_string, encode_string, members, splice
from manifest_tools.verbs.validate.rules.line.metadata import misnamed_metadata
from manifest_tools.verbs.validate.rules.line.source import DOUBLED

_SCHEME = "s3://"
_REPEATED = re.compile("^(s3://)+")

Mending = Callable[[bytes, Mapping[str, Any]], Iterator[Edit]]


def one_scheme(line: bytes, value: Mapping[str, Any]) -> Iterator[Edit]:
    """Take the second s3:// out of the URI of an object; what a text says is left alone."""
    for member in members(line):
        said = _text(line, member.value)
        if said.startswith(DOUBLED) and decode_string(line, member.key).endswith("-ref"):
            yield member.value, encode_string(_SCHEME + _REPEATED.sub("", said))


def own_metadata(line: bytes, value: Mapping[str, Any]) -> Iterator[Edit]:
    """Give metadata the name of its label."""
    found = misnamed_metadata(value)
    if found is not None:
        key, name = found
        yield from (
            (m.key, encode_string(name + METADATA))
            for m in members(line)
            if decode_string(line, m.key) == key
        )


def index_as_number(line: bytes, value: Mapping[str, Any]) -> Iterator[Edit]:
    """Write a class index as a number."""
    kinds = {one.name: label_kind(one.type) for one in attributes_of(value)}
    numbers = {
        name: kind for name, kind in kinds.items() if kind.is_classification and not kind.index_is_text
    }
    for member in members(line) if numbers else ():
        kind = numbers.get(decode_string(line, member.key))
        for span in spans_at(line, member.value, kind.item_classes or ()) if kind else ():
            index = index_of(_text(line, span))
            if index is not None:
                yield span, str(index).encode()


def _text(line: bytes, span: Span) -> str:
    """Return what a string says, nothing for another value."""
    return decode_string(line, span) if line[span.start : span.start + 1] == b'"' else ""


# By the code of the problem that each one mends.
MENDINGS: dict[str, Mending] = {"MT115": one_scheme, "MT213": own_metadata, "MT215": index_as_number}


def mend(line: bytes, value: Mapping[str, Any], codes: frozenset[str]) -> tuple[bytes, list[str]]:
    """Return a line with what can be mended of some codes, and the codes of what was.

    >>> mend(b'{"source-ref": "s3://s3://b/k"}', {"source-ref": "s3://s3://b/k"}, frozenset(MENDINGS))
    (b'{"source-ref": "s3://b/k"}', ['MT115'])
    """
    edits: list[Edit] = []
    mended: list[str] = []
    for code, mending in MENDINGS.items():
        found = list(mending(line, value)) if code in codes else []
        edits += found
        mended += [code] if found else []
    return splice(line, edits), mended

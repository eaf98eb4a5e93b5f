"""``data.yaml``, which tells YOLO's programs where pictures lie and what classes are called.

Only the few forms of YAML are read that such files have: texts, lists and one level of keys. Anchors, tags
and the rest are refused, so that no library is needed and nothing in the file can be more than text. What
is written are JSON's texts, which YAML reads as they are.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from manifest_tools.base.errors import BadData
from manifest_tools.base.text import clipped, shown

Value: TypeAlias = "str | list[str] | dict[str, str]"

# What YAML does not print, or takes for the end of a line.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def as_json(value: Any) -> str:
    r"""Return a text, or what has texts in it, as YAML and JSON have it alike.

    >>> print(as_json('say "é"'), as_json("a\x85b"))
    "say \"é\"" "a\u0085b"
    """
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def names_block(names: Sequence[str]) -> str:
    """Return the names of classes, numbered from 0."""
    return "names:\n" + "".join(f"  {number}: {as_json(name)}\n" for number, name in enumerate(names))


# ---- reading ----

_QUOTED = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')"""
_PLAIN = r"""[^\s#"'\[\]{},&*!|>%@`-][^:#]{0,200}?"""
_KEY = re.compile(rf"({_QUOTED}|{_PLAIN})\s{{0,20}}:(?:\s+|$)(.*)")
_TOKEN = re.compile(
    rf"""\s*(?:\#[^\n]*\n\s*)*                                # comments
    ({_QUOTED}|[\[\]{{}},]|:(?=[\s"'])|[^\[\]{{}},"'\#\s](?:(?!:\s)[^\[\]{{}},\n])*:?)""",
    re.VERBOSE,
)
_NOTHING = ("", "~", "null", "Null", "NULL")


def entries(where: str, text: str) -> dict[str, str]:
    """Return the text of every key of a file, from behind its colon, not yet understood.

    Raises BadData, with the line, for a file that is no list of keys.
    """
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    depth = 0
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        inside = bool(lines) and (depth > 0 or line[:1] in (" ", "\t", "-") and not line.startswith("---"))
        if inside or not line.strip() or line.startswith(("#", "---", "...", "%")):
            if inside or lines:
                lines.append("" if line.startswith(("#", "---", "...")) else line)
                depth += _opened(line) if depth else 0
            continue
        match = _KEY.fullmatch(line.rstrip())
        if match is None:
            raise BadData(f"{where}:{number}: expected KEY: VALUE, found {shown(line)}")
        key = _scalar(where, match[1])
        if key in found:
            raise BadData(f"{where}:{number}: the key {shown(key)} is there twice")
        lines = found[key] = [match[2]]
        depth = max(_opened(match[2]), 0) if match[2][:1] in ("[", "{") else 0
    return {key: "\n".join(value).rstrip("\n") for key, value in found.items()}


def _opened(text: str) -> int:
    """Return how many brackets are opened and not closed, quoted ones apart."""
    bare = re.sub(rf"{_QUOTED}|(?:^|\s)#.*", "", text)
    return sum(bare.count(sign) for sign in "[{") - sum(bare.count(sign) for sign in "]}")


def value_of(where: str, key: str, text: str) -> Value:
    """Return what stands behind a key: a text, a list of texts, or texts by keys. Raises BadData."""
    where = f"{where}: {clipped(key)}"
    first, _, more = text.partition("\n")
    first = _without_comment(first)
    if first[:1] in ("[", "{"):
        return _flow(where, text)
    lines = [line for line in map(_without_comment, more.split("\n")) if line.strip()]
    if first or not lines:
        if lines:
            raise BadData(f"{where}: expected one line, a list or keys; found a text of several lines")
        return "" if first in _NOTHING else _scalar(where, first)
    if len({len(line) - len(line.lstrip(" ")) for line in lines}) > 1 or "\t" in {line[0] for line in lines}:
        raise BadData(f"{where}: expected a list, or one level of keys; found more than one level")
    lines = [line.strip() for line in lines]
    if all(line == "-" or line.startswith("- ") for line in lines):
        return [_scalar(where, line[1:].strip()) for line in lines]
    return _pairs(where, map(_pair_of_line, lines))


def _without_comment(line: str) -> str:
    """Return a line without its comment, which begins behind a blank and outside of quotes.

    >>> _without_comment("a#b # c"), _without_comment("'it is # 1' # c")
    ('a#b', "'it is # 1'")
    """
    match = re.match(rf"(?:{_QUOTED}|(?<=\S)#|[^#])*", line)
    return (match[0] if match else line).rstrip()


def _pair_of_line(line: str) -> tuple[str, str]:
    match = _KEY.fullmatch(line)
    return (match[1], match[2]) if match else (line, "\n")


def _pairs(where: str, pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in pairs:
        if value == "\n":
            raise BadData(f"{where}: expected KEY: VALUE, found {shown(key)}")
        name = _scalar(where, key)
        if name in found:
            raise BadData(f"{where}: the key {shown(name)} is there twice")
        found[name] = _scalar(where, value)
    return found


def _flow(where: str, text: str) -> "list[str] | dict[str, str]":
    """Return a list or keys in brackets."""
    tokens = _tokens(where, text)
    closing = "]" if tokens[0] == "[" else "}"
    if tokens[-1] != closing or any(token in "[]{}" for token in tokens[1:-1]):
        raise BadData(f"{where}: expected one level of brackets, closed at the end; found {shown(text)}")
    items: list[list[str]] = [[]]
    for token in tokens[1:-1]:
        if token == ",":
            items.append([])
        else:
            items[-1].append(token)
    if not items[-1]:
        items.pop()
    texts = [" ".join(item) for item in items]
    if closing == "]":
        return [_scalar(where, item) for item in texts]
    return _pairs(where, map(_pair_of_line, texts))


def _tokens(where: str, text: str) -> list[str]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            if text[at:].lstrip().startswith("#"):
                break
            raise BadData(f"{where}: expected texts in brackets, found {shown(text[at:])}")
        token = match[1].strip()
        found.append(token if token[0] in "\"'" else re.sub(r"\s+#.*", "", token))
        at = match.end()
    return found


def _scalar(where: str, text: str) -> str:
    """Return a text without its quotes; numbers and truths stay the texts that they are."""
    if text[:1] == '"':
        try:
            value = json.loads(re.sub(r"\\x([0-9a-fA-F]{2})", r"\\u00\1", text))
        except ValueError:
            value = None
        if isinstance(value, str):
            return value
    elif text[:1] == "'" and re.fullmatch(r"'(?:[^']|'')*'", text):
        return text[1:-1].replace("''", "'")
    elif text[:1] not in tuple("&*!|>%@`\"'[]{},"):
        return text
    raise BadData(f"{where}: expected a text, found {shown(text)}; write it in double quotes, as JSON has it")

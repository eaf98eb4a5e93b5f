"""What the shell offers after Tab: networks, formats, codes, and the names in the manifests that were typed.

A name from a manifest goes into a shell, so only one that no shell takes for anything else is offered.
Nothing is printed and nothing fails here: then there is just nothing to offer.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

_HEAD = 1 << 16  # bytes of a manifest that are read
_FILES = 4  # manifests that are looked into

# Letters, digits and signs that stand for themselves in bash, zsh and fish, also after eval.
_PLAIN = re.compile(r"[\w.+][\w.+,@%#-]*")

# The parameters that name manifests.
_MANIFESTS = ("manifest", "manifests", "old", "new", "train_manifest", "validation_manifest")


def complete_values(command: Any) -> None:
    """Let the options and arguments of a command offer their values."""
    for parameter in command.params:
        for key in (*parameter.opts, parameter.metavar):
            if key in _OFFERED:
                parameter._custom_shell_complete = _offering(_OFFERED[key])


def _offering(values: Callable[[Any], Iterable[str]]) -> Callable[[Any, Any, str], list[str]]:
    def offer(context: Any, parameter: Any, begun: str) -> list[str]:
        try:
            found = sorted(set(values(context)))
        except Exception:  # whatever is wrong is said when the command is run
            return []
        return [value for value in found if value.startswith(begun) and _PLAIN.fullmatch(value)]

    return offer


def _codes(context: Any) -> Iterator[str]:
    from manifest_tools.verbs.validate.rules import RULES

    return (rule.code for rule in RULES)


def _written(context: Any) -> Iterable[str]:
    from manifest_tools.formats.table import WRITTEN

    return WRITTEN


def _read(context: Any) -> Iterable[str]:
    from manifest_tools.formats.table import READ

    return READ


def _trainers(context: Any) -> Iterable[str]:
    from trainers.registry import BUILTIN, TRAINERS

    return (*TRAINERS, BUILTIN)


def _networks(context: Any) -> Iterator[str]:
    return (network.name for row in _rows(context) for network in row.networks)


def _optimizers(context: Any) -> Iterator[str]:
    return (name for row in _rows(context) for name in row.optimizers)


def _rows(context: Any) -> Iterable[Any]:
    """Return the rows of the trainers that may be meant."""
    from trainers.registry import TRAINERS

    row = TRAINERS.get(str(context.params.get("trainer")))
    return TRAINERS.values() if row is None else [row]


def _attributes(context: Any) -> Iterator[str]:
    for line in _lines(context):
        yield from (name for name, _ in _labels(line))


def _classes(context: Any) -> Iterator[str]:
    for line in _lines(context):
        for _, metadata in _labels(line):
            named = metadata.get("class-map")
            found = [metadata.get("class-name"), *(named.values() if isinstance(named, dict) else ())]
            yield from (name for name in found if isinstance(name, str))


def _labels(line: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the label attributes of a line, each with its metadata."""
    from manifest_tools.groundtruth.attributes import attributes_of

    for attribute in attributes_of(line):
        yield attribute.name, line[attribute.metadata_key]


def _lines(context: Any) -> Iterator[Any]:
    """Yield the first lines of the manifests that were typed, or else of those in this folder."""
    import msgspec

    for path in _manifests(context)[:_FILES]:
        for line in _head(path).split(b"\n")[:-1]:
            try:
                yield msgspec.json.decode(line)
            except msgspec.MsgspecError:
                continue


def _manifests(context: Any) -> list[Path]:
    from manifest_tools.io.sources import find_manifests

    typed = list(context.args)  # where an option still lacks its value, arguments have no names yet
    for name in _MANIFESTS:
        value = context.params.get(name) or ()
        typed += [value] if isinstance(value, str) else value
    paths = [path for path in map(Path, typed) if path.is_file()]  # a FIFO would wait for somebody
    return paths or [path for path in map(Path, find_manifests(Path())) if path.is_file()]


def _head(path: Path) -> bytes:
    import gzip

    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        head: bytes = stream.read(_HEAD)
    return head if len(head) == _HEAD else head + b"\n"


# By option, or by what stands for the value in the help.
_OFFERED: Mapping[str, Callable[[Any], Iterable[str]]] = {
    "CODE": _codes,
    "--to": _written,
    "--from": _read,
    "--trainer": _trainers,
    "--network": _networks,
    "--optimizer": _optimizers,
    "--label-attribute": _attributes,
    "--class": _classes,
    "--exclude-class": _classes,
}

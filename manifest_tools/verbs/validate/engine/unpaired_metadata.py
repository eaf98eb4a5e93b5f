"""Metadata without a label of its name: of which label of the line it is, where something shows that."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from manifest_tools.groundtruth.record import METADATA, SOURCES

_MOST_LABELS = 8  # keys of a line that may be the label


class Unpaired(NamedTuple):
    """A key with metadata whose label the line does not have."""

    key: str
    """The key of the metadata."""

    typed: bool
    """Whether its type is Ground Truth's: so it is metadata of a label, and not of something else."""

    labels: tuple[str, ...]
    """Keys without metadata that may be its label; none where the line has several such metadata."""

    evident: str | None
    """The one of these that is its label, as the line itself shows."""


def unpaired_metadata(value: Mapping[str, Any]) -> list[Unpaired]:
    """Return the metadata of a line that has no label of its name.

    A label is evident where the names are nearly the same, or the labeling job has the name of the label, or
    the class has, as console tools have written it.
    """
    keys = [key for key in value if _is_unpaired(key, value)]
    bare = [key for key in value if _is_bare(key, value)] if len(keys) == 1 else []
    return [_unpaired(key, bare, value) for key in keys]


def _unpaired(key: str, bare: list[str], value: Mapping[str, Any]) -> Unpaired:
    evident = [name for name in bare if _belongs(key, name, value)]
    type_name = value[key]["type"]
    typed = isinstance(type_name, str) and type_name.lower().startswith("groundtruth/")
    return Unpaired(key, typed, tuple(bare[:_MOST_LABELS]), evident[0] if len(evident) == 1 else None)


def _is_unpaired(key: str, value: Mapping[str, Any]) -> bool:
    """Say whether a key ends nearly in -metadata, and has no label of its own."""
    found = value[key]
    if not isinstance(found, dict) or found.get("failure-reason") is not None or "type" not in found:
        return False
    stem = _plain(key).removesuffix(METADATA)
    if stem == _plain(key) or stem in SOURCES:
        return False
    name = key.removesuffix(METADATA)
    return name == key or (value.get(name) is None and value.get(f"{name}-ref") is None)


def _is_bare(key: str, value: Mapping[str, Any]) -> bool:
    if key in SOURCES or value[key] is None or _plain(key).endswith(METADATA):
        return False
    return not any(twin in value for twin in (key + METADATA, key.removesuffix("-ref") + METADATA))


def _belongs(metadata_key: str, name: str, value: Mapping[str, Any]) -> bool:
    found = value[metadata_key]
    job = found.get("job-name")
    job_name = job.removeprefix("labeling-job/") if isinstance(job, str) else None
    return name in (job_name, found.get("class-name")) or _plain(metadata_key) == _plain(name) + METADATA


def _plain(key: str) -> str:
    """Return a key without what people misspell: case, spaces, invisible characters, underscores."""
    return "".join(c for c in key.lower().replace("_", "-") if c.isprintable() and not c.isspace())


class Renaming(NamedTuple):
    """How the metadata under one key is to be called on the lines of a file."""

    names: tuple[str, ...]
    """The labels that lines show to be its own; none where no line shows any."""

    complete: bool
    """Whether every line with such metadata and a possible label has one of them."""

    def label(self, found: Unpaired) -> str | None:
        """Return the label of the metadata on one line; None where the file does not say."""
        if found.evident is not None:
            return found.evident
        possible = [name for name in self.names if name in found.labels]
        return possible[0] if len(possible) == 1 else None


def renamings(observed: Mapping[Unpaired, Any]) -> dict[str, Renaming]:
    """Return for each key of unpaired metadata what a file shows of it."""
    names: dict[str, dict[str, None]] = {}
    for one in observed:
        names.setdefault(one.key, {}).update({one.evident: None} if one.evident is not None else {})
    found = {key: Renaming(tuple(evident), True) for key, evident in names.items()}
    for one in observed:
        if one.labels and found[one.key].label(one) is None:
            found[one.key] = Renaming(found[one.key].names, False)
    return found

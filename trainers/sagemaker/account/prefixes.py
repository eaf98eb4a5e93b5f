"""The objects that manifests name, as a few prefixes a bucket."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.parallel import Jobs
from manifest_tools.base.text import shown
from manifest_tools.formats.open_manifest import open_manifest
from manifest_tools.groundtruth.pipe_mode.payloads import REF
from manifest_tools.groundtruth.rows import BadLine, line_offsets, reason
from manifest_tools.groundtruth.scan import scan
from manifest_tools.io.sources import Block, decompressed
from trainers.sagemaker.requests.limits import check_s3

MOST = 5  # prefixes of a bucket

_DEEP = 1 << 20  # no key has so many slashes
_SCHEME = "s3://"
_Line = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(slots=True)
class Folders:
    """Folders of one bucket, at most ``most``: where there are more, all are cut to the same ``depth``.

    They add up to the same, in whatever order and by whatever parts.

    >>> folders = Folders(2, names={"left/1/", "left/2/"})
    >>> folders.merge(Folders(2, names={"right/3/"}))
    >>> folders.prefixes()
    ('left/', 'right/')
    """

    most: int = MOST
    depth: int = _DEEP
    names: set[str] = field(default_factory=set)

    def merge(self, other: "Folders") -> None:
        """Add the folders of another part."""
        self.depth = min(self.depth, other.depth)
        self.names = {_cut(name, self.depth) for name in self.names | other.names}
        self.limit()

    def limit(self) -> None:
        """Cut the folders until they are few enough."""
        while len(self.names) > self.most:
            self.depth = min(self.depth, max(name.count("/") for name in self.names)) - 1
            self.names = {_cut(name, self.depth) for name in self.names}

    def prefixes(self) -> tuple[str, ...]:
        """Return them in order, without those that lie in another one; the empty one is the whole bucket."""
        found: list[str] = []
        for name in sorted(self.names):
            if not found or not name.startswith(found[-1]):
                found.append(name)
        return tuple(found)


def _cut(folder: str, depth: int) -> str:
    if folder.count("/") <= depth:
        return folder
    return "".join(f"{part}/" for part in folder.split("/")[:depth])


@dataclass(slots=True)
class _BlockFolders:
    lines: int
    buckets: dict[str, Folders] = field(default_factory=dict)


def prefixes(manifests: Sequence[str], jobs: Jobs = None) -> dict[str, tuple[str, ...]]:
    """Return by bucket the prefixes of all objects that the manifests name, in every ``-ref`` attribute.

    Raises InvalidLine for a line that is no JSON object, BadData for a manifest that names no object, and
    Refused for a bucket that S3 cannot have.
    """
    whole: dict[str, Folders] = {}
    for name in manifests:
        source = decompressed(open_manifest(name))
        named = False
        for _, part in scan(source, _objects, jobs):
            named = named or bool(part.buckets)
            for bucket, folders in part.buckets.items():
                whole.setdefault(bucket, Folders()).merge(folders)
        if not named:
            raise BadData(
                f"{source.name}: expected s3:// URIs in -ref attributes, found none; paths become"
                " URIs by mtool rewrite --prefix s3://BUCKET"
            )
    for bucket in whole:
        if "lab#" in bucket:
            raise Refused(f"{shown(bucket)}: lab# is a placeholder; type mtool rewrite --lab ID first")
        check_s3("pictures", f"{_SCHEME}{bucket}/")
    return {bucket: whole[bucket].prefixes() for bucket in sorted(whole)}


def with_typed(
    buckets: Sequence[str], found: Mapping[str, Sequence[str]] | None = None
) -> dict[str, tuple[str, ...]]:
    """Return ``found`` with the prefixes that were typed as s3://bucket/prefix, by bucket.

    >>> with_typed(["s3://lab3-rawdata/left", "s3://lab3-masks"])
    {'lab3-masks': ('',), 'lab3-rawdata': ('left/',)}
    """
    whole = {bucket: Folders(names=set(names)) for bucket, names in (found or {}).items()}
    for uri in buckets:
        check_s3("--bucket", uri)
        bucket, _, prefix = uri.removeprefix(_SCHEME).partition("/")
        folder = f"{prefix.rstrip('/')}/" if prefix else ""
        whole.setdefault(bucket, Folders()).merge(Folders(names={folder}))
    return {bucket: whole[bucket].prefixes() for bucket in sorted(whole)}


def narrowed(found: Mapping[str, Sequence[str]], most: int) -> dict[str, tuple[str, ...]]:
    """Return at most so many prefixes a bucket, wider ones where there were more."""
    fewer = {bucket: Folders(most, names=set(names)) for bucket, names in found.items()}
    for folders in fewer.values():
        folders.limit()
    return {bucket: folders.prefixes() for bucket, folders in fewer.items()}


def _objects(block: Block) -> _BlockFolders:
    data = block.read()
    starts, ends = line_offsets(data)
    part = _BlockFolders(len(starts))
    seen: dict[str, set[str]] = {}
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        line = data[start:end]
        if not line.strip():
            continue
        try:
            for bucket, folder in _folders_on(line):
                seen.setdefault(bucket, set()).add(folder)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise BadLine(number, reason(line, error)) from error
    for bucket, names in seen.items():
        part.buckets[bucket] = Folders(names=names)
        part.buckets[bucket].limit()
    return part


def _folders_on(line: bytes) -> Iterator[tuple[str, str]]:
    """Yield bucket and folder of every object that a line names."""
    for name, value in _Line.decode(line).items():
        if not name.endswith(REF) or not bytes(value).startswith(b'"'):
            continue
        uri = msgspec.json.decode(value, type=str)
        if uri.startswith(_SCHEME):
            bucket, slash, key = uri.removeprefix(_SCHEME).partition("/")
            if bucket and slash:
                yield bucket, key[: key.rfind("/") + 1]

"""Finds out, before any object is read, where objects lie and whether S3 is to be asked."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import path
from manifest_tools.images.paths import ImagePaths, bucket_of, paths_of
from manifest_tools.io.sources import Source
from manifest_tools.verbs.validate.objects.references import SOURCE, LineReferences, read_references

_S3 = "s3://"
_LISTED = 3


@dataclass(frozen=True, slots=True)
class InspectionPlan:
    """A manifest and where its objects lie."""

    source: Source
    lines: int
    """Lines that name an object."""

    image_paths: ImagePaths
    """Where objects lie on this disk."""

    ask_s3: bool
    """Whether S3 is to be asked for others."""


@dataclass(slots=True)
class _Buckets:
    """The buckets of a manifest, each with its lowest and its highest source-ref."""

    lines: int = 0
    ends: dict[str, tuple[str, str]] = field(default_factory=dict)
    every: dict[str, None] = field(default_factory=dict)

    def add(self, line: LineReferences) -> None:
        self.lines += 1
        for reference in line.references:
            bucket = bucket_of(reference.ref)
            self.every[bucket] = None
            if reference.path == path(SOURCE):
                low, high = self.ends.get(bucket, (reference.ref, reference.ref))
                self.ends[bucket] = (min(low, reference.ref), max(high, reference.ref))

    def refs(self) -> list[str]:
        """Return the source-refs that show the buckets, and the folder that all share."""
        return [ref for ends in self.ends.values() for ref in ends]


def inspection_plan(source: Source, images: Sequence[str], requested: str | None) -> InspectionPlan:
    """Return where the objects of a manifest lie; raises Refused where not one could be read."""
    found = _Buckets()
    for line in read_references(source, requested):
        found.add(line)
    paths = paths_of(source, images, found.refs())
    elsewhere = [bucket for bucket in found.every if bucket != "." and not _is_mapped(bucket, paths)]
    ask_s3 = bool(elsewhere) and _have_credentials()
    if elsewhere and not ask_s3 and not paths.mapped and "." not in found.every:
        raise Refused(_nothing_to_read(source.name, elsewhere))
    return InspectionPlan(source, found.lines, paths, ask_s3)


def _is_mapped(bucket: str, paths: ImagePaths) -> bool:
    return any(prefix == f"{bucket}/" for prefix, _ in paths.mapped)


def _have_credentials() -> bool:
    from manifest_tools.io import s3

    return s3.have_credentials()


def _nothing_to_read(name: str, buckets: list[str]) -> str:
    if len(buckets) == 1:
        advice = "`--images ./raw-data`"
    else:
        advice = " ".join(f"`--images {bucket}=./{bucket.removeprefix(_S3)}`" for bucket in buckets[:_LISTED])
    return (
        f"{name}: none of its pictures and other objects can be read: they are not on this disk, and there"
        f" are no AWS credentials; type {advice}"
    )

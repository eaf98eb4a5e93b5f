"""Found out before the first look: where objects lie, and whether S3 is to be asked."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import path
from manifest_tools.images.paths import ImagePaths, bucket_of, image_paths
from manifest_tools.io.sources import Source
from manifest_tools.verbs.validate.objects.references import SOURCE, Pointing, pointings

_S3 = "s3://"
_LISTED = 3


@dataclass(frozen=True, slots=True)
class Survey:
    """A manifest, where its objects lie, and how many lines point to any."""

    source: Source
    lines: int
    image_paths: ImagePaths
    ask_s3: bool


@dataclass(slots=True)
class _Buckets:
    """Of each bucket the lowest and the highest source-ref: they share the folder that all share."""

    lines: int = 0
    ends: dict[str, tuple[str, str]] = field(default_factory=dict)
    every: dict[str, None] = field(default_factory=dict)

    def add(self, line: Pointing) -> None:
        self.lines += 1
        for pointer in line.pointers:
            bucket = bucket_of(pointer.ref)
            self.every[bucket] = None
            if pointer.path == path(SOURCE):
                low, high = self.ends.get(bucket, (pointer.ref, pointer.ref))
                self.ends[bucket] = (min(low, pointer.ref), max(high, pointer.ref))

    def refs(self) -> list[str]:
        """Return enough source-refs for `places` to see the buckets and the folder that all share."""
        return [ref for ends in self.ends.values() for ref in ends]


def survey(source: Source, images: Sequence[str], told: str | None) -> Survey:
    """Return what is to be looked at; raises Refused where not one object could be."""
    found = _Buckets()
    for line in pointings(source, told):
        found.add(line)
    base = "" if source.name.startswith(_S3) else os.path.dirname(source.name)
    where = image_paths(images, found.refs(), base)
    elsewhere = [bucket for bucket in found.every if bucket != "." and not _is_mapped(bucket, where)]
    ask_s3 = bool(elsewhere) and _have_credentials()
    if elsewhere and not ask_s3 and not where.mapped and "." not in found.every:
        raise Refused(_nothing_at_hand(source.name, elsewhere))
    return Survey(source, found.lines, where, ask_s3)


def _is_mapped(bucket: str, where: ImagePaths) -> bool:
    return any(prefix == f"{bucket}/" for prefix, _ in where.mapped)


def _have_credentials() -> bool:
    from manifest_tools.io import s3

    return s3.have_credentials()


def _nothing_at_hand(name: str, buckets: list[str]) -> str:
    if len(buckets) == 1:
        advice = "`--images ./raw-data`"
    else:
        advice = " ".join(f"`--images {bucket}=./{bucket.removeprefix(_S3)}`" for bucket in buckets[:_LISTED])
    return (
        f"{name}: no object is at hand: they are not on this disk, and there are no AWS credentials;"
        f" type {advice}"
    )

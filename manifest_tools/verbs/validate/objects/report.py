"""Inspects the objects of some manifests, line by line, and finds pictures that are there twice."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TypeVar

from manifest_tools.base.errors import NotAManifest
from manifest_tools.base.hashing import hash_texts
from manifest_tools.base.parallel import Jobs, Progress, no_progress, run
from manifest_tools.base.problem import Problem
from manifest_tools.base.text import counted
from manifest_tools.formats.open_manifest import open_manifest
from manifest_tools.images.partial_reads import hash_file
from manifest_tools.images.unusable import Unusable
from manifest_tools.io.sources import Source, decompressed
from manifest_tools.verbs.validate.objects.codes import CODES, NOT_INSPECTED, SAME_BYTES
from manifest_tools.verbs.validate.objects.duplicates import Ledger, LedgerEntries, same_pictures
from manifest_tools.verbs.validate.objects.findings import Size, add_not_inspected, inspect_lines
from manifest_tools.verbs.validate.objects.inspect import ObjectReader
from manifest_tools.verbs.validate.objects.plan import InspectionPlan, inspection_plan
from manifest_tools.verbs.validate.objects.references import read_references

_FETCHERS = 32  # threads that ask S3, where `jobs` does not say: they wait more than they work
_BATCH = 64  # lines for a worker process at a time
_PICTURE = "$.source-ref"

T = TypeVar("T")


@dataclass(slots=True)
class ObjectReport:
    """The problems of the objects of some manifests, found as one iterates; the counts grow with them."""

    manifests: tuple[str | Source, ...]
    images: Sequence[str] = ()
    """Where the objects lie on this disk, as ``--images`` says."""

    label_attribute: str | None = None
    """The only label attribute whose objects are inspected; None for all."""

    smallest: Size | None = None
    """The width and height below which a picture is too small for the job."""

    decode: bool = False
    """Whether pictures are read whole and decoded, not only their first and last bytes."""

    jobs: Jobs = None
    progress: Progress = no_progress
    lines: int = 0
    """Lines that name an object."""

    objects: int = 0
    """Objects that the lines name; one that two lines name counts twice."""

    _entries: LedgerEntries = field(default_factory=LedgerEntries)
    _plans: list[InspectionPlan] = field(default_factory=list)

    def __iter__(self) -> Iterator[Problem]:
        """Yield what is wrong, manifest by manifest and line by line; in the end what is there twice."""
        self.lines = self.objects = 0
        self._entries, self._plans = LedgerEntries(), []
        for manifest in self.manifests:
            with contextlib.suppress(NotAManifest):
                source = decompressed(open_manifest(manifest) if isinstance(manifest, str) else manifest)
                self._plans.append(inspection_plan(source, self.images, self.label_attribute))
                yield from self._check_manifest(len(self._plans) - 1, self._plans[-1])
        yield from self._same_pictures()

    def _check_manifest(self, number: int, plan: InspectionPlan) -> Iterator[Problem]:
        not_inspected: dict[str, tuple[int, int]] = {}
        reader = ObjectReader(plan.image_paths, plan.ask_s3, self.decode)
        lines = read_references(plan.source, self.label_attribute)
        with _workers(self.jobs, plan.ask_s3) as (jobs, size, ahead):
            task = partial(inspect_lines, reader, self.smallest, number)
            parts = run(task, _batches(lines, size), jobs, ahead)
            for part in self.progress(parts, -(-plan.lines // size), "objects"):
                self.lines += part.lines
                self.objects += part.objects
                self._entries.add(part.entries)
                for bucket, more in part.not_inspected.items():
                    add_not_inspected(not_inspected, bucket, more)
                for line, one in part.found:
                    yield _problem(one.code, plan.source.name, line, one.path, one.message)
        for bucket, (first, count) in not_inspected.items():
            yield _problem(NOT_INSPECTED, plan.source.name, first, "", _not_checked(bucket, count))

    def _same_pictures(self) -> Iterator[Problem]:
        candidates = self._entries.candidates()
        for (file, line), (first_file, first_line) in same_pictures(candidates, self._digests):
            name = self._plans[file].source.name
            there = "" if file == first_file else f" of {self._plans[first_file].source.name}"
            words = f"the same bytes as the picture on line {first_line:,}{there}, under another name"
            yield _problem(SAME_BYTES, name, line, _PICTURE, words)

    def _digests(self, unsure: Ledger) -> dict[int, int]:
        """Return the keys of all bytes of some pictures, by the keys of their names."""
        found: dict[int, int] = {}
        for file, plan in enumerate(self._plans):
            lines = set(unsure["line"][unsure["file"] == file].tolist())
            if lines:
                refs = list(_refs_on(plan, self.label_attribute, lines))
                keys = run(partial(_digest, ObjectReader(plan.image_paths, False)), refs, self.jobs)
                found |= dict(zip(hash_texts(refs).tolist(), keys, strict=True))
        return found


@contextlib.contextmanager
def _workers(jobs: Jobs, ask_s3: bool) -> Iterator[tuple[Jobs, int, int | None]]:
    """Yield who works, how many lines they are given at a time, and how many such are under way."""
    if not ask_s3 or not (jobs is None or isinstance(jobs, int)):
        yield jobs, _BATCH, None
        return
    from concurrent.futures import ThreadPoolExecutor

    # Asking is waiting: threads will do, and each line for itself keeps all of them busy.
    threads = jobs or _FETCHERS
    with ThreadPoolExecutor(threads) as executor:
        yield executor, 1, 2 * threads


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch


def _refs_on(plan: InspectionPlan, requested: str | None, lines: set[int]) -> Iterator[str]:
    for line in read_references(plan.source, requested):
        if line.line in lines:
            yield line.references[0].ref


def _digest(reader: ObjectReader, ref: str) -> int:
    try:
        return hash_file(reader.image_paths.find(ref))
    except Unusable:
        return 0


def _problem(code: str, file: str, line: int, path: str, message: str) -> Problem:
    return Problem(code, CODES[code].severity if code in CODES else "error", file, line, path, message)


def _not_checked(bucket: str, count: int) -> str:
    objects = counted(count, "object")
    were, them = ("was", "it") if count == 1 else ("were", "them")
    return (
        f"{objects} of {bucket}, the first on this line, {were} not checked: no --images covers {them}, and"
        f" there are no AWS credentials; type --images {bucket}=FOLDER"
    )

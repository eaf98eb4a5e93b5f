"""Runs the looks over the lines of some manifests, in order, and says what is there twice."""

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
from manifest_tools.images.partial_reads import hash_file
from manifest_tools.images.unusable import Unusable
from manifest_tools.io.sources import Source, decompressed, open_source
from manifest_tools.verbs.validate.objects.codes import CODES, NOT_LOOKED_AT, SAME_BYTES
from manifest_tools.verbs.validate.objects.duplicates import Entries, Ledger, compared
from manifest_tools.verbs.validate.objects.findings import Size
from manifest_tools.verbs.validate.objects.inspect import Eyes
from manifest_tools.verbs.validate.objects.looking import add_unseen, look_at_lines
from manifest_tools.verbs.validate.objects.plan import Survey, survey
from manifest_tools.verbs.validate.objects.references import pointings

_FETCHERS = 32  # threads that ask S3, where `jobs` does not say: they wait more than they work
_BATCH = 64  # lines for a worker process at a time
_PICTURE = "$.source-ref"

T = TypeVar("T")


@dataclass(slots=True)
class Objects:
    """The problems of the objects of some manifests, found as one iterates; the counts grow with them.

    ``objects`` counts what was looked at, an object that two lines name twice.
    """

    manifests: tuple[str | Source, ...]
    images: Sequence[str] = ()
    label_attribute_name: str | None = None
    smallest: Size | None = None
    jobs: Jobs = None
    progress: Progress = no_progress
    lines: int = 0
    objects: int = 0
    _entries: Entries = field(default_factory=Entries)
    _surveys: list[Survey] = field(default_factory=list)

    def __iter__(self) -> Iterator[Problem]:
        """Yield what is wrong, manifest by manifest and line by line; in the end what is there twice."""
        self.lines = self.objects = 0
        self._entries, self._surveys = Entries(), []
        for manifest in self.manifests:
            with contextlib.suppress(NotAManifest):
                source = decompressed(open_source(manifest) if isinstance(manifest, str) else manifest)
                self._surveys.append(survey(source, self.images, self.label_attribute_name))
                yield from self._of_manifest(len(self._surveys) - 1, self._surveys[-1])
        yield from self._twice()

    def _of_manifest(self, number: int, here: Survey) -> Iterator[Problem]:
        unseen: dict[str, tuple[int, int]] = {}
        eyes = Eyes(here.image_paths, here.ask_s3)
        lines = pointings(here.source, self.label_attribute_name)
        with _workers(self.jobs, here.ask_s3) as (jobs, size, ahead):
            task = partial(look_at_lines, eyes, self.smallest, number)
            parts = run(task, _batches(lines, size), jobs, ahead)
            for part in self.progress(parts, -(-here.lines // size), "objects"):
                self.lines += part.lines
                self.objects += part.objects
                self._entries.add(part.entries)
                for bucket, more in part.unseen.items():
                    add_unseen(unseen, bucket, more)
                for line, one in part.found:
                    yield _problem(one.code, here.source.name, line, one.path, one.message)
        for bucket, (first, count) in unseen.items():
            yield _problem(NOT_LOOKED_AT, here.source.name, first, "", _not_looked_at(bucket, count))

    def _twice(self) -> Iterator[Problem]:
        candidates = self._entries.candidates()
        for (file, line), (first_file, first_line) in compared(candidates, self._digests):
            name = self._surveys[file].source.name
            there = "" if file == first_file else f" of {self._surveys[first_file].source.name}"
            words = f"the same bytes as the picture on line {first_line:,}{there}, under another name"
            yield _problem(SAME_BYTES, name, line, _PICTURE, words)

    def _digests(self, unsure: Ledger) -> dict[int, int]:
        """Return the keys of all bytes of some pictures, by the keys of their names."""
        found: dict[int, int] = {}
        for file, here in enumerate(self._surveys):
            lines = set(unsure["line"][unsure["file"] == file].tolist())
            if lines:
                refs = list(_refs_on(here, self.label_attribute_name, lines))
                keys = run(partial(_digest, Eyes(here.image_paths, False)), refs, self.jobs)
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


def _refs_on(here: Survey, told: str | None, lines: set[int]) -> Iterator[str]:
    for line in pointings(here.source, told):
        if line.line in lines:
            yield line.pointers[0].ref


def _digest(eyes: Eyes, ref: str) -> int:
    try:
        return hash_file(eyes.places.find(ref))
    except Unusable:
        return 0


def _problem(code: str, file: str, line: int, path: str, message: str) -> Problem:
    return Problem(code, CODES[code].severity if code in CODES else "error", file, line, path, message)


def _not_looked_at(bucket: str, count: int) -> str:
    objects = f"{count:,} object{'' if count == 1 else 's'}"
    return (
        f"{objects} of {bucket} (the first on this line) not looked at: no --images covers them, and there"
        f" are no AWS credentials; type --images {bucket}=FOLDER"
    )

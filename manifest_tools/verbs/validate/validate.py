"""Finds every problem of every line, and what is wrong with a file as a whole."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from manifest_tools.base.errors import NotAManifest
from manifest_tools.base.parallel import Jobs
from manifest_tools.base.problem import Finding, Problem
from manifest_tools.groundtruth.attributes import attributes_of
from manifest_tools.groundtruth.rows import decode, line_offsets
from manifest_tools.groundtruth.scan import scan
from manifest_tools.io.sources import HEAD, Block, Source, decompressed, open_source
from manifest_tools.verbs.validate.engine.check_block import check_block
from manifest_tools.verbs.validate.engine.file_facts import Facts
from manifest_tools.verbs.validate.engine.run_rules import rule_line
from manifest_tools.verbs.validate.preflight.inputs import Preflight, PreflightInput
from manifest_tools.verbs.validate.preflight.preflight import prepare, prove_stream
from manifest_tools.verbs.validate.preflight.record_file import RecordFile, read_record_file, record_file_kind
from manifest_tools.verbs.validate.rules import of_scope
from manifest_tools.verbs.validate.rules.line.metadata import a_label_has_metadata
from manifest_tools.verbs.validate.rules.rule import Rule

# Smaller than others use: what is made of a block then stays in the processor's cache.
_BLOCK = 2 << 20


@dataclass(slots=True)
class Checked:
    """What was checked of one manifest, and how much was found."""

    manifest: str
    lines: int = 0
    errors: int = 0
    warnings: int = 0
    bad_lines: int = 0
    last: int = 0

    def count(self, problem: Problem) -> None:
        """Count one problem."""
        self.errors += problem.severity == "error"
        self.warnings += problem.severity == "warning"

    def mark(self, rule: Rule, line: int) -> None:
        """Count a line with an error in it, once; lines come in their order."""
        self.bad_lines += rule.severity == "error" and line != self.last
        self.last = line if rule.severity == "error" else self.last


@dataclass(slots=True)
class Report:
    """The problems of some manifests, found as one iterates; ``checked`` grows with them.

    ``preflight_input`` is what the rules of a preflight looked at, once all is found.

    >>> report = validate()
    >>> list(report), report.checked
    ([], [])
    """

    manifests: tuple[str, ...]
    label_attribute_name: str | None = None
    preflight: Preflight | None = None
    together: bool = True
    codes: Collection[str] | None = None
    objects: Iterable[Problem] = ()
    pictures: Sequence[str] | None = None
    jobs: Jobs = None
    checked: list[Checked] = field(default_factory=list)
    preflight_input: PreflightInput | None = None

    def __iter__(self) -> Iterator[Problem]:
        """Check the manifests; yields what lines show in their order, then whole files, then all files."""
        for problem in self._problems():
            if self.codes is None or problem.code in self.codes:
                named = (checked for checked in self.checked if checked.manifest == problem.file)
                next(named, self.checked[-1]).count(problem)
                yield problem

    def _problems(self) -> Iterator[Problem]:
        self.checked.clear()
        files: list[Facts] = []
        sources: dict[str, Source | RecordFile | None] = {}
        for manifest in self.manifests:
            self.checked.append(Checked(manifest))
            yield from self._check(manifest, files, sources)
        yield from self._check_together(tuple(files))
        yield from self._check_job(files, sources)
        yield from self.objects

    @property
    def purpose(self) -> str:
        """What the manifests are checked for, empty where for nothing special."""
        return "" if self.preflight is None else self.preflight.purpose

    def _check(
        self, manifest: str, files: list[Facts], sources: dict[str, Source | RecordFile | None]
    ) -> Iterator[Problem]:
        if record_file_kind(manifest) is not None:
            packed = read_record_file(manifest)
            sources[packed.name] = packed
            yield from self._check_packed(packed)
            return
        try:
            source = decompressed(open_source(manifest))
            self.checked[-1].manifest = source.name
            sources[source.name] = source
            yield from self._check_source(source, files)
        except NotAManifest as error:
            sources[error.source] = None
            for rule in of_scope("open"):
                yield from (_problem(rule, found, error.source) for found in rule.check(error))

    def _check_packed(self, packed: RecordFile) -> Iterator[Problem]:
        self.checked[-1].lines = packed.entries
        for rule in of_scope("record file", self.purpose):
            yield from (_problem(rule, found, packed.name, found.line) for found in rule.check(packed))

    def _check_source(self, source: Source, files: list[Facts]) -> Iterator[Problem]:
        told, purpose = self.label_attribute_name, self.purpose
        expected = (told,) if told is not None else _attributes_at_the_head(source)
        whole = Facts(source.name, requested=told)
        files.append(whole)
        task = partial(check_block, expected, told, purpose)
        for first, part in scan(source, task, self.jobs, size=_BLOCK):
            for number, rule, found in part.found:
                self.checked[-1].mark(rule, first + number)
                yield _problem(rule, found, source.name, first + number)
            whole.merge(part.facts, first)
            self.checked[-1].lines += part.facts.objects
        late = tuple(name for name in whole.attributes if name not in expected)
        if late:
            yield from _lacking_metadata(source, late, self.jobs)
        for rule in of_scope("file", purpose):
            yield from (_problem(rule, found, source.name, found.line) for found in rule.check(whole))

    def _check_together(self, files: tuple[Facts, ...]) -> Iterator[Problem]:
        """Yield what several files show side by side."""
        if self.together and len(files) > 1:
            for rule in of_scope("files", self.purpose):
                yield from (_problem(rule, found, found.file, found.line) for found in rule.check(files))

    def _check_job(
        self, files: list[Facts], sources: dict[str, Source | RecordFile | None]
    ) -> Iterator[Problem]:
        """Yield what a job with these manifests would say; without a preflight nothing."""
        if self.preflight is None:
            return
        bad = {one.manifest: one.bad_lines for one in self.checked}
        told = self.label_attribute_name
        self.preflight_input = prepare(sources, files, self.preflight, told, bad, self.jobs)
        for rule in of_scope("job", self.purpose):
            for found in rule.check(self.preflight_input):
                yield _problem(rule, found, found.file or self.checked[0].manifest, found.line)
        if self.pictures is not None and self.preflight_input.attribute is not None:
            for name in (name for name, source in sources.items() if isinstance(source, Source)):
                yield from prove_stream(name, self.preflight_input, images=self.pictures)


def validate(
    *manifests: str,
    label_attribute_name: str | None = None,
    preflight: Preflight | None = None,
    together: bool = True,
    codes: Collection[str] | None = None,
    objects: Iterable[Problem] = (),
    pictures: Sequence[str] | None = None,
    jobs: Jobs = None,
) -> Report:
    """Return a report that finds, as one iterates, every problem of every line of some manifests.

    All label attributes of a line are checked, or the one named. Several manifests are looked at ``together``
    as well: classes and pictures of a training and a validation part, say. With a ``preflight``, the first
    one is the train channel of a job, the next one its validation channel. ``codes`` names the ones wanted;
    ``objects`` are problems to be told after the others, such as ``check_objects`` finds. ``pictures`` says
    where the pictures lie (see ``places``), so that a preflight proves the record stream with them. A .rec or
    .lst is checked as such; a file that is none of these is a problem like any other. Raises Refused where
    there is no such file.
    """
    return Report(manifests, label_attribute_name, preflight, together, codes, objects, pictures, jobs)


def _problem(rule: Rule, found: Finding, file: str, line: int = 0) -> Problem:
    return Problem(rule.code, rule.severity, file, line, found.path, found.message)


def _attributes_at_the_head(source: Source) -> tuple[str, ...]:
    """Return the label attributes that the first lines show; the others are looked for later."""
    found: dict[str, None] = {}
    for line in source.head(HEAD).split(b"\n"):
        try:
            found |= dict.fromkeys(one.name for one in attributes_of(decode(line)))
        except ValueError:
            continue
    return tuple(found)


def _lacking_metadata(source: Source, late: tuple[str, ...], jobs: Jobs) -> Iterator[Problem]:
    """Yield the labels without metadata of attributes that only showed further down."""
    (rule,) = (rule for rule in of_scope("line") if rule.check is a_label_has_metadata)
    for first, part in scan(source, partial(_look_for_late, late), jobs):
        yield from (_problem(rule, found, source.name, first + number) for number, found in part.found)


@dataclass(slots=True)
class _Late:
    lines: int
    found: list[tuple[int, Finding]]


def _look_for_late(late: tuple[str, ...], block: Block) -> _Late:
    data = block.read()
    starts, ends = line_offsets(data)
    found: list[tuple[int, Finding]] = []
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        try:
            value = decode(data[start:end])
        except ValueError:
            continue
        if isinstance(value, dict):
            found += ((number, one) for one in a_label_has_metadata(rule_line(value, late, None)))
    return _Late(len(starts), found)

"""Finds every problem of every line, and what is wrong with a file as a whole; reads a manifest once."""

import gc
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from manifest_tools.base.errors import NotAManifest
from manifest_tools.base.parallel import Jobs
from manifest_tools.base.problem import Finding, Problem
from manifest_tools.formats.open_manifest import open_manifest
from manifest_tools.groundtruth.rows import decode, line_offsets
from manifest_tools.groundtruth.scan import scan
from manifest_tools.io.sources import HEAD, Block, Source, decompressed
from manifest_tools.verbs.validate.engine.check_lines import CheckedLines, check_lines
from manifest_tools.verbs.validate.engine.file_facts import Facts
from manifest_tools.verbs.validate.engine.run_rules import RuleContext, rule_line
from manifest_tools.verbs.validate.name_pictures import PictureNames
from manifest_tools.verbs.validate.preflight.channel import Channel, channel_of_record_file
from manifest_tools.verbs.validate.preflight.inputs import Preflight, PreflightInput
from manifest_tools.verbs.validate.preflight.preflight import prove_stream
from manifest_tools.verbs.validate.preflight.read_channel import channel_of, read_channel
from manifest_tools.verbs.validate.preflight.record_file import (
    RecordFile,
    facts_of_record_file,
    read_record_file,
    record_file_kind,
)
from manifest_tools.verbs.validate.preflight.settings import attribute_names
from manifest_tools.verbs.validate.rules import of_scope
from manifest_tools.verbs.validate.rules.file import repeated_pictures, several_files
from manifest_tools.verbs.validate.rules.line.metadata import a_label_has_metadata, metadata_has_a_label
from manifest_tools.verbs.validate.rules.rule import Rule

# Smaller than others use: what is made of a block then stays in the processor's cache.
_BLOCK = 2 << 20


@dataclass(slots=True)
class CheckedFile:
    """What was checked of one manifest, and how much was found."""

    manifest: str
    """The name of the file."""

    lines: int = 0
    """Lines that are not blank; of a .rec or .lst its records or rows."""

    errors: int = 0
    warnings: int = 0
    bad_lines: int = 0
    """Lines with at least one error."""

    last_bad_line: int = 0
    """The last of these, from 1."""

    def count(self, problem: Problem) -> None:
        """Count one problem."""
        self.errors += problem.severity == "error"
        self.warnings += problem.severity == "warning"

    def mark(self, rule: Rule, line: int) -> None:
        """Count a line with an error in it, once; lines come in their order."""
        if rule.severity == "error":
            self.bad_lines += line != self.last_bad_line
            self.last_bad_line = line


@dataclass(slots=True)
class Report:
    """The problems of some manifests, found as one iterates.

    >>> report = validate()
    >>> list(report), report.checked
    ([], [])
    """

    manifests: tuple[str | Source, ...]
    """The files, by name or opened; for a preflight the one for training first."""

    label_attribute: str | None = None
    """The only label attribute to check; None for all."""

    preflight: Preflight | None = None
    """The job that the manifests are checked for."""

    together: bool = True
    """Whether the manifests are compared with one another too."""

    codes: Collection[str] | None = None
    """The codes to report; None for all."""

    objects: Iterable[Problem] = ()
    """Problems to report after the others."""

    images: Sequence[str] | None = None
    """Where the pictures lie; None where the record stream is not to be proven with them."""

    jobs: Jobs = None
    checked: list[CheckedFile] = field(default_factory=list)
    """What was checked so far, file by file."""

    preflight_input: PreflightInput | None = None
    """What the rules of the preflight looked at, once all is found."""

    _files: list[Facts] = field(default_factory=list, repr=False)
    _record_files: list[Facts] = field(default_factory=list, repr=False)
    _channels: dict[str, Channel] = field(default_factory=dict, repr=False)
    _pictures: PictureNames = field(default_factory=PictureNames, repr=False)

    def __iter__(self) -> Iterator[Problem]:
        """Check the manifests; yields what lines show in their order, then whole files, then all files."""
        for problem in self._problems():
            if self.codes is None or problem.code in self.codes:
                named = (checked for checked in self.checked if checked.manifest == problem.file)
                next(named, self.checked[-1]).count(problem)
                yield self._pictures.named(problem)

    def _problems(self) -> Iterator[Problem]:
        self.checked, self._files, self._record_files, self._channels = [], [], [], {}
        self._pictures = PictureNames()
        for manifest in self.manifests:
            yield from self._check(manifest)
        yield from self._check_together()
        yield from self._check_job()
        yield from self.objects

    @property
    def purpose(self) -> str:
        """The purpose of the preflight, empty without one."""
        return "" if self.preflight is None else self.preflight.purpose

    def _check(self, manifest: str | Source) -> Iterator[Problem]:
        name = manifest if isinstance(manifest, str) else manifest.name
        self.checked.append(CheckedFile(name))
        try:
            if isinstance(manifest, Source):
                yield from self._check_manifest(decompressed(manifest))
            elif record_file_kind(manifest) is not None:
                yield from self._check_record_file(read_record_file(manifest))
            else:
                source = decompressed(open_manifest(manifest))
                self._pictures.add(source)
                yield from self._check_manifest(source)
        except NotAManifest as error:
            self._channels[error.source] = Channel(error.source)
            for rule in of_scope("open"):
                yield from (_problem(rule, found, error.source) for found in rule.check(error))

    def _check_record_file(self, file: RecordFile) -> Iterator[Problem]:
        self._channels[file.name] = channel_of_record_file(file, self.purpose)
        self.checked[-1].lines = file.entries
        for rule in of_scope("record file", self.purpose):
            yield from (_problem(rule, found, file.name, found.line) for found in rule.check(file))
        facts = facts_of_record_file(file)
        for rule in repeated_pictures.RULES:
            yield from (_problem(rule, _without_path(one), file.name, one.line) for one in rule.check(facts))
        self._record_files.append(facts)

    def _check_manifest(self, source: Source) -> Iterator[Problem]:
        """Yield what is wrong with a manifest by itself; remembers what its lines show."""
        self.checked[-1].manifest = source.name
        requested = self.label_attribute
        head = _facts_at_the_head(source, requested)
        expected = tuple(head.attributes)
        names = self._attribute_names([*self._files, head])
        facts = Facts(source.name, requested=requested)
        channel = Channel(source.name, size=source.size or 0)
        task = partial(_read_block, RuleContext(expected, requested, self.purpose), names)
        for first, part in scan(source, task, self.jobs, size=_BLOCK):
            for number, rule, found in part.checked.found:
                self.checked[-1].mark(rule, first + number)
                yield _problem(rule, found, source.name, first + number)
            facts.merge(part.checked.facts, first)
            channel.merge(part.channel, first)
            self.checked[-1].lines += part.checked.facts.objects
        late = tuple(name for name in facts.attributes if name not in expected)
        if late:
            yield from _check_late(source, late, self.purpose, self.jobs)
        for rule in of_scope("file", self.purpose):
            yield from (_problem(rule, found, source.name, found.line) for found in rule.check(facts))
        self._files.append(facts)
        self._channels[source.name] = self._channel_as_sent(source, names, channel)

    def _attribute_names(self, files: Sequence[Facts]) -> tuple[str, ...]:
        """Return what a job would be sent of each line; nothing without a preflight."""
        if self.preflight is None:
            return ()
        return attribute_names(files, self.preflight, self.label_attribute)

    def _channel_as_sent(self, source: Source, names: tuple[str, ...], channel: Channel) -> Channel:
        """Return the channel that was read as ``names``; reads it again where its head was misleading."""
        right = self._attribute_names(self._files)
        if right == names:
            return channel
        again = read_channel(source, right, self.purpose, self.jobs)
        again.size = channel.size
        return again

    def _check_together(self) -> Iterator[Problem]:
        """Yield what several files show side by side."""
        if self.together and len(self._files) > 1:
            for rule in of_scope("files", self.purpose):
                for found in rule.check(tuple(self._files)):
                    yield _problem(rule, found, found.file, found.line)
        if self.together:
            yield from self._check_record_files_together()

    def _check_record_files_together(self) -> Iterator[Problem]:
        """Yield what several .rec show side by side, and several .lst."""
        for noun in dict.fromkeys(facts.noun for facts in self._record_files):
            alike = tuple(facts for facts in self._record_files if facts.noun == noun)
            for rule in several_files.OF_RECORD_FILES:
                for found in rule.check(alike):
                    yield _problem(rule, _without_path(found), found.file, found.line)

    def _check_job(self) -> Iterator[Problem]:
        """Yield what a job with these manifests would say; without a preflight nothing."""
        if self.preflight is None:
            return
        job = self.preflight_input = PreflightInput(
            files=tuple(self._files),
            preflight=self.preflight,
            label_attribute=self.label_attribute,
            channels=tuple(self._channels.values()),
            names=self._attribute_names(self._files),
            bad_lines={one.manifest: one.bad_lines for one in self.checked},
        )
        yield from job_problems(job)
        if self.images is not None and job.attribute is not None:
            for facts in self._files:
                yield from prove_stream(facts.name, job, images=self.images)


def validate(
    *manifests: str | Source,
    label_attribute: str | None = None,
    preflight: Preflight | None = None,
    together: bool = True,
    codes: Collection[str] | None = None,
    objects: Iterable[Problem] = (),
    images: Sequence[str] | None = None,
    jobs: Jobs = None,
) -> Report:
    """Return a report that finds, as one iterates, every problem of every line of some manifests.

    All label attributes of a line are checked, or the one named. Several manifests are compared with one
    another too, as the parts for training and validation, unless ``together`` is False. With a ``preflight``
    the first one is the train channel of a job, the next one its validation channel; ``images`` says where
    the pictures lie (as ``--images`` does), so that the preflight proves the record stream with them.
    ``codes`` names the codes wanted; ``objects`` are problems to report after the others, such as
    ``check_objects`` finds. A .rec or .lst is checked as such; a file that is none of these is a problem like
    any other. Raises Refused where there is no such file.
    """
    return Report(manifests, label_attribute, preflight, together, codes, objects, images, jobs)


@dataclass(frozen=True, slots=True)
class _Part:
    """What a block shows: to the rules, and to the preflight."""

    checked: CheckedLines
    channel: Channel

    @property
    def lines(self) -> int:
        """Lines of the block, blank ones included."""
        return self.checked.lines


def _read_block(context: RuleContext, names: tuple[str, ...], block: Block) -> _Part:
    data = block.read()
    with _no_search_for_cycles():
        checked = check_lines(data, context)
        return _Part(checked, channel_of(data, names, context.purpose) if names else Channel())


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Turn the garbage collector off: with a million small tuples it takes a third of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def job_problems(job: PreflightInput) -> Iterator[Problem]:
    """Yield what the rules of a job find; what is about no file by itself is reported of the first."""
    first = next((channel.name for channel in job.channels), "")
    for rule in of_scope("job", job.preflight.purpose):
        yield from (_problem(rule, found, found.file or first, found.line) for found in rule.check(job))


def _problem(rule: Rule, found: Finding, file: str, line: int = 0) -> Problem:
    return Problem(rule.code, rule.severity, file, line, found.path, found.message)


def _without_path(found: Finding) -> Finding:
    """Return a finding of a .rec or .lst, which has no JSON paths."""
    return found._replace(path="")


def _facts_at_the_head(source: Source, requested: str | None) -> Facts:
    """Return what the first lines show, which all others most probably show too."""
    facts = Facts(requested=requested)
    for line in source.head(HEAD).split(b"\n"):
        try:
            value = decode(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            facts.add(0, rule_line(value, RuleContext(requested=requested)))
    return facts


def _check_late(source: Source, late: tuple[str, ...], purpose: str, jobs: Jobs) -> Iterator[Problem]:
    """Yield labels and metadata that lack each other, of attributes that only showed further down."""
    for first, part in scan(source, partial(_find_late, late, purpose), jobs):
        for number, rule, found in part.found:
            yield _problem(rule, found, source.name, first + number)


@dataclass(slots=True)
class _LatePart:
    lines: int
    found: list[tuple[int, Rule, Finding]]


def _find_late(late: tuple[str, ...], purpose: str, block: Block) -> _LatePart:
    data = block.read()
    starts, ends = line_offsets(data)
    rules = [
        rule for rule in of_scope("line", purpose) if rule in (a_label_has_metadata, metadata_has_a_label)
    ]
    found: list[tuple[int, Rule, Finding]] = []
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        try:
            value = decode(data[start:end])
        except ValueError:
            continue
        if isinstance(value, dict):
            line = rule_line(value, RuleContext(late))
            found += ((number, rule, one) for rule in rules for one in rule.check(line))
    return _LatePart(len(starts), found)

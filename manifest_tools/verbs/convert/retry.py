"""A conversion of just the lines that a quarantine names, with the numbers and classes of the whole."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from os.path import basename

import msgspec

from manifest_tools.base.bounded_lines import bounded_lines
from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.text import clipped
from manifest_tools.groundtruth.annotations import Picture, Pictures
from manifest_tools.verbs.convert.labelled import Labelled
from manifest_tools.verbs.convert.line_texts import line_texts
from manifest_tools.verbs.convert.opening import Stage


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of a quarantine."""

    manifest: str
    line: int
    code: str
    reason: str
    stage: Stage
    ref: str = ""
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """The lines that a quarantine names."""

    path: str
    lines: Mapping[str, Mapping[int, str | None]]
    """By manifest, the texts of the lines by their numbers."""

    def of(self, found: Labelled) -> Labelled:
        """Return the pictures of these lines alone; raises BadData for a line that is another by now."""
        lines = self._of(found.place)
        if found.source is not None:
            text_of = line_texts(found.source)
            for number, text in sorted(lines.items()):
                if text is not None and text_of(number) != text:
                    raise BadData(
                        f"{self.path}: line {number} of {found.place} was another; convert the manifest anew"
                    )
        only = Only(found.lines, frozenset(lines))
        return replace(found, lines=only, count=sum(1 for _ in only), left_out={})

    def _of(self, place: str) -> Mapping[int, str | None]:
        if place in self.lines:
            return self.lines[place]
        alike = [lines for manifest, lines in self.lines.items() if basename(manifest) == basename(place)]
        return alike[0] if len(alike) == 1 else {}

    def check(self, places: Sequence[str]) -> None:
        """Raise Refused where it names lines of a manifest that was not typed."""
        names = {basename(place) for place in places}
        for manifest in self.lines:
            if manifest not in places and basename(manifest) not in names:
                raise Refused(
                    f"--retry {self.path}: has lines of {clipped(basename(manifest))}; type that manifest too"
                )


def read_retry(path: str) -> Retry:
    """Return the lines that a quarantine names; raises BadData for a file that is none."""
    lines: dict[str, dict[int, str | None]] = {}
    decoder = msgspec.json.Decoder(Entry)
    try:
        with open(path, "rb") as file:
            for number, line in enumerate(bounded_lines(file, f"--retry {path}"), 1):
                try:
                    entry = decoder.decode(line)
                except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                    raise BadData(
                        f"--retry {path}:{number}: expected a line as --quarantine writes it, found"
                        f" {clipped(str(error))}"
                    ) from error
                lines.setdefault(entry.manifest, {})[entry.line] = entry.text
    except OSError as error:
        raise Refused(f"--retry {path}: cannot be read: {error.strerror}") from error
    if not lines:
        raise BadData(f"--retry {path}: expected lines as --quarantine writes them, found none")
    return Retry(path, lines)


@dataclass(frozen=True, slots=True)
class Only(Pictures):
    """Some of the pictures of a part."""

    pictures: Pictures
    numbers: frozenset[int]

    def __iter__(self) -> Iterator[Picture]:
        return (picture for picture in self.pictures if picture.number in self.numbers)

    def folder(self) -> str:
        """Return the deepest folder that all pictures of the part share: names are as in the whole."""
        return self.pictures.folder()

"""What became of a manifest that was rewritten."""

from dataclasses import dataclass, field

from manifest_tools.io.sinks import Published

SHOWN = 3  # changed lines that a report keeps


@dataclass(frozen=True, slots=True)
class Change:
    """A changed line, before and after."""

    line: int
    """Counts from 1."""

    before: bytes
    after: bytes


@dataclass(slots=True)
class Rewritten:
    """What became of one manifest."""

    manifest: str
    """The manifest, by the name that was typed."""

    lines: int = 0
    """All lines, blank ones too."""

    changed: int = 0
    """Lines that changed."""

    changes: list[Change] = field(default_factory=list)
    """The first changed lines."""

    unchanged: dict[str, int] = field(default_factory=dict)
    """Lines with a mark that changes nothing, by reason."""

    without_score: int = 0
    """Lines changed by marks whose label has a confidence, which is 0 now."""

    unmatched: int = 0
    """Marks that are of no line, here or in the other manifests."""

    published: tuple[Published, ...] = ()
    """The output; none if nothing changed, or after a dry run."""

    def keep(self, line: int, before: bytes, after: bytes) -> None:
        """Keep a changed line for the report, if it is one of the first."""
        if len(self.changes) < SHOWN:
            self.changes.append(Change(line, before, after))

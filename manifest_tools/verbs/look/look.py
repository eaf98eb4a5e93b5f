"""Gathers what people would rather see than read: what is in manifests, and pictures with their labels."""

from base64 import b64encode
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from manifest_tools.base.arguments import AnyPath, AnyPaths, as_text, as_texts
from manifest_tools.base.parallel import Jobs, Progress, no_progress, run
from manifest_tools.base.problem import Problem
from manifest_tools.formats.open_manifest import open_manifest
from manifest_tools.groundtruth.contents import Stats, contents_of
from manifest_tools.groundtruth.counts import NO_URI
from manifest_tools.groundtruth.examples import one_attribute
from manifest_tools.images.paths import ImagePaths, paths_of
from manifest_tools.images.thumbnail import PALETTE
from manifest_tools.images.unusable import MISSING, Unusable
from manifest_tools.io.sources import Source, decompressed
from manifest_tools.pages.gallery import Card, Gallery
from manifest_tools.pages.gallery import Group as CardGroup
from manifest_tools.verbs.look.cards import LineCard, line_card
from manifest_tools.verbs.look.choose import Place, choose
from manifest_tools.verbs.look.groups import Group, Repeated, repeated
from manifest_tools.verbs.look.index import Index, Vocabulary, read_index
from manifest_tools.verbs.look.pictures import SIDE, Small, small_picture
from manifest_tools.verbs.look.problems import LookProblems, problems_of
from manifest_tools.verbs.look.s3_pictures import S3Pictures, is_elsewhere

PICTURES = 300
"""Lines that are shown, where nobody asks for more."""


@dataclass(slots=True)
class Looked:
    """Manifests that were read, so that any of their lines can be shown."""

    contents: tuple[Stats, ...]
    indices: tuple[Index, ...]
    words: Vocabulary
    problems: tuple[LookProblems, ...]
    paths: tuple[ImagePaths, ...]
    repeated: Repeated
    fetch: S3Pictures | None = None
    """What fetches pictures from S3 that are not here; None where nothing does."""

    def can_fetch(self, part: int, *refs: str) -> bool:
        """Say whether one of some pictures of a manifest is not here, and S3 can be asked for it."""
        elsewhere = any(is_elsewhere(self.paths[part], ref) for ref in refs)
        return elsewhere and self.fetch is not None and self.fetch.is_allowed

    def _fetching(self, part: int, card: LineCard) -> S3Pictures | None:
        return self.fetch if self.can_fetch(part, card.ref, card.drawing.mask) else None

    def small(self, place: Place, side: int) -> Small | Unusable:
        """Return the picture of a line, its longer edge having ``side`` pixels."""
        card = self.card(place)
        return small_picture(self.paths[place[0]], side, card, self._fetching(place[0], card))

    def card(self, place: Place) -> LineCard:
        """Return the card of a line, without its picture."""
        part, at = place
        index = self.indices[part]
        found = self.problems[part].on(int(index.lines["number"][at]))
        return line_card(index, part, at, self.words, found)

    def pictured(
        self, places: Sequence[Place], jobs: Jobs = None, progress: Progress = no_progress
    ) -> dict[Place, "Pictured"]:
        """Return the cards of lines, each with its small picture where that is on this disk."""
        wanted = list(dict.fromkeys(places))
        cards = [self.card(place) for place in wanted]
        fetch = next(filter(None, (self._fetching(card.card.part, card) for card in cards)), None)
        tasks = [(self.paths[card.card.part], card) for card in cards]
        with nullcontext(jobs) if fetch is None else fetch.threads() as workers:
            made = progress(run(partial(_small, fetch), tasks, workers), len(tasks), "pictures")
            return {
                place: Pictured(_with_picture(card.card, small), small)
                for place, card, small in zip(wanted, cards, made, strict=True)
            }

    def gallery(self) -> Gallery:
        """Return a gallery of all lines, with no card in it yet."""
        return Gallery(
            parts=tuple(one.manifest for one in self.contents),
            classes=tuple(self.words.classes),
            jobs=tuple(self.words.jobs),
            codes=tuple(dict.fromkeys(code for one in self.problems for code in sorted(one.codes))),
            colours=PALETTE,
            total=sum(len(one.lines) for one in self.indices),
        )


@dataclass(frozen=True, slots=True)
class Pictured:
    """A card with its picture, or why it has none."""

    card: Card
    small: Small | Unusable

    @property
    def is_missing(self) -> bool:
        """Whether there is a picture, and it is not on this disk."""
        return bool(self.card.name) and isinstance(self.small, Unusable) and self.small.code == MISSING


@dataclass(frozen=True, slots=True)
class Look:
    """What a page shows."""

    contents: tuple[Stats, ...]
    """What is in each manifest."""

    problems: tuple[dict[str, int], ...]
    """By manifest: how many problems there are of each code."""

    repeated: Repeated
    gallery: Gallery
    pictures: tuple[Small | Unusable, ...]
    """The picture of each card of the gallery."""

    sizes: dict[str, int] = field(default_factory=dict)
    """Pictures that are shown, by width and height."""

    missing: str = ""
    """What to type for the pictures that are not here; empty where all are."""

    fetched: int = 0
    """How many pictures came from S3, and are not kept."""

    def to_json(self) -> dict[str, Any]:
        """Return what was counted, as values that JSON can hold; no pictures."""
        return {
            "manifests": [
                one.to_json() | {"problems": problems}
                for one, problems in zip(self.contents, self.problems, strict=True)
            ],
            "conflicting": self.repeated.conflicts,
            "repeated": self.repeated.duplicates,
            "in_several": self.repeated.across,
            "sizes": self.sizes,
            "lines": self.gallery.total,
            "shown": self.gallery.shown,
            "fetched": self.fetched,
            "missing": sum(isinstance(one, Unusable) and one.code == MISSING for one in self.pictures),
        }


def read(
    manifests: Sequence[AnyPath | Source],
    *,
    label_attribute: str | None = None,
    images: AnyPaths = (),
    problems: Iterable[Problem] = (),
    fetch: S3Pictures | None = None,
    jobs: Jobs = None,
) -> Looked:
    """Return manifests read so that any line can be shown: counts, and 41 bytes a line.

    Raises InvalidLine at a line that cannot be read, Refused for an attribute that no line has.
    """
    words = Vocabulary()
    contents, indices, paths = [], [], []
    for manifest in manifests:
        source = decompressed(manifest if isinstance(manifest, Source) else open_manifest(as_text(manifest)))
        found = contents_of(source, label_attribute, jobs)
        for shown in (shown for each in found.attributes for shown in each.classes):
            words.class_of(shown.name or f"class {shown.index}")  # in the order of the charts
        one = label_attribute or (found.attributes[0].name if len(found.attributes) == 1 else None)
        known = None if one is None else one_attribute(source, one, jobs)
        contents.append(found)
        indices.append(read_index(source, known, words, jobs))
        paths.append(_paths(source, found, as_texts(images)))
    kept = problems_of([one.manifest for one in contents], problems)
    return Looked(tuple(contents), tuple(indices), words, kept, tuple(paths), repeated(indices), fetch)


def _paths(source: Source, found: Stats, images: Sequence[str]) -> ImagePaths:
    """Return where the pictures of a manifest lie; its sources say which buckets they are in."""
    refs = [f"{folder}_" for folder in found.sources if folder != NO_URI]
    return paths_of(source, images, refs)


def look(
    *manifests: AnyPath | Source,
    label_attribute: str | None = None,
    images: AnyPaths = (),
    pictures: int = PICTURES,
    problems: Iterable[Problem] = (),
    fetch: S3Pictures | None = None,
    jobs: Jobs = None,
    progress: Progress = no_progress,
) -> Look:
    """Return what a page of manifests shows: what is in them, and at most ``pictures`` lines as pictures.

    ``problems`` are those that ``validate`` finds; ``fetch`` gets pictures that are not here.
    Raises InvalidLine at a line that cannot be read, Refused for an attribute that no line has.
    """
    looked = read(
        manifests, label_attribute=label_attribute, images=images, problems=problems, fetch=fetch, jobs=jobs
    )
    chosen = choose(looked.indices, pictures, [list(one.lines) for one in looked.problems])
    grouped = [place for group in looked.repeated.shown for place in group.places]
    shown = looked.pictured([*chosen, *grouped], jobs, progress)
    gallery = replace(
        looked.gallery(),
        cards=tuple(shown[place].card for place in chosen),
        groups=tuple(_group(one, shown) for one in looked.repeated.shown),
    )
    made = tuple(shown[place].small for place in chosen)
    return Look(
        looked.contents,
        tuple(dict(one.codes) for one in looked.problems),
        looked.repeated,
        gallery,
        made,
        _sizes(made),
        missing(shown.values(), fetch.failed if fetch else ""),
        sum(isinstance(one.small, Small) and one.small.is_fetched for one in shown.values()),
    )


def _small(fetch: S3Pictures | None, task: tuple[ImagePaths, LineCard]) -> Small | Unusable:
    paths, card = task
    return small_picture(paths, SIDE, card, fetch)


def _with_picture(card: Card, small: Small | Unusable) -> Card:
    if isinstance(small, Unusable):
        return replace(card, missing=small.message) if card.name else card
    return replace(card, picture=f"data:image/jpeg;base64,{b64encode(small.jpeg).decode()}")


def _group(group: Group, shown: Mapping[Place, Pictured]) -> CardGroup:
    what = "with other classes" if group.conflicts else "that do not contradict one another"
    where = ", in several files" if group.across else ""
    cards = tuple(shown[place].card for place in group.places)
    return CardGroup(f"{cards[0].name or cards[0].text}: {group.lines:,} lines {what}{where}", cards)


def _sizes(made: Sequence[Small | Unusable]) -> dict[str, int]:
    sizes = Counter(one.size for one in made if isinstance(one, Small) and all(one.size))
    return {f"{width:,} × {height:,}": count for (width, height), count in sizes.most_common()}


def missing(shown: Collection[Pictured], failed: str = "") -> str:
    """Say what to type for pictures that are not to be had, and why S3 ``failed``; nothing where all are."""
    named = [one for one in shown if one.card.name]
    absent = sum(one.is_missing for one in named)
    if not absent:
        return ""
    text = f"{absent:,} of {len(named):,} pictures are not on this disk"
    why = f"; S3 failed: {failed}" if failed else ""
    return f"{text}; type --images FOLDER, or fetch them: mtool fetch MANIFEST -o FOLDER{why}"

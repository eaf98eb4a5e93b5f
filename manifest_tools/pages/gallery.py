"""What a gallery shows, as values and as the JSON that its script reads.

The same JSON stands in a page that is one file, or comes from a server: then the page has ``api`` in place of
``cards``, and asks ``api?part=0&class=3&job=0&code=MT302&low=0.2&high=0.9&offset=0&count=60`` (each may be
missing) for ``{"total": 12, "cards": [...]}``.
"""

from dataclasses import dataclass, replace
from typing import Any

from manifest_tools.pages.words import plain

NONE = -1
"""In place of a position, where nothing says it."""


@dataclass(frozen=True, slots=True)
class CardLabel:
    """One label of a card."""

    attribute: str
    """What the label is called."""

    classes: tuple[tuple[int, float | None, int], ...] = ()
    """Positions in ``Gallery.classes``, each once, with the lowest confidence (None: not known) and with how
    many items, such as boxes, there are of it."""

    colours: tuple[str, ...] = ()
    """The colour of each class on the picture, as ``#rrggbb``; empty where it is that of the gallery."""

    state: str = "labelled"
    """Such as ``labelled``, ``failed``, ``unlabelled``."""

    job: int = NONE
    """The position in ``Gallery.jobs``."""

    by: str = ""
    """Who made it: ``people``, ``a model``, or nothing where it is not known."""

    date: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One picture, or text, with its labels."""

    part: int
    """The position of its file in ``Gallery.parts``."""

    line: int
    """The number of its line, from 1."""

    name: str = ""
    """Where its picture is."""

    text: str = ""

    picture: str = ""
    """A ``data:`` URI, or an address on the server; empty where there is none."""

    large: str = ""
    """The address of a larger picture, where there is one."""

    missing: str = ""
    """Why there is no picture."""

    labels: tuple[CardLabel, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    """Codes and messages."""

    doubtful: bool = False
    """Whether its lowest confidence is a low one."""


@dataclass(frozen=True, slots=True)
class Group:
    """Cards to compare side by side."""

    title: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Gallery:
    """Cards, and what they can be filtered by."""

    parts: tuple[str, ...]
    classes: tuple[str, ...]
    """Names of classes, in the order of their colours."""

    jobs: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    """Codes of problems."""

    colours: tuple[str, ...] = ()
    """Colours of the classes, as ``#rrggbb``, from the beginning again after the last."""

    cards: tuple[Card, ...] = ()
    total: int = 0
    """How many cards there would be if all were shown."""

    groups: tuple[Group, ...] = ()
    groups_title: str = "Repeated pictures"
    api: str = ""
    """The address that is asked for cards; empty where they are all here."""

    marks: str = ""
    """The address that takes marks; empty where none can be made."""

    @property
    def shown(self) -> int:
        """How many cards are here."""
        return len(self.cards)

    def to_json(self) -> dict[str, Any]:
        """Return what the script reads."""
        names = {
            name: [plain(text) for text in getattr(self, name)]
            for name in ("parts", "classes", "jobs", "codes")
        }
        return {
            **names,
            "colours": list(self.colours),
            "total": self.total,
            "cards": [card_to_json(card) for card in self.cards],
            "groups": [
                {"title": plain(one.title), "cards": [card_to_json(card) for card in one.cards]}
                for one in self.groups
            ],
            "api": self.api,
            "marks": self.marks,
        }

    def asking(self, api: str, marks: str = "") -> "Gallery":
        """Return a gallery without cards that asks a server for them."""
        return replace(self, cards=(), api=api, marks=marks)


def card_to_json(card: Card) -> dict[str, Any]:
    """Return a card as the script reads it; what is empty is left out."""
    texts = {"name": plain(card.name, 500), "text": plain(card.text, 2000), "missing": plain(card.missing)}
    found = {
        **texts,
        "picture": card.picture,
        "large": card.large,
        "problems": [[plain(code), plain(message, 500)] for code, message in card.problems],
        "doubtful": card.doubtful,
    }
    return {
        "part": card.part,
        "line": card.line,
        "labels": [_label_to_json(label) for label in card.labels],
        **{key: value for key, value in found.items() if value},
    }


def _label_to_json(label: CardLabel) -> dict[str, Any]:
    return {
        "attribute": plain(label.attribute),
        "classes": [list(one) for one in label.classes],
        **({"colours": list(label.colours)} if label.colours else {}),
        "state": label.state,
        "job": label.job,
        "by": label.by,
        "date": plain(label.date),
    }

"""Predictions beside the labels: which are mistakes, which to look at first, and how they are told."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from manifest_tools.base.text import counted
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.images.contact_sheet import FAINT, INK, RIGHT, WRONG, Caption, Tile
from manifest_tools.images.unusable import Unusable
from trainers.prediction import Prediction, ReadPicture

_SHOWN = 5  # classes in a summary


@dataclass(frozen=True, slots=True)
class Answer:
    """What was predicted for a picture, and its label."""

    prediction: Prediction

    truth: tuple[int, ...] | None
    """The labelled classes, by index; None where they are not known."""

    confidence: float
    """How sure the model is, 0 to 1: of its class, or of the class that it is least sure to have or not."""

    @property
    def is_right(self) -> bool | None:
        """Whether the prediction is the label; None where the label is not known."""
        return None if self.truth is None else self.prediction.classes == self.truth


def answer(prediction: Prediction, truth: tuple[int, ...] | None, multi_label: bool) -> Answer:
    """Return a prediction beside the label.

    >>> answer(Prediction("a.jpg", (0.9, 0.7), (0, 1)), (0,), True).confidence
    0.7
    """
    sure = (max(each, 1 - each) for each in prediction.probabilities)
    return Answer(prediction, truth, min(sure, default=0.0) if multi_label else max(prediction.probabilities))


def predicted(one: Answer, table: ClassTable) -> list[str]:
    """Return the predicted classes, each with its probability."""
    probabilities = one.prediction.probabilities
    named = [f"{table.name(index)} {probabilities[index]:.3f}" for index in one.prediction.classes]
    return named or ["no class"]


def labelled(one: Answer, table: ClassTable) -> list[str]:
    """Return the labelled classes; nothing where they are not known."""
    if one.truth is None:
        return []
    return [table.name(index) for index in one.truth] or ["no class"]


def tile(one: Answer, table: ClassTable, read: ReadPicture) -> Tile:
    """Return the picture for a contact sheet, with every class that was predicted and that it has."""
    colour = {None: INK, True: RIGHT, False: WRONG}[one.is_right]
    captions = [Caption(_with_commas(predicted(one, table)), colour)]
    if one.truth is not None:
        captions.append(Caption(("truth:", *_with_commas(labelled(one, table)))))
    captions.append(Caption((one.prediction.picture.rpartition("/")[2],), FAINT))
    try:
        picture: bytes | Unusable = read(one.prediction.picture)
    except Unusable as why:
        picture = why
    return Tile(picture, captions, one.is_right)


def _with_commas(names: Sequence[str]) -> tuple[str, ...]:
    return (*(f"{name}," for name in names[:-1]), *names[-1:])


@dataclass(slots=True)
class Summary:
    """What was answered in all."""

    table: ClassTable
    pictures: int = 0
    right: int = 0
    wrong: int = 0
    unread: int = 0
    classes: Counter[int] = field(default_factory=Counter)
    surest_mistake: Answer | None = None

    def add(self, one: Answer) -> None:
        """Count one answer."""
        self.pictures += 1
        self.right += one.is_right is True
        self.classes.update(one.prediction.classes)
        if one.is_right is False:
            self.wrong += 1
            if self.surest_mistake is None or one.confidence > self.surest_mistake.confidence:
                self.surest_mistake = one

    def __str__(self) -> str:
        """Return the summary in one line."""
        return "; ".join(self._told())

    def _told(self) -> Iterator[str]:
        known = self.right + self.wrong
        pictures = counted(self.pictures, "picture")
        if known:
            of = "" if known == self.pictures else f", {known:,} of them with a label"
            share = self.right / known
            yield f"{pictures}{of}: {self.right:,} right, {self.wrong:,} wrong (accuracy {share:.3f})"
        else:
            yield f"{pictures}: {self._by_class()}" if self.pictures else pictures
        if self.surest_mistake is not None:
            mistake = self.surest_mistake
            what = ", ".join(predicted(mistake, self.table))
            truth = ", ".join(labelled(mistake, self.table))
            yield f"surest mistake: {mistake.prediction.picture}, {what}, truth: {truth}"
        if self.unread:
            yield f"{counted(self.unread, 'picture')} could not be read"

    def _by_class(self) -> str:
        most = self.classes.most_common(_SHOWN)
        more = len(self.classes) - len(most)
        named = [f"{count:,} {self.table.name(index)}" for index, count in most]
        return ", ".join([*named, *([f"{counted(more, 'more class')}"] if more else [])]) or "no class"

import random

import pytest

from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.images.unusable import MISSING, Unusable
from trainers.answer_order import Order, in_order
from trainers.answers import Answer, Summary, answer, tile
from trainers.prediction import prediction_of

HANDS = ClassTable(((0, "RH"), (1, "LH")))
TAGS = ClassTable(((0, "scratch"), (1, "dent"), (2, "rust")))


def hand(name: str, probability: float, truth: int | None) -> Answer:
    """Return the answer ``RH`` with a probability."""
    known = None if truth is None else (truth,)
    return answer(prediction_of(name, [probability, 1 - probability], False), known, False)


SURE_WRONG, WRONG = hand("d/sure-wrong", 0.99, 1), hand("c/wrong", 0.6, 1)
UNKNOWN, SURE, DOUBTFUL = hand("b/unknown", 0.7, None), hand("a/sure", 0.98, 0), hand("e/doubtful", 0.55, 0)
INPUT = [WRONG, SURE, UNKNOWN, DOUBTFUL, SURE_WRONG]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("mistakes", [SURE_WRONG, WRONG, DOUBTFUL, UNKNOWN, SURE]),
        ("confidence", [DOUBTFUL, WRONG, UNKNOWN, SURE, SURE_WRONG]),
        ("name", [SURE, UNKNOWN, WRONG, SURE_WRONG, DOUBTFUL]),
        ("input", INPUT),
    ],
)
def test_the_order_is_the_one_in_which_one_wants_to_look(order: Order, expected: list[Answer]) -> None:
    assert in_order(INPUT, order) == expected
    shuffled = random.Random(0).sample(INPUT, len(INPUT))
    assert order == "input" or in_order(shuffled, order) == expected


def test_with_several_classes_the_least_sure_one_counts() -> None:
    assert answer(prediction_of("a.jpg", [0.99, 0.02, 0.4], True), None, True).confidence == 0.6


def test_the_sheet_shows_every_class_that_was_predicted_and_that_it_has() -> None:
    both = answer(prediction_of("raw/a.jpg", [0.9, 0.8, 0.1], True), (1, 2), True)
    shown = tile(both, TAGS, lambda name: name.encode())
    assert [caption.parts for caption in shown.captions] == [
        ("scratch 0.900,", "dent 0.800"),
        ("truth:", "dent,", "rust"),
        ("a.jpg",),
    ]
    assert (shown.picture, shown.is_right) == (b"raw/a.jpg", False)


def test_a_picture_that_is_gone_by_now_is_still_on_the_sheet() -> None:
    def read(name: str) -> bytes:
        raise Unusable(MISSING, "no such file")

    assert isinstance(tile(SURE, HANDS, read).picture, Unusable)


def test_no_class_is_an_answer_too() -> None:
    none = answer(prediction_of("a.jpg", [0.1, 0.1, 0.1], True), (), True)
    assert none.is_right
    assert [one.parts for one in tile(none, TAGS, str.encode).captions][:2] == [
        ("no class",),
        ("truth:", "no class"),
    ]


def test_without_labels_the_summary_counts_classes() -> None:
    many = ClassTable(tuple((index, f"c{index}") for index in range(7)))
    summary = Summary(many)
    for index in range(7):
        for number in range(7 - index):
            probabilities = [float(other == index) for other in range(7)]
            summary.add(answer(prediction_of(f"{number}.jpg", probabilities, False), None, False))
    assert str(summary) == "28 pictures: 7 c0, 6 c1, 5 c2, 4 c3, 3 c4, 2 more classes"

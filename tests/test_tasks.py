from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.classes import MOST_CLASSES
from manifest_tools.record import LABELS, Row
from manifest_tools.tasks import TYPES, task_type
from manifest_tools.tasks.single_label import class_index


def row(label: Any, **metadata: Any) -> Row:
    found = SimpleNamespace(class_name=None, class_map=None, confidence=None, confidence_map=None)
    vars(found).update(metadata)
    return cast(Row, SimpleNamespace(label=label, metadata=found if metadata else None))


SINGLE = task_type("groundtruth/image-classification")
MULTI = task_type("groundtruth/image-classification-multilabel")
OTHER = task_type("groundtruth/object-detection")


@pytest.mark.parametrize("name", TYPES)
def test_every_type_of_the_table_has_a_form_that_lines_are_decoded_in(name: str) -> None:
    task = task_type(name)
    assert task.label in LABELS
    assert task.has_classes
    assert task.multi_label == name.endswith("multilabel")
    assert task_type(name.upper()).label == task.label


@pytest.mark.parametrize(
    "name",
    [
        "",
        "groundtruth/object-detection",
        "groundtruth/custom",
        "image-classification",
        "unread",
        "single_label",
    ],
)
def test_any_other_type_passes_through_unread(name: str) -> None:
    task = task_type(name)
    assert (task.label, task.has_classes, task.multi_label) == ("any", False, False)
    assert (task.indices(row([1])), task.names(row(1)), task.confidences(row({}))) == ((), (), ())


@given(st.integers(0, MOST_CLASSES - 1))
def test_an_index_is_the_same_as_number_and_as_digits(index: int) -> None:
    assert class_index(index) == class_index(str(index)) == index
    assert SINGLE.indices(row(str(index))) == (index,)


@pytest.mark.parametrize(
    "label",
    [
        -1,
        MOST_CLASSES,
        10**400,
        "-1",
        "",
        " 1",
        "1 ",
        "1.0",
        "+1",
        "1_0",
        "٣",
        "²",
        "0x1",
        "RH",
        "9" * 5000,
        "1\n",
    ],
    ids=repr,
)
def test_what_is_no_index_is_a_value_error_of_one_line(label: int | str) -> None:
    for task, found in ((SINGLE, row(label)), (MULTI, row([0, label]))):
        with pytest.raises(ValueError) as raised:
            task.indices(found)
        assert "\n" not in str(raised.value)


def test_a_very_long_label_is_not_repeated_whole() -> None:
    with pytest.raises(ValueError) as raised:
        class_index("x" * 1_000_000)
    assert len(str(raised.value)) < 1000


def test_one_label_with_its_name_and_confidence() -> None:
    found = row("1", class_name="LH", confidence=0.7)
    assert (SINGLE.indices(found), SINGLE.names(found), SINGLE.confidences(found)) == (
        (1,),
        ((1, "LH"),),
        (0.7,),
    )


def test_one_label_without_metadata() -> None:
    found = row(1)
    assert (SINGLE.indices(found), SINGLE.names(found), SINGLE.confidences(found)) == ((1,), (), (None,))


def test_several_labels_in_the_order_of_the_label() -> None:
    found = row([3, "0"], class_map={"0": "night", "3": "rain"}, confidence_map={"0": 0.9, "3": 0.2})
    assert MULTI.indices(found) == (3, 0)
    assert MULTI.names(found) == ((0, "night"), (3, "rain"))
    assert MULTI.confidences(found) == (0.2, 0.9)


def test_maps_that_name_other_classes_than_the_label() -> None:
    found = row([1], class_map={"5": "fog"}, confidence_map={"5": 0.9})
    assert (MULTI.names(found), MULTI.confidences(found)) == (((5, "fog"),), (None,))


def test_no_label_and_no_maps() -> None:
    found = row([])
    assert (MULTI.indices(found), MULTI.names(found), MULTI.confidences(found)) == ((), (), ())


def test_a_confidence_of_0_is_one() -> None:
    assert SINGLE.confidences(row(0, confidence=0.0)) == (0.0,)
    assert MULTI.confidences(row([0], confidence_map={"0": 0.0})) == (0.0,)


def test_a_map_with_a_key_that_is_no_index_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="expected a class index from 0, found 'fog'"):
        MULTI.names(row([0], class_map={"fog": "0"}))

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import Refused
from trainers.ranges import Choice, Range, Ranges, check_ends, check_names, corners, read_ranges


def test_ranges_as_they_are_typed() -> None:
    found = read_ranges(
        ["a=1:2", "b=0.1:1e0:log", "c=0:9:linear", "d=0:0.9:reverse-log"], ["e=x", "f=1", "e=y=z"]
    )
    assert found == (
        Range("a", "1", "2"),
        Range("b", "0.1", "1e0", "Logarithmic"),
        Range("c", "0", "9", "Linear"),
        Range("d", "0", "0.9", "ReverseLogarithmic"),
        Choice("e", ("x", "y=z")),
        Choice("f", ("1",)),
    )


@pytest.mark.parametrize("text", ["", "a", "=1:2", "a=", "a=:2", "a=1:", "a=1:2:", "a=1:2:log:3", "a=1"])
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(Refused, match="--range"):
        read_ranges([text], [])


@pytest.mark.parametrize("text", ["", "a", "=1"])
def test_what_is_no_choice(text: str) -> None:
    with pytest.raises(Refused, match="--choice: expected NAME=VALUE"):
        read_ranges([], [text])


texts = st.text("abc019.", min_size=1, max_size=4)
varied = st.builds(Range, texts, texts, texts) | st.builds(
    Choice, texts, st.lists(texts, min_size=1, max_size=4).map(tuple)
)


@given(st.lists(varied, min_size=1, max_size=5, unique_by=lambda one: one.name).map(tuple))
def test_corners_have_every_end_and_every_choice(ranges: Ranges) -> None:
    found = list(corners(ranges))
    assert len(found) == max(2 if isinstance(one, Range) else len(one.values) for one in ranges)
    for one in ranges:
        values = (one.low, one.high) if isinstance(one, Range) else one.values
        assert {values_of_trial[one.name] for values_of_trial in found} == set(values)


def test_a_name_is_varied_once_and_not_set_as_well() -> None:
    ranges: Ranges = (Range("epochs", "1", "9"), Choice("optimizer", ("adam",)))
    check_names(ranges, ["seed"])
    with pytest.raises(Refused, match="'optimizer' is both set and varied"):
        check_names(ranges, ["optimizer"])
    with pytest.raises(Refused, match="'epochs' is varied twice"):
        check_names((*ranges, Choice("epochs", ("3",))))


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        pytest.param(2, 1, "expected a low end below the high one", id="turned round"),
        pytest.param(1, 1, "expected a low end below the high one", id="nothing between"),
        pytest.param(0, 1, "a logarithmic scale begins above 0", id="a logarithm of 0"),
    ],
)
def test_ends_that_cannot_be(low: float, high: float, message: str) -> None:
    with pytest.raises(Refused, match=message):
        check_ends(Range("rate", str(low), str(high), "Logarithmic"), low, high)

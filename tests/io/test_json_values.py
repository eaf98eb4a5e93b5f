import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.io.json_values import canonical, same_value

NUMBERS = st.integers(-3, 3) | st.sampled_from([0.0, 1.0, -2.0, 0.5])
SCALARS = st.none() | st.booleans() | NUMBERS | st.sampled_from(["", "1", "a"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)


@given(VALUES, VALUES)
def test_two_values_are_the_same_when_they_have_the_same_canonical_text(one: Any, other: Any) -> None:
    assert same_value(one, other) == (canonical(one) == canonical(other))
    assert same_value(one, one)


@given(VALUES)
def test_the_canonical_text_is_json_of_the_same_value(value: Any) -> None:
    assert same_value(json.loads(canonical(value)), value)


def test_true_is_not_1_and_a_long_integer_is_not_its_neighbour() -> None:
    assert not same_value({"a": [True]}, {"a": [1]})
    assert not same_value(2**53 + 1, 2.0**53)
    assert canonical(10**400) == "1" + "0" * 400
    assert canonical("\ud800") == '"\\ud800"'


def test_what_has_no_text_is_three_dots() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert (canonical(deep), canonical(10**5000)) == ("...", "...")
    assert not same_value(deep, [deep])

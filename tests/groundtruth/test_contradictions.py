import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.groundtruth.contradictions import contradictions_of, find_contradictions
from manifest_tools.groundtruth.example_columns import Example
from manifest_tools.groundtruth.line_columns import ClassArrays

TABLE = ClassTable(((0, "RH"), (1, "LH")))

rows = st.lists(
    st.tuples(st.integers(1, 6), st.lists(st.integers(0, 3), max_size=3)), min_size=1, max_size=20
)


@given(rows)
def test_lines_of_one_picture_contradict_one_another_where_their_classes_differ(
    shown: list[tuple[int, list[int]]],
) -> None:
    keys = np.array([picture for picture, _ in shown], np.uint64)
    flat = np.array([index for _, classes in shown for index in classes], np.int32)
    arrays = ClassArrays(flat, np.array([len(classes) for _, classes in shown], np.int32))
    found = find_contradictions(keys, arrays, np.arange(1, len(shown) + 1), TABLE)
    sets: dict[int, set[frozenset[int]]] = {}
    for picture, classes in shown:
        sets.setdefault(picture, set()).add(frozenset(classes))
    wrong = {picture for picture, different in sets.items() if len(different) > 1}
    expected = [picture in wrong for picture, _ in shown]
    assert (found is not None) == any(expected)
    if found is not None:
        assert (found.lines.tolist(), found.sources) == (expected, len(wrong))


def test_the_first_is_named_with_the_line_that_it_contradicts() -> None:
    examples = [Example(2, "a", (0,)), Example(3, "b", (1,)), Example(5, "b", (1,)), Example(9, "a", (1, 0))]
    found = contradictions_of(examples, TABLE)
    assert found is not None
    assert found.summary() == (
        "2 lines of 1 picture contradict one another; the first: line 9 has RH, LH, line 2 has RH"
    )


def test_lines_without_a_picture_contradict_none() -> None:
    assert contradictions_of([Example(1, "", (0,)), Example(2, "", (1,))], TABLE) is None

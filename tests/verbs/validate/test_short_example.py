import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.verbs.validate.short_example import shortened

values = st.recursive(
    st.none() | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
lines = st.lists(
    st.dictionaries(st.text(max_size=8), values, max_size=4).map(json.dumps) | st.text(max_size=90),
    max_size=4,
)


@given(lines, lines, st.integers(30, 100), st.integers(1, 4))
def test_lines_fit_and_those_that_fit_stay_whole(
    found: list[str], others: list[str], columns: int, most: int
) -> None:
    shown = shortened(found, others, columns, most)
    assert len(shown) == min(most, len(found))
    assert all(len(line) <= columns for line in shown)
    if most >= len(found):
        assert all(line == text for line, text in zip(shown, found, strict=True) if len(text) <= columns)


@pytest.mark.parametrize(
    ("line", "other", "expected"),
    [
        pytest.param(
            '{"a":"same","b":1,"c":{"d":[1,2,3],"e":5}}',
            '{"a":"same","b":2,"c":{"d":[1,2,3],"e":6}}',
            '{"a":…,"b":1,"c":{…,"e":5}}',
            id="what both say is left out",
        ),
        pytest.param(
            '{"k":1,"k":3,"n":1.10,"u":"\\u00e9......................"}',
            '{"k":2,"k":2,"n":1.1,"u":"\\u00e9......................"}',
            '{"k":1,"k":3,"n":1.10,"u":…}',
            id="the rest is as it was written, keys that are there twice too",
        ),
        pytest.param(
            "not json, and the difference is at its very end: X",
            "not json, and the difference is at its very end: Y",
            "…ference is at its very end: X",
            id="of other texts what is around the difference",
        ),
        pytest.param(
            '{"note":"' + "x" * 500 + '"}',
            '{"note":"' + "y" * 400 + '"}',
            '{"note":"xxxxxxxxxxx… (502 ch…',
            id="a long value is its length",
        ),
    ],
)
def test_what_matters_stays(line: str, other: str, expected: str) -> None:
    assert shortened([line], [other], 30) == [expected]


def test_a_line_that_the_other_example_has_not_comes_before_those_that_it_has() -> None:
    assert shortened(["a", "b", "c"], ["a", "b"], 30) == ["c"]
    assert shortened(["a", "b", "c"], ["a", "b"], 30, 2) == ["a", "c"]

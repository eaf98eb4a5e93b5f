from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.problem import Problem
from manifest_tools.verbs.validate.in_order import in_order

FILES = ["b.manifest", "a.manifest"]

problems = st.lists(
    st.builds(
        Problem,
        st.sampled_from(["MT101", "MT302", "MT601"]),
        st.just("error"),
        st.sampled_from([*FILES, "picture.png"]),
        st.integers(0, 9),
        st.just("$"),
        st.integers().map(str),
    ),
    max_size=60,
)


@given(problems, st.integers(1, 20))
def test_problems_come_by_file_and_line_however_few_are_held(found: list[Problem], held: int) -> None:
    order = [*FILES, "picture.png"]
    expected = sorted(found, key=lambda one: (order.index(one.file), one.line))
    assert list(in_order(iter(found), FILES, held)) == expected


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError])
def test_what_was_found_before_a_failure_comes_before_it(failure: type[BaseException]) -> None:
    one, other = (Problem("MT101", "error", "b.manifest", line, "", "") for line in (1, 2))

    def check() -> Iterator[Problem]:
        yield from (other, one)
        raise failure

    found = in_order(check(), FILES)
    assert [next(found), next(found)] == [one, other]
    with pytest.raises(failure):
        next(found)

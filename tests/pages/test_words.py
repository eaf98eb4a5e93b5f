from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.pages.words import LONGEST, plain


@given(st.text())
def test_nothing_on_a_page_is_hidden_or_turns_a_line_around(text: str) -> None:
    shown = plain(text, 50)
    assert len(shown) <= 50 * len("\\U0001d173")
    assert "".join(c for c in shown if c not in "\u200c\u200d").isprintable()


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=LONGEST))
def test_what_can_be_seen_stays_as_it_is(text: str) -> None:
    assert plain(text) == text

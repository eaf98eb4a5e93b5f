import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.visible import blank_ends, folded, hidden_in_key, hidden_in_name, visible

texts = st.text("ab \u00a0\u00e9e\u0301\u200b\u200d\u3000\ufeff\n\t\u5de6", max_size=8)


@given(texts)
def test_what_is_shown_as_it_is_has_nothing_to_hide(text: str) -> None:
    if visible(text) == text:
        assert text == unicodedata.normalize("NFC", text).strip()
        assert not blank_ends(text)


@given(texts, texts)
def test_two_texts_are_never_shown_as_one(one: str, other: str) -> None:
    assert (visible(one) == visible(other)) == (one == other)


@given(texts)
def test_a_form_a_case_and_blanks_do_not_count(text: str) -> None:
    others = (f" {text}\t", text.upper(), unicodedata.normalize("NFD", text), f"\u200b{text}")
    assert {folded(one) for one in others} == {folded(text)}
    assert folded(f"{text}z") != folded(text)


def test_a_character_is_named_with_its_place_and_only_a_few_are() -> None:
    assert hidden_in_key("a\u200b\x1b") == (
        "U+200B ZERO WIDTH SPACE at position 2, U+001B control character at position 3"
    )
    assert hidden_in_name("\u0645\u06cc\u200c") == ""
    assert (visible("a\u3164"), visible("a\x1b")) == ("'a\\u3164'", "a\x1b")
    assert blank_ends(" " * 5).endswith("at position 3 and 2 more")

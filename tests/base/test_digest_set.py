import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.digest_set import DigestSet

texts = st.lists(st.text(max_size=3), max_size=300)


@given(texts)
def test_a_text_is_new_once(added: list[str]) -> None:
    found, known = DigestSet(), set[str]()
    for text in added:
        assert (text in found) == (text in known)
        assert found.add(text) == (text not in known)
        known.add(text)
        assert len(found) == len(known)


def test_names_take_a_few_bytes_each() -> None:
    tracemalloc.start()
    try:
        names = DigestSet()
        for number in range(40_000):
            names.add(f"a/longer/name/than/this/hardly/is/{number}.jpg")
        assert tracemalloc.get_traced_memory()[1] < 40_000 * 64
        assert not names.add("a/longer/name/than/this/hardly/is/7.jpg")
    finally:
        tracemalloc.stop()

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifest_tools.pages.charts import Bar, Bars, Section, Table
from manifest_tools.pages.gallery import Card, CardLabel, Gallery, Group
from manifest_tools.pages.render import page, policy
from manifest_tools.pages.words import plain
from tests.browser import DESK, PHONE, opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Each does something where it is taken for more than a text: sets the title, ends an element, hides the rest.
ATTACKS = (
    "</script><img src=x onerror=\"document.title='taken'\">",
    "<script>document.title='taken'</script>",
    "\"'><svg onload=document.title='taken'>",
    "<!--<script>",
    "javascript:document.title='taken'",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "\u202egnp.exe",
    "\u2028\u2029",
    "\x1b[31mred\x07",
    "x" * 10_000,
)
HOSTILE = st.sampled_from(ATTACKS) | st.text(min_size=1, max_size=30)


def made(*texts: str, served: bool = False) -> str:
    """Return a page that has each text in every place where a page can have one."""
    gallery = Gallery(texts, texts, texts, texts, ("#112233",), tuple(map(_card, range(len(texts)), texts)))
    gallery = replace(gallery, total=len(texts), groups=tuple(Group(text, gallery.cards) for text in texts))
    sections = list(map(_section, texts))
    return page(texts[0], sections, gallery, subtitle=texts[0], notes=texts, group_notes=texts, served=served)


def _card(number: int, text: str) -> Card:
    label = CardLabel(text, ((number, 0.5, 1), (0, None, 2)), (), text, number, text, text)
    return Card(number, 1, text, text, missing=text, labels=(label,), problems=((text, text),))


def _section(text: str) -> Section:
    chart = Bars(text, (Bar(text, (1, 2), text), Bar("b", (0, 3))), (text, text), text)
    table = Table((text, "n"), [(text, 1)], text)
    return Section(text, ((text, text),), (chart, replace(chart, upright=True)), (table,), (text,))


class Elements(HTMLParser):
    """The elements of a page, and its texts outside of scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))


@settings(deadline=None, max_examples=60)
@given(HOSTILE)
def test_no_text_adds_an_element_or_an_attribute(text: str) -> None:
    assert Elements(made(text)).tags == Elements(made("harmless")).tags


@settings(deadline=None, max_examples=60)
@given(HOSTILE)
def test_the_data_of_the_gallery_comes_through_the_page_as_it_went_in(text: str) -> None:
    block = re.search(r'<script type="application/json" id="data">(.*?)</script>', made(text), re.DOTALL)
    assert block is not None and not set("<>&") & set(block[1])
    found = json.loads(block[1])
    assert found["classes"] == [plain(text)]
    assert found["cards"][0]["labels"][0]["attribute"] == plain(text)


def test_every_script_and_style_of_a_page_is_in_its_policy_and_none_stands_in_an_attribute() -> None:
    html = made("harmless")
    blocks = re.findall(r"<(?:script|style)>(.*?)</(?:script|style)>", html, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(block.encode()).digest()).decode() for block in blocks]
    assert len(blocks) == 2 and all(f"'sha256-{one}'" in policy() for one in hashes)
    names = {name for _, attributes in Elements(html).tags for name in attributes}
    assert "style" not in names and not [name for name in names if name.startswith("on")]


def test_a_page_asks_nobody_and_a_served_one_its_own_server_alone() -> None:
    assert "default-src 'none'" in policy() and "connect-src 'none'" in policy()
    assert "connect-src 'self'" in policy(served=True) and "http" not in policy(served=True)
    assert not re.findall(r"""(?:src|href)=["'](?!#|data:)""", made("harmless").partition("<script")[0])


def test_the_same_values_give_the_same_page() -> None:
    assert made("a") == made("a")


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_hostile_texts_run_nothing_and_make_no_page_wider(
    browser: "Browser", tmp_path: Path, width: int, scheme: str
) -> None:
    (file := tmp_path / "a.html").write_text(made(*ATTACKS), "utf-8")
    with opened(browser, file, width, color_scheme=scheme) as shown:
        for number in range(len(ATTACKS)):
            shown.locator("#cards .card").nth(number).click()
            shown.keyboard.press("Escape")
        assert shown.title() == plain(ATTACKS[0])
        assert shown.locator("img").count() == 0
        assert shown.evaluate("document.documentElement.scrollWidth") == width


def test_the_policy_stops_a_script_that_got_into_a_page(browser: "Browser", tmp_path: Path) -> None:
    inserted = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
    (file := tmp_path / "a.html").write_text(made("a").replace("<main", f"{inserted}<main", 1), "utf-8")
    shown = browser.new_page()
    shown.goto(file.as_uri())
    shown.wait_for_selector("#cards .card")
    assert shown.title() == "a"
    shown.close()

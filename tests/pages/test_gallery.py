import base64
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from manifest_tools.pages.gallery import Card, CardLabel, Gallery, Group
from manifest_tools.pages.render import page
from tests.browser import DESK, PHONE, opened
from tests.pictures import jpeg

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PICTURE = f"data:image/jpeg;base64,{base64.b64encode(jpeg(90)).decode()}"
CARDS = 150


def card(number: int) -> Card:
    """Return a card: every third is LH, every fifth is of the second file, every tenth has a problem."""
    sure = (number % 10) / 10
    label = CardLabel(
        "kind", ((int(number % 3 == 0), sure, 1),), job=number % 2, by="people", date="2024-03-04"
    )
    problems = (("MT302", "twice"),) if number % 10 == 0 else ()
    return Card(
        part=int(number % 5 == 0),
        line=number + 1,
        name=f"s3://raw/{number}.jpg",
        picture=PICTURE,
        labels=(label,),
        problems=problems,
        doubtful=0 < sure < 0.7,
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cards = tuple(map(card, range(CARDS)))
    colours = ("#aa0000", "#0000aa")
    groups = (Group("s3://raw/1.jpg: 2 lines with other classes", cards[:2]),)
    gallery = Gallery(
        ("train", "validation"), ("RH", "LH"), ("first", "second"), ("MT302",), colours, cards, CARDS, groups
    )
    path = tmp_path_factory.mktemp("pages") / "a.html"
    path.write_text(page("a", gallery=gallery), "utf-8")
    return path


@pytest.fixture(params=[PHONE, DESK])
def shown(request: pytest.FixtureRequest, browser: "Browser", file: Path) -> "Iterator[Page]":
    with opened(browser, file, request.param) as page:
        page.wait_for_selector("#cards .card img")
        yield page


@pytest.fixture
def desk(browser: "Browser", file: Path) -> "Iterator[Page]":
    with opened(browser, file) as page:
        page.wait_for_selector("#cards .card img")
        yield page


def count(page: "Page") -> str:
    return page.inner_text("#count")


def counts(page: "Page", text: str) -> None:
    """Wait until the gallery says how many it shows."""
    page.wait_for_function("text => document.getElementById('count').textContent === text", arg=text)


def test_nothing_is_wider_than_the_screen_and_pictures_are_drawn(shown: "Page") -> None:
    width = shown.evaluate("innerWidth")
    assert shown.evaluate("document.documentElement.scrollWidth") == width
    assert shown.evaluate("document.querySelector('#cards img').naturalWidth") > 0
    assert shown.locator("#cards .card").first.bounding_box()["width"] >= 120  # type: ignore[index]


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("class", "LH", [at for at in range(CARDS) if at % 3 == 0]),
        ("part", "validation", [at for at in range(CARDS) if at % 5 == 0]),
        ("job", "second", [at for at in range(CARDS) if at % 2]),
        ("code", "MT302", [at for at in range(CARDS) if at % 10 == 0]),
        ("show", "doubtful", [at for at in range(CARDS) if 0 < at % 10 < 7]),
        ("low", "0.85", [at for at in range(CARDS) if at % 10 == 9]),
        ("high", "0", [at for at in range(CARDS) if at % 10 == 0]),
    ],
)
def test_the_gallery_filters(desk: "Page", field: str, value: str, expected: list[int]) -> None:
    control = desk.locator(f"#filter [name={field}]")
    if field in ("low", "high"):
        control.fill(value)
    else:
        control.select_option(label=value)
    shown = min(60, len(expected))
    counts(desk, f"1 to {shown} of {len(expected)}")
    lines = desk.eval_on_selector_all(
        "#cards .where", "found => found.map(one => +one.textContent.split(':')[1] - 1)"
    )
    assert lines == expected[:60]


def test_filters_count_together_and_clear_together(desk: "Page") -> None:
    desk.select_option("#filter [name=class]", label="LH")
    desk.select_option("#filter [name=code]", label="MT302")
    counts(desk, "1 to 5 of 5")
    desk.fill("#filter [name=low]", "0.5")
    counts(desk, "none")
    assert desk.inner_text("#cards") == "nothing like that"
    desk.click("#filter button")
    counts(desk, "1 to 60 of 150")


def test_pages_turn_by_button_and_by_key_and_end_at_the_ends(shown: "Page") -> None:
    back, following = shown.locator("#pager button").all()
    assert back.is_disabled() and count(shown) == "1 to 60 of 150"
    following.click()
    counts(shown, "61 to 120 of 150")
    shown.keyboard.press("n")
    counts(shown, "121 to 150 of 150")
    assert following.is_disabled()
    shown.keyboard.press("n")
    shown.keyboard.press("p")
    counts(shown, "61 to 120 of 150")


def test_the_gallery_is_walked_with_a_keyboard(shown: "Page") -> None:
    focused = "document.activeElement.getAttribute('aria-label')"
    shown.locator("#cards .card").first.focus()
    shown.keyboard.press("ArrowRight")
    assert shown.evaluate(focused) == "line 2: RH, train:2"
    shown.keyboard.press("ArrowDown")
    columns = shown.evaluate(
        "getComputedStyle(document.getElementById('cards')).gridTemplateColumns.split(' ').length"
    )
    assert shown.evaluate(focused).endswith(f":{2 + columns}")
    shown.keyboard.press("ArrowUp")
    shown.keyboard.press("Enter")
    assert shown.inner_text("#viewer-title") == "train:2"
    for _ in range(60):
        shown.keyboard.press("ArrowRight")
    shown.wait_for_function("() => document.getElementById('viewer-title').textContent === 'train:62'")
    shown.keyboard.press("ArrowLeft")
    shown.keyboard.press("ArrowLeft")
    shown.wait_for_function("() => document.getElementById('viewer-title').textContent === 'train:60'")
    shown.keyboard.press("Escape")
    shown.wait_for_function(f"() => {focused} === 'line 60: RH, train:60'")
    assert not shown.locator("#viewer").is_visible()
    shown.keyboard.press("/")
    assert shown.evaluate("document.activeElement.name") == "class"


def test_one_picture_is_shown_with_all_that_is_known_of_it(shown: "Page") -> None:
    shown.locator("#cards .card").nth(10).click()
    facts = shown.inner_text("#viewer-facts")
    for text in ("RH", "0.00", "labelled by people on 2024-03-04 in first", "MT302 twice", "s3://raw/10.jpg"):
        assert text in " ".join(facts.split())
    box = shown.locator("#viewer").bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= shown.evaluate("innerWidth")
    shown.click("#viewer [data-close]")
    assert not shown.locator("#viewer").is_visible()


def test_repeated_pictures_stand_side_by_side(desk: "Page") -> None:
    assert "2 lines with other classes" in desk.inner_text("#groups")
    desk.locator("#groups .card").nth(1).click()
    assert desk.inner_text("#viewer-title") == "train:2"
    desk.keyboard.press("ArrowRight")
    assert desk.inner_text("#viewer-title") == "train:2"

"""Marks made in a real Chromium, with keys at a desk and with fingers on a phone."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from manifest_tools.groundtruth.marks import read_marks
from tests.browser import DESK, PHONE, opened
from tests.pictures import jpeg, row, write_manifest
from tests.verbs.look.serve.served import Served, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from typer.testing import Result

LINES = 75  # one page and a part of another


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    for number in range(LINES):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(number * 3))
    lines = [row(f"{number}.jpg", number % 2) for number in range(LINES)]
    manifest = write_manifest(tmp_path / "a.manifest", lines)
    with serving(manifest, images=str(tmp_path), marks=tmp_path / "a.marks.jsonl") as found:
        yield found


@pytest.fixture
def desk(browser: "Browser", served: Served) -> "Iterator[Page]":
    with opened(browser, served.server.address, DESK) as page:
        page.wait_for_selector("#cards .card img")
        yield page


@pytest.fixture
def phone(browser: "Browser", served: Served) -> "Iterator[Page]":
    with opened(browser, served.server.address, PHONE, has_touch=True, is_mobile=True) as page:
        page.wait_for_selector("#cards .card img")
        yield page


def marks(served: Served) -> dict[int, str]:
    """Return what each marked line is marked as: its new class, or the mark itself."""
    found = read_marks(str(served.marks)).by_line.values()
    return {mark.line: " ".join(mark.classes) if mark.classes else mark.mark for mark in found}


def wait_for(page: "Page", text: str, where: str = "#marks-count") -> None:
    from playwright.sync_api import expect

    expect(page.locator(where)).to_have_text(text)


def test_the_token_is_gone_from_the_address(desk: "Page", served: Served) -> None:
    assert desk.url == f"http://127.0.0.1:{served.port}/"
    assert desk.evaluate("document.cookie") == ""


def test_lines_are_marked_with_keys_and_the_command_line_corrects_them(
    desk: "Page", served: Served, run: Callable[..., "Result"]
) -> None:
    desk.locator("#cards .card").first.focus()
    desk.keyboard.press("w")
    wait_for(desk, "1 mark: 1 wrong")
    desk.keyboard.press("ArrowRight")
    desk.keyboard.press("u")
    wait_for(desk, "2 marks: 1 wrong, 1 unsure")
    desk.keyboard.press("ArrowRight")
    desk.keyboard.press("2")  # of RH and LH
    wait_for(desk, "3 marks: 1 wrong, 1 unsure, 1 class")
    wait_for(desk, "", "#marks-wrong")
    assert desk.locator("#marks-keys").inner_text().split() == ["1", "RH", "2", "LH"]
    assert desk.locator("#cards .card .mark").all_inner_texts() == ["wrong", "unsure", "→ LH"]
    assert marks(served) == {1: "wrong", 2: "unsure", 3: "LH"}
    assert run("rewrite", served.marks.parent / "a.manifest", "--from-marks", served.marks).exit_code == 0
    lines = (served.marks.parent / "a.manifest").read_text().splitlines()
    assert [json.loads(one)["part-metadata"]["class-name"] for one in lines[:4]] == ["RH", "LH", "LH", "LH"]


def test_the_open_picture_is_marked_noted_and_taken_back(desk: "Page", served: Served) -> None:
    desk.locator("#cards .card").nth(4).click()
    desk.keyboard.press("n")
    desk.keyboard.type("blurred")
    desk.keyboard.press("Enter")
    wait_for(desk, "1 mark: 1 note")
    desk.keyboard.press("w")
    wait_for(desk, "1 mark: 1 wrong")
    (mark,) = read_marks(str(served.marks)).by_line.values()
    assert (mark.mark, mark.note) == ("wrong", "blurred")
    desk.keyboard.press("z")
    wait_for(desk, "1 mark: 1 note")
    desk.keyboard.press("z")
    wait_for(desk, "no marks yet")
    assert marks(served) == {}
    desk.keyboard.press("ArrowRight")
    desk.keyboard.press("1")
    wait_for(desk, "1 mark: 1 class")
    assert marks(served) == {6: "RH"}
    desk.keyboard.press("Escape")
    assert not desk.locator("#viewer").is_visible()


def test_a_picture_that_cannot_be_shown_says_why(browser: "Browser", tmp_path: Path) -> None:
    (tmp_path / "0.jpg").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    manifest = write_manifest(tmp_path / "a.manifest", [row("0.jpg", 0)])
    with serving(manifest, images=str(tmp_path), marks=tmp_path / "m") as found:
        page = browser.new_page()  # whose console has to say that a picture did not come
        page.goto(found.server.address)
        wait_for(page, "expected a picture, found an SVG drawing", "#cards .shot p")
        page.close()


def test_keys_that_are_typed_into_a_field_mark_nothing(desk: "Page", served: Served) -> None:
    desk.locator("#cards .card").first.click()
    desk.keyboard.press("n")
    desk.keyboard.type("w u 1 z")
    desk.keyboard.press("Escape")
    assert desk.locator("#viewer").is_visible()
    assert not served.marks.exists()


def test_lines_are_marked_with_fingers(phone: "Page", served: Served) -> None:
    assert phone.evaluate("document.documentElement.scrollWidth") == PHONE
    phone.locator("#cards .card").nth(1).tap()
    phone.locator(".marking button", has_text="unsure").tap()
    wait_for(phone, "1 mark: 1 unsure")
    phone.locator(".marking button", has_text="RH").tap()
    wait_for(phone, "1 mark: 1 class")
    phone.locator("#viewer [data-step='1']").tap()
    phone.locator(".marking input").fill("ink")
    phone.locator(".marking textarea").tap()
    wait_for(phone, "2 marks: 2 class")
    assert marks(served) == {2: "RH", 3: "ink"}
    box = phone.locator(".marking button").first.bounding_box()
    assert box is not None
    assert box["height"] >= 40
    phone.locator("#viewer [data-close]").tap()
    phone.locator("#marks-next summary").tap()
    command = phone.locator("#marks-commands code").first.inner_text()
    assert command.endswith("--from-marks " + str(served.marks) + " --add-class")
    assert phone.evaluate("document.documentElement.scrollWidth") == PHONE


def test_marks_are_there_on_the_next_page_in_another_tab_and_the_filter_finds_them(
    desk: "Page", served: Served
) -> None:
    desk.keyboard.press("n")
    wait_for(desk, "61 to 75 of 75", "#count")
    desk.locator("#cards .card").first.focus()
    desk.keyboard.press("w")
    wait_for(desk, "1 mark: 1 wrong")
    other = desk.context.new_page()
    other.goto(desk.url)
    other.wait_for_selector("#cards .card")
    other.locator("#filter [name=mark]").select_option("wrong")
    wait_for(other, "1 to 1 of 1", "#count")
    assert other.locator("#cards .card .where").all_inner_texts() == ["line 61"]


HARM = '<img src=x onerror="window.harm = 1"></script><script>window.harm = 1</script>'


def test_names_and_notes_that_mean_harm_are_text(browser: "Browser", tmp_path: Path) -> None:
    value: dict[str, Any] = row("0.jpg", 0)
    value["part-metadata"]["class-name"] = HARM
    manifest = write_manifest(tmp_path / "a.manifest", [value, row("1.jpg", 1)])
    with (
        serving(manifest, images=str(tmp_path), marks=tmp_path / "m") as found,
        opened(browser, found.server.address) as page,
    ):
        found.mark(2, "class", class_=HARM, note=HARM)
        page.reload()
        page.locator("#cards .card").nth(1).click()
        page.wait_for_selector(".marking .mark")
        assert HARM in page.locator(".marking .mark").inner_text()
        assert page.evaluate("window.harm") is None

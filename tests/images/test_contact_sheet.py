import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFont

from manifest_tools.images import contact_sheet
from manifest_tools.images.contact_sheet import PAGE, Caption, Tile, contact_sheets, page_path
from manifest_tools.images.unusable import MISSING, Unusable

RED, GREEN, GREY = (198, 40, 40), (27, 127, 59), (208, 208, 208)


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), (90, 90, 90)).save(out, "PNG")
    return out.getvalue()


PICTURE = picture()


def tile(
    is_right: bool | None = None, picture: bytes | Unusable = PICTURE, caption: str = "RH 0.998"
) -> Tile:
    return Tile(picture, [Caption((caption,))], is_right)


def pages(*tiles: Tile) -> list[Image.Image]:
    return [Image.open(io.BytesIO(page)) for page in contact_sheets(tiles)]


def colours(page: Image.Image) -> set[Any]:
    found = page.getcolors(1 << 24)
    assert found is not None
    return {colour for _, colour in found}


@pytest.mark.parametrize(
    ("is_right", "seen", "unseen"),
    [
        pytest.param(True, {GREEN}, {RED}, id="a right answer is green"),
        pytest.param(False, {RED}, {GREEN}, id="a wrong answer is red"),
        pytest.param(None, set(), {RED, GREEN}, id="without truth there is neither"),
    ],
)
def test_tiles_show_what_is_right(is_right: bool | None, seen: set[Any], unseen: set[Any]) -> None:
    found = colours(pages(tile(is_right))[0])
    assert seen <= found
    assert not unseen & found


def test_a_wrong_answer_has_another_sign_than_a_right_one_without_any_colour() -> None:
    corners = [np.asarray(pages(tile(right))[0].crop((128, 10, 154, 36))) for right in (True, False)]
    signs = [(corner != 255).any(axis=2) for corner in corners]
    assert (signs[0] != signs[1]).mean() > 0.05


@pytest.mark.parametrize("missing", [b"no picture", Unusable(MISSING, "no such file")])
def test_a_picture_that_cannot_be_had_is_a_grey_square_with_the_reason(missing: bytes | Unusable) -> None:
    square = pages(tile(picture=missing))[0].crop((10, 10, 154, 154))
    found = colours(square)
    assert GREY in found
    assert len(found) > 2  # the letters


@pytest.mark.parametrize(("tiles", "expected"), [(0, 1), (1, 1), (PAGE, 1), (PAGE + 1, 2), (2 * PAGE, 2)])
def test_what_does_not_fit_on_a_page_is_on_the_next(tiles: int, expected: int) -> None:
    found = pages(*[tile()] * tiles)
    assert len(found) == expected
    assert all(page.width * page.height < 4_000_000 for page in found)


def test_the_same_tiles_give_the_same_bytes() -> None:
    tiles = [tile(True), tile(False), tile(caption="x" * 500)]
    assert list(contact_sheets(tiles)) == list(contact_sheets(iter(tiles)))


FONT = ImageFont.load_default(13)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(st.lists(text, max_size=20))
def test_no_line_is_wider_than_the_picture_and_no_short_part_is_torn_apart(parts: list[str]) -> None:
    lines = contact_sheet.wrapped(parts, FONT, 144)
    assert all(FONT.getlength(line) <= 144 for line in lines)
    plain = ["".join(c if c.isprintable() else "?" for c in part) for part in parts]
    assert all(any(part in line for line in lines) for part in plain if FONT.getlength(part) <= 144)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("cardboard_box_damaged 0.998", ["cardboard_box_", "damaged 0.998"]),
        (
            "a_class_whose_name_is_longer_than_two_lines_by_far 0.5",
            ["a_class_whose_name_", "…_two_lines_by_far 0.5"],
        ),
        ("\x1b[31m", ["?[31m"]),
        ("", [""]),
    ],
)
def test_of_a_long_part_the_end_with_the_probability_is_kept(part: str, expected: list[str]) -> None:
    assert contact_sheet.wrapped([part], FONT, 144) == expected


def test_pages_have_numbers_from_the_second_on() -> None:
    assert [page_path("a.b/s.PNG", page) for page in (1, 2, 10)] == [
        "a.b/s.PNG",
        "a.b/s-2.PNG",
        "a.b/s-10.PNG",
    ]

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.browser import DESK, PHONE, opened
from tests.pictures import jpeg, row, write_manifest

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from typer.testing import Result

    Run = Callable[..., Result]


@pytest.fixture
def manifest(in_folder: Path) -> str:
    (in_folder / "raw").mkdir()
    for number in range(4):
        (in_folder / "raw" / f"{number}.jpg").write_bytes(jpeg(50 * number))
    return write_manifest(Path("a.manifest"), [row(f"{number}.jpg", number % 2) for number in range(4)])


def test_the_page_is_written_beside_and_again_it_is_unchanged(run: "Run", manifest: str) -> None:
    first = run("look", "a.manifest", "--images", "raw")
    assert (first.exit_code, first.stderr, first.stdout) == (0, "look.html: written\n", "")
    assert run("look", "a.manifest", "--images", "raw", "-j", "1").stderr == "look.html: unchanged\n"


def test_without_a_name_every_manifest_here_is_looked_at(run: "Run", manifest: str) -> None:
    write_manifest(Path("b.manifest"), [row("0.jpg", 1)])
    assert run("look", "--images", "raw").exit_code == 0
    assert "a.manifest, b.manifest" in Path("look.html").read_text()


def test_another_page_is_not_replaced_without_force(run: "Run", manifest: str) -> None:
    Path("look.html").write_text("mine")
    refused = run("look", "a.manifest")
    assert refused.exit_code == 2 and "--force" in refused.stderr
    assert Path("look.html").read_text() == "mine"
    assert run("look", "a.manifest", "--force").exit_code == 0


def test_pictures_that_are_not_here_are_told_in_one_line(run: "Run", manifest: str) -> None:
    said = run("look", "a.manifest").stderr.splitlines()
    assert said[0].startswith("4 of 4 pictures are not on this disk; type --images FOLDER")
    assert said[1] == "look.html: written"


def test_a_still_picture_is_a_png(run: "Run", manifest: str) -> None:
    assert run("look", "a.manifest", "--images", "raw", "-o", "sheet.png").stderr == "sheet.png: written\n"
    with Image.open("sheet.png") as picture:
        assert picture.format == "PNG"


def test_json_has_what_was_counted_and_no_pictures(run: "Run", manifest: str) -> None:
    write_manifest(Path("b.manifest"), [row("0.jpg", 1), row("0.jpg", 1)])
    found = json.loads(run("look", "a.manifest", "b.manifest", "--images", "raw", "--json").stdout)
    assert (found["lines"], found["shown"], found["missing"]) == (6, 6, 0)
    assert (found["conflicting"], found["repeated"], found["in_several"]) == (1, 0, 1)
    assert [one["lines"] for one in found["manifests"]] == [4, 2]
    assert found["manifests"][1]["problems"]["MT302"] == 1
    assert "base64" not in json.dumps(found)


def test_as_many_pictures_as_asked_for(run: "Run", manifest: str) -> None:
    found = run("look", "a.manifest", "--images", "raw", "--pictures", "2", "--json")
    assert json.loads(found.stdout)["shown"] == 2
    assert "2 of 4 lines are shown" in Path("look.html").read_text()


@pytest.mark.parametrize("name", ["report.pdf", "report", "-"])
def test_a_name_that_is_no_page_is_refused_before_the_work(run: "Run", manifest: str, name: str) -> None:
    refused = run("look", "a.manifest", "-o", name)
    assert refused.exit_code == 2 and ".html or .png" in refused.stderr


def test_a_manifest_from_standard_input_is_looked_at(run: "Run", manifest: str) -> None:
    assert run("look", "-", "--images", "raw", input=Path("a.manifest").read_bytes()).exit_code == 0
    assert "standard input" in Path("look.html").read_text()


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_page_of_the_sample_shows_its_pictures(
    run: "Run", sample: Path, browser: "Browser", in_folder: Path, width: int
) -> None:
    run("look", sample / "output.manifest", "--images", sample / "images", "-o", "report.html")
    with opened(browser, in_folder / "report.html", width) as page:
        page.wait_for_selector("#cards img")
        page.select_option("#filter [name=class]", label="LH")
        assert page.inner_text("#count") == "1 to 60 of 62"
        names = page.eval_on_selector_all("#cards .name", "found => found.map(one => one.textContent)")
        assert set(names) == {"LH"} and len(names) == 60
        assert page.evaluate("document.documentElement.scrollWidth") == width

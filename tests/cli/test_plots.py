import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.browser import DESK, PHONE, opened
from tests.ground_truth import line
from tests.pictures import jpeg, row, write_manifest

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from typer.testing import Result

    Run = Callable[..., Result]

WORDS = {
    "stats": ("stats", "a.manifest", "--plot"),
    "split": ("split", "a.manifest", "-o", "parts", "--plot"),
}


@pytest.fixture(autouse=True)
def manifest(in_folder: Path) -> None:
    lines = [line(n, n % 3, creation_date=f"2024-03-0{n % 7 + 1}T10:00:00") for n in range(30)]
    Path("a.manifest").write_bytes(b"\n".join(lines))


@pytest.mark.parametrize("word", WORDS)
def test_a_plot_is_a_page_or_a_picture_and_the_same_again(run: "Run", word: str) -> None:
    for name in ("a.html", "a.png"):
        assert f"{name}: written" in run(*WORDS[word], name).stderr
        assert f"{name}: unchanged" in run(*WORDS[word], name).stderr
    assert all(name in Path("a.html").read_text() for name in ("RH", "LH", "scratch"))
    with Image.open("a.png") as picture:
        assert picture.format == "PNG" and picture.width > 100


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize(("name", "said"), [("a.pdf", ".html or .png"), ("taken.html", "--force")])
def test_a_plot_that_cannot_be_written_is_refused(run: "Run", word: str, name: str, said: str) -> None:
    Path("taken.html").write_text("mine")
    refused = run(*WORDS[word], name)
    assert refused.exit_code == 2 and said in refused.stderr
    assert Path("taken.html").read_text() == "mine"


def test_what_stats_prints_stays_alone_on_standard_output(run: "Run") -> None:
    assert json.loads(run("stats", "a.manifest", "--json", "--plot", "a.html").stdout)["lines"] == 30


def test_a_dry_run_of_split_writes_no_plot(run: "Run") -> None:
    assert run(*WORDS["split"], "a.html", "--dry-run").exit_code == 2
    assert not Path("a.html").exists()


def test_a_manifest_that_nobody_labelled_has_a_plot_too(run: "Run") -> None:
    Path("a.manifest").write_text('{"source-ref": "s3://raw/1.jpg"}\n')
    assert run("stats", "a.manifest", "--plot", "a.png").exit_code == 0
    assert run("stats", "a.manifest", "--plot", "a.html").exit_code == 0


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("word", WORDS)
def test_a_plot_fits_on_the_screen(
    run: "Run", browser: "Browser", in_folder: Path, word: str, width: int
) -> None:
    run(*WORDS[word], "a.html")
    with opened(browser, in_folder / "a.html", width) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == width
        bars = page.eval_on_selector_all(
            ".chart rect", "found => found.map(one => one.getBoundingClientRect().width)"
        )
        assert len(bars) >= 3 and max(bars) > 50


@pytest.fixture
def two(in_folder: Path) -> tuple[str, str]:
    """Return an old and a new manifest, of which one line has another class and one is gone."""
    (in_folder / "raw").mkdir()
    for number in range(3):
        (in_folder / "raw" / f"{number}.jpg").write_bytes(jpeg(50 * number))
    old = write_manifest(Path("old.manifest"), [row(f"{number}.jpg", 0) for number in range(3)])
    return old, write_manifest(Path("new.manifest"), [row("0.jpg", 0), row("1.jpg", 1)])


def test_a_page_of_a_diff_has_changed_lines_side_by_side(
    run: "Run", two: tuple[str, str], browser: "Browser", in_folder: Path
) -> None:
    found = run("diff", *two, "--html", "a.html", "--images", "raw")
    assert (found.exit_code, found.stdout, found.stderr) == (1, "", "a.html: written\n")
    with opened(browser, in_folder / "a.html", PHONE) as page:
        page.wait_for_selector("#groups img")
        assert page.locator("#groups h3").all_inner_texts() == [
            "RH -> LH: s3://raw/1.jpg",
            "gone: s3://raw/2.jpg",
        ]
        first = page.locator(".group").first.locator(".card")
        assert [re.split(r"\s+", text.strip())[0] for text in first.all_inner_texts()] == ["RH", "LH"]
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE
        first.nth(1).click()
        assert page.inner_text("#viewer-title") == "new.manifest:2"


def test_a_page_of_two_equal_manifests_says_so(run: "Run", two: tuple[str, str]) -> None:
    found = run("diff", two[0], two[0], "--html", "a.html")
    assert found.exit_code == 0
    assert "no difference: the files have the same bytes" in Path("a.html").read_text()


def test_lines_that_cannot_be_read_are_counted_on_the_page_all_the_same(
    run: "Run", two: tuple[str, str]
) -> None:
    Path(two[1]).write_text("{oops\n")
    assert run("diff", *two, "--html", "a.html").exit_code == 1
    assert "changed lines are not shown side by side: new.manifest:1" in Path("a.html").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--html", "a.txt"), ".html"),
        (("--html", "a.html", "--textconv"), "--textconv"),
        (("--html", "taken.html"), "--force"),
    ],
)
def test_a_page_of_a_diff_that_cannot_be_written_is_refused(
    run: "Run", two: tuple[str, str], words: tuple[str, ...], said: str
) -> None:
    Path("taken.html").write_text("mine")
    refused = run("diff", two[0], *(() if "--textconv" in words else (two[1],)), *words)
    assert refused.exit_code == 2 and said in refused.stderr


def test_json_and_the_page_go_together(run: "Run", two: tuple[str, str]) -> None:
    assert json.loads(run("diff", *two, "--json", "--html", "a.html").stdout)["differs"] is True
    assert Path("a.html").exists()

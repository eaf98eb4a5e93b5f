"""The system's Chromium, driven over the pages that we make; tests without one are skipped."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
PHONE, DESK = 390, 1280
"""The two widths at which pages are tested, in pixels."""

_ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@contextlib.contextmanager
def chromium() -> "Iterator[Browser]":
    """Yield a browser; skips the test where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    if not CHROMIUM.exists():
        pytest.skip(f"needs {CHROMIUM}")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(_ARGUMENTS))
        yield browser
        browser.close()


@contextlib.contextmanager
def opened(browser: "Browser", address: str | Path, width: int = DESK, **context: Any) -> "Iterator[Page]":
    """Yield a page in a context of its own; fails where its console has anything to say."""
    said: list[str] = []
    made = browser.new_context(viewport={"width": width, "height": 844}, **context)
    page = made.new_page()
    page.set_default_timeout(10_000)
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(address.as_uri() if isinstance(address, Path) else address)
    yield page
    made.close()
    assert said == [], said  # no test module, so pytest does not say it

"""A pytest plugin: a page in Chromium that tells of every fault it meets."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright


@pytest.fixture(scope="module")
def chromium(chromium_path: str) -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        # Without the sandbox, since continuous integration runs as root.
        browser = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """An empty page of a fresh visitor; the test fails where a script or the content policy did."""
    context = chromium.new_context()
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(_told(message)) if message.type == "error" else None)
    yield page
    context.close()
    assert not faults, "\n".join(faults)


def _told(message: ConsoleMessage) -> str:
    return f"{message.text} ({message.location.get('url', '')})"

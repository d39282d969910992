"""Every page for everybody: no serious finding of axe, no sideways scrolling at 360 px, light and dark."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SignIn = Callable[..., Page]
PATHS = (
    "/", "/issues/", "/issues/?priority=nonsense&q=nosuch:1", "/issues/?label=docs", "/issues/new/",
    "/issues/new/?project=API", "/issues/API-1/", "/issues/API-1/edit/", "/issues/API-999/", "/projects/",
    "/projects/new/", "/projects/API/", "/projects/API/settings/",
)  # fmt: skip


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_pages_are_accessible_and_fit(sign_in: SignIn, scheme: str, width: int) -> None:
    page = sign_in("admin", color_scheme=scheme, viewport={"width": width, "height": 800})
    page.goto("/issues/API-1/")
    page.locator("#comment textarea").fill("A comment with `code`.")
    page.locator("#comment button[type=submit]").click()
    for path in PATHS:
        page.goto(path)
        found = Axe().run(page).response["violations"]
        grave = [
            (item["id"], item["nodes"][0]["html"])
            for item in found
            if item["impact"] in {"serious", "critical"}
        ]
        assert grave == [], path
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, path
        assert page.locator("h1").count() == 1, path


def test_the_keyboard_reaches_the_content_first(sign_in: SignIn) -> None:
    page = sign_in("admin")
    page.goto("/issues/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip-link"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")

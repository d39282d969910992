"""A real browser meets the served product."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.processes import ServerProcess

pytestmark = pytest.mark.browser
SECONDS = 20_000


def test_the_first_page_asks_who_one_is_and_loads_nothing_from_elsewhere(
    page: Page, served: ServerProcess
) -> None:
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))

    page.goto(served.base_url)

    expect(page).to_have_url(re.compile(r"/accounts/login/"))
    expect(page.get_by_label(re.compile("e-?mail", re.I))).to_be_visible()
    assert all(address.startswith(served.base_url) for address in addresses)


def test_swagger_ui_works_under_the_content_policy(page: Page, served: ServerProcess) -> None:
    page.goto(f"{served.base_url}/api/docs/")

    expect(page.get_by_text("/api/v1/issues").first).to_be_visible(timeout=SECONDS)


def test_redoc_works_and_the_policy_keeps_its_logo_from_elsewhere_out(
    chromium: Browser, served: ServerProcess
) -> None:
    page = chromium.new_page()
    addresses: list[str] = []
    page.on("requestfinished", lambda request: addresses.append(request.url))

    page.goto(f"{served.base_url}/api/redoc/")

    expect(page.get_by_role("heading", name="Issues & Insights Tracker")).to_be_visible(timeout=SECONDS)
    assert all(address.startswith((served.base_url, "blob:", "data:")) for address in addresses)
    page.close()

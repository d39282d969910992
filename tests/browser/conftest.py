"""A real browser on the product as it is served. Nothing here touches the database of the tests."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.make import PASSWORD
from tests.processes import ROOT, ServerProcess, environment

SignIn = Callable[..., Page]


@pytest.fixture(scope="session")
def product(served: ServerProcess) -> ServerProcess:
    """The served product, with people, a project and sixty issues."""
    env = environment(served.data_dir, port=0) | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "tests/browser/fill.py"], cwd=ROOT, env=env, check=True)
    return served


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    """Chromium. For a module only: while Playwright runs, no other test may have an event loop."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def sign_in(product: ServerProcess, browser: Browser) -> Iterator[SignIn]:
    """Return a function that gives a page of a person, signed in through the form."""
    contexts = []

    def signed_in(role: str, **options: Any) -> Page:
        context = browser.new_context(base_url=product.base_url, **options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.goto("/accounts/login/")
        page.fill("[name=email]", f"{role}@example.org")
        page.fill("[name=password]", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_url(product.base_url + "/")
        return page

    yield signed_in
    for context in contexts:
        context.close()

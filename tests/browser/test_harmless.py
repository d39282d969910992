"""What users type does nothing in a real browser, and the pages keep their own policy."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Dialog, Page

from issues.tests.pages import PAYLOADS

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SignIn = Callable[..., Page]
MARKS = "document.querySelectorAll('main :is(script, iframe, style, object, base, meta)').length"


def test_forty_payloads_in_texts_and_titles_do_nothing(sign_in: SignIn) -> None:
    page = sign_in("maintainer")
    dialogs: list[str] = []

    def close(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", close)
    page.goto("/issues/new/?project=API")
    page.get_by_label("Title").fill("<img src=x onerror=alert(1)> {{7*7}} \"'>")
    page.get_by_label("Description").fill("\n\n".join(PAYLOADS))
    page.get_by_role("button", name="File the issue").click()
    for payload in PAYLOADS:
        page.locator("#comment textarea").fill(payload)
        page.locator("#comment button[type=submit]").click()
    for link in page.locator(".prose a").all()[:20]:
        link.hover()
    for path in (page.url, "/issues/", "/"):
        page.goto(path)
        assert page.evaluate(MARKS) == 0
    assert dialogs == []


@pytest.mark.parametrize(
    "path", ["/", "/issues/", "/issues/API-1/", "/issues/API-1/edit/", "/projects/API/settings/"]
)
def test_a_page_asks_no_other_host_breaks_no_policy_and_is_light(sign_in: SignIn, path: str) -> None:
    page = sign_in("admin")
    hosts, errors, sizes = set(), [], []
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
    page.goto(path, wait_until="networkidle")
    assert len(hosts) == 1
    assert errors == []
    assert sum(sizes) < 100_000

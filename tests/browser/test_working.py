"""A day's work in a real browser: sign in, file, triage, comment, merge; with JavaScript and without."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SignIn = Callable[..., Page]
both = pytest.mark.parametrize("java_script", [True, False], ids=["with-javascript", "without"])


def file_issue(page: Page, title: str, description: str = "") -> str:
    """File an issue and return the address of its page."""
    page.goto("/issues/new/?project=API")
    page.get_by_label("Title").fill(title)
    page.get_by_label("Description").fill(description)
    page.get_by_role("button", name="File the issue").click()
    expect(page.locator("h1")).to_contain_text(title)
    return page.url


@both
def test_an_issue_is_filed_triaged_worked_on_and_closed(sign_in: SignIn, java_script: bool) -> None:
    reporter = sign_in("reporter", java_script_enabled=java_script)
    address = file_issue(reporter, "The button does nothing", "Press it **twice**.")
    expect(reporter.get_by_role("button", name="Triaged")).to_have_count(0)

    maintainer = sign_in("maintainer", java_script_enabled=java_script)
    maintainer.goto(address)
    maintainer.get_by_role("button", name="Triaged").click()
    expect(maintainer.locator(".issue-aside .status")).to_have_text("Triaged")
    maintainer.get_by_role("link", name="Edit", exact=True).click()
    maintainer.get_by_label("Priority").select_option("urgent")
    maintainer.get_by_label("Assignee").select_option(label="Dev Developer")
    maintainer.get_by_label("docs").check()
    maintainer.get_by_role("button", name="Save").click()
    expect(maintainer.locator(".properties")).to_contain_text("Urgent")
    expect(maintainer.locator(".properties")).to_contain_text("docs")

    developer = sign_in("developer", java_script_enabled=java_script)
    expect(developer.locator("main")).to_contain_text("The button does nothing")
    developer.goto(address)
    developer.get_by_role("button", name="In progress").click()
    developer.locator("#comment textarea").fill("The *handler* was missing.")
    developer.get_by_role("button", name="Comment", exact=True).click()
    expect(developer.locator(".comment em")).to_have_text("handler")
    developer.locator("#comment textarea").fill("It was my own fault.")
    developer.get_by_label("Internal").check()
    developer.get_by_role("button", name="Comment", exact=True).click()
    developer.get_by_role("button", name="Done").click()
    expect(developer.locator(".issue-aside .status")).to_have_text("Done")

    reporter.goto(address)
    expect(reporter.locator(".timeline")).to_contain_text("The handler was missing.")
    expect(reporter.locator(".timeline")).not_to_contain_text("my own fault")


@both
def test_two_edits_at_once_end_on_the_merge_page_with_both_texts(sign_in: SignIn, java_script: bool) -> None:
    maintainer = sign_in("maintainer", java_script_enabled=java_script)
    admin = sign_in("admin", java_script_enabled=java_script)
    address = file_issue(maintainer, "Merge me", "The base.")
    for page in (maintainer, admin):
        page.goto(f"{address}edit/")
    admin.get_by_label("Description").fill("What the admin wrote.")
    admin.get_by_role("button", name="Save").click()
    maintainer.get_by_label("Description").fill("What the maintainer wrote.")
    maintainer.get_by_label("Severity").select_option("critical")
    maintainer.get_by_role("button", name="Save").click()

    expect(maintainer.locator("h1")).to_have_text("Somebody else changed this too")
    expect(maintainer.locator(".merge-text").first).to_have_text("What the admin wrote.")
    mine = maintainer.get_by_label("Description", exact=True)
    expect(mine).to_have_value("What the maintainer wrote.")
    mine.fill("What both wrote.")
    maintainer.get_by_role("button", name="Save the result").click()
    expect(maintainer.locator(".issue-text")).to_contain_text("What both wrote.")
    expect(maintainer.locator(".properties")).to_contain_text("Critical")


@both
def test_the_list_is_filtered_and_paged(sign_in: SignIn, java_script: bool) -> None:
    page = sign_in("maintainer", java_script_enabled=java_script)
    page.goto("/projects/API/")
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".issue-row").first).to_be_visible()
    page.goto("/issues/")
    page.get_by_text("More filters and order").click()
    page.locator("#filter-label").select_option("docs")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".chip")).to_contain_text("docs")
    rows = page.locator(".issue-row")
    assert rows.count() == page.locator(".issue-row", has_text="docs").count() > 0
    page.locator(".chip").click()
    expect(page.locator(".chip")).to_have_count(0)


@both
def test_signing_out_ends_the_session(sign_in: SignIn, java_script: bool) -> None:
    page = sign_in("reporter", java_script_enabled=java_script)
    page.locator(".account-menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.goto("/issues/")
    expect(page).to_have_url(re.compile(r"/accounts/login/\?next="))


def test_a_change_is_seen_on_the_open_pages_of_others_within_a_second(sign_in: SignIn) -> None:
    maintainer, watching, listing = sign_in("maintainer"), sign_in("admin"), sign_in("developer")
    address = file_issue(maintainer, "Seen live")
    for page, path in ((watching, address), (listing, "/issues/")):
        with page.expect_websocket() as opened:
            page.goto(path)
        opened.value.wait_for_event("framereceived")
    maintainer.get_by_role("button", name="Triaged").click()
    expect(maintainer.locator(".issue-aside .status")).to_have_text("Triaged")
    answered = time.monotonic()
    expect(watching.locator(".issue-aside .status")).to_have_text("Triaged", timeout=5000)
    row = listing.locator(".issue-row", has_text="Seen live")
    expect(row.locator(".status")).to_have_text("Triaged", timeout=5000)
    assert time.monotonic() - answered < 3  # a second, on a machine that does nothing else


def test_a_change_never_touches_a_form_that_is_being_filled_in(sign_in: SignIn) -> None:
    maintainer, admin = sign_in("maintainer"), sign_in("admin")
    address = file_issue(maintainer, "Typed into")
    maintainer.goto(f"{address}edit/")
    maintainer.get_by_label("Title").fill("Half a tit")
    admin.goto(address)
    admin.get_by_role("button", name="Triaged").click()
    expect(maintainer.locator(".live-banner")).to_contain_text("Changed by Ada Admin just now")
    expect(maintainer.get_by_label("Title")).to_have_value("Half a tit")


@both
def test_enter_in_the_title_files_the_issue(sign_in: SignIn, java_script: bool) -> None:
    page = sign_in("maintainer", java_script_enabled=java_script)
    page.goto("/issues/new/?project=API")
    page.get_by_label("Title").fill("Filed by Enter")
    page.get_by_label("Title").press("Enter")
    expect(page.locator("h1")).to_contain_text("Filed by Enter")

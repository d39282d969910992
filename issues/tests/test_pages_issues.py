"""The pages of issues: who sees them, what they offer, how many queries they ask."""

import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from issues.models import Comment, Issue, IssueAlias, Project
from issues.services.issues import change_status, trash_issue
from issues.services.projects import archive_project
from issues.tests.pages import page
from tests.make import caller, fresh, make_comment, make_issue, make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(admin: User) -> Project:
    return make_project("API", by=admin)


@pytest.fixture
def issue(project: Project, maintainer: User) -> Issue:
    return make_issue(
        project, by=maintainer, title="The first <b>title</b>", description="Some **bold** words"
    )


PAGES = [
    "/",
    "/issues/",
    "/issues/new/",
    "/issues/new/?project=API",
    "/issues/API-1/",
    "/issues/API-1/edit/",
    "/projects/",
    "/projects/new/",
    "/projects/API/",
    "/projects/API/settings/",
]


# --- who sees what -----------------------------------------------------------------------------------
@pytest.mark.parametrize("path", PAGES)
def test_a_page_sends_the_anonymous_to_the_sign_in(path: str, client: Client, issue: Issue) -> None:
    reply = client.get(path)
    assert reply.status_code == 302
    assert reply["Location"].startswith("/accounts/login/?next=/")


@pytest.mark.parametrize("role", ["admin", "maintainer"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_opens_for_who_manages(
    path: str, role: str, request: pytest.FixtureRequest, sign_in: Any, issue: Issue
) -> None:
    text = page(sign_in(request.getfixturevalue(role)), path)
    assert len(re.findall(r"<h1[ >]", text)) == 1
    assert "style=" not in text
    assert not re.search(r"<script(?![^>]*src=)", text)


@pytest.mark.parametrize("role", ["developer", "reporter", "outsider"])
def test_pages_open_for_the_other_roles(
    role: str, request: pytest.FixtureRequest, sign_in: Any, project: Project
) -> None:
    browser = sign_in(request.getfixturevalue(role))
    for path in ("/", "/issues/", "/issues/new/", "/issues/new/?project=API", "/projects/", "/projects/API/"):
        page(browser, path)
    page(browser, "/projects/new/", 403)


@pytest.mark.parametrize(
    "path", ["/issues/API-1/", "/issues/API-1/edit/", "/issues/new/?project=SEC", "/projects/SEC/"]
)
def test_what_is_hidden_is_not_found(
    path: str, sign_in: Any, outsider: User, admin: User, issue: Issue
) -> None:
    make_project("SEC", by=admin, visibility="private")
    hidden = page(sign_in(outsider), path, 404)
    absent = page(sign_in(outsider), path.replace("API-1", "API-99").replace("SEC", "NONE"), 404)
    assert without_ids(hidden) == without_ids(absent)


def without_ids(text: str) -> str:
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|value=\"[A-Za-z0-9]{64}\"", "", text)


@pytest.mark.parametrize("action", ["status", "take", "trash", "restore", "comments", "edit"])
def test_an_outsider_can_do_nothing_to_a_hidden_issue(
    action: str, sign_in: Any, outsider: User, issue: Issue
) -> None:
    data = {"to": "done", "version": "1", "body": "x", "title": "x"}
    reply = sign_in(outsider).post(f"/issues/API-1/{action}/", data)
    assert reply.status_code == 404
    assert Issue.objects.get().version == 1
    assert not Comment.objects.exists()


def test_a_reporter_sees_their_own_issue_without_what_they_may_not_do(
    sign_in: Any, reporter: User, project: Project
) -> None:
    make_issue(project, by=reporter)
    text = page(sign_in(reporter), "/issues/API-1/")
    assert 'href="/issues/API-1/edit/"' in text
    for absent in ("/take/", "/status/", "/trash/", 'name="internal"'):
        assert absent not in text
    form = page(sign_in(reporter), "/issues/API-1/edit/")
    assert 'name="title"' in form
    assert 'name="priority"' not in form


def test_a_developer_may_take_what_is_unassigned_and_nothing_else(
    sign_in: Any, developer: User, issue: Issue
) -> None:
    browser = sign_in(developer)
    text = page(browser, "/issues/API-1/")
    assert "/take/" in text
    for absent in ("/status/", "/trash/", 'href="/issues/API-1/edit/"'):
        assert absent not in text
    page(browser, "/issues/API-1/edit/", 403)
    assert browser.post("/issues/API-1/take/", {"version": "1"}).status_code == 302
    assert Issue.objects.get().assignee == developer
    after = page(browser, "/issues/API-1/")
    assert "/status/" in after
    assert "/take/" not in after


@pytest.mark.parametrize("path", ["edit", "status", "take", "trash", "restore", "comments"])
def test_a_form_without_its_token_is_refused(path: str, maintainer: User, issue: Issue) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(maintainer)
    reply = browser.post(f"/issues/API-1/{path}/", {"version": "1", "to": "triaged", "body": "x"})
    assert reply.status_code == 403
    assert Issue.objects.get().version == 1


# --- the page of one issue ---------------------------------------------------------------------------
def test_an_issue_shows_its_text_escaped_and_its_description_rendered(
    sign_in: Any, maintainer: User, issue: Issue
) -> None:
    text = page(sign_in(maintainer), "/issues/API-1/")
    assert "The first &lt;b&gt;title&lt;/b&gt;" in text
    assert "<strong>bold</strong>" in text


@pytest.mark.parametrize("ref", ["api-1", "{id}"])
def test_other_names_of_an_issue_lead_to_its_key(
    ref: str, sign_in: Any, maintainer: User, issue: Issue
) -> None:
    reply = sign_in(maintainer).get(f"/issues/{ref.format(id=issue.pk)}/")
    assert (reply.status_code, reply["Location"]) == (302, "/issues/API-1/")


def test_an_old_key_leads_to_the_new(sign_in: Any, maintainer: User, outsider: User, issue: Issue) -> None:
    IssueAlias.objects.create(key="OLD-7", issue=issue)
    reply = sign_in(maintainer).get("/issues/OLD-7/")
    assert (reply.status_code, reply["Location"]) == (302, "/issues/API-1/")
    page(sign_in(outsider), "/issues/OLD-7/", 404)


def test_the_timeline_tells_changes_and_comments_in_order(
    sign_in: Any, maintainer: User, issue: Issue
) -> None:
    make_comment(issue, by=maintainer, body="A *first* word")
    change_status(issue.pk, by=caller(maintainer), to="triaged", comment="On it")
    text = page(sign_in(maintainer), "/issues/API-1/")
    places = [
        text.index(part)
        for part in ("filed this issue", "A <em>first</em> word", "from Open to Triaged", "On it")
    ]
    assert places == sorted(places)


def test_a_long_timeline_is_paged(sign_in: Any, maintainer: User, issue: Issue) -> None:
    for number in range(60):
        make_comment(issue, by=maintainer, body=f"Comment number {number}.")
    browser = sign_in(maintainer)
    newest = page(browser, "/issues/API-1/")
    assert "number 59." in newest
    assert "number 9." not in newest
    earlier = page(browser, "/issues/API-1/?skip=50")
    assert "?skip=50" in newest
    assert "number 9." in earlier
    assert "filed this issue" in earlier
    assert "number 59." not in earlier


def test_internal_comments_are_not_in_a_reporters_page(
    sign_in: Any, reporter: User, developer: User, project: Project
) -> None:
    issue = make_issue(project, by=reporter)
    make_comment(issue, by=developer, body="Customer is ACME", internal=True)
    assert "ACME" not in page(sign_in(reporter), "/issues/API-1/")
    assert "ACME" in page(sign_in(developer), "/issues/API-1/")


def test_status_buttons_are_the_steps_that_are_allowed_next(
    sign_in: Any, maintainer: User, issue: Issue
) -> None:
    text = page(sign_in(maintainer), "/issues/API-1/")
    assert re.findall(r'name="to" value="(\w+)"', text) == ["triaged", "in_progress"]


def test_an_archived_project_shows_no_controls(
    sign_in: Any, maintainer: User, admin: User, issue: Issue
) -> None:
    archive_project(issue.project_id, by=caller(admin))
    text = page(sign_in(maintainer), "/issues/API-1/")
    for absent in ("/edit/", "/take/", "/status/", "/comments/"):
        assert f'="/issues/API-1{absent}"' not in text


def test_an_admin_trashes_finds_and_restores_an_issue(
    sign_in: Any, admin: User, maintainer: User, issue: Issue
) -> None:
    browser = sign_in(admin)
    assert browser.post("/issues/API-1/trash/").status_code == 302
    assert "/restore/" in page(browser, "/issues/API-1/")
    assert "API-1" in page(browser, "/issues/?trashed=true")
    page(sign_in(maintainer), "/issues/API-1/", 404)
    page(sign_in(maintainer), "/issues/?trashed=true", 403)
    assert browser.post("/issues/API-1/restore/").status_code == 302
    assert "API-1" in page(sign_in(maintainer), "/issues/")


def test_a_maintainer_cannot_trash(sign_in: Any, maintainer: User, issue: Issue) -> None:
    assert sign_in(maintainer).post("/issues/API-1/trash/").status_code == 403
    assert Issue.objects.get().trashed_at is None


# --- queries -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/", 8),
        ("/issues/", 8),
        ("/projects/API/", 8),
        ("/issues/API-1/", 11),
        ("/issues/API-1/edit/", 8),
        ("/projects/", 8),
    ],
)
def test_a_page_asks_few_queries(
    path: str, most: int, sign_in: Any, maintainer: User, project: Project, django_assert_max_num_queries: Any
) -> None:
    parent = make_issue(project, by=maintainer)
    for _ in range(20):
        make_issue(project, by=maintainer, parent=str(parent.pk), assignee="me")
        make_comment(parent, by=maintainer)
    browser = sign_in(fresh(maintainer))
    page(browser, path)
    with django_assert_max_num_queries(most):
        page(browser, path)


def test_the_trash_of_an_issue_is_not_offered_twice(sign_in: Any, admin: User, issue: Issue) -> None:
    trash_issue(issue.pk, by=caller(admin))
    text = page(sign_in(admin), "/issues/API-1/")
    assert "/trash/" not in text
    assert "/edit/" not in text

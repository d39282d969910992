"""Steps of the workflow and comments, on pages."""

import re
import uuid
from typing import Any

import pytest

from accounts.models import User
from issues.models import Comment, Issue, Project, Transition
from issues.services.issues import change_status, edit_issue, trash_issue
from issues.tests.pages import page
from issues.views.timeline import sentences
from tests.make import caller, make_comment, make_issue, make_project
from tracker.errors import Stale
from tracker.versions import CATALOG, bump

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(admin: User) -> Project:
    return make_project("API", by=admin)


@pytest.fixture
def issue(project: Project, maintainer: User) -> Issue:
    return make_issue(
        project, by=maintainer, title="The first <b>title</b>", description="Some **bold** words"
    )


# --- status ------------------------------------------------------------------------------------------
def test_a_step_is_taken(sign_in: Any, maintainer: User, issue: Issue) -> None:
    reply = sign_in(maintainer).post("/issues/API-1/status/", {"to": "triaged", "version": "1"})
    assert reply["Location"] == "/issues/API-1/"
    issue.refresh_from_db()
    assert issue.status.slug == "triaged"


def test_an_illegal_step_is_explained_and_its_comment_kept(
    sign_in: Any, maintainer: User, issue: Issue
) -> None:
    data = {"to": "done", "version": "1", "comment": "Long thought"}
    reply = sign_in(maintainer).post("/issues/API-1/status/", data)
    text = reply.content.decode()
    assert reply.status_code == 422
    assert "There is no step from Open to Done" in text
    assert "Long thought" in text
    assert not Comment.objects.exists()


def test_a_step_asks_for_the_fields_that_it_requires(sign_in: Any, maintainer: User, issue: Issue) -> None:
    Transition.objects.filter(from_status__slug="open", to_status__slug="triaged").update(
        requires=["estimate"]
    )
    bump(CATALOG)
    browser = sign_in(maintainer)
    reply = browser.post("/issues/API-1/status/", {"to": "triaged", "version": "1", "comment": "Why"})
    text = reply.content.decode()
    assert reply.status_code == 422
    assert 'name="estimate"' in text
    assert "Why" in text
    data = {"to": "triaged", "version": "1", "comment": "Why", "fields": ["estimate"], "estimate": "3"}
    assert browser.post("/issues/API-1/status/", data).status_code == 302
    issue.refresh_from_db()
    assert (issue.status.slug, str(issue.estimate)) == ("triaged", "3.00")
    assert Comment.objects.get().body == "Why"


def test_a_stale_step_shows_what_others_did_and_keeps_the_comment(
    sign_in: Any, maintainer: User, admin: User, issue: Issue
) -> None:
    change_status(issue.pk, by=caller(admin), to="in_progress")
    data = {"to": "triaged", "version": "1", "comment": "My words"}
    reply = sign_in(maintainer).post("/issues/API-1/status/", data)
    text = reply.content.decode()
    assert reply.status_code == 409
    for part in (
        "Ada Admin",
        "from Open to In progress",
        "My words",
        'name="version" value="2"',
        "to Triaged",
    ):
        assert part in text
    issue.refresh_from_db()
    assert issue.status.slug == "in_progress"
    assert not Comment.objects.exists()


def test_a_step_of_an_issue_that_goes_into_the_trash_meanwhile_is_not_found(
    sign_in: Any, maintainer: User, admin: User, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(issue_id: uuid.UUID, **_how: Any) -> None:
        trash_issue(issue_id, by=caller(admin))
        raise Stale(issue_id=issue_id, expected=1)

    monkeypatch.setattr("issues.views.statuses.change_status", overtaken)
    data = {"to": "triaged", "version": "1"}
    assert sign_in(maintainer).post("/issues/API-1/status/", data).status_code == 404


def test_a_step_after_a_change_of_another_field_is_taken(
    sign_in: Any, maintainer: User, admin: User, issue: Issue
) -> None:
    edit_issue(issue.pk, by=caller(admin), changes={"title": "Theirs"})
    assert (
        sign_in(maintainer).post("/issues/API-1/status/", {"to": "triaged", "version": "1"}).status_code
        == 302
    )
    issue.refresh_from_db()
    assert (issue.status.slug, issue.title) == ("triaged", "Theirs")


# --- comments ----------------------------------------------------------------------------------------
def test_a_comment_is_added_and_answered(sign_in: Any, maintainer: User, issue: Issue) -> None:
    browser = sign_in(maintainer)
    browser.post("/issues/API-1/comments/", {"body": "First"})
    first = Comment.objects.get()
    asked = page(browser, f"/issues/API-1/?reply={first.pk}")
    assert f'value="{first.pk}"' in asked
    reply = browser.post("/issues/API-1/comments/", {"body": "Answer", "parent": str(first.pk)})
    answer = Comment.objects.get(parent=first)
    assert reply["Location"] == f"/issues/API-1/#comment-{answer.pk}"
    assert "answers Mia Maintainer" in page(browser, "/issues/API-1/")


def test_an_empty_comment_is_refused_and_the_internal_mark_stays(
    sign_in: Any, maintainer: User, issue: Issue
) -> None:
    reply = sign_in(maintainer).post("/issues/API-1/comments/", {"body": "  ", "internal": "on"})
    text = reply.content.decode()
    assert reply.status_code == 400
    assert re.search(r'name="internal"[^>]* checked', text)
    assert 'id="comment_body_error"' in text


def test_an_internal_comment_is_internal(sign_in: Any, developer: User, issue: Issue) -> None:
    sign_in(developer).post("/issues/API-1/comments/", {"body": "Hidden", "internal": "on"})
    assert Comment.objects.get().internal


def test_a_reporter_who_asks_for_an_internal_comment_does_not_get_one_unseen(
    sign_in: Any, reporter: User, project: Project
) -> None:
    make_issue(project, by=reporter)
    sign_in(reporter).post("/issues/API-1/comments/", {"body": "Open", "internal": "on"})
    assert not Comment.objects.get().internal


def test_only_the_author_edits_a_comment(
    sign_in: Any, maintainer: User, developer: User, issue: Issue
) -> None:
    comment = make_comment(issue, by=developer)
    path = f"/issues/API-1/comments/{comment.pk}/edit/"
    assert path not in page(sign_in(maintainer), "/issues/API-1/")
    assert sign_in(maintainer).post(path, {"body": "Not mine"}).status_code == 403
    assert sign_in(developer).post(path, {"body": "Better"}).status_code == 302
    comment.refresh_from_db()
    assert comment.body == "Better"


def test_a_comment_is_deleted_after_it_was_shown_once_more(
    sign_in: Any, developer: User, issue: Issue
) -> None:
    comment = make_comment(issue, by=developer, body="Regretted")
    path = f"/issues/API-1/comments/{comment.pk}/delete/"
    assert "Regretted" in page(sign_in(developer), path)
    sign_in(developer).post(path)
    assert "Regretted" not in page(sign_in(developer), "/issues/API-1/")


def test_a_comment_is_not_found_through_another_issue(
    sign_in: Any, developer: User, project: Project, issue: Issue
) -> None:
    comment = make_comment(issue, by=developer)
    make_issue(project, by=developer)
    page(sign_in(developer), f"/issues/API-2/comments/{comment.pk}/edit/", 404)


def test_after_editing_an_old_comment_its_page_of_the_timeline_is_shown(
    sign_in: Any, maintainer: User, issue: Issue
) -> None:
    first = make_comment(issue, by=maintainer, body="The oldest")
    for _ in range(60):
        make_comment(issue, by=maintainer)
    browser = sign_in(maintainer)
    reply = browser.post(f"/issues/API-1/comments/{first.pk}/edit/", {"body": "The oldest, better"})
    assert "The oldest, better" in page(browser, reply["Location"].partition("#")[0])


# --- sentences ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("verb", "changes", "imported", "told"),
    [
        ("issue.status_changed", {"status": ["open", "done"]}, [], ["changed the status from Open to done"]),
        ("issue.updated", {"priority": ["low", "high"], "reporter": [None, None]}, [],
         ["changed the priority from low to high", "changed reporter"]),
        ("issue.updated", {}, ["Workflow", "Link"], ["changed Workflow, Link"]),
        ("issue.updated", {}, [], ["changed this issue"]),
        ("issue.created", {}, ["Workflow"], ["filed this issue"]),
    ],
)  # fmt: skip
def test_every_change_is_told_in_words(
    verb: str, changes: dict[str, list[Any]], imported: list[str], told: list[str]
) -> None:
    row = {"verb": verb, "changes": changes}
    assert sentences(row, imported=imported, status_names={"open": "Open"}) == told

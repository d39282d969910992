"""Filing, editing and merging issues on pages: nothing typed is lost."""

import re
import uuid
from typing import Any

import pytest
from django.utils.html import escape

from accounts.models import User
from issues.models import Issue, Project
from issues.services.issues import edit_issue, trash_issue
from issues.tests.pages import page
from tests.make import caller, make_issue, make_project
from tracker.errors import Stale

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(admin: User) -> Project:
    return make_project("API", by=admin)


@pytest.fixture
def issue(project: Project, maintainer: User) -> Issue:
    return make_issue(
        project, by=maintainer, title="The first <b>title</b>", description="Some **bold** words"
    )


# --- filing ------------------------------------------------------------------------------------------
def test_a_reporter_files_with_the_fields_that_they_may_set(
    sign_in: Any, reporter: User, project: Project
) -> None:
    browser = sign_in(reporter)
    text = page(browser, "/issues/new/?project=API")
    shown = set(re.findall(r'<(?:input|select|textarea)[^>]* name="(\w+)"', text)) - {
        "csrfmiddlewaretoken",
        "q",
        "fields",
    }
    assert shown == {"project", "title", "description", "type", "severity", "department"}
    data = {
        "project": "API",
        "title": "New",
        "description": "",
        "type": "bug",
        "severity": "high",
        "department": "",
    }
    reply = browser.post("/issues/new/", data)
    assert reply["Location"] == "/issues/API-1/"
    made = Issue.objects.get()
    assert (made.title, made.type, made.reporter) == ("New", "bug", reporter)


def test_a_refused_new_issue_keeps_what_was_typed(sign_in: Any, maintainer: User, project: Project) -> None:
    data = {
        "project": "API",
        "title": "",
        "description": "Long <text>",
        "estimate": "many",
        "type": "bug",
        "severity": "low",
    }
    reply = sign_in(maintainer).post("/issues/new/", data)
    text = reply.content.decode()
    assert reply.status_code == 400
    assert escape("Long <text>") in text
    assert 'value="many"' in text
    assert 'aria-invalid="true"' in text
    assert 'id="id_title_error"' in text
    assert not Issue.objects.exists()


def test_a_field_that_the_service_refuses_is_marked(sign_in: Any, maintainer: User, project: Project) -> None:
    data = {"project": "API", "title": "T", "description": "Kept", "estimate": "many", "type": "bug",
            "severity": "low", "priority": "none", "status": "open", "parent": "API-77"}  # fmt: skip
    text = sign_in(maintainer).post("/issues/new/", data).content.decode()
    assert 'id="id_estimate_error"' in text
    assert 'id="id_parent_error"' in text
    assert "Kept" in text


def test_changing_the_project_keeps_what_was_typed(
    sign_in: Any, maintainer: User, admin: User, project: Project
) -> None:
    make_project("WEB", by=admin)
    text = (
        sign_in(maintainer)
        .post("/issues/new/", {"project": "WEB", "switch": "1", "title": "Typed"})
        .content.decode()
    )
    assert 'value="Typed"' in text
    assert '<option value="WEB" selected>' in text
    assert not Issue.objects.exists()


# --- editing and merging -----------------------------------------------------------------------------
def edit_data(**changes: Any) -> dict[str, Any]:
    data = {"version": "1", "fields": ["title", "description", "severity"], "title": "The first <b>title</b>",
            "description": "Some **bold** words", "severity": "medium"}  # fmt: skip
    return data | changes


def test_an_edit_is_saved(sign_in: Any, maintainer: User, issue: Issue) -> None:
    reply = sign_in(maintainer).post("/issues/API-1/edit/", edit_data(title="Second"))
    assert reply["Location"] == "/issues/API-1/"
    issue.refresh_from_db()
    assert (issue.title, issue.version, issue.description) == ("Second", 2, "Some **bold** words")


def test_line_ends_of_a_browser_change_nothing(sign_in: Any, maintainer: User, project: Project) -> None:
    issue = make_issue(project, by=maintainer, title="T", description="one\ntwo")
    sign_in(maintainer).post("/issues/API-1/edit/", edit_data(title="T", description="one\r\ntwo"))
    issue.refresh_from_db()
    assert issue.version == 1


def test_a_stale_save_of_the_same_field_shows_both_texts(
    sign_in: Any, maintainer: User, admin: User, issue: Issue
) -> None:
    edit_issue(issue.pk, by=caller(admin), changes={"description": "Theirs, all of it"})
    data = edit_data(description="Mine, all of it", severity="high")
    reply = sign_in(maintainer).post("/issues/API-1/edit/", data)
    text = reply.content.decode()
    assert reply.status_code == 409
    for part in (
        "Theirs, all of it",
        "Mine, all of it",
        "Some **bold** words",
        "Ada Admin",
        'name="version" value="2"',
    ):
        assert part in text
    assert '<option value="high" selected>' in text
    issue.refresh_from_db()
    assert (issue.description, issue.severity) == ("Theirs, all of it", 2)


def test_the_merge_page_saves_mine_edited(sign_in: Any, maintainer: User, admin: User, issue: Issue) -> None:
    edit_issue(issue.pk, by=caller(admin), changes={"description": "Theirs"})
    data = {"version": "2", "fields": ["description", "severity"], "keep_description": "mine",
            "description": "Theirs and mine", "severity": "high"}  # fmt: skip
    assert sign_in(maintainer).post("/issues/API-1/edit/", data).status_code == 302
    issue.refresh_from_db()
    assert (issue.description, issue.severity, issue.version) == ("Theirs and mine", 3, 3)


def test_the_merge_page_keeps_theirs_and_saves_the_rest(
    sign_in: Any, maintainer: User, admin: User, issue: Issue
) -> None:
    edit_issue(issue.pk, by=caller(admin), changes={"description": "Theirs"})
    data = {"version": "2", "fields": ["description", "severity"], "keep_description": "theirs",
            "description": "Mine", "severity": "high"}  # fmt: skip
    assert sign_in(maintainer).post("/issues/API-1/edit/", data).status_code == 302
    issue.refresh_from_db()
    assert (issue.description, issue.severity) == ("Theirs", 3)


def test_keeping_theirs_of_the_only_field_changes_nothing(
    sign_in: Any, maintainer: User, admin: User, issue: Issue
) -> None:
    edit_issue(issue.pk, by=caller(admin), changes={"title": "Theirs"})
    data = {"version": "2", "fields": ["title"], "keep_title": "theirs", "title": "Mine"}
    assert sign_in(maintainer).post("/issues/API-1/edit/", data).status_code == 302
    issue.refresh_from_db()
    assert (issue.title, issue.version) == ("Theirs", 2)


def test_a_third_change_during_the_merge_is_merged_again(
    sign_in: Any, maintainer: User, admin: User, issue: Issue
) -> None:
    edit_issue(issue.pk, by=caller(admin), changes={"title": "Second"})
    edit_issue(issue.pk, by=caller(admin), changes={"title": "Third"})
    data = {"version": "2", "fields": ["title"], "keep_title": "mine", "title": "Mine"}
    reply = sign_in(maintainer).post("/issues/API-1/edit/", data)
    text = reply.content.decode()
    assert reply.status_code == 409
    assert "Third" in text
    assert 'value="Mine"' in text
    assert 'name="version" value="3"' in text


def test_changes_of_different_fields_are_both_kept(
    sign_in: Any, maintainer: User, admin: User, issue: Issue
) -> None:
    edit_issue(issue.pk, by=caller(admin), changes={"title": "Theirs"})
    reply = sign_in(maintainer).post("/issues/API-1/edit/", edit_data(description="Mine"), follow=True)
    issue.refresh_from_db()
    assert (issue.title, issue.description, issue.version) == ("Theirs", "Mine", 3)
    assert "Both changes are in" in reply.content.decode()


def test_the_same_change_by_two_people_is_no_conflict(
    sign_in: Any, maintainer: User, admin: User, issue: Issue
) -> None:
    edit_issue(issue.pk, by=caller(admin), changes={"title": "Agreed"})
    assert sign_in(maintainer).post("/issues/API-1/edit/", edit_data(title="Agreed")).status_code == 302
    issue.refresh_from_db()
    assert (issue.title, issue.version) == ("Agreed", 2)


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 40])
def test_an_edit_without_a_version_is_asked_again(
    version: str, sign_in: Any, maintainer: User, issue: Issue
) -> None:
    reply = sign_in(maintainer).post("/issues/API-1/edit/", edit_data(title="Typed", version=version))
    assert reply.status_code == 400
    assert 'value="Typed"' in reply.content.decode()
    issue.refresh_from_db()
    assert issue.version == 1


def test_a_reporter_cannot_slip_a_field_into_the_form(sign_in: Any, reporter: User, project: Project) -> None:
    issue = make_issue(project, by=reporter, title="Mine")
    data = {"version": "1", "fields": ["title", "priority"], "title": "Mine too", "priority": "urgent"}
    reply = sign_in(reporter).post("/issues/API-1/edit/", data)
    assert reply.status_code == 403
    issue.refresh_from_db()
    assert (issue.title, issue.priority) == ("Mine", 0)


def test_an_issue_that_goes_into_the_trash_meanwhile_is_not_found(
    sign_in: Any, maintainer: User, admin: User, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(issue_id: uuid.UUID, **_how: Any) -> None:
        trash_issue(issue_id, by=caller(admin))
        raise Stale(issue_id=issue_id, expected=1)

    monkeypatch.setattr("issues.views.issues.edit_issue", overtaken)
    assert sign_in(maintainer).post("/issues/API-1/edit/", edit_data(title="Mine")).status_code == 404

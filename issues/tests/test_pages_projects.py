"""The pages of projects and their settings."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Role, User
from issues.models import Issue, Label, Milestone, Project
from issues.services.projects import archive_project
from issues.tests.pages import page
from tests.make import caller, make_issue, make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(admin: User) -> Project:
    return make_project("API", by=admin, name="Public API")


def new_project(**changes: Any) -> dict[str, Any]:
    data = {"name": "Web site", "key": "web", "description": "", "preset": "kanban", "visibility": "internal",
            "lead": "", "time_zone": "UTC"}  # fmt: skip
    return data | changes


def details(**changes: Any) -> dict[str, Any]:
    data = {"name": "Public API", "description": "", "visibility": "internal", "lead": "", "time_zone": "UTC"}
    return data | changes


def test_a_maintainer_makes_a_project(sign_in: Any, maintainer: User) -> None:
    reply = sign_in(maintainer).post("/projects/new/", new_project())
    assert reply["Location"] == "/projects/WEB/"
    assert Project.objects.get().workflow_preset == "kanban"


@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.REPORTER])
def test_others_are_not_offered_a_new_project(
    role: str, sign_in: Any, request: pytest.FixtureRequest, project: Project
) -> None:
    browser = sign_in(request.getfixturevalue(role))
    assert "/projects/new/" not in page(browser, "/projects/")
    assert browser.post("/projects/new/", new_project()).status_code == 403
    assert Project.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "status", "marked"),
    [
        ({"key": "1x"}, 400, "id_key_error"),
        ({"key": "API"}, 409, "id_key_error"),
        ({"name": ""}, 400, "id_name_error"),
        ({"time_zone": "Nowhere/At_all"}, 400, "id_time_zone_error"),
    ],
)
def test_a_refused_project_keeps_what_was_typed(
    changes: dict[str, str], status: int, marked: str, sign_in: Any, maintainer: User, project: Project
) -> None:
    reply = sign_in(maintainer).post("/projects/new/", new_project(description="Kept text", **changes))
    text = reply.content.decode()
    assert reply.status_code == status
    assert f'id="{marked}"' in text
    assert "Kept text" in text
    assert Project.objects.count() == 1


def test_a_private_project_is_hidden_from_others(sign_in: Any, admin: User, maintainer: User) -> None:
    make_project("SEC", by=admin, visibility="private")
    assert "SEC" in page(sign_in(admin), "/projects/")
    assert "SEC" not in page(sign_in(maintainer), "/projects/")
    for path in ("/projects/SEC/", "/projects/SEC/settings/"):
        page(sign_in(maintainer), path, 404)
    for action in ("settings", "archive", "unarchive", "labels", "milestones"):
        assert sign_in(maintainer).post(f"/projects/SEC/{action}/", {"name": "x"}).status_code == 404


def test_the_list_counts_only_what_the_person_sees(
    sign_in: Any, maintainer: User, outsider: User, project: Project
) -> None:
    make_issue(project, by=maintainer)
    assert "1 open" in page(sign_in(maintainer), "/projects/")
    assert "0 open" in page(sign_in(outsider), "/projects/")


def test_settings_are_saved(sign_in: Any, maintainer: User, project: Project) -> None:
    reply = sign_in(maintainer).post(
        "/projects/API/settings/", details(name="Better", reporters_see_all="on")
    )
    assert reply.status_code == 302
    project.refresh_from_db()
    assert (project.name, project.reporters_see_all) == ("Better", True)


def test_a_refused_setting_keeps_what_was_typed(sign_in: Any, maintainer: User, project: Project) -> None:
    reply = sign_in(maintainer).post("/projects/API/settings/", details(name="Typed", visibility="private"))
    assert reply.status_code == 400
    assert 'value="Typed"' in reply.content.decode()
    project.refresh_from_db()
    assert project.visibility == "internal"


def test_a_developer_sees_of_the_settings_the_labels_alone(
    sign_in: Any, developer: User, project: Project
) -> None:
    browser = sign_in(developer)
    text = page(browser, "/projects/API/settings/")
    assert "/projects/API/labels/" in text
    for absent in ('name="visibility"', "/archive/", "/milestones/"):
        assert absent not in text
    assert browser.post("/projects/API/settings/", details(name="x")).status_code == 403
    assert browser.post("/projects/API/archive/").status_code == 403


def test_a_reporter_sees_no_settings(sign_in: Any, reporter: User, project: Project) -> None:
    assert "/projects/API/settings/" not in page(sign_in(reporter), "/projects/API/")
    page(sign_in(reporter), "/projects/API/settings/", 403)


def test_labels_are_added_changed_and_deleted(sign_in: Any, maintainer: User, project: Project) -> None:
    browser = sign_in(maintainer)
    browser.post("/projects/API/labels/", {"name": "bug-bash", "color": "#3b82f6", "description": ""})
    label = Label.objects.get()
    assert "tint-7" in page(browser, "/projects/API/settings/")
    path = f"/projects/API/labels/{label.pk}/"
    assert 'value="bug-bash"' in page(browser, path)
    browser.post(path, {"name": "bash", "color": "#3b82f6", "description": "On Fridays"})
    label.refresh_from_db()
    assert (label.name, label.description) == ("bash", "On Fridays")
    browser.post(f"{path}delete/")
    assert not Label.objects.exists()


def test_a_label_of_a_name_that_is_taken_is_refused(sign_in: Any, maintainer: User, project: Project) -> None:
    browser = sign_in(maintainer)
    for _ in range(2):
        reply = browser.post("/projects/API/labels/", {"name": "docs", "color": "#3b82f6"})
    assert reply.status_code == 409
    assert 'id="label_name_error"' in reply.content.decode()
    assert Label.objects.count() == 1


def test_a_developer_adds_labels_but_changes_none(
    sign_in: Any, developer: User, maintainer: User, project: Project
) -> None:
    sign_in(developer).post("/projects/API/labels/", {"name": "docs", "color": "#3b82f6"})
    path = f"/projects/API/labels/{Label.objects.get().pk}/"
    page(sign_in(developer), path, 403)
    assert sign_in(developer).post(f"{path}delete/").status_code == 403
    assert path not in page(sign_in(developer), "/projects/API/settings/")
    assert path in page(sign_in(maintainer), "/projects/API/settings/")


def test_milestones_are_added_changed_and_deleted(sign_in: Any, maintainer: User, project: Project) -> None:
    browser = sign_in(maintainer)
    browser.post("/projects/API/milestones/", {"name": "M1", "due_date": "2026-12-01", "state": "open"})
    milestone = Milestone.objects.get()
    assert "M1" in page(browser, "/projects/API/settings/")
    path = f"/projects/API/milestones/{milestone.pk}/"
    assert 'value="2026-12-01"' in page(browser, path)
    browser.post(path, {"name": "M1", "due_date": "", "state": "closed"})
    milestone.refresh_from_db()
    assert (milestone.due_date, milestone.state) == (None, "closed")
    browser.post(f"{path}delete/")
    assert not Milestone.objects.exists()


def test_a_label_is_not_found_through_another_project(
    sign_in: Any, maintainer: User, admin: User, project: Project
) -> None:
    make_project("WEB", by=admin)
    sign_in(maintainer).post("/projects/API/labels/", {"name": "docs", "color": "#3b82f6"})
    page(sign_in(maintainer), f"/projects/WEB/labels/{Label.objects.get().pk}/", 404)


def test_an_archived_project_is_read_only_until_it_is_taken_out(
    sign_in: Any, maintainer: User, project: Project
) -> None:
    browser = sign_in(maintainer)
    browser.post("/projects/API/archive/")
    text = page(browser, "/projects/API/settings/")
    assert 'name="visibility"' not in text
    assert "/unarchive/" in text
    assert "/issues/new/?project=API" not in page(browser, "/projects/API/")
    data = {
        "project": "API",
        "title": "T",
        "type": "bug",
        "severity": "low",
        "priority": "none",
        "status": "open",
    }
    assert browser.post("/issues/new/", data).status_code == 409
    assert not Issue.objects.exists()
    browser.post("/projects/API/unarchive/")
    assert browser.post("/issues/new/", data).status_code == 302


def test_the_archived_project_of_a_link_is_still_a_filter(
    sign_in: Any, admin: User, project: Project
) -> None:
    archive_project(project.pk, by=caller(admin))
    assert '<option value="API" selected>' in page(sign_in(admin), "/issues/?project=API")


def test_the_workflow_is_shown_as_a_table(sign_in: Any, maintainer: User, project: Project) -> None:
    text = page(sign_in(maintainer), "/projects/API/settings/")
    assert "Triaged, In progress" in text


@pytest.mark.parametrize("path", ["/projects/new/", "/projects/API/settings/", "/projects/API/archive/"])
def test_a_projects_form_without_its_token_is_refused(path: str, maintainer: User, project: Project) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(maintainer)
    assert browser.post(path, new_project()).status_code == 403

import re
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from accounts.models import Role, Team, TeamMembership, User
from accounts.services.passwords import is_password_of
from accounts.services.roles import role_permissions
from accounts.services.teams import create_team
from issues.models import Project
from issues.services.issues import change_status
from tests.make import PASSWORD, caller, fresh, make_issue, make_project, make_user
from tracker.models import Event

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "another-long-password-9"
LISTS = [
    "accounts_user", "accounts_team", "auth_group", "issues_project", "tracker_event",
    "django_celery_beat_periodictask", "django_celery_beat_intervalschedule",
    "django_celery_beat_crontabschedule",
]  # fmt: skip
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>|\sstyle=|\son[a-z]+=\"|<style"
)


@pytest.fixture
def site(admin: User, sign_in: Any) -> Client:
    signed_in: Client = sign_in(admin)
    return signed_in


def account(**changes: Any) -> dict[str, Any]:
    return {
        "email": "new@example.org", "name": "New Person", "role": "developer", "is_active": "on",
        "time_zone": "UTC", "language": "en", "password": "",
    } | changes  # fmt: skip


def errors(reply: Any) -> str:
    assert reply.status_code == 200
    return " ".join(re.findall(r'class="error[^"]*"[^>]*>(.*?)</', reply.content.decode(), re.DOTALL))


# --- who enters --------------------------------------------------------------------------------------
def test_the_admin_signs_in_where_everybody_does(client: Client) -> None:
    reply = client.get("/admin/", follow=True)
    assert reply.redirect_chain[-1][0] == "/accounts/login/?next=/admin/"
    assert client.post("/admin/login/", {"username": "a", "password": "b"}).status_code == 302


@pytest.mark.parametrize("role", [Role.REPORTER, Role.DEVELOPER, Role.MAINTAINER])
def test_only_admins_enter(role: str, sign_in: Any) -> None:
    person = sign_in(make_user(role))
    assert person.get("/admin/", follow=True).status_code == 403
    for name in LISTS:
        assert person.get(reverse(f"admin:{name}_changelist"), follow=True).status_code == 403


def test_an_admin_who_is_demoted_is_out_at_once(site: Client, admin: User) -> None:
    assert site.get("/admin/").status_code == 200
    other = make_user(Role.ADMIN)
    url = reverse("admin:accounts_user_change", args=[admin.pk])
    Client().force_login(other)
    second = Client()
    second.force_login(other)
    row = account(email=admin.email, name=admin.name, role="developer")
    assert second.post(url, row).status_code == 302
    assert site.get("/admin/", follow=True).status_code == 403


def test_signing_out_and_passwords_are_the_products_own(site: Client) -> None:
    assert site.get("/admin/password_change/")["Location"] == reverse("password")
    reply = site.post("/admin/logout/")
    assert (reply.status_code, reply["Location"]) == (307, reverse("logout"))


# --- pages -------------------------------------------------------------------------------------------
def pages() -> list[str]:
    project = Project.objects.get()
    event = Event.objects.order_by("order").first()
    assert event is not None
    return [
        "/admin/",
        *(reverse(f"admin:{name}_changelist") for name in LISTS),
        *(
            reverse(f"admin:{name}_add")
            for name in (
                "accounts_user",
                "accounts_team",
                "issues_project",
                "django_celery_beat_periodictask",
            )
        ),
        reverse("admin:accounts_user_change", args=[User.objects.order_by("pk")[0].pk]),
        reverse("admin:auth_group_change", args=[Group.objects.get(name="developer").pk]),
        reverse("admin:issues_project_change", args=[project.pk]),
        reverse("admin:issues_project_workflow", args=[project.pk]),
        reverse("admin:tracker_event_change", args=[event.pk]),
        reverse("admin:django_celery_beat_periodictask_change", args=[PeriodicTask.objects.all()[0].pk]),
        reverse("admin:accounts_team_delete", args=[Team.objects.get().pk]),
        reverse("admin:accounts_team_change", args=[Team.objects.get().pk]),
    ]


def test_every_page_renders_without_anything_inline(site: Client, admin: User) -> None:
    make_issue(make_project("API", by=admin), by=admin)
    create_team(by=caller(admin), name="Core")
    for url in pages():
        reply = site.get(url)
        assert reply.status_code == 200, url
        assert "default-src 'self'" in reply["Content-Security-Policy"]
        assert INLINE.findall(reply.content.decode()) == [], url


# --- people ------------------------------------------------------------------------------------------
def test_an_account_is_made_and_changed_by_the_services(site: Client, admin: User) -> None:
    reply = site.post(
        reverse("admin:accounts_user_add"), account(password=NEW_PASSWORD, email="NEW@example.org")
    )
    assert reply.status_code == 302
    person = User.objects.get(email="new@example.org")
    assert is_password_of(person, NEW_PASSWORD)
    assert list(person.groups.values_list("name", flat=True)) == ["developer"]
    url = reverse("admin:accounts_user_change", args=[person.pk])
    assert site.post(url, account(role="maintainer")).status_code == 302
    person = fresh(person)
    assert (person.role, is_password_of(person, NEW_PASSWORD)) == ("maintainer", True)
    assert site.post(url, account(role="maintainer", password=PASSWORD)).status_code == 302
    assert is_password_of(fresh(person), PASSWORD)
    events = Event.objects.filter(subject_id=person.pk, source="admin").order_by("order")
    assert [event.verb for event in events][:2] == ["user.created", "user.role_changed"]
    assert {event.actor_id for event in events} == {admin.pk}


def test_a_refusal_of_a_service_shows_in_the_form(site: Client, admin: User) -> None:
    url = reverse("admin:accounts_user_change", args=[admin.pk])
    reply = site.post(url, account(email=admin.email, name=admin.name, role="reporter"))
    assert "only one" in errors(reply)
    assert fresh(admin).role == "admin"
    reply = site.post(reverse("admin:accounts_user_add"), account(password="password"))
    assert "too common" in errors(reply)
    reply = site.post(reverse("admin:accounts_user_add"), account(email=admin.email.upper()))
    assert errors(reply)
    reply = site.post(reverse("admin:accounts_user_add"), account(time_zone="Mars/Base", name="a\x07b"))
    assert errors(reply)
    assert User.objects.count() == 1


def test_accounts_are_deactivated_together_or_not_at_all(site: Client, admin: User) -> None:
    person = make_user(Role.DEVELOPER)
    body = {"action": "deactivate", "_selected_action": [str(person.pk), str(admin.pk)]}
    reply = site.post(reverse("admin:accounts_user_changelist"), body, follow=True)
    assert "only one" in reply.content.decode()
    assert fresh(person).is_active
    assert fresh(admin).is_active
    site.post(reverse("admin:accounts_user_changelist"), body | {"_selected_action": [str(person.pk)]})
    assert not User.objects.get(pk=person.pk).is_active


def test_accounts_are_never_deleted(site: Client) -> None:
    person = make_user(Role.DEVELOPER)
    assert (
        site.post(reverse("admin:accounts_user_delete", args=[person.pk]), {"post": "yes"}).status_code == 403
    )
    body = {"action": "delete_selected", "_selected_action": [str(person.pk)], "post": "yes"}
    site.post(reverse("admin:accounts_user_changelist"), body)
    assert User.objects.filter(pk=person.pk).exists()


# --- roles -------------------------------------------------------------------------------------------
def test_the_permissions_of_a_role_are_set_by_the_service(site: Client) -> None:
    group = Group.objects.get(name="reporter")
    wanted = Permission.objects.filter(
        content_type__app_label="issues", codename__in=["file_issue", "create_label"]
    )
    url = reverse("admin:auth_group_change", args=[group.pk])
    assert site.post(url, {"permissions": [row.pk for row in wanted]}).status_code == 302
    assert role_permissions("reporter") == {"issues.file_issue", "issues.create_label"}
    assert Event.objects.get(verb="role.permissions_changed").data["role"] == "reporter"


def test_admins_keep_the_right_to_manage_users(site: Client) -> None:
    before = role_permissions("admin")
    url = reverse("admin:auth_group_change", args=[Group.objects.get(name="admin").pk])
    assert "Admins keep" in errors(site.post(url, {"permissions": []}))
    assert role_permissions("admin") == before


def test_roles_are_neither_added_nor_deleted(site: Client) -> None:
    assert site.get(reverse("admin:auth_group_add")).status_code == 403
    assert site.get(reverse("admin:auth_group_delete", args=[Group.objects.all()[0].pk])).status_code == 403


# --- teams -------------------------------------------------------------------------------------------
def members(team: Team, *rows: dict[str, Any]) -> dict[str, Any]:
    held = list(TeamMembership.objects.filter(team=team).order_by("pk")) if team.pk else []
    body: dict[str, Any] = {
        "memberships-TOTAL_FORMS": len(rows), "memberships-INITIAL_FORMS": len(held),
        "memberships-MIN_NUM_FORMS": 0, "memberships-MAX_NUM_FORMS": 1000,
    }  # fmt: skip
    for place, row in enumerate(rows):
        for name, value in row.items():
            body[f"memberships-{place}-{name}"] = value
    return body


def test_a_team_and_its_members_are_saved_by_the_services(site: Client, admin: User, developer: User) -> None:
    body = {"name": "Core", "description": ""} | members(
        Team(pk=None), {"user": developer.pk, "role": "member"}
    )
    assert site.post(reverse("admin:accounts_team_add"), body).status_code == 302
    team = Team.objects.get()
    assert {each.user_id: each.role for each in team.memberships.all()} == {
        admin.pk: "lead",
        developer.pk: "member",
    }
    url = reverse("admin:accounts_team_change", args=[team.pk])
    rows = [
        {
            "id": each.pk,
            "team": team.pk,
            "user": each.user_id,
            "role": "lead",
            "DELETE": "on" * (each.user_id == admin.pk),
        }
        for each in team.memberships.order_by("pk")
    ]
    rows = [{name: value for name, value in row.items() if value} for row in rows]
    assert site.post(url, {"name": "Kernel", "description": ""} | members(team, *rows)).status_code == 302
    assert list(TeamMembership.objects.values_list("user_id", "role")) == [(developer.pk, "lead")]
    assert Team.objects.get().name == "Kernel"
    assert {"team.member_added", "team.member_changed", "team.member_removed"} <= set(
        Event.objects.values_list("verb", flat=True)
    )


def test_a_team_is_deleted_by_the_service(site: Client, admin: User) -> None:
    team = create_team(by=caller(admin), name="Core")
    make_project("SEC", by=admin, visibility="private", teams=[team])
    assert (
        site.post(reverse("admin:accounts_team_delete", args=[team.pk]), {"post": "yes"}).status_code == 302
    )
    assert not Team.objects.exists()
    assert Event.objects.filter(verb="team.deleted").exists()


@pytest.mark.parametrize("by_action", [False, True])
def test_a_deleted_team_leaves_its_issues_and_projects_with_an_event_each(
    site: Client, admin: User, by_action: bool
) -> None:
    team = create_team(by=caller(admin), name="Core")
    project = make_project("API", by=admin, teams=[team])
    issue = make_issue(project, by=admin, team=str(team.pk))
    if by_action:
        body = {"action": "delete_selected", "_selected_action": [team.pk], "post": "yes"}
        reply = site.post(reverse("admin:accounts_team_changelist"), body)
    else:
        reply = site.post(reverse("admin:accounts_team_delete", args=[team.pk]), {"post": "yes"})
    assert reply.status_code == 302
    assert not Team.objects.exists()
    issue.refresh_from_db()
    assert (issue.team_id, issue.version) == (None, 2)
    assert "team" in Event.objects.get(issue_id=issue.pk, version=2).changes
    assert Event.objects.get(project_id=project.pk, changes__has_key="teams").changes["teams"][1] == []


# --- projects ----------------------------------------------------------------------------------------
def project_body(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Public API", "description": "", "visibility": "internal", "lead": "", "time_zone": "UTC",
    } | changes  # fmt: skip


def test_a_project_is_made_changed_and_archived(site: Client, admin: User) -> None:
    team = create_team(by=caller(admin), name="Core")
    body = project_body(key="API", preset="service_desk", in_teams=[team.pk])
    assert site.post(reverse("admin:issues_project_add"), body).status_code == 302
    project = Project.objects.get()
    assert (project.workflow_preset, list(project.teams.all()), project.statuses.count()) == (
        "service_desk",
        [team],
        4,
    )
    url = reverse("admin:issues_project_change", args=[project.pk])
    body = project_body(name="API", visibility="private", in_teams=[], archived="on")
    assert site.post(url, body).status_code == 302
    project.refresh_from_db()
    assert (project.name, project.visibility, project.is_archived) == ("API", "private", True)
    assert "archived" in errors(site.post(url, body | {"name": "New"}))
    body.pop("archived")
    assert site.post(url, body).status_code == 302
    verbs = Event.objects.filter(project_id=project.pk).order_by("order").values_list("verb", flat=True)
    assert list(verbs) == [
        "project.created", "project.updated", "project.visibility_changed", "project.archived",
        "project.restored",
    ]  # fmt: skip


def test_a_bad_project_is_an_error_in_the_form(site: Client, admin: User) -> None:
    make_project("API", by=admin)
    for key in ("API", "api", "A-1"):
        assert errors(site.post(reverse("admin:issues_project_add"), project_body(key=key, preset="kanban")))
    assert Project.objects.count() == 1


def test_projects_are_archived_from_the_list(site: Client, admin: User) -> None:
    project = make_project("API", by=admin)
    url = reverse("admin:issues_project_changelist")
    for action, archived in (("archive", True), ("unarchive", False)):
        site.post(url, {"action": action, "_selected_action": [str(project.pk)]})
        project.refresh_from_db()
        assert project.is_archived is archived


def workflow_body(page: Any) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for part in (page.context["version_form"], *page.context["statuses"].forms, *page.context["steps"].forms):
        for field in part:
            body[field.html_name] = field.value() if field.value() is not None else ""
    for formset in (page.context["statuses"], page.context["steps"]):
        for field in formset.management_form:
            body[field.html_name] = field.value()
    return {
        name: value for name, value in body.items() if value not in ("", []) and not name.endswith("DELETE")
    }


def test_a_workflow_is_edited_as_a_whole(site: Client, admin: User) -> None:
    project = make_project("API", by=admin)
    issue = make_issue(project, by=admin)
    change_status(issue.pk, by=caller(admin), to="triaged")
    url = reverse("admin:issues_project_workflow", args=[project.pk])
    body = workflow_body(site.get(url))
    body |= {
        "s-0-name": "New",
        "s-4-slug": "review",
        "s-4-name": "Review",
        "s-4-ORDER": "3",
        "s-4-category": "started",
    }
    assert site.post(url, body).status_code == 302
    assert project.statuses.get(slug="open").name == "New"
    assert project.statuses.filter(slug="review").exists()
    assert "Somebody changed this workflow" in site.post(url, body | {"s-0-name": "Newer"}).content.decode()
    body = workflow_body(site.get(url)) | {"s-1-DELETE": "on"}
    steps = {name: "on" for name, value in _step_deletes(body).items() if value == "triaged"}
    assert "still have the status" in site.post(url, body | steps).content.decode()
    assert site.post(url, body | steps | {"s-1-move_to": "open"}).status_code == 302
    issue.refresh_from_db()
    assert issue.status.slug == "open"


def _step_deletes(body: dict[str, Any]) -> dict[str, str]:
    ends = {name: value for name, value in body.items() if name.endswith(("-source", "-target"))}
    return {f"{name.rsplit('-', 1)[0]}-DELETE": value for name, value in ends.items() if value == "triaged"}


def test_the_workflow_of_no_project_is_not_found(site: Client) -> None:
    assert site.get(reverse("admin:issues_project_workflow", args=[uuid.uuid4()])).status_code == 404


# --- audit -------------------------------------------------------------------------------------------
def test_the_audit_is_read_and_filtered_and_never_written(site: Client, admin: User, developer: User) -> None:
    project = make_project("API", by=admin)
    make_issue(project, by=developer)
    url = reverse("admin:tracker_event_changelist")

    def verbs(query: str) -> list[str]:
        return [event.verb for event in site.get(f"{url}?{query}").context["cl"].result_list]

    assert verbs("verb=issue.created") == ["issue.created"]
    assert verbs(f"actor={developer.email.upper()}")[0] == "issue.created"
    assert verbs(f"project={project.pk}") == ["issue.created", "project.created"]
    assert verbs("q=API-1") == ["issue.created"]
    assert verbs("until=2001-01-01") == verbs("from=2150-01-01") == verbs("from=nonsense") == []
    assert verbs("from=2001-01-01&verb=project.created") == ["project.created"]
    event = Event.objects.order_by("order")[0]
    change = reverse("admin:tracker_event_change", args=[event.pk])
    assert site.post(change, {"verb": "other"}).status_code == 403
    assert site.get(reverse("admin:tracker_event_delete", args=[event.pk])).status_code == 403
    assert site.get(reverse("admin:tracker_event_add")).status_code == 403


def test_a_page_of_the_audit_costs_few_queries(
    site: Client, admin: User, django_assert_max_num_queries: Any
) -> None:
    project = make_project("API", by=admin)
    for _ in range(5):
        make_issue(project, by=make_user(Role.DEVELOPER))
    url = reverse("admin:tracker_event_changelist")
    site.get(url)
    with django_assert_max_num_queries(8):
        site.get(url)


def test_schedules_stay_editable(site: Client) -> None:
    task = PeriodicTask.objects.all()[0]
    body = {"action": "disable_tasks", "_selected_action": [str(task.pk)]}
    site.post(reverse("admin:django_celery_beat_periodictask_changelist"), body)
    task.refresh_from_db()
    assert task.enabled is False

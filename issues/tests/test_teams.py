"""Teams, their members and projects, by the API; and the people of a project."""

import uuid
from typing import Any

import pytest

from accounts.models import Role, Team, User
from accounts.services.roles import role_permissions, set_role_permissions
from accounts.services.sessions import start_family
from accounts.services.teams import add_member, create_team
from accounts.services.users import set_role
from issues.services.projects import archive_project
from tests.make import caller, fresh, make_issue, make_project, make_user
from tracker.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(maintainer: User) -> Team:
    """A team that the maintainer leads."""
    return create_team(by=caller(maintainer), name="Platform")


@pytest.fixture
def ask(client: Any) -> Any:
    """Return a function that asks the API as a person."""
    tokens: dict[uuid.UUID, str] = {}

    def send(user: User, method: str, path: str, data: Any = None) -> Any:
        token = tokens.setdefault(user.pk, start_family(fresh(user)).access)
        more = {} if data is None else {"data": data, "content_type": "application/json"}
        headers = {"Authorization": f"Bearer {token}"}
        return getattr(client, method.lower())(f"/api/v1/{path}", headers=headers, **more)

    return send


def last_verbs(count: int) -> list[str]:
    """What the log says last."""
    return list(Event.objects.order_by("-order").values_list("verb", flat=True)[:count])


def test_who_makes_a_team_leads_it(ask: Any, maintainer: User) -> None:
    project = make_project(by=maintainer)

    response = ask(
        maintainer, "POST", "teams", {"name": " Web ", "description": "d", "projects": [project.key]}
    )

    assert response.status_code == 201
    body = response.json()
    assert body == {
        "id": body["id"], "name": "Web", "description": "d", "projects": [project.key], "member_count": 1
    }  # fmt: skip
    members = ask(maintainer, "GET", f"teams/{body['id']}/members").json()["results"]
    lead = {"id": str(maintainer.pk), "name": maintainer.name, "avatar_url": None}
    assert members == [{"user": lead, "role": "lead"}]
    assert ask(maintainer, "GET", f"teams/{body['id']}").json() == body


@pytest.mark.parametrize("role", [Role.REPORTER, Role.DEVELOPER])
def test_others_make_no_teams(ask: Any, role: str) -> None:
    assert ask(make_user(role), "POST", "teams", {"name": "Web"}).status_code == 403


def test_a_team_is_seen_by_its_members_and_admins(ask: Any, team: Team, admin: User, developer: User) -> None:
    path = f"teams/{team.pk}"
    for method, where in (("GET", path), ("PATCH", path), ("DELETE", path), ("GET", f"{path}/members")):
        body = {"name": "x"} if method == "PATCH" else None
        hidden = ask(developer, method, where, body)
        absent = ask(developer, method, where.replace(str(team.pk), str(uuid.uuid4())), body)
        assert (hidden.status_code, absent.status_code) == (404, 404)
        assert hidden.json() | {"request_id": ""} == absent.json() | {"request_id": ""}
    assert ask(developer, "GET", "teams").json()["results"] == []
    assert [row["name"] for row in ask(admin, "GET", "teams").json()["results"]] == ["Platform"]

    assert ask(admin, "POST", f"{path}/members", {"user": str(developer.pk)}).status_code == 201

    assert [row["id"] for row in ask(developer, "GET", "teams").json()["results"]] == [str(team.pk)]
    assert ask(developer, "GET", f"{path}/members").json()["results"][0]["role"] == "member"


def test_a_member_who_does_not_lead_changes_nothing(ask: Any, team: Team, admin: User) -> None:
    other = make_user(Role.MAINTAINER)
    add_member(team.pk, by=caller(admin), user_id=other.pk)
    path = f"teams/{team.pk}"

    for method, where, body in (
        ("PATCH", path, {"name": "x"}),
        ("PUT", path, {"nonsense": 1}),
        ("DELETE", path, None),
        ("POST", f"{path}/members", {"user": str(other.pk), "role": "lead"}),
        ("DELETE", f"{path}/members/{other.pk}", None),
    ):
        assert ask(other, method, where, body).status_code == 403, (method, where)


def test_a_lead_who_is_no_longer_a_maintainer_changes_nothing(
    ask: Any, team: Team, admin: User, maintainer: User
) -> None:
    set_role(maintainer.pk, by=caller(admin), role=Role.DEVELOPER)

    assert ask(maintainer, "PATCH", f"teams/{team.pk}", {"name": "x"}).status_code == 403


def test_members_come_change_and_go(ask: Any, team: Team, maintainer: User, developer: User) -> None:
    path = f"teams/{team.pk}/members"

    assert ask(maintainer, "POST", path, {"user": developer.email}).json()["role"] == "member"
    changed = ask(maintainer, "POST", path, {"user": {"id": str(developer.pk)}, "role": "lead"})
    assert changed.json()["role"] == "lead"
    assert ask(developer, "GET", f"teams/{team.pk}").status_code == 200
    assert ask(maintainer, "DELETE", f"{path}/{developer.pk}").status_code == 204
    assert ask(developer, "GET", f"teams/{team.pk}").status_code == 404
    assert ask(maintainer, "DELETE", f"{path}/{developer.pk}").status_code == 404

    assert last_verbs(3) == ["team.member_removed", "team.member_changed", "team.member_added"]


@pytest.mark.parametrize(
    "body", [{}, {"user": "nobody@example.org"}, {"user": str(uuid.uuid4())}, {"user": 3}]
)
def test_a_member_who_is_nobody_is_named(
    ask: Any, team: Team, maintainer: User, body: dict[str, Any]
) -> None:
    response = ask(maintainer, "POST", f"teams/{team.pk}/members", body)

    assert response.status_code == 400
    assert response.json()["details"]["fields"].keys() == {"user"}


def test_an_inactive_person_joins_no_team(ask: Any, team: Team, maintainer: User) -> None:
    gone = make_user(is_active=False)

    assert ask(maintainer, "POST", f"teams/{team.pk}/members", {"user": str(gone.pk)}).status_code == 400


def test_a_private_project_is_seen_through_a_team_at_the_next_request(
    ask: Any, team: Team, admin: User, maintainer: User, developer: User
) -> None:
    project = make_project(by=admin, visibility="private")
    add_member(team.pk, by=caller(maintainer), user_id=developer.pk)
    assert ask(developer, "GET", f"projects/{project.key}").status_code == 404

    assert ask(admin, "PATCH", f"teams/{team.pk}", {"projects": [project.key]}).status_code == 200
    assert ask(developer, "GET", f"projects/{project.key}").status_code == 200

    ask(maintainer, "DELETE", f"teams/{team.pk}/members/{developer.pk}")
    assert ask(developer, "GET", f"projects/{project.key}").status_code == 404


def test_a_project_that_one_does_not_see_is_none(ask: Any, team: Team, admin: User, maintainer: User) -> None:
    hidden = make_project(by=admin, visibility="private")

    for key in (hidden.key, "NOSUCH"):
        response = ask(maintainer, "PATCH", f"teams/{team.pk}", {"projects": [key]})
        assert response.status_code == 400
        assert "projects" in response.json()["details"]["fields"]


def test_what_was_read_may_be_sent_back(ask: Any, team: Team, maintainer: User) -> None:
    before = ask(maintainer, "GET", f"teams/{team.pk}").json()
    events = Event.objects.count()

    response = ask(maintainer, "PUT", f"teams/{team.pk}", before)

    assert response.json() == before
    assert Event.objects.count() == events


def test_a_name_is_taken_once(ask: Any, team: Team, maintainer: User) -> None:
    assert ask(maintainer, "POST", "teams", {"name": team.name}).status_code == 409


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": "x" * 101}, {"name": "a\nb"}, {"name": "x", "colour": 1}]
)
def test_a_bad_team_is_refused(ask: Any, maintainer: User, body: dict[str, Any]) -> None:
    assert ask(maintainer, "POST", "teams", body).status_code == 400
    assert not Team.objects.exists()


def test_a_deleted_team_leaves_its_issues_and_projects(ask: Any, team: Team, maintainer: User) -> None:
    project = make_project(by=maintainer, teams=[team])
    issue = make_issue(project, by=maintainer, team=str(team.pk))
    version = issue.version

    assert ask(maintainer, "DELETE", f"teams/{team.pk}").status_code == 204

    issue.refresh_from_db()
    assert issue.team_id is None
    assert issue.version == version + 1
    assert last_verbs(2) == ["team.deleted", "project.visibility_changed"]
    assert ask(maintainer, "GET", f"projects/{project.key}").json()["teams"] == []


def test_a_team_of_an_archived_project_can_be_deleted(
    ask: Any, team: Team, admin: User, maintainer: User
) -> None:
    project = make_project(by=maintainer, teams=[team])
    archive_project(project.pk, by=caller(admin))

    assert ask(maintainer, "DELETE", f"teams/{team.pk}").status_code == 204

    told = Event.objects.get(verb="project.visibility_changed", project_id=project.pk)
    assert told.changes["teams"] == [[{"id": str(team.pk), "name": "Platform"}], []]
    assert ask(maintainer, "GET", f"projects/{project.key}").json()["teams"] == []


def test_a_deleted_team_leaves_projects_that_are_hidden_from_who_deletes_it(
    ask: Any, team: Team, admin: User, maintainer: User
) -> None:
    project = make_project(by=admin, visibility="private", teams=[team], lead=admin)
    issue = make_issue(project, by=admin, team=str(team.pk))
    held = role_permissions(Role.ADMIN)
    set_role_permissions(Role.ADMIN, by=caller(admin), permissions=held - {"issues.see_private_projects"})
    other = make_user(Role.ADMIN)

    assert ask(other, "GET", f"projects/{project.key}").status_code == 404
    assert ask(other, "DELETE", f"teams/{team.pk}").status_code == 204

    issue.refresh_from_db()
    assert issue.team_id is None
    verbs = ["team.deleted", "project.visibility_changed", "issue.updated"]
    assert last_verbs(3) == verbs


def test_nobody_loses_sight_of_a_project_by_deleting_a_team(
    ask: Any, team: Team, admin: User, maintainer: User
) -> None:
    project = make_project(by=admin, visibility="private", lead=admin, teams=[team])

    response = ask(maintainer, "DELETE", f"teams/{team.pk}")

    assert response.status_code == 409
    assert project.key in response.json()["message"]
    assert Team.objects.filter(pk=team.pk).exists()


# --- the directory --------------------------------------------------------------------------------------
def names(response: Any) -> list[str]:
    """The names in a page of people."""
    assert all(row.keys() == {"id", "name", "avatar_url"} for row in response.json()["results"])
    return [row["name"] for row in response.json()["results"]]


def test_everybody_active_can_be_assigned_in_an_internal_project(
    ask: Any, admin: User, reporter: User, developer: User
) -> None:
    make_user(is_active=False)
    project = make_project(by=admin)

    found = ask(reporter, "GET", f"users/directory?project={project.key}")

    assert names(found) == sorted([admin.name, reporter.name, developer.name])
    assert names(ask(reporter, "GET", f"users/directory?project={project.key}&q=DEV")) == [developer.name]


def test_in_a_private_project_it_is_who_sees_it(
    ask: Any, team: Team, admin: User, maintainer: User, reporter: User
) -> None:
    lead = make_user(Role.DEVELOPER, name="Lea Lead")
    project = make_project(by=admin, visibility="private", teams=[team], lead=lead)

    assert names(ask(maintainer, "GET", f"users/directory?project={project.key}")) == [
        admin.name, lead.name, maintainer.name,
    ]  # fmt: skip
    for key in (project.key, "NOSUCH"):
        response = ask(reporter, "GET", f"users/directory?project={key}")
        assert response.status_code == 400
        assert response.json()["details"]["fields"].keys() == {"project"}
    assert ask(reporter, "GET", "users/directory").status_code == 400

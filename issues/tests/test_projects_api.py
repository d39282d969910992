import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.models import Role, Team, User
from accounts.services.teams import create_team
from issues.models import Project
from issues.services.issues import change_status
from issues.services.projects import archive_project
from tests.make import caller, make_issue, make_project, make_user

pytestmark = pytest.mark.django_db

JSON = "application/json"


def post(client: Client, url: str, body: Any) -> Any:
    return client.post(url, body, content_type=JSON)


def test_a_project_is_made_read_changed_and_archived(maintainer: User, sign_in: Any) -> None:
    client = sign_in(maintainer)
    made = post(client, "/api/v1/projects", {"key": "API", "name": " Public API "})
    assert made.status_code == 201
    assert made.json() == {
        "id": str(Project.objects.get().pk), "key": "API", "name": "Public API", "description": "",
        "visibility": "internal", "workflow_preset": "kanban", "lead": None, "teams": [],
        "reporters_see_all": False, "time_zone": "UTC", "archived": False, "open_count": 0,
        "created_at": made.json()["created_at"],
    }  # fmt: skip
    changed = client.patch(
        "/api/v1/projects/API/", {"name": "API", "lead": maintainer.email}, content_type=JSON
    ).json()
    assert (changed["name"], changed["lead"]["id"]) == ("API", str(maintainer.pk))
    assert client.put("/api/v1/projects/api/", changed, content_type=JSON).json() == changed
    assert client.delete("/api/v1/projects/API/").status_code == 204
    assert client.get("/api/v1/projects/API/").json()["archived"] is True
    refused = client.patch("/api/v1/projects/API/", {"name": "New"}, content_type=JSON)
    assert (refused.status_code, refused.json()["error"]) == (409, "E_CONFLICT")
    back = client.patch("/api/v1/projects/API/", {"archived": False, "name": "New"}, content_type=JSON)
    assert (back.json()["archived"], back.json()["name"]) == (False, "New")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "No key"}, "key"),
        ({"key": "API"}, "name"),
        ({"key": "api", "name": "x"}, "key"),
        ({"key": "API", "name": "x", "visibility": "public"}, "visibility"),
        ({"key": "API", "name": "x", "workflow_preset": "scrum"}, "workflow_preset"),
        ({"key": "API", "name": "x", "lead": str(uuid.uuid4())}, "lead"),
        ({"key": "API", "name": "x", "teams": [str(uuid.uuid4())]}, "teams"),
        ({"key": "API", "name": "x", "teams": ["core"]}, "teams"),
        ({"key": "API", "name": "x", "teams": "core"}, "teams"),
        ({"key": "API", "name": "x", "time_zone": "Mars"}, "time_zone"),
        ({"key": "API", "name": "x", "colour": "red"}, "colour"),
    ],
)
def test_a_bad_new_project_is_refused_by_field(
    maintainer: User, sign_in: Any, body: dict[str, Any], field: str
) -> None:
    reply = post(sign_in(maintainer), "/api/v1/projects/", body)
    assert (reply.status_code, list(reply.json()["details"]["fields"])) == (400, [field])
    assert not Project.objects.exists()


def test_a_taken_key_is_a_conflict(maintainer: User, sign_in: Any) -> None:
    make_project("API")
    assert post(sign_in(maintainer), "/api/v1/projects/", {"key": "API", "name": "x"}).status_code == 409


def test_what_was_read_makes_another_project(maintainer: User, sign_in: Any) -> None:
    team = create_team(by=caller(maintainer), name="Core")
    project = make_project("API", by=maintainer, teams=[team], lead=maintainer)
    client = sign_in(maintainer)
    row = client.get(f"/api/v1/projects/{project.key}/").json()
    assert row["teams"] == [str(team.pk)]
    made = post(client, "/api/v1/projects/", row | {"key": "WEB"})
    assert made.status_code == 201
    assert made.json()["teams"] == row["teams"]


def test_a_team_that_one_does_not_lead_is_refused_or_not_there(
    admin: User, maintainer: User, sign_in: Any
) -> None:
    hidden = create_team(by=caller(admin), name="Hidden")
    make_project("API", by=admin)
    client = sign_in(maintainer)
    url = "/api/v1/projects/API/"
    assert client.patch(url, {"teams": [str(hidden.pk)]}, content_type=JSON).status_code == 400
    assert sign_in(admin).patch(url, {"teams": [str(hidden.pk)]}, content_type=JSON).status_code == 200
    assert client.patch(url, {"teams": [{"id": str(hidden.pk)}]}, content_type=JSON).status_code == 200
    assert client.patch(url, {"teams": []}, content_type=JSON).json()["teams"] == []
    assert Team.objects.exists()


def test_the_list_has_what_one_sees_and_counts_what_one_sees(
    admin: User, reporter: User, developer: User, sign_in: Any
) -> None:
    shown, _ = make_project("API", by=admin), make_project("SEC", by=admin, visibility="private")
    closed = make_issue(shown, by=admin)
    change_status(closed.pk, by=caller(admin), to="in_progress")
    change_status(closed.pk, by=caller(admin), to="done")
    make_issue(shown, by=admin), make_issue(shown, by=reporter)
    rows = {}
    for person in (admin, developer, reporter):
        results = sign_in(person).get("/api/v1/projects/").json()["results"]
        rows[person.role] = {row["key"]: row["open_count"] for row in results}
    assert rows == {"admin": {"API": 2, "SEC": 0}, "developer": {"API": 2}, "reporter": {"API": 1}}


def test_the_list_is_searched_filtered_sorted_and_paged(admin: User, sign_in: Any) -> None:
    for key, name in (("API", "Public interface"), ("WEB", "Web shop"), ("OPS", "Operations")):
        make_project(key, by=admin, name=name)
    archive_project(Project.objects.get(key="OPS").pk, by=caller(admin))
    client = sign_in(admin)

    def keys(query: str) -> list[str]:
        return [row["key"] for row in client.get(f"/api/v1/projects/?{query}").json()["results"]]

    assert keys("") == ["OPS", "WEB", "API"]
    assert keys("sort=key") == ["API", "OPS", "WEB"]
    assert keys("search=web") == keys("search=SHOP") == ["WEB"]
    assert keys("archived=true") == ["OPS"]
    assert keys("archived=false&sort=-name") == ["WEB", "API"]
    page = client.get("/api/v1/projects/?size=2&page=2").json()
    assert (page["count"], len(page["results"])) == (3, 1)
    assert client.get("/api/v1/projects/?sort=owner").status_code == 400
    assert client.get("/api/v1/projects/?archived=maybe").status_code == 400


def test_a_list_of_many_projects_takes_four_queries(
    admin: User, sign_in: Any, django_assert_max_num_queries: Any
) -> None:
    for _ in range(5):
        make_issue(make_project(by=admin, lead=admin), by=admin)
    client = sign_in(admin)
    client.get("/api/v1/projects/")
    with django_assert_max_num_queries(5):  # the session's own row, which a bearer does not have, and four
        assert len(client.get("/api/v1/projects/").json()["results"]) == 5


@pytest.mark.parametrize("path", ["", "API/", "API/workflow/", "API/labels/", "API/milestones/"])
def test_nobody_gets_nothing(client: Client, path: str) -> None:
    make_project("API")
    reply = client.get(f"/api/v1/projects/{path}")
    assert (reply.status_code, reply["WWW-Authenticate"]) == (401, "Bearer")


OPERATIONS = [
    ("get", ""), ("put", ""), ("patch", ""), ("delete", ""), ("get", "workflow/"), ("put", "workflow/"),
    ("get", "labels/"), ("post", "labels/"), ("get", "labels/{id}/"), ("put", "labels/{id}/"),
    ("patch", "labels/{id}/"), ("delete", "labels/{id}/"), ("get", "milestones/"), ("post", "milestones/"),
    ("get", "milestones/{id}/"), ("put", "milestones/{id}/"), ("patch", "milestones/{id}/"),
    ("delete", "milestones/{id}/"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_hidden_project_reads_as_an_absent_one(
    method: str, path: str, outsider: User, maintainer: User, sign_in: Any
) -> None:
    make_project("SEC", visibility="private")
    for person in (outsider, maintainer):
        replies = []
        for key in ("SEC", "NONE"):
            url = f"/api/v1/projects/{key}/{path.format(id=uuid.uuid4())}"
            reply = sign_in(person).generic(method.upper(), url, b"{}", content_type=JSON)
            replies.append((reply.status_code, reply.json() | {"request_id": ""}))
        assert replies[0] == replies[1]
        assert replies[0][0] == 404


MAY = {
    ("post", "projects/"): {"maintainer", "admin"},
    ("patch", "projects/API/"): {"maintainer", "admin"},
    ("put", "projects/API/workflow/"): {"maintainer", "admin"},
    ("post", "projects/API/labels/"): {"developer", "maintainer", "admin"},
    ("post", "projects/API/milestones/"): {"maintainer", "admin"},
    ("delete", "projects/API/"): {"maintainer", "admin"},
}
BODIES: dict[str, Any] = {
    "projects/": {"key": "WEB", "name": "Web"},
    "projects/API/": {"description": "New"},
    "projects/API/labels/": {"name": "crash"},
    "projects/API/milestones/": {"name": "M1"},
}


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize(("method", "path"), MAY)
def test_each_role_may_what_the_table_says(method: str, path: str, role: str, sign_in: Any) -> None:
    make_project("API")
    client = sign_in(make_user(role))
    body = BODIES.get(path) or client.get("/api/v1/projects/API/workflow/").json()
    status = getattr(client, method)(f"/api/v1/{path}", body, content_type=JSON).status_code
    assert (status < 300) == (role in MAY[(method, path)])
    assert status < 300 or status == 403


def test_a_forbidden_operation_is_refused_before_its_body_is_read(developer: User, sign_in: Any) -> None:
    make_project("API")
    client = sign_in(developer)
    assert client.generic("PATCH", "/api/v1/projects/API/", b"{", content_type=JSON).status_code == 403
    assert client.generic("POST", "/api/v1/projects/", b"{", content_type=JSON).status_code == 403


def test_a_workflow_is_read_and_put_back(maintainer: User, sign_in: Any) -> None:
    project = make_project("API")
    make_issue(project, by=maintainer)
    client, url = sign_in(maintainer), "/api/v1/projects/API/workflow/"
    row = client.get(url).json()
    assert (row["version"], row["initial"]) == (1, "open")
    assert row["statuses"][2] == {
        "slug": "in_progress", "name": "In progress", "category": "started", "color": "#f59e0b",
    }  # fmt: skip
    assert row["transitions"][0] == {"from": "open", "to": "triaged", "roles": [], "requires": []}
    assert client.put(url, row, content_type=JSON).json() == row
    row["statuses"][0]["name"] = "New"
    changed = client.put(url, row, content_type=JSON)
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    row["statuses"][0]["name"] = "Newer"
    stale = client.put(url, row, content_type=JSON)
    assert (stale.status_code, stale.json()["error"]) == (409, "E_CONFLICT")
    without = changed.json() | {"initial": "triaged", "statuses": row["statuses"][1:], "transitions": []}
    assert client.put(url, without, content_type=JSON).status_code == 409
    moved = client.put(url, without | {"moves": {"open": "triaged"}}, content_type=JSON)
    assert (moved.status_code, moved.json()["statuses"][0]["slug"]) == (200, "triaged")


def test_labels_by_the_api(maintainer: User, sign_in: Any) -> None:
    make_project("API")
    client, url = sign_in(maintainer), "/api/v1/projects/API/labels/"
    made = post(client, url, {"name": "crash", "color": "#FF0000"})
    assert (made.status_code, made.json()["color"]) == (201, "#ff0000")
    assert post(client, url, {"name": "CRASH"}).status_code == 409
    assert post(client, url, {"name": "x", "color": "red"}).status_code == 400
    one = f"{url}{made.json()['id']}/"
    assert (
        client.put(one, made.json() | {"description": "It stops"}, content_type=JSON).json()["name"]
        == "crash"
    )
    assert client.get(one).json()["description"] == "It stops"
    assert client.put(one, {"color": "#000000"}, content_type=JSON).status_code == 400
    assert client.get(url).json()["results"] == [client.get(one).json()]
    assert client.delete(one).status_code == 204
    assert client.get(one).status_code == 404


def test_milestones_count_what_the_caller_sees(maintainer: User, reporter: User, sign_in: Any) -> None:
    project = make_project("API", preset="kanban")
    client, url = sign_in(maintainer), "/api/v1/projects/API/milestones/"
    made = post(client, url, {"name": "M1", "due_date": "2026-12-01", "description": "First"}).json()
    assert made == {
        "id": made["id"], "name": "M1", "description": "First", "due_date": "2026-12-01", "state": "open",
        "total": 0, "done": 0,
    }  # fmt: skip
    for status in ("done", "canceled", "todo"):
        make_issue(project, by=maintainer, milestone="M1", status=status)
    one = f"{url}{made['id']}/"
    assert client.get(one).json() | {"total": 3, "done": 1} == client.get(one).json()
    assert sign_in(reporter).get(url).json()["results"][0]["total"] == 0
    changed = client.patch(one, {"state": "closed", "due_date": None}, content_type=JSON).json()
    assert (changed["state"], changed["due_date"], changed["total"]) == ("closed", None, 3)
    assert client.patch(one, {"due_date": "2026-13-01"}, content_type=JSON).status_code == 400
    assert client.delete(one).status_code == 204
    assert client.get(url).json()["results"] == []


def test_a_label_of_another_project_is_not_found(admin: User, sign_in: Any) -> None:
    make_project("API", by=admin), make_project("WEB", by=admin)
    client = sign_in(admin)
    made = post(client, "/api/v1/projects/API/labels/", {"name": "crash"}).json()
    url = f"/api/v1/projects/WEB/labels/{made['id']}/"
    assert {client.get(url).status_code, client.delete(url).status_code} == {404}

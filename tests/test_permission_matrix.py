"""Who may do what, as one table: role × operation × object, asked of the API from outside.

Columns: reporter, developer, maintainer, admin. The reporter filed the issue `own`; `other` was filed by
somebody else and is assigned to nobody; `private` is the admin's, in a project that only admins see;
`trashed` was filed by the reporter. Comments are those of the issue's author. An operation of the schema
that the table lacks fails a test, and so does one that it invents.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from accounts.models import Role, User
from accounts.services.avatars import edit_account
from accounts.services.sessions import start_family
from accounts.services.teams import create_team
from accounts.services.users import deactivate_user
from issues.services.issues import trash_issue
from issues.services.labels import create_label
from issues.services.milestones import create_milestone
from tests.hostile import picture
from tests.make import (
    PASSWORD,
    caller,
    make_attachment,
    make_comment,
    make_import,
    make_issue,
    make_project,
    make_upload,
    make_user,
)

pytestmark = pytest.mark.django_db

PERSONAS = ("reporter", "developer", "maintainer", "admin")


@dataclass
class World:
    """What the operations are tried on."""

    people: dict[str, User] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    refresh: dict[str, str] = field(default_factory=dict)
    ids: dict[str, dict[str, str]] = field(default_factory=dict)


Body = Callable[[World, dict[str, str]], Any]


@dataclass(frozen=True)
class Operation:
    """A row: what is sent, and what each persona gets for each object, in the order of `PERSONAS`."""

    expect: Mapping[str, str]
    body: Body | None = None
    anonymous: int = 401
    query: str = ""


def same(value: Any) -> Body:
    """A body that does not depend on the world."""
    return lambda _world, _ids: value


def issue_rows(own: str, other: str, private: str, trashed: str) -> dict[str, str]:
    """The four kinds of issues."""
    return {"own": own, "other": other, "private": private, "trashed": trashed}


READ = issue_rows("200 200 200 200", "404 200 200 200", "404 404 404 200", "404 404 404 404")
PROJECT_READ = {"internal": "200 200 200 200", "private": "404 404 404 200"}


def project_write(code: int, *, developer: int = 403) -> dict[str, str]:
    """Maintainers in visible projects, admins everywhere."""
    return {"internal": f"403 {developer} {code} {code}", "private": f"404 404 404 {code}"}


def with_title(_: World, __: dict[str, str]) -> Any:
    return {"title": "Changed by the matrix"}


def whole_issue(_: World, ids: dict[str, str]) -> Any:
    return {"project": ids["key"], "title": "Changed by the matrix"}


def new_issue(_: World, ids: dict[str, str]) -> Any:
    return {"project": ids["key"], "title": "New"}


class FormOf(dict[str, Any]):
    """A body that is sent as multipart/form-data."""


def a_table(_: World, ids: dict[str, str]) -> FormOf:
    file = SimpleUploadedFile("matrix.csv", b"title\nFrom the matrix\n")
    return FormOf(file=file, project=ids["key"])


def a_file() -> FormOf:
    return FormOf(file=SimpleUploadedFile("matrix.txt", b"From the matrix."))


EVERYBODY = {"any": "200 200 200 200"}
ADMINS = {"any": "403 403 403 200"}
TABLE: dict[str, Operation] = {
    # --- sign-in -----------------------------------------------------------------------------------
    "POST /api/v1/auth/register": Operation(
        {"any": "201 201 201 201"},
        same({"email": "new@example.org", "password": PASSWORD, "name": "New"}),
        anonymous=201,
    ),
    "POST /api/v1/auth/login": Operation(
        EVERYBODY,
        lambda world, _: {"email": world.people["reporter"].email, "password": PASSWORD},
        anonymous=200,
    ),
    "POST /api/v1/auth/refresh": Operation(
        EVERYBODY, lambda world, _: {"refresh": world.refresh["reporter"]}, anonymous=200
    ),
    "POST /api/v1/auth/logout": Operation(
        {"any": "204 204 204 204"}, lambda world, _: {"refresh": world.refresh["developer"]}, anonymous=204
    ),
    "GET /api/v1/auth/me": Operation(EVERYBODY),
    "PUT /api/v1/auth/me": Operation(EVERYBODY, same({"name": "Me"})),
    "PATCH /api/v1/auth/me": Operation(EVERYBODY, same({"name": "Me"})),
    "GET /api/v1/users/me": Operation(EVERYBODY),
    "PUT /api/v1/users/me": Operation(EVERYBODY, same({"name": "Me"})),
    "PATCH /api/v1/users/me": Operation(EVERYBODY, same({"name": "Me"})),
    "POST /api/v1/auth/password": Operation(
        {"any": "204 204 204 204"}, same({"old": PASSWORD, "new": "another-long-password-8"})
    ),
    "POST /api/v1/auth/ticket": Operation(EVERYBODY),
    # --- people and teams --------------------------------------------------------------------------
    "GET /api/v1/users": Operation(ADMINS),
    "POST /api/v1/users": Operation(
        {"any": "403 403 403 201"}, same({"email": "made@example.org", "name": "Made", "role": "developer"})
    ),
    "GET /api/v1/users/{id}": Operation({"reporter": "200 404 404 200", "developer": "404 200 404 200"}),
    "PUT /api/v1/users/{id}": Operation({"reporter": "200 404 404 200"}, same({"name": "Renamed"})),
    "PATCH /api/v1/users/{id}": Operation(
        {"reporter": "200 404 404 200", "developer": "404 200 404 200"}, same({"name": "Renamed"})
    ),
    "DELETE /api/v1/users/{id}": Operation({"reporter": "204 404 404 204", "admin": "404 404 404 409"}),
    "GET /api/v1/users/{id}/avatar/{hash}": Operation({"avatar": "200 200 200 200"}),
    "GET /api/v1/users/directory": Operation(
        {"internal": "200 200 200 200", "private": "400 400 400 200"}, query="?project={key}"
    ),
    "GET /api/v1/teams": Operation(EVERYBODY),
    "POST /api/v1/teams": Operation({"any": "403 403 201 201"}, same({"name": "A new team"})),
    "GET /api/v1/teams/{id}": Operation({"team": "404 404 200 200"}),
    "PUT /api/v1/teams/{id}": Operation({"team": "404 404 200 200"}, same({"name": "Renamed"})),
    "PATCH /api/v1/teams/{id}": Operation({"team": "404 404 200 200"}, same({"name": "Renamed"})),
    "DELETE /api/v1/teams/{id}": Operation({"team": "404 404 204 204"}),
    "GET /api/v1/teams/{id}/members": Operation({"team": "404 404 200 200"}),
    "POST /api/v1/teams/{id}/members": Operation(
        {"team": "404 404 201 201"},
        lambda world, _: {"user": str(world.people["developer"].pk), "role": "member"},
    ),
    "DELETE /api/v1/teams/{id}/members/{user}": Operation({"team": "404 404 204 204"}),
    # --- projects ----------------------------------------------------------------------------------
    "GET /api/v1/projects": Operation(EVERYBODY),
    "POST /api/v1/projects": Operation({"any": "403 403 201 201"}, same({"key": "NEW", "name": "New"})),
    "GET /api/v1/projects/{key}": Operation(PROJECT_READ),
    "PUT /api/v1/projects/{key}": Operation(
        project_write(200), lambda _, ids: {"key": ids["key"], "name": "Renamed"}
    ),
    "PATCH /api/v1/projects/{key}": Operation(project_write(200), same({"name": "Renamed"})),
    "DELETE /api/v1/projects/{key}": Operation(project_write(204)),
    "GET /api/v1/projects/{key}/workflow": Operation(PROJECT_READ),
    "PUT /api/v1/projects/{key}/workflow": Operation(
        project_write(200),
        same(
            {
                "initial": "open",
                "statuses": [
                    {"slug": slug, "name": slug.title(), "category": category, "color": "#123456"}
                    for slug, category in (
                        ("open", "unstarted"),
                        ("triaged", "unstarted"),
                        ("in_progress", "started"),
                        ("done", "done"),
                    )
                ],
                "transitions": [{"from": "open", "to": "done", "roles": [], "requires": []}],
            }
        ),
    ),
    "GET /api/v1/projects/{key}/labels": Operation(PROJECT_READ),
    "POST /api/v1/projects/{key}/labels": Operation(
        project_write(201, developer=201), same({"name": "fresh"})
    ),
    "GET /api/v1/projects/{key}/labels/{id}": Operation(PROJECT_READ),
    "PUT /api/v1/projects/{key}/labels/{id}": Operation(project_write(200), same({"name": "fresh"})),
    "PATCH /api/v1/projects/{key}/labels/{id}": Operation(project_write(200), same({"name": "fresh"})),
    "DELETE /api/v1/projects/{key}/labels/{id}": Operation(project_write(204)),
    "GET /api/v1/projects/{key}/milestones": Operation(PROJECT_READ),
    "POST /api/v1/projects/{key}/milestones": Operation(project_write(201), same({"name": "fresh"})),
    "GET /api/v1/projects/{key}/milestones/{id}": Operation(PROJECT_READ),
    "PUT /api/v1/projects/{key}/milestones/{id}": Operation(project_write(200), same({"name": "fresh"})),
    "PATCH /api/v1/projects/{key}/milestones/{id}": Operation(project_write(200), same({"name": "fresh"})),
    "DELETE /api/v1/projects/{key}/milestones/{id}": Operation(project_write(204)),
    # --- issues ------------------------------------------------------------------------------------
    "GET /api/v1/issues": Operation(EVERYBODY | {"trash": "403 403 403 200"}, query="{query}"),
    "POST /api/v1/issues": Operation(
        {"internal": "201 201 201 201", "private": "400 400 400 201"}, new_issue
    ),
    "GET /api/v1/issues/my": Operation(EVERYBODY),
    "GET /api/v1/issues/search": Operation(EVERYBODY, query="?q=issue"),
    "GET /api/v1/issues/export": Operation(
        EVERYBODY | {"trash": "403 403 403 200", "private": "400 400 400 200"}, query="{query}"
    ),
    "GET /api/v1/issues/similar": Operation(
        {"internal": "200 200 200 200", "private": "400 400 400 200"}, query="?title=wrong&project={key}"
    ),
    "POST /api/v1/issues/bulk": Operation(
        issue_rows("403 403 200 200", "403 403 200 200", "403 403 400 200", "403 403 400 400"),
        lambda _, ids: {"issue_ids": [ids["id"]], "changes": {"priority": "urgent"}},
    ),
    "POST /api/v1/issues/bulk-status": Operation(
        issue_rows("403 403 200 200", "403 403 200 200", "403 403 400 200", "403 403 400 400"),
        lambda _, ids: {"issue_ids": [ids["issue_key"]], "new_status": "triaged"},
    ),
    "GET /api/v1/issues/key/{key}": Operation(READ),
    "GET /api/v1/issues/{id}": Operation(READ),
    "PUT /api/v1/issues/{id}": Operation(
        issue_rows("200 403 200 200", "404 403 200 200", "404 404 404 200", "404 404 404 404"), whole_issue
    ),
    "PATCH /api/v1/issues/{id}": Operation(
        issue_rows("200 403 200 200", "404 403 200 200", "404 404 404 200", "404 404 404 404"), with_title
    ),
    "DELETE /api/v1/issues/{id}": Operation(
        issue_rows("403 403 403 204", "404 403 403 204", "404 404 404 204", "404 404 404 404")
    ),
    "POST /api/v1/issues/{id}/restore": Operation(
        issue_rows("403 403 403 200", "404 403 403 200", "404 404 404 200", "404 404 404 200")
    ),
    "GET /api/v1/issues/{id}/transitions": Operation(READ),
    "POST /api/v1/issues/{id}/transitions": Operation(
        issue_rows("403 403 200 200", "404 403 200 200", "404 404 404 200", "404 404 404 404"),
        same({"to": "triaged"}),
    ),
    "GET /api/v1/issues/{id}/comments": Operation(READ),
    "POST /api/v1/issues/{id}/comments": Operation(
        issue_rows("201 201 201 201", "404 201 201 201", "404 404 404 201", "404 404 404 404"),
        same({"body": "From the matrix."}),
    ),
    "GET /api/v1/issues/{id}/timeline": Operation(READ),
    "GET /api/v1/issues/{id}/history": Operation(READ),
    "GET /api/v1/comments/{id}": Operation(READ | {"internal_comment": "404 200 200 200"}),
    "PUT /api/v1/comments/{id}": Operation(
        issue_rows("200 403 403 403", "404 403 403 403", "404 404 404 200", "404 404 404 404")
        | {"internal_comment": "404 403 403 403"},
        same({"body": "Changed by the matrix."}),
    ),
    "PATCH /api/v1/comments/{id}": Operation(
        issue_rows("200 403 403 403", "404 403 403 403", "404 404 404 200", "404 404 404 404")
        | {"internal_comment": "404 403 403 403"},
        same({"body": "Changed by the matrix."}),
    ),
    "DELETE /api/v1/comments/{id}": Operation(
        issue_rows("204 403 204 204", "404 403 204 204", "404 404 404 204", "404 404 404 404")
        | {"internal_comment": "404 403 204 204"}
    ),
    # --- imports -----------------------------------------------------------------------------------
    "POST /api/v1/issues/import": Operation(
        {"internal": "403 403 202 202", "private": "403 403 400 202"}, a_table
    ),
    "GET /api/v1/imports/{id}": Operation({"import": "404 404 200 200", "migration": "404 404 404 200"}),
    "POST /api/v1/imports/{id}/undo": Operation(
        {"import": "404 404 200 200", "migration": "404 404 404 200"}
    ),
    # --- attachments -------------------------------------------------------------------------------
    "GET /api/v1/issues/{id}/attachments": Operation(READ),
    "POST /api/v1/issues/{id}/attachments": Operation(
        issue_rows("201 201 201 201", "404 201 201 201", "404 404 404 201", "404 404 404 404"),
        lambda _world, _ids: a_file(),
    ),
    "GET /api/v1/attachments/{id}": Operation(READ),
    "GET /api/v1/attachments/{id}/content": Operation(READ),
    "PUT /api/v1/attachments/{id}": Operation(
        issue_rows("200 403 200 200", "404 403 200 200", "404 404 404 200", "404 404 404 404"),
        same({"filename": "matrix.txt"}),
    ),
    "PATCH /api/v1/attachments/{id}": Operation(
        issue_rows("200 403 200 200", "404 403 200 200", "404 404 404 200", "404 404 404 404"),
        same({"filename": "matrix.txt"}),
    ),
    "DELETE /api/v1/attachments/{id}": Operation(
        issue_rows("204 403 204 204", "404 403 204 204", "404 404 404 204", "404 404 404 404")
    ),
    # --- events ------------------------------------------------------------------------------------
    "GET /api/v1/events": Operation(
        {"internal": "200 200 200 200", "private": "400 400 400 200"}, query="?project={key}"
    ),
    # 503: the client of these tests speaks to a server that has no streams
    "GET /api/v1/events/stream": Operation(
        {"internal": "503 503 503 503", "private": "400 400 400 503"}, query="?project={key}"
    ),
}


@pytest.fixture
def world() -> World:
    """Four people, one who was deactivated, a stranger's issues, and one of each kind of object."""
    made = World()
    for role in Role.values:
        made.people[role] = make_user(role)
    stranger, admin = make_user(Role.MAINTAINER), made.people["admin"]
    internal = make_project("INT", by=admin)
    private = make_project("PRV", by=admin, visibility="private")
    team = create_team(by=caller(made.people["maintainer"]), name="Platform")
    for key, project in (("internal", internal), ("private", private)):
        label = create_label(project.pk, by=caller(admin), name="regression")
        milestone = create_milestone(project.pk, by=caller(admin), name="M1")
        made.ids[key] = {"key": project.key, "label": str(label.pk), "milestone": str(milestone.pk)}
    made.ids["team"] = {"id": str(team.pk), "user": str(made.people["maintainer"].pk)}
    for kind, project, author in (
        ("own", internal, made.people["reporter"]),
        ("other", internal, stranger),
        ("private", private, admin),
        ("trashed", internal, made.people["reporter"]),
    ):
        issue = make_issue(project, by=author)
        comment = make_comment(issue, by=author)
        key = f"{project.key}-{issue.number}"
        made.ids.setdefault(kind, {}).update(
            {"id": str(issue.pk), "issue_key": key, "comment": str(comment.pk), "key": project.key}
            | {"attachment": str(make_attachment(issue, by=author).pk)}
        )
        if kind == "own":
            internal_comment = make_comment(issue, by=stranger, internal=True)
            made.ids["internal_comment"] = {"comment": str(internal_comment.pk)}
    trash_issue(made.ids["trashed"]["id"], by=caller(admin))
    for kind, author in (("import", made.people["maintainer"]), ("migration", admin)):
        run = make_import(by=author, project=internal if kind == "import" else None)
        made.ids[kind] = {"id": str(run.pk)}
    for role in Role.values:
        made.ids[role] = {"id": str(made.people[role].pk)}
    with make_upload(picture()) as upload:
        shown = edit_account(admin.pk, by=caller(admin), changes={"avatar": upload})
    made.ids["avatar"] = {"id": str(admin.pk), "hash": shown.avatar_hash}
    for name, user in made.people.items():
        pair = start_family(user)
        made.tokens[name], made.refresh[name] = pair.access, pair.refresh
    return made


def address(operation: str, kind: str, world: World) -> tuple[str, str]:
    """Return method and path for an object."""
    method, path = operation.split(" ")
    ids = world.ids.get(kind, {})
    if "/comments/{id}" in path:
        path = path.replace("{id}", ids["comment"])
    elif "/attachments/{id}" in path:
        path = path.replace("{id}", ids["attachment"])
    elif "/issues/key/{key}" in path:
        path = path.replace("{key}", ids["issue_key"])
    elif "/labels/{id}" in path:
        path = path.replace("{id}", ids["label"])
    elif "/milestones/{id}" in path:
        path = path.replace("{id}", ids["milestone"])
    for name, value in ids.items():
        path = path.replace("{" + name + "}", value)
    query = TABLE[operation].query.format(
        key=ids.get("key", ""),
        query={"trash": "?trashed=true", "private": f"?project={ids.get('key')}"}.get(kind, ""),
    )
    return method, path + query


def ask(operation: str, kind: str, world: World, token: str | None) -> Any:
    """Send the operation as somebody, and undo what it did."""
    row = TABLE[operation]
    method, path = address(operation, kind, world)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    sent = row.body(world, world.ids.get(kind, {})) if row.body else None
    content: dict[str, Any] = {}
    if sent is not None and not isinstance(sent, FormOf):
        content = {"data": json.dumps(sent), "content_type": "application/json"}
    elif sent is not None:
        content = {"data": encode_multipart(BOUNDARY, sent), "content_type": MULTIPART_CONTENT}
    with transaction.atomic():
        answer = Client(headers=headers).generic(method, path, **content)
        transaction.set_rollback(True)
    return answer


@pytest.mark.parametrize("operation", TABLE)
def test_each_role_gets_what_the_table_says(operation: str, world: World) -> None:
    row = TABLE[operation]
    got = {
        kind: " ".join(str(ask(operation, kind, world, world.tokens[name]).status_code) for name in PERSONAS)
        for kind in row.expect
    }
    assert got == dict(row.expect)


@pytest.mark.parametrize("operation", TABLE)
def test_nobody_and_who_was_deactivated_get_nothing(operation: str, world: World) -> None:
    row = TABLE[operation]
    kind = next(iter(row.expect))
    assert ask(operation, kind, world, None).status_code == row.anonymous
    if row.anonymous == 401:
        deactivate_user(world.people["developer"].pk, by=caller(world.people["admin"]))
        refusal = ask(operation, kind, world, world.tokens["developer"])
        assert (refusal.status_code, refusal["WWW-Authenticate"]) == (401, "Bearer")


def test_a_hidden_object_and_an_absent_one_answer_alike(world: World) -> None:
    headers = {"Authorization": f"Bearer {world.tokens['reporter']}", "X-Request-ID": "same"}
    browser = Client(headers=headers)
    absent = "01234567-89ab-7def-8123-456789abcdef"
    for hidden, missing in (
        (f"/api/v1/issues/{world.ids['other']['id']}", f"/api/v1/issues/{absent}"),
        ("/api/v1/issues/PRV-1", "/api/v1/issues/NOPE-1"),
        (f"/api/v1/comments/{world.ids['other']['comment']}", f"/api/v1/comments/{absent}"),
        (f"/api/v1/attachments/{world.ids['other']['attachment']}", f"/api/v1/attachments/{absent}"),
        (
            f"/api/v1/attachments/{world.ids['other']['attachment']}/content",
            f"/api/v1/attachments/{absent}/content",
        ),
        ("/api/v1/projects/PRV", "/api/v1/projects/NOPE"),
        (f"/api/v1/users/{world.people['admin'].pk}", f"/api/v1/users/{absent}"),
    ):
        one, other = browser.get(hidden), browser.get(missing)
        assert (one.status_code, one.content) == (404, other.content)


def test_the_table_has_every_operation_of_the_schema_and_no_other() -> None:
    paths = Client().get("/api/schema/", headers={"Accept": "application/json"}).json()["paths"]
    operations = {
        f"{method.upper()} {path.rstrip('/')}"
        for path, methods in paths.items()
        for method in methods
        if method != "parameters"
    }
    table = {normal(operation) for operation in TABLE}
    assert {normal(operation) for operation in operations} == table


def normal(operation: str) -> str:
    """An operation without the names of its parameters."""
    return "/".join("{}" if part.startswith("{") else part for part in operation.split("/"))

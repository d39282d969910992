"""Issues in the API: reading, the trash, and how many queries a request costs."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User
from accounts.services.sessions import start_family
from issues.models import Issue, Project
from issues.services.labels import create_label
from issues.tests.api import ISSUES, queries, send
from tests.make import caller, make_comment, make_issue, make_project

pytestmark = pytest.mark.django_db
NOBODY = "01970000-0000-7000-8000-000000000000"


@pytest.fixture
def project(admin: User) -> Project:
    """An internal project with a label, on the preset `triage`."""
    project = make_project("API", by=admin)
    create_label(project.pk, by=caller(admin), name="bug")
    return project


@pytest.fixture
def issue(project: Project, reporter: User) -> Issue:
    """`API-1`, filed by the reporter."""
    return make_issue(project, by=reporter, title="It breaks", description="Always.")


# --- reading -------------------------------------------------------------------------------------
def test_one_issue_has_the_shape_of_the_contract(sign_in: Any, developer: User, issue: Issue) -> None:
    reply = sign_in(developer).get(f"{ISSUES}/API-1")
    body = reply.json()
    assert reply.status_code == 200
    assert reply["ETag"] == '"1"'
    assert list(body) == [
        "id", "key", "url", "project", "number", "title", "description", "type", "status", "severity",
        "priority",
        "reporter", "assignee", "labels", "milestone", "cycle", "parent", "team", "estimate", "due_date",
        "department", "version", "created_at", "updated_at", "started_at", "closed_at",
    ]  # fmt: skip
    assert body["url"].endswith("/issues/API-1/")
    assert body["status"] == {"slug": "open", "name": "Open", "category": "unstarted"}
    assert (body["severity"], body["priority"], body["type"]) == ("medium", "none", "task")
    assert body["reporter"] == {"id": str(issue.reporter_id), "name": "Rita Reporter", "avatar_url": None}


def test_an_issue_is_found_by_id_by_key_in_any_case_and_with_a_slash(
    sign_in: Any, developer: User, issue: Issue
) -> None:
    client = sign_in(developer)
    for path in (issue.pk, "API-1", "api-1", "API-1/", "key/API-1", "key/API-1/"):
        assert client.get(f"{ISSUES}/{path}").json()["id"] == str(issue.pk)
    assert client.get(f"{ISSUES}/key/{issue.pk}").status_code == 404


def test_a_hidden_issue_and_an_absent_one_are_answered_alike(
    sign_in: Any, outsider: User, admin: User, issue: Issue
) -> None:
    client = sign_in(outsider)
    paths = ("API-1", str(issue.pk), "API-999", "NOPE-1", str(uuid4()), "nonsense", "API-0", "API-1" * 50)
    replies = [client.get(f"{ISSUES}/{path}", headers={"X-Request-ID": "same"}) for path in paths]
    assert {reply.status_code for reply in replies} == {404}
    assert len({reply.content for reply in replies}) == 1


@pytest.mark.parametrize("path", ["", "/my", "/search?q=x", "/API-1", "/key/API-1", "/API-1/transitions"])
def test_the_anonymous_are_asked_to_sign_in(client: Any, issue: Issue, path: str) -> None:
    reply = client.get(ISSUES + path)
    assert (reply.status_code, reply["WWW-Authenticate"]) == (401, "Bearer")
    assert reply.json()["error"] == "E_UNAUTHENTICATED"


def test_a_reader_who_has_the_version_gets_304(sign_in: Any, developer: User, issue: Issue) -> None:
    client = sign_in(developer)
    for tag in ('"1"', 'W/"1"', '"0", "1"', "*"):
        reply = client.get(f"{ISSUES}/API-1", headers={"If-None-Match": tag})
        assert (reply.status_code, reply.content) == (304, b"")
    assert client.get(f"{ISSUES}/API-1", headers={"If-None-Match": '"2"'}).status_code == 200


def test_head_answers_like_get_without_a_body(sign_in: Any, developer: User, issue: Issue) -> None:
    reply = sign_in(developer).head(f"{ISSUES}/API-1")
    assert (reply.status_code, reply.content, reply["ETag"]) == (200, b"", '"1"')


def test_include_adds_comments_history_and_relations(
    sign_in: Any, developer: User, reporter: User, issue: Issue
) -> None:
    make_comment(issue, by=developer, internal=True)
    make_comment(issue, by=reporter, body="Public.")
    query = "?include=comments,history,relations"
    body = sign_in(developer).get(f"{ISSUES}/API-1{query}").json()
    assert [len(body[name]) for name in ("comments", "history", "relations")] == [2, 0, 0]
    body = sign_in(reporter).get(f"{ISSUES}/API-1{query}").json()
    assert [row["body"] for row in body["comments"]] == ["Public."]
    reply = sign_in(reporter).get(f"{ISSUES}/API-1{query}", headers={"If-None-Match": '"1"'})
    assert reply.status_code == 200


@pytest.mark.parametrize("query", ["include=nonsense", "include=comments,x", "trashed=maybe", "format=json"])
def test_a_bad_parameter_of_an_issue_is_named(
    sign_in: Any, developer: User, issue: Issue, query: str
) -> None:
    reply = sign_in(developer).get(f"{ISSUES}/API-1?{query}")
    assert reply.status_code == 400
    assert list(reply.json()["details"]["fields"]) == [query.partition("=")[0]]


# --- the trash -----------------------------------------------------------------------------------
def test_an_admin_trashes_and_restores(sign_in: Any, admin: User, maintainer: User, issue: Issue) -> None:
    client, other = sign_in(admin), sign_in(maintainer)
    assert send(other, "delete", f"{ISSUES}/API-1").status_code == 403
    assert send(other, "delete", f"{ISSUES}/API-1", {"version": "x"}).status_code == 403
    assert send(client, "delete", f"{ISSUES}/API-1", {"version": 9}).status_code == 409
    assert send(client, "delete", f"{ISSUES}/API-1", If_Match='"9"').status_code == 412
    reply = send(client, "delete", f"{ISSUES}/API-1", If_Match='"1"')
    assert (reply.status_code, reply.content) == (204, b"")
    for person in (client, other):
        for path in ("", "/comments", "/timeline", "/history", "/transitions"):
            assert person.get(f"{ISSUES}/API-1{path}").status_code == 404
    assert client.get(f"{ISSUES}/API-1?trashed=true").json()["key"] == "API-1"
    assert other.get(f"{ISSUES}/API-1?trashed=true").status_code == 403
    assert [row["key"] for row in client.get(f"{ISSUES}?trashed=true").json()["results"]] == ["API-1"]
    assert client.get(ISSUES).json()["results"] == []
    assert send(other, "post", f"{ISSUES}/API-1/restore").status_code == 404
    assert send(client, "post", f"{ISSUES}/API-1/restore").json()["key"] == "API-1"
    assert other.get(f"{ISSUES}/API-1").status_code == 200


# --- how many queries --------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_queries_a_request_numbering_included(maintainer: User, issue: Issue) -> None:
    client = Client(headers={"Authorization": f"Bearer {start_family(maintainer).access}"})
    child = {"project": "API", "title": "x", "parent": "API-1", "labels": ["bug"], "assignee": "me"}
    assert send(client, "post", ISSUES, child).status_code == 201
    client.get(ISSUES)
    with queries() as listed:
        assert len(client.get(f"{ISSUES}?status=open&assignee=me&label=bug").json()["results"]) == 1
    with queries() as read:
        assert client.get(f"{ISSUES}/API-2").json()["parent"]["key"] == "API-1"
    with queries() as created:
        assert send(client, "post", ISSUES, {"project": "API", "title": "x"}).status_code == 201
    with queries() as changed:
        assert send(client, "post", f"{ISSUES}/API-2/transitions", {"to": "triaged"}).status_code == 200
    assert len(listed) <= 4, listed
    assert len(read) <= 4, read
    assert len(created) <= 10, created
    assert len(changed) <= 8, changed

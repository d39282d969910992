"""Filing issues by the API: who may set what, and what is refused."""

from typing import Any
from uuid import uuid4

import pytest

from accounts.models import User
from issues.models import Issue, Project
from issues.services.labels import create_label
from issues.services.projects import archive_project
from issues.tests.api import ISSUES, send
from tests.make import caller, make_issue, make_project

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


def test_a_reporter_files_an_issue(sign_in: Any, reporter: User, project: Project) -> None:
    fields = {
        "project": "api", "title": "  It breaks ", "description": " x\r\ny ", "type": "bug",
        "severity": "high",
        "department": "Sales", "creator_id": 5, "is_staff": True, "key": "X-1",
        "reporter": {"id": str(reporter.pk)},
    }  # fmt: skip
    reply = send(sign_in(reporter), "post", ISSUES, fields)
    body = reply.json()
    assert (reply.status_code, reply["ETag"]) == (201, '"1"')
    assert (body["key"], body["title"], body["description"]) == ("API-1", "It breaks", " x\ny ")
    assert body["reporter"]["id"] == str(reporter.pk)
    assert sign_in(reporter).get(reply["Location"]).json() == body


def test_nobody_files_in_the_name_of_another(sign_in: Any, admin: User, project: Project) -> None:
    fields = {"project": "API", "title": "Not mine", "reporter": {"id": str(uuid4())}}
    reply = send(sign_in(admin), "post", ISSUES, fields)
    assert (reply.status_code, list(reply.json()["details"]["fields"])) == (403, ["reporter"])


def test_what_was_read_may_be_sent_back(sign_in: Any, maintainer: User, project: Project) -> None:
    client = sign_in(maintainer)
    full = {
        "project": "API", "title": "All", "status": "triaged", "priority": "urgent", "assignee": "me",
        "labels": ["bug"], "estimate": 2.5, "due_date": "2026-12-01",
    }  # fmt: skip
    first = send(client, "post", ISSUES, full).json()
    second = send(client, "post", ISSUES, first)
    assert second.status_code == 201
    same = {"status", "priority", "assignee", "labels", "estimate", "due_date", "title"}
    assert {name: second.json()[name] for name in same} == {name: first[name] for name in same}
    assert send(client, "put", f"{ISSUES}/API-1", first).json() == first


@pytest.mark.parametrize(
    ("sent", "word"), [(0, "none"), (1, "high"), (2, "medium"), (3, "low"), ("low", "low")]
)
def test_priorities_are_words_or_the_numbers_of_a_seed(
    sign_in: Any, developer: User, project: Project, sent: Any, word: str
) -> None:
    reply = send(sign_in(developer), "post", ISSUES, {"project": "API", "title": "x", "priority": sent})
    assert reply.json()["priority"] == word


@pytest.mark.parametrize("field", [
    {"priority": "high"}, {"assignee": "me"}, {"labels": ["bug"]}, {"estimate": 1},
    {"due_date": "2026-12-01"},
    {"status": "done"}, {"priority": "high", "labels": ["bug"]},
])  # fmt: skip
def test_a_reporter_may_not_plan(
    sign_in: Any, reporter: User, project: Project, field: dict[str, Any]
) -> None:
    reply = send(sign_in(reporter), "post", ISSUES, {"project": "API", "title": "x"} | field)
    assert (reply.status_code, reply.json()["error"]) == (403, "E_FORBIDDEN")
    assert set(reply.json()["details"]["fields"]) == set(field)
    assert Issue.objects.count() == 0


def test_a_field_at_its_default_is_no_planning(sign_in: Any, reporter: User, project: Project) -> None:
    fields: dict[str, Any] = {
        "project": "API",
        "title": "x",
        "priority": "none",
        "labels": [],
        "assignee": None,
        "status": "open",
    }
    assert send(sign_in(reporter), "post", ISSUES, fields).status_code == 201


BAD_FIELDS = [
    ("title", ""), ("title", "   "), ("title", "x" * 256), ("title", 5), ("title", None), ("title", ["x"]),
    ("title", "a\nb"), ("title", "a\x07b"), ("description", "x" * 65537), ("description", "é" * 32769),
    ("description", 5), ("description", {}), ("type", "BUG"), ("type", 1), ("type", None), ("status", "nope"),
    ("status", 1), ("status", None), ("severity", 3), ("severity", "none"), ("priority", 4), ("priority", -1),
    ("priority", True), ("priority", 1.5), ("priority", None), ("assignee", "nobody@example.org"),
    ("assignee", NOBODY), ("assignee", 7), ("assignee", {"name": "x"}), ("labels", "bug"),
    ("labels", ["nope"]), ("labels", [1]), ("labels", None), ("labels", ["bug"] * 51), ("milestone", "nope"),
    ("cycle", NOBODY), ("parent", "API-99"), ("parent", {"id": 5}), ("team", NOBODY),
    ("estimate", -1), ("estimate", 10_001), ("estimate", 1.234), ("estimate", "3"), ("estimate", True),
    ("estimate", 1e10), ("due_date", "2026-13-01"), ("due_date", "1899-12-31"), ("due_date", "2201-01-01"),
    ("due_date", 20261201), ("department", "x" * 101), ("department", 5), ("department", "a\tb"),
    ("unknown", 1), ("project", "NOPE"), ("project", 5), ("project", None),
]  # fmt: skip


def test_a_bad_value_is_refused_by_name_and_nothing_is_stored(
    sign_in: Any, maintainer: User, project: Project
) -> None:
    client = sign_in(maintainer)
    for name, value in BAD_FIELDS:
        reply = send(client, "post", ISSUES, {"project": "API", "title": "x"} | {name: value})
        assert (reply.status_code, list(reply.json()["details"]["fields"])) == (400, [name]), (name, value)
    assert Issue.objects.count() == 0


@pytest.mark.parametrize(("body", "status"), [
    (b"", 400), (b"{", 400), (b"[]", 400), (b"null", 400), (b'"x"', 400), (b'{"title": NaN}', 400),
    (b'{"project": "API", "title": "a\\u0000"}', 400), (b'{"project": "API", "title": "\\ud800"}', 400),
    (b'{"project": "API", "title": "\xff"}', 400), (b'{"estimate": ' + b"9" * 5000 + b"}", 400),
    (b"[" * 100_000, 400), (b'{"a":' * 40 + b"1" + b"}" * 40, 400), (b'"' + b"x" * 1_048_577 + b'"', 413),
])  # fmt: skip
def test_a_body_that_is_no_json_of_ours_is_refused(
    sign_in: Any, maintainer: User, project: Project, body: bytes, status: int
) -> None:
    reply = sign_in(maintainer).post(ISSUES, data=body, content_type="application/json")
    assert reply.status_code == status
    assert reply.json()["request_id"]
    assert Issue.objects.count() == 0


def test_a_form_is_not_taken(sign_in: Any, maintainer: User, project: Project) -> None:
    assert sign_in(maintainer).post(ISSUES, data={"title": "x"}).status_code == 415


def test_a_project_that_one_does_not_see_does_not_exist(sign_in: Any, developer: User, admin: User) -> None:
    make_project("SEC", by=admin, visibility="private")
    reply = send(sign_in(developer), "post", ISSUES, {"project": "SEC", "title": "x"})
    absent = send(sign_in(developer), "post", ISSUES, {"project": "NOPE", "title": "x"})
    assert (reply.status_code, reply.json()["details"]) == (400, absent.json()["details"])


def test_the_default_project_of_the_instance_is_taken(
    sign_in: Any, developer: User, project: Project, settings: Any
) -> None:
    assert send(sign_in(developer), "post", ISSUES, {"title": "x"}).status_code == 400
    settings.DEFAULT_PROJECT = "API"
    assert send(sign_in(developer), "post", ISSUES, {"title": "x"}).json()["key"] == "API-1"


def test_a_parent_may_be_named_by_key_by_id_or_as_it_is_read(
    sign_in: Any, maintainer: User, issue: Issue
) -> None:
    for parent in ("API-1", "api-1", str(issue.pk), {"id": str(issue.pk), "key": "API-1"}, {"key": "API-1"}):
        reply = send(sign_in(maintainer), "post", ISSUES, {"project": "API", "title": "x", "parent": parent})
        assert reply.json()["parent"] == {"id": str(issue.pk), "key": "API-1"}


def test_the_same_idempotency_key_files_one_issue(sign_in: Any, developer: User, project: Project) -> None:
    client = sign_in(developer)
    first = send(client, "post", ISSUES, {"project": "API", "title": "x"}, Idempotency_Key="k1")
    again = send(client, "post", ISSUES, {"project": "API", "title": "x"}, Idempotency_Key="k1")
    assert (first.content, again["Idempotent-Replayed"]) == (again.content, "true")
    assert Issue.objects.count() == 1


def test_an_archived_project_is_read_only(sign_in: Any, admin: User, issue: Issue) -> None:
    archive_project(issue.project_id, by=caller(admin))
    client = sign_in(admin)
    assert send(client, "post", ISSUES, {"project": "API", "title": "x"}).status_code == 409
    assert send(client, "patch", f"{ISSUES}/API-1", {"title": "y"}).status_code == 409
    assert send(client, "patch", f"{ISSUES}/API-1", {"title": "It breaks"}).status_code == 200
    assert client.get(f"{ISSUES}/API-1").status_code == 200

"""Changing issues by the API: fields, versions, steps of the workflow."""

from typing import Any

import pytest

from accounts.models import User
from issues.models import Issue, Project
from issues.services.labels import create_label
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


# --- changing ------------------------------------------------------------------------------------
def test_patch_changes_what_is_sent(sign_in: Any, maintainer: User, issue: Issue) -> None:
    reply = send(sign_in(maintainer), "patch", f"{ISSUES}/API-1", {"labels": ["BUG"], "estimate": 3.5})
    body = reply.json()
    assert (reply.status_code, reply["ETag"], body["version"]) == (200, '"2"', 2)
    assert (body["labels"], body["estimate"], body["title"]) == (["bug"], 3.5, "It breaks")


def test_put_wants_the_required_fields_and_keeps_the_others(
    sign_in: Any, maintainer: User, issue: Issue
) -> None:
    client = sign_in(maintainer)
    reply = send(client, "put", f"{ISSUES}/API-1", {"severity": "low"})
    assert reply.status_code == 400
    assert set(reply.json()["details"]["fields"]) == {"project", "title"}
    reply = send(client, "put", f"{ISSUES}/API-1", {"project": "API", "title": "Other"})
    assert (reply.json()["title"], reply.json()["description"]) == ("Other", "Always.")


def test_a_change_that_changes_nothing_leaves_the_version(
    sign_in: Any, maintainer: User, issue: Issue
) -> None:
    for body in ({}, {"title": " It breaks "}, {"priority": 0, "labels": []}):
        reply = send(sign_in(maintainer), "patch", f"{ISSUES}/API-1", body)
        assert (reply.status_code, reply.json()["version"]) == (200, 1)


def test_a_field_that_is_not_for_the_caller_is_refused_only_if_it_would_change(
    sign_in: Any, reporter: User, issue: Issue
) -> None:
    client = sign_in(reporter)
    reply = send(client, "patch", f"{ISSUES}/API-1", {"title": "Mine", "priority": "high"})
    assert reply.status_code == 403
    assert list(reply.json()["details"]["fields"]) == ["priority"]
    reply = send(client, "patch", f"{ISSUES}/API-1", {"title": "Mine", "priority": "none"})
    assert (reply.status_code, reply.json()["title"]) == (200, "Mine")


def test_a_developer_may_take_an_unassigned_issue_and_then_work_on_it(
    sign_in: Any, developer: User, maintainer: User, issue: Issue
) -> None:
    client = sign_in(developer)
    assert send(client, "patch", f"{ISSUES}/API-1", {"assignee": str(maintainer.pk)}).status_code == 403
    assert send(client, "patch", f"{ISSUES}/API-1", {"severity": "low"}).status_code == 403
    assert send(client, "patch", f"{ISSUES}/API-1", {"assignee": "me"}).status_code == 200
    assert send(client, "patch", f"{ISSUES}/API-1", {"severity": "low"}).status_code == 200


def test_the_second_of_two_stale_saves_is_told_what_happened(
    sign_in: Any, maintainer: User, issue: Issue
) -> None:
    client = sign_in(maintainer)
    first = send(client, "patch", f"{ISSUES}/API-1", {"title": "First"}, If_Match='"1"')
    assert first.status_code == 200
    for second, status, code in (
        (send(client, "patch", f"{ISSUES}/API-1", {"title": "Second"}, If_Match='"1"'), 412, "E_STALE"),
        (send(client, "patch", f"{ISSUES}/API-1", {"title": "Second", "version": 1}), 409, "E_CONFLICT"),
        (send(client, "delete", f"{ISSUES}/API-1", If_Match='"1"'), 403, "E_FORBIDDEN"),
        (
            send(client, "post", f"{ISSUES}/API-1/transitions", {"to": "triaged", "version": 1}),
            409,
            "E_CONFLICT",
        ),
        (
            send(client, "post", f"{ISSUES}/API-1/transitions", {"to": "triaged"}, If_Match='"1"'),
            412,
            "E_STALE",
        ),
    ):
        assert (second.status_code, second.json()["error"]) == (status, code)
        if status != 403:
            details = second.json()["details"]
            assert details["current"] == first.json()
            assert [row["changes"] for row in details["changes"]] == [{"title": ["It breaks", "First"]}]
    assert Issue.objects.get().title == "First"


@pytest.mark.parametrize(("tag", "status"), [
    ('"1"', 200), ('W/"1"', 200), ("*", 200), ('"7", "1"', 200), ('"7"', 412), ('"7", "8"', 412),
    ('"x"', 412),
    ("1", 400), ('"1', 400), ("", 400), ('"1",', 400),
])  # fmt: skip
def test_if_match_is_a_tag_a_list_or_a_star(
    sign_in: Any, maintainer: User, issue: Issue, tag: str, status: int
) -> None:
    reply = send(sign_in(maintainer), "patch", f"{ISSUES}/API-1", {"title": "Other"}, If_Match=tag)
    assert reply.status_code == status


def test_a_tag_and_a_version_must_both_hold(sign_in: Any, maintainer: User, issue: Issue) -> None:
    client = sign_in(maintainer)
    reply = send(client, "patch", f"{ISSUES}/API-1", {"title": "Other", "version": 2}, If_Match='"1"')
    assert reply.status_code == 409
    reply = send(client, "patch", f"{ISSUES}/API-1", {"title": "Other", "version": 1}, If_Match='"1"')
    assert reply.status_code == 200


def test_a_hidden_issue_is_told_before_what_is_wrong_with_the_body(
    sign_in: Any, outsider: User, issue: Issue
) -> None:
    client = sign_in(outsider)
    for method, path in (("patch", ""), ("put", ""), ("post", "/transitions"), ("post", "/comments")):
        for body in ({"nonsense": 1}, {"title": "x", "body": "x", "to": "done"}):
            assert send(client, method, f"{ISSUES}/API-1{path}", body).status_code == 404
    assert send(client, "patch", f"{ISSUES}/API-1", {"title": "x"}, If_Match="nonsense").status_code == 404
    assert send(client, "delete", f"{ISSUES}/API-1").status_code == 404
    assert send(client, "post", f"{ISSUES}/API-1/restore").status_code == 404


# --- steps of the workflow ---------------------------------------------------------------------------
def test_the_steps_are_those_of_the_workflow_for_who_may_take_them(
    sign_in: Any, maintainer: User, reporter: User, developer: User, issue: Issue
) -> None:
    reply = sign_in(maintainer).get(f"{ISSUES}/API-1/transitions")
    assert reply.json()["results"] == [
        {"slug": "triaged", "name": "Triaged", "category": "unstarted", "requires": []},
        {"slug": "in_progress", "name": "In progress", "category": "started", "requires": []},
    ]
    for person in (reporter, developer):
        assert sign_in(person).get(f"{ISSUES}/API-1/transitions").json() == {"results": []}


def test_a_step_is_taken_with_a_comment(sign_in: Any, maintainer: User, issue: Issue) -> None:
    client = sign_in(maintainer)
    reply = send(
        client, "post", f"{ISSUES}/API-1/transitions", {"to": {"slug": "in_progress"}, "comment": "On it."}
    )
    assert (reply.status_code, reply["ETag"]) == (200, '"2"')
    assert (reply.json()["status"]["slug"], reply.json()["started_at"] is not None) == ("in_progress", True)
    assert [row["body"] for row in client.get(f"{ISSUES}/API-1/comments").json()["results"]] == ["On it."]


def test_a_step_that_the_workflow_lacks_is_refused(sign_in: Any, maintainer: User, issue: Issue) -> None:
    client = sign_in(maintainer)
    for method, path, body in (
        ("post", "/transitions", {"to": "done", "comment": "x"}),
        ("patch", "", {"status": "done", "title": "x"}),
    ):  # fmt: skip
        reply = send(client, method, f"{ISSUES}/API-1{path}", body)
        assert (reply.status_code, reply.json()["error"]) == (422, "E_TRANSITION")
    assert client.get(f"{ISSUES}/API-1/comments").json()["results"] == []
    assert Issue.objects.get().title == "It breaks"


@pytest.mark.parametrize(("body", "status"), [
    ({}, 400), ({"to": "nope"}, 400), ({"to": 5}, 400), ({"to": None}, 400), ({"to": "done", "x": 1}, 400),
    ({"to": "triaged", "comment": "x" * 65537}, 400), ({"to": "triaged", "comment": "  "}, 200),
    ({"to": "triaged", "comment": None, "version": None}, 200), ({"to": "open"}, 200),
])  # fmt: skip
def test_the_body_of_a_step_is_checked(
    sign_in: Any, maintainer: User, issue: Issue, body: dict[str, Any], status: int
) -> None:
    assert send(sign_in(maintainer), "post", f"{ISSUES}/API-1/transitions", body).status_code == status


def test_a_reporter_takes_no_steps(sign_in: Any, reporter: User, issue: Issue) -> None:
    for body in ({"to": "triaged"}, {"nonsense": 1}):
        assert send(sign_in(reporter), "post", f"{ISSUES}/API-1/transitions", body).status_code == 403

"""Comments, timeline and history in the API."""

from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import User
from issues.models import Comment, Issue
from issues.services.comments import delete_comment
from issues.services.issues import change_status, edit_issue
from issues.tests.api import COMMENTS, ISSUES, queries, send
from tests.make import caller, make_comment, make_issue, make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def issue(admin: User, reporter: User) -> Issue:
    """`API-1`, filed by the reporter."""
    return make_issue(make_project("API", by=admin), by=reporter, title="It breaks")


def test_a_comment_has_the_shape_of_the_contract(sign_in: Any, reporter: User, issue: Issue) -> None:
    client = sign_in(reporter)
    reply = send(client, "post", f"{ISSUES}/API-1/comments", {"body": "Me too.\r\n"})
    body = reply.json()
    assert reply.status_code == 201
    assert body == {
        "id": body["id"],
        "issue": "API-1",
        "body": "Me too.\n",
        "author": {"id": str(reporter.pk), "name": "Rita Reporter", "avatar_url": None},
        "parent": None,
        "internal": False,
        "created_at": body["created_at"],
        "edited_at": None,
        "deleted": False,
        "reactions": [],
    }
    assert client.get(reply["Location"]).json() == client.get(f"{COMMENTS}/{body['id']}/").json() == body
    assert client.get(f"{ISSUES}/API-1/comments").json()["results"] == [body]


def test_an_answer_names_its_parent(sign_in: Any, reporter: User, issue: Issue) -> None:
    client = sign_in(reporter)
    first = send(client, "post", f"{ISSUES}/API-1/comments", {"body": "a"}).json()
    for parent in (first["id"], {"id": first["id"]}):
        reply = send(client, "post", f"{ISSUES}/API-1/comments", {"body": "b", "parent": parent})
        assert reply.json()["parent"] == first["id"]


def test_an_answer_is_to_a_comment_of_the_same_issue(
    sign_in: Any, reporter: User, developer: User, issue: Issue
) -> None:
    other = make_issue(issue.project, by=reporter)
    foreign = make_comment(other, by=reporter)
    hidden = make_comment(issue, by=developer, internal=True)
    for parent in (str(foreign.pk), str(hidden.pk), str(uuid4()), "nonsense"):
        reply = send(sign_in(reporter), "post", f"{ISSUES}/API-1/comments", {"body": "b", "parent": parent})
        assert (reply.status_code, list(reply.json()["details"]["fields"])) == (400, ["parent"])


@pytest.mark.parametrize("body", [
    {}, {"body": ""}, {"body": "  \n"}, {"body": 5}, {"body": None}, {"body": "x" * 65537},
    {"body": "é" * 32769},
    {"body": "x", "internal": "yes"}, {"body": "x", "parent": 5}, {"body": "x", "unknown": 1}, [], "x",
])  # fmt: skip
def test_a_bad_comment_is_refused(sign_in: Any, reporter: User, issue: Issue, body: Any) -> None:
    assert send(sign_in(reporter), "post", f"{ISSUES}/API-1/comments", body).status_code == 400
    assert Comment.objects.count() == 0


def test_internal_comments_are_hidden_from_reporters(
    sign_in: Any, reporter: User, developer: User, issue: Issue
) -> None:
    internal = send(
        sign_in(developer), "post", f"{ISSUES}/API-1/comments", {"body": "s3cret", "internal": True}
    ).json()
    answer = {"body": "s3cret", "parent": internal["id"]}
    assert send(sign_in(developer), "post", f"{ISSUES}/API-1/comments", answer).json()["internal"] is True
    client = sign_in(reporter)
    for path in ("/comments", "/timeline", "/history", "?include=comments,history", ""):
        assert b"s3cret" not in client.get(f"{ISSUES}/API-1{path}").content
    for method in ("patch", "put", "delete"):
        assert send(client, method, f"{COMMENTS}/{internal['id']}", {"body": "x"}).status_code == 404
    assert client.get(f"{COMMENTS}/{internal['id']}").status_code == 404
    refused = send(client, "post", f"{ISSUES}/API-1/comments", {"body": "x", "internal": True})
    assert refused.status_code == 403
    assert len(sign_in(developer).get(f"{ISSUES}/API-1/comments").json()["results"]) == 2


def test_only_the_author_edits(sign_in: Any, reporter: User, admin: User, issue: Issue) -> None:
    comment = make_comment(issue, by=reporter)
    for method in ("patch", "put"):
        assert send(sign_in(admin), method, f"{COMMENTS}/{comment.pk}", {"body": "x"}).status_code == 403
        assert send(sign_in(admin), method, f"{COMMENTS}/{comment.pk}", {"nonsense": 1}).status_code == 403
    reply = send(sign_in(reporter), "patch", f"{COMMENTS}/{comment.pk}", {"body": "Better."})
    assert (reply.status_code, reply.json()["body"]) == (200, "Better.")
    assert reply.json()["edited_at"]
    again = send(sign_in(reporter), "put", f"{COMMENTS}/{comment.pk}", reply.json())
    assert again.json() == reply.json()
    assert send(sign_in(reporter), "patch", f"{COMMENTS}/{comment.pk}", {}).json() == reply.json()
    assert send(sign_in(reporter), "put", f"{COMMENTS}/{comment.pk}", {}).status_code == 400


def test_what_is_fixed_in_a_comment_cannot_be_changed(sign_in: Any, developer: User, issue: Issue) -> None:
    comment = make_comment(issue, by=developer)
    for fields in ({"internal": True}, {"parent": str(comment.pk)}):
        reply = send(sign_in(developer), "patch", f"{COMMENTS}/{comment.pk}", {"body": "x"} | fields)
        assert (reply.status_code, list(reply.json()["details"]["fields"])) == (400, list(fields))


def test_a_deleted_comment_with_answers_stays_as_an_empty_row(
    sign_in: Any, reporter: User, maintainer: User, issue: Issue
) -> None:
    first = make_comment(issue, by=reporter, body="gone")
    answer = make_comment(issue, by=maintainer, parent_id=first.pk)
    client = sign_in(reporter)
    assert send(client, "delete", f"{COMMENTS}/{answer.pk}").status_code == 403
    reply = send(client, "delete", f"{COMMENTS}/{first.pk}")
    assert (reply.status_code, reply.content) == (204, b"")
    rows = client.get(f"{ISSUES}/API-1/comments").json()["results"]
    assert [(row["body"], row["deleted"]) for row in rows] == [("", True), (answer.body, False)]
    assert send(client, "patch", f"{COMMENTS}/{first.pk}", {"body": "x"}).status_code == 404
    assert send(client, "delete", f"{COMMENTS}/{first.pk}").status_code == 404
    assert send(sign_in(maintainer), "delete", f"{COMMENTS}/{answer.pk}").status_code == 204
    assert client.get(f"{ISSUES}/API-1/comments").json()["results"] == []
    assert client.get(f"{COMMENTS}/{first.pk}").status_code == 404


def test_outsiders_and_the_anonymous_get_no_comment(
    sign_in: Any, client: Any, outsider: User, reporter: User, issue: Issue
) -> None:
    comment = make_comment(issue, by=reporter)
    for path in (
        f"{COMMENTS}/{comment.pk}",
        *(f"{ISSUES}/API-1/{name}" for name in ("comments", "timeline", "history")),
    ):
        assert client.get(path).status_code == 401
        assert sign_in(outsider).get(path).status_code == 404
    assert send(sign_in(outsider), "post", f"{ISSUES}/API-1/comments", {"body": "x"}).status_code == 404
    assert sign_in(reporter).get(f"{COMMENTS}/nonsense").status_code == 404
    assert send(sign_in(reporter), "delete", f"{COMMENTS}/nonsense").status_code == 404


@pytest.mark.parametrize("path", ["comments", "timeline"])
def test_pages_go_forwards_and_back(sign_in: Any, maintainer: User, issue: Issue, path: str) -> None:
    for number in range(7):
        make_comment(issue, by=maintainer, body=str(number))
        edit_issue(issue.pk, by=caller(maintainer), changes={"title": f"Title {number}"})
    client = sign_in(maintainer)
    whole = client.get(f"{ISSUES}/API-1/{path}?size=100").json()["results"]
    assert len(whole) == {"comments": 7, "timeline": 15}[path]
    pages, url = [], f"{ISSUES}/API-1/{path}?size=3"
    while url:
        page = client.get(url).json()
        pages.append(page)
        url = page["next"]
    assert [row for page in pages for row in page["results"]] == whole
    for earlier, later in pairwise(pages):
        assert client.get(later["previous"]).json()["results"] == earlier["results"]
    numbered = [client.get(f"{ISSUES}/API-1/{path}?size=4&page={number}").json() for number in (1, 2)]
    assert [row for page in numbered for row in page["results"]] == whole[:8]
    assert numbered[0]["count"] == len(whole)
    assert client.get(f"{ISSUES}/API-1/{path}?page=99").status_code == 404
    newest_first = {"comments": "-created_at", "timeline": "-at"}[path]
    turned = client.get(f"{ISSUES}/API-1/{path}?size=100&sort={newest_first}").json()["results"]
    assert turned == whole[::-1]


def test_the_timeline_has_events_and_comments_in_the_order_of_time(
    sign_in: Any, maintainer: User, issue: Issue
) -> None:
    make_comment(issue, by=maintainer)
    change_status(issue.pk, by=caller(maintainer), to="triaged")
    gone = make_comment(issue, by=maintainer)
    delete_comment(gone.pk, by=caller(maintainer))
    rows = sign_in(maintainer).get(f"{ISSUES}/API-1/timeline").json()["results"]
    assert [row.get("verb", row["type"]) for row in rows] == [
        "issue.created",
        "comment",
        "issue.status_changed",
    ]
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    assert rows[1]["at"] == rows[1]["comment"]["created_at"]


def test_the_history_has_the_changes_of_fields_alone(sign_in: Any, maintainer: User, issue: Issue) -> None:
    make_comment(issue, by=maintainer)
    change_status(issue.pk, by=caller(maintainer), to="in_progress")
    edit_issue(issue.pk, by=caller(maintainer), changes={"title": "New", "assignee": "me"})
    rows = sign_in(maintainer).get(f"{ISSUES}/API-1/history").json()["results"]
    me = {"id": str(maintainer.pk), "name": "Mia Maintainer"}
    assert [(row["verb"], row["changes"], row["actor"]) for row in rows] == [
        ("issue.status_changed", {"status": ["open", "in_progress"]}, me),
        ("issue.updated", {"title": ["It breaks", "New"], "assignee": [None, me]}, me),
    ]
    assert rows[0]["categories"] == ["unstarted", "started"]
    assert set(rows[1]) == {"id", "seq", "at", "actor", "verb", "changes"}


@pytest.mark.parametrize(
    "query", ["size=0", "size=101", "size=x", "page=0", "cursor=x", "sort=title", "nonsense=1"]
)
def test_a_bad_parameter_of_a_list_is_named(sign_in: Any, reporter: User, issue: Issue, query: str) -> None:
    for path in ("comments", "timeline", "history"):
        reply = sign_in(reporter).get(f"{ISSUES}/API-1/{path}?{query}")
        assert (reply.status_code, list(reply.json()["details"]["fields"])) == (
            400,
            [query.partition("=")[0]],
        )


def test_lists_of_an_issue_cost_few_queries(sign_in: Any, maintainer: User, issue: Issue) -> None:
    for _ in range(3):
        make_comment(issue, by=maintainer)
    client = sign_in(maintainer)
    for path in ("comments", "timeline", "history"):
        client.get(f"{ISSUES}/API-1/{path}")
        with queries() as found:
            client.get(f"{ISSUES}/API-1/{path}")
        assert len(found) <= 5, found

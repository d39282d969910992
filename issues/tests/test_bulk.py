"""Many issues at once: by the rules of one, all of them or none, each with its result."""

import re
from typing import Any

import pytest

from accounts.models import Role, User
from accounts.services.roles import role_permissions, set_role_permissions
from issues.models import Comment, Issue, Project
from issues.services.issues import edit_issue, trash_issue
from issues.services.labels import create_label
from issues.services.projects import archive_project
from issues.tests.api import ISSUES, queries, send
from tests.fold import folded, told
from tests.make import caller, fresh, make_issue, make_project
from tracker.models import Event

pytestmark = pytest.mark.django_db
BULK = f"{ISSUES}/bulk"
STATUS = f"{ISSUES}/bulk-status"
NOBODY = "01970000-0000-7000-8000-000000000000"


@pytest.fixture
def project(admin: User) -> Project:
    """`API`, internal, on the preset `triage`, with a label."""
    project = make_project("API", by=admin)
    create_label(project.pk, by=caller(admin), name="bug")
    return project


@pytest.fixture
def issues(project: Project, reporter: User) -> list[Issue]:
    """`API-1` to `API-3`, open."""
    return [make_issue(project, by=reporter) for _ in range(3)]


def keys(issues: list[Issue]) -> list[str]:
    return [f"API-{issue.number}" for issue in issues]


def events() -> int:
    return Event.objects.count()


# --- what works --------------------------------------------------------------------------------------
def test_one_status_for_many(sign_in: Any, maintainer: User, issues: list[Issue]) -> None:
    named = [str(issues[0].pk), "api-2", "API-3", "API-1", str(issues[1].pk)]
    reply = send(sign_in(maintainer), "post", STATUS, {"issue_ids": named, "new_status": "triaged"})
    body = reply.json()
    assert reply.status_code == 200
    assert {name: body[name] for name in ("updated", "unchanged", "dry_run", "undo_url")} == {
        "updated": 3, "unchanged": 0, "dry_run": False, "undo_url": None,
    }  # fmt: skip
    assert body["results"] == [
        {"id": str(issue.pk), "key": key, "ok": True, "version": 2, "error": None}
        for issue, key in zip(issues, keys(issues), strict=True)
    ]
    for issue in Issue.objects.all():
        assert issue.status.slug == "triaged"
        assert folded(issue) == told(issue, user=fresh(maintainer))
    assert Event.objects.filter(verb="issue.status_changed").count() == 3


def test_what_has_the_value_already_is_unchanged(sign_in: Any, maintainer: User, issues: list[Issue]) -> None:
    edit_issue(issues[0].pk, by=caller(maintainer), changes={"status": "triaged"})
    body = send(
        sign_in(maintainer), "post", STATUS, {"issue_ids": keys(issues), "new_status": {"slug": "triaged"}}
    ).json()
    assert (body["updated"], body["unchanged"]) == (2, 1)


def test_fields_and_a_comment_for_what_a_query_finds(
    sign_in: Any, maintainer: User, issues: list[Issue]
) -> None:
    changes = {"priority": "high", "labels": ["bug"], "assignee": "me", "estimate": 2}
    sent = {"q": "status:open", "changes": changes, "comment": "Sorted."}
    body = send(sign_in(maintainer), "post", BULK, sent).json()
    assert body["updated"] == 3
    assert Comment.objects.filter(body="Sorted.", author=maintainer).count() == 3
    for issue in Issue.objects.all():
        assert (issue.priority, issue.assignee, issue.version) == (3, maintainer, 2)
        assert folded(issue) == told(issue, user=fresh(maintainer))


def test_a_comment_alone_is_enough(sign_in: Any, maintainer: User, issues: list[Issue]) -> None:
    body = send(sign_in(maintainer), "post", BULK, {"issue_ids": keys(issues), "comment": "Hello."}).json()
    assert (body["updated"], [row["version"] for row in body["results"]]) == (3, [1, 1, 1])
    assert Comment.objects.count() == 3


def test_many_issues_move_with_numbers_without_gap(
    sign_in: Any, maintainer: User, issues: list[Issue]
) -> None:
    target = make_project("DST")
    body = send(
        sign_in(maintainer), "post", BULK, {"issue_ids": keys(issues), "changes": {"project": "DST"}}
    ).json()
    assert [row["key"] for row in body["results"]] == ["DST-1", "DST-2", "DST-3"]
    again = send(sign_in(maintainer), "post", STATUS, {"issue_ids": ["API-1"], "new_status": "triaged"})
    assert again.json()["results"][0]["key"] == "DST-1"
    assert make_issue(target, by=maintainer).number == 4


def test_a_parent_for_many(sign_in: Any, maintainer: User, issues: list[Issue]) -> None:
    sent = {"issue_ids": ["API-2", "API-3"], "changes": {"parent": "API-1"}}
    assert send(sign_in(maintainer), "post", BULK, sent).json()["updated"] == 2
    assert Issue.objects.filter(parent=issues[0]).count() == 2
    own = {"issue_ids": ["API-1", "API-2"], "changes": {"parent": "API-1"}, "atomic": False}
    results = send(sign_in(maintainer), "post", BULK, own).json()["results"]
    assert [row["ok"] for row in results] == [False, True]


# --- all or nothing ----------------------------------------------------------------------------------
def test_a_dry_run_tells_and_writes_nothing(
    sign_in: Any, maintainer: User, project: Project, issues: list[Issue]
) -> None:
    before, rows = events(), list(Issue.objects.order_by("pk").values())
    make_project("DST")
    before = events()
    for changes in ({"status": "triaged"}, {"project": "DST"}):
        sent = {"issue_ids": keys(issues), "changes": changes, "comment": "Not yet.", "dry_run": True}
        reply = send(sign_in(maintainer), "post", BULK, sent)
        body = reply.json()
        assert (reply.status_code, body["updated"], body["dry_run"]) == (200, 3, True)
        assert [row["version"] for row in body["results"]] == [1, 1, 1]
        assert [row["key"] for row in body["results"]] == keys(issues)
    assert (events(), Comment.objects.count()) == (before, 0)
    assert list(Issue.objects.order_by("pk").values()) == rows
    assert Project.objects.get(key="DST").next_number == 1


@pytest.mark.parametrize("gone", [NOBODY, "API-99", "HID-1", "nonsense", "trashed"])
def test_one_that_is_hidden_or_absent_refuses_all(
    sign_in: Any, maintainer: User, admin: User, project: Project, issues: list[Issue], gone: str
) -> None:
    hidden = make_project("HID", by=admin, visibility="private")
    make_issue(hidden, by=admin)
    if gone == "trashed":
        trash_issue(issues[2].pk, by=caller(admin))
        gone = "API-3"
    before = events()
    sent = {"issue_ids": ["API-1", gone], "new_status": "triaged"}
    reply = send(sign_in(maintainer), "post", STATUS, sent)
    body = reply.json()
    assert (reply.status_code, body["error"]) == (400, "E_VALIDATION")
    first, second = body["details"]["results"]
    assert (first["key"], first["ok"], first["version"]) == ("API-1", True, 1)
    assert (second["ok"], second["version"], second["error"]["error"]) == (False, None, "E_NOT_FOUND")
    assert (second["id"], second["key"]) == ((gone, None) if gone == NOBODY else (None, gone.upper()))
    assert events() == before
    assert not Issue.objects.filter(status__slug="triaged").exists()


def test_one_wrong_step_refuses_all(sign_in: Any, maintainer: User, issues: list[Issue]) -> None:
    for to in ("in_progress", "done"):
        edit_issue(issues[1].pk, by=caller(maintainer), changes={"status": to})
    before = events()
    reply = send(sign_in(maintainer), "post", STATUS, {"issue_ids": keys(issues), "new_status": "triaged"})
    assert (reply.status_code, reply.json()["error"]) == (422, "E_TRANSITION")
    results = reply.json()["details"]["results"]
    assert [row["ok"] for row in results] == [True, False, True]
    assert results[1]["error"]["details"] == {"from": "done", "to": "triaged"}
    assert events() == before
    assert Issue.objects.get(pk=issues[0].pk).status.slug == "open"


def test_one_that_is_forbidden_refuses_all(
    sign_in: Any, developer: User, admin: User, project: Project, issues: list[Issue]
) -> None:
    held = role_permissions(Role.DEVELOPER)
    set_role_permissions(Role.DEVELOPER, by=caller(admin), permissions={*held, "issues.bulk_change"})
    own = make_issue(project, by=developer)
    sent = {"issue_ids": [f"API-{own.number}", "API-1"], "new_status": "triaged"}
    reply = send(sign_in(developer), "post", STATUS, sent)
    assert (reply.status_code, reply.json()["error"]) == (403, "E_FORBIDDEN")
    assert [row["ok"] for row in reply.json()["details"]["results"]] == [True, False]
    assert Issue.objects.get(pk=own.pk).version == 1


def test_of_several_refusals_the_first_in_order_names_the_whole(
    sign_in: Any, maintainer: User, issues: list[Issue]
) -> None:
    sent = {"issue_ids": ["API-1", "API-99"], "new_status": "done"}
    reply = send(sign_in(maintainer), "post", STATUS, sent)
    assert reply.status_code == 400
    assert [row["error"]["error"] for row in reply.json()["details"]["results"]] == [
        "E_TRANSITION", "E_NOT_FOUND",
    ]  # fmt: skip


def test_an_archived_project_refuses_all(
    sign_in: Any, maintainer: User, project: Project, issues: list[Issue]
) -> None:
    archive_project(project.pk, by=caller(maintainer))
    reply = send(sign_in(maintainer), "post", STATUS, {"issue_ids": ["API-1"], "new_status": "triaged"})
    assert (reply.status_code, len(reply.json()["details"]["results"])) == (409, 1)


def test_each_for_itself_where_that_is_asked_for(sign_in: Any, maintainer: User, issues: list[Issue]) -> None:
    edit_issue(issues[1].pk, by=caller(maintainer), changes={"status": "in_progress"})
    sent = {
        "issue_ids": [*keys(issues), "API-99"], "changes": {"status": "done"}, "atomic": False,
        "comment": "Done.",
    }  # fmt: skip
    reply = send(sign_in(maintainer), "post", BULK, sent)
    body = reply.json()
    assert (reply.status_code, body["updated"], body["unchanged"]) == (200, 1, 0)
    assert [row["ok"] for row in body["results"]] == [False, True, False, False]
    assert [row["version"] for row in body["results"]] == [1, 3, 1, None]
    assert [comment.issue_id for comment in Comment.objects.all()] == [issues[1].pk]


# --- bad input ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"issue_ids": []}, "issue_ids"),
        ({"issue_ids": "API-1"}, "issue_ids"),
        ({"issue_ids": [5]}, "issue_ids"),
        ({"issue_ids": [f"API-{number}" for number in range(1, 502)]}, "issue_ids"),
        ({"issue_ids": ["API-1"], "changes": {"status": "nowhere"}}, "status"),
        ({"issue_ids": ["API-1"], "changes": {"unknown": 1}}, "changes.unknown"),
        ({"issue_ids": ["API-1"], "changes": {"estimate": "much"}}, "changes.estimate"),
        ({"issue_ids": ["API-1"], "changes": []}, "changes"),
        ({"issue_ids": ["API-1"], "changes": {}}, "changes"),
        ({"issue_ids": ["API-1"], "q": "status:open", "changes": {"priority": "low"}}, "issue_ids"),
        ({"changes": {"priority": "low"}}, "issue_ids"),
        ({"q": "status:", "changes": {"priority": "low"}}, "q"),
        ({"issue_ids": ["API-1"], "changes": {"priority": "low"}, "more": 1}, "more"),
    ],
)
def test_bad_input_is_named(
    sign_in: Any, maintainer: User, issues: list[Issue], body: dict[str, Any], wrong: str
) -> None:
    if "changes" not in body:
        body = {**body, "changes": {"priority": "low"}}
    reply = send(sign_in(maintainer), "post", BULK, body)
    assert reply.status_code == 400, reply.content
    assert wrong in reply.json()["details"].get("fields", {"q": ""}), reply.content
    assert not Issue.objects.filter(version__gt=1).exists()


def test_only_who_may(client: Any, sign_in: Any, developer: User, issues: list[Issue]) -> None:
    sent = {"issue_ids": keys(issues), "new_status": "triaged"}
    assert send(client, "post", STATUS, sent).status_code == 401
    assert send(sign_in(developer), "post", STATUS, sent).status_code == 403
    assert send(sign_in(developer), "post", BULK, {"bad": 1}).status_code == 403


# --- cost --------------------------------------------------------------------------------------------
def test_a_status_costs_two_queries_an_issue(
    sign_in: Any, maintainer: User, project: Project, reporter: User
) -> None:
    made = [make_issue(project, by=reporter) for _ in range(30)]
    client = sign_in(maintainer)
    client.get(ISSUES)
    counts = []
    for share in (made[:10], made[10:]):
        with queries() as asked:
            reply = send(client, "post", STATUS, {"issue_ids": keys(share), "new_status": "triaged"})
        assert reply.status_code == 200
        counts.append(len(asked))
    assert counts[1] - counts[0] == 2 * 10, asked
    assert counts[0] <= 10 + 2 * 10


# --- the pages ---------------------------------------------------------------------------------------
def test_the_list_lets_who_may_select_issues_and_everybody_export(
    sign_in: Any, maintainer: User, developer: User, issues: list[Issue]
) -> None:
    page = sign_in(maintainer).get("/projects/API/?priority=none&sort=key").content.decode()
    assert 'value="API-2" form="bulk"' in page
    assert '<form id="bulk" method="get" action="/issues/bulk/">' in page
    page = sign_in(developer).get("/projects/API/?priority=none&sort=key").content.decode()
    assert 'form="bulk"' not in page
    link = re.search(r'href="(/api/v1/issues/export\?[^"]*format=csv)"', page)
    assert link is not None
    reply = sign_in(developer).get(link[1].replace("&amp;", "&"))
    assert reply.status_code == 200
    assert b"".join(reply.streaming_content).decode().count("API-") == 3
    assert "project=API" in link[1]
    assert "sort=key" in link[1]


def test_the_page_changes_the_selected_issues(sign_in: Any, maintainer: User, issues: list[Issue]) -> None:
    browser = sign_in(maintainer)
    page = browser.get(
        "/issues/bulk/?issue=API-1&issue=API-3&issue=API-77&back=/projects/API/"
    ).content.decode()
    assert "Change 2 issues" in page
    assert "1 of the selected issues is not there any more" in page
    assert '<option value="triaged">' in page
    sent = {"issue": ["API-1", "API-3"], "status": "triaged", "priority": "high", "comment": "Sorted."}
    reply = browser.post("/issues/bulk/", {**sent, "back": "/projects/API/"})
    assert reply["Location"] == "/projects/API/"
    assert "2 issues were changed." in browser.get("/projects/API/").content.decode()
    assert [issue.version for issue in Issue.objects.order_by("number")] == [2, 1, 2]
    assert Comment.objects.count() == 2


def test_the_page_shows_which_issue_was_refused_and_keeps_what_was_typed(
    sign_in: Any, maintainer: User, issues: list[Issue]
) -> None:
    sent = {"issue": ["API-1", "API-2"], "status": "done", "comment": "Keep <me>."}
    reply = sign_in(maintainer).post("/issues/bulk/", sent)
    page = reply.content.decode()
    assert reply.status_code == 422
    assert page.count("There is no step from Open to Done.") >= 2
    assert "Keep &lt;me&gt;." in page
    assert not Issue.objects.filter(version__gt=1).exists()


def test_the_page_asks_for_issues_and_changes_and_leads_nowhere_else(
    sign_in: Any, maintainer: User, developer: User, issues: list[Issue]
) -> None:
    browser = sign_in(maintainer)
    assert browser.get("/issues/bulk/?back=https://evil.example/")["Location"] == "/issues/"
    assert browser.get("/issues/bulk/?issue=API-9&back=//evil.example")["Location"] == "/issues/"
    assert browser.post("/issues/bulk/", {"issue": "API-1"}).status_code == 400
    assert browser.post("/issues/bulk/", {"issue": "API-1", "priority": "none!"}).status_code == 400
    assert sign_in(developer).get("/issues/bulk/?issue=API-1").status_code == 403

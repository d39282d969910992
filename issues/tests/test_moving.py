"""Moving an issue to another project: a new key, the old one leads on, and nobody learns too much."""

import json
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Team, User
from accounts.services.teams import add_member, create_team
from issues.models import Issue, IssueAlias, Milestone, Project
from issues.services.issues import edit_issue, trash_issue
from issues.services.labels import create_label
from issues.services.milestones import create_milestone
from issues.services.projects import archive_project, edit_project
from issues.tests.api import ISSUES, queries, send
from tests.fold import folded, told
from tests.make import caller, fresh, make_comment, make_issue, make_project
from tracker.errors import Conflict, Invalid, NotAllowed, Stale
from tracker.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(admin: User) -> Project:
    """`SRC`, on the preset `triage`, with two labels and a milestone."""
    project = make_project("SRC", by=admin)
    for name in ("regression", "only here"):
        create_label(project.pk, by=caller(admin), name=name)
    create_milestone(project.pk, by=caller(admin), name="M1")
    return project


@pytest.fixture
def target(admin: User) -> Project:
    """`DST`, on the preset `kanban`, with one label of the same name and two issues."""
    project = make_project("DST", by=admin, preset="kanban")
    create_label(project.pk, by=caller(admin), name="Regression")
    create_milestone(project.pk, by=caller(admin), name="M1")
    for _ in range(2):
        make_issue(project, by=admin)
    return project


@pytest.fixture
def issue(source: Project, maintainer: User, developer: User) -> Issue:
    """`SRC-1`, with everything that belongs to its project."""
    fields = {"labels": ["regression", "only here"], "milestone": "M1", "assignee": str(developer.pk)}
    return make_issue(source, by=maintainer, status="triaged", estimate=3, **fields)


def move(issue: Issue, *, by: User, to: str = "DST", **changes: Any) -> Issue:
    """Move as somebody."""
    return edit_issue(issue.pk, by=caller(by), changes={"project": to, **changes})


def last_event(issue: Issue) -> Event:
    return Event.objects.filter(issue_id=issue.pk).order_by("-order")[0]


# --- what becomes of it ------------------------------------------------------------------------------
def test_a_moved_issue_has_the_next_number_and_what_the_target_knows(
    issue: Issue, target: Project, maintainer: User, developer: User
) -> None:
    moved = move(issue, by=maintainer)
    moved.refresh_from_db()
    assert (moved.project, moved.number, moved.version) == (target, 3, 2)
    assert (moved.status.slug, moved.status.project) == ("todo", target)
    assert [label.name for label in moved.labels.all()] == ["Regression"]
    assert (moved.milestone_id, moved.assignee, moved.estimate) == (None, developer, Decimal(3))
    assert make_issue(target, by=maintainer).number == 4
    event = last_event(moved)
    assert (event.verb, event.project_id, event.issue_key) == ("issue.moved", target.pk, "DST-3")
    assert event.changes.keys() == {"project", "key", "status", "labels", "milestone"}
    assert event.changes["project"] == ["SRC", "DST"]
    assert event.changes["key"] == ["SRC-1", "DST-3"]
    assert event.changes["labels"] == [["only here", "regression"], ["Regression"]]
    assert event.data["categories"] == ["unstarted", "unstarted"]


def test_the_log_folds_to_the_moved_issue(issue: Issue, target: Project, maintainer: User) -> None:
    moved = move(issue, by=maintainer, title="Elsewhere")
    move(moved, by=maintainer, to="SRC")
    assert folded(moved) == told(Issue.objects.get(pk=moved.pk), user=fresh(maintainer))


def test_a_status_of_the_same_slug_is_no_change(target: Project, maintainer: User, source: Project) -> None:
    issue = make_issue(source, by=maintainer, status="in_progress")
    started = issue.started_at
    moved = move(issue, by=maintainer)
    moved.refresh_from_db()
    assert (moved.status.slug, moved.status.project, moved.started_at) == ("in_progress", target, started)
    assert last_event(moved).changes.keys() == {"project", "key"}


def test_a_status_without_its_like_becomes_the_first_one(source: Project, admin: User) -> None:
    make_project("DESK", by=admin, preset="service_desk")
    kanban = make_project("KAN", by=admin, preset="kanban")
    issue = make_issue(kanban, by=admin, status="backlog")
    moved = move(issue, by=admin, to="DESK")
    assert Issue.objects.get(pk=moved.pk).status.slug == "open"


def test_what_is_sent_along_is_of_the_target_and_needs_no_step(
    issue: Issue, target: Project, maintainer: User
) -> None:
    moved = move(issue, by=maintainer, status="done", milestone="M1", labels=[], title="There")
    moved.refresh_from_db()
    milestone = Milestone.objects.get(project=target)
    assert (moved.status.slug, moved.milestone, moved.title) == ("done", milestone, "There")
    assert moved.closed_at == moved.updated_at
    assert not moved.labels.exists()


def test_an_issue_that_was_read_may_be_sent_back_with_another_project(
    sign_in: Any, issue: Issue, target: Project, maintainer: User
) -> None:
    client = sign_in(maintainer)
    row = client.get(f"{ISSUES}/SRC-1").json()
    reply = send(client, "put", f"{ISSUES}/SRC-1", {**row, "project": {"key": "DST"}})
    assert (reply.status_code, reply.json()["key"], reply["ETag"]) == (200, "DST-3", '"2"')
    assert (reply.json()["labels"], reply.json()["milestone"]) == (["Regression"], None)


def test_who_does_not_see_the_target_is_not_assigned_there(
    issue: Issue, admin: User, developer: User
) -> None:
    make_project("HID", by=admin, visibility="private")
    moved = move(issue, by=admin, to="HID")
    assert moved.assignee_id is None
    assert last_event(moved).changes["assignee"] == [{"id": str(developer.pk), "name": developer.name}, None]


def test_a_team_stays_only_where_the_target_has_it(source: Project, target: Project, admin: User) -> None:
    team: Team = create_team(by=caller(admin), name="Both")
    for project in (source, target):
        edit_project(project.pk, by=caller(admin), changes={"teams": [team]})
    issue = make_issue(source, by=admin, team=str(team.pk))
    assert move(issue, by=admin).team_id == team.pk
    make_project("LONE", by=admin)
    assert move(issue, by=admin, to="LONE").team_id is None


def test_parent_children_and_comments_go_along(
    sign_in: Any, source: Project, target: Project, maintainer: User
) -> None:
    parent = make_issue(source, by=maintainer)
    child = make_issue(source, by=maintainer, parent="SRC-1")
    make_comment(child, by=maintainer)
    move(child, by=maintainer)
    row = sign_in(maintainer).get(f"{ISSUES}/SRC-2?include=comments").json()
    assert (row["key"], row["parent"]["key"]) == ("DST-3", "SRC-1")
    assert row["comments"][0]["issue"] == "DST-3"
    move(parent, by=maintainer)
    assert sign_in(maintainer).get(f"{ISSUES}/DST-3").json()["parent"]["key"] == "DST-4"


# --- keys --------------------------------------------------------------------------------------------
def test_every_old_key_leads_to_the_issue(
    sign_in: Any, issue: Issue, target: Project, maintainer: User
) -> None:
    client = sign_in(maintainer)
    move(issue, by=maintainer)
    move(issue, by=maintainer, to="src")
    for key in ("SRC-1", "dst-3", "SRC-2", str(issue.pk)):
        assert client.get(f"{ISSUES}/{key}").json()["key"] == "SRC-2"
    assert client.get(f"{ISSUES}/key/DST-3").json()["key"] == "SRC-2"
    assert client.get("/issues/DST-3/")["Location"] == "/issues/SRC-2/"
    assert sorted(IssueAlias.objects.values_list("key", flat=True)) == ["DST-3", "SRC-1"]


def test_a_key_of_a_live_issue_wins_over_an_old_one(
    sign_in: Any, issue: Issue, source: Project, target: Project, maintainer: User
) -> None:
    other = make_issue(target, by=maintainer)  # DST-3
    IssueAlias.objects.create(key="DST-3", issue=issue)
    client = sign_in(maintainer)
    assert client.get(f"{ISSUES}/DST-3").json()["id"] == str(other.pk)
    move(other, by=maintainer, to="SRC")
    assert client.get(f"{ISSUES}/DST-3").json()["id"] == str(other.pk)


def test_an_old_key_of_a_hidden_issue_leads_nowhere(
    sign_in: Any, issue: Issue, admin: User, developer: User
) -> None:
    make_project("HID", by=admin, visibility="private")
    move(issue, by=admin, to="HID")
    client = sign_in(developer)
    assert client.get(f"{ISSUES}/SRC-1").status_code == 404
    assert client.get("/issues/SRC-1/").status_code == 404


# --- who may, and what is refused --------------------------------------------------------------------
def test_only_who_may_moves_an_issue(
    issue: Issue, target: Project, developer: User, maintainer: User
) -> None:
    with pytest.raises(NotAllowed) as refusal:
        move(issue, by=developer)
    assert list(refusal.value.fields) == ["project"]
    assert move(issue, by=developer, to="src").version == 1
    assert move(issue, by=maintainer).number == 3


@pytest.mark.parametrize("name", ["NONE", "HID", ""])
def test_a_project_that_is_hidden_or_absent_is_told_apart_by_nobody(
    sign_in: Any, issue: Issue, admin: User, maintainer: User, name: str
) -> None:
    make_project("HID", by=admin, visibility="private")
    reply = send(sign_in(maintainer), "patch", f"{ISSUES}/SRC-1", {"project": name})
    assert reply.status_code == 400
    if name:
        assert reply.json()["details"] == {"fields": {"project": ["There is no such project."]}}


def test_neither_project_may_be_archived(
    issue: Issue, source: Project, target: Project, maintainer: User
) -> None:
    archive_project(target.pk, by=caller(maintainer))
    with pytest.raises(Conflict):
        move(issue, by=maintainer)
    other = make_project("OTH")
    archive_project(source.pk, by=caller(maintainer))
    with pytest.raises(Conflict):
        move(issue, by=maintainer, to="OTH")
    assert (Issue.objects.get(pk=issue.pk).project, other.next_number) == (source, 1)


def test_values_that_the_target_does_not_know_are_refused(
    issue: Issue, target: Project, maintainer: User
) -> None:
    with pytest.raises(Invalid) as refusal:
        move(issue, by=maintainer, labels=["nowhere"], status="triage", milestone="M2")
    assert set(refusal.value.fields) == {"labels", "status", "milestone"}
    assert not IssueAlias.objects.exists()
    assert make_issue(target, by=maintainer).number == 3


def test_a_move_from_an_old_version_is_refused(
    sign_in: Any, issue: Issue, target: Project, maintainer: User
) -> None:
    with pytest.raises(Stale):
        edit_issue(issue.pk, by=caller(maintainer), changes={"project": "DST"}, expected_version=9)
    reply = send(sign_in(maintainer), "patch", f"{ISSUES}/SRC-1", {"project": "DST"}, If_Match='"9"')
    assert (reply.status_code, reply.json()["details"]["current"]["key"]) == (412, "SRC-1")


def test_an_issue_in_the_trash_is_not_moved(sign_in: Any, issue: Issue, target: Project, admin: User) -> None:
    trash_issue(issue.pk, by=caller(admin))
    assert send(sign_in(admin), "patch", f"{ISSUES}/SRC-1", {"project": "DST"}).status_code == 404


def test_a_move_costs_a_bounded_number_of_queries(
    sign_in: Any, issue: Issue, target: Project, maintainer: User
) -> None:
    client = sign_in(maintainer)
    client.get(f"{ISSUES}/DST-1")
    with queries() as asked:
        assert send(client, "patch", f"{ISSUES}/SRC-1", {"project": "DST"}).status_code == 200
    assert len(asked) <= 24, asked


# --- who is told -------------------------------------------------------------------------------------
def events_of(client: Any, query: str = "") -> list[dict[str, Any]]:
    """What somebody reads in the log."""
    found: list[dict[str, Any]] = client.get(f"/api/v1/events?after=0{query}").json()["results"]
    return found


@pytest.mark.django_db(transaction=True)
def test_who_loses_the_issue_is_told_that_it_is_gone_under_its_old_key(
    sign_in: Any, issue: Issue, admin: User, developer: User, maintainer: User
) -> None:
    make_project("HID", by=admin, visibility="private")
    move(issue, by=admin, to="HID", title="Secret")
    for query in ("", "&project=SRC"):
        (last,) = events_of(sign_in(developer), query)
        assert (last["event"], last["verb"], last["changes"]) == ("ISSUE_DELETED", "issue.moved", {})
        assert last["issue"] == {"id": str(issue.pk), "key": "SRC-1"}
        assert "HID" not in json.dumps(last)
    whole = events_of(sign_in(admin))[-1]
    assert (whole["event"], whole["changes"]["project"]) == ("ISSUE_UPDATED", ["SRC", "HID"])
    assert whole["issue"]["key"] == "HID-1"


@pytest.mark.django_db(transaction=True)
def test_who_gets_the_issue_is_not_told_whence_it_came(
    sign_in: Any, target: Project, admin: User, developer: User
) -> None:
    hidden = make_project("HID", by=admin, visibility="private")
    issue = make_issue(hidden, by=admin)
    move(issue, by=admin)
    client = sign_in(developer)
    told = [event for event in events_of(client) if event["issue"]["id"] == str(issue.pk)]
    assert told[-1]["changes"]["project"] == [None, "DST"]
    assert told[-1]["changes"]["key"] == [None, "DST-3"]
    history = client.get(f"{ISSUES}/DST-3/history").content
    page = client.get("/issues/DST-3/").content
    for content in (json.dumps(told).encode(), history, page):
        assert b"HID" not in content
    assert "moved this issue from another project to DST" in page.decode()


def test_a_member_of_the_team_of_the_target_goes_on_seeing_it(
    issue: Issue, admin: User, developer: User
) -> None:
    team = create_team(by=caller(admin), name="Insiders")
    add_member(team.pk, by=caller(admin), user_id=developer.pk, role="member")
    make_project("HID", by=admin, visibility="private", teams=[team])
    moved = move(issue, by=admin, to="HID")
    assert moved.assignee_id == developer.pk


# --- the page ----------------------------------------------------------------------------------------
def test_the_page_moves_an_issue(sign_in: Any, issue: Issue, target: Project, maintainer: User) -> None:
    browser = sign_in(maintainer)
    assert "/issues/SRC-1/move/" in browser.get("/issues/SRC-1/").content.decode()
    page = browser.get("/issues/SRC-1/move/").content.decode()
    assert '<option value="DST"' in page
    assert '<option value="SRC"' not in page
    reply = browser.post("/issues/SRC-1/move/", {"project": "DST", "version": "1"})
    assert reply["Location"] == "/issues/DST-3/"
    page = browser.get("/issues/DST-3/").content.decode()
    assert "moved this issue from SRC to DST" in page
    assert "changed the labels from only here, regression to Regression" in page


def test_the_page_is_for_who_may_and_shows_refusals(
    sign_in: Any, issue: Issue, target: Project, developer: User, outsider: User, maintainer: User
) -> None:
    assert "/move/" not in sign_in(developer).get("/issues/SRC-1/").content.decode()
    assert sign_in(developer).post("/issues/SRC-1/move/", {"project": "DST"}).status_code == 403
    assert sign_in(outsider).get("/issues/SRC-1/move/").status_code == 404
    browser = sign_in(maintainer)
    assert browser.post("/issues/SRC-1/move/", {"project": "NONE", "version": "1"}).status_code == 400
    stale = browser.post("/issues/SRC-1/move/", {"project": "DST", "version": "7"})
    assert stale["Location"] == "/issues/SRC-1/"
    assert Issue.objects.get(pk=issue.pk).number == 1

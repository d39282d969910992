"""Who sees an event: held against the database's own idea of who sees an issue, on random data."""

import random
import uuid
from typing import Any

import pytest

from accounts.models import Role, User
from accounts.services.teams import add_member, create_team
from issues.events.audience import View, sight_of, view_of
from issues.events.frames import Batch
from issues.events.log import read_page
from issues.events.wanted import EVERYTHING
from issues.models import Issue, Project, Watcher
from issues.scope import IssueFacts, Scope, scope_of, watchers_of
from issues.services.issues import trash_issue
from tests.make import caller, fresh, make_issue, make_project, make_user
from tracker.events.numbering import head, number_events
from tracker.events.record import record
from tracker.models import Event
from tracker.versions import current, versions_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def projects(admin: User) -> list[Project]:
    """One of each kind: internal, private, and one whose reporters see all."""
    open_one = make_project("OPEN", by=admin)
    private = make_project("PRIV", by=admin, visibility="private")
    shared = make_project("SHAR", by=admin, reporters_see_all=True)
    return [open_one, private, shared]


def scope_now(user: User) -> Scope:
    """What a person sees now."""
    return scope_of(fresh(user))


def test_the_facts_and_the_database_agree_on_who_sees_what(admin: User, projects: list[Project]) -> None:
    chance = random.Random(7)
    people = [make_user(role) for role in Role.values for _ in range(3)]
    team = create_team(by=caller(admin), name="Insiders")
    for person in people[::2]:
        add_member(team.pk, by=caller(admin), user_id=person.pk, role="member")
    projects[1].teams.add(team)
    everybody = [*people, admin]
    issues = [make_issue(chance.choice(projects), by=admin) for _ in range(40)]
    for issue in issues:
        issue.reporter, issue.assignee = chance.choice(everybody), chance.choice([None, *everybody])
        issue.save()
        for person in chance.sample(everybody, 2):
            Watcher.objects.get_or_create(issue=issue, user=person)
    for issue in issues[:5]:
        trash_issue(issue.pk, by=caller(admin))
    _compare(everybody)


def _compare(people: list[User]) -> None:
    watchers = watchers_of(list(Issue.objects.values_list("pk", flat=True)))
    rows = Issue.objects.values_list("pk", "project_id", "reporter_id", "assignee_id", "trashed_at")
    facts = {row[0]: IssueFacts(row[1], row[2], row[3], watchers[row[0]], row[4] is not None) for row in rows}
    seen_by_somebody = 0
    for person in people:
        scope = scope_now(person)
        by_database = set(Issue.objects.filter(scope.issues_q()).values_list("pk", flat=True))
        by_facts = {issue_id for issue_id, known in facts.items() if scope.covers(known)}
        assert by_facts == by_database, person
        seen_by_somebody += len(by_facts)
    assert seen_by_somebody > 0


def test_a_page_has_exactly_the_events_that_the_facts_allow(admin: User, projects: list[Project]) -> None:
    chance = random.Random(11)
    people = [make_user(role) for role in Role.values for _ in range(2)]
    for _ in range(30):
        author = chance.choice(people)
        seen = [project for project in projects if scope_now(author).sees_project(project.pk)]
        make_issue(chance.choice(seen), by=author)
    number_events()
    for person in people:
        user = fresh(person)
        page = read_page(
            scope=scope_of(user), wanted=EVERYTHING, after=0, limit=1000, versions=versions_of(user)
        )
        expected = set(Issue.objects.visible_to(user).values_list("pk", flat=True))
        assert {uuid.UUID(frame.body["issue"]["id"]) for frame in page.frames} == expected
        assert page.last_seq == head().last_seq
        assert not page.has_more


# --- what moves out of sight -------------------------------------------------------------------------
def facts(project: Project, reporter: User, assignee: User | None = None) -> dict[str, Any]:
    """Facts as an event stores them."""
    return {
        "project": str(project.pk),
        "reporter": str(reporter.pk),
        "assignee": str(assignee.pk) if assignee else None,
    }


def told(issue: Issue, verb: str, **parts: Any) -> Event:
    """An event as a service records it, with its number."""
    event = record(
        by=caller(issue.reporter), verb=verb, project_id=issue.project_id, issue_id=issue.pk,
        issue_key=f"{issue.project.key}-{issue.number}", version=1, **parts,
    )  # fmt: skip
    number_events()
    event.refresh_from_db()
    return event


def frame_of(event: Event, user: User) -> dict[str, Any] | None:
    """The event as a person gets it."""
    frame = Batch.load([event], versions=current()).frame(event, scope_now(user))
    return frame.body if frame else None


def test_a_move_into_a_hidden_project_is_a_deletion_under_the_old_key(
    admin: User, developer: User, projects: list[Project]
) -> None:
    open_one, private, _ = projects
    issue = make_issue(private, by=admin)
    sight = {"before": facts(open_one, admin) | {"key": "OPEN-9"}, "after": facts(private, admin)}
    event = told(issue, "issue.moved", changes={"project": ["OPEN", "PRIV"]}, data={"sight": sight})
    lost = frame_of(event, developer)
    assert lost is not None
    assert (lost["event"], lost["issue"], lost["changes"]) == (
        "ISSUE_DELETED", {"id": str(issue.pk), "key": "OPEN-9"}, {},
    )  # fmt: skip
    assert "PRIV" not in str(lost)
    kept = frame_of(event, admin)
    assert kept is not None
    assert (kept["event"], kept["changes"]) == ("ISSUE_UPDATED", {"project": ["OPEN", "PRIV"]})


def test_a_move_out_of_a_hidden_project_does_not_name_it(
    admin: User, developer: User, projects: list[Project]
) -> None:
    open_one, private, _ = projects
    issue = make_issue(open_one, by=admin)
    sight = {"before": facts(private, admin) | {"key": "PRIV-4"}, "after": facts(open_one, admin)}
    changes = {"project": ["PRIV", "OPEN"], "key": ["PRIV-4", "OPEN-1"]}
    found = frame_of(told(issue, "issue.moved", changes=changes, data={"sight": sight}), developer)
    assert found is not None
    assert found["changes"] == {"project": [None, "OPEN"], "key": [None, "OPEN-1"]}
    assert "PRIV" not in str(found)


def test_only_the_event_that_took_it_away_says_so(
    admin: User, developer: User, projects: list[Project]
) -> None:
    open_one, private, shared = projects
    issue = make_issue(private, by=admin)
    between = {"before": facts(open_one, admin), "after": facts(shared, admin)}
    last = {"before": facts(shared, admin), "after": facts(private, admin)}
    assert frame_of(told(issue, "issue.moved", data={"sight": between}), developer) is None
    assert frame_of(told(issue, "issue.moved", data={"sight": last}), developer) is not None


def test_a_purge_is_told_to_those_who_could_see_the_issue(
    admin: User, developer: User, reporter: User, outsider: User, projects: list[Project]
) -> None:
    issue = make_issue(projects[0], by=reporter)
    event = told(issue, "issue.purged", data={"sight": {"before": facts(projects[0], reporter)}})
    Watcher.objects.filter(issue=issue).delete()
    issue.delete()
    for person in (admin, developer, reporter):
        found = frame_of(event, person)
        assert found is not None
        assert (found["event"], found["issue"]["key"]) == ("ISSUE_DELETED", "OPEN-1")
    assert frame_of(event, outsider) is None


def test_of_an_issue_in_the_trash_others_are_told_only_that_it_went_there(
    admin: User, developer: User, outsider: User, projects: list[Project]
) -> None:
    issue = make_issue(projects[0], by=admin)
    trash_issue(issue.pk, by=caller(admin))
    number_events()
    filed, trashed = Event.objects.filter(issue_id=issue.pk).order_by("order")
    found = frame_of(trashed, developer)
    assert found is not None
    assert (found["event"], found["verb"]) == ("ISSUE_DELETED", "issue.trashed")
    assert found["issue"] == {"id": str(issue.pk), "key": "OPEN-1"}
    assert frame_of(filed, developer) is None
    assert [frame_of(event, outsider) for event in (filed, trashed)] == [None, None]
    whole = frame_of(filed, admin)
    assert whole is not None
    assert whole["issue"]["title"] == issue.title
    assert frame_of(trashed, admin) is not None
    for person, verbs in ((developer, ["issue.trashed"]), (admin, ["issue.created", "issue.trashed"])):
        user = fresh(person)
        page = read_page(
            scope=scope_of(user), wanted=EVERYTHING, after=0, limit=10, versions=versions_of(user)
        )
        assert [frame.body["verb"] for frame in page.frames] == verbs


def test_an_audit_event_and_an_unknown_verb_are_shown_to_nobody(admin: User, projects: list[Project]) -> None:
    issue = make_issue(projects[0], by=admin)
    for verb in ("label.created", "project.updated", "watcher.added", "issue.danced"):
        assert frame_of(told(issue, verb), admin) is None


@pytest.mark.parametrize(
    "broken",
    [None, [], "x", {}, {"before": None}, {"before": {}}, {"before": {"project": "x", "reporter": "y"}}],
)
def test_facts_that_cannot_be_read_show_nothing(broken: object) -> None:
    event = Event(verb="issue.purged", issue_id=uuid.uuid4(), data={"sight": broken})
    assert sight_of(event) is None
    scope = Scope(
        rights=scope_rights(), project_ids=frozenset(), sees_every_project=True, whole_project_ids=frozenset()
    )
    assert view_of(event, scope=scope, now=None, sight=None) is View.NOTHING


def scope_rights() -> Any:
    """The rights of somebody."""
    from accounts.rights import Rights

    return Rights(uuid.uuid4(), "admin", frozenset({"issues.see_all_issues"}), frozenset(), frozenset())

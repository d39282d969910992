from typing import Any

import pytest

from accounts.models import Role, User
from issues.models import Status, Transition
from issues.services.issues import change_status, edit_issue, next_statuses, trash_issue
from issues.services.projects import archive_project
from issues.services.workflows import replace_workflow
from tests.make import caller, make_issue, make_project, make_user
from tracker.errors import Conflict, Invalid, NotAllowed, NotFound
from tracker.models import Event

pytestmark = pytest.mark.django_db

STATUSES = [
    {"slug": "open", "name": "Open", "category": "unstarted", "color": "#3b82f6"},
    {"slug": "review", "name": "In review", "category": "started", "color": "#F59E0B"},
    {"slug": "done", "name": "Finished", "category": "done", "color": "#22c55e"},
]
STEPS = [
    {"from": "open", "to": "review", "roles": [], "requires": ["assignee"]},
    {"from": "review", "to": "done", "roles": ["maintainer", "admin"], "requires": []},
]


def workflow(**changes: Any) -> dict[str, Any]:
    return {"initial": "open", "statuses": STATUSES, "transitions": STEPS} | changes


def test_a_workflow_is_replaced_as_a_whole(maintainer: User) -> None:
    project = make_project("API")
    kept = Status.objects.get(project=project, slug="done")
    replaced = replace_workflow(project.pk, by=caller(maintainer), expected_version=1, **workflow())
    assert replaced.workflow_version == 2
    assert list(project.statuses.order_by("position").values_list("slug", "color", "is_initial")) == [
        ("open", "#3b82f6", True), ("review", "#f59e0b", False), ("done", "#22c55e", False),
    ]  # fmt: skip
    assert Status.objects.get(project=project, slug="done").pk == kept.pk
    assert Transition.objects.get(project=project, to_status=kept).roles == ["maintainer", "admin"]
    event = Event.objects.get(verb="workflow.changed")
    assert event.data["version"] == 2
    assert [status["slug"] for status in event.changes["statuses"][0]] == [
        "open",
        "triaged",
        "in_progress",
        "done",
    ]


def test_the_same_workflow_again_changes_nothing(maintainer: User) -> None:
    project = make_project("API")
    replace_workflow(project.pk, by=caller(maintainer), **workflow())
    again = replace_workflow(project.pk, by=caller(maintainer), **workflow(transitions=STEPS[::-1]))
    assert again.workflow_version == 2
    assert Event.objects.filter(verb="workflow.changed").count() == 1


def test_a_stale_version_is_a_conflict(maintainer: User) -> None:
    project = make_project("API")
    replace_workflow(project.pk, by=caller(maintainer), expected_version=1, **workflow())
    with pytest.raises(Conflict):
        replace_workflow(project.pk, by=caller(maintainer), expected_version=1, **workflow(initial="done"))


def test_the_new_initial_status_is_where_issues_begin(maintainer: User) -> None:
    project = make_project("API")
    replace_workflow(project.pk, by=caller(maintainer), **workflow(initial="review"))
    issue = make_issue(project, by=maintainer)
    assert issue.status.slug == "review"
    assert issue.started_at is not None


def test_a_status_that_issues_have_needs_a_move(maintainer: User) -> None:
    project = make_project("API")
    issue = make_issue(project, by=maintainer)
    change_status(issue.pk, by=caller(maintainer), to="in_progress")
    with pytest.raises(Conflict) as refusal:
        replace_workflow(project.pk, by=caller(maintainer), **workflow())
    assert refusal.value.details["statuses"] == {"in_progress": 1}
    assert project.statuses.count() == 4
    replace_workflow(project.pk, by=caller(maintainer), **workflow(moves={"in_progress": "done"}))
    issue.refresh_from_db()
    assert (issue.status.slug, issue.version, issue.closed_at is None) == ("done", 3, False)
    moved = Event.objects.filter(issue_id=issue.pk).latest("order")
    assert (moved.verb, moved.changes) == ("issue.status_changed", {"status": ["in_progress", "done"]})
    assert moved.data["categories"] == ["started", "done"]


def test_issues_in_the_trash_move_too(admin: User) -> None:
    project = make_project("API", by=admin)
    issue = make_issue(project, by=admin)
    change_status(issue.pk, by=caller(admin), to="in_progress")
    trash_issue(issue.pk, by=caller(admin))
    with pytest.raises(Conflict):
        replace_workflow(project.pk, by=caller(admin), **workflow())
    replace_workflow(project.pk, by=caller(admin), **workflow(moves={"in_progress": "review"}))
    issue.refresh_from_db()
    assert issue.status.slug == "review"


@pytest.mark.parametrize(
    "moves", [{"open": "done"}, {"in_progress": "gone"}, {"nothing": "open"}, [], {"in_progress": 7}]
)
def test_a_move_that_names_nothing_is_refused(maintainer: User, moves: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        replace_workflow(make_project("API").pk, by=caller(maintainer), **workflow(moves=moves))
    assert list(refusal.value.fields) == ["moves"]


def test_the_times_of_issues_follow_a_new_category(maintainer: User) -> None:
    project = make_project("API")
    issue = make_issue(project, by=maintainer)
    statuses = [STATUSES[0] | {"category": "done"}, *STATUSES[1:]]
    replace_workflow(project.pk, by=caller(maintainer), **workflow(statuses=statuses))
    issue.refresh_from_db()
    assert (issue.closed_at, issue.version) == (issue.created_at, 2)
    replace_workflow(project.pk, by=caller(maintainer), **workflow())
    issue.refresh_from_db()
    assert issue.version == 3
    assert not issue.closed_at


def test_a_category_that_comes_back_brings_back_the_times(maintainer: User) -> None:
    project = make_project("API")
    replace_workflow(project.pk, by=caller(maintainer), **workflow())
    issue = make_issue(project, by=maintainer, assignee="me")
    change_status(issue.pk, by=caller(maintainer), to="review")
    change_status(issue.pk, by=caller(maintainer), to="done")
    edit_issue(issue.pk, by=caller(maintainer), changes={"title": "Later"})
    issue.refresh_from_db()
    times = (issue.started_at, issue.closed_at)
    assert None not in times
    for category, wanted in [
        ("started", (times[0], None)), ("unstarted", (None, None)), ("canceled", times), ("done", times),
    ]:  # fmt: skip
        statuses = [*STATUSES[:2], STATUSES[2] | {"category": category}]
        replace_workflow(project.pk, by=caller(maintainer), **workflow(statuses=statuses))
        issue.refresh_from_db()
        assert (issue.started_at, issue.closed_at) == wanted
    assert issue.version == 7
    assert Event.objects.filter(issue_id=issue.pk).count() == 4


def test_a_step_asks_for_its_fields_and_its_roles(maintainer: User, developer: User) -> None:
    project = make_project("API")
    replace_workflow(project.pk, by=caller(maintainer), **workflow())
    issue = make_issue(project, by=developer, assignee="me")
    change_status(issue.pk, by=caller(developer), to="review")
    issue.refresh_from_db()
    assert next_statuses(issue, user=caller(developer).user) == []
    with pytest.raises(NotAllowed):
        change_status(issue.pk, by=caller(developer), to="done")
    change_status(issue.pk, by=caller(maintainer), to="done")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"statuses": []}, "statuses"),
        ({"statuses": "open"}, "statuses"),
        ({"statuses": [*STATUSES, STATUSES[0]]}, "statuses"),
        ({"statuses": [7]}, "statuses[0]"),
        ({"statuses": [STATUSES[0] | {"slug": "In Review"}]}, "statuses[0].slug"),
        ({"statuses": [STATUSES[0] | {"slug": ["open"]}]}, "statuses[0].slug"),
        ({"statuses": [STATUSES[0] | {"category": "later"}]}, "statuses[0].category"),
        ({"statuses": [STATUSES[0] | {"color": "blue"}]}, "statuses[0].color"),
        ({"statuses": [STATUSES[0] | {"name": ""}]}, "statuses[0].name"),
        ({"statuses": [STATUSES[0] | {"wip": 3}]}, "statuses[0].wip"),
        ({"initial": "nowhere"}, "initial"),
        ({"initial": None}, "initial"),
        ({"transitions": [STEPS[0] | {"to": "nowhere"}]}, "transitions[0].to"),
        ({"transitions": [STEPS[0] | {"to": "open"}]}, "transitions[0].to"),
        ({"transitions": [STEPS[0], STEPS[0]]}, "transitions"),
        ({"transitions": [STEPS[0] | {"roles": ["boss"]}]}, "transitions[0].roles"),
        ({"transitions": [STEPS[0] | {"roles": "admin"}]}, "transitions[0].roles"),
        ({"transitions": [STEPS[0] | {"requires": ["title"]}]}, "transitions[0].requires"),
        ({"transitions": [STEPS[0] | {"requires": [{}]}]}, "transitions[0].requires"),
        ({"transitions": None}, "transitions"),
    ],
)
def test_a_workflow_that_does_not_hold_together_is_refused(
    maintainer: User, changes: dict[str, Any], field: str
) -> None:
    project = make_project("API")
    with pytest.raises(Invalid) as refusal:
        replace_workflow(project.pk, by=caller(maintainer), **workflow(**changes))
    assert list(refusal.value.fields) == [field]
    assert project.statuses.count() == 4


@pytest.mark.parametrize("role", [Role.REPORTER, Role.DEVELOPER])
def test_a_workflow_is_changed_by_who_manages(role: str) -> None:
    with pytest.raises(NotAllowed):
        replace_workflow(make_project("API").pk, by=caller(make_user(role)), **workflow())


def test_the_workflow_of_a_hidden_project_is_not_found(maintainer: User) -> None:
    project = make_project("SEC", visibility="private")
    with pytest.raises(NotFound):
        replace_workflow(project.pk, by=caller(maintainer), **workflow())


def test_the_workflow_of_an_archived_project_stays(admin: User) -> None:
    project = make_project("API", by=admin)
    archive_project(project.pk, by=caller(admin))
    with pytest.raises(Conflict):
        replace_workflow(project.pk, by=caller(admin), **workflow())

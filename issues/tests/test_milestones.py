from datetime import date

import pytest

from accounts.models import Role, User
from issues.models import Cycle, Milestone
from issues.services.cycles import create_cycle, delete_cycle, edit_cycle
from issues.services.milestones import create_milestone, delete_milestone, edit_milestone
from issues.services.projects import archive_project
from tests.make import caller, make_issue, make_project, make_user
from tracker.errors import Conflict, Invalid, NotAllowed, NotFound
from tracker.models import Event

pytestmark = pytest.mark.django_db


def test_a_milestone_is_made_changed_and_told(maintainer: User) -> None:
    project = make_project("API")
    made = create_milestone(project.pk, by=caller(maintainer), name="M1", due_date="2026-12-01")
    edit_milestone(
        project.pk, made.pk, by=caller(maintainer), changes={"state": "closed", "due_date": "2026-12-01"}
    )
    made.refresh_from_db()
    assert (made.due_date, made.state) == (date(2026, 12, 1), "closed")
    assert Event.objects.get(verb="milestone.created").changes["due_date"] == [None, "2026-12-01"]
    assert Event.objects.get(verb="milestone.updated").changes == {"state": ["open", "closed"]}


@pytest.mark.parametrize("role", [Role.REPORTER, Role.DEVELOPER])
def test_milestones_and_cycles_are_for_who_manages(role: str, maintainer: User) -> None:
    project, person = make_project("API"), make_user(role)
    made = create_milestone(project.pk, by=caller(maintainer), name="M1")
    with pytest.raises(NotAllowed):
        create_milestone(project.pk, by=caller(person), name="M2")
    with pytest.raises(NotAllowed):
        edit_milestone(project.pk, made.pk, by=caller(person), changes={"name": "M2"})
    with pytest.raises(NotAllowed):
        delete_milestone(project.pk, made.pk, by=caller(person))
    with pytest.raises(NotAllowed):
        create_cycle(project.pk, by=caller(person), name="C1", starts_on="2026-01-01", ends_on="2026-01-14")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""), ("due_date", "2026-02-30"), ("due_date", "20261201"), ("due_date", "1899-12-31"),
        ("due_date", "2201-01-01"), ("due_date", 7), ("state", "done"), ("state", ["open"]),
        ("description", None),
    ],
)  # fmt: skip
def test_a_bad_milestone_is_refused_by_field(admin: User, field: str, value: object) -> None:
    with pytest.raises(Invalid) as refusal:
        create_milestone(make_project("API").pk, by=caller(admin), **({"name": "M1"} | {field: value}))  # type: ignore[arg-type]
    assert list(refusal.value.fields) == [field]


def test_a_milestones_name_is_given_once(maintainer: User) -> None:
    project = make_project("API")
    create_milestone(project.pk, by=caller(maintainer), name="M1")
    with pytest.raises(Conflict):
        create_milestone(project.pk, by=caller(maintainer), name="m1")


def test_a_deleted_milestone_goes_off_its_issues(maintainer: User) -> None:
    project = make_project("API")
    made = create_milestone(project.pk, by=caller(maintainer), name="M1")
    issue = make_issue(project, by=maintainer, milestone="M1")
    delete_milestone(project.pk, made.pk, by=caller(maintainer))
    issue.refresh_from_db()
    assert (issue.milestone_id, issue.version) == (None, 2)
    event = Event.objects.get(verb="issue.milestone_changed")
    assert event.changes == {"milestone": [{"id": str(made.pk), "name": "M1"}, None]}
    assert not Milestone.objects.exists()


def test_a_milestone_of_another_or_a_hidden_project_is_not_found(admin: User, maintainer: User) -> None:
    project, hidden = make_project("API", by=admin), make_project("SEC", by=admin, visibility="private")
    made = create_milestone(hidden.pk, by=caller(admin), name="M1")
    for project_id in (project.pk, hidden.pk):
        with pytest.raises(NotFound):
            edit_milestone(project_id, made.pk, by=caller(maintainer), changes={"name": "M2"})
        with pytest.raises(NotFound):
            delete_milestone(project_id, made.pk, by=caller(maintainer))


def test_milestones_of_an_archived_project_stay(admin: User) -> None:
    project = make_project("API", by=admin)
    made = create_milestone(project.pk, by=caller(admin), name="M1")
    archive_project(project.pk, by=caller(admin))
    with pytest.raises(Conflict):
        delete_milestone(project.pk, made.pk, by=caller(admin))


def test_cycles_are_numbered_and_run_forwards(maintainer: User) -> None:
    project = make_project("API")
    for number in (1, 2):
        made = create_cycle(
            project.pk, by=caller(maintainer), name="Sprint", starts_on="2026-01-01", ends_on="2026-01-14"
        )
        assert made.number == number
    with pytest.raises(Invalid, match="ends_on"):
        edit_cycle(project.pk, made.pk, by=caller(maintainer), changes={"ends_on": "2025-12-31"})
    with pytest.raises(Invalid, match="starts_on"):
        create_cycle(project.pk, by=caller(maintainer), name="C", starts_on=None, ends_on="2026-01-14")  # type: ignore[arg-type]
    issue = make_issue(project, by=maintainer, cycle=str(made.pk))
    delete_cycle(project.pk, made.pk, by=caller(maintainer))
    issue.refresh_from_db()
    assert issue.cycle_id is None
    assert Cycle.objects.count() == 1

"""The people and projects of a plan, made by the services, and its issues too where speed is no matter."""

from dataclasses import dataclass
from typing import Any, Final

from accounts.models import TeamRole, User
from accounts.services.teams import add_member, create_team
from accounts.services.users import create_user
from bench.plan import LABELS, MILESTONES, Filing, Place, Step, people, places
from issues.models import Issue, Project, Visibility
from issues.services.comments import add_comment
from issues.services.issues import change_status, create_issue, edit_issue
from issues.services.labels import create_label
from issues.services.milestones import create_milestone
from issues.services.projects import create_project
from issues.services.watchers import share_issue
from tracker.caller import Caller

_COLORS: Final = ("#3b82f6", "#ef4444", "#22c55e", "#f59e0b")


@dataclass(frozen=True, slots=True)
class Frame:
    """People and projects, each at its number."""

    people: list[User]
    projects: list[Project]


def make_frame() -> Frame:
    """Make the people, teams, projects, labels and milestones by the services.

    Nobody has a password, which takes half a second to hash: who measures gives out the tokens.
    """
    accounts = [
        create_user(
            by=None,
            email=person.email,
            name=f"{person.role.title()} {person.number}",
            role=person.role,
        )
        for person in people()
    ]
    admin = next(user for user in accounts if user.role == "admin")
    teams = []
    for person, user in zip(people(), accounts, strict=True):
        if person.leads:
            teams.append(create_team(by=Caller(admin, source="seed"), name=f"Team {person.team}"))
        role = TeamRole.LEAD if person.leads else TeamRole.MEMBER
        add_member(teams[person.team].pk, by=Caller(admin, source="seed"), user_id=user.pk, role=role)
    projects = [_make_project(place, admin, teams) for place in places()]
    return Frame(accounts, projects)


def read_frame() -> Frame:
    """Return the people and projects that `make_frame` made in this database."""
    accounts = {user.email: user for user in User.objects.all()}
    projects = {project.key: project for project in Project.objects.all()}
    return Frame([accounts[person.email] for person in people()], [projects[place.key] for place in places()])


def _make_project(place: Place, admin: User, teams: list[Any]) -> Project:
    by = Caller(admin, source="seed")
    project = create_project(
        by=by,
        key=place.key,
        name=f"Project {place.number}",
        visibility=Visibility.PRIVATE if place.is_private else Visibility.INTERNAL,
        preset=place.preset,
        teams=[teams[place.team]],
        reporters_see_all=place.reporters_see_all,
    )
    for number, name in enumerate(LABELS):
        create_label(project.pk, by=by, name=name, color=_COLORS[number % len(_COLORS)])
    for name in MILESTONES:
        create_milestone(project.pk, by=by, name=name)
    return project


def perform(filing: Filing, frame: Frame) -> Issue:
    """Do one issue of the plan by the services, each step as the person who takes it."""
    by = Caller(frame.people[filing.person], source="seed", at=filing.at)
    issue = create_issue(frame.projects[filing.project].pk, by=by, fields=_fields(filing.fields, frame))
    for step in filing.steps:
        _take(step, issue, frame)
    return issue


def _take(step: Step, issue: Issue, frame: Frame) -> None:
    by = Caller(frame.people[step.person], source="seed", at=step.at)
    if step.kind == "edit":
        edit_issue(issue.pk, by=by, changes=_fields(step.value, frame))
    elif step.kind == "status":
        change_status(issue.pk, by=by, to=step.value)
    elif step.kind == "comment":
        add_comment(issue.pk, by=by, body=step.value[0], internal=step.value[1])
    else:
        share_issue(issue.pk, by=by, person=frame.people[step.value])


def _fields(fields: dict[str, Any], frame: Frame) -> dict[str, Any]:
    if "assignee" not in fields:
        return fields
    return fields | {"assignee": str(frame.people[fields["assignee"]].pk)}

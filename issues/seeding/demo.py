"""Makes the sample data, through the services, as an admin who tells of others at other times.

It may be interrupted and run again: what is there is known by its time and left alone. Each transaction is
short, so that the product serves meanwhile.
"""

import heapq
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from django.contrib.auth.hashers import make_password
from django.db import OperationalError, connection, transaction

from accounts.models import Role, Team, User
from accounts.services.teams import add_member, create_team
from accounts.services.users import create_user, insert_user
from issues.models import Comment, CycleState, Issue, Project, Visibility
from issues.seeding.mobile import MOBILE
from issues.seeding.people import ADMIN, PASSWORD, PEOPLE, TEAMS, Person
from issues.seeding.performing import Stage, perform
from issues.seeding.plan import DAYS, Action, cycle_dates, plan_project
from issues.seeding.public_api import PUBLIC_API
from issues.seeding.security_reviews import SECURITY_REVIEWS
from issues.seeding.service_desk import SERVICE_DESK
from issues.seeding.story import Story
from issues.services.cycles import create_cycle
from issues.services.labels import create_label
from issues.services.milestones import create_milestone
from issues.services.projects import create_project
from tracker import clock
from tracker.caller import Caller
from tracker.errors import Conflict, DomainError
from tracker.models import Event
from tracker.versions import forget_versions

STORIES: Final = (MOBILE, PUBLIC_API, SERVICE_DESK, SECURITY_REVIEWS)
BATCH: Final = 10
PAUSE_SECONDS: Final = 0.02
_TRIES: Final = 5

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class SeedReport:
    """What a run added, and what it left out since somebody had changed it."""

    accounts: int = 0
    projects: int = 0
    actions: int = 0
    skipped: list[str] = field(default_factory=list)


def seed_demo(
    *, stories: Sequence[Story] = STORIES, progress: Progress = lambda done, total: None
) -> SeedReport:
    """Make the accounts, teams and projects that are missing, and what is missing of their history.

    `progress` is told how many of how many actions are done. Raises `Conflict` where the account
    admin@example.com is there and is not an active admin.
    """
    report = SeedReport()
    begin = _begin(stories)
    people = _people(begin - timedelta(days=3), report)
    teams = _teams(people, begin - timedelta(days=2))
    stages = [
        stage
        for story in stories
        if (stage := _stage(story, people=people, teams=teams, begin=begin, report=report)) is not None
    ]
    _play(stages, report=report, progress=progress)
    return report


def _begin(stories: Iterable[Story]) -> datetime:
    """Return when the history begins: as in the first run, or half a year ago."""
    keys = [story.key for story in stories]
    first = Project.objects.filter(key__in=keys, pk__in=_seeded()).order_by("created_at").first()
    return first.created_at if first else clock.cut(clock.now() - timedelta(days=DAYS))


def _seeded() -> Any:
    return Event.objects.filter(verb="project.created", source="seed").values("project_id")


# --- people ------------------------------------------------------------------------------------------
def _people(at: datetime, report: SeedReport) -> dict[str, User]:
    admin = _admin(at, report)
    for person in PEOPLE:
        if not User.objects.filter(email=person.email).exists():
            _create(person, by=Caller(admin, source="seed", at=at))
            report.accounts += 1
    return {user.email: user for user in User.objects.filter(email__in=[person.email for person in PEOPLE])}


def _admin(at: datetime, report: SeedReport) -> User:
    """Return the sample admin, whom nobody else can make: the first account of a fresh database."""
    admin = User.objects.filter(email=ADMIN.email).first()
    if admin is None:
        made = User(
            email=ADMIN.email, name=ADMIN.name, role=ADMIN.role, time_zone=ADMIN.time_zone, created_at=at
        )
        made.password = make_password(PASSWORD)
        with transaction.atomic():
            admin = insert_user(made, by=None)
        report.accounts += 1
    if not admin.is_active or admin.role != Role.ADMIN:
        raise Conflict(f"{ADMIN.email} is there but is not an active admin: make it one, then seed again.")
    return _fresh(admin)


def _create(person: Person, *, by: Caller) -> None:
    create_user(
        by=by,
        email=person.email,
        name=person.name,
        role=person.role,
        password=PASSWORD if person.has_password else None,
        time_zone=person.time_zone,
    )


def _teams(people: dict[str, User], at: datetime) -> dict[str, Team]:
    teams: dict[str, Team] = {}
    for plan in TEAMS:
        team = Team.objects.filter(name=plan.name).first()
        if team is None:
            with transaction.atomic():
                by = Caller(_fresh(people[plan.lead]), source="seed", at=at)
                team = create_team(by=by, name=plan.name, description=plan.description)
                for email in plan.members:
                    add_member(team.pk, by=by, user_id=people[email].pk)
        teams[plan.name] = team
    return teams


def _fresh(user: User) -> User:
    fresh: User = User.objects.get(pk=user.pk)
    return fresh


# --- projects ----------------------------------------------------------------------------------------
def _stage(
    story: Story, *, people: dict[str, User], teams: dict[str, Team], begin: datetime, report: SeedReport
) -> Stage | None:
    """Return the project, made with what hangs on it where it is missing; None where the key is taken."""
    project = Project.objects.filter(key=story.key).first()
    if project is not None and not _seeded().filter(project_id=project.pk).exists():
        report.skipped.append(f"{story.key}: there is another project with this key.")
        return None
    admin = _fresh(people[ADMIN.email])
    by = Caller(admin, source="seed", at=project.created_at if project else begin, author=people[story.lead])
    if project is None:
        project = _create_project(story, people=people, teams=teams, by=by)
        report.projects += 1
    return Stage(story=story, project=project, admin=admin, people=people)


@transaction.atomic
def _create_project(story: Story, *, people: dict[str, User], teams: dict[str, Team], by: Caller) -> Project:
    project = create_project(
        by=by,
        key=story.key,
        name=story.name,
        description=story.description,
        visibility=Visibility.PRIVATE if story.is_private else Visibility.INTERNAL,
        preset=story.preset,
        lead=people[story.lead],
        teams=[teams[name] for name in story.teams],
        time_zone=story.time_zone,
    )
    for label in story.labels:
        create_label(project.pk, by=by, name=label.name, color=label.color, description=label.description)
    for goal in story.milestones:
        due = (by.now + timedelta(days=goal.due_day)).date()
        create_milestone(project.pk, by=by, name=goal.name, description=goal.description, due_date=due)
    if story.has_cycles:
        _create_cycles(project, by=by)
    return project


def _create_cycles(project: Project, *, by: Caller) -> None:
    today = (by.now + timedelta(days=DAYS)).date()
    for number, starts_on, ends_on in cycle_dates(by.now):
        state = CycleState.PLANNED if starts_on > today else CycleState.ACTIVE
        state = CycleState.COMPLETED if ends_on < today else state
        create_cycle(
            project.pk, by=by, name=f"Cycle {number}", starts_on=starts_on, ends_on=ends_on, state=state
        )


# --- history -----------------------------------------------------------------------------------------
def _play(stages: Sequence[Stage], *, report: SeedReport, progress: Progress) -> None:
    """Let everything happen that has not happened yet, in the order of its time."""
    by_key = {stage.story.key: stage for stage in stages}
    plans = [_missing(stage) for stage in stages]
    total, done = sum(len(plan) for plan in plans), 0
    actions = iter(heapq.merge(*plans, key=lambda action: action.at))
    while batch := list(islice(actions, BATCH)):
        report.skipped += _perform_together(batch, by_key)
        done += len(batch)
        progress(done, total)
        if connection.vendor == "sqlite":  # whoever waits for the one writer asks only now and then
            time.sleep(PAUSE_SECONDS)
    report.actions = total - len(report.skipped)


def _missing(stage: Stage) -> list[Action]:
    """Return the actions of which the log knows nothing, and remember the ids of what is there."""
    project = stage.project
    stage.issues = dict(Issue.objects.filter(project=project).values_list("created_at", "id"))
    stage.comments = {
        (issue_id, created_at): comment_id
        for issue_id, created_at, comment_id in Comment.objects.filter(issue__project=project).values_list(
            "issue_id", "created_at", "id"
        )
    }
    told = set(Event.objects.filter(project_id=project.pk, source="seed").values_list("at", flat=True))
    plan = plan_project(stage.story, begin=project.created_at)
    stage.remember(plan)
    return [action for action in plan if action.at not in told]


def _perform_together(batch: Sequence[Action], stages: dict[str, Stage]) -> list[str]:
    """Perform actions in one transaction; again where the database ended it because of a deadlock."""
    for attempt in range(1, _TRIES + 1):
        try:
            return _perform_all(batch, stages)
        except OperationalError:
            if attempt == _TRIES:
                raise
            time.sleep(0.2 * attempt)
    return []


@transaction.atomic
def _perform_all(batch: Sequence[Action], stages: dict[str, Stage]) -> list[str]:
    skipped = []
    for stage in stages.values():
        forget_versions(stage.admin)
    for action in batch:
        stage = stages[action.key]
        try:
            perform(action, stage)
        except DomainError as error:  # somebody has worked on the sample data since
            skipped.append(f"{action.key} {action.kind} at {action.at:%Y-%m-%d %H:%M}: {error.message}")
    return skipped


def counts() -> dict[str, int]:
    """Return how many issues, comments and events there are."""
    return {
        "issues": Issue.objects.count(),
        "comments": Comment.objects.count(),
        "events": Event.objects.count(),
    }

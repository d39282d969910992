from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from itertools import pairwise
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Role, Team, User
from accounts.services.passwords import is_password_of
from issues.lifecycle import Lifecycle
from issues.models import Comment, Issue, Milestone, Project
from issues.seeding.demo import STORIES, seed_demo
from issues.seeding.mobile import MOBILE
from issues.seeding.plan import DAYS, plan_project
from issues.seeding.service_desk import SERVICE_DESK
from issues.services.issues import edit_issue
from issues.services.presets import PRESETS
from tests.make import caller, make_project, make_user
from tracker import clock
from tracker.errors import Conflict
from tracker.models import Event

pytestmark = pytest.mark.django_db

FEW = tuple(replace(story, issues=6) for story in STORIES)


def state() -> list[Any]:
    events = Event.objects.order_by("order").values_list("order", "seq", "verb", "at", "changes")
    issues = Issue.objects.order_by("pk").values_list("pk", "version", "status_id", "activity_at")
    return [*events, *issues, Comment.objects.count(), User.objects.count()]


def histories() -> Iterator[tuple[Issue, list[Event]]]:
    for issue in Issue.objects.select_related("project", "status"):
        yield (
            issue,
            list(Event.objects.filter(issue_id=issue.pk, verb__startswith="issue.").order_by("order")),
        )


def test_a_second_run_changes_nothing() -> None:
    first = seed_demo(stories=FEW)
    assert (first.accounts, first.projects, first.skipped) == (12, 4, [])
    before = state()
    second = seed_demo(stories=FEW)
    assert (second.accounts, second.projects, second.actions) == (0, 0, 0)
    assert state() == before


def test_an_interrupted_run_is_gone_on_with() -> None:
    def stop(done: int, total: int) -> None:
        if done > 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seed_demo(stories=FEW, progress=stop)
    begun = Event.objects.count()
    report = seed_demo(stories=FEW)
    assert report.skipped == []
    assert Event.objects.count() > begun
    assert Event.objects.filter(verb="issue.created").count() == Issue.objects.count() == 24
    numbers = Issue.objects.order_by("project", "number").values_list("number", flat=True)
    assert list(numbers) == [*range(1, 7)] * 4


def test_every_change_of_status_follows_the_workflow_and_the_log_folds_to_the_issue() -> None:
    seed_demo(stories=FEW)
    for issue, events in histories():
        preset = PRESETS[issue.project.workflow_preset]
        status, life = (
            preset.statuses[0].slug,
            Lifecycle().enter(preset.statuses[0].category, issue.created_at),
        )
        assert all(earlier.at < later.at for earlier, later in pairwise(events))
        for event in events:
            if "status" not in event.changes:
                continue
            old, new = event.changes["status"]
            assert old == status
            assert new in preset.steps[old]
            status, life = new, life.enter(event.data["categories"][1], event.at)
        assert status == issue.status.slug
        assert (life.started_at, life.closed_at) == (issue.started_at, issue.closed_at)
        assert max(event.version or 0 for event in events) == issue.version


def test_everybody_does_what_their_role_may() -> None:
    seed_demo(stories=FEW)
    roles = dict(User.objects.values_list("pk", "role"))
    for comment in Comment.objects.filter(internal=True):
        assert roles[comment.author_id] != Role.REPORTER
    changes = Event.objects.filter(verb__startswith="issue.").exclude(
        verb__in=["issue.created", "issue.linked"]
    )
    assert {roles[actor] for actor in changes.values_list("actor_id", flat=True)} <= {
        "developer",
        "maintainer",
    }


def test_the_past_is_the_past_and_ends_today() -> None:
    seed_demo(stories=FEW)
    now = clock.now()
    events = Event.objects.filter(verb__startswith="issue.")
    assert not events.filter(at__gt=now).exists()
    assert not events.filter(at__lt=now - timedelta(days=DAYS, hours=1)).exists()
    assert not Event.objects.exclude(source__in=["seed", "system"]).exists()


def test_the_four_accounts_sign_in_and_the_teams_see_the_private_project() -> None:
    seed_demo(stories=FEW)
    for role in Role.values:
        user = User.objects.get(email=f"{role}@example.com")
        assert user.role == role
        assert is_password_of(user, "password")
    seen = {
        email: set(Project.objects.visible_to(User.objects.get(email=email)).values_list("key", flat=True))
        for email in ("developer@example.com", "yuki.tanaka@example.com", "reporter@example.com")
    }
    assert seen["developer@example.com"] == {"MOB", "API", "DESK", "SEC"}
    assert seen["yuki.tanaka@example.com"] == seen["reporter@example.com"] == {"MOB", "API", "DESK"}
    assert Team.objects.count() == 3


def test_projects_have_all_presets_milestones_and_labels() -> None:
    seed_demo(stories=FEW)
    assert set(Project.objects.values_list("workflow_preset", flat=True)) == set(PRESETS)
    assert set(Milestone.objects.values_list("state", flat=True)) == {"open", "closed"}
    assert Issue.objects.filter(labels__isnull=False).exists()
    assert Issue.objects.filter(milestone__isnull=False).exists()


def test_the_plan_is_the_same_each_time_and_half_a_year_of_work() -> None:
    begin = clock.now() - timedelta(days=DAYS)
    plans = [plan_project(story, begin=begin) for story in STORIES]
    assert plans == [plan_project(story, begin=begin) for story in STORIES]
    filed = [action for plan in plans for action in plan if action.kind == "file"]
    assert 380 <= len(filed) <= 420
    assert len({action.values["title"] for action in filed}) > 370
    texts = {action.values["body"] for plan in plans for action in plan if action.kind == "comment"}
    assert len(texts) > 250
    assert not any("{" in text.replace("{id}", "") for text in texts)
    assert all(earlier.at < later.at for plan in plans for earlier, later in pairwise(plan))


def test_what_people_did_since_is_left_as_it_is() -> None:
    seed_demo(stories=FEW)
    issue = Issue.objects.filter(project__key="MOB").first()
    assert issue is not None
    admin = User.objects.get(email="admin@example.com")
    edit_issue(issue.pk, by=caller(admin), changes={"title": "My own title"})
    seed_demo(stories=FEW)
    issue.refresh_from_db()
    assert issue.title == "My own title"


def test_a_project_of_somebody_else_is_not_filled() -> None:
    project = make_project("MOB", by=make_user(Role.ADMIN))
    report = seed_demo(stories=[replace(MOBILE, issues=3), replace(SERVICE_DESK, issues=3)])
    assert len(report.skipped) == 1
    assert not Issue.objects.filter(project=project).exists()
    assert Issue.objects.filter(project__key="DESK").count() == 3


def test_an_admin_who_is_none_any_more_is_not_used() -> None:
    make_user(Role.REPORTER, email="admin@example.com")
    with pytest.raises(Conflict):
        seed_demo(stories=FEW)


def test_production_refuses(settings: Any) -> None:
    settings.TRACKER_ENV = "production"
    with pytest.raises(CommandError, match="refused in production"):
        call_command("seed_demo")
    assert not User.objects.exists()


@pytest.mark.slow
def test_the_command_makes_all_of_it() -> None:
    out = StringIO()
    call_command("seed_demo", stdout=out)
    assert "12 accounts, 4 projects, 40" in out.getvalue()
    assert Event.objects.count() > 3000

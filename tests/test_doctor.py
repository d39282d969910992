"""`manage.py doctor` finds what each promise's breach leaves, and nothing in a sound installation."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django_celery_beat.models import PeriodicTask

from accounts.models import User
from issues.models import Issue, Project
from issues.models.search import SearchDocument
from tests.make import make_issue, make_project
from tracker.models import EventLog

pytestmark = pytest.mark.django_db(transaction=True)


def doctor(*options: str) -> str:
    """Run it and return what it says."""
    out = StringIO()
    call_command("doctor", *options, stdout=out)
    return out.getvalue()


def faults_of(*options: str) -> str:
    """Run it where something is wrong, and return what it says."""
    out = StringIO()
    with pytest.raises(CommandError, match=r"\d+ faults"):
        call_command("doctor", *options, stdout=out)
    return out.getvalue()


@pytest.fixture
def issue(admin: User) -> Issue:
    """An issue with some history."""
    return make_issue(make_project(by=admin), by=admin, type="bug")


@pytest.mark.parametrize("options", [(), ("--all",)])
def test_a_sound_installation_is_found_sound(issue: Issue, options: tuple[str, ...]) -> None:
    said = doctor(*options)

    assert "FAULT" not in said
    assert "Every promise that was examined is kept." in said
    for name in ("settings", "database", "event log", "schedules", "issue numbers", "history", "search"):
        assert f"ok     {name}" in said


def test_a_gap_in_the_log_is_found(issue: Issue) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tracker_eventlog SET last_seq = last_seq + 1")

    assert "FAULT  event log" in faults_of()
    EventLog.objects.all().delete()


def test_a_counter_below_a_number_is_found(issue: Issue) -> None:
    Project.objects.filter(pk=issue.project_id).update(next_number=issue.number)

    assert f"{issue.project.key} counts on at {issue.number}" in faults_of()


def test_a_row_that_differs_from_its_history_is_found(issue: Issue) -> None:
    Issue.objects.filter(pk=issue.pk).update(type="task")

    assert f"{issue.project.key}-{issue.number}: the log and the row differ in type." in faults_of()


def test_an_issue_that_the_search_does_not_know_is_found(issue: Issue) -> None:
    SearchDocument.objects.filter(issue=issue).delete()

    assert "The search does not know 1 issues" in faults_of()


def test_a_schedule_that_is_missing_is_found() -> None:
    PeriodicTask.objects.filter(name="purge the trash").delete()

    assert "The schedule 'purge the trash' is missing" in faults_of()


def test_processes_that_are_away_are_a_fault_only_where_they_should_run() -> None:
    PeriodicTask.objects.update(last_run_at="2020-01-01T00:00:00Z")

    assert "away   beat" in doctor()
    assert "FAULT  beat" in faults_of("--running")

"""`manage.py doctor` finds what each promise's breach leaves, and nothing in a sound installation."""

import os
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django_celery_beat.models import PeriodicTask

from accounts.models import User
from accounts.services.avatars import edit_account
from issues.models import Issue, Project, Thumbnail
from issues.models.search import SearchDocument
from tests.hostile import picture
from tests.make import caller, fresh, make_attachment, make_issue, make_project, make_upload
from tracker import clock
from tracker.durable import drive, kind_of
from tracker.files.storage import store
from tracker.models import EventLog
from transfer.files import path_of, store_file
from transfer.services.imports import begin_import

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
    for name in (
        "settings", "database", "event log", "schedules", "issue numbers", "history", "search",
        "files of rows", "files without rows", "files of imports",
    ):  # fmt: skip
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


@pytest.mark.parametrize("options", [(), ("--all",)])
@pytest.mark.usefixtures("empty_storage")
def test_rows_without_their_files_are_found(admin: User, issue: Issue, options: tuple[str, ...]) -> None:
    attachment = make_attachment(issue, by=admin, content=picture())
    drive(kind_of(Thumbnail), Thumbnail.objects.get().pk)
    with make_upload(picture()) as upload:
        edit_account(admin.pk, by=caller(admin), changes={"avatar": upload})
    assert "FAULT" not in doctor(*options)
    attachment.refresh_from_db()
    keys = [attachment.key, attachment.thumbnail_key, fresh(admin).avatar]
    for key in keys:
        default_storage.delete(key)

    said = faults_of(*options)
    for key in keys:
        assert f"A row refers to the file {key}, which is missing." in said


@pytest.mark.usefixtures("empty_storage")
def test_a_sample_reads_the_oldest_and_the_newest_and_all_reads_the_rest(
    admin: User, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.files.doctor.SAMPLE", 1)
    first, middle, last = (make_attachment(issue, by=admin) for _ in range(3))
    default_storage.delete(middle.key)
    assert "FAULT" not in doctor()
    assert middle.key in faults_of("--all")
    for each in (first, last):
        default_storage.delete(each.key)
        assert each.key in faults_of()


@pytest.mark.usefixtures("empty_storage")
def test_old_files_that_the_cleaning_forgot_are_found(issue: Issue) -> None:
    for folder in ("attachments", "thumbnails", "avatars"):
        key = store(ContentFile(b"left over"), folder=folder)
        _age(Path(default_storage.path(key)), days=31)
        assert "FAULT" not in doctor("--all")  # the cleaning may be a little late
        _age(Path(default_storage.path(key)), days=33)
        assert f"No row refers to the old file {key}" in faults_of()
        default_storage.delete(key)


def test_files_of_imports_are_examined_too(admin: User, issue: Issue) -> None:
    left_over = store_file([b"left over"])
    _age(path_of(left_over), days=4)
    assert f"No import waits for the old file imports/{left_over}" in faults_of()
    path_of(left_over).unlink()
    run = begin_import(
        by=caller(admin), project_id=issue.project_id, format="csv", mode="strict", dry_run=False, mapping={},
        filename="a.csv", chunks=[b"title\nOne\n"],
    )  # fmt: skip
    _age(path_of(run.file_name), days=4)
    assert "FAULT" not in doctor()
    path_of(run.file_name).unlink()
    assert f"The import {run.pk} waits, but its file is missing." in faults_of()


def _age(path: Path, *, days: int) -> None:
    moment = (clock.now() - timedelta(days=days)).timestamp()
    os.utime(path, (moment, moment))


def test_processes_that_are_away_are_a_fault_only_where_they_should_run() -> None:
    PeriodicTask.objects.update(last_run_at="2020-01-01T00:00:00Z")

    assert "away   beat" in doctor()
    assert "FAULT  beat" in faults_of("--running")

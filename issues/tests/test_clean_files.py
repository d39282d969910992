"""The daily cleaning: old files that nothing refers to, and nothing else."""

import os
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command

from accounts.models import User
from accounts.services.avatars import edit_account
from issues.models import Attachment, Issue, Thumbnail
from issues.services.issues import change_status
from issues.services.projects import archive_project
from issues.tasks import clean_old_files
from tests.hostile import picture
from tests.make import caller, make_attachment, make_issue, make_project, make_upload
from tests.storage import stored_files
from tracker import clock
from tracker.durable import drive, kind_of
from tracker.files.storage import incoming_folder, store
from tracker.models import Event, Job
from transfer.files import path_of, store_file

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_storage")]


@pytest.fixture
def issue(admin: User, reporter: User) -> Issue:
    """`API-1`, filed by the reporter."""
    return make_issue(make_project("API", by=admin), by=reporter)


def age(days: float) -> None:
    """Make every file look this old."""
    moment = (clock.now() - timedelta(days=days)).timestamp()
    for path in stored_files():
        os.utime(path, (moment, moment))


def cleaned() -> int:
    out = StringIO()
    call_command("clean_files", stdout=out)
    return int(out.getvalue().removeprefix("cleaned "))


def test_only_old_files_that_nothing_refers_to_go(reporter: User, issue: Issue) -> None:
    attachment = make_attachment(issue, by=reporter, content=picture())
    drive(kind_of(Thumbnail), Thumbnail.objects.get().pk)
    with make_upload(picture()) as upload:
        edit_account(reporter.pk, by=caller(reporter), changes={"avatar": upload})
    orphans = [
        store(ContentFile(b"left over"), folder=folder) for folder in ("attachments", "thumbnails", "avatars")
    ]
    foreign = store(ContentFile(b"of somebody else"), folder="imports")
    kept = set(stored_files()) - {Path(default_storage.path(key)) for key in orphans}

    age(29)
    assert cleaned() == 0
    age(31)
    assert cleaned() == 3
    assert set(stored_files()) == kept
    assert default_storage.exists(foreign)
    assert default_storage.exists(attachment.key)
    assert cleaned() == 0


def test_uploads_that_never_ended_go_after_a_day() -> None:
    path = incoming_folder() / "half.upload"
    path.write_bytes(b"half")
    age(0.9)
    assert cleaned() == 0
    age(1.1)
    assert cleaned() == 1


def test_files_that_waited_for_an_import_in_vain_go_after_a_day() -> None:
    name = store_file([b"left over"])
    path = path_of(name)
    for days, count in ((0.9, 0), (1.1, 1)):
        moment = (clock.now() - timedelta(days=days)).timestamp()
        os.utime(path, (moment, moment))
        assert cleaned() == count
    assert not path.exists()


def test_the_operator_may_keep_files_of_closed_issues_for_a_while_only(
    settings: Any, reporter: User, admin: User, issue: Issue
) -> None:
    closed = make_issue(issue.project, by=reporter)
    for each in (issue, closed):
        make_attachment(each, by=reporter, name="plan.txt")
    for status in ("in_progress", "done"):
        change_status(closed.pk, by=caller(admin), to=status)
    Issue.objects.filter(pk=closed.pk).update(closed_at=clock.now() - timedelta(days=11))
    archive_project(issue.project_id, by=caller(admin))

    assert cleaned() == 0
    settings.ATTACHMENT_RETENTION_DAYS = 12
    assert cleaned() == 0
    settings.ATTACHMENT_RETENTION_DAYS = 10
    assert cleaned() == 1

    assert [each.issue_id for each in Attachment.objects.all()] == [issue.pk]
    assert len(stored_files()) == 1
    event = Event.objects.get(verb="attachment.deleted")
    assert (event.issue_id, event.actor_id, event.source) == (closed.pk, None, "system")
    assert event.changes == {"filename": ["plan.txt", None]}
    assert event.issue_key == "API-2"
    assert cleaned() == 0


def test_the_task_cleans_as_a_job() -> None:
    store(ContentFile(b"left over"), folder="attachments")
    age(31)
    clean_old_files()
    job = Job.objects.get()
    assert drive(kind_of(Job), job.pk)
    job.refresh_from_db()
    assert (job.name, job.state, job.count) == ("clean files", "done", 1)
    assert stored_files() == []

import uuid
from datetime import datetime, timedelta
from io import StringIO
from itertools import count

import pytest
import time_machine
from django.core.management import call_command

from accounts.models import User
from issues.models import Comment, Issue
from issues.services import purging
from issues.services.issues import edit_issue, restore_issue, trash_issue
from issues.services.purging import purge_trash
from issues.tasks import purge_old_trash
from tests.make import caller, make_comment, make_issue, make_project
from tests.threads import at_once
from tracker import clock
from tracker.durable import LEASE, drive, kind_of
from tracker.models import Event, Job

pytestmark = pytest.mark.django_db


def test_an_issue_goes_for_good_after_thirty_days_in_the_trash(admin: User) -> None:
    project = make_project("API", by=admin)
    issue, child = make_issue(project, by=admin), make_issue(project, by=admin, parent="API-1")
    comment = make_comment(issue, by=admin)
    make_comment(issue, by=admin, parent_id=comment.pk)
    edit_issue(issue.pk, by=caller(admin), changes={"title": "A secret", "priority": "high"})
    trash_issue(issue.pk, by=caller(admin))
    assert purge_trash(at=clock.now() + timedelta(days=29)) == 0
    assert purge_trash(at=clock.now() + timedelta(days=30, seconds=1)) == 1
    child.refresh_from_db()
    assert (child.parent_id, child.version) == (None, 2)
    assert list(Issue.objects.all()) == [child]
    assert not Comment.objects.exists()
    told = Event.objects.get(issue_id=issue.pk, verb="issue.updated").changes
    assert told == {"title": [None, None], "priority": ["none", "high"]}
    gone = Event.objects.get(verb="issue.purged")
    assert (gone.issue_key, gone.actor_id) == ("API-1", None)
    assert gone.data["sight"]["before"]["watchers"] == [str(admin.pk)]
    assert make_issue(project, by=admin).number == 3


def test_what_an_import_kept_of_the_texts_goes_too(admin: User) -> None:
    issue = make_issue(make_project("API", by=admin), by=admin)
    Event.objects.create(
        issue_id=issue.pk,
        verb="issue.imported",
        source="import",
        data={
            "source": "jira:x",
            "initial": {"title": "A secret", "description": "A secret", "priority": "high"},
            "original": {"issuetype": "A secret"},
        },
    )
    kept = [{"field": "summary", "from": "A secret", "to": "A secret"}]
    Event.objects.create(issue_id=issue.pk, verb="issue.updated", source="import", data={"fields": kept})
    trash_issue(issue.pk, by=caller(admin))
    assert purge_trash(at=clock.now() + timedelta(days=31)) == 1
    assert Event.objects.get(issue_id=issue.pk, verb="issue.imported").data == {
        "source": "jira:x", "initial": {"priority": "high"}, "original": {}, "blanked": True,
    }  # fmt: skip
    told = Event.objects.get(issue_id=issue.pk, verb="issue.updated").data
    assert told == {"fields": [{"field": "summary", "from": None, "to": None}], "blanked": True}


def test_what_was_restored_stays(admin: User) -> None:
    issue = make_issue(make_project("API", by=admin), by=admin)
    trash_issue(issue.pk, by=caller(admin))
    restore_issue(issue.pk, by=caller(admin))
    assert purge_trash(at=clock.now() + timedelta(days=400)) == 0
    assert Issue.objects.exists()


def test_the_commands_say_how_much_they_did(admin: User) -> None:
    make_project("API", by=admin)
    out = StringIO()
    call_command("purge_trash", stdout=out)
    call_command("sweep", stdout=out)
    unnumbered = Event.objects.filter(seq__isnull=True).count()
    purged, numbered, worked = out.getvalue().splitlines()
    assert purged == "purged 0"
    assert numbered != "numbered 0"
    assert unnumbered == 0
    assert worked == "worked on 0"


# --- as a task -----------------------------------------------------------------------------------------
def trashed_long_ago(admin: User, count: int) -> None:
    """Issues that have been in the trash for longer than they are kept."""
    project = make_project("OLD", by=admin)
    for _ in range(count):
        trash_issue(make_issue(project, by=admin).pk, by=caller(admin))
    Issue.objects.update(trashed_at=clock.now() - timedelta(days=31))


def purges() -> list[str]:
    """The keys of purged issues, as the log has them."""
    return sorted(Event.objects.filter(verb="issue.purged").values_list("issue_key", flat=True))


def test_a_purge_that_is_killed_half_way_goes_on(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    trashed_long_ago(admin, 4)
    purge_old_trash()
    job = Job.objects.get()
    whole, calls = purging.purge_issue, count(1)

    def die_at_the_third(issue_id: uuid.UUID, *, before: datetime) -> bool:
        if next(calls) == 3:
            raise SystemExit  # nothing is tidied up, as when the process is killed
        return whole(issue_id, before=before)

    with monkeypatch.context() as patched:
        patched.setattr(purging, "purge_issue", die_at_the_third)
        with pytest.raises(SystemExit):
            drive(kind_of(Job), job.pk)
    assert Issue.objects.count() == 2
    assert not drive(kind_of(Job), job.pk)
    with time_machine.travel(clock.now() + LEASE + timedelta(seconds=1)):
        assert drive(kind_of(Job), job.pk)
    assert not Issue.objects.exists()
    assert purges() == [f"OLD-{number}" for number in (1, 2, 3, 4)]


@pytest.mark.django_db(transaction=True)
def test_the_purge_told_many_times_purges_each_issue_once(admin: User) -> None:
    trashed_long_ago(admin, 4)
    at_once(3, lambda _: purge_old_trash())
    job = Job.objects.get()
    at_once(3, lambda _: drive(kind_of(Job), job.pk))
    purge_old_trash()
    call_command("sweep", stdout=StringIO())
    assert purges() == [f"OLD-{number}" for number in (1, 2, 3, 4)]
    assert list(Job.objects.order_by("created_at").values_list("state", "count")) == [
        ("done", 4),
        ("done", 0),
    ]


@pytest.mark.django_db(transaction=True)
def test_two_purges_at_once_purge_each_issue_once(admin: User) -> None:
    trashed_long_ago(admin, 6)
    assert sum(at_once(2, lambda _: purge_trash())) == 6
    assert purges() == [f"OLD-{number}" for number in range(1, 7)]

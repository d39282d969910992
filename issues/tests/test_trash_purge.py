from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from accounts.models import User
from issues.models import Comment, Issue
from issues.services.issues import edit_issue, restore_issue, trash_issue
from issues.services.purging import purge_trash
from tests.make import caller, make_comment, make_issue, make_project
from tracker import clock
from tracker.models import Event

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
    Event.objects.filter(issue_id=issue.pk).update(
        data={
            "source": "jira:x",
            "initial": {"title": "A secret", "description": "A secret", "priority": "high"},
            "original": {"issuetype": "A secret"},
        }
    )
    kept = [{"field": "summary", "from": "A secret", "to": "A secret"}]
    Event.objects.create(issue_id=issue.pk, verb="issue.updated", source="import", data={"fields": kept})
    trash_issue(issue.pk, by=caller(admin))
    assert purge_trash(at=clock.now() + timedelta(days=31)) == 1
    assert Event.objects.get(issue_id=issue.pk, verb="issue.created").data == {
        "source": "jira:x", "initial": {"priority": "high"}, "original": {},
    }  # fmt: skip
    told = Event.objects.get(issue_id=issue.pk, verb="issue.updated").data
    assert told == {"fields": [{"field": "summary", "from": None, "to": None}]}


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
    purged, numbered = out.getvalue().splitlines()
    assert purged == "purged 0"
    assert numbered != "numbered 0"
    assert unnumbered == 0

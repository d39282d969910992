import pytest

from accounts.models import Role, User
from issues.models import Issue, Watcher
from issues.services.projects import archive_project
from issues.services.watchers import share_issue, unshare_issue, unwatch_issue, watch_issue
from tests.make import caller, make_issue, make_project, make_user
from tracker.errors import Conflict, Invalid, NotAllowed, NotFound
from tracker.models import Event

pytestmark = pytest.mark.django_db


def sees(user: User) -> bool:
    return Issue.objects.visible_to(caller(user).user).exists()


def test_a_shared_issue_is_seen_until_it_is_taken_back(maintainer: User, reporter: User) -> None:
    issue = make_issue(make_project("API"), by=maintainer)
    assert not sees(reporter)
    share_issue(issue.pk, by=caller(maintainer), person=reporter)
    share_issue(issue.pk, by=caller(maintainer), person=reporter)
    assert sees(reporter)
    unshare_issue(issue.pk, by=caller(maintainer), person=reporter)
    assert not sees(reporter)
    verbs = (
        Event.objects.filter(verb__startswith="watcher.").order_by("order").values_list("verb", "subject_id")
    )
    assert list(verbs) == [("watcher.added", reporter.pk), ("watcher.removed", reporter.pk)]
    issue.refresh_from_db()
    assert issue.version == 1


def test_everybody_watches_for_themselves(developer: User, maintainer: User) -> None:
    issue = make_issue(make_project("API"), by=maintainer)
    watch_issue(issue.pk, by=caller(developer))
    watch_issue(issue.pk, by=caller(developer))
    assert Watcher.objects.filter(issue=issue, user=developer).count() == 1
    unwatch_issue(issue.pk, by=caller(developer))
    unwatch_issue(issue.pk, by=caller(developer))
    assert not Watcher.objects.filter(issue=issue, user=developer).exists()


def test_only_who_manages_issues_shares_them(developer: User, reporter: User, maintainer: User) -> None:
    issue = make_issue(make_project("API"), by=developer)
    with pytest.raises(NotAllowed):
        share_issue(issue.pk, by=caller(developer), person=reporter)
    share_issue(issue.pk, by=caller(maintainer), person=reporter)
    with pytest.raises(NotAllowed):
        unshare_issue(issue.pk, by=caller(developer), person=reporter)


def test_who_does_not_see_the_project_is_no_watcher(admin: User, reporter: User) -> None:
    issue = make_issue(make_project("SEC", by=admin, visibility="private"), by=admin)
    gone = make_user(Role.DEVELOPER, is_active=False)
    for person in (reporter, gone):
        with pytest.raises(Invalid):
            share_issue(issue.pk, by=caller(admin), person=person)
    with pytest.raises(NotFound):
        watch_issue(issue.pk, by=caller(reporter))


def test_watchers_of_an_archived_project_stay(admin: User, developer: User) -> None:
    project = make_project("API", by=admin)
    issue = make_issue(project, by=admin)
    archive_project(project.pk, by=caller(admin))
    with pytest.raises(Conflict):
        watch_issue(issue.pk, by=caller(developer))

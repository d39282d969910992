"""Comments are threaded, internal ones hidden, deleted ones leave a place for their answers."""

import pytest

from accounts.models import User
from issues.history_rows import comment_rows, shown_comments
from issues.models import Comment, Issue, Project
from issues.services import comments as services
from issues.services.projects import archive_project
from tests.make import caller, fresh, make_comment, make_issue, make_project
from tracker.errors import Conflict, Invalid, NotAllowed, NotFound
from tracker.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make_project("API")


@pytest.fixture
def issue(project: Project, reporter: User) -> Issue:
    return make_issue(project, by=reporter)


def bodies(issue: Issue, user: User) -> list[str]:
    visible = Comment.objects.visible_to(fresh(user)).filter(issue=issue).order_by("created_at", "id")
    rows = comment_rows(shown_comments(visible, user=fresh(user)), user=fresh(user), key="API-1")
    return [row["body"] for row in rows]


def test_internal_comments_are_for_who_may_read_them(issue: Issue, developer: User, reporter: User) -> None:
    make_comment(issue, by=developer, body="public")
    make_comment(issue, by=developer, body="internal", internal=True)
    assert bodies(issue, developer) == ["public", "internal"]
    assert bodies(issue, reporter) == ["public"]
    with pytest.raises(NotAllowed):
        make_comment(issue, by=reporter, internal=True)


def test_an_answer_to_an_internal_comment_is_internal(issue: Issue, developer: User, reporter: User) -> None:
    first = make_comment(issue, by=developer, internal=True)
    assert make_comment(issue, by=developer, parent_id=first.pk).internal
    with pytest.raises(Invalid):
        make_comment(issue, by=reporter, parent_id=first.pk)


def test_a_deleted_comment_goes_unless_it_has_answers(issue: Issue, developer: User, reporter: User) -> None:
    first = make_comment(issue, by=reporter, body="first")
    second = make_comment(issue, by=developer, body="second", parent_id=first.pk)
    services.delete_comment(first.pk, by=caller(reporter))
    assert bodies(issue, developer) == ["", "second"]
    services.delete_comment(second.pk, by=caller(developer))
    assert bodies(issue, developer) == []


def test_an_internal_answer_does_not_betray_itself_by_an_empty_row(
    issue: Issue, developer: User, reporter: User
) -> None:
    first = make_comment(issue, by=reporter, body="first")
    make_comment(issue, by=developer, parent_id=first.pk, internal=True)
    services.delete_comment(first.pk, by=caller(reporter))
    assert bodies(issue, reporter) == []


def test_only_the_author_edits_and_the_text_is_not_in_the_log(
    issue: Issue, reporter: User, admin: User
) -> None:
    comment = make_comment(issue, by=reporter, body="my secret")
    with pytest.raises(NotAllowed):
        services.edit_comment(comment.pk, by=caller(admin), body="better")
    edited = services.edit_comment(comment.pk, by=caller(reporter), body="nothing")
    assert (edited.body, edited.edited_at is not None) == ("nothing", True)
    told = [str(event.changes) + str(event.data) for event in Event.objects.all()]
    assert not any("my secret" in text for text in told)


def test_who_may_delete(issue: Issue, reporter: User, developer: User, maintainer: User) -> None:
    comment = make_comment(issue, by=reporter)
    with pytest.raises(NotAllowed):
        services.delete_comment(comment.pk, by=caller(developer))
    services.delete_comment(comment.pk, by=caller(maintainer))
    with pytest.raises(NotFound):
        services.delete_comment(comment.pk, by=caller(maintainer))


@pytest.mark.parametrize("body", ["", "  \n", "x" * 65_537, "a\0b", "\ud800"])
def test_bad_bodies_are_refused(issue: Issue, reporter: User, body: str) -> None:
    with pytest.raises(Invalid):
        make_comment(issue, by=reporter, body=body)
    assert not Comment.objects.exists()


def test_a_parent_of_another_issue_is_no_parent(project: Project, issue: Issue, reporter: User) -> None:
    elsewhere = make_comment(make_issue(project, by=reporter), by=reporter)
    with pytest.raises(Invalid):
        make_comment(issue, by=reporter, parent_id=elsewhere.pk)


def test_answers_nest_eight_deep(issue: Issue, reporter: User) -> None:
    parent = make_comment(issue, by=reporter)
    for _ in range(services.MAX_DEPTH - 1):
        parent = make_comment(issue, by=reporter, parent_id=parent.pk)
    with pytest.raises(Invalid):
        make_comment(issue, by=reporter, parent_id=parent.pk)


def test_an_archived_project_takes_no_comment(
    project: Project, issue: Issue, reporter: User, admin: User
) -> None:
    archive_project(project.pk, by=caller(admin))
    with pytest.raises(Conflict):
        make_comment(issue, by=reporter)

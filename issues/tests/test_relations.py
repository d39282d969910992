import pytest

from accounts.models import User
from issues.models import Issue, Relation
from issues.services.projects import archive_project
from issues.services.relations import link_issues, unlink_issues
from tests.make import caller, make_issue, make_project
from tracker.errors import Conflict, Invalid, NotAllowed, NotFound
from tracker.models import Event

pytestmark = pytest.mark.django_db


def told(issue: Issue) -> list[object]:
    events = Event.objects.filter(issue_id=issue.pk, verb__in=["issue.linked", "issue.unlinked"]).order_by(
        "order"
    )
    return [event.changes["relations"] for event in events]


def test_a_link_is_told_on_both_issues_and_leaves_their_versions(maintainer: User) -> None:
    project = make_project("API")
    first, second = make_issue(project, by=maintainer), make_issue(project, by=maintainer)
    relation = link_issues("API-1", by=caller(maintainer), type="blocks", other="API-2")
    assert told(first) == [[None, {"type": "blocks", "issue": {"id": str(second.pk), "key": "API-2"}}]]
    assert told(second) == [[None, {"type": "blocked_by", "issue": {"id": str(first.pk), "key": "API-1"}}]]
    unlink_issues("API-2", relation.pk, by=caller(maintainer))
    assert told(first)[1] == [{"type": "blocks", "issue": {"id": str(second.pk), "key": "API-2"}}, None]
    first.refresh_from_db()
    assert first.version == 1
    assert not Relation.objects.exists()


def test_the_other_side_is_the_same_relation(maintainer: User) -> None:
    project = make_project("API")
    make_issue(project, by=maintainer), make_issue(project, by=maintainer)
    relation = link_issues("API-1", by=caller(maintainer), type="blocks", other="API-2")
    assert link_issues("API-2", by=caller(maintainer), type="blocked_by", other="API-1") == relation
    relates = link_issues("API-1", by=caller(maintainer), type="relates_to", other="API-2")
    assert link_issues("API-2", by=caller(maintainer), type="relates_to", other="API-1") == relates
    assert Event.objects.filter(verb="issue.linked").count() == 4


def test_a_circle_of_blocks_is_refused(maintainer: User) -> None:
    project = make_project("API")
    for _ in range(3):
        make_issue(project, by=maintainer)
    link_issues("API-1", by=caller(maintainer), type="blocks", other="API-2")
    link_issues("API-2", by=caller(maintainer), type="blocks", other="API-3")
    with pytest.raises(Conflict):
        link_issues("API-3", by=caller(maintainer), type="blocks", other="API-1")
    with pytest.raises(Conflict):
        link_issues("API-1", by=caller(maintainer), type="blocked_by", other="API-3")
    assert Relation.objects.count() == 2


def test_relations_are_for_who_works_on_the_issue(developer: User, reporter: User, maintainer: User) -> None:
    project = make_project("API")
    make_issue(project, by=reporter), make_issue(project, by=developer)
    relation = link_issues("API-2", by=caller(developer), type="relates_to", other="API-1")
    for person in (developer, reporter):
        with pytest.raises(NotAllowed):
            link_issues("API-1", by=caller(person), type="relates_to", other="API-2")
    with pytest.raises(NotAllowed):
        unlink_issues("API-1", relation.pk, by=caller(developer))


def test_hidden_issues_are_not_there(admin: User, maintainer: User) -> None:
    shown, hidden = make_project("API", by=admin), make_project("SEC", by=admin, visibility="private")
    make_issue(shown, by=admin), make_issue(hidden, by=admin)
    relation = link_issues("API-1", by=caller(admin), type="blocks", other="SEC-1")
    with pytest.raises(Invalid):
        link_issues("API-1", by=caller(maintainer), type="relates_to", other="SEC-1")
    with pytest.raises(NotFound):
        link_issues("SEC-1", by=caller(maintainer), type="relates_to", other="API-1")
    with pytest.raises(NotFound):
        unlink_issues("API-1", relation.pk, by=caller(maintainer))


@pytest.mark.parametrize(
    ("type_", "other"), [("likes", "API-2"), ("blocks", "API-1"), ("blocks", "API-9"), ("", "")]
)
def test_a_bad_relation_is_refused(maintainer: User, type_: str, other: str) -> None:
    project = make_project("API")
    make_issue(project, by=maintainer), make_issue(project, by=maintainer)
    with pytest.raises(Invalid):
        link_issues("API-1", by=caller(maintainer), type=type_, other=other)


def test_an_archived_project_takes_no_relations(admin: User) -> None:
    project, other = make_project("API", by=admin), make_project("WEB", by=admin)
    make_issue(project, by=admin), make_issue(other, by=admin)
    archive_project(other.pk, by=caller(admin))
    with pytest.raises(Conflict):
        link_issues("API-1", by=caller(admin), type="blocks", other="WEB-1")

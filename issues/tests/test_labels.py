import pytest

from accounts.models import Role, User
from issues.models import IssueLabel, Label
from issues.services.issues import edit_issue
from issues.services.labels import create_label, delete_label, edit_label
from issues.services.projects import archive_project
from tests.make import caller, make_issue, make_project, make_user
from tracker.errors import Conflict, Invalid, NotAllowed, NotFound
from tracker.models import Event

pytestmark = pytest.mark.django_db


def test_a_developer_creates_a_label_and_does_not_change_it(developer: User) -> None:
    project = make_project("API")
    label = create_label(project.pk, by=caller(developer), name=" regression ", color="#FF0000")
    assert (label.name, label.color) == ("regression", "#ff0000")
    with pytest.raises(NotAllowed):
        edit_label(project.pk, label.pk, by=caller(developer), changes={"name": "other"})
    with pytest.raises(NotAllowed):
        delete_label(project.pk, label.pk, by=caller(developer))


def test_a_reporter_creates_no_label(reporter: User) -> None:
    with pytest.raises(NotAllowed):
        create_label(make_project("API").pk, by=caller(reporter), name="mine")


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("name", "x" * 101), ("color", "red"), ("color", "#12345g"), ("description", 7)],
)
def test_a_bad_label_is_refused_by_field(admin: User, field: str, value: object) -> None:
    with pytest.raises(Invalid) as refusal:
        create_label(make_project("API").pk, by=caller(admin), **({"name": "a label"} | {field: value}))  # type: ignore[arg-type]
    assert list(refusal.value.fields) == [field]


def test_a_name_is_one_whatever_its_case(maintainer: User) -> None:
    project, other = make_project("API"), make_project("WEB")
    create_label(project.pk, by=caller(maintainer), name="Bug")
    create_label(other.pk, by=caller(maintainer), name="Bug")
    second = create_label(project.pk, by=caller(maintainer), name="Crash")
    with pytest.raises(Conflict):
        create_label(project.pk, by=caller(maintainer), name="bug")
    with pytest.raises(Conflict):
        edit_label(project.pk, second.pk, by=caller(maintainer), changes={"name": "BUG"})
    edit_label(project.pk, second.pk, by=caller(maintainer), changes={"name": "CRASH"})
    assert Label.objects.filter(project=project).count() == 2


def test_a_new_name_shows_on_the_issues(maintainer: User) -> None:
    project = make_project("API")
    label = create_label(project.pk, by=caller(maintainer), name="Bug")
    issue = make_issue(project, by=maintainer, labels=["bug"])
    edit_label(project.pk, label.pk, by=caller(maintainer), changes={"name": "Defect"})
    edit_issue(issue.pk, by=caller(maintainer), changes={"labels": ["defect"]})
    assert Event.objects.filter(issue_id=issue.pk).count() == 1


def test_a_deleted_label_goes_off_its_issues_with_an_event_each(maintainer: User, developer: User) -> None:
    project = make_project("API")
    label = create_label(project.pk, by=caller(maintainer), name="Bug")
    create_label(project.pk, by=caller(maintainer), name="Keep")
    issue = make_issue(project, by=developer, labels=["Bug", "Keep"])
    make_issue(project, by=developer, labels=["Keep"])
    delete_label(project.pk, label.pk, by=caller(maintainer))
    event = Event.objects.get(verb="issue.labels_changed")
    assert (event.issue_id, event.changes, event.version) == (
        issue.pk,
        {"labels": [["Bug", "Keep"], ["Keep"]]},
        2,
    )
    issue.refresh_from_db()
    assert issue.version == 2
    assert IssueLabel.objects.count() == 2
    assert Event.objects.filter(verb="label.deleted").count() == 1


def test_a_label_that_is_set_while_it_is_deleted_stays(
    maintainer: User, developer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project("API")
    label = create_label(project.pk, by=caller(maintainer), name="Bug")
    issue = make_issue(project, by=developer, labels=["Bug"])
    monkeypatch.setattr("issues.services.labels.lock_issues", lambda *_asked: [])  # it was set after this
    with pytest.raises(Conflict, match="just used it"):
        delete_label(project.pk, label.pk, by=caller(maintainer))
    assert IssueLabel.objects.filter(issue=issue, label=label).exists()


def test_a_label_is_found_only_in_its_own_visible_project(admin: User, maintainer: User) -> None:
    project, other = make_project("API", by=admin), make_project("SEC", by=admin, visibility="private")
    label = create_label(other.pk, by=caller(admin), name="secret")
    for project_id in (project.pk, other.pk):
        with pytest.raises(NotFound):
            edit_label(project_id, label.pk, by=caller(maintainer), changes={"name": "mine"})
        with pytest.raises(NotFound):
            delete_label(project_id, label.pk, by=caller(maintainer))
    with pytest.raises(NotFound):
        create_label(other.pk, by=caller(maintainer), name="mine")


def test_labels_of_an_archived_project_stay(admin: User) -> None:
    project = make_project("API", by=admin)
    label = create_label(project.pk, by=caller(admin), name="Bug")
    archive_project(project.pk, by=caller(admin))
    with pytest.raises(Conflict):
        create_label(project.pk, by=caller(admin), name="Other")
    with pytest.raises(Conflict):
        edit_label(project.pk, label.pk, by=caller(admin), changes={"name": "Other"})
    with pytest.raises(Conflict):
        delete_label(project.pk, label.pk, by=caller(admin))


def test_a_maintainer_who_may_not_see_a_project_makes_nothing_in_it() -> None:
    project = make_project("SEC", visibility="private")
    with pytest.raises(NotFound):
        create_label(project.pk, by=caller(make_user(Role.MAINTAINER)), name="mine")

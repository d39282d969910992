"""Issues are filed, changed, trashed and restored by the rules, whoever asks from wherever."""

from typing import Any

import pytest
from django.db import transaction

from accounts.models import User
from accounts.services.users import deactivate_user
from issues.models import Issue, Label, Project, Watcher
from issues.services import issues as services
from issues.services.projects import archive_project
from tests.fold import folded, told
from tests.make import caller, fresh, make_comment, make_issue, make_project, make_user
from tracker.errors import Conflict, IllegalTransition, Invalid, NotAllowed, NotFound, Stale
from tracker.models import Event
from tracker.versions import bump

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make_project("API")


def last_event(issue: Issue) -> Event:
    return Event.objects.filter(issue_id=issue.pk).order_by("-order")[0]


# --- filing ------------------------------------------------------------------------------------------
def test_a_reporter_files_an_issue_with_the_defaults(project: Project, reporter: User) -> None:
    issue = make_issue(project, by=reporter, title="  It breaks  ", description="a\r\nb", department="Sales")

    issue = Issue.objects.get(pk=issue.pk)
    assert (issue.number, issue.version, issue.title, issue.description) == (1, 1, "It breaks", "a\nb")
    assert (issue.type, issue.severity, issue.priority, issue.status.slug) == ("task", 2, 0, "open")
    assert issue.reporter == reporter
    assert Watcher.objects.filter(issue=issue, user=reporter).exists()
    event = last_event(issue)
    assert (event.verb, event.issue_key, event.at) == ("issue.created", "API-1", issue.created_at)


@pytest.mark.parametrize(
    "field",
    [
        {"priority": "high"},
        {"assignee": "me"},
        {"estimate": 3},
        {"due_date": "2026-12-01"},
        {"labels": ["x"]},
    ],
)
def test_a_reporter_may_not_plan(project: Project, reporter: User, field: dict[str, Any]) -> None:
    with pytest.raises(NotAllowed) as refusal:
        make_issue(project, by=reporter, **field)
    assert list(refusal.value.fields) == list(field)
    assert Issue.objects.count() == 0


def test_a_field_that_one_may_not_set_may_be_sent_with_its_default(project: Project, reporter: User) -> None:
    issue = make_issue(
        project, by=reporter, priority="none", assignee=None, labels=[], status="open", estimate=None
    )
    assert issue.priority == 0


def test_only_who_may_chooses_another_first_status(
    project: Project, developer: User, maintainer: User
) -> None:
    with pytest.raises(NotAllowed):
        make_issue(project, by=developer, status="in_progress")
    issue = make_issue(project, by=maintainer, status="in_progress")
    assert issue.started_at == issue.created_at


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"title": "   "}, "title"),
        ({"title": "x" * 256}, "title"),
        ({"title": "a\0b"}, "title"),
        ({"title": "a\ud800b"}, "title"),
        ({"title": 7}, "title"),
        ({"description": "x" * 65_537}, "description"),
        ({"description": "\udfff"}, "description"),
        ({"type": "disaster"}, "type"),
        ({"severity": 3}, "severity"),
        ({"priority": 9}, "priority"),
        ({"priority": True}, "priority"),
        ({"estimate": 10_000.01}, "estimate"),
        ({"estimate": "NaN"}, "estimate"),
        ({"estimate": -1}, "estimate"),
        ({"estimate": 1.005}, "estimate"),
        ({"estimate": "9" * 5000}, "estimate"),
        ({"due_date": "2026-02-30"}, "due_date"),
        ({"due_date": "1899-12-31"}, "due_date"),
        ({"due_date": "20261201"}, "due_date"),
        ({"labels": ["unknown"]}, "labels"),
        ({"labels": "bug"}, "labels"),
        ({"labels": [{"id": 1}]}, "labels"),
        ({"milestone": "none such"}, "milestone"),
        ({"assignee": "nobody@example.org"}, "assignee"),
        ({"parent": "API-99"}, "parent"),
        ({"parent": 5}, "parent"),
        ({"team": "00000000-0000-7000-8000-000000000000"}, "team"),
        ({"no_such_field": 1}, "no_such_field"),
    ],
)
def test_wrong_values_are_named_and_nothing_is_stored(
    project: Project, maintainer: User, fields: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        make_issue(project, by=maintainer, **fields)
    assert list(refusal.value.fields) == [wrong]
    assert not Issue.objects.exists()
    assert not Event.objects.filter(verb="issue.created").exists()


def test_the_numbers_of_the_first_seed_are_read_as_its_priorities(project: Project, maintainer: User) -> None:
    words = {0: 0, 1: 4 - 1, 2: 2, 3: 1}
    assert {sent: make_issue(project, by=maintainer, priority=sent).priority for sent in words} == words


def test_a_hidden_project_is_absent_and_an_archived_one_read_only(admin: User, developer: User) -> None:
    hidden = make_project("HID", visibility="private")
    with pytest.raises(NotFound):
        make_issue(hidden, by=developer)
    old = make_project("OLD")
    archive_project(old.pk, by=caller(admin))
    with pytest.raises(Conflict):
        make_issue(old, by=developer)


def test_an_inactive_person_or_one_who_does_not_see_the_project_is_not_assigned(
    admin: User, developer: User
) -> None:
    hidden = make_project("HID", visibility="private")
    gone = make_user("developer", is_active=False)
    for person in (developer, gone):
        with pytest.raises(Invalid):
            make_issue(hidden, by=admin, assignee=str(person.pk))


def test_a_failed_filing_takes_no_number(project: Project, maintainer: User) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():  # noqa: PT012  the failure is the second statement
        make_issue(project, by=maintainer)
        raise RuntimeError
    assert make_issue(project, by=maintainer).number == 1


# --- changing ----------------------------------------------------------------------------------------
def edit(issue: Issue, by: User, expected_version: int | None = None, **changes: Any) -> Issue:
    return services.edit_issue(issue.pk, by=caller(by), changes=changes, expected_version=expected_version)


def test_a_change_counts_the_version_and_tells_old_and_new(project: Project, maintainer: User) -> None:
    issue = make_issue(project, by=maintainer)
    edit(issue, maintainer, title="Better", priority="urgent", estimate=2.5)

    event = last_event(issue)
    assert (event.verb, event.version) == ("issue.updated", 2)
    assert event.changes == {
        "title": ["Something is wrong", "Better"],
        "priority": ["none", "urgent"],
        "estimate": [None, 2.5],
    }


def test_a_change_that_changes_nothing_leaves_no_trace(project: Project, maintainer: User) -> None:
    issue = make_issue(project, by=maintainer, estimate=3)
    edit(issue, maintainer, title=" Something is wrong ", estimate="3.00", assignee=None)
    assert Issue.objects.get(pk=issue.pk).version == 1
    assert last_event(issue).verb == "issue.created"


def test_a_stale_version_is_refused_and_nothing_is_changed(project: Project, maintainer: User) -> None:
    issue = make_issue(project, by=maintainer)
    edit(issue, maintainer, title="First", expected_version=1)
    with pytest.raises(Stale) as refusal:
        edit(issue, maintainer, title="Second", expected_version=1)
    assert (refusal.value.issue_id, refusal.value.expected) == (issue.pk, 1)
    assert Issue.objects.get(pk=issue.pk).title == "First"


@pytest.mark.parametrize("persona", ["developer", "reporter"])
def test_who_filed_it_edits_the_text(project: Project, request: pytest.FixtureRequest, persona: str) -> None:
    user = request.getfixturevalue(persona)
    issue = make_issue(project, by=user)
    assert edit(issue, user, title="Mine", description="Still mine").title == "Mine"


def test_a_reporter_edits_the_text_only_while_it_is_open(
    project: Project, reporter: User, maintainer: User
) -> None:
    issue = make_issue(project, by=reporter)
    edit(issue, maintainer, status="in_progress")
    edit(issue, maintainer, status="done")
    with pytest.raises(NotAllowed):
        edit(issue, reporter, title="Too late")


@pytest.mark.parametrize(
    "change", [{"status": "triaged"}, {"severity": "high"}, {"type": "bug"}, {"department": "X"}]
)
def test_a_reporter_changes_no_other_field(project: Project, reporter: User, change: dict[str, Any]) -> None:
    issue = make_issue(project, by=reporter)
    with pytest.raises(NotAllowed) as refusal:
        edit(issue, reporter, **change)
    assert list(refusal.value.fields) == list(change)


def test_a_reporter_sees_no_issue_of_others(project: Project, reporter: User, outsider: User) -> None:
    issue = make_issue(project, by=reporter)
    with pytest.raises(NotFound):
        edit(issue, outsider, title="Hello")


def test_a_developer_takes_an_unassigned_issue_but_gives_it_to_nobody_else(
    project: Project, developer: User, maintainer: User
) -> None:
    issue = make_issue(project, by=maintainer)
    with pytest.raises(NotAllowed):
        edit(issue, developer, assignee=str(maintainer.pk))
    with pytest.raises(NotAllowed):
        edit(issue, developer, title="Not mine")
    assert edit(issue, developer, assignee="me").assignee_id == developer.pk
    assert edit(issue, developer, title="Mine now", priority="low").version == 3


def test_an_issue_goes_along_the_workflow_and_its_times_follow(project: Project, maintainer: User) -> None:
    issue = make_issue(project, by=maintainer)
    with pytest.raises(IllegalTransition) as refusal:
        edit(issue, maintainer, status="done")
    assert refusal.value.details == {"from": "open", "to": "done"}
    begun = edit(issue, maintainer, status="in_progress")
    assert begun.started_at == begun.updated_at
    done = edit(issue, maintainer, status="done")
    assert (done.started_at, done.closed_at) == (begun.started_at, done.updated_at)
    assert last_event(issue).data["categories"] == ["started", "done"]
    again = edit(issue, maintainer, status="open")
    assert (again.started_at, again.closed_at) == (None, None)


def test_a_status_and_its_comment_happen_together(project: Project, maintainer: User) -> None:
    issue = make_issue(project, by=maintainer)
    services.change_status(issue.pk, by=caller(maintainer), to="triaged", comment="Looked at it.")
    assert issue.comments.get().body == "Looked at it."
    with pytest.raises(Invalid):
        services.change_status(issue.pk, by=caller(maintainer), to="in_progress", comment="x" * 70_000)
    assert Issue.objects.get(pk=issue.pk).status.slug == "triaged"


def test_a_step_may_belong_to_a_role_and_require_fields(
    project: Project, developer: User, maintainer: User
) -> None:
    step = project.transitions.get(from_status__slug="open", to_status__slug="triaged")
    step.roles, step.requires = ["maintainer"], ["estimate", "assignee"]
    step.save()
    bump("catalog")
    issue = make_issue(project, by=developer)
    with pytest.raises(NotAllowed):
        edit(issue, developer, status="triaged")
    with pytest.raises(IllegalTransition) as refusal:
        edit(issue, maintainer, status="triaged")
    assert refusal.value.details["requires"] == ["estimate", "assignee"]
    assert edit(issue, maintainer, status="triaged", estimate=0, assignee="me").version == 2


def test_parents_make_no_circle_and_are_eight_deep_at_most(project: Project, maintainer: User) -> None:
    chain = [make_issue(project, by=maintainer)]
    for _ in range(7):
        chain.append(make_issue(project, by=maintainer, parent=str(chain[-1].pk)))
    with pytest.raises(Conflict):
        make_issue(project, by=maintainer, parent=f"API-{chain[-1].number}")
    with pytest.raises(Conflict):
        edit(chain[0], maintainer, parent=str(chain[3].pk))
    with pytest.raises(Invalid):
        edit(chain[0], maintainer, parent=str(chain[0].pk))


def test_a_parent_that_one_cannot_see_stays_when_the_read_form_is_sent_back(
    project: Project, maintainer: User, reporter: User
) -> None:
    above = make_issue(project, by=maintainer)
    issue = make_issue(project, by=reporter)
    edit(issue, maintainer, parent=str(above.pk))
    edit(issue, reporter, title="New words", parent=None)
    assert Issue.objects.get(pk=issue.pk).parent_id == above.pk


def test_labels_are_told_by_name_and_are_one_whatever_the_case(project: Project, maintainer: User) -> None:
    Label.objects.bulk_create([Label(project=project, name=name) for name in ("Regression", "ui")])
    bump("catalog")
    issue = make_issue(project, by=maintainer, labels=["UI"])
    edit(issue, maintainer, labels=["regression", "ui", {"name": "UI"}])
    assert last_event(issue).changes == {"labels": [["ui"], ["Regression", "ui"]]}


def test_what_the_log_tells_is_what_the_tables_have(project: Project, maintainer: User) -> None:
    Label.objects.bulk_create([Label(project=project, name=name) for name in ("a", "b")])
    bump("catalog")
    other = make_issue(project, by=maintainer)
    issue = make_issue(
        project, by=maintainer, type="bug", labels=["a"], estimate=3, assignee="me", department="IT"
    )
    edit(issue, maintainer, labels=["b"], parent=str(other.pk), due_date="2026-12-24", department="")
    edit(issue, maintainer, status="in_progress", assignee=None)
    edit(issue, maintainer, status="done", severity="critical", estimate=None)

    issue = Issue.objects.get(pk=issue.pk)
    assert folded(issue) == told(issue, user=fresh(maintainer))


# --- trash -------------------------------------------------------------------------------------------
def test_only_an_admin_trashes_and_restores(
    project: Project, admin: User, maintainer: User, reporter: User
) -> None:
    issue = make_issue(project, by=reporter)
    for user in (reporter, maintainer):
        with pytest.raises(NotAllowed):
            services.trash_issue(issue.pk, by=caller(user))
    with pytest.raises(Stale):
        services.trash_issue(issue.pk, by=caller(admin), expected_version=9)
    services.trash_issue(issue.pk, by=caller(admin))
    assert last_event(issue).verb == "issue.trashed"
    for user in (reporter, maintainer, admin):
        with pytest.raises(NotFound):
            edit(issue, user, title="Gone")
    with pytest.raises(NotFound):
        services.restore_issue(issue.pk, by=caller(maintainer))
    services.restore_issue("API-1", by=caller(admin))
    services.restore_issue("API-1", by=caller(admin))
    assert [event.verb for event in Event.objects.filter(issue_id=issue.pk).order_by("order")] == [
        "issue.created",
        "issue.trashed",
        "issue.restored",
    ]


def test_a_comment_leaves_the_version_and_moves_the_activity(project: Project, reporter: User) -> None:
    issue = make_issue(project, by=reporter)
    make_comment(issue, by=reporter)
    after = Issue.objects.get(pk=issue.pk)
    assert (after.version, after.updated_at) == (issue.version, issue.updated_at)
    assert after.activity_at >= issue.activity_at
    assert last_event(issue).verb == "comment.added"


# --- what is sent back as it was read --------------------------------------------------------------
def test_who_is_assigned_stays_whatever_became_of_them(
    project: Project, maintainer: User, developer: User, admin: User
) -> None:
    issue = make_issue(project, by=maintainer, assignee=str(developer.pk))
    deactivate_user(developer.pk, by=caller(admin))
    assert edit(issue, maintainer, title="Other", assignee=str(developer.pk)).version == 2


def test_the_reporter_may_be_sent_back_and_is_not_changed(
    project: Project, maintainer: User, admin: User
) -> None:
    issue = make_issue(project, by=maintainer, reporter=str(maintainer.pk))
    assert edit(issue, admin, title="Other", reporter={"id": str(maintainer.pk)}).version == 2
    with pytest.raises(NotAllowed) as refusal:
        edit(issue, admin, reporter=str(admin.pk))
    assert list(refusal.value.fields) == ["reporter"]
    with pytest.raises(NotAllowed):
        make_issue(project, by=admin, reporter=str(maintainer.pk))


def test_the_status_it_has_is_no_way_to_comment_for_who_may_not_change_it(
    project: Project, reporter: User
) -> None:
    issue = make_issue(project, by=reporter)
    with pytest.raises(NotAllowed):
        services.change_status(issue.pk, by=caller(reporter), to="open", comment="Hello")
    assert not issue.comments.exists()

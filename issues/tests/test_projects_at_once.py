from collections import Counter

import pytest

from accounts.models import Role, User
from issues.models import Issue, Label, Relation, Status
from issues.services.issues import change_status
from issues.services.labels import create_label
from issues.services.projects import archive_project, create_project
from issues.services.relations import link_issues
from issues.services.workflows import replace_workflow
from tests.make import caller, make_issue, make_project, make_user
from tests.threads import at_once
from tracker.errors import Conflict

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def maintainer() -> User:
    return make_user(Role.MAINTAINER)


def test_a_circle_that_closes_from_three_sides_at_once_stays_open(maintainer: User) -> None:
    project = make_project("API")
    for _ in range(3):
        make_issue(project, by=maintainer)

    def link(number: int) -> str:
        try:
            link_issues(
                f"API-{number + 1}", by=caller(maintainer), type="blocks", other=f"API-{(number + 1) % 3 + 1}"
            )
        except Conflict:
            return "refused"
        return "linked"

    assert Counter(at_once(3, link)) == {"linked": 2, "refused": 1}
    assert Relation.objects.count() == 2


def test_a_name_and_a_key_are_given_once_however_many_ask(maintainer: User) -> None:
    project = make_project("API")

    def make(number: int) -> bool:
        try:
            create_label(project.pk, by=caller(maintainer), name=["bug", "BUG"][number % 2])
        except Conflict:
            return False
        return True

    def found(_: int) -> bool:
        try:
            create_project(by=caller(maintainer), key="WEB", name="Web")
        except Conflict:
            return False
        return True

    assert sum(at_once(6, make)) == sum(at_once(6, found)) == 1
    assert Label.objects.count() == 1


def test_of_two_workflows_from_one_version_one_is_stored(maintainer: User) -> None:
    project = make_project("API")

    def replace(number: int) -> bool:
        statuses = [{"slug": f"only_{number}", "name": "Only", "category": "unstarted"}]
        try:
            replace_workflow(
                project.pk,
                by=caller(maintainer),
                initial=f"only_{number}",
                statuses=statuses,
                transitions=[],
                expected_version=1,
            )
        except Conflict:
            return False
        return True

    assert sum(at_once(5, replace)) == 1
    assert Status.objects.filter(project=project).count() == 1
    project.refresh_from_db()
    assert project.workflow_version == 2


def test_no_issue_is_changed_after_its_project_was_archived(maintainer: User) -> None:
    project = make_project("API")
    issue = make_issue(project, by=maintainer)

    def act(number: int) -> str:
        try:
            if number == 0:
                archive_project(project.pk, by=caller(maintainer))
            else:
                make_issue(project, by=maintainer)
        except Conflict:
            return "refused"
        return "done"

    results = at_once(6, act)
    assert results[0] == "done"
    assert Issue.objects.count() == 1 + results[1:].count("done")
    with pytest.raises(Conflict):
        change_status(issue.pk, by=caller(maintainer), to="triaged")

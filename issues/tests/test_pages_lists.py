"""Lists of issues: filters, pages of a list, home."""

import re
from typing import Any

import pytest

from accounts.models import User
from issues.models import Issue, Project
from issues.tests.pages import page
from tests.make import make_issue, make_project
from tracker.events.numbering import head, number_events

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(admin: User) -> Project:
    return make_project("API", by=admin)


@pytest.fixture
def issue(project: Project, maintainer: User) -> Issue:
    return make_issue(
        project, by=maintainer, title="The first <b>title</b>", description="Some **bold** words"
    )


# --- the list ----------------------------------------------------------------------------------------
def test_the_list_filters_sorts_and_keeps_what_was_chosen(
    sign_in: Any, maintainer: User, project: Project
) -> None:
    make_issue(project, by=maintainer, title="Loud one", priority="urgent")
    make_issue(project, by=maintainer, title="Quiet one", priority="low")
    text = page(sign_in(maintainer), "/issues/?priority=urgent&status=&q=&sort=title")
    assert "Loud one" in text
    assert "Quiet one" not in text
    assert '<option value="urgent" selected>' in text
    assert '<option value="title" selected>' in text


def test_wrong_filters_are_told_where_they_are_and_stay(sign_in: Any, maintainer: User, issue: Issue) -> None:
    text = page(sign_in(maintainer), "/issues/?priority=loudest", 400)
    assert 'id="filter-priority-error"' in text
    assert '<option value="loudest" selected>' in text
    assert "The first" not in text
    unknown = page(sign_in(maintainer), "/issues/?colour=red", 400)
    assert "colour" in unknown


def test_a_wrong_query_stays_in_its_box(sign_in: Any, maintainer: User, issue: Issue) -> None:
    text = page(sign_in(maintainer), "/issues/?q=nosuchfield%3A1", 400)
    assert 'value="nosuchfield:1"' in text
    assert 'id="filter-q-error"' in text


def test_the_pages_of_a_list_follow_each_other(sign_in: Any, maintainer: User, project: Project) -> None:
    for number in range(55):
        make_issue(project, by=maintainer, title=f"Issue number {number}.")
    browser = sign_in(maintainer)
    first = page(browser, "/issues/?priority=none&status=")
    assert "number 54." in first
    assert "number 3." not in first
    link = re.search(r'rel="next" href="([^"]+)"', first)
    assert link is not None
    second = page(browser, link[1].replace("&amp;", "&").replace("http://testserver", ""))
    assert "number 3." in second
    assert "number 54." not in second
    assert 'rel="prev"' in second


def test_an_empty_list_says_what_to_do(sign_in: Any, reporter: User, project: Project) -> None:
    assert "File the first one" in page(sign_in(reporter), "/projects/API/")


def test_a_project_lists_only_its_own(sign_in: Any, maintainer: User, admin: User, issue: Issue) -> None:
    make_issue(make_project("WEB", by=admin), by=maintainer, title="Of the web")
    text = page(sign_in(maintainer), "/projects/API/?project=WEB")
    assert "Of the web" not in text
    assert "API-1" in text


def test_home_shows_my_open_issues_the_most_urgent_first(
    sign_in: Any, developer: User, maintainer: User, project: Project
) -> None:
    for title, priority in (("Can wait", "low"), ("Burning", "urgent")):
        make_issue(project, by=maintainer, title=title, priority=priority, assignee=str(developer.pk))
    text = page(sign_in(developer), "/")
    assert text.index("Burning") < text.index("Can wait")


@pytest.mark.parametrize("path", ["/", "/issues/", "/projects/API/", "/issues/API-1/"])
def test_a_page_says_up_to_where_it_has_read_the_log(
    path: str, sign_in: Any, maintainer: User, project: Project
) -> None:
    make_issue(project, by=maintainer)
    number_events()
    log = head()
    text = page(sign_in(maintainer), path)
    assert f'data-since="{log.last_seq}" data-log="{log.log_id}"' in text

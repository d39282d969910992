"""Every sort of the list of issues, walked by cursor forwards and back, with ties and empty values."""

from typing import Any

import pytest

from accounts.models import User
from issues.models import Issue
from issues.query.sorts import SORT_NAMES
from issues.services.issues import change_status
from issues.tests.api import ISSUES
from tests.make import caller, make_issue, make_project

pytestmark = pytest.mark.django_db

CATEGORIES = ("backlog", "unstarted", "started", "blocked", "done", "canceled")
PRIORITIES = ("none", "low", "medium", "high", "urgent")
SEVERITIES = ("low", "medium", "high", "critical")
# title, priority, severity, estimate, due date, the steps of the workflow
ROWS: tuple[tuple[str, str, str, float | None, str | None, tuple[str, ...]], ...] = (
    ("beta", "none", "low", None, None, ()),
    ("Alpha", "urgent", "high", 3, "2026-02-01", ("in_progress",)),
    ("gamma", "low", "critical", 0, None, ("in_progress", "done")),
    ("alpha", "low", "low", 3, "2026-02-01", ("triaged",)),
    ("Delta", "medium", "medium", None, "2026-01-01", ("in_progress", "done")),
    ("beta", "high", "high", 10_000, "2027-01-01", ()),
    ("épsilon", "urgent", "low", 0.25, None, ("in_progress",)),
)
_KEYS: dict[str, Any] = {
    "priority": lambda row: PRIORITIES.index(row["priority"]),
    "severity": lambda row: SEVERITIES.index(row["severity"]),
    "status": lambda row: (
        CATEGORIES.index(row["status"]["category"]),
        ("open", "triaged", "in_progress", "done", "backlog", "todo", "canceled").index(
            row["status"]["slug"]
        ),
    ),
    "title": lambda row: row["title"].lower(),
    "key": lambda row: (row["project"]["key"], row["number"]),
}


@pytest.fixture
def listed(admin: User, maintainer: User) -> None:
    """Make the issues of `ROWS` in one project, and some in a second with another workflow."""
    project = make_project("API", by=admin)
    for title, priority, severity, estimate, due_date, steps in ROWS:
        issue = make_issue(
            project, by=maintainer, title=title, priority=priority, severity=severity, estimate=estimate,
            due_date=due_date,
        )  # fmt: skip
        for step in steps:
            change_status(issue.pk, by=caller(maintainer), to=step)
    for status in ("backlog", "canceled"):
        make_issue(
            make_project(f"K{status[0].upper()}", by=admin, preset="kanban"), by=maintainer, status=status
        )
    # ties of times
    same = Issue.objects.filter(title__in=["beta", "Alpha"]).values_list("created_at", flat=True).first()
    Issue.objects.filter(title__in=["beta", "Alpha"]).update(created_at=same)


def expected(rows: list[dict[str, Any]], name: str, *, descending: bool) -> list[Any]:
    """Return what the values of a sorted list must be: empty ones last in both directions."""
    key = _KEYS.get(name, lambda row: row[name])
    values = [key(row) for row in rows]
    filled = sorted((value for value in values if value is not None), reverse=descending)
    return filled + [None] * values.count(None)


def walk(client: Any, url: str) -> list[dict[str, Any]]:
    """Return the pages from here to the end, and check that the way back leads through the same pages."""
    pages = []
    while url:
        pages.append(client.get(url).json())
        url = pages[-1]["next"]
    back = pages[-1]
    for page in pages[-2::-1]:
        back = client.get(back["previous"]).json()
        assert back["results"] == page["results"]
    assert back["previous"] is None
    return [row for page in pages for row in page["results"]]


def test_each_sort_is_in_order_and_walked_whole(sign_in: Any, admin: User, listed: None) -> None:
    client = sign_in(admin)
    for name in SORT_NAMES:
        if name == "relevance":
            continue
        for sort in (name, f"-{name}"):
            whole = client.get(f"{ISSUES}?sort={sort}&size=100").json()["results"]
            key = _KEYS.get(name, lambda row, name=name: row[name])
            assert [key(row) for row in whole] == expected(whole, name, descending=sort[0] == "-"), sort
            ties = [row["id"] for row in whole]
            for size in (1, 2, 4):
                assert [row["id"] for row in walk(client, f"{ISSUES}?sort={sort}&size={size}")] == ties, sort


def test_ties_are_broken_by_id_in_the_direction_of_the_sort(sign_in: Any, admin: User, listed: None) -> None:
    client = sign_in(admin)
    for sort, turned in (("priority", False), ("-priority", True)):
        rows = client.get(f"{ISSUES}?sort={sort}&priority=low").json()["results"]
        assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=turned)


def test_several_sorts_are_taken_in_turn(sign_in: Any, admin: User, listed: None) -> None:
    client = sign_in(admin)
    rows = walk(client, f"{ISSUES}?sort=-priority,due_date,title&size=2")
    keys = [
        (-PRIORITIES.index(row["priority"]), row["due_date"] or "9", row["title"].lower()) for row in rows
    ]
    assert keys == sorted(keys)
    assert len(rows) == len(ROWS) + 2


def test_without_a_sort_the_newest_come_first(sign_in: Any, admin: User, listed: None) -> None:
    rows = walk(sign_in(admin), f"{ISSUES}?size=3")
    keys = [(row["created_at"], row["id"]) for row in rows]
    assert keys == sorted(keys, reverse=True)


def test_ordering_is_another_name_for_sort(sign_in: Any, admin: User, listed: None) -> None:
    client = sign_in(admin)
    by_sort, by_ordering = (
        client.get(f"{ISSUES}?{name}=-title").json()["results"] for name in ("sort", "ordering")
    )
    assert by_sort == by_ordering


def test_pages_by_number_count_exactly(sign_in: Any, admin: User, listed: None) -> None:
    client = sign_in(admin)
    pages = [client.get(f"{ISSUES}?sort=status&size=4&page={number}").json() for number in (1, 2, 3)]
    assert [page["count"] for page in pages] == [9, 9, 9]
    assert [len(page["results"]) for page in pages] == [4, 4, 1]
    assert len({row["id"] for page in pages for row in page["results"]}) == 9
    assert client.get(f"{ISSUES}?size=4&page=4").status_code == 404


def test_a_page_is_stable_when_issues_are_filed(
    sign_in: Any, admin: User, maintainer: User, listed: None
) -> None:
    client = sign_in(admin)
    before = walk(client, f"{ISSUES}?size=3")
    first = client.get(f"{ISSUES}?size=3").json()
    make_issue(Issue.objects.filter(project__key="API")[0].project, by=maintainer)
    rest = walk_from(client, first["next"])
    assert [row["id"] for row in [*first["results"], *rest]] == [row["id"] for row in before]


def walk_from(client: Any, url: str | None) -> list[dict[str, Any]]:
    """Return the rows of this page and all that follow."""
    rows = []
    while url:
        page = client.get(url).json()
        rows += page["results"]
        url = page["next"]
    return rows


def test_the_search_ranks_what_has_the_words_in_its_title(
    sign_in: Any, admin: User, maintainer: User
) -> None:
    project = make_project("API", by=admin)
    make_issue(project, by=maintainer, title="Export is slow", description="")
    make_issue(project, by=maintainer, title="Other", description="The export is slow too")
    make_issue(project, by=maintainer, title="Other", description="nothing")
    client = sign_in(maintainer)
    for url in (
        f"{ISSUES}/search?q=slow+export", f"{ISSUES}?search=slow+export&sort=-relevance",
        f"{ISSUES}/search?q=slow+export&size=1", f"{ISSUES}?q=export&sort=-relevance,created_at",
        f"{ISSUES}?q=slow+export&sort=relevance&size=1",
    ):  # fmt: skip
        assert [row["key"] for row in walk(client, url)] == ["API-1", "API-2"]
    assert [row["key"] for row in walk(client, f"{ISSUES}/search?q=project:API+open:true")] == [
        "API-3",
        "API-2",
        "API-1",
    ]


@pytest.mark.parametrize(("query", "field"), [
    ("sort=relevance", "sort"), ("sort=-relevance&q=open:true", "sort"), ("sort=nope", "sort"),
    ("sort=", "sort"),
    ("sort=title,,key", "sort"), ("sort=project__key", "sort"), ("sort=-", "sort"), ("size=0", "size"),
    ("size=101", "size"), ("page=0", "page"), ("page=1&cursor=x", "page"), ("cursor=x", "cursor"),
    ("include=nope", "include"), ("format=json", "format"),
])  # fmt: skip
def test_a_bad_parameter_of_the_list_is_named(sign_in: Any, developer: User, query: str, field: str) -> None:
    client = sign_in(developer)
    for path in ("", "/my", "/search"):
        reply = client.get(f"{ISSUES}{path}?{query}{'' if 'q=' in query else '&q=open:true'}")
        assert (reply.status_code, list(reply.json()["details"]["fields"])) == (400, [field])


def test_the_search_wants_something_to_search_for(sign_in: Any, developer: User) -> None:
    for query in ("", "?q=", "?q=%20"):
        reply = sign_in(developer).get(f"{ISSUES}/search{query}")
        assert (reply.status_code, list(reply.json()["details"]["fields"])) == (400, ["q"])


def test_my_issues_are_those_assigned_to_me_or_reported_by_me(
    sign_in: Any, admin: User, developer: User, maintainer: User
) -> None:
    project = make_project("API", by=admin)
    make_issue(project, by=maintainer)
    make_issue(project, by=maintainer, assignee=str(developer.pk))
    make_issue(project, by=developer)
    client = sign_in(developer)
    assert [row["key"] for row in client.get(f"{ISSUES}/my").json()["results"]] == ["API-3", "API-2"]
    assert [row["key"] for row in client.get(f"{ISSUES}/my?reporter=me").json()["results"]] == ["API-3"]


def test_lists_leave_the_description_out_unless_it_is_asked_for(
    sign_in: Any, admin: User, developer: User
) -> None:
    make_issue(make_project("API", by=admin), by=developer, description="Long.")
    client = sign_in(developer)
    (row,) = client.get(ISSUES).json()["results"]
    assert "description" not in row
    assert row["activity_at"] == row["created_at"]
    (row,) = client.get(f"{ISSUES}?include=description").json()["results"]
    assert row["description"] == "Long."


def test_a_reporter_lists_own_issues_alone(
    sign_in: Any, admin: User, developer: User, reporter: User
) -> None:
    project = make_project("API", by=admin)
    make_issue(project, by=developer)
    make_issue(project, by=reporter)
    for path in (ISSUES, f"{ISSUES}?page=1", f"{ISSUES}/search?q=wrong"):
        body = sign_in(reporter).get(path).json()
        assert [row["key"] for row in body["results"]] == ["API-2"]
        assert body.get("count", 1) == 1

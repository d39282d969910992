"""Every filter of the list of issues, and the same through the query language."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from django.http import QueryDict

from accounts.models import User
from accounts.services.teams import create_team
from issues.models import Issue, Project
from issues.query.fields import FIELDS
from issues.query.filters import PARAMETERS, filter_issues, read_filter
from issues.query.language import quote
from issues.services.cycles import create_cycle
from issues.services.issues import change_status, trash_issue
from issues.services.labels import create_label
from issues.services.milestones import create_milestone
from issues.services.watchers import watch_issue
from issues.tests.api import ISSUES, queries
from tests.make import caller, fresh, make_issue, make_project
from tracker.errors import Invalid

pytestmark = pytest.mark.django_db


@dataclass
class World:
    """Four issues in two projects, one of them private to the team `Core`."""

    people: dict[str, User]
    names: dict[str, str]

    def found(self, query: str, *, by: str = "developer") -> list[str]:
        """Return the last parts of the titles of what is found."""
        issues = filter_issues(QueryDict(query), user=fresh(self.people[by]))
        return sorted(issue.title.split()[-1] for issue in issues)


@pytest.fixture
def world(admin: User, developer: User, reporter: User, maintainer: User) -> World:
    """Make the issues `one`, `two` (closed), `three` in API and `four` in the private SEC."""
    by = caller(admin)
    team = create_team(by=by, name="Core")
    api = make_project("API", by=admin, teams=[team])
    sec = make_project("SEC", by=admin, visibility="private")
    for project in (api, sec):
        create_label(project.pk, by=caller(admin), name="bug")
        create_label(project.pk, by=caller(admin), name="a, b")
    milestone = create_milestone(api.pk, by=caller(admin), name="M 1")
    cycle = create_cycle(api.pk, by=caller(admin), name="C1", starts_on="2026-01-01", ends_on="2026-01-14")
    one = make_issue(
        api, by=admin, title="Login one", type="bug", severity="critical", priority="urgent", labels=["bug"],
        assignee=str(developer.pk), due_date="2026-03-01", department="Sales", estimate=3,
    )  # fmt: skip
    two = make_issue(
        api, by=reporter, title="Slow two", description="Logging in 100% slow", severity="low",
    )  # fmt: skip
    change_status(two.pk, by=caller(admin), to="in_progress")
    change_status(two.pk, by=caller(admin), to="done")
    make_issue(
        api, by=maintainer, title="Child three", parent=str(one.pk), milestone="M 1", cycle="C1",
        labels=["bug", "a, b"], priority="low", assignee=str(reporter.pk), due_date="2026-02-01",
        team=str(team.pk), department="none", type="feature",
    )  # fmt: skip
    make_issue(sec, by=admin, title="Secret four", labels=["bug"])
    watch_issue(two.pk, by=caller(developer))
    names = {
        "developer": str(developer.pk), "mail": developer.email.upper(), "one": str(one.pk),
        "team": str(team.pk),
        "milestone": str(milestone.pk), "cycle": str(cycle.pk),
    }  # fmt: skip
    people = {"admin": admin, "developer": developer, "reporter": reporter, "maintainer": maintainer}
    return World(people, names)


CASES = [
    ("project", "API", "one three two"), ("project", "api", "one three two"), ("project", "!API", ""),
    ("status", "open", "one three"), ("status", "done,triaged", "two"), ("status", "!done", "one three"),
    ("status", "open,done", "one three two"), ("status", "!open,done", ""),
    ("category", "done", "two"), ("category", "!done,canceled", "one three"), ("category", "backlog", ""),
    ("open", "true", "one three"), ("open", "false", "two"),
    ("type", "bug", "one"), ("type", "bug,feature", "one three"), ("type", "!task", "one three"),
    ("severity", "critical", "one"), ("severity", "low,medium", "three two"),
    ("severity", "!low", "one three"),
    ("priority", "urgent", "one"), ("priority", "none", "two"), ("priority", "3", "three"),
    ("priority", "0,1", "two"),
    ("assignee", "me", "one"), ("assignee", "none", "two"), ("assignee", "!none", "one three"),
    ("assignee", "{developer}", "one"), ("assignee", "{mail}", "one"), ("assignee", "!me", "three two"),
    ("assignee", "me,none", "one two"), ("reporter", "me", ""), ("reporter", "!me", "one three two"),
    ("label", "bug", "one three"), ("label", "BUG", "one three"), ("label", "none", "two"),
    ("label", "!bug", "two"), ("label", '"a, b"', "three"), ("label", '"a, b",none', "three two"),
    ("milestone", "m 1", "three"), ("milestone", "{milestone}", "three"), ("milestone", "none", "one two"),
    ("cycle", "C1", "three"), ("cycle", "{cycle}", "three"), ("cycle", "!C1", "one two"),
    ("parent", "API-1", "three"), ("parent", "{one}", "three"), ("parent", "none", "one two"),
    ("parent", "!none", "three"), ("parent", "API-1,none", "one three two"),
    ("team", "{team}", "one three two"), ("team", "core", "one three two"), ("team", "none", ""),
    ("department", "Sales", "one"), ("department", "none", "two"), ("department", '"none"', "three"),
    ("watcher", "me", "two"), ("watcher", "!me", "one three"), ("watcher", "none", ""),
    ("due_after", "2026-03-01", "one"), ("due_before", "2026-03-01", "three"),
    ("due_after", "2026-02-01", "one three"),
    ("created_after", "2020-01-01", "one three two"), ("created_before", "2020-01-01T12:00:00Z", ""),
    ("updated_after", "2200-12-31", ""), ("updated_before", "2200-12-31", "one three two"),
    ("started_after", "2020-01-01", "two"), ("started_before", "2020-01-01", ""),
    ("closed_after", "2020-01-01T00:00:00+02:00", "two"), ("closed_before", "2020-01-01", ""),
]  # fmt: skip


def test_a_filter_finds_the_same_in_the_list_and_in_the_language(world: World) -> None:
    for name, pattern, expected in CASES:
        value = pattern.format(**world.names)
        quoted = value if '"' in value or " " not in value else quote(value)
        for query in (urlencode({name: value}), urlencode({"q": f"{name}:{quoted}"})):
            assert world.found(query) == expected.split(), query


def test_every_field_is_in_the_cases() -> None:
    assert {name for name, _, _ in CASES} == set(FIELDS)
    assert {*FIELDS, "search", "q", "trashed"} == PARAMETERS


TOGETHER = [
    ("", "one three two"),
    ("status=open&label=bug&assignee=me", "one"),
    ("status=open&status=done", "one three two"),
    ("label=bug&label=!\"a, b\"", "one"),
    ("status=&label=&q=&search=+", "one three two"),
    ("search=log", "one two"),
    ("search=LOG+slow", "two"),
    ("search=%22logging in%22", "two"),
    ("search=100%25", "two"),
    ("search=l_g", ""),
    ("search=label:bug", ""),
    ("q=log", "one two"),
    ("q=log+-slow", "one"),
    ("q=-status:done+-label:%22a, b%22", "one"),
    ("q=label:bug+label:%22a, b%22", "three"),
    ("q=%22logging in%22+status:done", "two"),
    ("q=%22%22", "one three two"),
    ("q=log&search=slow&open=false", "two"),
]  # fmt: skip


def test_filters_and_words_are_taken_together(world: World) -> None:
    found = {query: world.found(query) for query, _ in TOGETHER}
    assert found == {query: expected.split() for query, expected in TOGETHER}


REFUSED = [
    ("nonsense=1", "nonsense"), ("project=NOPE", "project"), ("project=SEC", "project"),
    ("project=API,SEC", "project"),
    ("status=nope", "status"), ("category=nope", "category"), ("open=maybe", "open"),
    ("open=true,false", "open"),
    ("type=nope", "type"), ("severity=5", "severity"), ("priority=4", "priority"),
    ("assignee=nope", "assignee"),
    ("assignee=nobody@example.org", "assignee"),
    ("assignee=01970000-0000-7000-8000-000000000000", "assignee"),
    ("reporter=!nope", "reporter"), ("watcher=x@", "watcher"), ("label=nope", "label"),
    ("label=\"none\"", "label"),
    ("milestone=nope", "milestone"), ("cycle=nope", "cycle"), ("parent=API-99", "parent"),
    ("parent=SEC-1", "parent"),
    ("parent=nope", "parent"), ("team=nope", "team"), ("created_after=x", "created_after"),
    ("created_after=1899-12-31", "created_after"), ("due_before=2201-01-01", "due_before"),
    ("due_after=2026-01-01,2026-01-02", "due_after"), ("updated_after=2026-02-30", "updated_after"),
    ("closed_before=20260101", "closed_before"), ("started_after=2026-01-01T25:00", "started_after"),
    ("status=a%00", "status"), ("search=a%00", "search"), ("q=a%00", "q"), ("q=status:nope", "q"),
    ("q=nope:x", "q"), ("q=project:SEC", "q"), ("q=a&q=b", "q"), ("trashed=maybe", "trashed"),
    ("_connector=OR", "_connector"), ("project__key=API", "project__key"), ("search=" + "x" * 1001, "search"),
    ("assignee=" + ",".join(["me"] * 101), "assignee"),
]  # fmt: skip


def test_what_names_nothing_is_refused_by_name(world: World) -> None:
    for query, field in REFUSED:
        with pytest.raises(Invalid) as error:
            world.found(query)
        assert list(error.value.fields) == [field], query


def test_all_wrong_filters_are_named_at_once(world: World) -> None:
    with pytest.raises(Invalid) as error:
        world.found("status=nope&label=nope&open=true")
    assert set(error.value.fields) == {"status", "label"}


def test_a_value_of_the_language_is_refused_at_its_column(world: World) -> None:
    with pytest.raises(Invalid) as error:
        world.found(urlencode({"q": "log status:open,nope"}))
    assert error.value.details["column"] == 17


def test_names_of_a_private_project_name_nothing_for_others(world: World, admin: User) -> None:
    project = Project.objects.get(key="SEC")
    create_label(project.pk, by=caller(admin), name="undisclosed")
    create_milestone(project.pk, by=caller(admin), name="Launch")
    for query in ("label=undisclosed", "milestone=Launch", "q=label:undisclosed"):
        with pytest.raises(Invalid):
            world.found(query)
    assert world.found("label=undisclosed", by="admin") == []


def test_a_reporter_finds_only_what_they_see(world: World) -> None:
    assert world.found("", by="reporter") == ["three", "two"]
    assert world.found("assignee=me", by="reporter") == ["three"]
    # a parent that is hidden counts as none
    assert world.found("parent=none", by="reporter") == ["three", "two"]
    with pytest.raises(Invalid):
        world.found("parent=API-1", by="reporter")


def test_people_who_left_can_still_be_asked_for(world: World, admin: User, developer: User) -> None:
    User.objects.filter(pk=developer.pk).update(is_active=False)
    assert world.found(f"assignee={developer.pk}", by="admin") == ["one"]


@pytest.mark.parametrize("word", ["Übergabe", "übergabe", "ÜBERGABE"])
@pytest.mark.parametrize("field", ["title", "description"])
def test_words_do_not_mind_the_case_of_any_letter(world: World, admin: User, field: str, word: str) -> None:
    fields = {"title": "Five", field: "Übergabe five"}
    make_issue(Project.objects.get(key="API"), by=admin, **fields)
    fields = {"title": "Six", field: "die übergabe six"}
    make_issue(Project.objects.get(key="API"), by=admin, **fields)
    found = filter_issues(QueryDict(f"search={quote_plus(word)}"), user=fresh(admin))
    assert {issue.title.split()[-1].lower() for issue in found} == {"five", "six"}
    others = world.found(f"q=-{quote_plus(word)}", by="admin")
    assert {"five", "six"}.isdisjoint(title.lower() for title in others)


def test_the_trash_is_for_admins(sign_in: Any, world: World, admin: User, developer: User) -> None:
    trash_issue(Issue.objects.get(title="Login one").pk, by=caller(admin))
    assert world.found("trashed=true", by="admin") == ["one"]
    assert world.found("trashed=false", by="admin") == ["four", "three", "two"]
    assert sign_in(developer).get(f"{ISSUES}?trashed=true").status_code == 403
    for wrong in ("status=nope", "q=nope:x"):
        assert sign_in(developer).get(f"{ISSUES}?{wrong}&trashed=true").status_code == 403
    assert sign_in(admin).get(f"{ISSUES}?trashed=true").json()["results"][0]["title"] == "Login one"


def test_a_moment_is_found_again_by_its_own_time(world: World, sign_in: Any, developer: User) -> None:
    client = sign_in(developer)
    for row in client.get(ISSUES).json()["results"]:
        after = client.get(ISSUES, {"created_after": row["created_at"]}).json()["results"]
        before = client.get(ISSUES, {"created_before": row["created_at"]}).json()["results"]
        assert row in after
        assert row not in before
        assert len(after) + len(before) == 3


def test_chips_say_in_words_what_is_asked(world: World, developer: User) -> None:
    params = QueryDict(
        urlencode({"assignee": f"{developer.pk},none", "status": "!done", "q": "-label:bug log"})
    )
    asked = read_filter(params, user=fresh(developer))
    assert [(chip.field, chip.shown, chip.parameter, chip.is_negated) for chip in asked.chips] == [
        ("assignee", ("none", "Dev Developer"), "assignee", False),
        ("status", ("not Done",), "status", False),
        ("label", ("bug",), "q", True),
    ]
    assert [word.text for word in asked.search.words] == ["log"]


def test_filters_by_names_in_memory_cost_one_query(world: World, developer: User) -> None:
    person = fresh(developer)
    query = QueryDict("project=API&status=open&assignee=me&label=bug&category=unstarted&team=core&open=true")
    list(filter_issues(query, user=person))
    with queries() as found:
        assert len(filter_issues(query, user=person)) == 1
    assert len(found) == 1

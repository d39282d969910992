"""Jira's fields, history and links in the product's words, without a database."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from issues.services.migration_records import FieldValues, IssueRecord
from transfer.jira.history import changed_fields
from transfer.jira.prepare import Known, Prepared, prepare
from transfer.jira.rules import Rules, read_rules
from transfer.report import Report, Unreadable
from transfer.spool import Spool
from transfer.tests.jira import EXCERPT, comment, history, issue, item, person, write


class Mapped:
    """What a file was mapped to."""

    def __init__(self, path: Path, rules: Rules | None = None, known: Known | None = None) -> None:
        self.report = Report()
        with Spool() as spool:
            self.prepared: Prepared = prepare(
                [path], rules=rules or Rules(), report=self.report, spool=spool, lenient=True,
                look=lambda _source, _keys: known or Known(),
            )  # fmt: skip
            self.records = {record.key: record for record in spool.records()}
            self.order = [record.key for record in spool.records()]

    def __getitem__(self, key: str) -> IssueRecord:
        return self.records[key]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "search.json"


def mapped(path: Path, **fields: Any) -> IssueRecord:
    return Mapped(write(path, issue(**fields)))["WEB-1"]


def rules(tmp_path: Path, text: str) -> Rules:
    file = tmp_path / "mapping.json"
    file.write_text(text)
    return read_rules(file)


# --- fields ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "word"),
    [("Bug", "bug"), ("New Feature", "feature"), ("Improvement", "feature"), ("Wish", "feature"),
     ("Sub-task", "task"), ("Epic", "epic"), ("Question", "question"), ("Story", "story"),
     ("Brainstorming", "task")],
)  # fmt: skip
def test_types(path: Path, name: str, word: str) -> None:
    assert mapped(path, issuetype={"name": name}).fields.type == word


@pytest.mark.parametrize(
    ("name", "word"),
    [("Blocker", "urgent"), ("Highest", "urgent"), ("Critical", "high"), ("Major", "medium"),
     ("Minor", "low"), ("Trivial", "low"), ("P1", "none")],
)  # fmt: skip
def test_priorities(path: Path, name: str, word: str) -> None:
    assert mapped(path, priority={"name": name}).fields.priority == word


@pytest.mark.parametrize(
    ("status", "resolution", "slug", "category"),
    [
        (
            {"name": "Patch Available", "statusCategory": {"key": "indeterminate"}},
            None,
            "patch_available",
            "started",
        ),
        ({"name": "Verified", "statusCategory": {"key": "done"}}, "Fixed", "verified", "done"),
        ({"name": "On Hold"}, None, "on_hold", "blocked"),
        ({"name": "Shipped"}, "Fixed", "shipped", "done"),
        ({"name": "Odd"}, None, "odd", "started"),
        (None, "Fixed", "done", "done"),
        (None, None, "open", "unstarted"),
        ({"name": "Готово", "statusCategory": {"key": "done"}}, None, "other_ef05d579", "done"),
    ],
)
def test_statuses(
    path: Path, status: dict[str, Any] | None, resolution: str | None, slug: str, category: str
) -> None:
    record = mapped(path, status=status, resolution={"name": resolution} if resolution else None)
    assert (record.fields.status, record.category) == (slug, category)


def test_labels_components_versions_and_resolution(path: Path) -> None:
    fields = mapped(
        path,
        labels=["ui", "UI", "old"],
        components=[{"id": "1", "name": "Front end"}],
        fixVersions=[{"id": "7", "name": "1.0"}, {"id": "8", "name": "1.1"}],
        resolution={"name": "Won't Fix"},
    ).fields
    assert fields.labels == ("ui", "old", "Front end", "1.1", "wontfix")
    assert fields.milestone == "1.0"


def test_times_mind_their_offset(path: Path) -> None:
    record = mapped(path, created="2024-03-01T01:30:00.000-0600", updated="2024-03-01T09:00:00.123+0100")
    assert record.created_at == datetime(2024, 3, 1, 7, 30, tzinfo=UTC)
    assert record.updated_at == datetime(2024, 3, 1, 8, 0, 0, 123_000, tzinfo=UTC)


def test_story_points_by_the_names_of_the_file(path: Path) -> None:
    write(
        path,
        issue(customfield_5=3.5),
        issue("WEB-2", customfield_5="many"),
        names={"customfield_5": "Story Points"},
    )
    found = Mapped(path)
    assert found["WEB-1"].fields.estimate == Decimal("3.5")
    assert found["WEB-2"].fields.estimate is None
    assert found.report.values["customfield_5 (Story Points)", "many", "no estimate"] == 1


@pytest.mark.parametrize("points", [-1, 10_001, 1e300, float(2**70), True, [1]])
def test_story_points_out_of_range_are_no_estimate(path: Path, points: Any) -> None:
    write(path, issue(customfield_5=points), names={"customfield_5": "Story Points"})
    assert Mapped(path)["WEB-1"].fields.estimate is None


def test_sprints_of_both_kinds_become_cycles(path: Path) -> None:
    old = (
        "com.atlassian.greenhopper.service.sprint.Sprint@1[id=3,state=CLOSED,name=Sprint 3,"
        "startDate=2024-01-02T10:00:00Z,endDate=2024-01-16T10:00:00Z,x=1]"
    )
    new = {
        "id": 4,
        "name": "Sprint 4",
        "state": "active",
        "startDate": "2024-01-17T00:00:00Z",
        "endDate": None,
    }
    found = Mapped(
        write(
            path,
            issue(customfield_9=[old]),
            issue("WEB-2", customfield_9=[old, new]),
            names={"customfield_9": "Sprint"},
        )
    )
    assert [found[key].fields.cycle for key in ("WEB-1", "WEB-2")] == ["Sprint 3", "Sprint 4"]
    third, fourth = found.prepared.projects[0].cycles
    assert (str(third.starts_on), str(third.ends_on), third.state) == (
        "2024-01-02",
        "2024-01-16",
        "completed",
    )
    assert (fourth.ends_on, fourth.state) == (None, "active")


def test_people_have_one_key_whatever_its_case(path: Path) -> None:
    found = Mapped(
        write(
            path,
            issue(
                assignee=person("DrillCommitter"),
                histories=[history(1, item("assignee", None, "X", to="drillcommitter"))],
            ),
        )
    )
    assert found["WEB-1"].fields.assignee == "drillcommitter"
    assert [someone.name for someone in found.prepared.people if someone.key == "drillcommitter"] == [
        "Drillcommitter"
    ]


def test_histories_that_name_people_by_key_mean_the_same_person(path: Path) -> None:
    assignee = person("mia", key="JIRAUSER7")
    record = mapped(
        path, assignee=assignee, histories=[history(1, item("assignee", None, "Mia", to="JIRAUSER7"))]
    )
    assert record.events[0].changes == {"assignee": (None, "mia")}


def test_restricted_comments_are_internal(path: Path) -> None:
    restricted = comment(2, "psst", visibility={"type": "role", "value": "Developers"})
    record = mapped(path, comments=[comment(1, "*hi*"), restricted])
    assert [(each.body, each.is_internal) for each in record.comments] == [("**hi**", False), ("psst", True)]


def test_edited_comments_have_the_time_of_the_edit(path: Path) -> None:
    (edited,) = mapped(path, comments=[comment(1, "x", updated="2024-02-01T00:00:00.000+0000")]).comments
    assert edited.edited_at == datetime(2024, 2, 1, tzinfo=UTC)


# --- history -----------------------------------------------------------------------------------------
def test_the_first_state_follows_from_the_present_and_the_history(path: Path) -> None:
    record = mapped(
        path,
        summary="Third",
        status={"name": "Closed", "statusCategory": {"key": "done"}},
        fixVersions=[{"id": "7", "name": "1.0 final"}],
        histories=[
            history(1, item("summary", "First", "Second"), item("Workflow", "a", "b")),
            history(2, item("Fix Version", None, "1.0", to="7")),
            history(3, item("status", "Open", "Closed"), item("resolution", None, "Fixed")),
            history(4, item("summary", "Second", "Third")),
            history(5, item("Attachment", None, "log.txt", to="88")),
        ],
    )
    assert (record.initial.title, record.initial.status, record.initial.milestone) == ("First", "open", None)
    first, second, third, fourth, fifth = record.events
    assert first.changes == {"title": ("First", "Second")}
    assert first.data["fields"] == [{"field": "Workflow", "from": "a", "to": "b"}]
    assert second.changes == {"milestone": (None, "1.0 final")}
    assert third.changes == {"status": ("open", "closed")}
    assert third.categories == ("unstarted", "done")
    assert fourth.changes == {"title": ("Second", "Third")}
    assert (fifth.changes, fifth.data["fields"][0]["to"]) == ({}, "log.txt")


def test_entries_newest_first_are_put_in_order(path: Path) -> None:
    record = mapped(
        path,
        summary="c",
        histories=[history(2, item("summary", "b", "c")), history(1, item("summary", "a", "b"))],
    )
    assert [event.changes["title"] for event in record.events] == [("a", "b"), ("b", "c")]
    assert record.initial.title == "a"


def test_entries_of_one_time_keep_their_order(path: Path) -> None:
    at = "2024-01-02T12:00:00.000+0000"
    entries = [history(n, item("summary", str(n - 1), str(n)), at=at) for n in range(1, 6)]
    record = mapped(path, summary="5", histories=entries)
    assert [event.changes["title"][1] for event in record.events] == ["1", "2", "3", "4", "5"]


def test_old_keys_become_aliases(path: Path) -> None:
    record = mapped(
        path, histories=[history(1, item("Key", "OLD-3", "MID-4")), history(2, item("Key", "MID-4", "WEB-1"))]
    )
    assert record.aliases == ("OLD-3", "MID-4")


def test_statuses_that_only_the_history_names_are_not_in_the_project(path: Path) -> None:
    found = Mapped(write(path, issue(histories=[history(1, item("status", "Triaged", "Open"))])))
    assert [status.slug for status in found.prepared.projects[0].statuses] == ["open"]
    assert found["WEB-1"].events[0].changes == {"status": ("triaged", "open")}


def test_history_folds_into_the_present_for_real_issues() -> None:
    found = Mapped(EXCERPT)
    assert (len(found.records), found.report.problems) == (15, [])
    for record in found.records.values():
        values = {name: getattr(record.initial, name) for name in FieldValues.__slots__}
        for event in record.events:
            values |= {name: new for name, (_, new) in event.changes.items()}
        assert changed_fields(FieldValues(**values), record.fields) == {}


def test_a_history_that_was_cut_is_reported(path: Path) -> None:
    cut = issue()
    cut["changelog"]["total"] = 35
    assert Mapped(write(path, cut)).report.listed["Issues whose history entries are cut in the file"] == [
        "WEB-1: 0 of 35"
    ]


# --- links -------------------------------------------------------------------------------------------
def link(kind: str, inward: str, outward: str, /, **other: str) -> dict[str, Any]:
    ((side, key),) = other.items()
    return {"type": {"name": kind, "inward": inward, "outward": outward}, f"{side}Issue": {"key": key}}


@pytest.mark.parametrize(
    ("told", "kind", "source", "target"),
    [
        (link("Blocker", "is blocked by", "blocks", outward="WEB-2"), "blocks", "WEB-1", "WEB-2"),
        (link("Blocks", "is blocked by", "blocks", inward="WEB-2"), "blocks", "WEB-2", "WEB-1"),
        (
            link("dependent", "is depended upon by", "depends upon", outward="WEB-2"),
            "blocks",
            "WEB-2",
            "WEB-1",
        ),
        (link("Required", "is required by", "requires", inward="WEB-2"), "blocks", "WEB-1", "WEB-2"),
        (
            link("Duplicate", "is duplicated by", "duplicates", outward="WEB-2"),
            "duplicates",
            "WEB-1",
            "WEB-2",
        ),
        (link("Cloners", "is a clone of", "is cloned as", outward="WEB-2"), "duplicates", "WEB-2", "WEB-1"),
        (link("Cloners", "is cloned by", "clones", outward="WEB-2"), "duplicates", "WEB-1", "WEB-2"),
        (link("Reference", "is related to", "relates to", inward="WEB-2"), "relates_to", "WEB-2", "WEB-1"),
        (
            link("Supercedes", "is superceded by", "supercedes", outward="WEB-2"),
            "relates_to",
            "WEB-1",
            "WEB-2",
        ),
        (link("Anything", "x", "y", outward="WEB-2"), "relates_to", "WEB-1", "WEB-2"),
    ],
)
def test_links(path: Path, told: dict[str, Any], kind: str, source: str, target: str) -> None:
    found = Mapped(write(path, issue(issuelinks=[told]), issue("WEB-2")))
    relations = [relation for record in found.records.values() for relation in record.relations]
    assert [(each.type, each.source, each.target) for each in relations] == [(kind, source, target)]


def test_a_link_that_both_sides_tell_is_one(path: Path) -> None:
    write(
        path,
        issue(issuelinks=[link("Reference", "is related to", "relates to", outward="WEB-2")]),
        issue("WEB-2", issuelinks=[link("Reference", "is related to", "relates to", inward="WEB-1")]),
    )
    assert sum(len(record.relations) for record in Mapped(path).records.values()) == 1


def test_circles_of_blocks_become_looser(path: Path) -> None:
    blocks = ("Blocks", "is blocked by", "blocks")
    write(
        path,
        issue(issuelinks=[link(*blocks, outward="WEB-2")]),
        issue("WEB-2", issuelinks=[link(*blocks, outward="WEB-1")]),
    )
    kinds = [relation.type for record in Mapped(path).records.values() for relation in record.relations]
    assert sorted(kinds) == ["blocks", "relates_to"]


def test_sub_tasks_and_containers_become_parents_where_free(path: Path) -> None:
    contains = ("Container", "Is contained by", "contains")
    write(
        path,
        issue(parent={"key": "WEB-2"}),
        issue("WEB-2", subtasks=[{"key": "WEB-1"}]),
        issue("WEB-3", issuelinks=[link(*contains, outward="WEB-1"), link(*contains, outward="WEB-2")]),
    )
    found = Mapped(path)
    assert [found[key].fields.parent for key in ("WEB-1", "WEB-2", "WEB-3")] == ["WEB-2", "WEB-3", None]
    assert [(each.type, each.source, each.target) for each in found["WEB-3"].relations] == [
        ("relates_to", "WEB-3", "WEB-1")
    ]
    assert found.order == ["WEB-3", "WEB-2", "WEB-1"]


def test_parents_are_never_a_circle_and_at_most_eight_deep(path: Path) -> None:
    chain = [issue(f"WEB-{n}", parent={"key": f"WEB-{n - 1 or 12}"}) for n in range(1, 13)]
    found = Mapped(write(path, *chain))
    parents = {key: record.fields.parent for key, record in found.records.items()}
    for key in parents:
        chain_of_key, above = [key], parents[key]
        while above:
            assert above not in chain_of_key
            chain_of_key.append(above)
            above = parents[above]
        assert len(chain_of_key) <= 8


def test_links_to_issues_that_are_not_there_are_reported(path: Path) -> None:
    found = Mapped(write(path, issue(parent={"key": "WEB-9"})))
    assert found["WEB-1"].fields.parent is None
    assert found.report.listed["Links to issues that are not in the files"] == ["WEB-9 parent of WEB-1"]


def test_links_lead_to_issues_of_earlier_runs(path: Path) -> None:
    found = Mapped(write(path, issue(parent={"key": "WEB-9"})), known=Known(frozenset({"WEB-9"})))
    assert found["WEB-1"].fields.parent == "WEB-9"


# --- refusals ----------------------------------------------------------------------------------------
def without(name: str) -> dict[str, Any]:
    broken = issue("WEB-2")
    del broken["fields"][name]
    return broken


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (without("summary"), "WEB-2: summary: is missing"),
        (without("created"), "WEB-2: created: is missing"),
        (issue("WEB-2", summary="  "), "WEB-2: summary: is missing"),
        (issue("WEB-2", summary=7), "WEB-2: summary: must be a text, not a number"),
        (issue("WEB-2") | {"key": ""}, "issue 2 of the file: key: is missing"),
        (issue("WEB-2") | {"key": "web"}, "web: key: 'web' is no issue key"),
        (issue("WEB-2") | {"key": "WEB-99999999999"}, "key: 'WEB-99999999999' is no issue key"),
        (issue("WEB-2") | {"key": "W_B-2"}, "'W_B' cannot be a project key here"),
        (issue("WEB-2") | {"fields": []}, "WEB-2: fields: must be an object"),
        (issue("WEB-2", created="yesterday"), "WEB-2: created: 'yesterday' is no time with an offset"),
        (issue("WEB-2", created="2024-01-01T10:00:00"), "is no time with an offset"),
        (issue("WEB-2", created="2024-13-01T10:00:00+0000"), "is no time"),
        (issue("WEB-2", created="0001-01-01T00:00:00+1400"), "is no time"),
        (issue("WEB-2", created="1800-01-01T00:00:00Z"), "is not between 1900 and 2200"),
        (issue("WEB-2", updated="soon"), "WEB-2: updated: 'soon'"),
        (issue("WEB-2", duedate="someday"), "WEB-2: duedate: 'someday' is no date"),
        (issue("WEB-2", labels="ui"), "WEB-2: labels: must be a list, not a text"),
        (issue("WEB-2", labels=[1]), "WEB-2: labels: must be a text, not a number"),
        (issue("WEB-2", status="Open"), "WEB-2: status: must be an object, not a text"),
        (issue("WEB-2", components=["x"]), "WEB-2: components[0]: must be an object"),
        (issue("WEB-2", comments=[comment(1, "x", created=None)]), "comment.comments[0].created: is missing"),
        (issue("WEB-2", comments=["x"]), "WEB-2: comment.comments[0]: must be an object"),
        (issue("WEB-2", histories=[history(1, at="?")]), "WEB-2: changelog.histories[0].created: '?'"),
        (issue("WEB-2", histories=[{"created": "2024-01-01T00:00:00Z", "items": [7]}]), "[0].items[0]: must"),
        (issue("WEB-2", issuelinks=[7]), "WEB-2: issuelinks[0]: must be an object"),
        (issue("WEB-2", parent=[]), "WEB-2: parent: must be an object"),
        (issue("WEB-2") | {"id": {}}, "WEB-2: id: must be a text"),
    ],
)  # fmt: skip
def test_a_broken_issue_is_refused_by_field(path: Path, broken: dict[str, Any], said: str) -> None:
    found = Mapped(write(path, issue(), broken))
    assert [said in str(problem) for problem in found.report.problems] == [True], found.report.problems
    assert (list(found.records), found.prepared.failed) == (["WEB-1"], 1)


def test_the_same_issue_on_two_pages_counts_once(path: Path) -> None:
    found = Mapped(write(path, issue(), issue()))
    assert (len(found.records), found.report.problems) == (1, [])


def test_two_issues_of_one_key_are_refused(path: Path) -> None:
    found = Mapped(write(path, issue(), issue(id="77")))
    assert "WEB-1: id: 77 is also that of id 101" in str(found.report.problems[0])


def test_what_is_unknown_or_missing_never_refuses(path: Path) -> None:
    bare = {
        "key": "WEB-1",
        "fields": {"summary": "x", "created": "2024-01-01T00:00:00Z", "whatever": {"a": [1]}},
    }
    found = Mapped(write(path, bare))
    assert found.report.problems == []
    assert found["WEB-1"].fields == FieldValues(title="x", reporter="anonymous")
    assert found.report.fields["whatever", "dropped", ""] == 1


# --- the mapping file --------------------------------------------------------------------------------
def test_a_mapping_file_wins(tmp_path: Path, path: Path) -> None:
    own = rules(
        tmp_path,
        """{"source": "jira:old", "statuses": {"Open": "backlog"}, "types": {"Bug": "task"},
            "priorities": {"P1": "urgent"}, "resolutions": {"Later": "deferred", "Invalid": null},
            "links": {"Reference": "blocked_by", "Noise": null},
            "fields": {"customfield_1": "estimate", "Team": "labels"}, "people": {"Rita": "rita@example.org"},
            "projects": {"WEB": "SITE"}}""",
    )
    links = [
        link("Reference", "r", "r", outward="WEB-2"),
        link("Noise", "n", "n", outward="WEB-2"),
    ]
    fields: dict[str, Any] = {
        "customfield_1": 5,
        "customfield_2": [{"value": "Red"}],
        "priority": {"name": "P1"},
    }
    write(
        path,
        issue(resolution={"name": "Later"}, issuelinks=links, **fields),
        issue("WEB-2"),
        names={"customfield_2": "Team"},
    )
    found = Mapped(path, own)
    record = found["SITE-1"]
    assert found.prepared.source == "jira:old"
    assert (record.category, record.fields.type, record.fields.priority) == ("backlog", "task", "urgent")
    assert (record.fields.labels, record.fields.estimate) == (("Red", "deferred"), Decimal(5))
    assert [
        (each.type, each.source, each.target) for each in found["SITE-2"].relations + record.relations
    ] == [("blocks", "SITE-2", "SITE-1")]
    assert (
        next(someone.email for someone in found.prepared.people if someone.key == "rita")
        == "rita@example.org"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON"),
        ("[]", "must be an object"),
        ('{"stati": {}}', "stati: is unknown"),
        ('{"statuses": {"Open": "busy"}}', "statuses.Open: 'busy' is none of"),
        ('{"types": []}', "types: must be an object"),
        ('{"priorities": {"P1": 1}}', "priorities.P1: must be a text"),
        ('{"projects": {"WEB": "w"}}', "'w' is no project key"),
        ('{"taken_numbers": "guess"}', "must be `error` or `new`"),
    ],
)
def test_a_broken_mapping_file_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Unreadable, match=r"mapping\.json") as caught:
        rules(tmp_path, text)
    assert said in str(caught.value)


def test_the_source_is_the_server(path: Path) -> None:
    assert Mapped(write(path, issue())).prepared.source == "jira:jira.example.org"

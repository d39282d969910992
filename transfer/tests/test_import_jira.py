"""The command from a file to rows, events and a report."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from accounts.models import Role, User
from issues.history_rows import history_rows
from issues.models import Comment, Issue, IssueAlias, Project, Relation, Status, Transition
from issues.services.issues import create_issue, edit_issue, trash_issue
from issues.services.migration import Earlier, Migration, Plan, begin_migration, import_batch, plan_migration
from issues.services.migration_values import Names
from issues.services.projects import archive_project
from tests.fold import folded, told
from tests.make import caller, make_issue, make_project, make_user
from tracker.errors import NotAllowed
from tracker.models import Event
from transfer import imports
from transfer.tests import expected
from transfer.tests.jira import EXCERPT, comment, history, issue, item, person, write

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "search.json"


def run(*arguments: Any, **options: Any) -> list[str]:
    """Run the command and return the lines of its report."""
    out, err = StringIO(), StringIO()
    call_command("import_jira", *map(str, arguments), stdout=out, stderr=err, **options)
    return [*err.getvalue().splitlines(), *out.getvalue().splitlines()]


def refused(*arguments: Any, **options: Any) -> str:
    """Run the command, which must fail, and return what it said."""
    out, err = StringIO(), StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("import_jira", *map(str, arguments), stdout=out, stderr=err, **options)
    return f"{err.getvalue()}\n{out.getvalue()}\n{caught.value}"


def counts() -> tuple[int, ...]:
    """How much there is."""
    return tuple(model.objects.count() for model in (Issue, Comment, Event, Project, User, Status, Relation))


def found(key: str) -> Issue:
    project, _, number = key.rpartition("-")
    return Issue.objects.get(project__key=project, number=number)


# --- real issues -------------------------------------------------------------------------------------
def test_real_issues_arrive_as_they_are_in_the_file(admin: User) -> None:
    lines = run(EXCERPT)
    assert lines[-1] == "created 15, updated 0, unchanged 0, failed 0"
    assert lines[-2] == "comments 43, history entries 95, relations 3"
    raw_issues = json.loads(EXCERPT.read_text())["issues"]
    there = {raw["key"] for raw in raw_issues}
    for raw in raw_issues:
        row = found(raw["key"])
        assert expected.stored_fields(row) == expected.expected_fields(raw)
        assert expected.stored_history(row) == expected.expected_history(raw)
        assert expected.stored_comments(row) == expected.expected_comments(raw)
        assert expected.related_keys(row) == expected.expected_related(raw, there)


def test_the_log_folds_into_the_rows(admin: User) -> None:
    run(EXCERPT)
    for row in Issue.objects.all():
        assert folded(row) == told(row, user=admin)
        texts = {"title": row.title, "description": row.description or None}
        state: dict[str, Any] = {}
        for event in Event.objects.filter(issue_id=row.pk).order_by("at", "order"):
            state |= {name: event.data.get("initial", {}).get(name) for name in texts} if not state else {}
            state |= {name: pair[1] for name, pair in event.changes.items() if name in texts}
        assert state == texts
        events = Event.objects.filter(issue_id=row.pk).order_by("at", "order")
        versions = [event.version or 0 for event in events]
        assert versions == sorted(versions)
        assert versions[-1] == row.version


def test_a_second_run_changes_nothing(admin: User) -> None:
    run(EXCERPT)
    before = counts()
    assert run(EXCERPT)[-1] == "created 0, updated 0, unchanged 15, failed 0"
    assert counts() == before


def test_a_dry_run_reports_the_same_and_stores_nothing(admin: User) -> None:
    before = counts()
    dry = run(EXCERPT, "--dry-run")
    assert counts() == before
    assert "Dry run: nothing was stored." in dry
    real = run(EXCERPT)
    assert [line for line in dry if not line.startswith("Dry run") and " s, " not in line] == [
        line for line in real if " s, " not in line
    ]
    again = run(EXCERPT, "--dry-run")
    assert again[-1] == "created 0, updated 0, unchanged 15, failed 0"


@pytest.mark.django_db(transaction=True)
def test_every_event_of_the_past_has_its_number_and_the_source_import(admin: User) -> None:
    run(EXCERPT)
    events = Event.objects.filter(issue_id__isnull=False)
    assert set(events.values_list("source", flat=True)) == {"import"}
    assert events.filter(verb="issue.imported").count() == 15
    numbers = list(Event.objects.order_by("order").values_list("seq", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))


def test_people_become_inactive_placeholders_or_accounts_by_email(admin: User, path: Path) -> None:
    mia = make_user(Role.DEVELOPER, email="mia@example.org")
    run(write(path, issue(assignee=person("mmm", emailAddress="Mia@Example.org"))))
    row = found("WEB-1")
    assert row.assignee == mia
    assert (row.reporter.name, row.reporter.is_active, row.reporter.is_placeholder) == ("Rita", False, True)


# --- projects ----------------------------------------------------------------------------------------
def test_a_project_is_made_with_the_statuses_of_its_issues(admin: User, path: Path) -> None:
    progress = {"name": "In Progress", "statusCategory": {"key": "indeterminate"}}
    run(write(path, issue("WEB-7"), issue("WEB-12", status=progress)))
    project = Project.objects.get(key="WEB")
    assert (project.name, project.visibility, project.lead, project.next_number) == (
        "The Web",
        "internal",
        admin,
        13,
    )
    statuses = Status.objects.filter(project=project).order_by("position")
    assert [(each.slug, each.category, each.is_initial) for each in statuses] == [
        ("open", "unstarted", True), ("in_progress", "started", False)
    ]  # fmt: skip
    assert Transition.objects.filter(project=project).count() == 2


def test_a_project_of_closed_issues_still_has_a_status_to_begin_with(admin: User, path: Path) -> None:
    run(write(path, issue(status={"name": "Closed", "statusCategory": {"key": "done"}})))
    assert [each.slug for each in Status.objects.filter(is_initial=True)] == ["open"]


def test_numbers_go_on_above_the_highest(admin: User, path: Path) -> None:
    run(write(path, issue("WEB-41")))
    row = create_issue(Project.objects.get(key="WEB").pk, by=caller(admin), fields={"title": "New"})
    assert row.number == 42


def test_an_existing_project_gets_what_it_lacks_and_keeps_the_rest(admin: User, path: Path) -> None:
    project = make_project("WEB", by=admin)
    labels = ["ui"]
    status = {"name": "In Progress", "statusCategory": {"key": "done"}}
    run(write(path, issue("WEB-5", labels=labels, status=status), issue("WEB-6", status={"name": "Parked"})))
    slugs = list(Status.objects.filter(project=project).order_by("position").values_list("slug", flat=True))
    assert slugs == ["open", "triaged", "in_progress", "done", "parked"]
    assert (found("WEB-5").status.slug, found("WEB-5").status.category) == ("in_progress", "started")
    assert Transition.objects.filter(project=project, to_status__slug="parked").count() == 4
    assert not Transition.objects.filter(from_status__slug="open", to_status__slug="done").exists()


def test_a_number_that_an_issue_made_here_has_is_a_named_error(
    admin: User, path: Path, tmp_path: Path
) -> None:
    here = make_issue(make_project("WEB", by=admin), by=admin)
    write(path, issue("WEB-1"), issue("WEB-2"))
    before = counts()
    assert "WEB-1: key: number 1 of WEB belongs to an issue that was made here" in refused(path)
    assert counts() == before
    assert run(path, "--lenient")[-1] == "created 1, updated 0, unchanged 0, failed 1"
    mapping = tmp_path / "mapping.json"
    mapping.write_text('{"taken_numbers": "new"}')
    assert run(path, "--mapping", mapping)[-1] == "created 1, updated 0, unchanged 1, failed 0"
    here.refresh_from_db()
    assert (here.number, found("WEB-3").external_id) == (1, "101")


def test_an_archived_project_is_a_named_error(admin: User, path: Path) -> None:
    project = make_project("WEB", by=admin)
    archive_project(project.pk, by=caller(admin))
    assert "WEB-1: key: project WEB is archived" in refused(write(path, issue()))


def test_old_keys_lead_to_the_issue_unless_a_live_issue_has_them(admin: User, path: Path) -> None:
    moves = [history(1, item("Key", "OLD-3", "WEB-2")), history(2, item("Key", "WEB-2", "WEB-1"))]
    run(write(path, issue(histories=moves), issue("WEB-2")))
    assert list(IssueAlias.objects.values_list("key", flat=True)) == ["OLD-3"]
    run(write(path, issue("OLD-3", id="9")))
    assert IssueAlias.objects.count() == 0


# --- runs after the first ----------------------------------------------------------------------------
def test_a_changed_file_brings_only_the_differences(admin: User, path: Path) -> None:
    run(
        write(
            path,
            issue(
                comments=[comment(1, "one")], histories=[history(1, item("summary", "a", "Summary of WEB-1"))]
            ),
        )
    )
    before = Event.objects.count()
    later = issue(
        summary="c",
        updated="2024-01-20T10:00:00.000+0000",
        comments=[comment(1, "one *more*", updated="2024-01-12T00:00:00.000+0000"), comment(5, "two")],
        histories=[
            history(1, item("summary", "a", "Summary of WEB-1")),
            history(10, item("summary", "Summary of WEB-1", "c")),
        ],
    )
    lines = run(write(path, later, issue("WEB-2")))
    assert lines[-2:] == [
        "comments 1, history entries 1, relations 0",
        "created 1, updated 1, unchanged 0, failed 0",
    ]
    row = found("WEB-1")
    assert (row.title, row.version) == ("c", 3)
    assert [each.body for each in row.comments.order_by("created_at")] == ["one **more**", "two"]
    fresh = Event.objects.filter(issue_id=row.pk).order_by("order")[3:]
    assert {event.verb for event in fresh} == {"issue.title_changed", "comment.added", "comment.edited"}
    assert Event.objects.filter(issue_id=row.pk).count() == 6
    assert Event.objects.count() > before
    assert run(path)[-1] == "created 0, updated 0, unchanged 2, failed 0"


def test_a_change_without_history_is_an_event_of_its_own(admin: User, path: Path) -> None:
    run(write(path, issue()))
    run(write(path, issue(priority={"name": "Blocker"}, updated="2024-02-02T00:00:00.000+0000")))
    event = Event.objects.get(verb="issue.priority_changed")
    assert (event.changes, event.data) == ({"priority": ["none", "urgent"]}, {"not_in_history": True})
    assert run(path)[-1] == "created 0, updated 0, unchanged 1, failed 0"


def test_what_people_changed_here_stays(admin: User, path: Path) -> None:
    run(write(path, issue()))
    row = found("WEB-1")
    edit_issue(row.pk, by=caller(admin), changes={"title": "Better", "priority": "high"})
    assert run(path)[-1] == "created 0, updated 0, unchanged 1, failed 0"
    later = history(9, item("duedate", None, "2024-03-01 00:00:00.0", to="2024-03-01"))
    run(write(path, issue(duedate="2024-03-01", histories=[later])))
    row.refresh_from_db()
    assert (row.title, row.priority, str(row.due_date), row.version) == ("Better", 3, "2024-03-01", 3)
    assert folded(row) == told(row, user=admin)


def test_of_two_changes_the_later_one_counts(admin: User, path: Path) -> None:
    run(write(path, issue()))
    row = found("WEB-1")
    edit_issue(row.pk, by=caller(admin), changes={"title": "Mine"})
    past = history(3, item("summary", "Summary of WEB-1", "Theirs"))
    run(write(path, issue(summary="Theirs", histories=[past])))
    row.refresh_from_db()
    assert row.title == "Mine"
    future = history(4, item("summary", "Theirs", "Newest"), at="2190-01-01T00:00:00.000+0000")
    run(write(path, issue(summary="Newest", histories=[past, future])))
    row.refresh_from_db()
    assert row.title == "Newest"


def test_an_issue_in_the_trash_stays_there(admin: User, path: Path) -> None:
    run(write(path, issue()))
    trash_issue(found("WEB-1").pk, by=caller(admin))
    assert run(path)[-1] == "created 0, updated 0, unchanged 1, failed 0"
    assert found("WEB-1").trashed_at is not None


def test_relations_that_come_later_are_told_by_events(admin: User, path: Path) -> None:
    run(write(path, issue(), issue("WEB-2")))
    link = {
        "type": {"name": "Blocks", "inward": "is blocked by", "outward": "blocks"},
        "outwardIssue": {"key": "WEB-2"},
    }
    assert run(write(path, issue(issuelinks=[link])))[-1] == "created 0, updated 1, unchanged 0, failed 0"
    assert Event.objects.filter(verb="issue.linked", source="import").count() == 2
    assert run(path)[-1] == "created 0, updated 0, unchanged 1, failed 0"


def test_a_parent_may_come_with_an_earlier_file(admin: User, path: Path) -> None:
    run(write(path, issue("WEB-2")))
    run(write(path, issue("WEB-1", parent={"key": "WEB-2"})))
    assert found("WEB-1").parent == found("WEB-2")


def test_projects_may_be_renamed_by_the_mapping_file(admin: User, path: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.json"
    mapping.write_text('{"projects": {"WEB": "SITE"}}')
    write(path, issue("WEB-1", parent={"key": "WEB-2"}), issue("WEB-2"))
    run(path, "--mapping", mapping)
    assert found("SITE-1").parent == found("SITE-2")
    assert run(path, "--mapping", mapping)[-1] == "created 0, updated 0, unchanged 2, failed 0"


# --- times -------------------------------------------------------------------------------------------
def test_start_and_end_follow_from_the_statuses(admin: User, path: Path) -> None:
    entries = [
        history(1, item("status", "Open", "In Progress")),
        history(2, item("status", "In Progress", "Resolved"), item("resolution", None, "Fixed")),
        history(3, item("status", "Resolved", "Closed")),
    ]
    closed = {"name": "Closed", "statusCategory": {"key": "done"}}
    resolved_at = "2024-01-03T12:00:00.500+0000"
    run(
        write(
            path,
            issue(status=closed, histories=entries, resolution={"name": "Fixed"}, resolutiondate=resolved_at),
        )
    )
    row = found("WEB-1")
    assert row.started_at is not None
    assert row.started_at.isoformat() == "2024-01-02T12:00:00+00:00"
    assert row.closed_at is not None
    assert row.closed_at.isoformat() == "2024-01-03T12:00:00.500000+00:00"
    entries.append(history(4, item("status", "Closed", "Reopened")))
    reopened = {"name": "Reopened", "statusCategory": {"key": "new"}}
    run(write(path, issue(status=reopened, histories=entries, resolutiondate=resolved_at)))
    assert found("WEB-1").started_at is None
    assert found("WEB-1").closed_at is None


def test_history_rows_show_the_past(admin: User, path: Path) -> None:
    run(
        write(
            path,
            issue(
                histories=[history(1, item("status", "New", "Open")), history(2, item("Rank", "", "higher"))]
            ),
        )
    )
    rows = history_rows(Event.objects.filter(issue_id=found("WEB-1").pk).order_by("at", "order"), user=admin)
    assert [row["verb"] for row in rows] == ["issue.imported", "issue.status_changed", "issue.updated"]
    assert rows[1]["changes"] == {"status": ["new", "open"]}
    assert rows[1]["categories"] == ["unstarted", "unstarted"]
    assert rows[1]["actor"]["name"] == "Mia"
    assert rows[1]["at"] == "2024-01-02T12:00:00.000Z"


# --- refusals ----------------------------------------------------------------------------------------
def broken_files() -> dict[str, Callable[[str], str]]:
    """Ways to break a good file of two issues."""
    return {
        "cut off": lambda good: good[: len(good) - 200],
        "no key": lambda good: good.replace('"key": "WEB-2",', ""),
        "no summary": lambda good: good.replace('"summary": "Summary of WEB-2", ', ""),
        "wrong time": lambda good: good.replace("2024-01-01T10", "2024-99-01T10"),
        "wrong type": lambda good: good.replace('"summary": "Summary of WEB-2"', '"summary": {"a": 1}'),
        "NUL": lambda good: good.replace("Summary of WEB-2", "\\u0000"),
        "half a surrogate pair": lambda good: good.replace("Summary of WEB-2", "\\udc00"),
        "member twice": lambda good: good.replace(
            '"summary": "Summary of WEB-2"', '"summary": "a", "summary": "b"'
        ),
        "huge number": lambda good: good.replace('"total": 0', '"total": ' + "9" * 6000),
        "key twice": lambda good: good.replace('"key": "WEB-2"', '"key": "WEB-1"'),
        "text after the end": lambda good: good + "}",
        "not UTF-8": lambda good: good.replace("Summary of WEB-2", "\udcff"),
    }


@pytest.mark.parametrize("kind", broken_files())
def test_a_broken_file_imports_nothing_and_says_where(admin: User, path: Path, kind: str) -> None:
    good = json.dumps({"issues": [issue(), issue("WEB-2")]})
    path.write_text(broken_files()[kind](good), encoding="utf-8", errors="surrogateescape")
    before = counts()
    said = refused(path)
    assert "refused: search.json: " in said
    assert "Nothing was imported" in said
    assert "created 0, updated 0, unchanged 0" in said
    assert counts() == before


def test_lenient_imports_the_rest(admin: User, path: Path) -> None:
    write(path, issue(), issue("WEB-2", summary=""), issue("WEB-3", parent={"key": "WEB-2"}))
    lines = run(path, "--lenient")
    assert lines[0] == "refused: search.json: WEB-2: summary: is missing"
    assert lines[-1] == "created 2, updated 0, unchanged 0, failed 1"
    assert found("WEB-3").parent is None


def test_lenient_imports_what_stands_before_a_cut(admin: User, path: Path) -> None:
    good = json.dumps({"issues": [issue(), issue("WEB-2")]})
    path.write_text(good[:-300])
    assert run(path, "--lenient")[-1] == "created 1, updated 0, unchanged 0, failed 0"


def test_without_an_admin_it_says_so(db: None, path: Path) -> None:
    assert "There is no active admin yet" in refused(write(path, issue()))


def test_only_an_admin_may_be_named(admin: User, maintainer: User, path: Path) -> None:
    assert "There is no active admin" in refused(write(path, issue()), "--as", maintainer.email)


def test_the_right_to_migrate_is_asked_for_each_batch(maintainer: User, path: Path) -> None:
    plan = plan_migration([], source="x", earlier=Earlier({}, {}), new_numbers=False)
    with pytest.raises(NotAllowed):
        begin_migration(by=caller(maintainer), source="x", projects=[], people=[], plan=plan)
    migration = Migration(caller(maintainer), "x", {}, Names({}, {}), Plan(), is_dry_run=False, present=set())
    with pytest.raises(NotAllowed):
        import_batch(migration, [])


def test_a_hostile_title_and_name_are_made_fit(admin: User, path: Path) -> None:
    write(
        path,
        issue(
            summary="a\tb\u0007c " + "x" * 400, labels=["\t"], reporter=person("r", displayName="\u202eevil")
        ),
    )
    run(path)
    assert len(found("WEB-1").title) == 255
    assert found("WEB-1").title.startswith("a b c x")


# --- faults ------------------------------------------------------------------------------------------
def test_after_a_crash_the_same_file_goes_on(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "MAX_BATCH", 4)
    write_batch, batches = import_batch, []

    def crash_at_the_third(*arguments: Any) -> Any:
        batches.append(arguments)
        if len(batches) == 3:
            raise OperationalError("database is locked")
        return write_batch(*arguments)

    monkeypatch.setattr(imports, "import_batch", crash_at_the_third)
    assert "database is locked. What was imported stays" in refused(EXCERPT)
    assert Issue.objects.count() == 8
    monkeypatch.setattr(imports, "import_batch", write_batch)
    assert run(EXCERPT)[-1].startswith("created 7, ")
    assert run(EXCERPT)[-1] == "created 0, updated 0, unchanged 15, failed 0"
    assert (Relation.objects.count(), Comment.objects.count()) == (3, 43)
    assert Event.objects.filter(external_id__startswith="history:").count() == 95


def test_an_issue_that_appears_meanwhile_is_a_conflict(
    admin: User, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_migration

    def plan_then_take(*arguments: Any, **options: Any) -> Any:
        made = plan(*arguments, **options)
        make_issue(make_project("WEB", by=admin), by=admin)
        return made

    monkeypatch.setattr(imports, "plan_migration", plan_then_take)
    assert "Number 1 of WEB was taken while the import ran" in refused(write(path, issue()))
    assert not Issue.objects.filter(external_id="101").exists()

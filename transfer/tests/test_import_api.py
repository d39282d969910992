"""Imports by API: a file is sent, a worker writes it, and it can be sent again or taken back."""

import uuid
from typing import Any

import orjson
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Role, User
from issues.models import Comment, Issue, IssueLabel, Project, Watcher
from issues.services.comments import add_comment
from issues.services.import_new import EVENT_COLUMNS, ISSUE_COLUMNS
from issues.services.issues import change_status, edit_issue
from issues.services.labels import create_label
from issues.services.milestones import create_milestone
from tests.fold import folded, told
from tests.make import caller, make_issue, make_project, make_user
from tracker.durable import drive, kind_of
from tracker.models import Event
from tracker.server.http import body_limit_bytes
from tracker.versions import CATALOG, bump
from transfer.csv.columns import find_columns, read_mapping
from transfer.csv_columns import COLUMNS
from transfer.models import Import, ImportedIssue
from transfer.services.imports import begin_import
from transfer.tests.importing import OWN_HEADERS, client_of, counts, imported, run_of, send, undo
from transfer.tests.jira import EXCERPT

pytestmark = pytest.mark.django_db

PLAIN = """Issue key,Summary,Priority,Labels,Labels,Story points,Whatever
EXT-1,First,Major,ui,"back, end",3,x
EXT-2,Second,,ui,,,
EXT-3,"Third, with a comma",high,,,2.5,y
"""


@pytest.fixture
def project(admin: User) -> Project:
    return make_project("API", by=admin)


def rows() -> list[tuple[Any, ...]]:
    return list(Issue.objects.order_by("number").values_list("number", "title", "external_id"))


def test_a_plain_table_becomes_issues(project: Project, maintainer: User) -> None:
    run = imported(maintainer, PLAIN, project="API")
    assert (run["state"], counts(run)) == ("done", {"created": 3, "updated": 0, "unchanged": 0, "failed": 0})
    assert run["progress"] == {"done": 3, "total": 3}
    assert rows() == [(1, "First", "EXT-1"), (2, "Second", "EXT-2"), (3, "Third, with a comma", "EXT-3")]
    first = Issue.objects.get(number=1)
    assert (first.reporter_id, str(first.estimate), first.get_priority_display()) == (
        maintainer.pk,
        "3.00",
        "Medium",
    )
    names = IssueLabel.objects.filter(issue=first).values_list("label__name", flat=True)
    assert sorted(names) == ["back, end", "ui"]
    actions = {column["name"]: (column["action"], column["to"]) for column in run["report"]["columns"]}
    assert actions["Summary"] == ("mapped", "title")
    assert actions["Priority"] == ("kept", "priority")
    assert actions["Whatever"] == ("dropped", None)
    assert Watcher.objects.filter(user=maintainer).count() == 3
    assert make_issue(project, by=maintainer).number == 4


def test_each_issue_has_one_event_and_the_log_folds_into_the_rows(project: Project, maintainer: User) -> None:
    imported(maintainer, PLAIN, project="API")
    for issue in Issue.objects.all():
        assert folded(issue) == told(issue, user=maintainer)
    events = Event.objects.filter(issue_id__isnull=False)
    assert set(events.values_list("verb", "source", "actor_id")) == {
        ("issue.imported", "import", maintainer.pk)
    }
    assert events.count() == 3


def test_the_same_file_again_changes_nothing(project: Project, maintainer: User) -> None:
    imported(maintainer, PLAIN, project="API")
    before = (rows(), Event.objects.count())
    run = imported(maintainer, PLAIN, project="API")
    assert counts(run) == {"created": 0, "updated": 0, "unchanged": 3, "failed": 0}
    assert (rows(), Event.objects.count()) == before


def test_what_the_file_changed_is_changed_and_what_people_changed_stays(
    project: Project, maintainer: User
) -> None:
    imported(maintainer, PLAIN, project="API")
    edit_issue("API-1", by=caller(maintainer), changes={"title": "Ours", "priority": "urgent"})
    run = imported(maintainer, PLAIN.replace("EXT-1,First,Major", "EXT-1,First,Minor"), project="API")
    assert counts(run) == {"created": 0, "updated": 1, "unchanged": 2, "failed": 0}
    issue = Issue.objects.get(number=1)
    assert (issue.title, issue.get_priority_display()) == ("Ours", "Low")


def test_a_table_without_keys_may_be_sent_again_too(project: Project, maintainer: User) -> None:
    table = "name\nSame\nSame\nOther\n"
    assert counts(imported(maintainer, table, project="API"))["created"] == 3
    again = imported(maintainer, table + "New\n", project="API")
    assert (again["created"], again["unchanged"]) == (1, 3)


# --- undo --------------------------------------------------------------------------------------------
def test_an_undo_puts_the_issues_into_the_trash_and_the_next_run_takes_them_out(
    project: Project, maintainer: User
) -> None:
    run = imported(maintainer, PLAIN, project="API")
    ids = list(Issue.objects.order_by("number").values_list("pk", flat=True))
    answer = undo(maintainer, run)
    assert (answer.status_code, answer.json()["state"]) == (200, "undone")
    assert not Issue.objects.filter(trashed_at__isnull=True).exists()
    assert client_of(maintainer).get("/api/v1/issues/API-1").status_code == 404
    assert undo(maintainer, run).json()["state"] == "undone"
    imported(maintainer, PLAIN, project="API")
    assert list(Issue.objects.order_by("number").values_list("pk", flat=True)) == ids
    assert not Issue.objects.filter(trashed_at__isnull=False).exists()
    verbs = Event.objects.filter(issue_id=ids[0]).order_by("order").values_list("verb", flat=True)
    assert list(verbs) == ["issue.imported", "issue.trashed", "issue.restored"]
    assert make_issue(project, by=maintainer).number == 4


def test_an_undo_is_refused_where_people_changed_something(project: Project, maintainer: User) -> None:
    run = imported(maintainer, PLAIN, project="API")
    edit_issue("API-2", by=caller(maintainer), changes={"title": "Ours"})
    add_comment(Issue.objects.get(number=3).pk, by=caller(maintainer), body="Mine")
    answer = undo(maintainer, run)
    assert (answer.status_code, answer.json()["error"]) == (409, "E_CONFLICT")
    assert answer.json()["details"] == {"issues": ["API-2", "API-3"], "count": 2}
    assert not Issue.objects.filter(trashed_at__isnull=False).exists()
    assert run_of(maintainer, run["id"])["state"] == "done"


# --- bad rows ----------------------------------------------------------------------------------------
def test_a_strict_run_with_one_bad_row_writes_nothing_and_names_it(
    project: Project, maintainer: User
) -> None:
    table = "key,title,estimate\n" + "".join(f"E-{n},T{n},1\n" for n in range(1, 51)) + "E-51,,x\n"
    run = imported(maintainer, table, project="API")
    assert (run["state"], counts(run)) == (
        "failed",
        {"created": 0, "updated": 0, "unchanged": 0, "failed": 1},
    )
    assert run["report"]["errors"] == [
        {
            "line": 52,
            "field": "estimate",
            "message": "Must be a number from 0 to 10000 with at most two decimals.",
        },
        {"line": 52, "field": "title", "message": "May not be empty."},
    ]
    assert not Issue.objects.exists()
    lenient = imported(maintainer, table, project="API", mode="lenient")
    assert (lenient["state"], lenient["created"], lenient["failed"]) == ("done", 50, 1)
    assert lenient["progress"] == {"done": 51, "total": 51}


def test_a_dry_run_says_what_would_become_and_writes_nothing(project: Project, maintainer: User) -> None:
    run = imported(maintainer, PLAIN, project="API", dry_run=True)
    assert (run["state"], run["created"]) == ("done", 3)
    assert not Issue.objects.exists()
    assert not ImportedIssue.objects.exists()
    assert undo(maintainer, run).status_code == 409


# --- rights ------------------------------------------------------------------------------------------
def test_who_may_not_import_is_refused(
    project: Project, developer: User, reporter: User, admin: User
) -> None:
    for user in (developer, reporter):
        assert send(user, PLAIN, project="API").status_code == 403
    maintainer = make_user(Role.MAINTAINER)
    make_project("HIDDEN", by=admin, visibility="private")
    for name in ("HIDDEN", "NOPE"):
        assert send(maintainer, PLAIN, project=name).status_code == 400
    assert send(maintainer, PLAIN).status_code == 400
    assert not Import.objects.exists()


def test_a_run_is_seen_by_who_began_it_and_by_admins(project: Project, maintainer: User, admin: User) -> None:
    run = imported(maintainer, PLAIN, project="API")
    other = make_user(Role.MAINTAINER)
    assert client_of(other).get(f"/api/v1/imports/{run['id']}").status_code == 404
    assert undo(other, run).status_code == 404
    assert client_of(admin).get(f"/api/v1/imports/{run['id']}").status_code == 200


def test_a_maintainer_sets_no_author_and_no_time(project: Project, maintainer: User, developer: User) -> None:
    table = f"title,reporter,created_at,assignee\nT,{developer.email},2020-01-01,{developer.email}\n"
    run = imported(maintainer, table, project="API")
    issue = Issue.objects.get()
    assert (issue.reporter_id, issue.assignee_id) == (maintainer.pk, developer.pk)
    assert issue.created_at.year > 2020
    dropped = [column["name"] for column in run["report"]["columns"] if column["action"] == "dropped"]
    assert dropped == ["reporter", "created_at"]


def test_an_admin_brings_authors_and_times(project: Project, admin: User) -> None:
    table = "key,title,reporter,created_at\nAPI-7,T,Jane of old,2020-01-01T10:00:00Z\n"
    imported(admin, table, project="API")
    issue = Issue.objects.select_related("reporter").get()
    assert (issue.number, issue.reporter.name, issue.reporter.is_active) == (7, "Jane of old", False)
    assert issue.created_at.isoformat() == "2020-01-01T10:00:00+00:00"
    assert make_issue(project, by=admin).number == 8


def test_a_migration_makes_its_projects(admin: User) -> None:
    table = (
        f"{OWN_HEADERS}\n"
        "NEW-3,NEW,Child,Text,bug,in_review,started,high,urgent,Jane,Joe,ui,M1,,NEW-1,3,2026-01-01,Sales,"
        "2025-01-02T03:04:05.006Z,2025-02-02T03:04:05.006Z,2025-01-05T03:04:05.006Z,,0197aaaa-0000-7000-8000-000000000003\n"
        "NEW-1,NEW,Parent,,epic,done,done,low,none,Joe,,,,,,,,,"
        "2025-01-01T03:04:05.006Z,2025-01-09T03:04:05.006Z,,2025-01-09T03:04:05.006Z,0197aaaa-0000-7000-8000-000000000001\n"
    )
    run = imported(admin, table)
    assert (run["state"], run["created"]) == ("done", 2), run
    child = client_of(admin).get("/api/v1/issues/NEW-3").json()
    assert child["id"] == "0197aaaa-0000-7000-8000-000000000003"
    assert (child["status"]["slug"], child["status"]["category"]) == ("in_review", "started")
    assert (child["parent"]["key"], child["department"], child["estimate"]) == ("NEW-1", "Sales", 3)
    assert (child["reporter"]["name"], child["assignee"]["name"]) == ("Jane", "Joe")
    assert (child["started_at"], child["closed_at"]) == ("2025-01-05T03:04:05.006Z", None)
    assert child["updated_at"] == "2025-02-02T03:04:05.006Z"
    again = imported(admin, table)
    assert counts(again) == {"created": 0, "updated": 0, "unchanged": 2, "failed": 0}


def test_the_file_of_an_import_has_a_limit_of_its_own(
    project: Project, maintainer: User, settings: Any
) -> None:
    settings.MAX_UPLOAD_MIB, settings.MAX_IMPORT_MIB = 1, 2
    large = f"title,description\nLarge,{'x' * 60_000}\n" + "Row\n" * 400_000
    answer = send(maintainer, large, project="API", dry_run=True)
    assert answer.status_code == 202, answer.content
    for megabytes in (2.5, 4):  # refused while it arrives, and by its header
        refused = send(maintainer, b"x" * int(megabytes * 1024 * 1024), project="API")
        assert (refused.status_code, refused.json()["error"]) == (413, "E_TOO_LARGE")
    assert Import.objects.count() == 1
    page = client_of(maintainer).post(
        "/issues/import-me", {"file": SimpleUploadedFile("x", b"x" * 3_000_000)}
    )
    assert page.status_code == 413


@pytest.mark.parametrize(
    ("path", "is_known", "mib"),
    [
        ("/api/v1/issues/import", True, 101),
        ("/api/v1/issues/import/", True, 101),
        ("/api/v1/issues/import", False, 1),
        ("/api/v1/issues/API-1/attachments", True, 26),
    ],
)
def test_the_server_reads_as_much_as_the_path_takes(path: str, is_known: bool, mib: int) -> None:
    limit = body_limit_bytes(path, "multipart/form-data; boundary=x", is_known=is_known)
    assert limit == mib * 1024 * 1024


# --- round trip, Jira --------------------------------------------------------------------------------
def exported(user: User) -> bytes:
    """The whole list as a table, oldest first."""
    answer: Any = client_of(user).get("/api/v1/issues/export?format=csv&sort=created_at")
    return b"".join(answer.streaming_content)


def test_our_own_export_comes_back_equal_into_an_empty_instance_and_changes_nothing_again(
    admin: User, maintainer: User
) -> None:
    project = make_project("API", by=admin, preset="kanban")
    for name in ("ui", "back, end"):
        create_label(project.pk, by=caller(admin), name=name)
    create_milestone(project.pk, by=caller(admin), name="M1")
    first = make_issue(
        project, by=maintainer, title="=1+1", description='a\nb, "c"', labels=["ui", "back, end"]
    )
    make_issue(
        project,
        by=admin,
        title="'=x",
        parent=f"API-{first.number}",
        milestone="M1",
        estimate="2.5",
        assignee=maintainer.email,
        due_date="2026-12-01",
        department="Sales",
        priority="urgent",
    )
    change_status(first.pk, by=caller(maintainer), to="in_progress")
    table = exported(admin)

    again = imported(admin, table)
    assert counts(again) == {"created": 0, "updated": 0, "unchanged": 2, "failed": 0}
    assert exported(admin) == table
    assert counts(imported(maintainer, table, project="API"))["unchanged"] == 2

    empty_the_instance()
    run = imported(admin, table)
    assert (run["state"], counts(run)["created"]) == ("done", 2), run
    assert exported(admin) == table
    assert counts(imported(admin, table))["unchanged"] == 2


AWKWARD = (
    "=HYPERLINK(0)", "+1", "-1", "@x", "'=1", "''=1", "'quoted'", '"', 'a "b", c', "＝1",
    "😀 👩‍👩‍👧 e\u0301", "עברית \u202eright to left\u202c", "日本語", "\\N", "null", "0", "x" * 255,
)  # fmt: skip


def test_awkward_texts_come_back_field_by_field(admin: User, maintainer: User) -> None:
    project = make_project("API", by=admin)
    names = ["=1+1", "a, b", 'say "hi"', "-dash", "😀", "עברית", "'apostrophe"]
    for name in names:
        create_label(project.pk, by=caller(admin), name=name)
    create_milestone(project.pk, by=caller(admin), name='@M, "1"')
    for number, title in enumerate(AWKWARD):
        make_issue(
            project, by=maintainer, title=title, labels=names[number % 3 :: 2], milestone='@M, "1"',
            description=f"{title}\n\n\n\"{title}\",\n\t\\.\n{title}", department=title[:100],
        )  # fmt: skip
    before, table = fields_of(admin), exported(admin)
    assert counts(imported(admin, table))["unchanged"] == len(AWKWARD)
    empty_the_instance()

    run = imported(admin, table)
    assert (run["state"], counts(run)["created"]) == ("done", len(AWKWARD)), run
    assert fields_of(admin) == before
    assert sorted(row["title"] for row in before.values()) == sorted(AWKWARD)
    assert counts(imported(admin, table))["unchanged"] == len(AWKWARD)
    assert fields_of(admin) == before


def fields_of(user: User) -> dict[str, dict[str, Any]]:
    """The columns of an export as the API has them, by key; of what has a name here that alone."""
    answer: Any = client_of(user).get("/api/v1/issues/export?format=json")
    rows = orjson.loads(b"".join(answer.streaming_content))
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        row["category"] = row["status"]["category"]
        row["status"] = row["status"]["slug"]
        for name in ("project", "milestone", "cycle"):
            row[name] = row[name] and (row[name].get("key") or row[name]["name"])
        found[row["key"]] = {name: row[name] for name in COLUMNS}
    return found


def test_the_reader_knows_every_column_of_the_writer() -> None:
    columns = find_columns(COLUMNS, read_mapping({}))
    assert [(each["name"], each["action"], each["to"]) for each in columns.report] == [
        (name, "kept", name) for name in COLUMNS
    ]
    assert columns.are_own


def empty_the_instance() -> None:
    """Take everything but the people away, as if this were another machine."""
    ImportedIssue.objects.all().delete()
    Issue.objects.update(parent=None, milestone=None)
    for model in (Issue, Import, Project):
        model.objects.all().delete()
    bump(CATALOG)


def test_an_edited_export_changes_what_was_edited(project: Project, maintainer: User) -> None:
    make_issue(project, by=maintainer, title="Before")
    table = exported(maintainer).replace(b"Before", b"After")
    run = imported(maintainer, table, project="API")
    assert (run["updated"], Issue.objects.get().title) == (1, "After")
    event = Event.objects.get(verb="issue.title_changed")
    assert (event.source, event.cause_id) == ("import", uuid.UUID(run["id"]))
    stale = imported(maintainer, table.replace(b"After", b"Too late"), project="API")
    assert (stale["unchanged"], Issue.objects.get().title) == (1, "After")


def test_jira_comes_with_its_past_and_goes_and_comes_back(admin: User) -> None:
    raw = EXCERPT.read_bytes()
    run = imported(admin, raw, format="jira", name="search.json")
    assert (run["state"], counts(run)) == (
        "done",
        {"created": 15, "updated": 0, "unchanged": 0, "failed": 0},
    ), run
    assert run["progress"] == {"done": 15, "total": 15}
    assert Comment.objects.count() == 43
    numbers = sorted(Issue.objects.values_list("pk", "number"))
    assert counts(imported(admin, raw, format="jira"))["unchanged"] == 15
    assert undo(admin, run).json()["state"] == "undone"
    assert not Issue.objects.filter(trashed_at__isnull=True).exists()
    back = imported(admin, raw, format="jira")
    assert back["state"] == "done", back
    assert sorted(Issue.objects.filter(trashed_at__isnull=True).values_list("pk", "number")) == numbers


def test_jira_into_one_project_is_the_issues_as_they_are_now(project: Project, maintainer: User) -> None:
    raw = EXCERPT.read_bytes()
    run = imported(maintainer, raw, format="jira", project="API")
    assert (run["state"], run["created"]) == ("done", 15), run
    assert set(Issue.objects.values_list("reporter_id", "project_id")) == {(maintainer.pk, project.pk)}
    assert not Comment.objects.exists()
    assert counts(imported(maintainer, raw, format="jira", project="API"))["unchanged"] == 15


@pytest.mark.parametrize("raw", [b"{", b"[]]", b"title\nx\n", b'{"issues": [{"key": 1}]}', b"[" * 5000])
def test_what_is_not_jira_fails_with_a_reason(raw: bytes, admin: User) -> None:
    run = imported(admin, raw, format="jira")
    assert (run["state"], bool(run["report"]["errors"])) == ("failed", True)
    assert not Issue.objects.exists()


def test_forms_that_say_nothing_are_refused(project: Project, maintainer: User) -> None:
    for fields in (
        {"format": "xml"}, {"mode": "loose"}, {"dry_run": "maybe"}, {"mapping": "{"}, {"mapping": "[]"},
        {"alien": "x"},
    ):  # fmt: skip
        answer = send(maintainer, PLAIN, project="API", **fields)
        assert answer.status_code == 400, fields
        assert next(iter(fields)) in answer.json()["details"]["fields"]
    assert send(maintainer, b"", project="API").status_code == 400
    plain = client_of(maintainer).post("/api/v1/issues/import", "{}", content_type="application/json")
    assert plain.status_code == 415
    assert client_of(maintainer).post("/api/v1/issues/import", {"project": "API"}).status_code == 400
    assert Client().post("/api/v1/issues/import").status_code == 401


def test_a_mapping_that_does_not_fit_the_file_is_told_by_the_run(project: Project, maintainer: User) -> None:
    run = imported(maintainer, PLAIN, project="API", mapping={"Nowhere": "title"})
    assert run["state"] == "failed"
    assert "nowhere" in run["error"]


@pytest.mark.postgres  # SQLite's search stores a document at a time
def test_queries_do_not_grow_with_the_rows(
    project: Project, maintainer: User, django_assert_max_num_queries: Any
) -> None:
    imported(maintainer, PLAIN, project="API")
    table = "key,title\n" + "".join(f"Q-{n},T{n}\n" for n in range(900))
    run = make_run(maintainer, project, table)
    with django_assert_max_num_queries(75):  # the source is known, so the batch is rehearsed first
        drive(kind_of(Import), run.pk)
    assert Import.objects.get(pk=run.pk).created == 900


def make_run(user: User, project: Project, table: str) -> Import:
    """A run that nobody has worked on."""
    return begin_import(
        by=caller(user), project_id=project.pk, filename="x.csv", chunks=[table.encode()], format="csv",
        mode="strict", dry_run=False, mapping={},
    )  # fmt: skip


def test_every_column_of_the_tables_that_are_copied_is_filled() -> None:
    for model, columns in ((Issue, ISSUE_COLUMNS), (Event, (*EVENT_COLUMNS, "order", "seq"))):
        assert {field.attname for field in model._meta.concrete_fields} == set(columns)

"""Where an import ends: at other projects, at rights that are gone, at what others changed meanwhile."""

from datetime import timedelta
from io import StringIO
from itertools import count
from typing import Any

import pytest
import time_machine
from django.core.management import call_command

from accounts.models import User
from accounts.services.users import edit_user
from issues.models import Issue, Label, Project
from issues.services.importing import write_rows
from issues.services.issues import edit_issue, restore_issue, trash_issue
from issues.services.purging import purge_issue
from issues.services.unimporting import trash_imported
from tests.make import caller, make_issue, make_project, make_user
from tracker import clock
from tracker.durable import LEASE, TRIES, drive, kind_of
from tracker.errors import Conflict
from tracker.models import Event
from transfer import running
from transfer.models import Import
from transfer.services import imports
from transfer.services.imports import begin_import, undo_import
from transfer.tests.importing import OWN_HEADERS, counts, imported, run_of, undo
from transfer.tests.jira import EXCERPT
from transfer.tests.test_import_api import exported

pytestmark = pytest.mark.django_db

TABLE = "key,title,labels\nE-1,One,ui\nE-2,Two,\n"


@pytest.fixture
def project(admin: User) -> Project:
    return make_project("API", by=admin)


def begun(user: User, project: Project | None, content: str, **options: Any) -> Import:
    """A run that nobody has worked on."""
    settled: dict[str, Any] = {"format": "csv", "mode": "strict", "dry_run": False, "mapping": {}} | options
    project_id = project.pk if project else None
    return begin_import(
        by=caller(user), project_id=project_id, filename="x.csv", chunks=[content.encode()], **settled
    )


# --- other projects ----------------------------------------------------------------------------------
@pytest.mark.parametrize("source", ["SECRET", "@SECRET", "csv@SECRET", ""])
def test_a_named_source_tells_nothing_of_a_hidden_project(
    source: str, project: Project, maintainer: User, admin: User
) -> None:
    make_project("SECRET", by=admin, visibility="private")
    imported(admin, TABLE, project="SECRET")
    run = imported(maintainer, TABLE, project="API", mapping={"source": source, "columns": {}})
    assert counts(run) == {"created": 2, "updated": 0, "unchanged": 0, "failed": 0}
    assert run["report"]["values"] == []


def test_an_id_of_a_hidden_project_is_no_match(project: Project, maintainer: User, admin: User) -> None:
    hidden = make_issue(make_project("SECRET", by=admin, visibility="private"), by=admin)
    cells = [""] * (OWN_HEADERS.count(",") + 1)
    cells[1], cells[2], cells[-1] = "API", "Guess", str(hidden.pk)
    run = imported(maintainer, f"{OWN_HEADERS}\n{','.join(cells)}\n", project="API")
    assert (run["created"], run["report"]["values"]) == (1, []), run
    assert set(Issue.objects.filter(project=project).values_list("title", flat=True)) == {"Guess"}


def test_a_file_that_was_undone_in_one_project_goes_into_another(
    project: Project, maintainer: User, admin: User
) -> None:
    other = make_project("WEB", by=admin)
    mapping = {"source": "old", "columns": {}}
    undo(maintainer, imported(maintainer, TABLE, project="API", mapping=mapping))
    run = imported(maintainer, TABLE, project="WEB", mapping=mapping)
    assert (run["state"], run["created"]) == ("done", 2), run
    assert Issue.objects.filter(project=other, trashed_at__isnull=True).count() == 2
    assert not Issue.objects.filter(project=project, trashed_at__isnull=True).exists()


def test_a_refused_undo_names_no_issue_that_went_into_a_hidden_project(
    project: Project, maintainer: User, admin: User
) -> None:
    make_project("SECRET", by=admin, visibility="private")
    run = imported(maintainer, TABLE, project="API")
    edit_issue("API-1", by=caller(admin), changes={"project": "SECRET"})
    edit_issue("API-2", by=caller(admin), changes={"title": "Ours"})
    answer = undo(maintainer, run)
    assert answer.status_code == 409
    assert answer.json()["details"] == {"issues": ["API-2"], "count": 2}
    assert "SECRET" not in answer.content.decode()


# --- rights ------------------------------------------------------------------------------------------
def test_who_lost_the_right_writes_nothing_at_all_and_is_told(
    project: Project, maintainer: User, admin: User
) -> None:
    run = begun(maintainer, project, TABLE)
    edit_user(maintainer.pk, by=caller(admin), changes={"role": "developer"})
    drive(kind_of(Import), run.pk)
    assert not Issue.objects.exists()
    assert not Label.objects.filter(name="ui").exists()
    found = run_of(maintainer, str(run.pk))
    assert (found["state"], "may not import here any more" in found["error"]) == ("failed", True)


@pytest.mark.parametrize("role", ["maintainer", "developer"])
def test_the_migration_of_an_admin_who_is_none_any_more_fails_at_once(role: str, project: Project) -> None:
    admins = make_user("admin"), make_user("admin")
    for run in (begun(admins[0], None, "key,title\nNEW-1,T\n"),
                begun(admins[0], None, EXCERPT.read_text(), format="jira")):  # fmt: skip
        edit_user(admins[0].pk, by=caller(admins[1]), changes={"role": role})
        drive(kind_of(Import), run.pk)
        run.refresh_from_db()
        assert (run.state, run.attempts, run.is_told) == ("failed", 1, True)
        edit_user(admins[0].pk, by=caller(admins[1]), changes={"role": "admin"})
    assert not Issue.objects.exists()
    assert Project.objects.count() == 1


def test_a_right_that_is_lost_between_two_batches_ends_the_run(
    project: Project, maintainer: User, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH", 1)
    run = begun(maintainer, project, TABLE)

    def lose(*arguments: Any, **options: Any) -> Any:
        outcome = write_rows(*arguments, **options)
        edit_user(maintainer.pk, by=caller(admin), changes={"role": "developer"})
        return outcome

    monkeypatch.setattr(running, "write_rows", lose)
    drive(kind_of(Import), run.pk)
    run.refresh_from_db()
    assert (run.state, run.created, Issue.objects.count()) == ("failed", 1, 1)


# --- Jira --------------------------------------------------------------------------------------------
def test_a_strict_jira_run_that_clashes_takes_nothing_out_of_the_trash(admin: User) -> None:
    raw = EXCERPT.read_bytes()
    run = imported(admin, raw, format="jira")
    assert undo(admin, run).status_code == 200
    taken = Issue.objects.order_by("pk").first()
    assert taken is not None
    Issue.objects.filter(pk=taken.pk).update(source="another")
    from transfer.models import ImportedIssue

    ImportedIssue.objects.filter(issue_id=taken.pk).delete()
    again = imported(admin, raw, format="jira")
    assert again["state"] == "failed", again
    assert not Issue.objects.filter(trashed_at__isnull=True).exists()


def test_a_jira_run_brings_back_what_was_restored_by_hand_as_the_same_issue(admin: User) -> None:
    raw = EXCERPT.read_bytes()
    undo(admin, imported(admin, raw, format="jira"))
    first = Issue.objects.order_by("pk").first()
    assert first is not None
    restore_issue(first.pk, by=caller(admin))
    for _ in range(2):
        assert imported(admin, raw, format="jira")["state"] == "done"
    assert Issue.objects.count() == 15
    assert not Issue.objects.filter(external_id__isnull=True).exists()


# --- undo --------------------------------------------------------------------------------------------
def test_an_issue_that_was_undone_and_restored_by_hand_never_comes_twice(
    project: Project, maintainer: User, admin: User
) -> None:
    undo(maintainer, imported(maintainer, TABLE, project="API"))
    restore_issue(Issue.objects.get(number=1).pk, by=caller(admin))
    again = imported(maintainer, TABLE.replace("One", "Uno"), project="API")
    assert (again["updated"], again["created"]) == (1, 1)
    last = imported(maintainer, TABLE.replace("One", "Eins"), project="API")
    assert (last["updated"], last["created"], last["unchanged"]) == (1, 0, 1)
    assert Issue.objects.count() == 2


def test_a_small_undo_is_all_or_nothing_also_where_somebody_is_faster(
    project: Project, maintainer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = imported(maintainer, TABLE, project="API")

    def overtaken(*arguments: Any, **options: Any) -> Any:
        edit_issue("API-2", by=caller(maintainer), changes={"title": "Ours"})
        return trash_imported(*arguments, **options)

    monkeypatch.setattr(imports, "trash_imported", overtaken)
    with pytest.raises(Conflict, match="API-2"):
        undo_import(Import.objects.get().pk, by=caller(maintainer))
    assert not Issue.objects.filter(trashed_at__isnull=False).exists()
    assert run_of(maintainer, run["id"])["state"] == "done"


def test_a_large_undo_is_that_of_who_asked_for_it_and_tells_what_stays(
    project: Project, maintainer: User, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "UNDO_BATCH", 1)
    run = imported(maintainer, TABLE, project="API")
    undo_import(Import.objects.get().pk, by=caller(admin))
    edit_issue("API-2", by=caller(maintainer), changes={"title": "Ours"})
    drive(kind_of(Import), Import.objects.get().pk)
    found = run_of(maintainer, run["id"])
    assert (found["state"], [each["message"] for each in found["report"]["errors"]]) == (
        "undone",
        ["API-2 was changed since the import and stays."],
    )
    assert list(Event.objects.filter(verb="issue.trashed").values_list("actor_id", flat=True)) == [admin.pk]


# --- interruptions -----------------------------------------------------------------------------------
def test_refused_rows_of_earlier_batches_are_told_after_a_kill(
    project: Project, maintainer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(maintainer, TABLE, project="API")
    monkeypatch.setattr(running, "BATCH", 1)
    table = "key,title,labels,parent\nE-1,Uno,,\nE-2,Two,,API-2\nE-3,Three,,E-1\n"
    run = begun(maintainer, project, table, mode="lenient")
    calls = count(1)

    def die(*arguments: Any, **options: Any) -> Any:
        if next(calls) == 3:
            raise SystemExit
        return write_rows(*arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(running, "write_rows", die)
        with pytest.raises(SystemExit):
            drive(kind_of(Import), run.pk)
    before = run_of(maintainer, str(run.pk))["report"]["errors"]
    with time_machine.travel(clock.now() + LEASE + timedelta(seconds=1)):
        call_command("sweep", stdout=StringIO())
        found = run_of(maintainer, str(run.pk))
    assert (found["state"], found["failed"]) == ("done", 1), found
    assert [each["line"] for each in before] == [3]
    assert found["report"]["errors"] == before


def test_the_sentence_of_a_refusal_is_told_also_after_a_kill(project: Project, maintainer: User) -> None:
    run = begun(maintainer, project, "key,title\nE-1,\n")
    Import.objects.filter(pk=run.pk).update(attempts=1)
    drive(kind_of(Import), run.pk)
    found = run_of(maintainer, str(run.pk))
    assert (found["state"], found["error"]) == ("failed", "1 of 1 rows are bad. Nothing was imported.")


def test_what_went_wrong_inside_is_for_the_log_alone(
    project: Project, maintainer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any, **_options: Any) -> Any:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr(running, "write_rows", fail)
    run = begun(maintainer, project, TABLE)
    Import.objects.filter(pk=run.pk).update(attempts=TRIES - 1)
    drive(kind_of(Import), run.pk)
    found = run_of(maintainer, str(run.pk))
    assert (found["state"], "secret" in found["error"]) == ("failed", False)


# --- numbers -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("number", [1_000_002, 999_999_999])
def test_a_number_far_above_all_others_is_refused(number: int, project: Project, maintainer: User) -> None:
    make_issue(project, by=maintainer)
    run = imported(maintainer, f"key,title\nAPI-7,T\nAPI-{number},T\n", project="API", mode="lenient")
    assert (run["created"], run["failed"], run["report"]["errors"][0]["field"]) == (1, 1, "key")
    assert make_issue(project, by=maintainer).number == 8


def test_no_migration_uses_up_the_numbers_of_a_project(admin: User) -> None:
    run = imported(admin, "key,title\nNEW-999999999,T\n")
    assert (run["state"], run["failed"]) == ("failed", 1)
    assert not Project.objects.exists()


def test_two_rows_of_one_key_are_an_error_of_the_second(project: Project, maintainer: User) -> None:
    table = "key,external_id,title\nAPI-7,x,One\nAPI-7,y,Two\n"
    run = imported(maintainer, table, project="API", mapping={"external_id": "external_id"}, mode="lenient")
    assert (run["state"], run["created"], run["failed"]) == ("done", 1, 1), run
    assert run["report"]["errors"] == [{"line": 3, "field": "key", "message": "is the key of line 2, too."}]


def test_numbers_of_moved_and_purged_issues_are_given_to_nobody_else(
    project: Project, maintainer: User, admin: User
) -> None:
    make_project("WEB", by=admin)
    moved, purged = make_issue(project, by=admin), make_issue(project, by=admin)
    edit_issue(moved.pk, by=caller(admin), changes={"project": "WEB"})
    trash_issue(purged.pk, by=caller(admin))
    assert purge_issue(purged.pk, before=clock.now() + timedelta(days=1))
    run = imported(maintainer, "key,title\nAPI-1,A\nAPI-2,B\nAPI-5,C\n", project="API")
    assert run["created"] == 3
    assert sorted(Issue.objects.filter(project=project).values_list("number", flat=True)) == [5, 6, 7]


# --- people ------------------------------------------------------------------------------------------
def test_nobody_gets_an_issue_of_a_project_that_they_do_not_see(maintainer: User, admin: User) -> None:
    make_project("API", by=admin)
    make_project("OWN", by=admin, visibility="private", lead=maintainer)
    stranger = make_user("developer")
    run = imported(maintainer, f"title,assignee\nT,{stranger.email}\n", project="OWN")
    assert (run["state"], run["created"]) == ("done", 1), run
    assert Issue.objects.get().assignee_id is None
    assert run["report"]["values"][0]["value"] == stranger.email


def test_our_own_export_changes_nothing_where_two_people_have_one_name(
    project: Project, admin: User, maintainer: User
) -> None:
    twins = [make_user("developer", name="Same Name") for _ in range(2)]
    for twin in twins:
        make_issue(project, by=maintainer, assignee=twin.email)
    table = exported(admin)
    for user, options in ((admin, {}), (maintainer, {"project": "API"})):
        assert counts(imported(user, table, **options))["unchanged"] == 2
    assert set(Issue.objects.values_list("assignee_id", flat=True)) == {twin.pk for twin in twins}


# --- strict and dry runs -----------------------------------------------------------------------------
def test_a_strict_run_with_a_refused_change_imports_nothing_at_all(
    project: Project, maintainer: User
) -> None:
    imported(maintainer, TABLE, project="API")
    events = Event.objects.count()
    table = "key,title,labels,parent\nE-1,Uno,fresh,\nE-2,Two,,API-2\nE-3,Three,,\n"
    run = imported(maintainer, table, project="API")
    assert (run["state"], run["error"]) == ("failed", "1 of 3 rows are bad. Nothing was imported."), run
    assert counts(run) == {"created": 0, "updated": 0, "unchanged": 0, "failed": 1}
    assert [each["line"] for each in run["report"]["errors"]] == [3]
    assert set(Issue.objects.values_list("title", flat=True)) == {"One", "Two"}
    assert not Label.objects.filter(name="fresh").exists()
    assert Event.objects.count() == events

    dry = imported(maintainer, table, project="API", mode="lenient", dry_run=True)
    assert Event.objects.count() == events
    lenient = imported(maintainer, table, project="API", mode="lenient")
    assert counts(lenient) == counts(dry) == {"created": 1, "updated": 1, "unchanged": 0, "failed": 1}
    assert lenient["report"]["errors"] == dry["report"]["errors"]


def test_a_strict_run_that_can_be_done_changes_and_makes(project: Project, maintainer: User) -> None:
    imported(maintainer, TABLE, project="API")
    table = "key,title,labels,parent\nE-1,Uno,fresh,E-3\nE-2,Two,,E-1\nE-3,Three,,\n"
    run = imported(maintainer, table, project="API")
    assert counts(run) == {"created": 1, "updated": 2, "unchanged": 0, "failed": 0}, run
    parents = dict(Issue.objects.values_list("title", "parent__title"))
    assert parents == {"Uno": "Three", "Two": "Uno", "Three": None}


@pytest.mark.parametrize("batch", [1000, 2])
def test_issues_are_nested_no_deeper_than_anywhere_else(
    batch: int, project: Project, maintainer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH", batch)
    rows = [f"E-{n},T{n},{f'E-{n - 1}' if n > 1 else ''}" for n in range(1, 10)]
    table = "\n".join(["key,title,parent", *rows, ""])
    run = imported(maintainer, table, project="API")
    assert (run["state"], run["failed"], Issue.objects.count()) == ("failed", 1, 0), run
    lenient = imported(maintainer, table, project="API", mode="lenient")
    assert (lenient["created"], lenient["failed"], lenient["report"]["values"]) == (8, 1, [])
    below = imported(maintainer, "key,title,parent\nF-1,T,API-8\n", project="API")
    assert (below["state"], below["report"]["errors"][0]["field"]) == ("failed", "parent")


def test_a_dry_jira_run_after_an_undo_finds_no_clash_and_takes_nothing_back(admin: User) -> None:
    raw = EXCERPT.read_bytes()
    undo(admin, imported(admin, raw, format="jira"))
    dry = imported(admin, raw, format="jira", dry_run=True)
    assert (dry["state"], dry["created"], dry["report"]["errors"]) == ("done", 15, []), dry
    assert not Issue.objects.filter(trashed_at__isnull=True).exists()

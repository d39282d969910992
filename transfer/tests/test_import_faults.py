"""Imports that are interrupted, told twice, or meet a change half-way: no row is lost, none comes twice."""

from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import time_machine

from accounts.models import User
from issues.models import Issue, Project
from issues.services.importing import write_rows
from issues.services.unimporting import trash_imported
from tests.make import caller, make_project
from tests.threads import at_once
from tracker import clock
from tracker.durable import LEASE, drive, kind_of
from tracker.models import Event
from transfer import files, running
from transfer.models import Import
from transfer.services.imports import begin_import, undo_import
from transfer.tests.importing import counts, imported, run_of

pytestmark = pytest.mark.django_db

ROWS = 25


@pytest.fixture
def project(admin: User) -> Project:
    return make_project("API", by=admin)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five batches."""
    monkeypatch.setattr(running, "BATCH", 5)


def table(rows: int = ROWS) -> bytes:
    """A table whose rows have keys, each second with the row before as its parent."""
    lines = [f"E-{n},Title {n},{f'E-{n - 1}' if n % 2 == 0 else ''}" for n in range(1, rows + 1)]
    return "\n".join(["key,title,parent", *lines, ""]).encode()


def begun(user: User, project: Project, content: bytes, **options: Any) -> Import:
    """A run that nobody has worked on."""
    settled: dict[str, Any] = {"format": "csv", "mode": "strict", "dry_run": False, "mapping": {}} | options
    return begin_import(by=caller(user), project_id=project.pk, filename="x.csv", chunks=[content], **settled)


def kill_at(monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    """Let the process die in the middle of a batch: nothing is tidied up, nothing is committed."""
    whole, calls = write_rows, count(1)

    def die(*arguments: Any, **options: Any) -> Any:
        outcome = whole(*arguments, **options)
        if next(calls) == batch:
            raise SystemExit
        return outcome

    monkeypatch.setattr(running, "write_rows", die)


@pytest.mark.parametrize("batch", [1, 3, 5])
def test_a_run_whose_worker_was_killed_goes_on_without_doubles(
    batch: int, project: Project, maintainer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(maintainer, project, table())
    with monkeypatch.context() as patched:
        kill_at(patched, batch)
        with pytest.raises(SystemExit):
            drive(kind_of(Import), run.pk)
    assert Issue.objects.count() == 5 * (batch - 1)
    assert not drive(kind_of(Import), run.pk)
    with time_machine.travel(clock.now() + LEASE + timedelta(seconds=1)):
        assert drive(kind_of(Import), run.pk)
        found = run_of(maintainer, str(run.pk))
    assert (found["state"], found["progress"]) == ("done", {"done": ROWS, "total": ROWS})
    assert counts(found) == {"created": ROWS, "updated": 0, "unchanged": 0, "failed": 0}
    assert sorted(Issue.objects.values_list("number", flat=True)) == list(range(1, ROWS + 1))
    assert Event.objects.filter(verb="issue.imported").count() == ROWS
    parents = Issue.objects.filter(parent__isnull=False).values_list("external_id", "parent__external_id")
    assert sorted(parents) == sorted((f"E-{n}", f"E-{n - 1}") for n in range(2, ROWS + 1, 2))


@pytest.mark.django_db(transaction=True)
def test_a_run_told_many_times_is_done_once() -> None:
    from tests.make import make_user  # a transactional test has no personas of its own database

    admin = make_user("admin")
    project = make_project("API", by=admin)
    run = begun(admin, project, table())
    at_once(3, lambda _: drive(kind_of(Import), run.pk))
    assert Issue.objects.count() == ROWS
    assert Import.objects.get().created == ROWS


@pytest.mark.django_db(transaction=True)
def test_two_runs_of_one_file_at_once_make_each_issue_once() -> None:
    from tests.make import make_user  # see above

    admin = make_user("admin")
    project = make_project("API", by=admin)
    runs = [begun(admin, project, table(10)) for _ in range(2)]
    at_once(2, lambda number: drive(kind_of(Import), runs[number].pk))
    for _ in range(3):  # whoever lost the race tries again
        with time_machine.travel(clock.now() + timedelta(minutes=1)):
            for run in runs:
                drive(kind_of(Import), run.pk)
    found = list(Issue.objects.values_list("external_id", flat=True))
    assert (len(found), set(found)) == (10, {f"E-{n}" for n in range(1, 11)})
    assert {run.state for run in Import.objects.all()} == {"done"}


def test_the_file_is_ours_alone_and_goes_with_the_run(project: Project, maintainer: User) -> None:
    run = begun(maintainer, project, table())
    path = files.path_of(run.file_name)
    assert path.stat().st_mode & 0o777 == 0o600
    assert "x.csv" not in str(path)
    drive(kind_of(Import), run.pk)
    assert not path.exists()
    bad = begun(maintainer, project, b'title\n\n,\n"')
    drive(kind_of(Import), bad.pk)
    assert Import.objects.get(pk=bad.pk).state == "failed"
    assert not files.path_of(bad.file_name).exists()


def test_files_that_a_crash_left_go_after_a_day(project: Project, maintainer: User) -> None:
    left, open_run = files.store_file([b"left"]), begun(maintainer, project, table())
    with time_machine.travel(clock.now() + files.LEFT_OVER_AFTER + timedelta(minutes=1)):
        assert files.drop_left_over([open_run.file_name]) >= 1
    assert not files.path_of(left).exists()
    assert files.path_of(open_run.file_name).exists()
    files.drop_file(open_run.file_name)


def test_who_lost_the_right_meanwhile_imports_nothing(
    project: Project, maintainer: User, admin: User
) -> None:
    from accounts.services.users import edit_user

    run = begun(maintainer, project, table())
    edit_user(maintainer.pk, by=caller(admin), changes={"role": "developer"})
    drive(kind_of(Import), run.pk)
    run.refresh_from_db()
    assert (run.state, Issue.objects.count()) == ("failed", 0)


def test_a_large_undo_is_done_by_a_worker_and_goes_on_after_a_crash(
    project: Project, maintainer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transfer.services import imports

    monkeypatch.setattr(imports, "UNDO_BATCH", 10)
    run = Import.objects.get(pk=imported(maintainer, table(), project="API")["id"])
    undone = undo_import(run.pk, by=caller(maintainer))
    assert undone.state == "queued"
    whole, calls = trash_imported, count(1)

    def die(*arguments: Any, **options: Any) -> Any:
        outcome = whole(*arguments, **options)
        if next(calls) == 2:
            raise SystemExit
        return outcome

    with monkeypatch.context() as patched:
        patched.setattr(imports, "trash_imported", die)
        with pytest.raises(SystemExit):
            drive(kind_of(Import), run.pk)
    assert Issue.objects.filter(trashed_at__isnull=False).count() == 10
    with time_machine.travel(clock.now() + LEASE + timedelta(seconds=1)):
        drive(kind_of(Import), run.pk)
    assert not Issue.objects.filter(trashed_at__isnull=True).exists()
    assert run_of(maintainer, str(run.pk))["state"] == "undone"
    assert Event.objects.filter(verb="issue.trashed").count() == ROWS


def test_memory_of_a_check_does_not_hold_the_rows(tmp_path: Path) -> None:
    from transfer.csv.reading import CsvFile

    path = tmp_path / "x.csv"
    path.write_bytes(table(1000))
    rows = CsvFile(path, name="x.csv").rows()
    assert next(rows).number == 2

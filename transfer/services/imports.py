"""Runs of imports: begun by a request, done by a worker, undone as a whole."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import transaction

from issues.catalog import catalog
from issues.models import Issue
from issues.scope import scope_of
from issues.services.importing import require_import
from issues.services.unimporting import trash_imported
from tracker import clock
from tracker.bulk_rows import insert_rows
from tracker.caller import Caller
from tracker.durable import OPEN_STATES, Claim, GiveUp, WorkState, tell_after_commit
from tracker.errors import Conflict, NotFound
from tracker.versions import versions_of
from transfer.files import drop_file, store_file
from transfer.models import Import, ImportedIssue

NAMED: Final = 100
UNDO_BATCH: Final = 200
_IMPORTED: Final = (
    "run_id", "issue_id", "source", "external_id", "is_new", "version", "activity_at", "is_freed",
)  # fmt: skip


class Brought(NamedTuple):
    """What a run did to an issue, as `ImportedIssue` keeps it."""

    issue_id: uuid.UUID
    source: str
    external_id: str
    is_new: bool
    version: int
    activity_at: datetime


def begin_import(
    *,
    by: Caller,
    project_id: uuid.UUID | None,
    format: str,
    mode: str,
    dry_run: bool,
    mapping: dict[str, Any],
    filename: str,
    chunks: Iterable[bytes],
) -> Import:
    """Store a file and a run that waits for a worker.

    Raises `NotAllowed`, `Conflict` (archived), `Unavailable` (no room).
    """
    require_import(by, project_id)
    if project_id is not None and catalog(versions_of(by.user)).projects[project_id].archived_at:
        raise Conflict("The project is archived and can only be read.")
    file_name = store_file(chunks)
    try:
        with transaction.atomic():
            run = Import.objects.create(
                author=by.user,
                project_id=project_id,
                format=format,
                mode=mode,
                dry_run=dry_run,
                mapping=mapping,
                filename=filename[:255],
                file_name=file_name,
                request_id=by.request_id,
            )
            tell_after_commit(run)
    except BaseException:
        drop_file(file_name)
        raise
    return run


def find_import(import_id: uuid.UUID, *, user: Any) -> Import:
    """Return a run that this person began, or any for who may migrate. Raises `NotFound`."""
    runs = Import.objects.select_related("project")
    if not scope_of(user).may("migrate_projects"):
        runs = runs.filter(author=user.pk)
    run: Import | None = runs.filter(pk=import_id).first()
    if run is None:
        raise NotFound
    return run


# --- undo --------------------------------------------------------------------------------------------
@transaction.atomic
def undo_import(import_id: uuid.UUID, *, by: Caller) -> Import:
    """Put the issues that a run made into the trash and free their external ids; those of a large run by a
    worker. What the run changed in issues that were here stays.

    All or nothing: raises `Conflict` naming the issues that somebody changed since; also where the run is
    under way, or was a dry one. Raises `NotFound`, `NotAllowed`.
    """
    find_import(import_id, user=by.user)
    run = Import.objects.select_for_update(of=("self",)).get(pk=import_id)
    require_import(by, run.project_id)
    if run.undone_at is not None:
        return run
    if run.state in OPEN_STATES:
        raise Conflict("The import is still under way.")
    if run.dry_run:
        raise Conflict("It was a dry run; there is nothing to undo.")
    _require_unchanged(run)
    run.is_undo, run.state, run.next_try_at, run.attempts = True, WorkState.QUEUED, clock.now(), 0
    run.finished_at = None
    if run.issues.filter(is_freed=False).count() <= UNDO_BATCH:
        _free_batch(run, by=by)
        run.state, run.undone_at, run.finished_at = WorkState.DONE, clock.now(), clock.now()
    else:
        tell_after_commit(run)
    run.save(update_fields=["is_undo", "state", "next_try_at", "attempts", "finished_at", "undone_at"])
    return run


def go_on_undoing(claim: Claim[Import], *, by: Caller) -> None:
    """Undo a run batch by batch. What somebody changes meanwhile stays, and is listed in the report."""
    run = claim.row
    while run.issues.filter(is_freed=False).exists():
        with claim.batch():
            kept = _free_batch(run, by=by)
            if kept:
                report = dict(run.report)
                report["kept"] = [*report.get("kept", []), *kept][:NAMED]
                claim.save(report=report)
    claim.finish(undone_at=clock.now())


def _require_unchanged(run: Import) -> None:
    changed = changed_since(run)
    if changed:
        keys = _keys(changed[:NAMED])
        raise Conflict(
            f"{len(changed)} issues were changed since the import: {', '.join(keys[:5])}"
            f"{' …' if len(changed) > 5 else ''}. Nothing was undone.",
            details={"issues": keys, "count": len(changed)},
        )


def changed_since(run: Import) -> list[uuid.UUID]:
    """Return the new issues of a run that somebody has changed, commented on or moved since."""
    changed: list[uuid.UUID] = []
    rows = run.issues.filter(is_freed=False, is_new=True).order_by("pk")
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:2000]):
        last = batch[-1].pk
        now = {
            issue_id: (version, activity_at)
            for issue_id, version, activity_at in Issue.objects.filter(
                pk__in=[row.issue_id for row in batch], trashed_at__isnull=True
            ).values_list("pk", "version", "activity_at")
        }
        changed += [
            row.issue_id
            for row in batch
            if row.issue_id in now and now[row.issue_id] != (row.version, row.activity_at)
        ]
    return changed


def _free_batch(run: Import, *, by: Caller) -> list[str]:
    """Trash the next issues of the run and mark them as freed; return the keys of those that stay."""
    rows = list(run.issues.filter(is_freed=False).order_by("issue_id")[:UNDO_BATCH])
    as_left = {row.issue_id: (row.version, row.activity_at) for row in rows if row.is_new}
    trashed, kept = trash_imported(as_left, by=by)
    run.issues.filter(pk__in=[row.pk for row in rows if row.issue_id in trashed]).update(is_freed=True)
    run.issues.filter(pk__in=[row.pk for row in rows if row.issue_id not in trashed]).delete()
    return kept


def _keys(ids: Sequence[uuid.UUID]) -> list[str]:
    found = Issue.objects.filter(pk__in=ids).order_by("project__key", "number")
    return [f"{key}-{number}" for key, number in found.values_list("project__key", "number")]


# --- what a worker tells -------------------------------------------------------------------------------
def record_check(claim: Claim[Import], *, report: dict[str, Any], total: int, failed: int) -> None:
    """Store what the check of a file found, before anything is written."""
    claim.save(report=report, total=total, failed=failed)


def record_batch(claim: Claim[Import], rows: Sequence[Brought], *, count: int, **counts: int) -> None:
    """Store what a batch brought, and how far the run is by it, inside the batch's transaction."""
    run = claim.row
    run_id = str(run.pk)
    insert_rows(ImportedIssue, _IMPORTED, [(run_id, *row, False) for row in rows if row.is_new])
    ImportedIssue.objects.bulk_create(
        [ImportedIssue(run=run, **row._asdict()) for row in rows if not row.is_new],
        update_conflicts=True,
        unique_fields=["run", "issue_id"],
        update_fields=["version", "activity_at"],
        batch_size=500,
    )
    ImportedIssue.objects.filter(issue_id__in=[row.issue_id for row in rows], is_freed=True).exclude(
        run=run
    ).update(is_freed=False)
    claim.save(
        done=run.done + count,
        **{name: getattr(run, name) + more for name, more in counts.items()},
    )


def has_freed(source: str) -> bool:
    """Tell whether an undo put any issue of this source into the trash."""
    return ImportedIssue.objects.filter(source=source, is_freed=True).exists()


def freed_ids(source: str, external_ids: Sequence[str]) -> dict[str, uuid.UUID]:
    """Return the issues that an undo put into the trash, by what the source calls them."""
    rows = ImportedIssue.objects.filter(source=source, external_id__in=external_ids, is_freed=True)
    return dict(rows.values_list("external_id", "issue_id"))


def refuse_import(claim: Claim[Import], sentence: str, **values: Any) -> None:
    """End a run that cannot be done. Raises what ends it."""
    claim.save(**values)
    raise GiveUp(sentence)

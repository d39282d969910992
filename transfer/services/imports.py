"""Runs of imports: begun by a request, done by a worker, undone as a whole."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, NoReturn

from django.db import transaction

from accounts.models import User
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
from tracker.versions import forget_versions, versions_of
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


def require_today(by: Caller, project_id: uuid.UUID | None) -> None:
    """Raise `NotAllowed` unless the caller may import there by the rights of this moment, read anew."""
    by.user.refresh_from_db(fields=["role", "is_active"])
    forget_versions(by.user)
    require_import(by, project_id)


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
    _require_unchanged(run, by=by)
    run.undone_by, run.is_told = by.user, False
    run.is_undo, run.state, run.next_try_at, run.attempts = True, WorkState.QUEUED, clock.now(), 0
    run.finished_at = None
    if run.issues.filter(is_freed=False).count() <= UNDO_BATCH:
        if kept := _free_batch(run, by=by):
            raise _changed(kept, by=by)
        run.state, run.undone_at, run.finished_at = WorkState.DONE, clock.now(), clock.now()
    else:
        tell_after_commit(run)
    run.save(
        update_fields=[
            "is_undo", "is_told", "state", "next_try_at", "attempts", "finished_at", "undone_at", "undone_by",
        ]
    )  # fmt: skip
    return run


def go_on_undoing(claim: Claim[Import], *, by: Caller) -> None:
    """Undo a run batch by batch. What somebody changes meanwhile stays, and is listed in the report."""
    run = claim.row
    while run.issues.filter(is_freed=False).exists():
        with claim.batch():
            require_today(by, run.project_id)
            kept = _free_batch(run, by=by)
            if kept:
                claim.save(
                    report={**run.report, "errors": [*run.report.get("errors", []), *_stay(run, kept)]}
                )
    claim.finish(undone_at=clock.now())


def _stay(run: Import, kept: Sequence[uuid.UUID]) -> list[dict[str, Any]]:
    """Return what the report says of issues that stay; who began the run reads it, so by their sight."""
    keys = _keys(kept, user=User.objects.get(pk=run.author_id))
    named = [f"{key} was changed since the import and stays." for key in keys]
    if hidden := len(kept) - len(keys):
        named.append(f"{hidden} more issues were changed since the import and stay.")
    return [{"line": None, "field": "", "message": message} for message in named]


def _require_unchanged(run: Import, *, by: Caller) -> None:
    changed = changed_since(run)
    if changed:
        raise _changed(changed, by=by)


def _changed(ids: Sequence[uuid.UUID], *, by: Caller) -> Conflict:
    keys = _keys(ids[:NAMED], user=by.user)
    named = f": {', '.join(keys[:5])}{' …' if len(ids) > len(keys[:5]) else ''}" if keys else ""
    return Conflict(
        f"{len(ids)} issues were changed since the import{named}. Nothing was undone.",
        details={"issues": keys, "count": len(ids)},
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


def _free_batch(run: Import, *, by: Caller) -> list[uuid.UUID]:
    """Trash the next issues of the run and mark them as freed; return those that stay."""
    rows = list(run.issues.filter(is_freed=False).order_by("issue_id")[:UNDO_BATCH])
    as_left = {row.issue_id: (row.version, row.activity_at) for row in rows if row.is_new}
    trashed, kept = trash_imported(as_left, by=by)
    run.issues.filter(pk__in=[row.pk for row in rows if row.issue_id in trashed]).update(is_freed=True)
    run.issues.filter(pk__in=[row.pk for row in rows if row.issue_id not in trashed]).delete()
    return kept


def _keys(ids: Sequence[uuid.UUID], *, user: User) -> list[str]:
    """Return the keys of those of the issues that this person sees."""
    found = Issue.objects.visible_to(user).filter(pk__in=ids).order_by("project__key", "number")
    return [f"{key}-{number}" for key, number in found.values_list("project__key", "number")]


# --- what a worker tells -------------------------------------------------------------------------------
def record_check(claim: Claim[Import], *, report: dict[str, Any], total: int, failed: int) -> None:
    """Store what the check of a file found, before anything is written."""
    claim.save(report=report, total=total, failed=failed)


def record_batch(
    claim: Claim[Import], rows: Sequence[Brought], *, count: int, may_be_freed: bool = True, **counts: int
) -> None:
    """Store what a batch brought, and how far the run is by it, inside the batch's transaction.

    `may_be_freed`: an undo of any import put issues into the trash, and these may be among them.
    """
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
    if may_be_freed:
        ImportedIssue.objects.filter(issue_id__in=[row.issue_id for row in rows], is_freed=True).exclude(
            run=run
        ).update(is_freed=False)
    claim.save(
        done=run.done + count,
        **{name: getattr(run, name) + more for name, more in counts.items()},
    )


def has_freed(source: str = "") -> bool:
    """Tell whether an undo put any issue of this source, or at all, into the trash."""
    freed = ImportedIssue.objects.filter(is_freed=True)
    return (freed.filter(source=source) if source else freed).exists()


def freed_ids(source: str, external_ids: Sequence[str]) -> dict[str, uuid.UUID]:
    """Return the issues that an undo put into the trash, by what the source calls them; not the purged ones.

    Also those that somebody has taken out of it: no run has brought them since.
    """
    rows = ImportedIssue.objects.filter(source=source, external_id__in=external_ids, is_freed=True)
    freed = dict(rows.values_list("external_id", "issue_id"))
    if not freed:
        return freed
    there = set(
        Issue.objects.filter(pk__in=freed.values(), external_id__isnull=True).values_list("pk", flat=True)
    )
    return {external_id: issue_id for external_id, issue_id in freed.items() if issue_id in there}


def record_report(claim: Claim[Import], report: dict[str, Any]) -> None:
    """Store how far the report is, inside the batch's transaction: whoever goes on begins with it."""
    claim.save(report=report)


def end_told(claim: Claim[Import], sentence: str, refusal: Exception) -> NoReturn:
    """End the work with a sentence that is meant for who asked for it. Raises what ends it."""
    claim.save(is_told=True)
    raise GiveUp(sentence) from refusal


def refuse_import(claim: Claim[Import], sentence: str, **values: Any) -> None:
    """End a run that cannot be done. Raises what ends it."""
    claim.save(**values)
    raise GiveUp(sentence)

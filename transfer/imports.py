"""One import from beginning to end: check everything, then write short batches."""

import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from issues.services.migration import (
    MAX_BATCH,
    Earlier,
    Migration,
    Plan,
    begin_migration,
    find_earlier,
    import_batch,
    plan_migration,
)
from issues.services.migration_batch import BatchResult
from tracker.caller import Caller
from transfer.jira.prepare import Known, Prepared, prepare
from transfer.jira.rules import Rules
from transfer.report import Problem, Report
from transfer.spool import Spool

Progress = Callable[[str, int, int], None]
Begin = Callable[[str, Spool, Collection[str]], None]
Freed = Callable[[str, Sequence[str]], Mapping[str, uuid.UUID]]


@contextmanager
def _unguarded(_result: list[BatchResult]) -> Iterator[None]:
    yield


def _nothing(_source: str, _spool: Spool, _refused: Collection[str]) -> None:
    """Do nothing before the writing."""


def _none_freed(_source: str, _external_ids: Sequence[str]) -> Mapping[str, uuid.UUID]:
    return {}


@dataclass(slots=True)
class Outcome:
    """What became of a run. `failed` counts issues; a strict run that failed has written nothing."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    comments: int = 0
    history: int = 0
    relations: int = 0
    seconds: float = 0.0
    is_refused: bool = False
    report: Report = field(default_factory=Report)


def import_jira(
    paths: Sequence[Path],
    *,
    by: Caller,
    rules: Rules,
    lenient: bool,
    dry_run: bool,
    progress: Progress,
    begin: Begin = _nothing,
    freed: Freed = _none_freed,
    each: Callable[[list[BatchResult]], AbstractContextManager[None]] = _unguarded,
) -> Outcome:
    """Import Jira's files as an admin's migration; in a strict one any problem means that nothing is written.

    `progress(step, done, total)` is called after each batch. `begin(source, spool, refused)` is called
    after the plan, when it is settled that something is written, with the external ids of what is not;
    `freed(source, external_ids)` tells which issues an undo freed, which `begin` takes back; `each` is
    entered around each batch, whose result it finds in the list.
    Raises `NotAllowed` and `Conflict` as `begin_migration` and `import_batch` do.
    """
    started = monotonic()
    outcome = Outcome()
    earlier = Earlier({}, {})

    def look(source: str, keys: frozenset[str]) -> Known:
        nonlocal earlier
        earlier = find_earlier(source, keys)
        return Known(frozenset(earlier.ids), earlier.parents)

    with Spool() as spool:
        progress("checking", 0, 0)
        prepared = prepare(paths, rules=rules, report=outcome.report, spool=spool, lenient=lenient, look=look)
        outcome.failed = prepared.failed
        if not _is_refused(outcome, lenient=lenient):
            plan = _plan(spool, prepared, earlier, rules=rules, outcome=outcome, freed=freed)
            if not _is_refused(outcome, lenient=lenient):
                if not dry_run:
                    begin(prepared.source, spool, {clash.external_id for clash in plan.clashes})
                _write(
                    spool,
                    prepared,
                    plan,
                    by=by,
                    dry_run=dry_run,
                    progress=progress,
                    each=each,
                    outcome=outcome,
                )
    outcome.seconds = monotonic() - started
    return outcome


def _is_refused(outcome: Outcome, *, lenient: bool) -> bool:
    outcome.is_refused = outcome.report.problem_count > 0 and not lenient
    return outcome.is_refused


def _plan(
    spool: Spool, prepared: Prepared, earlier: Earlier, *, rules: Rules, outcome: Outcome, freed: Freed
) -> Plan:
    plan = plan_migration(
        spool.batches(MAX_BATCH),
        source=prepared.source,
        earlier=earlier,
        new_numbers=rules.has_new_numbers,
        freed=lambda external_ids: freed(prepared.source, external_ids),
    )
    for clash in plan.clashes:
        outcome.report.problem(Problem("", clash.key, "key", clash.message))
    outcome.failed += len(plan.clashes)
    return plan


def _write(
    spool: Spool,
    prepared: Prepared,
    plan: Plan,
    *,
    by: Caller,
    dry_run: bool,
    progress: Progress,
    each: Callable[[list[BatchResult]], AbstractContextManager[None]],
    outcome: Outcome,
) -> None:
    refused = {clash.external_id for clash in plan.clashes}
    back = plan.freed - refused if dry_run else set()  # what `begin` would take out of the trash first
    held_projects = {clash.key.rpartition("-")[0] for clash in plan.clashes} - {
        record.project for record in spool.records() if record.external_id not in refused
    }
    migration = begin_migration(
        by=by,
        source=prepared.source,
        projects=[project for project in prepared.projects if project.key not in held_projects],
        people=prepared.people,
        plan=plan,
        dry_run=dry_run,
    )
    done = 0
    for batch in spool.batches(MAX_BATCH):
        results: list[BatchResult] = []
        with each(results):
            results.append(
                import_batch(
                    migration, [record for record in batch if record.external_id not in refused | back]
                )
            )
        result = results[0]
        done += len(batch)
        outcome.comments += result.comments
        outcome.history += result.history
        outcome.relations += result.relations
        for kind, text in result.notes:
            outcome.report.note(kind, text)
        progress("importing", done, spool.count)
    _count(migration, outcome)
    outcome.created += len(back)


def _count(migration: Migration, outcome: Outcome) -> None:
    outcome.created = len(migration.created)
    outcome.updated = len(migration.updated & migration.held)
    outcome.unchanged = len(migration.held) - outcome.updated

"""An import of Jira's JSON: as an admin's migration with its whole past, else the issues as they are now."""

import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Final

from issues.models import Issue
from issues.services.import_records import RowRecord
from issues.services.importing import restore_freed
from issues.services.migration_batch import BatchResult
from issues.services.migration_records import IssueRecord
from tracker.caller import Caller
from tracker.durable import Claim
from transfer.csv.check import Checked, Fault, Needs, Target, too_high
from transfer.csv.columns import ColumnReport, Columns
from transfer.csv.spool import RowSpool
from transfer.files import path_of
from transfer.imports import Outcome, import_jira
from transfer.jira.prepare import prepare
from transfer.jira.rules import Rules, rules_of
from transfer.models import Import, ImportMode
from transfer.report import Report, Unreadable
from transfer.running import Writer, source_of, target_of
from transfer.services.imports import (
    Brought,
    freed_ids,
    record_batch,
    record_check,
    refuse_import,
    require_today,
)
from transfer.spool import Spool

LISTED: Final = 200
CHUNK: Final = 500
_FIELDS: Final = (
    "title", "description", "type", "severity", "priority", "assignee", "labels", "milestone", "cycle",
    "parent", "estimate", "due_date",
)  # fmt: skip


def run_jira(claim: Claim[Import], *, by: Caller) -> None:
    """Import a file of Jira's search. Raises `GiveUp`; the report says why."""
    run = claim.row
    path = path_of(run.file_name)
    target = target_of(run, by=by)
    try:
        rules = rules_of(path, run.mapping)
        if target.is_migration and not target.project:
            _migrate(claim, by=by, rules=rules)
        else:
            _write_rows(claim, by=by, rules=rules, target=target)
    except Unreadable as fault:
        text = fault.problem.message if fault.problem.file == path.name else str(fault)
        error = {"line": None, "field": fault.problem.field, "message": text}
        refuse_import(claim, text[:500], report={"errors": [error]}, failed=1)


# --- a migration -------------------------------------------------------------------------------------
def _migrate(claim: Claim[Import], *, by: Caller, rules: Rules) -> None:
    run, source = claim.row, [""]
    back: set[uuid.UUID] = set()

    def begin(name: str, spool: Spool, refused: Collection[str]) -> None:
        source[0] = name
        require_today(by, run.project_id)
        record_check(claim, report=run.report, total=spool.count, failed=0)
        for batch in spool.batches(CHUNK):
            freed = freed_ids(name, [each.external_id for each in batch if each.external_id not in refused])
            if not freed:
                continue
            with claim.batch():
                require_today(by, run.project_id)
                back.update(restore_freed(freed, by=by, source=name))

    @contextmanager
    def each(results: list[BatchResult]) -> Iterator[None]:
        with claim.batch():
            require_today(by, run.project_id)
            yield
            result = results[0]
            fresh = result.created_ids | (result.held_ids & back)
            rows = [] if run.dry_run else _arrivals(fresh, source=source[0])
            record_batch(claim, rows, count=len(result.created_ids) + len(result.held_ids))

    with claim.kept_alive():
        outcome = import_jira(
            [path_of(run.file_name)],
            by=by,
            rules=rules,
            lenient=run.mode == ImportMode.LENIENT,
            dry_run=run.dry_run,
            progress=lambda *_: claim.renew(),
            begin=begin,
            freed=freed_ids,
            each=each,
        )
    report = report_of(outcome.report)
    if outcome.is_refused and not run.dry_run:
        sentence = f"{outcome.report.problem_count} issues are broken. Nothing was imported."
        refuse_import(claim, sentence, report=report, failed=outcome.failed)
    claim.finish(report=report, **_counts(run, outcome))


def _counts(run: Import, outcome: Outcome) -> dict[str, int]:
    """Count what the run did, also what an earlier try of it did that was interrupted."""
    total = outcome.created + outcome.updated + outcome.unchanged
    created = outcome.created if run.dry_run else run.issues.filter(is_new=True).count()
    return {
        "created": created,
        "updated": outcome.updated,
        "unchanged": max(0, total - created - outcome.updated),
        "failed": outcome.failed,
        "done": total + outcome.failed,
        "total": total + outcome.failed,
    }


def _arrivals(ids: Collection[uuid.UUID], *, source: str) -> list[Brought]:
    rows = Issue.objects.filter(pk__in=ids).values_list("pk", "external_id", "version", "activity_at")
    return [
        Brought(pk, source, external_id or "", True, version, activity_at)  # noqa: FBT003  its order
        for pk, external_id, version, activity_at in rows
    ]  # fmt: skip


def report_of(report: Report) -> dict[str, Any]:
    """Return the report of a migration in the shape of the API."""
    columns = [
        {"name": name, "action": action, "to": to or None} for name, action, to in sorted(report.fields)
    ]
    values = [
        {"field": name, "value": value, "became": became, "count": count}
        for (name, value, became), count in sorted(report.values.items())
    ]
    notes = [
        {"field": "", "value": kind, "became": str(count)} for kind, count in sorted(report.notes.items())
    ]
    errors = [
        {"line": None, "field": each.field, "message": ": ".join(filter(None, (each.issue, each.message)))}
        for each in report.problems
    ]
    return {"columns": columns, "values": (values + notes)[:LISTED], "errors": errors}


# --- into one project ----------------------------------------------------------------------------------
def _write_rows(claim: Claim[Import], *, by: Caller, rules: Rules, target: Target) -> None:
    """Import the issues as they are now, by the rules of a table: without history, comments and authors."""
    run, report = claim.row, Report()
    with Spool() as records, RowSpool() as rows, claim.kept_alive():
        prepared = prepare(
            [path_of(run.file_name)],
            rules=rules,
            report=report,
            spool=records,
            lenient=run.mode == ImportMode.LENIENT,
        )
        columns: list[ColumnReport] = [
            {"name": name, "action": action, "to": to or None}  # type: ignore[typeddict-item]  # three words alone
            for name, action, to in sorted(report.fields)
        ]
        checked = Checked(Columns({"key": ()}, columns))
        names = {person.key: person for person in prepared.people}
        for line, record in enumerate(records.records(), 1):
            assignee = names.get(record.fields.assignee) if record.fields.assignee else None
            word = (assignee.email or assignee.name) if assignee else None
            _take(record, line, word, target, checked, rows)
        checked.bad_rows += prepared.failed
        for problem in report.problems:
            checked.fault(Fault(0, problem.field, ": ".join(filter(None, (problem.issue, problem.message)))))
        rows.settle()
        Writer(claim, by=by, target=target, source=source_of(prepared.source, target)).write(rows, checked)


def _take(
    record: IssueRecord, line: int, assignee: str | None, target: Target, checked: Checked, rows: RowSpool
) -> None:
    values: dict[str, Any] = {name: getattr(record.fields, name) for name in _FIELDS}
    values["assignee"] = assignee.casefold() if assignee else None
    if assignee:
        checked.people.setdefault(assignee.casefold(), assignee)
    held = target.statuses[target.project]
    status = held.get(record.fields.status.casefold()) or held.get(record.fields.status.replace("_", " "))
    if status:
        values["status"] = status
    else:
        checked.values["status", record.fields.status, "the first status"] += 1
    needs = checked.needs.setdefault(target.project, Needs())
    for label in record.fields.labels:
        needs.labels.setdefault(label.casefold(), label)
    for value, known in ((record.fields.milestone, needs.milestones), (record.fields.cycle, needs.cycles)):
        if value:
            known.setdefault(value.casefold(), value)
    number = record.number if record.project == target.project else None
    if number is not None and number > target.most(target.project):
        checked.bad_rows += 1
        checked.fault(Fault(line, "key", f"{record.key}: {too_high(target.most(target.project))}"))
        return
    needs.highest = max(needs.highest, number or 0)
    if values["parent"]:
        checked.parents.add(values["parent"])
    checked.good_rows += 1
    rows.add(RowRecord(line, record.external_id, record.key, target.project, number, None, values))

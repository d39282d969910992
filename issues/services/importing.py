"""Bulk writing of rows without a past: a table that somebody imports into projects that they manage.

New issues are written many at once, each with its event; what is here already is changed by `edit_issue`,
with the rights of who imports. Rows are matched by their own id, where the table is our own export, else by
(source, external id): a second run changes nothing, and what people changed since stays.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson
from django.db import connection
from django.db.models import Q

from accounts.models import User
from issues import policy
from issues.lifecycle import Lifecycle
from issues.models import Issue, IssueLabel, Project, Watcher
from issues.refs import is_key
from issues.rows import issue_rows
from issues.scope import scope_of
from issues.search.documents import Document
from issues.services.import_records import RowRecord
from issues.services.issues import edit_issue
from issues.services.migration_log import ARRIVAL
from issues.services.migration_places import Place
from issues.services.migration_values import (
    Names,
    Told,
    columns,
    differences,
    fold,
    label_ids,
    told_value,
)
from issues.services.search_documents import index_documents
from tracker.bulk_rows import insert_rows
from tracker.caller import Caller
from tracker.errors import Conflict, DomainError
from tracker.events.record import announce_after_commit, record_many
from tracker.ids import new_id
from tracker.models import Event

MOST_ROWS: Final = 1000
DEFAULTS: Final[Mapping[str, Any]] = {
    "title": None, "description": None, "type": "task", "severity": "medium", "priority": "none",
    "reporter": None, "assignee": None, "labels": (), "milestone": None, "cycle": None, "parent": None,
    "estimate": None, "due_date": None, "department": "",
}  # fmt: skip
_ISSUE: Final = (
    "id", "project_id", "number", "title", "description", "type", "status_id", "severity", "priority",
    "reporter_id", "assignee_id", "milestone_id", "cycle_id", "parent_id", "team_id", "estimate", "due_date",
    "department", "version", "created_at", "updated_at", "activity_at", "started_at", "closed_at",
    "trashed_at", "source", "external_id",
)  # fmt: skip
_EVENT: Final = (
    "id", "seq", "verb", "at", "recorded_at", "actor_id", "source", "cause_id", "request_id", "project_id",
    "issue_id", "issue_key", "version", "subject_id", "internal", "changes", "data", "external_id",
)  # fmt: skip
_OWN_FIELDS: Final = (*(name for name in DEFAULTS if name != "reporter"), "status")


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of a row: which issue it is, and as what the run left it. One that comes back is new."""

    row: RowRecord
    issue_id: uuid.UUID
    is_new: bool
    version: int
    activity_at: datetime


@dataclass(slots=True)
class BatchOutcome:
    """What became of a batch. `refused`: (line, field, why); `left`: (kind, line) of what stays as it is."""

    arrived: list[Arrival] = field(default_factory=list)
    unchanged: int = 0
    refused: list[tuple[int, str, str]] = field(default_factory=list)
    left: list[tuple[str, int]] = field(default_factory=list)
    restored: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Importing:
    """A run: who does it, where rows go (by project), and who and what they name.

    `is_migration`: with authors, times and ids of the table, as an admin. `project_id`: the only project that
    rows go to; None for any. `parents`: what rows name as parent; `known_parents` is filled as these come.
    """

    by: Caller
    source: str
    places: Mapping[str, Place]
    people: Mapping[str, User]
    parents: Collection[str]
    is_migration: bool
    project_id: uuid.UUID | None
    is_own: bool = False
    is_dry_run: bool = False
    known_parents: dict[str, uuid.UUID] = field(default_factory=dict)

    @property
    def names(self) -> Names:
        """Who and what the rows name, for the values of events."""
        return Names(self.people, self.known_parents)


def require_import(by: Caller, project_id: uuid.UUID | None) -> None:
    """Raise `NotAllowed` unless this person may import there; without a project: an admin's migration."""
    scope = scope_of(by.user)
    if project_id is None:
        policy.require(allowed=policy.can_migrate(scope), message="You may not import projects.")
    else:
        allowed = policy.can_import(scope, project_id)
        policy.require(allowed=allowed, message="You may not import issues here.")


def write_rows(run: Importing, rows: Sequence[RowRecord], *, freed: Mapping[str, uuid.UUID]) -> BatchOutcome:
    """Write at most `MOST_ROWS` rows in the caller's transaction, and return what became of them.

    `freed`: issues that an undo put into the trash, by external id; they are taken out again. Locks the
    issues that are there, by id, then the counters of projects, by id. Raises `NotAllowed`, `Conflict`.
    """
    require_import(run.by, run.project_id)
    outcome = BatchOutcome()
    held = _held(run, rows, freed)
    _find_parents(run, rows)
    back = [row for row in rows if row.line in held and row.external_id in freed]
    outcome.restored = {row.line for row in back if held[row.line].trashed_at is not None}
    _restore(run, [row for row in back if row.line in outcome.restored], held)
    fresh = []
    for row in rows:
        if row.line in held:
            run.known_parents.update({row.key: held[row.line].pk} if row.key in run.parents else {})
        elif _may_be_made(run, row, outcome):
            fresh.append(row)
    _create(run, fresh, outcome)
    _update(run, [row for row in rows if row.line in held], held, outcome)
    return outcome


# --- what is there -----------------------------------------------------------------------------------
def _held(run: Importing, rows: Sequence[RowRecord], freed: Mapping[str, uuid.UUID]) -> dict[int, Issue]:
    """Return the issues that rows are, by line, locked in the order of their ids."""
    ids = [row.issue_id for row in rows if row.issue_id] + list(freed.values())
    mine = Q(source=run.source, external_id__in=[row.external_id for row in rows])
    found = Issue.objects.filter(Q(pk__in=ids) | mine if ids else mine).order_by("pk")
    if not run.is_dry_run:
        found = found.select_for_update(of=("self",))
    issues = list(found.defer("description"))
    by_id = {issue.pk: issue for issue in issues}
    by_external = {issue.external_id: issue for issue in issues if issue.source == run.source}
    held: dict[int, Issue] = {}
    for row in rows:
        issue = by_id.get(row.issue_id) if row.issue_id else None
        issue = (
            issue or by_external.get(row.external_id) or by_id.get(freed.get(row.external_id, row.issue_id))
        )
        if issue is not None:
            held[row.line] = issue
    return held


def _find_parents(run: Importing, rows: Sequence[RowRecord]) -> None:
    """Look for parents that this process did not write: of an earlier run, or made here."""
    wanted = {row.values["parent"] for row in rows if row.values.get("parent")} - run.known_parents.keys()
    if not wanted:
        return
    visible = Issue.objects.visible_to(run.by.user)
    brought = visible.filter(source=run.source, external_id__in=wanted).values_list("external_id", "id")
    run.known_parents.update({str(key): issue_id for key, issue_id in brought})
    numbers: dict[str, list[int]] = defaultdict(list)
    for key in wanted - run.known_parents.keys():
        if is_key(key):
            project, _, number = key.upper().rpartition("-")
            numbers[project].append(int(number))
    for project, wanted_numbers in numbers.items():
        found = visible.filter(project__key=project, number__in=wanted_numbers).values_list("number", "id")
        here = {f"{project}-{number}": issue_id for number, issue_id in found}
        run.known_parents.update({key: here[key.upper()] for key in wanted if key.upper() in here})


def _may_be_made(run: Importing, row: RowRecord, outcome: BatchOutcome) -> bool:
    parent = row.values.get("parent")
    if parent and parent not in run.known_parents:
        outcome.left.append(("Parents that are not there", row.line))
    return True


def _restore(run: Importing, rows: Sequence[RowRecord], held: Mapping[int, Issue]) -> None:
    """Take the issues of these rows, which an undo put into the trash, out of it."""
    if run.is_dry_run or not rows:
        return
    moment = run.by.now
    for row in rows:
        issue = held[row.line]
        if issue.trashed_at is not None:
            issue.trashed_at, issue.activity_at = None, max(moment, issue.activity_at)
            issue.external_id = None if issue.pk == row.issue_id else row.external_id
    issues = [held[row.line] for row in rows]
    Issue.objects.bulk_update(issues, ["trashed_at", "activity_at", "external_id"], batch_size=200)
    keys = {place.project.pk: place.project.key for place in run.places.values()}
    record_many(_restored(issue, keys[issue.project_id], by=run.by) for issue in issues)


def restore_freed(freed: Mapping[str, uuid.UUID], *, by: Caller, source: str) -> set[uuid.UUID]:
    """Take issues that an undo put into the trash out of it, under their external ids; return their ids.

    In the caller's transaction; locks the issues by id. That the caller may import there was settled before.
    """
    external_ids = {issue_id: external_id for external_id, issue_id in freed.items()}
    found = Issue.objects.filter(pk__in=external_ids, trashed_at__isnull=False).order_by("pk")
    issues = list(found.select_for_update(of=("self",)).select_related("project").defer("description"))
    for issue in issues:
        issue.trashed_at, issue.activity_at = None, max(by.now, issue.activity_at)
        issue.source, issue.external_id = source, external_ids[issue.pk]
    Issue.objects.bulk_update(issues, ["trashed_at", "activity_at", "source", "external_id"], batch_size=200)
    record_many(_restored(issue, issue.project.key, by=by) for issue in issues)
    return {issue.pk for issue in issues}


def _restored(issue: Issue, project_key: str, *, by: Caller) -> Event:
    return Event(
        verb="issue.restored", actor_id=by.actor.pk, source=by.source, cause_id=by.cause,
        at=issue.activity_at, request_id=by.request_id, project_id=issue.project_id, issue_id=issue.pk,
        issue_key=f"{project_key}-{issue.number}", version=issue.version,
    )  # fmt: skip


# --- new issues --------------------------------------------------------------------------------------
def _create(run: Importing, rows: Sequence[RowRecord], outcome: BatchOutcome) -> None:
    tables: dict[type[Any], list[tuple[Any, ...]]] = {Issue: [], IssueLabel: [], Watcher: [], Event: []}
    moment = run.by.now
    numbers = _numbers(run, rows)
    for row in rows:
        _create_one(run, row, numbers[row.line], moment, tables, outcome)
    if run.is_dry_run or not rows:
        return
    insert_rows(Issue, _ISSUE, tables[Issue])
    insert_rows(IssueLabel, ("id", "issue_id", "label_id"), tables[IssueLabel])
    insert_rows(Watcher, ("id", "issue_id", "user_id", "created_at"), tables[Watcher])
    insert_rows(Event, _EVENT, tables[Event])
    title, description = _ISSUE.index("title"), _ISSUE.index("description")
    index_documents([Document(each[0], each[title], each[description]) for each in tables[Issue]])
    announce_after_commit()


def _create_one(
    run: Importing,
    row: RowRecord,
    number: int,
    moment: datetime,
    tables: Mapping[type[Any], list[tuple[Any, ...]]],
    outcome: BatchOutcome,
) -> None:
    place, by, names = run.places[row.project], run.by, run.names
    issue_id = row.issue_id if run.is_migration and row.issue_id else new_id()
    if row.key in run.parents:
        run.known_parents[row.key] = issue_id
    told = _told_first(run, row, place, names)
    if not run.is_migration:  # `updated_at` of an export says what it was made from, not when it was
        row = row._replace(created_at=None, updated_at=None, started_at=None, closed_at=None)
    created_at = row.created_at or moment
    updated_at = max(row.updated_at or created_at, created_at)
    stored = columns(told, place)
    category = place.statuses[told["status"]].category
    life = Lifecycle().enter(category, row.closed_at or updated_at)
    is_own = run.is_own and run.is_migration and row.issue_id is not None
    issue = {
        "id": issue_id,
        "project_id": place.project.pk,
        "number": number,
        "team_id": None,
        "department": told["department"] or "",
        "version": 1,
        "created_at": created_at,
        "updated_at": updated_at,
        "activity_at": updated_at,
        "started_at": row.started_at or (life.started_at and created_at),
        "closed_at": (row.closed_at or life.closed_at) if life.closed_at else None,
        "trashed_at": None,
        "source": "" if is_own else run.source,
        "external_id": None if is_own else row.external_id,
        **stored,
    }
    tables[Issue].append(tuple(issue[name] for name in _ISSUE))
    if told["labels"]:
        tables[IssueLabel].extend((new_id(), issue_id, label) for label in label_ids(told, place))
    reporter = stored["reporter_id"]
    tables[Watcher].append((new_id(), issue_id, reporter, created_at))
    initial = {name: value for name, value in told.items() if value not in (None, [], "")}
    data = {
        "source": run.source,
        "external_id": row.external_id,
        "initial": initial | {"category": category},
        "original": {},
    }
    tables[Event].append(
        (
            new_id(), None, "issue.imported", created_at, moment, reporter, by.source, by.cause,
            by.request_id, place.project.pk, issue_id, f"{place.project.key}-{number}", 1, None, False, "{}",
            orjson.dumps(data).decode(), ARRIVAL,
        )
    )  # fmt: skip
    outcome.arrived.append(Arrival(row, issue_id, is_new=True, version=1, activity_at=updated_at))


def _told_first(run: Importing, row: RowRecord, place: Place, names: Names) -> Told:
    values = {**DEFAULTS, "status": _initial_status(place), **row.values}
    told = {name: told_value(name, value, place, names) for name, value in values.items()}
    if told["reporter"] is None:
        told["reporter"] = {"id": str(run.by.actor.pk), "name": run.by.actor.name}
    return told


def _initial_status(place: Place) -> str:
    return place.initial or next(iter(place.statuses))


def _numbers(run: Importing, rows: Sequence[RowRecord]) -> dict[int, int]:
    """Return the number of each row by line: its own where that is free, else the next ones of the project.

    The counters are locked in the order of the projects' ids, each once.
    """
    numbers: dict[int, int] = {}
    waiting: dict[uuid.UUID, list[int]] = defaultdict(list)
    taken = _taken(run, rows)
    for row in rows:
        project = run.places[row.project].project
        if row.number is not None and (project.pk, row.number) not in taken:
            numbers[row.line] = row.number
        else:
            waiting[project.pk].append(row.line)
    for project_id in sorted(waiting):
        lines = waiting[project_id]
        first = 1 if run.is_dry_run else _draw(project_id, len(lines))
        numbers.update(zip(lines, range(first, first + len(lines)), strict=True))
    return numbers


def _taken(run: Importing, rows: Sequence[RowRecord]) -> set[tuple[uuid.UUID, int]]:
    wanted: dict[uuid.UUID, list[int]] = defaultdict(list)
    for row in rows:
        if row.number is not None:
            wanted[run.places[row.project].project.pk].append(row.number)
    return {
        (project_id, number)
        for project_id, numbers in wanted.items()
        for number in Issue.objects.filter(project_id=project_id, number__in=numbers).values_list(
            "number", flat=True
        )
    }


def _draw(project_id: uuid.UUID, count: int) -> int:
    """Draw numbers of a project, locking its counter until commit; return the first. Raises `Conflict`."""
    key = Project._meta.pk.get_db_prep_value(project_id, connection)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE issues_project SET next_number = next_number + %s "
            "WHERE id = %s AND archived_at IS NULL RETURNING next_number",
            [count, key],
        )
        row = cursor.fetchone()
    if row is None:
        raise Conflict("The project is archived and can only be read.")
    return int(row[0]) - count


# --- issues that are here ------------------------------------------------------------------------------
def _update(
    run: Importing, rows: Sequence[RowRecord], held: Mapping[int, Issue], outcome: BatchOutcome
) -> None:
    if not rows:
        return
    own = [row for row in rows if row.issue_id == held[row.line].pk]
    states = _present(run, [held[row.line] for row in own]) | _brought(
        [held[row.line] for row in rows if row.issue_id != held[row.line].pk]
    )
    for row in rows:
        issue = held[row.line]
        if reason := _why_left(run, row, issue):
            outcome.left.append((reason, row.line))
            outcome.unchanged += 1
            continue
        place = run.places[row.project]
        told = {
            name: told_value(name, value, place, run.names)
            for name, value in row.values.items()
            if name != "reporter"
        }
        changes = differences(states.get(issue.pk, {}), told)
        is_back = row.line in outcome.restored
        if is_back and not changes:
            outcome.arrived.append(Arrival(row, issue.pk, True, issue.version, issue.activity_at))  # noqa: FBT003
        elif not changes:
            outcome.unchanged += 1
        elif row.issue_id == issue.pk and row.updated_at and row.updated_at < issue.updated_at:
            outcome.left.append(("Issues that were changed here since the export", row.line))
            outcome.unchanged += 1
        else:
            _change(run, row, issue, changes, outcome)


def _why_left(run: Importing, row: RowRecord, issue: Issue) -> str:
    place = run.places[row.project]
    if issue.project_id != place.project.pk:
        return "Issues that are in another project (left as they are)"
    if issue.trashed_at is not None:
        return "Issues that are in the trash (left there)"
    return ""


def _change(
    run: Importing,
    row: RowRecord,
    issue: Issue,
    changes: Mapping[str, list[Any]],
    outcome: BatchOutcome,
) -> None:
    """Set what the table changed, by the way of everybody's changes. A refusal refuses this row alone."""
    sent = {name: _sent(name, pair[1]) for name, pair in changes.items()}
    if run.is_dry_run:
        outcome.arrived.append(Arrival(row, issue.pk, is_new=False, version=0, activity_at=run.by.now))
        return
    try:
        edited = edit_issue(issue.pk, by=run.by, changes=sent)
    except DomainError as refusal:
        name, texts = next(iter(getattr(refusal, "fields", {}).items()), ("", [refusal.message]))
        outcome.refused.append((row.line, name, texts[0]))
        return
    if edited.version == issue.version:
        outcome.unchanged += 1
        return
    is_back = row.line in outcome.restored
    outcome.arrived.append(Arrival(row, issue.pk, is_back, edited.version, edited.activity_at))


def _sent(name: str, told: Any) -> Any:
    """Return a told value in a form that `edit_issue` reads."""
    if isinstance(told, dict):
        return told["name"] if name in {"milestone", "cycle"} else told["id"]
    if told is None and name in {"description", "department"}:
        return ""
    return told


def _present(run: Importing, issues: Sequence[Issue]) -> dict[uuid.UUID, Told]:
    """Return what issues are now, in the form of events."""
    if not issues:
        return {}
    rows = issue_rows(
        Issue.objects.visible_to(run.by.user).filter(pk__in=[issue.pk for issue in issues]),
        user=run.by.user,
        description=True,
    )
    return {uuid.UUID(row["id"]): _told_row(row) for row in rows}


def _told_row(row: Mapping[str, Any]) -> Told:
    told = {name: row[name] for name in _OWN_FIELDS}
    return told | {
        "status": row["status"]["slug"],
        "description": row["description"] or None,
        "department": row["department"] or None,
    }


def _brought(issues: Sequence[Issue]) -> dict[uuid.UUID, Told]:
    """Return what imports brought of issues so far: what people changed since does not count."""
    events: dict[uuid.UUID, list[tuple[Any, Any]]] = defaultdict(list)
    rows = Event.objects.filter(issue_id__in=[issue.pk for issue in issues], source="import")
    for issue_id, data, changes in rows.order_by("at", "order").values_list("issue_id", "data", "changes"):
        if issue_id:
            events[issue_id].append((data, changes))
    return {issue_id: _fold(past) for issue_id, past in events.items()}


def _fold(past: Sequence[tuple[Any, Any]]) -> Told:
    state = fold(past)
    for data, changes in past:
        if "initial" in data:
            state["department"] = data["initial"].get("department")
        if "department" in changes:
            state["department"] = changes["department"][1]
    return state

"""New issues of a table, many at once: from the words of a row straight to the rows that are stored."""

import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from django.db import connection

from issues.lifecycle import Lifecycle
from issues.models import Issue, IssueAlias, IssueLabel, Project, Watcher
from issues.search.documents import Document
from issues.services.import_records import Arrival, BatchOutcome, Importing, RowRecord
from issues.services.migration_log import ARRIVAL
from issues.services.migration_places import Place
from issues.services.migration_values import Told, label_ids, stored_value, told_value
from issues.services.search_documents import index_new, preparer
from tracker.bulk_rows import insert_rows, rows_into
from tracker.errors import Conflict
from tracker.ids import new_id, new_id_text
from tracker.models import Event

DEFAULTS: Final[Mapping[str, Any]] = {
    "title": None, "description": None, "type": "task", "severity": "medium", "priority": "none",
    "reporter": None, "assignee": None, "labels": (), "milestone": None, "cycle": None, "parent": None,
    "estimate": None, "due_date": None, "department": "",
}  # fmt: skip
ISSUE_COLUMNS: Final = (
    "id", "project_id", "number", "title", "description", "type", "status_id", "severity", "priority",
    "reporter_id", "assignee_id", "milestone_id", "cycle_id", "parent_id", "team_id", "estimate", "due_date",
    "department", "version", "created_at", "updated_at", "activity_at", "started_at", "closed_at",
    "trashed_at", "source", "external_id",
)  # fmt: skip
EVENT_COLUMNS: Final = (
    "id", "verb", "at", "recorded_at", "actor_id", "source", "cause_id", "request_id", "project_id",
    "issue_id", "issue_key", "version", "subject_id", "internal", "changes", "data", "external_id",
)  # fmt: skip
_FEW: Final = (
    "type", "status", "severity", "priority", "reporter", "assignee", "labels", "milestone", "cycle",
    "estimate", "due_date", "department",
)  # fmt: skip
"""Fields whose values come again and again: what they become is remembered, up to `_MOST_KNOWN` of each."""
_MOST_KNOWN: Final = 5_000
_NO_ISSUE: Final = uuid.UUID(int=0)
_EMPTY: Final[tuple[Any, ...]] = (None, "", [])


def create_new(run: Importing, rows: Sequence[RowRecord], outcome: BatchOutcome) -> None:
    """Write the issues of rows that are not here yet, with all but their events, which wait in `outcome`.

    While the database stores the first rows, the next are made.
    """
    if not rows:
        return
    batch = _Batch(run, outcome)
    numbers = _numbers(run, rows)
    if run.is_dry_run:
        for row in rows:
            batch.make(row, numbers[row.line])
        return
    with rows_into(Issue, ISSUE_COLUMNS) as take:
        for row in rows:
            take(batch.make(row, numbers[row.line]))
    insert_rows(IssueLabel, ("id", "issue_id", "label_id"), batch.labels)
    insert_rows(Watcher, ("id", "issue_id", "user_id", "created_at"), batch.watchers)
    index_new(batch.documents)
    outcome.events = batch.events


def documents_of(rows: Sequence[RowRecord], prepare: Callable[[Document], Any]) -> dict[int, Any]:
    """Return what the search will keep of new rows, by line. Asks nothing of the database (`preparer`)."""
    return {
        row.line: prepare(Document(_NO_ISSUE, row.values["title"], row.values.get("description") or ""))
        for row in rows
    }


class _Batch:
    """The rows of one batch. Ids and times are texts: they are written out many times."""

    def __init__(self, run: Importing, outcome: BatchOutcome) -> None:
        self.run, self.outcome, self.names = run, outcome, run.names
        self.moment = run.by.now
        self.moment_text = str(self.moment)
        self.labels: list[tuple[Any, ...]] = []
        self.watchers: list[tuple[Any, ...]] = []
        self.documents: list[tuple[str, Any]] = []
        self.events: list[tuple[Any, ...]] = []
        by = run.by
        self._actor = {"id": str(by.actor.pk), "name": by.actor.name}
        self._prepare = preparer()
        self._cause = str(by.cause) if by.cause else None

    def make(self, row: RowRecord, number: int) -> tuple[Any, ...]:
        """Return the row of an issue; keep what belongs to it."""
        run = self.run
        place = run.places[row.project]
        is_own = run.is_migration and row.issue_id is not None
        issue_id = row.issue_id if is_own and row.issue_id else new_id()
        if row.key in run.parents:
            run.known_parents[row.key] = issue_id
        told, stored = self._values(row, place)
        if not run.is_migration:  # `updated_at` of an export says what it was made from, not when it was
            created_at = updated_at = self.moment
            own_start = own_end = None
        else:
            created_at = row.created_at or self.moment
            updated_at = max(row.updated_at or created_at, created_at)
            own_start, own_end = row.started_at, row.closed_at
        category = place.statuses[told["status"]].category
        life = Lifecycle().enter(category, own_end or updated_at)
        text = str(issue_id)
        created, updated = self._text(created_at), self._text(updated_at)
        project_id = str(place.project.pk)
        if told["labels"]:
            self.labels.extend((new_id_text(), text, label) for label in stored["labels"])
        self.watchers.append((new_id_text(), text, stored["reporter"], created))
        title, description = told["title"], told["description"] or ""
        if not run.is_dry_run:
            document = run.documents.get(row.line) or self._prepare(Document(issue_id, title, description))
            self.documents.append((text, document))
        self._tell(row, place, told, category, text, f"{place.project.key}-{number}", created)
        self.outcome.arrived.append(Arrival(row, issue_id, True, 1, updated_at))  # noqa: FBT003  its order
        is_told_by_id = run.is_own and is_own
        return (
            text, project_id, number, title, description, stored["type"], stored["status"],
            stored["severity"], stored["priority"], stored["reporter"], stored["assignee"],
            stored["milestone"], stored["cycle"], stored["parent"], None, stored["estimate"],
            stored["due_date"], stored["department"], 1, created, updated, updated,
            own_start or (life.started_at and created_at),
            (own_end or life.closed_at) if life.closed_at else None,
            None, "" if is_told_by_id else run.source, None if is_told_by_id else row.external_id,
        )  # fmt: skip

    def _tell(
        self, row: RowRecord, place: Place, told: Told, category: str, issue_id: str, key: str, created: str
    ) -> None:
        by = self.run.by
        initial = {name: value for name, value in told.items() if value not in _EMPTY}
        initial["category"] = category
        data = {
            "source": self.run.source,
            "external_id": row.external_id,
            "initial": initial,
            "original": {},
        }
        self.events.append(
            (
                new_id_text(), "issue.imported", created, self.moment_text, told["reporter"]["id"], by.source,
                self._cause, by.request_id, str(place.project.pk), issue_id, key, 1, None, False, "{}",
                orjson.dumps(data).decode(), ARRIVAL,
            )
        )  # fmt: skip

    def _values(self, row: RowRecord, place: Place) -> tuple[Told, dict[str, Any]]:
        """Return a row's values as events tell them, and as the issue's row and its labels have them."""
        values = row.values
        tables = self.run.known_values.get(row.project) or self._tables(row.project)
        told: Told = {"title": values.get("title"), "description": values.get("description") or None}
        stored: dict[str, Any] = {}
        for name, table in tables.items():
            value = values[name] if name in values else self._default(name, place)
            pair = table.get(value)
            if pair is None:
                pair = self._pair(name, value, place)
                if len(table) < _MOST_KNOWN:
                    table[value] = pair
            told[name], stored[name] = pair
        told["parent"], stored["parent"] = self._pair("parent", values.get("parent"), place)
        return told, stored

    def _tables(self, project: str) -> dict[str, dict[Any, tuple[Any, Any]]]:
        return self.run.known_values.setdefault(project, {name: {} for name in _FEW})

    def _default(self, name: str, place: Place) -> Any:
        return _initial_status(place) if name == "status" else DEFAULTS[name]

    def _pair(self, name: str, value: Any, place: Place) -> tuple[Any, Any]:
        told = told_value(name, value, place, self.names)
        if name == "reporter" and told is None:
            told = self._actor
        if name == "labels":
            return told, [str(label) for label in label_ids({"labels": told}, place)]
        stored = stored_value(name, told, place)
        return told, stored if stored is None or isinstance(stored, int) else str(stored)

    def _text(self, moment: datetime) -> str:
        return self.moment_text if moment is self.moment else str(moment)


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
            taken.add((project.pk, row.number))
        else:
            waiting[project.pk].append(row.line)
    for project_id in sorted(waiting):
        lines = waiting[project_id]
        first = 1 if run.is_dry_run else _draw(project_id, len(lines))
        numbers.update(zip(lines, range(first, first + len(lines)), strict=True))
    return numbers


def _taken(run: Importing, rows: Sequence[RowRecord]) -> set[tuple[uuid.UUID, int]]:
    """Return which of the rows' numbers an issue has or had: one that was moved or purged keeps its own."""
    wanted: dict[uuid.UUID, list[int]] = defaultdict(list)
    for row in rows:
        if row.number is not None:
            wanted[run.places[row.project].project.pk].append(row.number)
    keys = {place.project.pk: place.project.key for place in run.places.values()}
    taken: set[tuple[uuid.UUID, int]] = set()
    for project_id, numbers in wanted.items():
        held = Issue.objects.filter(project_id=project_id, number__in=numbers)
        taken.update((project_id, number) for number in held.values_list("number", flat=True))
        old = {f"{keys[project_id]}-{number}": number for number in numbers}
        aliases = IssueAlias.objects.filter(key__in=old).values_list("key", flat=True)
        taken.update((project_id, old[key]) for key in aliases)
        taken.update((project_id, number) for number in _purged(run, project_id) & set(numbers))
    return taken


def _purged(run: Importing, project_id: uuid.UUID) -> frozenset[int]:
    """Return the numbers of a project's purged issues, which only the log knows; read once in a run."""
    held = run.purged_numbers.get(project_id)
    if held is None:
        rows = Event.objects.filter(project_id=project_id, verb="issue.purged")
        keys = rows.values_list("issue_key", flat=True)
        held = run.purged_numbers[project_id] = frozenset(int(key.rpartition("-")[2]) for key in keys)
    return held


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

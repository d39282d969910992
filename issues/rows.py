"""Issues as every reader gets them: columns → dictionaries in the shape of the API.

No serializer and no model instances on this path: `docs/performance.md` says why.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.conf import settings
from django.db import connection

from accounts.models import User
from accounts.people import PersonRow, people
from issues.catalog import Catalog, NameInfo, ProjectInfo, StatusInfo, catalog
from issues.models import Issue, IssueLabel, Priority, Severity
from issues.querysets import IssueQuerySet
from issues.scope import Scope, scope_of
from tracker.clock import iso
from tracker.versions import forget_versions, versions_of

Row = dict[str, Any]

COLUMNS: Final = (
    "id", "project_id", "number", "title", "type", "status_id", "severity", "priority", "reporter_id",
    "assignee_id", "milestone_id", "cycle_id", "parent_id", "team_id", "estimate", "due_date", "department",
    "version", "created_at", "updated_at", "started_at", "closed_at", "activity_at", "description",
)  # fmt: skip
_LABELS: Final = "SELECT issue_id, label_id FROM issues_issuelabel WHERE issue_id = ANY(%s)"
_SEVERITY_WORDS: Final = {member.value: member.word for member in Severity}
_PRIORITY_WORDS: Final = {member.value: member.word for member in Priority}


@dataclass(slots=True)
class Lookup:
    """What rows need beside their own columns: names from memory, labels and parents read once."""

    user: User
    scope: Scope
    catalog: Catalog
    people: dict[uuid.UUID, PersonRow]
    labels: dict[uuid.UUID, list[str]]
    parents: dict[uuid.UUID, Row]

    def status(self, status_id: uuid.UUID) -> StatusInfo:
        """Return a status, reading the catalog anew where a row is newer than the snapshot."""
        if status_id not in self.catalog.statuses:
            self.refresh()
        return self.catalog.statuses[status_id]

    def project(self, project_id: uuid.UUID) -> ProjectInfo:
        """Return a project, likewise."""
        if project_id not in self.catalog.projects:
            self.refresh()
        return self.catalog.projects[project_id]

    def refresh(self) -> None:
        """Read the versions and the catalog again."""
        forget_versions(self.user)
        self.catalog = catalog(versions_of(self.user))


def issue_rows(
    queryset: IssueQuerySet, *, user: User, description: bool = False, activity: bool = True
) -> list[Row]:
    """Return the issues of a queryset, in its order, as the API shows them.

    The queryset is already scoped to `user`. Two queries (issues, labels), a third where issues have
    parents; names of people only where they are not in memory.
    """
    values = list(queryset.values_list(*(COLUMNS if description else COLUMNS[:-1])))
    return rows_of_values(values, user=user, description=description, activity=activity)


def rows_of_values(
    values: Sequence[Sequence[Any]], *, user: User, description: bool, activity: bool = True
) -> list[Row]:
    """Return rows for tuples that begin with `COLUMNS` (without `description` unless it is asked for)."""
    look = lookup(values, user=user)
    return [_row(item, look, description=description, activity=activity) for item in values]


def issue_row(issue: Issue, *, user: User) -> Row:
    """Return one issue that was just read or written, with its description."""
    values = tuple(getattr(issue, column) for column in COLUMNS)
    return rows_of_values([values], user=user, description=True, activity=False)[0]


def lookup(values: Sequence[Sequence[Any]], *, user: User) -> Lookup:
    """Read what the rows of these values need."""
    versions = versions_of(user)
    persons = people(
        {person for item in values for person in (item[8], item[9]) if person is not None}, versions=versions
    )
    look = Lookup(user, scope_of(user), catalog(versions), persons, {}, {})
    look.labels = labels_of([item[0] for item in values], look)
    look.parents = _parents({item[12] for item in values if item[12]}, look)
    return look


def labels_of(issue_ids: Sequence[uuid.UUID], look: Lookup) -> dict[uuid.UUID, list[str]]:
    """Return the names of the issues' labels, in the order of the alphabet, in one query."""
    found: dict[uuid.UUID, list[str]] = defaultdict(list)
    if not issue_ids:
        return found
    for issue_id, label_id in _label_ids(issue_ids):
        if label_id not in look.catalog.labels:
            look.refresh()
        found[issue_id].append(look.catalog.labels[label_id].name)
    for names in found.values():
        names.sort(key=str.casefold)
    return found


def _label_ids(issue_ids: Sequence[uuid.UUID]) -> Iterable[tuple[uuid.UUID, uuid.UUID]]:
    """Return the labels of issues as pairs of ids. Every page of issues asks this; by hand it costs less."""
    if connection.vendor != "postgresql":
        return IssueLabel.objects.filter(issue__in=issue_ids).values_list("issue_id", "label_id")
    with connection.cursor() as cursor:
        cursor.execute(_LABELS, [list(issue_ids)])
        rows: list[tuple[uuid.UUID, uuid.UUID]] = cursor.fetchall()
    return rows


def visible_keys(ids: Iterable[uuid.UUID], *, user: User) -> dict[uuid.UUID, str]:
    """Return id → key of those issues among `ids` that this person may see, in one query."""
    wanted = set(ids)
    if not wanted:
        return {}
    projects = catalog(versions_of(user)).projects
    rows = Issue.objects.visible_to(user).filter(pk__in=wanted).values_list("id", "project_id", "number")
    return {row[0]: f"{projects[row[1]].key}-{row[2]}" for row in rows if row[1] in projects}


def _parents(ids: set[uuid.UUID], look: Lookup) -> dict[uuid.UUID, Row]:
    return {key: {"id": str(key), "key": text} for key, text in visible_keys(ids, user=look.user).items()}


def _row(item: Sequence[Any], look: Lookup, *, description: bool, activity: bool) -> Row:
    project, status = look.project(item[1]), look.status(item[5])
    key = f"{project.key}-{item[2]}"
    row: Row = {
        "id": str(item[0]),
        "key": key,
        "url": f"{settings.BASE_URL}/issues/{key}/",
        "project": {"key": project.key, "name": project.name},
        "number": item[2],
        "title": item[3],
    }
    if description:
        row["description"] = item[23]
    row |= {
        "type": item[4],
        "status": {"slug": status.slug, "name": status.name, "category": status.category},
        "severity": _SEVERITY_WORDS[item[6]],
        "priority": _PRIORITY_WORDS[item[7]],
        "reporter": look.people.get(item[8]),
        "assignee": look.people.get(item[9]) if item[9] else None,
        "labels": look.labels.get(item[0], []),
        "milestone": _named(look.catalog.milestones, item[10]),
        "cycle": _named(look.catalog.cycles, item[11]),
        "parent": look.parents.get(item[12]) if item[12] else None,
        "team": _named(look.catalog.teams, item[13]),
        "estimate": number(item[14]),
        "due_date": item[15].isoformat() if item[15] else None,
        "department": item[16],
        "version": item[17],
        "created_at": iso(item[18]),
        "updated_at": iso(item[19]),
        "started_at": iso(item[20]),
        "closed_at": iso(item[21]),
    }
    if activity:
        row["activity_at"] = iso(item[22])
    return row


def event_row(item: Sequence[Any], look: Lookup) -> Row:
    """Return the `issue` part of a live frame for a tuple that begins with `COLUMNS[:-1]`."""
    whole = _row(item, look, description=False, activity=False)
    wanted = (
        "id", "key", "url", "project", "title", "type", "status", "severity", "priority", "assignee",
        "reporter", "labels", "version", "updated_at",
    )  # fmt: skip
    return {name: whole[name] for name in wanted}


def _named(names: dict[uuid.UUID, NameInfo], key: uuid.UUID | None) -> Row | None:
    info = names.get(key) if key else None
    return {"id": str(info.id), "name": info.name} if info else None


def number(value: Decimal | None) -> int | float | None:
    """Return an estimate as JSON has it: 3, not 3.00."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)

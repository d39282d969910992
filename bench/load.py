"""Writes the issues of a plan at once, and leaves the rows and events that the services would leave.

The services take 10 ms for an issue and its history; a million of them would take hours. What they do is done
here again in short: `bench/tests/test_load.py` holds the two against each other, row by row.
"""

import json
import uuid
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Max, Model

from bench.frame import Frame
from bench.plan import Filing, Step
from issues import policy
from issues.catalog import catalog
from issues.events.verbs import verb_for_changes
from issues.lifecycle import Lifecycle
from issues.models import (
    PRIORITY_WORDS,
    SEVERITY_WORDS,
    Comment,
    Issue,
    IssueLabel,
    Project,
    Watcher,
)
from issues.search.documents import Document, Remark
from issues.services.fields import FIELDS, Setting, setting
from issues.services.search_documents import index_documents
from tracker import clock
from tracker.bulk_rows import Values, insert_rows
from tracker.caller import Caller
from tracker.events.numbering import head, number_events
from tracker.ids import new_id
from tracker.models import Event, EventLog
from tracker.versions import versions_of

BATCH: Final = 5_000
DOCUMENTS: Final = 500
_ISSUE: Final = (
    "id", "project_id", "number", "title", "description", "type", "status_id", "severity", "priority",
    "reporter_id", "assignee_id", "milestone_id", "cycle_id", "parent_id", "team_id", "estimate", "due_date",
    "department", "version", "created_at", "updated_at", "activity_at", "started_at", "closed_at",
    "trashed_at", "source", "external_id",
)  # fmt: skip
_LABEL: Final = ("id", "issue_id", "label_id")
_WATCHER: Final = ("id", "issue_id", "user_id", "created_at")
_COMMENT: Final = (
    "id", "issue_id", "author_id", "parent_id", "body", "internal", "created_at", "edited_at", "deleted_at",
    "external_id",
)  # fmt: skip
_EVENT: Final = (
    "order", "id", "seq", "verb", "at", "recorded_at", "actor_id", "source", "cause_id", "request_id",
    "project_id", "issue_id", "issue_key", "version", "subject_id", "internal", "changes", "data",
    "external_id",
)  # fmt: skip
TABLES: Final = {
    Issue: _ISSUE, IssueLabel: _LABEL, Watcher: _WATCHER, Comment: _COMMENT, Event: _EVENT,
}  # fmt: skip


def load(filings: Iterable[Filing], frame: Frame) -> int:
    """Write the issues of a plan, numbered events included, and return how many; nobody else may write."""
    for model, columns in TABLES.items():
        _check_columns(model, columns)
    number_events()  # those of the people and projects come before
    loader = _Loader(frame)
    count = 0
    for count, filing in enumerate(filings, start=1):
        loader.add(filing)
        if count % BATCH == 0:
            loader.write()
    loader.write()
    return count


def _check_columns(model: type[Model], columns: Sequence[str]) -> None:
    """Raise `ValueError` unless these are all columns of the table: a new one must be filled as well."""
    known = {field.attname for field in model._meta.concrete_fields}
    if known != set(columns):
        raise ValueError(f"{model.__name__}: {sorted(known ^ set(columns))} is not filled, or not there")


class _Loader:
    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        admin = next(user for user in frame.people if user.role == "admin")
        by = Caller(admin, source="seed")
        self.settings = [setting(by, project.pk) for project in frame.projects]
        self.known = catalog(versions_of(admin))
        numbers = dict(Project.objects.values_list("pk", "next_number"))
        self.next_number = [numbers[project.pk] for project in frame.projects]
        self.order = Event.objects.aggregate(last=Max("order"))["last"] or 0
        self.seq = head().last_seq
        self.recorded_at = clock.now()
        self.memory: dict[tuple[Any, ...], Any] = {}
        self.rows: dict[type[Any], list[Values]] = {model: [] for model in TABLES}
        self.documents: list[Document] = []

    def add(self, filing: Filing) -> None:
        """Make the rows of one issue and its history."""
        _OneIssue(self, filing).make()

    def draw(self, project: int) -> int:
        """Return the project's next number."""
        number = self.next_number[project]
        self.next_number[project] += 1
        return number

    def record(self, **values: Any) -> None:
        """Make an event; what is not given is what `tracker.events.record` writes."""
        self.order += 1
        self.seq += 1
        row = _EVENT_DEFAULTS | values
        row |= {"order": self.order, "seq": self.seq, "id": new_id(), "recorded_at": self.recorded_at}
        row["changes"], row["data"] = _json(row["changes"]), _json(row["data"])
        self.rows[Event].append(tuple(row[name] for name in _EVENT))

    @transaction.atomic
    def write(self) -> None:
        """Write what was made, and leave the counters where the services would."""
        for model, columns in TABLES.items():
            insert_rows(model, columns, self.rows[model])
            self.rows[model] = []
        for part in range(0, len(self.documents), DOCUMENTS):
            index_documents(self.documents[part : part + DOCUMENTS])
        self.documents = []
        for project, number in zip(self.frame.projects, self.next_number, strict=True):
            Project.objects.filter(pk=project.pk).update(next_number=number)
        EventLog.objects.filter(pk=1).update(last_seq=self.seq)
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT setval(pg_get_serial_sequence('tracker_event', 'order'), %s)",
                    [max(1, self.order)],
                )


class _OneIssue:
    """The state of an issue on its way through its history."""

    def __init__(self, loader: _Loader, filing: Filing) -> None:
        self.loader, self.filing = loader, filing
        self.at: Setting = loader.settings[filing.project]
        self.id, self.number = new_id(), loader.draw(filing.project)
        initial = self.at.catalog.initial_status(self.at.project.id)
        self.values: dict[str, Any] = {name: field.default for name, field in FIELDS.items()}
        self.values |= {"status": initial.id} | self.read(filing.fields)
        self.life = Lifecycle().enter(initial.category, filing.at)
        self.version, self.updated_at, self.activity_at = 1, filing.at, filing.at
        self.remarks: list[Remark] = []
        self.watchers = [self.person(filing.person)]

    def make(self) -> None:
        """Follow the history, and leave the rows with the loader."""
        watched: list[Values] = [(new_id(), self.id, self.watchers[0], self.filing.at)]
        self.tell(self.filing.person, self.filing.at, "issue.created", data={"initial": self.initial()})
        for step in self.filing.steps:
            if step.kind == "comment":
                self.comment(step)
            elif step.kind == "share":
                watched += self.share(step)
            else:
                self.change(step)
        rows = self.loader.rows
        rows[Issue].append(self.row())
        title, description = self.values["title"], self.values["description"]
        self.loader.documents.append(Document(self.id, title, description, self.remarks))
        rows[IssueLabel] += [(new_id(), self.id, label) for label in self.values["labels"]]
        rows[Watcher] += watched

    def change(self, step: Step) -> None:
        """Set fields, as `edit_issue` and `change_status` do."""
        after = self.read(step.value if step.kind == "edit" else {"status": step.value})
        before = {name: self.values[name] for name in after if self.values[name] != after[name]}
        after = {name: after[name] for name in before}
        if not after:
            return
        sight = self.sight()
        data: dict[str, Any] = {}
        self.values |= after
        if "status" in after:
            source, target = (self.loader.known.statuses[each["status"]] for each in (before, after))
            self.life = self.life.enter(target.category, step.at)
            data["categories"] = [source.category, target.category]
        if "assignee" in after:
            data["sight"] = {"before": sight, "after": self.sight()}
        self.version += 1
        self.updated_at = self.activity_at = step.at
        changes = {name: [self.told(name, each[name]) for each in (before, after)] for name in after}
        self.tell(step.person, step.at, verb_for_changes(set(after)), changes=changes, data=data)

    def comment(self, step: Step) -> None:
        """Comment, as `add_comment` does."""
        body, is_internal = step.value
        key = new_id()
        self.activity_at = step.at
        self.remarks.append(Remark(body, is_internal))
        self.loader.rows[Comment].append(
            (key, self.id, self.person(step.person), None, body, is_internal, step.at, None, None, None)
        )
        self.tell(step.person, step.at, "comment.added", subject_id=key, internal=is_internal)

    def share(self, step: Step) -> list[Values]:
        """Make somebody a watcher, as `share_issue` does."""
        person = self.person(step.value)
        if person in self.watchers:
            return []
        self.watchers.append(person)
        self.activity_at = step.at
        self.tell(step.person, step.at, "watcher.added", subject_id=person, version=None)
        return [(new_id(), self.id, person, step.at)]

    def tell(self, person: int, at: datetime, verb: str, **values: Any) -> None:
        """Record an event of this issue."""
        common = {
            "verb": verb,
            "at": at,
            "actor_id": self.person(person),
            "project_id": self.at.project.id,
            "issue_id": self.id,
            "issue_key": f"{self.at.project.key}-{self.number}",
            "version": self.version,
        }
        self.loader.record(**(common | values))

    def read(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the stored values of words, as the services read them."""
        return {name: self.read_one(name, value) for name, value in fields.items()}

    def read_one(self, name: str, value: Any) -> Any:
        """Read one; only people are looked up here, since the services ask the database for them."""
        if name == "assignee":
            return self.person(value)
        if name not in policy.TEXT_FIELDS:
            return self.remembered("read", name, tuple(value) if isinstance(value, list) else value)
        return str(FIELDS[name].read(value, self.at))

    def told(self, name: str, value: Any) -> Any:
        """Return what an event says of a stored value."""
        return value if name == "title" else self.remembered("told", name, value)

    def remembered(self, kind: str, name: str, value: Any) -> Any:
        """Read or tell a value once for each project."""
        key = (kind, self.filing.project, name, value)
        if key not in self.loader.memory:
            self.loader.memory[key] = (
                self.read_word(name, value) if kind == "read" else FIELDS[name].tell(value, self.at)
            )
        return self.loader.memory[key]

    def read_word(self, name: str, value: Any) -> Any:
        """Read a value that many issues have."""
        if name in {"severity", "priority"}:
            return int((SEVERITY_WORDS if name == "severity" else PRIORITY_WORDS)[value])
        found = FIELDS[name].read(value, self.at)
        return found if isinstance(found, uuid.UUID | tuple | Decimal | date) else str(found)

    def initial(self) -> dict[str, Any]:
        """Return the first values, as `create_issue` tells them."""
        told = {
            name: self.told(name, value)
            for name, value in self.values.items()
            if name not in policy.TEXT_FIELDS
        }
        category = self.loader.known.statuses[self.values["status"]].category
        return {name: value for name, value in told.items() if value not in (None, [])} | {
            "category": category
        }

    def sight(self) -> dict[str, str | None]:
        """Return what decides who sees the issue, as events keep it."""
        assignee = self.values["assignee"]
        return {
            "project": str(self.at.project.id),
            "reporter": str(self.person(self.filing.person)),
            "assignee": str(assignee) if assignee else None,
            "team": None,
        }

    def person(self, number: int) -> uuid.UUID:
        """Return an account's id."""
        key: uuid.UUID = self.loader.frame.people[number].pk
        return key

    def row(self) -> Values:
        """Return the issue as it is in the end."""
        values = self.values
        row = {FIELDS[name].column: value for name, value in values.items() if name != "labels"}
        row |= {"type": str(row["type"]), "severity": int(row["severity"]), "priority": int(row["priority"])}
        row |= {
            "id": self.id,
            "project_id": self.at.project.id,
            "number": self.number,
            "reporter_id": self.person(self.filing.person),
            "version": self.version,
            "created_at": self.filing.at,
            "updated_at": self.updated_at,
            "activity_at": self.activity_at,
            "started_at": self.life.started_at,
            "closed_at": self.life.closed_at,
            "trashed_at": None,
            "source": "",
            "external_id": None,
        }
        return tuple(row[name] for name in _ISSUE)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value) if value else "{}"


_EVENT_DEFAULTS: Final[dict[str, Any]] = {
    "source": "seed", "cause_id": None, "request_id": "", "subject_id": None, "internal": False,
    "changes": {}, "data": {}, "external_id": None,
}  # fmt: skip

"""The past of an imported issue as events of the log, in the order in which it happened."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from issues.events.verbs import verb_for_changes
from issues.lifecycle import Lifecycle
from issues.models import CLOSED_CATEGORIES, Comment
from issues.services.migration_places import Place
from issues.services.migration_records import CommentRecord, EventRecord, IssueRecord
from issues.services.migration_values import (
    PEOPLE_FIELDS,
    Names,
    Told,
    category_of,
    is_same,
    told_fields,
    told_value,
)
from tracker.caller import Caller
from tracker.clock import iso
from tracker.models import Event

ARRIVAL = "arrival"
Written = tuple[CommentRecord, Comment]


@dataclass(slots=True)
class Log:
    """Writes the events of one issue. `version` counts those that change a field."""

    by: Caller
    source: str
    record: IssueRecord
    place: Place
    names: Names
    issue_id: uuid.UUID
    issue_key: str
    version: int = 1
    reporter: str | None = None
    assignee: str | None = None
    events: list[Event] = field(default_factory=list)

    def arrive(self) -> None:
        """Write the issue's arrival with the values that it was created with."""
        record = self.record
        initial = told_fields(record.initial, self.place, self.names)
        self.reporter, self.assignee = _id(initial["reporter"]), _id(initial["assignee"])
        category = category_of(self.place, record.initial.status, record.initial_category)
        data = {
            "source": self.source,
            "external_id": record.external_id,
            "initial": {name: value for name, value in initial.items() if value not in (None, [])}
            | {"category": category},
            "original": dict(record.data),
        }
        actor = self.names.person_id(record.creator) or self.names.person_id(record.initial.reporter)
        self._add("issue.imported", record.created_at, actor, external_id=ARRIVAL, data=data)

    def happen(
        self, entries: Iterable[EventRecord], comments: Iterable[Written], edits: Iterable[Written]
    ) -> None:
        """Write entries of the history, comments and edits of comments by time; of one time in this order."""
        steps: list[tuple[datetime, Callable[[], None]]] = []
        steps += [(entry.at, partial(self._change, entry)) for entry in entries]
        steps += [(record.created_at, partial(self._comment, record, row)) for record, row in comments]
        steps += [
            (record.edited_at, partial(self._edit, record, row)) for record, row in edits if record.edited_at
        ]
        for _, step in sorted(steps, key=lambda timed: timed[0]):
            step()

    def told_changes(self, entry: EventRecord) -> dict[str, list[Any]]:
        """Return the changes of an entry as events have them; what is no change here is left out."""
        told = {
            name: [told_value(name, value, self.place, self.names) for value in pair]
            for name, pair in entry.changes.items()
        }
        return {name: pair for name, pair in told.items() if not is_same(name, *pair)}

    def correct(self, changes: dict[str, list[Any]], *, categories: list[str] | None) -> None:
        """Write what the file's present state has and its history does not tell."""
        at = self.record.updated_at
        data: dict[str, Any] = {"not_in_history": True}
        if "status" in changes and categories:
            data["categories"] = categories
        external_id = f"state:{iso(at)}:{self.version}"
        self._changed(changes, at, self.by.actor.pk, external_id=external_id, data=data)

    def _change(self, entry: EventRecord) -> None:
        data = dict(entry.data)
        changes = self.told_changes(entry)
        if "status" in changes and entry.categories:
            slugs = entry.changes["status"]
            data["categories"] = [
                category_of(self.place, str(slug), category)
                for slug, category in zip(slugs, entry.categories, strict=True)
            ]
        at = max(entry.at, self.record.created_at)
        self._changed(
            changes, at, self.names.person_id(entry.author), external_id=entry.external_id, data=data
        )

    def _changed(
        self,
        changes: dict[str, list[Any]],
        at: datetime,
        actor: uuid.UUID | None,
        *,
        external_id: str,
        data: Told,
    ) -> None:
        if PEOPLE_FIELDS & changes.keys():
            before = self._sight()
            self.reporter = _id(changes["reporter"][1]) if "reporter" in changes else self.reporter
            self.assignee = _id(changes["assignee"][1]) if "assignee" in changes else self.assignee
            data["sight"] = {"before": before, "after": self._sight()}
        self.version += bool(changes)
        self._add(verb_for_changes(changes), at, actor, external_id=external_id, changes=changes, data=data)

    def _comment(self, record: CommentRecord, comment: Comment) -> None:
        external_id = f"comment:{record.external_id}"
        self._add(
            "comment.added", record.created_at, comment.author_id, external_id=external_id, subject=comment
        )

    def _edit(self, record: CommentRecord, comment: Comment) -> None:
        at = record.edited_at or record.created_at
        actor = self.names.person_id(record.editor) or comment.author_id
        external_id = f"comment:{record.external_id}:edited:{iso(at)}"
        self._add("comment.edited", at, actor, external_id=external_id, subject=comment)

    def _sight(self) -> dict[str, str | None]:
        return {"project": str(self.place.project.pk), "reporter": self.reporter, "assignee": self.assignee}

    def _add(
        self,
        verb: str,
        at: datetime,
        actor: uuid.UUID | None,
        *,
        external_id: str,
        changes: dict[str, list[Any]] | None = None,
        data: dict[str, Any] | None = None,
        subject: Comment | None = None,
    ) -> None:
        self.events.append(
            Event(
                verb=verb,
                at=at,
                actor_id=actor,
                source=self.by.source,
                request_id=self.by.request_id,
                project_id=self.place.project.pk,
                issue_id=self.issue_id,
                issue_key=self.issue_key,
                version=self.version,
                subject_id=subject.pk if subject else None,
                internal=subject.internal if subject else False,
                changes=changes or {},
                data=data or {},
                external_id=external_id,
            )
        )


def _id(value: Told | None) -> str | None:
    return str(value["id"]) if value else None


def lifecycle(events: Iterable[Event], *, resolved_at: datetime | None, updated_at: datetime) -> Lifecycle:
    """Return when work began and ended, from the categories of an issue's events in order.

    While the issue is closed, its end is the time of resolution that the source tells.
    """
    life, category = Lifecycle(), ""
    for event in events:
        entered = ""
        if "initial" in event.data:
            entered = event.data["initial"].get("category", "")
        elif "categories" in event.data:
            entered = event.data["categories"][1]
        if entered:
            life, category = life.enter(entered, event.at), entered
    if category in CLOSED_CATEGORIES:
        return Lifecycle(life.started_at, resolved_at or life.closed_at or updated_at)
    return life

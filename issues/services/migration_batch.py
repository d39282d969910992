"""One batch of a migration: issues that are new are written whole, the others get what they lack."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Q

from issues.models import Comment, Issue, IssueAlias, IssueLabel, Project, Watcher
from issues.services.migration_links import link_imported
from issues.services.migration_log import Log, Written, lifecycle
from issues.services.migration_places import Place
from issues.services.migration_records import CommentRecord, IssueRecord, RelationRecord
from issues.services.migration_values import (
    Names,
    Told,
    category_of,
    columns,
    differences,
    fold,
    label_ids,
    told_fields,
)
from issues.services.search_documents import index_issues
from tracker.caller import Caller
from tracker.errors import Conflict
from tracker.events.record import record_many
from tracker.models import Event


@dataclass(slots=True)
class BatchResult:
    """What became of a batch. `notes`: (kind, text) of what was left as it is."""

    comments: int = 0
    history: int = 0
    relations: int = 0
    created_ids: set[uuid.UUID] = field(default_factory=set)
    held_ids: set[uuid.UUID] = field(default_factory=set)
    changed_ids: set[uuid.UUID] = field(default_factory=set)
    notes: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Rows:
    """What a batch will write, in this order."""

    issues: list[Issue] = field(default_factory=list)
    labels: list[IssueLabel] = field(default_factory=list)
    watchers: list[Watcher] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    aliases: list[IssueAlias] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


@dataclass(slots=True)
class _Past:
    """What is here of an issue's past."""

    events: list[Event] = field(default_factory=list)
    comments: dict[str, Comment] = field(default_factory=dict)

    @property
    def external_ids(self) -> set[str]:
        return {event.external_id for event in self.events if event.external_id}


@dataclass(slots=True)
class Batch:
    """Writes one batch inside the caller's transaction."""

    by: Caller
    source: str
    places: Mapping[str, Place]
    names: Names
    renumbered: Collection[str]
    relations_due: Sequence[RelationRecord]
    created_before: Collection[uuid.UUID]
    is_dry_run: bool
    result: BatchResult = field(default_factory=BatchResult)
    rows: _Rows = field(default_factory=_Rows)

    def write(self, records: Sequence[IssueRecord]) -> BatchResult:
        """Write the issues of these records and return what became of them."""
        held = self._lock(records)
        fresh = [record for record in records if record.external_id not in held]
        self._require_free_numbers(fresh)
        for record in fresh:
            self._create(record)
        pasts = _pasts([issue.pk for issue in held.values()])
        self.result.held_ids = {issue.pk for issue in held.values()}
        for record in records:
            if (issue := held.get(record.external_id)) and self._update(record, issue, pasts[issue.pk]):
                self.result.changed_ids.add(issue.pk)
        self._store(fresh)
        if not self.is_dry_run:
            index_issues(self.result.created_ids | self.result.changed_ids)
        self._link()
        return self.result

    def _lock(self, records: Sequence[IssueRecord]) -> dict[str, Issue]:
        """Return the issues that are there already, locked in the order of their ids, by external id."""
        found = Issue.objects.filter(
            source=self.source, external_id__in=[each.external_id for each in records]
        )
        if not self.is_dry_run:
            found = found.select_for_update(of=("self",))
        return {str(issue.external_id): issue for issue in found.order_by("pk")}

    def _require_free_numbers(self, fresh: Sequence[IssueRecord]) -> None:
        """Numbers were looked at in the plan; between then and now somebody may have taken one."""
        for project, numbers in _numbers_by_project(fresh, self.renumbered).items():
            place = self.places[project]
            taken = Issue.objects.filter(project_id=place.project.pk, number__in=numbers).values_list(
                "number", flat=True
            )
            if found := list(taken):
                raise Conflict(
                    f"Number {found[0]} of {project} was taken while the import ran. Import the file again."
                )

    # --- new issues ----------------------------------------------------------------------------------
    def _create(self, record: IssueRecord) -> None:
        place = self.places[record.project]
        issue_id = self.names.issues[record.key]
        number = self._number(record, place)
        key = f"{record.project}-{number}"
        log = Log(self.by, self.source, record, place, self.names, issue_id, key)
        comments = [(each, self._comment(each, issue_id)) for each in record.comments]
        log.arrive()
        log.happen(record.events, comments, comments)
        told = told_fields(record.fields, place, self.names)
        self._correct(log, fold((event.data, event.changes) for event in log.events), told)
        in_order = sorted(log.events, key=lambda event: event.at)
        life = lifecycle(in_order, resolved_at=record.resolved_at, updated_at=record.updated_at)
        self.rows.issues.append(
            Issue(
                id=issue_id,
                project_id=place.project.pk,
                number=number,
                version=log.version,
                created_at=record.created_at,
                updated_at=record.updated_at,
                activity_at=max(record.updated_at, in_order[-1].at),
                started_at=life.started_at,
                closed_at=life.closed_at,
                source=self.source,
                external_id=record.external_id,
                **columns(told, place),
            )
        )
        self.rows.labels += [
            IssueLabel(issue_id=issue_id, label_id=label) for label in label_ids(told, place)
        ]
        self.rows.watchers.append(
            Watcher(
                issue_id=issue_id, user_id=uuid.UUID(told["reporter"]["id"]), created_at=record.created_at
            )
        )
        self.rows.comments += [comment for _, comment in comments]
        self.rows.aliases += [IssueAlias(key=alias, issue_id=issue_id) for alias in record.aliases]
        self.rows.events += log.events
        self.result.comments += len(comments)
        self.result.history += len(record.events)
        self.result.created_ids.add(issue_id)

    def _number(self, record: IssueRecord, place: Place) -> int:
        """Return the number of the source, or the project's next one where that is taken and may differ."""
        if record.external_id not in self.renumbered:
            return record.number
        self.result.notes.append(("Issues with a new number", record.key))
        if self.is_dry_run:
            return record.number
        Project.objects.filter(pk=place.project.pk).update(next_number=F("next_number") + 1)
        return Project.objects.values_list("next_number", flat=True).get(pk=place.project.pk) - 1

    def _comment(self, record: CommentRecord, issue_id: uuid.UUID) -> Comment:
        return Comment(
            issue_id=issue_id,
            author=self.names.people[record.author],
            body=record.body,
            internal=record.is_internal,
            created_at=record.created_at,
            edited_at=record.edited_at,
            external_id=record.external_id,
        )

    def _correct(self, log: Log, reached: Told, told: Told) -> None:
        """Where history does not lead to the present (it was cut, names were changed), say so by an event."""
        changes = differences(reached, told)
        if not changes:
            return
        categories = None
        if "status" in changes:
            record = log.record
            old, new = (str(slug or "") for slug in changes["status"])
            categories = [
                category_of(log.place, old, record.initial_category),
                category_of(log.place, new, record.category),
            ]
        log.correct(changes, categories=categories)

    # --- issues that are here ------------------------------------------------------------------------
    def _update(self, record: IssueRecord, issue: Issue, past: _Past) -> bool:
        """Add what the file has and the issue lacks; of two changes of a field the later one counts."""
        place = self.places[record.project]
        if issue.project_id != place.project.pk:
            self.result.notes.append(("Issues that were moved, here or there (left as they are)", record.key))
            return False
        log = Log(
            self.by, self.source, record, place, self.names, issue.pk, f"{record.project}-{issue.number}",
            version=issue.version, reporter=str(issue.reporter_id),
            assignee=str(issue.assignee_id) if issue.assignee_id else None,
        )  # fmt: skip
        known = past.external_ids
        entries = [entry for entry in record.events if entry.external_id not in known]
        comments, edits = self._comment_changes(record, issue, past)
        log.happen(entries, comments, [*comments, *edits])
        brought = [event for event in past.events if event.source == self.by.source]
        reached = fold((event.data, event.changes) for event in _in_order(brought, log.events))
        self._correct(log, reached, told_fields(record.fields, place, self.names))
        if not log.events:
            return False
        self._rewrite(issue, record, log, past)
        self.rows.comments += [comment for _, comment in comments]
        self.rows.events += log.events
        self.result.comments += len(comments)
        self.result.history += len(entries)
        if not self.is_dry_run:
            for written, comment in edits:
                comment.body, comment.edited_at = written.body, written.edited_at
                comment.save(update_fields=["body", "edited_at"])
        return True

    def _comment_changes(
        self, record: IssueRecord, issue: Issue, past: _Past
    ) -> tuple[list[Written], list[Written]]:
        """Return the comments that are new, and those that were edited there since they came."""
        new: list[Written] = []
        edited: list[Written] = []
        for each in record.comments:
            comment = past.comments.get(each.external_id)
            if comment is None:
                new.append((each, self._comment(each, issue.pk)))
            elif each.edited_at and (comment.edited_at is None or each.edited_at > comment.edited_at):
                edited.append((each, comment))
        return new, edited

    def _rewrite(self, issue: Issue, record: IssueRecord, log: Log, past: _Past) -> None:
        """Let the row be what the whole log folds into, by time: the file's changes and those made here."""
        events = _in_order(past.events, log.events)
        told = fold((event.data, event.changes) for event in events)
        if told["status"] not in log.place.statuses:
            told["status"] = next(s.slug for s in log.place.statuses.values() if s.id == issue.status_id)
        life = lifecycle(events, resolved_at=record.resolved_at, updated_at=record.updated_at)
        values = columns(told, log.place) | {
            "version": log.version,
            "updated_at": max(issue.updated_at, record.updated_at),
            "activity_at": max(issue.activity_at, record.updated_at, *(event.at for event in log.events)),
            "started_at": life.started_at,
            "closed_at": life.closed_at,
        }
        if self.is_dry_run:
            return
        for name, value in values.items():
            setattr(issue, name, value)
        issue.save(update_fields=list(values))
        wanted = label_ids(told, log.place)
        held = set(IssueLabel.objects.filter(issue=issue).values_list("label_id", flat=True))
        IssueLabel.objects.filter(issue=issue, label__in=held - wanted).delete()
        self.rows.labels += [IssueLabel(issue_id=issue.pk, label_id=label) for label in wanted - held]

    # --- writing -------------------------------------------------------------------------------------
    def _store(self, fresh: Sequence[IssueRecord]) -> None:
        if self.is_dry_run:
            return
        rows = self.rows
        Issue.objects.bulk_create(rows.issues)
        IssueLabel.objects.bulk_create(rows.labels, batch_size=500)
        Watcher.objects.bulk_create(rows.watchers)
        Comment.objects.bulk_create(rows.comments, batch_size=500)
        self._store_aliases(fresh)
        record_many(rows.events)

    def _store_aliases(self, fresh: Sequence[IssueRecord]) -> None:
        """A key is an alias only as long as no issue has it, and of one issue."""
        IssueAlias.objects.filter(key__in=[record.key for record in fresh]).delete()
        wanted = {alias.key: alias for alias in self.rows.aliases if alias.key not in self.names.issues}
        live = {key for key in wanted if _is_live(key)}
        held = set(IssueAlias.objects.filter(key__in=wanted).values_list("key", flat=True))
        IssueAlias.objects.bulk_create(alias for key, alias in wanted.items() if key not in live | held)

    def _link(self) -> None:
        """Make the relations that are due."""
        made, touched = link_imported(
            self.relations_due,
            by=self.by,
            ids=self.names.issues,
            created=self.result.created_ids | set(self.created_before),
            dry_run=self.is_dry_run,
        )
        self.result.relations += made
        self.result.changed_ids |= touched


def _numbers_by_project(fresh: Sequence[IssueRecord], renumbered: Collection[str]) -> dict[str, list[int]]:
    numbers: dict[str, list[int]] = defaultdict(list)
    for record in fresh:
        if record.external_id not in renumbered:
            numbers[record.project].append(record.number)
    return numbers


def _pasts(issue_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, _Past]:
    """Read what the log and the comments have of these issues, in two queries."""
    pasts: dict[uuid.UUID, _Past] = defaultdict(_Past)
    for event in Event.objects.filter(issue_id__in=issue_ids).order_by("at", "order"):
        if event.issue_id:
            pasts[event.issue_id].events.append(event)
    comments: Any = Comment.objects.filter(issue__in=issue_ids, external_id__isnull=False).defer("body")
    for comment in comments:
        pasts[comment.issue_id].comments[comment.external_id] = comment
    return pasts


def _in_order(held: Sequence[Event], new: Sequence[Event]) -> list[Event]:
    """Return events by time; of one time those that are held first, as the log's own order has it."""
    return sorted([*held, *new], key=lambda event: event.at)


def _is_live(key: str) -> bool:
    project, _, number = key.rpartition("-")
    return Issue.objects.filter(Q(project__key=project), number=int(number)).exists()

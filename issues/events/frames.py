"""Events as receivers get them: on sockets, in the event stream and from `GET events`, the same frame.

A `Batch` holds what the frames of some events need, read once for all receivers; a frame is then made for
each receiver, or each group of receivers with equal rights, in memory.
"""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypedDict

import orjson
from django.db.models import Aggregate, OuterRef, Subquery, TextField

from accounts.models import User
from accounts.people import PersonRow, people
from issues.catalog import Catalog, catalog
from issues.events.audience import Place, Sight, View, sight_of, view_of
from issues.events.verbs import VERBS, EventName, Verb
from issues.history_rows import ChangeSight, comment_rows, named_issues
from issues.models import Comment, Issue, IssueLabel, Watcher
from issues.rows import COLUMNS, Lookup, Row, event_row
from issues.scope import NOTHING, IssueFacts, Scope
from tracker.clock import iso
from tracker.models import Event
from tracker.versions import Versions, remember

_NAMED: Final = frozenset({"parent", "relations", "project", "key"})


class Actor(TypedDict):
    """Who did it."""

    id: str
    name: str


@dataclass(slots=True)
class Frame:
    """One event as one receiver, or many with equal rights, get it."""

    seq: int
    event: str
    body: Row
    _json: bytes = b""

    @property
    def json(self) -> bytes:
        """The body in UTF-8, written once however many receivers there are."""
        if not self._json:
            self.write()
        return self._json

    def write(self) -> None:
        """Write the body now, in this thread."""
        self._json = orjson.dumps(self.body)


class Joined(Aggregate):
    """The values of a column in one text, between commas."""

    function = "GROUP_CONCAT"
    output_field = TextField()
    allow_distinct = False

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """Return `string_agg`."""
        return self.as_sql(compiler, connection, template="STRING_AGG(%(expressions)s::text, ',')", **extra)


@dataclass(slots=True)
class Known:
    """What was read of an issue."""

    row: Row
    facts: IssueFacts
    place: Place


@dataclass(slots=True)
class Batch:
    """Some events with all that their frames need; `load` reads it in at most two queries, names of people
    and the catalog apart where they are not in memory."""

    events: Sequence[Event]
    issues: dict[uuid.UUID, Known] = field(default_factory=dict)
    comments: dict[uuid.UUID, Row] = field(default_factory=dict)
    actors: dict[uuid.UUID, PersonRow] = field(default_factory=dict)
    sights: dict[int, Sight] = field(default_factory=dict)
    catalog: Catalog = field(default_factory=Catalog)

    @classmethod
    def load(cls, events: Sequence[Event], *, versions: Versions) -> "Batch":
        """Read the issues, comments and people that these events tell of, as they are now."""
        reader = User(is_active=False)  # reads for many: nobody's rights, only the versions
        remember(reader, versions)
        batch = cls(events, catalog=catalog(versions))
        told = [event for event in events if event.verb in VERBS and not VERBS[event.verb].is_audit]
        ids = {event.issue_id for event in told if event.issue_id}
        ids.update(named for event in told for named in named_issues(event.changes))
        batch._read_issues(ids, reader, versions)
        batch._read_comments([event for event in told if VERBS[event.verb].is_comment], reader)
        batch.actors = people({event.actor_id for event in told}, versions=versions)
        for event in told:
            known = batch.issues.get(event.issue_id) if event.issue_id else None
            watchers = known.facts.watcher_ids if known else frozenset()
            if (sight := sight_of(event, watcher_ids=watchers)) is not None:
                batch.sights[event.order] = sight
        return batch

    def view(self, event: Event, scope: Scope) -> View:
        """Return how much of the event this scope is shown."""
        known = self.issues.get(event.issue_id) if event.issue_id else None
        return view_of(
            event, scope=scope, now=known.facts if known else None, sight=self.sights.get(event.order)
        )

    def frame(self, event: Event, scope: Scope) -> Frame | None:
        """Return the event as this scope gets it; None where it is not for them."""
        view = self.view(event, scope)
        if view is View.NOTHING:
            return None
        verb, known = VERBS[event.verb], self.issues.get(event.issue_id) if event.issue_id else None
        if view is View.GONE or known is None:
            sight = self.sights.get(event.order)
            return self._gone(event, event.issue_key if sight is None else sight.key)
        name = verb.event or EventName.ISSUE_UPDATED
        is_deleted = name is EventName.ISSUE_DELETED
        issue = {"id": known.row["id"], "key": known.row["key"]} if is_deleted else known.row
        body = self._head(event, name) | {"issue": issue, "changes": self._changes(event, scope)}
        if verb.is_comment:
            body["comment"] = self._comment(event, verb, known)
        return Frame(event.seq or 0, name.value, body)

    def places(self, event: Event) -> list[Place]:
        """Return where the issue is and, for one that went, where it was."""
        found = []
        if event.issue_id in self.issues:
            found.append(self.issues[event.issue_id].place)
        if (sight := self.sights.get(event.order)) is not None:
            found.append(Place(sight.before.project_id, sight.team_id))
        return found

    # --- reading -------------------------------------------------------------------------------------
    def _read_issues(self, ids: Collection[uuid.UUID], reader: User, versions: Versions) -> None:
        if not ids:
            return
        columns = (*COLUMNS[:-1], "trashed_at")
        own = Issue.objects.filter(pk__in=ids).annotate(
            label_ids=_joined(IssueLabel, "label_id"), watcher_ids=_joined(Watcher, "user_id")
        )
        values = list(own.values_list(*columns, "label_ids", "watcher_ids"))
        persons = people({person for item in values for person in (item[8], item[9])}, versions=versions)
        look = Lookup(reader, NOTHING, self.catalog, persons, {}, {})
        for item in values:
            look.labels[item[0]] = self._label_names(item[-2], look)
            self.issues[item[0]] = Known(
                row=event_row(item, look),
                facts=IssueFacts(item[1], item[8], item[9], frozenset(_ids(item[-1])), item[-3] is not None),
                place=Place(item[1], item[13]),
            )
        self.catalog = look.catalog

    @staticmethod
    def _label_names(joined: str | None, look: Lookup) -> list[str]:
        ids = list(_ids(joined))
        if any(label_id not in look.catalog.labels for label_id in ids):
            look.refresh()
        names = (look.catalog.labels[label_id].name for label_id in ids if label_id in look.catalog.labels)
        return sorted(names, key=str.casefold)

    def _read_comments(self, events: Sequence[Event], reader: User) -> None:
        ids = {event.subject_id for event in events if event.subject_id}
        if not ids:
            return
        found = list(Comment.objects.filter(pk__in=ids, issue__in=list(self.issues)))
        for comment in found:
            key = self.issues[comment.issue_id].row["key"]
            self.comments[comment.pk] = comment_rows([comment], user=reader, key=key)[0]

    # --- the parts of a frame ------------------------------------------------------------------------
    def _head(self, event: Event, name: EventName) -> Row:
        person = self.actors.get(event.actor_id) if event.actor_id else None
        return {
            "type": "event",
            "seq": event.seq,
            "event": name.value,
            "verb": event.verb,
            "at": iso(event.at),
            "actor": Actor(id=person["id"], name=person["name"]) if person else None,
        }

    def _gone(self, event: Event, key: str) -> Frame:
        name = EventName.ISSUE_DELETED
        body = self._head(event, name) | {"issue": {"id": str(event.issue_id), "key": key}, "changes": {}}
        return Frame(event.seq or 0, name.value, body)

    def _changes(self, event: Event, scope: Scope) -> dict[str, list[Any]]:
        """Return the changes without the names of issues and projects that are hidden from this scope."""
        if _NAMED.isdisjoint(event.changes):
            whole: dict[str, list[Any]] = event.changes
            return whole
        keys = frozenset(
            info.key for key in scope.project_ids if (info := self.catalog.projects.get(key)) is not None
        )
        named = {
            issue_id: self.issues[issue_id].row["key"]
            for issue_id in named_issues(event.changes)
            if issue_id in self.issues and self._shows(issue_id, scope)
        }
        shown: dict[str, list[Any]] = ChangeSight(scope, keys, named).visible(event.changes)
        return shown

    def _shows(self, issue_id: uuid.UUID, scope: Scope) -> bool:
        facts = self.issues[issue_id].facts
        return not facts.is_trashed and scope.covers(facts)

    def _comment(self, event: Event, verb: Verb, known: Known) -> Row:
        """Return the comment as it is now; one of which no row is left is an empty, deleted one."""
        row = self.comments.get(event.subject_id) if event.subject_id else None
        if row is not None:
            return row
        return {
            "id": str(event.subject_id) if event.subject_id else None,
            "issue": known.row["key"],
            "body": "",
            "author": None,
            "parent": None,
            "internal": event.internal,
            "created_at": iso(event.at) if verb.event is EventName.COMMENT_ADDED else None,
            "edited_at": None,
            "deleted": True,
            "reactions": [],
        }


def _joined(model: Any, column: str) -> Subquery:
    rows = model.objects.filter(issue=OuterRef("pk")).order_by().values("issue")
    return Subquery(rows.annotate(joined=Joined(column)).values("joined"))


def _ids(joined: str | None) -> Iterable[uuid.UUID]:
    return (uuid.UUID(text) for text in joined.split(",")) if joined else ()

"""Comments, history and timeline of an issue as every reader gets them.

What is hidden from the reader stays out: internal comments, and inside a change the names of issues and
projects that they may not see.
"""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q

from accounts.models import User
from accounts.people import people
from issues.catalog import catalog
from issues.models import Comment
from issues.querysets import CommentQuerySet
from issues.refs import parse_uuid
from issues.rows import Row, visible_keys
from issues.scope import Scope, scope_of
from tracker.clock import iso
from tracker.models import Event
from tracker.versions import versions_of

ISSUE_VERBS: Final = Q(verb__startswith="issue.")
ATTACHMENT_VERBS: Final = Q(verb__startswith="attachment.")
NOT_FIELD_VERBS: Final = (
    "issue.created", "issue.imported", "issue.trashed", "issue.restored", "issue.purged", "issue.merged",
    "issue.linked", "issue.unlinked",
)  # fmt: skip


# --- comments ----------------------------------------------------------------------------------------
def shown_comments(comments: CommentQuerySet, *, user: User) -> CommentQuerySet:
    """Leave out deleted comments, but for those that have an answer which this person sees."""
    answers = Comment.objects.filter(parent=OuterRef("pk"), deleted_at__isnull=True)
    if not scope_of(user).reads_internal:
        answers = answers.filter(internal=False)
    return comments.filter(Q(deleted_at__isnull=True) | Exists(answers))


def comment_rows(comments: Iterable[Comment], *, user: User, key: str | None = None) -> list[Row]:
    """Return comments as the API shows them. `key`: of their issue where they all have one.

    Without `key` the comments come with their issue selected.
    """
    listed = list(comments)
    versions = versions_of(user)
    names = people({comment.author_id for comment in listed}, versions=versions)
    projects = catalog(versions).projects
    return [
        {
            "id": str(comment.pk),
            "issue": key or f"{projects[comment.issue.project_id].key}-{comment.issue.number}",
            "body": "" if comment.deleted_at else comment.body,
            "author": names.get(comment.author_id),
            "parent": str(comment.parent_id) if comment.parent_id else None,
            "internal": comment.internal,
            "created_at": iso(comment.created_at),
            "edited_at": iso(comment.edited_at),
            "deleted": comment.deleted_at is not None,
            "reactions": [],
        }
        for comment in listed
    ]


# --- history -----------------------------------------------------------------------------------------
def history_events(issue_id: uuid.UUID) -> Any:
    """Return the changes of an issue's fields alone, the oldest first."""
    events = Event.objects.filter(ISSUE_VERBS, issue_id=issue_id).exclude(verb__in=NOT_FIELD_VERBS)
    return events.order_by("at", "order")


def timeline_events(issue_id: uuid.UUID) -> Any:
    """Return everything that happened to an issue but its comments, the oldest first."""
    return Event.objects.filter(ISSUE_VERBS | ATTACHMENT_VERBS, issue_id=issue_id).order_by("at", "order")


def history_rows(events: Iterable[Event], *, user: User) -> list[Row]:
    """Return events as rows of history; at most two queries, for people and for issues that they name."""
    listed = list(events)
    names = people({event.actor_id for event in listed}, versions=versions_of(user))
    sight = ChangeSight.of(listed, user=user)
    return [_history_row(event, names, sight) for event in listed]


def _history_row(event: Event, names: dict[uuid.UUID, Any], sight: "ChangeSight") -> Row:
    person = names.get(event.actor_id) if event.actor_id else None
    row: Row = {
        "id": str(event.id),
        "seq": event.seq,
        "at": iso(event.at),
        "actor": {"id": person["id"], "name": person["name"]} if person else None,
        "verb": event.verb,
        "changes": sight.visible(event.changes),
    }
    if "categories" in event.data:
        row["categories"] = event.data["categories"]
    return row


class ChangeSight:
    """Which of the issues and projects that changes name the reader may see."""

    def __init__(self, scope: Scope, project_keys: frozenset[str], issue_keys: dict[uuid.UUID, str]) -> None:
        self._scope, self._project_keys, self._issue_keys = scope, project_keys, issue_keys

    @classmethod
    def of(cls, events: Sequence[Event], *, user: User) -> "ChangeSight":
        """Read what the changes of these events name, in one query, none where they name nothing."""
        scope, projects = scope_of(user), catalog(versions_of(user)).projects
        named = {issue_id for event in events for issue_id in named_issues(event.changes)}
        keys = frozenset(projects[key].key for key in scope.project_ids if key in projects)
        return cls(scope, keys, visible_keys(named, user=user))

    def visible(self, changes: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """Return the changes without names of what is hidden."""
        return {name: [self._value(name, value) for value in pair] for name, pair in changes.items()}

    def _value(self, name: str, value: Any) -> Any:
        if name == "parent" and isinstance(value, dict):
            return self._issue(value)
        if name == "relations" and isinstance(value, dict) and isinstance(value.get("issue"), dict):
            seen = self._issue(value["issue"])
            return {**value, "issue": seen} if seen else None
        if name == "project" and isinstance(value, str):
            return value if value in self._project_keys else None
        if name == "key" and isinstance(value, str):
            return value if value.rpartition("-")[0] in self._project_keys else None
        return value

    def _issue(self, value: dict[str, Any]) -> dict[str, Any] | None:
        issue_id = parse_uuid(value.get("id"))
        if issue_id is None:
            return value
        key = self._issue_keys.get(issue_id)
        return {"id": str(issue_id), "key": key} if key else None


def named_issues(changes: dict[str, list[Any]]) -> Iterable[uuid.UUID]:
    """Return the issues that a change names: parents and the other end of relations."""
    for name in ("parent", "relations"):
        for value in changes.get(name, ()):
            issue = value.get("issue", value) if isinstance(value, dict) else None
            issue_id = parse_uuid(issue.get("id")) if isinstance(issue, dict) else None
            if issue_id is not None:
                yield issue_id

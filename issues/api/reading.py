"""How the views of issues read: rows for a page, and what `include` adds to one issue."""

import uuid
from typing import Any, Final

from django.db.models import Q, QuerySet

from accounts.models import User
from issues.attachment_rows import attachment_rows
from issues.history_rows import comment_rows, history_events, history_rows, shown_comments
from issues.models import Attachment, Comment, Issue, Relation, RelationType
from issues.refs import find_issue
from issues.rows import COLUMNS, Row, rows_of_values, visible_keys
from issues.services.relations import OTHER_SIDE
from tracker.api.pagination import Rows

MAX_INCLUDED: Final = 100


def visible_issue(ref: uuid.UUID | str, *, user: User) -> Issue:
    """Return the issue that a path names. Raises `NotFound`."""
    return find_issue(ref, user=user, among=Issue.objects.visible_to(user))


def rows_for(user: User, *, description: bool) -> Rows:
    """Return the row builder for a page of issues."""
    columns = COLUMNS if description else COLUMNS[:-1]

    def build(queryset: QuerySet[Any], extra: tuple[str, ...]) -> list[tuple[Row, tuple[Any, ...]]]:
        values = list(queryset.values_list(*columns, *extra))
        rows = rows_of_values(values, user=user, description=description)
        return [(row, item[len(columns) :]) for row, item in zip(rows, values, strict=True)]

    return build


def included(issue: Issue, key: str, names: frozenset[str], *, user: User) -> Row:
    """Return the parts of one issue that `include` asks for, the first 100 rows of each."""
    parts: Row = {}
    if "comments" in names:
        comments = comments_of(issue, user=user).order_by("created_at", "id")[:MAX_INCLUDED]
        parts["comments"] = comment_rows(comments, user=user, key=key)
    if "history" in names:
        parts["history"] = history_rows(history_events(issue.pk)[:MAX_INCLUDED], user=user)
    if "attachments" in names:
        attachments = Attachment.objects.filter(issue=issue).order_by("created_at", "id")[:MAX_INCLUDED]
        parts["attachments"] = attachment_rows(attachments, user=user, key=key)
    if "relations" in names:
        parts["relations"] = relation_rows(issue, user=user)[:MAX_INCLUDED]
    return parts


def comments_of(issue: Issue, *, user: User) -> Any:
    """Return the comments of an issue that this person sees, in no order."""
    return shown_comments(Comment.objects.visible_to(user).filter(issue=issue), user=user)


def relation_rows(issue: Issue, *, user: User) -> list[Row]:
    """Return the links of an issue to issues that this person sees, the oldest first; two queries."""
    links = list(Relation.objects.filter(Q(source=issue) | Q(target=issue)).order_by("created_at", "id"))
    others = {link.pk: link.target_id if link.source_id == issue.pk else link.source_id for link in links}
    keys = visible_keys(others.values(), user=user)
    return [
        {
            "id": str(link.pk),
            "type": str(link.type) if link.source_id == issue.pk else OTHER_SIDE[RelationType(link.type)],
            "issue": {"id": str(others[link.pk]), "key": keys[others[link.pk]]},
        }
        for link in links
        if others[link.pk] in keys
    ]

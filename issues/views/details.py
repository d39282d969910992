"""What the page of an issue shows of it beside the timeline."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from issues import markdown, policy
from issues.catalog import StatusInfo
from issues.history_rows import comment_rows
from issues.models import Comment, Issue
from issues.refs import parse_uuid
from issues.rows import Row, issue_row, issue_rows
from issues.scope import scope_of
from issues.services.issues import next_statuses
from issues.views.cards import Card, Mark, cards, label_marks, priority_words, severity_words, type_words
from issues.views.found import Found
from issues.views.moments import Moments

MOST_CHILDREN = 100


@dataclass(frozen=True, slots=True)
class Property:
    """A line of the properties; `href` where the value leads somewhere."""

    label: str
    value: SafeString | str
    href: str = ""
    is_empty: bool = False


@dataclass(frozen=True, slots=True)
class Quoted:
    """A comment that is about to be answered."""

    id: str
    person: str
    body: str
    internal: bool


@dataclass(frozen=True, slots=True)
class Details:
    """An issue, formatted, with what its reader may do."""

    id: uuid.UUID
    key: str
    title: str
    version: int
    project_key: str
    project_name: str
    status: str
    category: str
    reporter: str
    created: SafeString | str
    updated: SafeString | str
    description: SafeString | str
    labels: list[Mark]
    properties: list[Property]
    children: list[Card]
    next_statuses: list[StatusInfo]
    is_trashed: bool
    is_archived: bool
    may_edit: bool
    may_take: bool
    may_move: bool
    may_trash: bool


def details_of(found: Found, *, user: Any, moments: Moments) -> Details:
    """Return the issue as its page shows it; a query for its labels, its parent and its children each."""
    issue, scope = found.issue, scope_of(user)
    row = issue_row(issue, user=user)
    editable = policy.editable_fields(scope, issue, found.status) if found.is_active else frozenset()
    only_taking = policy.may_only_take(scope, issue)
    return Details(
        id=issue.pk,
        key=found.key,
        title=row["title"],
        version=row["version"],
        project_key=found.project.key,
        project_name=found.project.name,
        status=row["status"]["name"],
        category=row["status"]["category"],
        reporter=row["reporter"]["name"] if row["reporter"] else "",
        created=moments.time(issue.created_at),
        updated=moments.time(issue.updated_at),
        description=markdown.render(row["description"]),
        labels=label_marks(row, user=user),
        properties=_properties(row, moments),
        children=_children(issue, user=user, moments=moments),
        next_statuses=[status for status, _requires in next_statuses(issue, user=user)]
        if found.is_active
        else [],
        is_trashed=issue.trashed_at is not None,
        is_archived=found.project.archived_at is not None,
        may_edit=bool(editable - {"status"} - ({"assignee"} if only_taking else set())),
        may_take="assignee" in editable and issue.assignee_id != user.pk,
        may_move=found.is_active and policy.can_move(scope),
        may_trash=policy.can_trash(scope) and found.project.archived_at is None,
    )


def quoted_comment(text: str, found: Found, *, user: Any) -> Quoted | None:
    """Return the comment of this issue that is about to be answered, None where there is none."""
    comment_id = parse_uuid(text)
    if comment_id is None:
        return None
    visible = Comment.objects.visible_to(user).filter(
        issue=found.issue, pk=comment_id, deleted_at__isnull=True
    )
    rows = comment_rows(visible, user=user, key=found.key)
    if not rows:
        return None
    row = rows[0]
    return Quoted(row["id"], row["author"]["name"] if row["author"] else "", row["body"], row["internal"])


def _properties(row: Row, moments: Moments) -> list[Property]:
    due = moments.day(row["due_date"])
    lines = [
        _named(_("Assignee"), row["assignee"], _("Nobody")),
        Property(_("Priority"), priority_words(row["priority"]), is_empty=row["priority"] == "none"),
        Property(_("Severity"), severity_words(row["severity"])),
        Property(_("Type"), type_words(row["type"])),
        _named(_("Milestone"), row["milestone"], _("No milestone")),
    ]
    optional = [
        _named(_("Cycle"), row["cycle"], ""),
        _named(_("Team"), row["team"], ""),
        _plain(_("Estimate"), "" if row["estimate"] is None else str(row["estimate"])),
        _plain(_("Due"), due),
        _plain(_("Department"), row["department"]),
        _plain(_("Parent"), row["parent"]["key"] if row["parent"] else "", is_issue=True),
        _plain(_("Started"), moments.time(row["started_at"])),
        _plain(_("Closed"), moments.time(row["closed_at"])),
    ]
    return lines + [line for line in optional if line.value]


def _named(label: str, value: Row | None, empty: str) -> Property:
    return Property(label, value["name"] if value else empty, is_empty=value is None)


def _plain(label: str, value: SafeString | str, *, is_issue: bool = False) -> Property:
    return Property(label, value, href=f"/issues/{value}/" if is_issue and value else "")


def _children(issue: Issue, *, user: Any, moments: Moments) -> list[Card]:
    below = Issue.objects.visible_to(user).filter(parent=issue).order_by("created_at", "pk")
    return cards(issue_rows(below[:MOST_CHILDREN], user=user), user=user, moments=moments)

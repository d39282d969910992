"""Whether a project may still be written: asked of the database, with the lock on the issue."""

from typing import Any, Final

from django.db import connection
from django.db.models import DateTimeField
from django.db.models.expressions import RawSQL

from issues.models import Issue
from issues.querysets import IssueQuerySet
from tracker.errors import Conflict

_ARCHIVED_AT: Final = (
    "SELECT held.archived_at FROM issues_project held WHERE held.id = issues_issue.project_id"
)


def locked(issues: IssueQuerySet) -> IssueQuerySet:
    """Lock the rows of a queryset until commit, and keep their projects as active or archived as they are.

    On PostgreSQL the projects are held by `FOR KEY SHARE`: many writers hold it beside each other and beside
    the counter's update; only `archive_project` waits for them, and they for it. SQLite has one writer.
    """
    share = " FOR KEY SHARE" if connection.vendor == "postgresql" else ""
    held = RawSQL(_ARCHIVED_AT + share, [], output_field=DateTimeField(null=True))  # noqa: S611 — a constant
    rows: Any = issues.annotate(project_archived_at=held).select_for_update(of=("self",))
    return rows  # type: ignore[no-any-return]


def require_active(issue: Issue) -> None:
    """Refuse with `Conflict` where the project of an issue that `locked` returned is archived."""
    if issue.project_archived_at is not None:
        raise Conflict(f"Project {issue.project.key} is archived and can only be read.")

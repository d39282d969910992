"""Takes issues out of the trash for good, when they have been there for `KEPT`.

Of a purged issue the log keeps what happened, when and by whom; the texts in it are blanked.
"""

import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q

from issues.models import Attachment, Comment, Issue, Watcher
from issues.policy import TEXT_FIELDS
from issues.services.attachments import keys_of
from issues.services.search_documents import forget_issues
from tracker import clock
from tracker.events.guard import BLANKED
from tracker.events.record import record
from tracker.files.storage import drop_after_commit
from tracker.models import Event

KEPT: Final = timedelta(days=30)
_TEXTS: Final = TEXT_FIELDS | {"filename"}


def purge_trash(
    *, at: datetime | None = None, each: Callable[[], AbstractContextManager[None]] = transaction.atomic
) -> int:
    """Purge what has been in the trash for `KEPT`, each issue in a transaction of its own; return how many.

    `each` makes these transactions. May run twice, also at once, and from the middle.
    """
    before, count = (at or clock.now()) - KEPT, 0
    due = Issue.objects.filter(trashed_at__lte=before).order_by("trashed_at", "pk")
    for issue_id in list(due.values_list("pk", flat=True)):
        with each():
            count += purge_issue(issue_id, before=before)
    return count


@transaction.atomic
def purge_issue(issue_id: uuid.UUID, *, before: datetime) -> bool:
    """Delete an issue that is in the trash since `before` or longer, and say so in the log.

    The system itself does this, not a person. Issues below it lose their parent. Locks the issue and those
    below it, by id. Returns whether it was still there.
    """
    ids = Issue.objects.filter(Q(pk=issue_id) | Q(parent=issue_id)).values("pk")
    locked = list(Issue.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk"))
    issue = next((each for each in locked if each.pk == issue_id), None)
    if issue is None or issue.trashed_at is None or issue.trashed_at > before:
        return False
    key = f"{issue.project.key}-{issue.number}"
    for child in locked:
        if child.parent_id == issue.pk:
            _orphan(child, key=key)
    sight = _sight(issue, key=key)
    Comment.objects.filter(issue=issue).update(parent=None)
    Comment.objects.filter(issue=issue).delete()
    drop_after_commit([key for each in Attachment.objects.filter(issue=issue) for key in keys_of(each)])
    project_id, version = issue.project_id, issue.version
    forget_issues([issue_id])
    issue.delete()
    _blank(issue_id)
    record(
        by=None,
        verb="issue.purged",
        project_id=project_id,
        issue_id=issue_id,
        issue_key=key,
        version=version,
        data={"sight": {"before": sight, "after": None}},
    )
    return True


def _orphan(child: Issue, *, key: str) -> None:
    """Take the parent off an issue, which is a change of it like any other."""
    parent = {"id": str(child.parent_id), "key": key}
    child.parent = None
    child.version += 1
    child.updated_at = child.activity_at = max(clock.now(), child.activity_at)
    child.save(update_fields=["parent", "version", "updated_at", "activity_at"])
    record(
        by=None,
        verb="issue.parent_changed",
        project_id=child.project_id,
        issue_id=child.pk,
        issue_key=f"{child.project.key}-{child.number}",
        version=child.version,
        changes={"parent": [parent, None]},
        at=child.activity_at,
    )


def _sight(issue: Issue, *, key: str) -> dict[str, Any]:
    """Return who could see the issue, as the log keeps it for those who are still to be told."""
    watchers = Watcher.objects.filter(issue=issue).values_list("user_id", flat=True)
    return {
        "project": str(issue.project_id),
        "reporter": str(issue.reporter_id),
        "assignee": str(issue.assignee_id) if issue.assignee_id else None,
        "team": str(issue.team_id) if issue.team_id else None,
        "watchers": [str(user_id) for user_id in watchers],
        "key": key,
    }


def _blank(issue_id: uuid.UUID) -> None:
    """Blank the texts that the events of the issue hold, what an import kept of the source's among them."""
    for event in Event.objects.filter(issue_id=issue_id):
        changes = {name: [None, None] if name in _TEXTS else pair for name, pair in event.changes.items()}
        data = {name: _BLANKED.get(name, _same)(value) for name, value in event.data.items()}
        if (changes, data) != (event.changes, event.data):
            Event.objects.filter(pk=event.pk).update(changes=changes, data=data | {BLANKED: True})


def _same(value: Any) -> Any:
    return value


_BLANKED: Final[Mapping[str, Callable[[Any], Any]]] = {
    "initial": lambda values: {name: value for name, value in values.items() if name not in TEXT_FIELDS},
    "fields": lambda entries: [entry | {"from": None, "to": None} for entry in entries],
    "original": lambda _values: {},
}

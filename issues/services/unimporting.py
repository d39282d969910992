"""Takes issues that an import made back: into the trash, with their external ids freed."""

import uuid
from collections.abc import Mapping
from datetime import datetime

from issues.models import Issue
from tracker.caller import Caller
from tracker.events.record import record_many
from tracker.models import Event


def trash_imported(
    as_left: Mapping[uuid.UUID, tuple[int, datetime]], *, by: Caller
) -> tuple[set[uuid.UUID], list[uuid.UUID]]:
    """Trash issues that are still as an import left them (version, time of the latest activity).

    Returns the ids of those that were trashed, and of those that somebody changed, which stay. In
    the caller's transaction; locks the issues by id. That the caller may undo the import was settled before.
    """
    found = Issue.objects.filter(pk__in=as_left, trashed_at__isnull=True).order_by("pk")
    issues = list(found.select_for_update(of=("self",)).select_related("project").defer("description"))
    kept = [issue for issue in issues if (issue.version, issue.activity_at) != as_left[issue.pk]]
    going = [issue for issue in issues if (issue.version, issue.activity_at) == as_left[issue.pk]]
    for issue in going:
        issue.trashed_at = issue.activity_at = max(by.now, issue.activity_at)
        issue.external_id = None
    Issue.objects.bulk_update(going, ["trashed_at", "activity_at", "external_id"], batch_size=200)
    record_many(_event(issue, by=by) for issue in going)
    return {issue.pk for issue in going}, [issue.pk for issue in kept]


def _event(issue: Issue, *, by: Caller) -> Event:
    return Event(
        verb="issue.trashed", actor_id=by.actor.pk, source=by.source, cause_id=by.cause, at=issue.activity_at,
        request_id=by.request_id, project_id=issue.project_id, issue_id=issue.pk,
        issue_key=f"{issue.project.key}-{issue.number}", version=issue.version,
    )  # fmt: skip

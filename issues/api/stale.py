"""What a refused version is told: the issue as it is now, and what happened to it since."""

from typing import Any

from issues.api.reading import MAX_INCLUDED
from issues.history_rows import history_events, history_rows
from issues.models import Issue
from issues.rows import issue_row
from tracker.errors import Stale


def stale_details(failure: Stale, user: Any) -> dict[str, Any]:
    """Return `current` and `changes` (history rows since the expected version, the oldest first).

    Where the issue went out of sight meanwhile there is nothing to tell.
    """
    issue = Issue.objects.visible_to(user).filter(pk=failure.issue_id).first()
    if issue is None:
        return {}
    since = history_events(issue.pk).filter(version__gt=failure.expected or 0)
    return {
        "current": issue_row(issue, user=user),
        "changes": history_rows(since[:MAX_INCLUDED], user=user),
    }

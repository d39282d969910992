"""The state of an issue as the log tells it, and as the tables have it: the two are equal."""

from collections.abc import Sequence
from typing import Any, Final

from accounts.models import User
from issues.models import Issue
from issues.rows import issue_row
from tracker.models import Event

FOLDED: Final[Sequence[str]] = (
    "type", "status", "severity", "priority", "assignee", "labels", "milestone", "cycle", "parent", "team",
    "estimate", "due_date", "department",
)  # fmt: skip


def folded(issue: Issue) -> dict[str, Any]:
    """Fold the issue's events, by (time, order), into the values of its fields."""
    state: dict[str, Any] = dict.fromkeys(FOLDED)
    state["labels"] = []
    for event in Event.objects.filter(issue_id=issue.pk, verb__startswith="issue.").order_by("at", "order"):
        if "initial" in event.data:
            state |= {name: value for name, value in event.data["initial"].items() if name in FOLDED}
        for name, (_, after) in event.changes.items():
            if name in FOLDED:
                state[name] = after
    return state


def told(issue: Issue, *, user: User) -> dict[str, Any]:
    """Return the same fields as the tables have them, in the words of events, for somebody who sees all."""
    row = issue_row(issue, user=user)
    state: dict[str, Any] = {name: row[name] for name in FOLDED}
    state["status"] = row["status"]["slug"]
    state["department"] = row["department"] or None
    if row["assignee"]:
        state["assignee"] = {"id": row["assignee"]["id"], "name": row["assignee"]["name"]}
    return state

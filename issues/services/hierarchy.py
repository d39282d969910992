"""Parents: locked together, at most eight deep, never in a circle."""

import uuid
from typing import Final

from issues.models import Issue
from tracker.errors import Conflict

MAX_DEPTH: Final = 8


def ancestors(issue_id: uuid.UUID) -> list[uuid.UUID]:
    """Return the issue and what is above it, the nearest first; stops where it would turn in a circle."""
    chain: list[uuid.UUID] = []
    current: uuid.UUID | None = issue_id
    while current is not None and current not in chain:
        chain.append(current)
        current = Issue.objects.filter(pk=current).values_list("parent_id", flat=True).first()
    return chain


def check_parent(issue_id: uuid.UUID | None, parent_id: uuid.UUID) -> None:
    """Refuse a parent that is below the issue, or a tree deeper than `MAX_DEPTH`. Raises `Conflict`.

    The caller holds the locks of the issue and of the parent's ancestors.
    """
    above = ancestors(parent_id)
    if issue_id is not None and issue_id in above:
        raise Conflict("The parent is below this issue: that would be a circle.")
    if len(above) + (_height(issue_id) if issue_id else 1) > MAX_DEPTH:
        raise Conflict(f"Issues may be nested at most {MAX_DEPTH} deep.")


def _height(issue_id: uuid.UUID) -> int:
    """Return how many levels the issue and what is below it have, counted no further than needed."""
    level, height = [issue_id], 0
    while level and height <= MAX_DEPTH:
        height += 1
        level = list(Issue.objects.filter(parent__in=level).values_list("id", flat=True))
    return height

"""Issues that may be about the same, by their titles, closed ones included."""

import uuid
from typing import Any, Final

from issues.models import Issue
from issues.search.backend import backend
from issues.search.similarity import Scored
from issues.search.text import tokens

MOST: Final = 10
_SHORTEST: Final = 2


def similar_issues(title: str, *, user: Any, project_id: uuid.UUID | None = None) -> list[Scored]:
    """Return at most ten issues that this person sees, of one project or of all, the most alike first."""
    words = [word for word in tokens(title) if len(word) >= _SHORTEST or not word.isascii()]
    if not words:
        return []
    issues = Issue.objects.visible_to(user)
    if project_id is not None:
        issues = issues.filter(project_id=project_id)
    return backend().similar(issues, words, limit=MOST)

"""What `doctor` examines of issues: numbers, history against rows, the search."""

from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

from django.db.models import F, Max
from django.db.models.functions import Coalesce

from accounts.models import Role, User
from issues.events.folding import folded, told
from issues.models import Issue, Project
from tracker.doctor import Depth, examines

SAMPLE: Final = 100
"""Of the oldest and of the newest issues each."""
_NAMED: Final = ("assignee", "milestone", "cycle", "parent", "team")


@examines("issue numbers")
def _numbers(_depth: Depth) -> Iterator[str]:
    """No counter gives a number away twice."""
    highest = Project.objects.annotate(highest=Coalesce(Max("issues__number"), 0))
    for project in highest.filter(next_number__lte=F("highest")):
        yield f"{project.key} counts on at {project.next_number}, but has number {project.highest} already."


@examines("history")
def _history(depth: Depth) -> Iterator[str]:
    """What the events of an issue say, from the first to the last, is what its row holds."""
    reader = User.objects.filter(role=Role.ADMIN, is_active=True).order_by("created_at").first()
    if reader is None:
        return
    for issue in _issues(depth):
        log, row = folded(issue), told(issue, user=reader)
        differing = [name for name in log if _plain(name, log[name]) != _plain(name, row[name])]
        if differing:
            yield f"{_key(issue)}: the log and the row differ in {', '.join(differing)}."


@examines("search")
def _search(_depth: Depth) -> Iterator[str]:
    missing = Issue.objects.filter(search_document__isnull=True).count()
    if missing:
        yield f"The search does not know {missing} issues; run: python manage.py rebuild_search"


def _issues(depth: Depth) -> Iterator[Issue]:
    ordered = Issue.objects.select_related("project").order_by("pk")
    if depth is Depth.EVERYTHING or ordered.count() <= 2 * SAMPLE:
        return ordered.iterator(chunk_size=500)
    return chain(ordered[:SAMPLE], ordered.reverse()[:SAMPLE])


def _plain(name: str, value: Any) -> Any:
    """Return what stays the same when people and things are given other names."""
    if name in _NAMED and isinstance(value, dict):
        return value.get("id")
    return value


def _key(issue: Issue) -> str:
    return f"{issue.project.key}-{issue.number}"

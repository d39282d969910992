"""What the list of issues can be sorted by, a closed set."""

from typing import Final

from django.db.models import Case, F, IntegerField, Value, When
from django.db.models.functions import Lower

from issues.catalog import CATEGORY_RANK
from issues.query.words import Search
from tracker.api.pagination import SortKey

DEFAULT: Final = "-created_at"
BEST_FIRST: Final = "-relevance,-created_at"
_POSITIONS: Final = 1_000_000

# The category in the order of the work, then the place in the workflow, as one number.
_STATUS: Final = Case(
    *(When(status__category=name, then=Value(rank * _POSITIONS)) for name, rank in CATEGORY_RANK.items()),
    output_field=IntegerField(),
) + F("status__position")

SORTS: Final[dict[str, SortKey]] = {
    "created_at": SortKey("created_at"),
    "updated_at": SortKey("updated_at"),
    "activity_at": SortKey("activity_at"),
    "started_at": SortKey("started_at", nullable=True),
    "closed_at": SortKey("closed_at", nullable=True),
    "due_date": SortKey("due_date", nullable=True),
    "priority": SortKey("priority"),
    "severity": SortKey("severity"),
    "status": SortKey("status_order", annotate={"status_order": _STATUS}),
    "title": SortKey("title_lower", annotate={"title_lower": Lower("title")}),
    "key": SortKey("project__key", "number"),
    "estimate": SortKey("estimate", nullable=True),
}
SORT_NAMES: Final = (*SORTS, "relevance")


def sorts_for(search: Search) -> dict[str, SortKey]:
    """Return the sorts of a list; `relevance`, always the best first, where there are words for it."""
    if not search.has_wanted:
        return SORTS
    return {**SORTS, "relevance": search.sort()}

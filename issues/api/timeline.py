"""What happened to an issue: its timeline (events and comments), and the history of its fields alone."""

from collections.abc import Sequence
from heapq import merge
from typing import Any, Final, Self

from django.db.models import CharField, F, IntegerField, Q, Value
from django.db.models.expressions import OrderBy
from django.db.models.functions import Cast, LPad
from django.http import HttpResponse
from rest_framework.request import Request

from issues.api.issues import OneIssueView
from issues.api.reading import comments_of, visible_issue
from issues.api.shapes import HistoryRow, TimelineRow
from issues.history_rows import comment_rows, history_events, history_rows, timeline_events
from issues.models import Comment, Issue
from issues.rows import Row
from tracker.api.operations import operation
from tracker.api.pagination import Rows, SortKey
from tracker.clock import iso
from tracker.models import Event

HISTORY_SORTS: Final = {"at": SortKey("at")}
TIMELINE_SORTS: Final = {"at": SortKey("at", "kind")}
_EVENT, _COMMENT = 0, 1


class HistoryView(OneIssueView):
    """The changes of an issue's fields, the oldest first."""

    @operation(
        response=HistoryRow, paginated=True, sorts=tuple(HISTORY_SORTS), summary="Read an issue's history"
    )
    def get(self, _request: Request, ref: str) -> HttpResponse:
        """Return a page of changes."""
        issue = visible_issue(ref, user=self.user)
        return self.page(
            history_events(issue.pk),
            rows=_history_rows_for(self.user),
            sorts=HISTORY_SORTS,
            default="at",
            id_column="order",
        )


class TimelineView(OneIssueView):
    """Events and comments of an issue, the oldest first."""

    @operation(
        response=TimelineRow, paginated=True, sorts=tuple(TIMELINE_SORTS), summary="Read an issue's timeline"
    )
    def get(self, _request: Request, ref: str) -> HttpResponse:
        """Return a page of events and comments."""
        issue = visible_issue(ref, user=self.user)
        return self.page(
            Timeline.of(issue, user=self.user),  # type: ignore[arg-type]  # as much of a queryset as a page needs
            rows=_timeline_rows_for(self.user),
            sorts=TIMELINE_SORTS,
            default="at",
            id_column="tie",
        )


class Timeline:
    """Two querysets, of events and of comments, read as one list in the order of (`at`, `kind`, `tie`).

    Each side is filtered, ordered and cut by the database; what is left of both is merged here.
    """

    def __init__(
        self, sides: Sequence[Any], *, window: slice = slice(None), descending: bool = False
    ) -> None:
        self._sides, self._window, self._descending = tuple(sides), window, descending

    @classmethod
    def of(cls, issue: Issue, *, user: Any) -> Self:
        """Return the timeline of an issue as this person sees it."""
        events = timeline_events(issue.pk).annotate(
            kind=Value(_EVENT, IntegerField()), tie=LPad(Cast("order", CharField()), 20, Value("0"))
        )
        comments = comments_of(issue, user=user).select_related("issue")
        comments = comments.annotate(
            at=F("created_at"), kind=Value(_COMMENT, IntegerField()), tie=Cast("id", CharField())
        )
        return cls((events, comments))

    def filter(self, condition: Q) -> "Timeline":
        """Narrow both sides."""
        return Timeline([side.filter(condition) for side in self._sides])

    def order_by(self, *columns: OrderBy) -> "Timeline":
        """Order both sides by the same columns, all in one direction."""
        descending = any(column.descending for column in columns)
        return Timeline([side.order_by(*columns) for side in self._sides], descending=descending)

    def count(self) -> int:
        """Return how many rows both sides have."""
        return sum(side.count() for side in self._sides)

    def __getitem__(self, window: slice) -> "Timeline":
        return Timeline(
            [side[: window.stop] for side in self._sides], window=window, descending=self._descending
        )

    def read(self) -> list[Event | Comment]:
        """Return the rows of the window, merged."""
        merged = merge(*self._sides, key=lambda item: (item.at, item.kind), reverse=self._descending)
        return list(merged)[self._window]


def _history_rows_for(user: Any) -> Rows:
    def build(queryset: Any, extra: tuple[str, ...]) -> list[tuple[Row, tuple[Any, ...]]]:
        events = list(queryset)
        return list(zip(history_rows(events, user=user), _places(events, extra), strict=True))

    return build


def _timeline_rows_for(user: Any) -> Rows:
    def build(timeline: Any, extra: tuple[str, ...]) -> list[tuple[Row, tuple[Any, ...]]]:
        items = timeline.read()
        events = [item for item in items if isinstance(item, Event)]
        comments = [item for item in items if isinstance(item, Comment)]
        told: dict[Any, Row] = {}
        for event, row in zip(events, history_rows(events, user=user), strict=True):
            told[event] = {"type": "event", **row}
        for comment, row in zip(comments, comment_rows(comments, user=user), strict=True):
            told[comment] = {"type": "comment", "at": iso(comment.created_at), "comment": row}
        return list(zip([told[item] for item in items], _places(items, extra), strict=True))

    return build


def _places(items: Sequence[Any], names: tuple[str, ...]) -> list[tuple[Any, ...]]:
    return [tuple(getattr(item, name) for name in names) for item in items]

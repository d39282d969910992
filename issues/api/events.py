"""`events`: the log of what one may see, by page and as a stream. The frames are those of the sockets."""

import re
from typing import Any, Final, Literal, NotRequired, TypedDict

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.db import connection
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from accounts.people import PersonRow
from issues.api.shapes import (
    Actor,
    Comment,
    IssueRef,
    PriorityWord,
    ProjectRef,
    SeverityWord,
    StatusRef,
    TypeWord,
)
from issues.events.log import read_page
from issues.live import places
from issues.live.asking import Asked, grant, wanted_of
from issues.live.stream import EventStream
from issues.live.subscription import Path
from issues.scope import scope_of
from tracker.api.operations import Param, operation
from tracker.api.views import ApiView
from tracker.errors import Invalid, RateLimited, Unavailable
from tracker.versions import versions_of

MAX_SEQ: Final = 10**18 - 1
MAX_KEYS: Final = 100
PAGE_BYTES: Final = 4 * 1024 * 1024
LAST_EVENT_ID: Final = "Last-Event-ID"
_SEQ: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_PROJECT: Final = Param("project", maximum=2500, description="Keys of projects, with commas between them.")


class EventIssue(TypedDict):
    """The issue as it is when the event is sent."""

    id: str
    key: str
    url: str
    project: ProjectRef
    title: str
    type: TypeWord
    status: StatusRef
    severity: SeverityWord
    priority: PriorityWord
    assignee: PersonRow | None
    reporter: PersonRow
    labels: list[str]
    version: int
    updated_at: str


class EventFrame(TypedDict):
    """One event. `ISSUE_DELETED` has only id and key of its issue; `comment` is there with comment events."""

    type: Literal["event"]
    seq: int
    event: str
    verb: str
    at: str
    actor: Actor | None
    issue: EventIssue | IssueRef
    changes: dict[str, list[Any]]
    comment: NotRequired[Comment]


class EventPage(TypedDict):
    """Some events in order, and where to go on: a page may be empty and yet have more behind it."""

    results: list[EventFrame]
    next_after: int
    has_more: bool


class EventsView(ApiView):
    """`events`."""

    @operation(
        response=EventPage,
        query=(
            Param(
                "after",
                "whole",
                minimum=0,
                maximum=MAX_SEQ,
                default=0,
                description="The last number one has.",
            ),
            Param("limit", "whole", minimum=1, maximum=1000, default=100, description="Events a page."),
            _PROJECT,
        ),
        summary="Read the event log",
    )
    def get(self, request: Request) -> HttpResponse:
        """List the events after a number that one may see, oldest first."""
        query, user = self.query, self.user
        wanted = wanted_of(user, Path(), projects=_keys(query["project"]), parameter="project")
        page = read_page(
            scope=scope_of(user),
            wanted=wanted,
            after=query["after"],
            limit=query["limit"],
            versions=versions_of(user),
        ).within(PAGE_BYTES)
        return self.ok(
            {
                "results": [frame.body for frame in page.frames],
                "next_after": page.last_seq,
                "has_more": page.has_more,
            }
        )


class StreamView(ApiView):
    """`events/stream`."""

    answers_json = False
    keeps_replies = False

    @operation(
        media_type="text/event-stream",
        query=(
            Param(
                "after",
                "whole",
                minimum=0,
                maximum=MAX_SEQ,
                description="As `Last-Event-ID`, which goes first.",
            ),
            _PROJECT,
        ),
        summary="Follow the event log",
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Send events as they happen, after those that were missed; `ready` when caught up."""
        query = self.query
        asked = Asked(since=self._last_event_id(query["after"]), projects=_keys(query["project"]))
        identity: Any = request.auth
        granted = grant(identity, Path(), asked, parameter="project")
        if not isinstance(self.http_request, ASGIRequest):
            raise _not_here()
        place = places.take(self.user.pk)
        if place is None:
            raise RateLimited(f"At most {places.MOST} sockets and streams at a time.")
        if request.method == "HEAD":
            place.release()
            response: HttpResponseBase = HttpResponse()
        else:
            response = StreamingHttpResponse(EventStream(granted, place))
        response["Content-Type"] = "text/event-stream"
        response["Cache-Control"] = "no-cache, no-transform"
        response["X-Accel-Buffering"] = "no"
        if not connection.in_atomic_block:
            connection.close()  # the thread of this request lives as long as the stream
        return response

    def _last_event_id(self, after: int | None) -> int | None:
        header = self.http_request.headers.get(LAST_EVENT_ID, "").strip()
        if not header:
            return after
        if not _SEQ.fullmatch(header):
            raise Invalid(fields={LAST_EVENT_ID: ["Must be the number of an event."]})
        return int(header)


def _keys(text: str | None) -> tuple[str, ...] | None:
    keys = tuple(key.strip() for key in (text or "").split(",") if key.strip())
    if len(keys) > MAX_KEYS:
        raise Invalid(fields={"project": [f"At most {MAX_KEYS} projects."]})
    return keys or None


def _not_here() -> Unavailable:
    """Say where the stream is: a server that has a thread for each request cannot hold it."""
    if not settings.LIVE_URL:
        return Unavailable("This server has no event stream; its address is not set (LIVE_URL).")
    return Unavailable(
        f"This server has no event stream; it is at {settings.LIVE_URL}.",
        details={"live_url": settings.LIVE_URL},
    )

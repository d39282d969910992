"""Reads the log for one person: what they may see of it, in order, a page at a time."""

from dataclasses import dataclass
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from issues.events.frames import Batch, Frame
from issues.events.verbs import STREAM_VERBS, TRASHED
from issues.events.wanted import Wanted
from issues.models import Issue
from issues.scope import Scope
from tracker.events.numbering import head
from tracker.models import Event, EventLog
from tracker.versions import Versions

WINDOW: Final = 20_000
_VERBS: Final = sorted(STREAM_VERBS)


@dataclass(frozen=True, slots=True)
class Page:
    """Some frames, the number up to which the log was read for them, and whether there is more."""

    frames: list[Frame]
    last_seq: int
    has_more: bool

    def within(self, most_bytes: int) -> "Page":
        """Return the page, ended early where its frames are larger than that; one frame it has always."""
        size = 0
        for at, frame in enumerate(self.frames):
            size += len(frame.json)
            if size > most_bytes and at:
                return Page(self.frames[:at], self.frames[at - 1].seq, has_more=True)
        return self


def read_page(*, scope: Scope, wanted: Wanted, after: int, limit: int, versions: Versions) -> Page:
    """Return at most `limit` frames with a number above `after`, of at most `WINDOW` numbers of the log.

    Three queries (events, issues, comments), one more at the end of the log, one more with a query in
    `wanted`. A page may have fewer frames than `limit`, or none, and yet have more behind it.
    """
    until = after + WINDOW
    events = list(_candidates(scope, wanted, after, until)[: limit + 1])
    if len(events) > limit:
        del events[limit:]
        last_seq, has_more = events[-1].seq or after, True
    else:
        newest = events[0].head_seq if events else head().last_seq  # type: ignore[attr-defined]  # annotated
        if not events and newest > after:  # what was numbered between the two queries
            events = list(_candidates(scope, wanted, after, min(until, newest))[:limit])
            if len(events) == limit:
                until = events[-1].seq or after
        last_seq = min(until, newest)
        has_more = last_seq < newest
    batch = Batch.load(events, versions=versions)
    return Page(frames_of(batch, scope, wanted), last_seq, has_more)


def frames_of(batch: Batch, scope: Scope, wanted: Wanted) -> list[Frame]:
    """Return the frames of a batch for one receiver."""
    matches = wanted.matches(batch)
    found = []
    for event in batch.events:
        frame = batch.frame(event, scope) if wanted.has_place(batch, event) else None
        if frame is not None and wanted.passes(event, frame, matches):
            found.append(frame)
    return found


def _candidates(scope: Scope, wanted: Wanted, after: int, until: int) -> QuerySet[Event]:
    """Return the events that may be for this person: all that are, and few others."""
    log = EventLog.objects.filter(pk=1).values("last_seq")
    events = Event.objects.filter(seq__gt=after, seq__lte=until, verb__in=_VERBS)
    if not scope.reads_internal:
        events = events.filter(internal=False)
    condition = scope.issues_q() & wanted.projects_q()
    shown = Issue.objects.filter(condition, pk=OuterRef("issue_id"))
    if not scope.may("trash_issue"):
        shown = shown.filter(trashed_at__isnull=True)
        events = events.filter(Q(Exists(shown)) | Q(verb=TRASHED) | Q(data__has_key="sight"))
    elif condition:
        events = events.filter(Q(Exists(shown)) | Q(data__has_key="sight"))
    return events.order_by("seq").annotate(head_seq=Subquery(log))


def sight_may_differ(*, scope: Scope, since: int, last_seq: int) -> bool:
    """Whether this person may see other issues than at `since`: rights, teams, projects or shares changed.

    One query over the numbers after `since` and what has no number yet. Who lacks more than `WINDOW` numbers
    is taken for one whose sight differs, so that nobody's question reads the whole log.
    """
    if last_seq - since > WINDOW:
        return True
    concerned = Q(verb="user.role_changed", subject_id=scope.user_id) | Q(
        verb="role.permissions_changed", data__role=scope.rights.role
    )
    if not scope.may("see_all_issues"):
        concerned |= Q(verb__in=["watcher.added", "watcher.removed"], subject_id=scope.user_id)
    if not (scope.sees_every_project and scope.may("see_all_issues")):
        concerned |= Q(verb__in=["team.deleted", "project.visibility_changed"])
        concerned |= Q(
            verb__in=["team.member_added", "team.member_removed"], data__user__id=str(scope.user_id)
        )
    return Event.objects.filter(Q(seq__gt=since) | Q(seq__isnull=True)).filter(concerned).exists()

"""The timeline of an issue as its page shows it: changes as sentences and comments, in one line of time."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db.models import Q
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from issues import markdown, policy
from issues.catalog import Catalog, catalog
from issues.events.sentences import sentence_of
from issues.events.verbs import FIELDS, ISSUE_UPDATED, MOVED, PLACE
from issues.forms.issue import field_label
from issues.history_rows import comment_rows, history_rows, shown_comments, timeline_events
from issues.models import Comment, Issue
from issues.rows import Row
from issues.scope import Scope, scope_of
from issues.views.moments import Moments
from tracker.models import Event
from tracker.versions import versions_of

PAGE_SIZE: Final = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the timeline: either a change (`sentences`) or a comment (`body`)."""

    id: str
    at: datetime
    when: SafeString | str
    person: str
    sentences: list[str] = field(default_factory=list)
    is_comment: bool = False
    body: SafeString | str = ""
    internal: bool = False
    deleted: bool = False
    edited: SafeString | str = ""
    answers: str = ""
    answers_person: str = ""
    may_edit: bool = False
    may_delete: bool = False


@dataclass(frozen=True, slots=True)
class Timeline:
    """One page of it, oldest first; `earlier` and `later`: the `skip` of the neighbours, or None."""

    entries: list[Entry]
    earlier: int | None
    later: int | None


def read_timeline(issue: Issue, *, key: str, user: Any, moments: Moments, skip: int = 0) -> Timeline:
    """Return the newest entries but `skip`: two queries, and up to two more for what changes mention."""
    wanted = skip + PAGE_SIZE + 1
    events = list(timeline_events(issue.pk).reverse()[:wanted])
    visible = shown_comments(Comment.objects.visible_to(user).filter(issue=issue), user=user)
    comments = list(visible.order_by("-created_at", "-pk")[:wanted])
    merged: list[tuple[datetime, int, Any]] = [
        *((event.at, 0, event) for event in events),
        *((comment.created_at, 1, comment) for comment in comments),
    ]
    # Both lists are newest first already; the sort is stable, so their own order holds at equal times.
    merged.sort(key=lambda item: item[:2], reverse=True)
    page = [thing for _, _, thing in merged[skip : skip + PAGE_SIZE]][::-1]
    return Timeline(
        entries=_Writer(issue, key=key, user=user, moments=moments, comments=comments).entries(page),
        earlier=skip + PAGE_SIZE if len(merged) > skip + PAGE_SIZE else None,
        later=max(0, skip - PAGE_SIZE) if skip else None,
    )


def skip_to(comment: Comment, *, user: Any) -> int:
    """Return the `skip` of the page on which a comment stands."""
    newer = (
        Comment.objects.visible_to(user)
        .filter(issue=comment.issue_id)
        .filter(Q(created_at__gt=comment.created_at) | Q(created_at=comment.created_at, pk__gt=comment.pk))
    )
    events = timeline_events(comment.issue_id).filter(at__gt=comment.created_at)
    count = shown_comments(newer, user=user).count() + events.count()
    return int(count // PAGE_SIZE * PAGE_SIZE)


class _Writer:
    """Writes the entries of one page for one reader."""

    def __init__(
        self, issue: Issue, *, key: str, user: Any, moments: Moments, comments: Sequence[Comment]
    ) -> None:
        self.key, self.user, self.moments = key, user, moments
        self.scope: Scope = scope_of(user)
        known: Catalog = catalog(versions_of(user))
        self.status_names = {status.slug: status.name for status in known.statuses_of(issue.project_id)}
        self.is_active = known.projects[issue.project_id].archived_at is None and issue.trashed_at is None
        self.known = {comment.pk: comment for comment in comments}

    def entries(self, page: Sequence[Event | Comment]) -> list[Entry]:
        events = [thing for thing in page if isinstance(thing, Event)]
        comments = [thing for thing in page if isinstance(thing, Comment)]
        rows: dict[uuid.UUID, Row] = {}
        rows |= dict(zip((event.id for event in events), history_rows(events, user=self.user), strict=True))
        parents = [self.known[each.parent_id] for each in comments if each.parent_id in self.known]
        asked = [*comments, *parents]
        rows |= dict(
            zip((each.pk for each in asked), comment_rows(asked, user=self.user, key=self.key), strict=True)
        )
        return [
            self._comment(thing, rows) if isinstance(thing, Comment) else self._event(thing, rows[thing.id])
            for thing in page
        ]

    def _event(self, event: Event, row: Row) -> Entry:
        return Entry(
            id=f"event-{event.order}",
            at=event.at,
            when=self.moments.time(event.at),
            person=row["actor"]["name"] if row["actor"] else _("The tracker"),
            sentences=sentences(row, imported=_imported_fields(event), status_names=self.status_names),
        )

    def _comment(self, comment: Comment, rows: Mapping[uuid.UUID, Row]) -> Entry:
        row, parent = rows[comment.pk], rows.get(comment.parent_id) if comment.parent_id else None
        is_live = self.is_active and not row["deleted"]
        return Entry(
            id=row["id"],
            at=comment.created_at,
            when=self.moments.time(comment.created_at),
            person=row["author"]["name"] if row["author"] else "",
            is_comment=True,
            body=markdown.render(row["body"]),
            internal=row["internal"],
            deleted=row["deleted"],
            edited=self.moments.time(comment.edited_at),
            answers=row["parent"] or "",
            answers_person=parent["author"]["name"] if parent and parent["author"] else "",
            may_edit=is_live and policy.can_edit_comment(self.scope, comment),
            may_delete=is_live and policy.can_delete_comment(self.scope, comment),
        )


def sentences(row: Row, *, imported: Sequence[str] = (), status_names: Mapping[str, str]) -> list[str]:
    """Return what a row of history says, without the person: a sentence for each field that changed.

    `imported`: names of fields of another tracker, which are told where nothing of ours changed.
    """
    verb, changes = row["verb"], row["changes"]
    if verb not in {ISSUE_UPDATED, MOVED}:
        return [sentence_of(verb, changes, status_names=status_names)]
    told = [sentence_of(verb, changes)] if verb == MOVED else []
    told += [
        sentence_of(f"issue.{name}_changed", {name: pair}, status_names=status_names)
        for name, pair in changes.items()
        if name in FIELDS
    ]
    others = [
        *(field_label(name).lower() for name in changes if name not in FIELDS and name not in PLACE),
        *(() if changes else imported),
    ]
    if others:
        told.append(_("changed %(fields)s") % {"fields": ", ".join(others)})
    return told or [sentence_of(verb, changes)]


def _imported_fields(event: Event) -> list[str]:
    fields = event.data.get("fields", [])
    return [str(item["field"]) for item in fields if isinstance(item, dict) and "field" in item]
